"""Everything stored, streamed exactly as it is stored: `ledger.audit.LedgerRows` on SQLite and PostgreSQL.

Nothing is converted on the way, so that whatever a damaged cell holds is seen as it is and named by the
audit. Text that is not UTF-8 comes with its bytes escaped as lone surrogates.
"""

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from functools import partial
from itertools import count
from typing import Any

from sqlalchemy import Connection, Engine

from creditbank.ledger.audit import StoredCheckpoint, StoredEntry, StoredLogLeaf, StoredState
from creditbank.storage.sql_errors import translated

_ROWS_AT_ONCE = 1_000
_any_text = partial(str, encoding="utf-8", errors="surrogateescape")

_ENTRIES = """
    SELECT entry.subject, entry.seq, entry.leaf, entry.leaf_hash, entry.idempotency_key,
        payload.salt, payload.bytes, log_leaf.log_index, pending.leaf_hash
    FROM entry
    LEFT JOIN payload ON payload.subject = entry.subject AND payload.seq = entry.seq
    LEFT JOIN log_leaf ON log_leaf.subject = entry.subject AND log_leaf.seq = entry.seq
    LEFT JOIN pending ON pending.subject = entry.subject AND pending.seq = entry.seq
    ORDER BY entry.subject, entry.seq
"""
_STRAYS = """
    SELECT 'payload', subject, seq FROM payload WHERE NOT EXISTS
        (SELECT 1 FROM entry WHERE entry.subject = payload.subject AND entry.seq = payload.seq)
    UNION ALL
    SELECT 'pending', subject, seq FROM pending WHERE NOT EXISTS
        (SELECT 1 FROM entry WHERE entry.subject = pending.subject AND entry.seq = pending.seq)
"""
_LOG_LEAVES = """
    SELECT log_leaf.log_index, log_leaf.subject, log_leaf.seq, entry.leaf_hash
    FROM log_leaf LEFT JOIN entry ON entry.subject = log_leaf.subject AND entry.seq = log_leaf.seq
    ORDER BY log_leaf.log_index
"""


@contextmanager
def audit_rows(engine: Engine) -> Iterator["SqlLedgerRows"]:
    """Open one consistent view of everything stored.

    Raises:
        IntegrityBroken: a page of the database cannot be read; in the block too.
        Misconfigured: the database cannot be opened or reached.
    """
    if engine.dialect.name == "sqlite":
        with translated(), engine.connect() as connection, connection.begin():
            driver: Any = connection.connection.driver_connection
            driver.text_factory = _any_text
            try:
                yield SqlLedgerRows(connection)
            finally:
                driver.text_factory = str
    else:
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with translated(), engine.connect().execution_options(**options) as connection, connection.begin():
            yield SqlLedgerRows(connection)


class SqlLedgerRows:
    """Every row of the ledger's tables; each stream raises `IntegrityBroken` at a page it cannot read."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._numbers = count()

    def size(self) -> int:
        return int(self._connection.exec_driver_sql("SELECT count(*) FROM entry").scalar_one())

    def entries(self) -> Iterator[StoredEntry]:
        yield from map(StoredEntry._make, self._stream(_ENTRIES))

    def strays(self) -> Iterator[tuple[str, object, object]]:
        yield from self._stream(_STRAYS)

    def log_leaves(self) -> Iterator[StoredLogLeaf]:
        yield from map(StoredLogLeaf._make, self._stream(_LOG_LEAVES))

    def tile(self, level: int, index: int) -> object:
        mark = "?" if self._connection.dialect.name == "sqlite" else "%s"
        query = f"SELECT hashes FROM tile WHERE level = {mark} AND tile_index = {mark}"  # noqa: S608 - a mark
        return self._connection.exec_driver_sql(query, (level, index)).scalar_one_or_none()

    def tile_places(self) -> Iterator[tuple[object, object]]:
        yield from self._stream("SELECT level, tile_index FROM tile ORDER BY level, tile_index")

    def states(self) -> Iterator[StoredState]:
        for size, root in self._stream("SELECT size, root FROM log_state"):
            yield StoredState(size=size, root=root)

    def checkpoints(self) -> Generator[StoredCheckpoint, None, None]:
        for size, note in self._stream("SELECT size, note FROM checkpoint ORDER BY size"):
            yield StoredCheckpoint(size=size, note=note)

    def _stream(self, query: str) -> Iterator[Any]:
        """Yield the driver's own rows, which it fetches as they are asked for."""
        is_sqlite = self._connection.dialect.name == "sqlite"
        name = {} if is_sqlite else {"name": f"audit_{next(self._numbers)}"}
        cursor: Any = self._connection.connection.cursor(**name)
        with translated(), closing(cursor):
            if is_sqlite:
                cursor.execute(query)
            else:
                cursor.itersize = _ROWS_AT_ONCE
                cursor.execute(query, binary=True)
            yield from cursor
