"""The ledger on SQLite and PostgreSQL: `services.ports.LedgerStore` over one open transaction."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, Select, bindparam, select, text

from creditbank.ledger.append import LogRange
from creditbank.ledger.chain import Head
from creditbank.ledger.entry import Entry, Payload
from creditbank.storage.sql_chains import SqlChains, leaf_of
from creditbank.storage.sql_rows import table_of
from creditbank.storage.sql_sequencer import SEQUENCED_AT_ONCE, SqlSequencer
from creditbank.storage.tables import (
    CheckpointRow,
    EntryRow,
    LogLeafRow,
    LogStateRow,
    PayloadRow,
    TileRow,
)
from creditbank.terms import SubjectId

_entry = table_of(EntryRow)
_payload = table_of(PayloadRow)
_log_leaf = table_of(LogLeafRow)
_log_state = table_of(LogStateRow)
_tile = table_of(TileRow)
_checkpoint = table_of(CheckpointRow)

_AnyRow: TypeAlias = "Row[*tuple[Any, ...]]"

_ROWS_AT_ONCE = 256
_LAST_CHARACTER = "\U0010ffff"

_entries = select(
    _entry.c.subject,
    _entry.c.seq,
    _entry.c.leaf,
    _entry.c.leaf_hash,
    _entry.c.idempotency_key,
    _payload.c.salt,
    _payload.c.bytes,
).outerjoin_from(
    _entry, _payload, (_entry.c.subject == _payload.c.subject) & (_entry.c.seq == _payload.c.seq)
)

_page_of_chain = (
    _entries.where(_entry.c.subject == bindparam("of"), _entry.c.seq >= bindparam("first"))
    .order_by(_entry.c.seq)
    .limit(_ROWS_AT_ONCE)
)

_count_pending = text("SELECT count(*) FROM (SELECT 1 FROM pending LIMIT :at_most) AS waiting")

# The guard against REPLACE on SQLite would refuse a size that is there, even where nothing is to be done.
_keep_checkpoint = text(
    "INSERT INTO checkpoint (size, note) SELECT CAST(:size AS BIGINT), :note"
    " WHERE NOT EXISTS (SELECT 1 FROM checkpoint WHERE size = :size) ON CONFLICT (size) DO NOTHING"
)


class SqlLedger:
    """Entries, the log over them and its checkpoints, as one transaction sees and changes them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._chains = SqlChains(connection)
        self._sequencer = SqlSequencer(connection)

    def size(self) -> int:
        return int(self._connection.execute(select(_log_state.c.size)).scalar_one())

    def root(self) -> bytes:
        return bytes(self._connection.execute(select(_log_state.c.root)).scalar_one())

    def heads_of(self, subjects: Collection[SubjectId]) -> Mapping[SubjectId, Head]:
        return self._chains.heads_of(subjects)

    def subjects(self, prefix: str) -> Iterator[SubjectId]:
        named = select(_entry.c.subject).where(_entry.c.seq == 0, _entry.c.subject < prefix + _LAST_CHARACTER)
        page = self._page_of_subjects(named.where(_entry.c.subject >= prefix))
        while page:
            yield from page
            page = self._page_of_subjects(named.where(_entry.c.subject > page[-1]))

    def entries_of(self, subject: SubjectId) -> Iterator[Entry]:
        first = 0
        while True:
            rows = self._connection.execute(_page_of_chain, {"of": subject, "first": first}).all()
            yield from map(_entry_of, rows)
            if len(rows) < _ROWS_AT_ONCE:
                return
            first = rows[-1].seq + 1

    def entry(self, subject: SubjectId, seq: int) -> Entry | None:
        return self._one(_entries.where(_entry.c.subject == subject, _entry.c.seq == seq))

    def entry_by_key(self, subject: SubjectId, idempotency_key: str) -> Entry | None:
        named = _entry.c.idempotency_key == idempotency_key
        return self._one(_entries.where(_entry.c.subject == subject, named))

    def append(self, entries: Sequence[Entry]) -> None:
        self._chains.append(entries)

    def sequence(self, *, at_most: int = SEQUENCED_AT_ONCE) -> LogRange | None:
        return self._sequencer.sequence(at_most=at_most)

    def pending(self, *, at_most: int) -> int:
        return int(self._connection.execute(_count_pending, {"at_most": at_most}).scalar_one())

    def log_index_of(self, subject: SubjectId, seq: int) -> int | None:
        place = select(_log_leaf.c.log_index).where(_log_leaf.c.subject == subject, _log_leaf.c.seq == seq)
        return self._connection.execute(place).scalar_one_or_none()

    def tile(self, level: int, index: int) -> bytes | None:
        found = select(_tile.c.hashes).where(_tile.c.level == level, _tile.c.tile_index == index)
        return self._connection.execute(found).scalar_one_or_none()

    def checkpoints(self) -> Iterator[bytes]:
        ordered = select(_checkpoint.c.note).order_by(_checkpoint.c.size)
        yield from self._connection.execute(ordered).scalars()

    def latest_checkpoint(self) -> bytes | None:
        latest = select(_checkpoint.c.note).order_by(_checkpoint.c.size.desc()).limit(1)
        return self._connection.execute(latest).scalar_one_or_none()

    def add_checkpoint(self, *, size: int, note: bytes) -> None:
        self._connection.execute(_keep_checkpoint, {"size": size, "note": note})

    def _page_of_subjects(self, named: Select[str]) -> Sequence[SubjectId]:
        page = named.order_by(_entry.c.subject).limit(_ROWS_AT_ONCE)
        return [SubjectId(subject) for subject in self._connection.execute(page).scalars()]

    def _one(self, query: Select[*tuple[Any, ...]]) -> Entry | None:
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _entry_of(row)


def _entry_of(row: _AnyRow) -> Entry:
    return Entry(
        leaf=leaf_of(row.leaf, subject=row.subject, seq=row.seq),
        leaf_bytes=row.leaf,
        leaf_hash=row.leaf_hash,
        payload=None if row.salt is None else Payload(salt=row.salt, content=row.bytes),
        idempotency_key=row.idempotency_key,
    )
