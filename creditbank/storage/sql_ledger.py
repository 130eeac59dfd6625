"""The ledger on SQLite and PostgreSQL: `services.books.LedgerStore` over one open transaction."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, select, text

from creditbank.ledger.append import SEQUENCED_AT_ONCE, LogPlace, LogRange
from creditbank.ledger.chain import Head
from creditbank.ledger.entry import Entry, Payload
from creditbank.storage.sql_chains import SqlChains, leaf_of
from creditbank.storage.sql_rows import GIVEN, for_driver, given, rows_from_driver, table_of
from creditbank.storage.sql_sequencer import SqlSequencer
from creditbank.storage.tables import CheckpointRow, EntryRow
from creditbank.terms import SubjectId

_entry = table_of(EntryRow)
_checkpoint = table_of(CheckpointRow)

_ROWS_AT_ONCE = 256
_LAST_CHARACTER = "\U0010ffff"

_ENTRIES = (
    "SELECT entry.subject, entry.seq, leaf, leaf_hash, idempotency_key, salt, bytes FROM {0}"
    " LEFT JOIN payload ON payload.subject = entry.subject AND payload.seq = entry.seq WHERE {1}"
)
_page_of_chain = for_driver(
    _ENTRIES.format(
        "entry", f"entry.subject = %s AND entry.seq >= %s ORDER BY entry.seq LIMIT {_ROWS_AT_ONCE}"
    )
)
_one_entry = for_driver(_ENTRIES.format("entry", "entry.subject = %s AND entry.seq = %s"))
_entry_by_key = for_driver(_ENTRIES.format("entry", "entry.subject = %s AND idempotency_key = %s"))
_first_entries = {
    dialect: for_driver(
        _ENTRIES.format(f"{texts} JOIN entry ON entry.subject = given.value", "entry.seq = 0")
    )[dialect].replace(":given", for_driver("%s")[dialect])
    for dialect, texts in GIVEN.items()
}
_size = for_driver("SELECT size FROM log_state")
_root = for_driver("SELECT root FROM log_state")
_place = for_driver("SELECT log_index FROM log_leaf WHERE subject = %s AND seq = %s")
_place_and_log = for_driver(
    "SELECT (SELECT log_index FROM log_leaf WHERE subject = %s AND seq = %s), size, root FROM log_state"
)
_of_place = for_driver("SELECT subject, seq FROM log_leaf WHERE log_index = %s")
_held_tile = for_driver("SELECT hashes FROM tile WHERE level = %s AND tile_index = %s")
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
        ((size,),) = self._read(_size)
        return int(size)

    def root(self) -> bytes:
        ((root,),) = self._read(_root)
        return bytes(root)

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
            rows = self._read(_page_of_chain, subject, first)
            yield from (_entry_of(*row) for row in rows)
            if len(rows) < _ROWS_AT_ONCE:
                return
            _, seq, *_ = rows[-1]
            first = seq + 1

    def entry(self, subject: SubjectId, seq: int) -> Entry | None:
        if "\0" in subject:  # a stranger may ask for any text, and PostgreSQL refuses to read this one
            return None
        return self._one(_one_entry, subject, seq)

    def first_entries(self, subjects: Collection[SubjectId]) -> Mapping[SubjectId, Entry]:
        rows = self._read(_first_entries, *given(self._connection, subjects).values())
        return {row[0]: _entry_of(*row) for row in rows}

    def entry_by_key(self, subject: SubjectId, idempotency_key: str) -> Entry | None:
        return self._one(_entry_by_key, subject, idempotency_key)

    def append(self, entries: Sequence[Entry]) -> None:
        self._chains.append(entries)

    def share(self, subjects: Collection[SubjectId]) -> None:
        """Be ready for several actions in this transaction, about these subjects."""
        self._chains.share(subjects)

    def sequence(self, *, at_most: int = SEQUENCED_AT_ONCE) -> LogRange | None:
        return self._sequencer.sequence(at_most=at_most)

    def pending(self, *, at_most: int) -> int:
        return int(self._connection.execute(_count_pending, {"at_most": at_most}).scalar_one())

    def log_index_of(self, subject: SubjectId, seq: int) -> int | None:
        return next((index for (index,) in self._read(_place, subject, seq)), None)

    def place_of(self, subject: SubjectId, seq: int) -> LogPlace:
        ((index, size, root),) = self._read(_place_and_log, subject, seq)
        return LogPlace(index=index, size=size, root=root)

    def entry_at(self, log_index: int) -> Entry | None:
        return next((self.entry(*of) for of in self._read(_of_place, log_index)), None)

    def tile(self, level: int, index: int) -> bytes | None:
        return next((hashes for (hashes,) in self._read(_held_tile, level, index)), None)

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

    def _one(self, statement: Mapping[str, str], *parameters: object) -> Entry | None:
        return next((_entry_of(*row) for row in self._read(statement, *parameters)), None)

    def _read(self, statement: Mapping[str, str], *parameters: object) -> Sequence[Any]:
        return rows_from_driver(self._connection, statement, parameters)


def _entry_of(
    subject: SubjectId,
    seq: int,
    leaf: bytes,
    leaf_hash: bytes,
    idempotency_key: str | None,
    salt: bytes | None,
    content: bytes | None,
) -> Entry:
    said = None if salt is None or content is None else Payload(salt=salt, content=content)
    return Entry(
        leaf=leaf_of(leaf, subject=subject, seq=seq),
        leaf_bytes=leaf,
        leaf_hash=leaf_hash,
        payload=said,
        idempotency_key=idempotency_key,
    )
