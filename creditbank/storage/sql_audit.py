"""Everything stored, streamed exactly as it is stored: `ledger.audit.LedgerRows` on SQLite and PostgreSQL.

Nothing is converted on the way, so that whatever a damaged cell holds is seen as it is and named by the
audit. Text that is not UTF-8 comes with its bytes escaped as lone surrogates. The statements go to the driver
directly: between it and the audit every row costs.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from itertools import chain, count
from typing import Any, cast

from psycopg import capabilities
from sqlalchemy import Connection, Engine

from creditbank.ledger.audit import (
    EntryCells,
    Places,
    StoredCheckpoint,
    StoredCosignature,
    StoredLogLeaf,
    StoredState,
    Subjects,
)
from creditbank.storage.engine import sqlite
from creditbank.storage.sql_errors import translated

# As many as stay near: the more rows wait at once, the more of a processor's cache they take.
_SQLITE_ROWS = 100
_POSTGRESQL_ROWS = 500

_NO_TEXT = "Could not decode to UTF-8"
_any_text = partial(str, encoding="utf-8", errors="surrogateescape")

# {others}: a merge join reads no more of a table than it must only where that has the bounds too.
_ENTRIES = """
    SELECT entry.subject, entry.seq, entry.leaf, entry.leaf_hash, entry.idempotency_key,
        payload.salt, payload.bytes, log_leaf.log_index, pending.leaf_hash
    FROM (SELECT * FROM entry {span}) AS entry
    LEFT JOIN (SELECT * FROM payload {others}) AS payload
        ON payload.subject = entry.subject AND payload.seq = entry.seq
    LEFT JOIN (SELECT * FROM log_leaf {others}) AS log_leaf
        ON log_leaf.subject = entry.subject AND log_leaf.seq = entry.seq
    LEFT JOIN (SELECT * FROM pending {others}) AS pending
        ON pending.subject = entry.subject AND pending.seq = entry.seq
    ORDER BY entry.subject, entry.seq
"""
_STRAYS = """
    SELECT 'payload', subject, seq FROM (SELECT * FROM payload {span}) AS payload WHERE NOT EXISTS
        (SELECT 1 FROM entry WHERE entry.subject = payload.subject AND entry.seq = payload.seq)
    UNION ALL
    SELECT 'pending', subject, seq FROM (SELECT * FROM pending {span}) AS pending WHERE NOT EXISTS
        (SELECT 1 FROM entry WHERE entry.subject = pending.subject AND entry.seq = pending.seq)
    ORDER BY 2, 3, 1
"""
_COUNTS = "SELECT (SELECT count(*) FROM payload {span}), (SELECT count(*) FROM pending {span})"
_LOG_LEAVES = """
    SELECT {columns} FROM (SELECT * FROM log_leaf {span}) AS log_leaf
    LEFT JOIN entry ON entry.subject = log_leaf.subject AND entry.seq = log_leaf.seq
    ORDER BY log_leaf.log_index
"""
_COSIGNATURES = """
    SELECT cosignature.size, witness, cosigned_at, signature, note FROM cosignature
    LEFT JOIN checkpoint ON checkpoint.size = cosignature.size
    ORDER BY cosignature.size, witness, cosigned_at
"""

# How PostgreSQL is to read, whatever it knows of the tables: it may have been filled a minute ago. Along
# the subjects every table by its key, and merged; along the log each entry looked up by its key.
_BY_SUBJECT = ("nestloop", "hashjoin", "seqscan", "bitmapscan")
_BY_PLACE = ("mergejoin", "hashjoin", "seqscan", "bitmapscan")


@contextmanager
def audit_rows(engine: Engine, *, snapshot: str | None = None) -> Iterator["SqlLedgerRows"]:
    """Open one consistent view of everything stored: of this moment, or, on PostgreSQL, a `snapshot`.

    Raises:
        IntegrityBroken: a page of the database cannot be read; in the block too.
        Misconfigured: the database cannot be opened or reached.
    """
    if engine.dialect.name == "sqlite":
        with translated(), engine.connect() as connection, connection.begin():
            try:
                yield SqlLedgerRows(connection)
            finally:
                _driver_of(connection).text_factory = str
    else:
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with translated(), engine.connect().execution_options(**options) as connection, connection.begin():
            if snapshot is not None:
                connection.exec_driver_sql(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
            yield SqlLedgerRows(connection)


class SqlLedgerRows:
    """Every row of the ledger's tables; each stream raises `IntegrityBroken` at a page it cannot read."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_sqlite = connection.dialect.name == "sqlite"
        self._mark = "?" if self._is_sqlite else "%s"
        self._numbers = count()

    @property
    def engine(self) -> Engine:
        return self._connection.engine

    def snapshot(self) -> str | None:
        """Return what lets other connections open this very view; None on SQLite, where nothing does."""
        if self._is_sqlite:
            return None
        return str(self._connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one())

    def size(self) -> int:
        return int(self._one("SELECT count(*) FROM entry"))

    def subject_after(self, first: str | None, entries: int) -> str | None:
        span, bounds = self._of_subjects(Subjects(first, None))
        found = self._one(
            f"SELECT subject FROM entry {span} ORDER BY subject LIMIT 1 OFFSET {self._mark}",  # noqa: S608 - ours
            (*bounds, entries),
        )
        if found is None or found != first:
            return _cut(found)
        # One chain is longer than that: cut behind it.
        beyond = f"SELECT min(subject) FROM entry WHERE subject > {self._mark}"  # noqa: S608 - ours
        return _cut(self._one(beyond, bounds))

    def entries(self, span: Subjects) -> Iterator[Sequence[EntryCells]]:
        where, bounds = self._of_subjects(span)
        if self._is_sqlite:
            yield from self._stream(_ENTRIES.format(span=where, others=""), bounds)
        else:
            self._read_by(_BY_SUBJECT)
            yield from self._pour(_ENTRIES.format(span=where, others=where), bounds * 4)

    def counts(self, span: Subjects) -> tuple[int, int]:
        where, bounds = self._of_subjects(span)
        payloads, pending = self._row(_COUNTS.format(span=where), bounds * 2)
        return int(payloads), int(pending)

    def strays(self, span: Subjects) -> Iterator[tuple[str, object, object]]:
        where, bounds = self._of_subjects(span)
        yield from self._rows(_STRAYS.format(span=where), bounds * 2)

    def place_after(self, first: int, places: int) -> int | None:
        query = "SELECT log_index FROM log_leaf WHERE log_index >= {0} ORDER BY log_index LIMIT 1 OFFSET {0}"
        found = self._one(query.format(self._mark), (first, places))
        return found if type(found) is int else None

    def places(self) -> int:
        last = self._one("SELECT max(log_index) FROM log_leaf")
        return last + 1 if type(last) is int and last >= 0 else 0

    def log_leaves(self, span: Places) -> Iterator[StoredLogLeaf]:
        columns = "log_leaf.log_index, log_leaf.subject, log_leaf.seq, entry.leaf_hash"
        yield from map(StoredLogLeaf._make, self._rows(*self._log_leaves(columns, span)))

    def leaf_hashes(self, span: Places) -> Iterator[Sequence[tuple[object, object]]]:
        query, places = self._log_leaves("log_leaf.log_index, entry.leaf_hash", span)
        yield from self._stream(query, places) if self._is_sqlite else self._pour(query, places)

    def tile(self, level: int, index: int) -> object:
        query = "SELECT hashes FROM tile WHERE level = {0} AND tile_index = {0}"
        return self._one(query.format(self._mark), (level, index))

    def tiles(self, first: int, end: int) -> Iterator[tuple[object, object]]:
        within = f"level = 0 AND tile_index >= {self._mark} AND tile_index < {self._mark}"
        query = f"SELECT tile_index, hashes FROM tile WHERE {within} ORDER BY tile_index"  # noqa: S608 - ours
        yield from self._rows(query, (first, end))

    def tile_places(self) -> Iterator[tuple[object, object]]:
        yield from self._rows("SELECT level, tile_index FROM tile ORDER BY level, tile_index")

    def states(self) -> Iterator[StoredState]:
        yield from map(StoredState._make, self._rows("SELECT size, root FROM log_state"))

    def checkpoints(self, after: int | None = None) -> Generator[StoredCheckpoint, None, None]:
        beyond = "" if after is None else f"WHERE size > {self._mark}"
        query = f"SELECT size, note FROM checkpoint {beyond} ORDER BY size"  # noqa: S608 - ours
        yield from map(StoredCheckpoint._make, self._rows(query, () if after is None else (after,)))

    def cosignatures(self) -> Iterator[StoredCosignature]:
        yield from map(StoredCosignature._make, self._rows(_COSIGNATURES))

    def _of_subjects(self, span: Subjects) -> tuple[str, tuple[object, ...]]:
        """Return the condition that `span` is, and its parameters."""
        bounds = ((">=", span.first), ("<", span.end))
        where = [f"subject {sign} {self._mark}" for sign, subject in bounds if subject is not None]
        given = tuple(subject for _, subject in bounds if subject is not None)
        return f"WHERE {' AND '.join(where)}" if where else "", given

    def _log_leaves(self, columns: str, span: Places) -> tuple[str, tuple[object, ...]]:
        bounds = ((">=", span.first), ("<", span.end))
        where = " AND ".join(f"log_index {sign} {self._mark}" for sign, place in bounds if place is not None)
        self._read_by(_BY_PLACE)
        query = _LOG_LEAVES.format(columns=columns, span=f"WHERE {where}" if where else "")
        return query, tuple(place for _, place in bounds if place is not None)

    def _read_by(self, avoided: Sequence[str]) -> None:
        if not self._is_sqlite:
            chosen = {name: "off" if name in avoided else "on" for name in {*_BY_SUBJECT, *_BY_PLACE}}
            for name, value in chosen.items():
                self._connection.exec_driver_sql(f"SET LOCAL enable_{name} = {value}")

    def _one(self, query: str, given: tuple[object, ...] = ()) -> Any:  # noqa: ANN401 - whatever the cell holds
        row = self._row(query, given)
        return None if row is None else row[0]

    def _row(self, query: str, given: tuple[object, ...]) -> Any:  # noqa: ANN401 - a driver's own row
        if self._is_sqlite:
            return next(self._rows(query, given), None)
        with translated():
            return self._connection.exec_driver_sql(query, given).first()

    def _rows(self, query: str, given: tuple[object, ...] = ()) -> Iterator[Any]:
        return chain.from_iterable(self._stream(query, given))

    def _stream(self, query: str, given: tuple[object, ...]) -> Iterator[Sequence[Any]]:
        """Yield the driver's own rows, some at a time, which it fetches as they are asked for."""
        if self._is_sqlite:
            yield from self._stream_sqlite(query, given)
            return
        cursor: Any = self._connection.connection.cursor(name=f"audit_{next(self._numbers)}")
        with translated(), closing(cursor):
            cursor.execute(query, given, binary=True)
            while rows := cursor.fetchmany(_POSTGRESQL_ROWS):
                yield rows

    def _pour(self, query: str, given: tuple[object, ...]) -> Iterator[Sequence[Any]]:
        """Let PostgreSQL send all rows while we work on those that came; nobody else may ask meanwhile."""
        if not capabilities.has_stream_chunked():  # a libpq older than 17
            yield from self._stream(query, given)
            return
        some: list[Any] = []
        cursor: Any = self._connection.connection.cursor()
        with translated(), closing(cursor):
            for row in cursor.stream(query, given, binary=True, size=_POSTGRESQL_ROWS):
                some.append(row)
                if len(some) == _POSTGRESQL_ROWS:
                    yield some
                    some = []
        if some:
            yield some

    def _stream_sqlite(self, query: str, given: tuple[object, ...]) -> Iterator[Sequence[Any]]:
        """Read with the driver's own, quick idea of text, until one is met that is none; then with ours."""
        driver = _driver_of(self._connection)
        done = 0
        while True:
            with translated(), closing(driver.cursor()) as cursor:
                cursor.execute(query, given)
                try:
                    for _ in range(done):
                        cursor.fetchone()
                    while rows := cursor.fetchmany(_SQLITE_ROWS):
                        yield rows
                        done += len(rows)
                except sqlite.OperationalError as error:
                    if driver.text_factory is _any_text or not str(error).startswith(_NO_TEXT):
                        raise
                    driver.text_factory = _any_text
                else:
                    return


def _driver_of(connection: Connection) -> Any:  # noqa: ANN401 - a driver's own class
    return connection.connection.driver_connection


def _cut(subject: object) -> str | None:
    """Return a subject to cut at; one that is no text is none, and ends the cutting."""
    is_text = type(subject) is str and subject.isprintable()
    return cast("str", subject) if is_text else None
