"""The subjects' chains in the tables: where each ends, and new entries put after that.

On SQLite whoever writes is alone, so what was looked at stays true until the commit: nothing inserted here is
ever refused. On PostgreSQL others write beside us, and only the insert itself can tell who was first. One
entry goes in by one statement, which inserts all of it or nothing; some by another; very many by COPY.

Entries are never changed, so an end that was read once needs no second look: where the chain has grown since,
the primary key says so.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import psycopg
from sqlalchemy import Connection

from creditbank.errors import IntegrityBroken
from creditbank.ledger.append import HeadMoved, IdempotencyKeyTaken
from creditbank.ledger.chain import EMPTY, Head, head_after
from creditbank.ledger.entry import Entry, Leaf, LeafInvalid, parse_leaf
from creditbank.storage.sql_rows import for_driver, insert_rows, rows_from_driver, table_of
from creditbank.storage.sql_sharing import hold_back
from creditbank.storage.tables import EntryRow, PayloadRow, PendingRow
from creditbank.terms import SubjectId

_entry = table_of(EntryRow)
_payload = table_of(PayloadRow)
_pending = table_of(PendingRow)

_Key: TypeAlias = tuple[SubjectId, str]
_KEY_CONSTRAINT = "entry_idempotency_key"
_SOME = 256
"""Up to so many entries PostgreSQL is sent as one statement: each of three COPYs waits for it twice."""

_last_of_one = for_driver(
    "SELECT subject, seq, leaf_hash, leaf FROM entry WHERE subject = %s ORDER BY seq DESC LIMIT 1"
)
_last_of_many = {
    "sqlite": (
        "SELECT subject, seq, leaf_hash, leaf FROM json_each(?) AS given JOIN entry ON subject = given.value"
        " AND seq = (SELECT max(seq) FROM entry WHERE subject = given.value)"
    ),
    "postgresql": (
        "SELECT last.* FROM unnest(CAST(%s AS text[])) AS given(value)"
        " CROSS JOIN LATERAL (SELECT subject, seq, leaf_hash, leaf FROM entry"
        " WHERE subject = given.value ORDER BY seq DESC LIMIT 1) AS last"
    ),
}
_has_key = for_driver("SELECT 1 FROM entry WHERE subject = %s AND idempotency_key = %s")
_add_one = for_driver(
    """
    WITH kept AS (
        INSERT INTO entry (subject, seq, leaf, leaf_hash, idempotency_key) VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT DO NOTHING RETURNING subject, seq, leaf_hash
    ), said AS (
        INSERT INTO payload (subject, seq, salt, bytes)
        SELECT subject, seq, CAST(%s AS bytea), CAST(%s AS bytea) FROM kept
    ), waits AS (
        INSERT INTO pending (subject, seq, leaf_hash) SELECT subject, seq, leaf_hash FROM kept
    )
    SELECT 1 FROM kept
    """
)
_add_some = for_driver(
    """
    WITH given AS (
        SELECT * FROM unnest(
            CAST(%s AS text[]), CAST(%s AS bigint[]), CAST(%s AS bytea[]), CAST(%s AS bytea[]),
            CAST(%s AS text[]), CAST(%s AS bytea[]), CAST(%s AS bytea[])
        ) AS given (subject, seq, leaf, leaf_hash, idempotency_key, salt, bytes)
    ), kept AS (
        INSERT INTO entry (subject, seq, leaf, leaf_hash, idempotency_key)
        SELECT subject, seq, leaf, leaf_hash, idempotency_key FROM given
    ), said AS (
        INSERT INTO payload (subject, seq, salt, bytes) SELECT subject, seq, salt, bytes FROM given
    )
    INSERT INTO pending (subject, seq, leaf_hash) SELECT subject, seq, leaf_hash FROM given RETURNING 1
    """
)


class SqlChains:
    """The chains, as one transaction sees and extends them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._heads: dict[SubjectId, Head] = {}
        self._is_shared = False
        self._held_back: list[Entry] = []

    def heads_of(self, subjects: Collection[SubjectId]) -> Mapping[SubjectId, Head]:
        unread = [subject for subject in subjects if subject not in self._heads]
        self._heads |= dict.fromkeys(unread, EMPTY)
        for subject, seq, leaf_hash, leaf in self._last_rows(unread):
            at = leaf_of(leaf, subject=subject, seq=seq).at
            self._heads[subject] = Head(length=seq + 1, last_hash=leaf_hash, at=at)
        return {subject: self._heads[subject] for subject in subjects}

    def share(self, subjects: Collection[SubjectId]) -> None:
        """Read at once where these chains end, and send at once what several actions append to them."""
        self.heads_of(subjects)
        self._is_shared = True

    def append(self, entries: Sequence[Entry]) -> None:
        heads = self._heads_with(entries)
        if self._connection.dialect.name == "sqlite":
            self._require_new_keys(entries)
            self._insert(entries)
        elif self._is_shared:
            self._held_back += entries
            hold_back(self._connection, self._send)
        elif len(entries) == 1:
            self._insert_one(entries[0])
        elif entries:
            self._insert_many(entries)
        self._heads |= heads

    def _send(self) -> None:
        entries, self._held_back = self._held_back, []
        self._insert(entries)

    def _heads_with(self, entries: Sequence[Entry]) -> Mapping[SubjectId, Head]:
        """Return where the chains will end, if `entries` follow what is there, and each other."""
        heads = self.heads_of({entry.leaf.subject for entry in entries})
        last: dict[SubjectId, Entry] = {}
        for entry in entries:
            leaf = entry.leaf
            if before := last.get(leaf.subject):
                follows = (leaf.seq, leaf.prev) == (before.leaf.seq + 1, before.leaf_hash)
                assert follows, "new entries of one chain follow each other"
            elif (leaf.seq, leaf.prev) != (heads[leaf.subject].length, heads[leaf.subject].last_hash):
                raise self._moved(leaf)
            last[leaf.subject] = entry
        return {subject: head_after(entry) for subject, entry in last.items()}

    def _last_rows(self, subjects: list[SubjectId]) -> Iterable[Any]:
        match subjects:
            case []:
                return ()
            case [_]:
                return rows_from_driver(self._connection, _last_of_one, subjects)
        many = json.dumps(subjects) if self._connection.dialect.name == "sqlite" else subjects
        return rows_from_driver(self._connection, _last_of_many, [many])

    def _require_new_keys(self, entries: Iterable[Entry]) -> None:
        used: set[_Key] = set()
        for key in _keys_of(entries):
            if key in used or self._is_taken(key):
                raise IdempotencyKeyTaken
            used.add(key)

    def _is_taken(self, key: _Key) -> bool:
        return bool(rows_from_driver(self._connection, _has_key, key))

    def _insert_one(self, entry: Entry) -> None:
        if rows_from_driver(self._connection, _add_one, _whole_row(entry)):
            return
        if any(map(self._is_taken, _keys_of([entry]))):
            raise IdempotencyKeyTaken
        raise self._moved(entry.leaf)

    def _insert_many(self, entries: Sequence[Entry]) -> None:
        try:
            with self._connection.begin_nested():  # what was inserted before a refusal is taken back
                self._insert(entries)
        except psycopg.errors.UniqueViolation as error:
            if error.diag.constraint_name == _KEY_CONSTRAINT:
                raise IdempotencyKeyTaken from error
            self._heads.clear()
            self._heads_with(entries)  # says which chain has grown
            raise

    def _insert(self, entries: Sequence[Entry]) -> None:
        if entries and len(entries) <= _SOME and self._connection.dialect.name == "postgresql":
            columns = map(list, zip(*map(_whole_row, entries), strict=True))
            rows_from_driver(self._connection, _add_some, list(columns))
            return
        insert_rows(self._connection, _entry, map(_entry_row, entries))
        insert_rows(self._connection, _payload, map(_payload_row, entries))
        insert_rows(self._connection, _pending, map(_pending_row, entries))

    def _moved(self, leaf: Leaf) -> HeadMoved:
        del self._heads[leaf.subject]  # to be read again
        return HeadMoved(subject=leaf.subject, expected=leaf.seq)


def leaf_of(leaf: bytes, *, subject: SubjectId, seq: int) -> Leaf:
    """Read a leaf that the bank kept.

    Raises:
        IntegrityBroken: it is none.
    """
    try:
        return parse_leaf(leaf)
    except LeafInvalid as error:
        # Not the caller's input: the bytes were kept by us.
        raise IntegrityBroken("stored-leaf-invalid", subject=subject, seq=seq) from error


def _keys_of(entries: Iterable[Entry]) -> Iterable[_Key]:
    return ((each.leaf.subject, each.idempotency_key) for each in entries if each.idempotency_key is not None)


def _entry_row(entry: Entry) -> tuple[object, ...]:
    leaf = entry.leaf
    return leaf.subject, leaf.seq, entry.leaf_bytes, entry.leaf_hash, entry.idempotency_key


def _payload_row(entry: Entry) -> tuple[object, ...]:
    assert entry.payload is not None, "a new entry says something"
    return entry.leaf.subject, entry.leaf.seq, entry.payload.salt, entry.payload.content


def _whole_row(entry: Entry) -> tuple[object, ...]:
    return (*_entry_row(entry), *_payload_row(entry)[2:])


def _pending_row(entry: Entry) -> tuple[object, ...]:
    return entry.leaf.subject, entry.leaf.seq, entry.leaf_hash
