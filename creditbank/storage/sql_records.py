"""What is kept beside the ledger on SQLite and PostgreSQL: accounts, keys, receipts, answers, token, bank."""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from itertools import starmap
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, func, select, text
from sqlalchemy.exc import IntegrityError

from creditbank.account.records import AccountRecord, BankRecord, Batch, KeptAnswer, OutcomeKey
from creditbank.errors import Conflict, Raced
from creditbank.storage.sql_rows import (
    REFUSALS,
    chunks,
    for_driver,
    insert_rows,
    rows_from_driver,
    table_of,
)
from creditbank.storage.sql_sharing import leaving_nothing
from creditbank.storage.tables import (
    AccountRow,
    BankRow,
    BatchRow,
    EncryptionKeyRow,
    KeptAnswerRow,
    OperatorTokenRow,
    OutcomeKeyRow,
)
from creditbank.storage.vault import EncryptionKeyUnusable
from creditbank.terms import IssuerId, Microseconds, SubjectId

_LOCK_BYTES = 8

_account = table_of(AccountRow)
_encryption_key = table_of(EncryptionKeyRow)
_batch = table_of(BatchRow)
_outcome_key = table_of(OutcomeKeyRow)
_kept_answer = table_of(KeptAnswerRow)
_token = table_of(OperatorTokenRow)
_bank = table_of(BankRow)

_claim = text("INSERT INTO outcome_claim (key) SELECT unnest(CAST(:keys AS bytea[]))")
_release = text("DELETE FROM outcome_claim WHERE key = ANY(CAST(:keys AS bytea[]))")
_ACCOUNTS = (
    "SELECT subject, opened_at, citizen_index, wrapped_key, identity, wrapped_by FROM account WHERE {0}"
)
_one_account = for_driver(_ACCOUNTS.format("subject = %s"))
_not_wrapped_by = for_driver(_ACCOUNTS.format("wrapped_by <> %s AND subject > %s ORDER BY subject LIMIT %s"))
_one_answer = for_driver("SELECT key, request, subject, answer, kept_at FROM kept_answer WHERE key = %s")
_try_lock = for_driver("SELECT pg_try_advisory_xact_lock(CAST(%s AS bigint))")
_keep_answer = for_driver(
    "INSERT INTO kept_answer (key, request, subject, answer, kept_at) VALUES (%s, %s, %s, %s, %s)"
    " ON CONFLICT (key) DO NOTHING RETURNING 1"
)
# What somebody erased since it was read stays erased: its wrapped key is no longer the old one.
_rewrap = text(
    "UPDATE account SET wrapped_key = :new_key, wrapped_by = :by"
    " WHERE subject = :subject AND wrapped_key = :old_key"
)
_admit_key = text("INSERT INTO encryption_key (id) VALUES (:id) ON CONFLICT DO NOTHING")
_dismiss_key = text("DELETE FROM encryption_key WHERE id = :id")
_keep_digest = text(
    "INSERT INTO operator_token (id, digest) VALUES (1, :digest)"
    " ON CONFLICT (id) DO UPDATE SET digest = excluded.digest"
)


class SqlAccounts:
    """Who the accounts belong to, sealed: `services.books.AccountStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, records: Sequence[AccountRecord]) -> None:
        rows = [
            {
                "subject": record.subject,
                "opened_at": record.opened_at,
                "citizen_index": record.citizen_index,
                "wrapped_key": record.wrapped_key,
                "identity": record.identity,
                "wrapped_by": record.wrapped_by,
            }
            for record in records
        ]
        try:
            _insert(self._connection, _account, rows, taken="account-taken")
        except Raced:
            self._require_admitted(records)
            raise

    def find(self, subject: SubjectId) -> AccountRecord | None:
        rows = rows_from_driver(self._connection, _one_account, (subject,))
        return next(starmap(_account_of, rows), None)

    def find_by_citizen(self, indexes: Collection[bytes]) -> Mapping[bytes, AccountRecord]:
        found = [
            _account_of(*row)
            for chunk in chunks(indexes)
            for row in rows_from_driver(self._connection, _accounts_of_citizens(len(chunk)), chunk)
        ]
        return {record.citizen_index: record for record in found if record.citizen_index is not None}

    def admitted_keys(self) -> AbstractSet[str]:
        return set(self._connection.execute(select(_encryption_key.c.id)).scalars())

    def wrapped_by(self) -> Mapping[str, int]:
        query = select(_account.c.wrapped_by, func.count()).group_by(_account.c.wrapped_by)
        counts = {row[0]: row[1] for row in self._connection.execute(query)}
        return {key_id: counts.get(key_id, 0) for key_id in self.admitted_keys()}

    def not_wrapped_by(self, key_id: str, *, after: SubjectId | None, limit: int) -> Sequence[AccountRecord]:
        # No subject comes before the empty one.
        rows = rows_from_driver(self._connection, _not_wrapped_by, (key_id, after or "", limit))
        return list(starmap(_account_of, rows))

    def rewrap(self, changes: Sequence[tuple[AccountRecord, AccountRecord]]) -> None:
        rows = [
            {
                "subject": old.subject,
                "old_key": old.wrapped_key,
                "new_key": new.wrapped_key,
                "by": new.wrapped_by,
            }
            for old, new in changes
        ]
        if not rows:
            return
        try:
            with self._connection.begin_nested():
                self._connection.execute(_rewrap, rows)
        except IntegrityError:
            self._require_admitted([new for _, new in changes])
            raise

    def admit_key(self, key_id: str) -> None:
        self._connection.execute(_admit_key, {"id": key_id})

    def dismiss_key(self, key_id: str) -> None:
        accounts = self.wrapped_by().get(key_id, 0)
        if accounts:
            raise Conflict("encryption-key-wraps", key=key_id, accounts=accounts)
        try:
            with self._connection.begin_nested():
                self._connection.execute(_dismiss_key, {"id": key_id})
        except IntegrityError as error:  # an account came in between
            raise Conflict("encryption-key-wraps", key=key_id, accounts=1) from error

    def _require_admitted(self, records: Sequence[AccountRecord]) -> None:
        for key_id in {record.wrapped_by for record in records} - self.admitted_keys():
            raise EncryptionKeyUnusable("encryption-key-dismissed", key=key_id)


class SqlOutcomes:
    """Blind keys of what names an outcome: `services.books.OutcomeIndex`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, keys: Sequence[OutcomeKey]) -> None:
        rows = [(each.key, each.subject, each.seq) for each in keys]
        if rows:
            insert_rows(self._connection, _outcome_key, rows, unless_there=True)

    def claim(self, keys: Collection[bytes]) -> None:
        if self._connection.dialect.name == "sqlite":
            return  # whoever writes is alone
        # The index of the table makes the second who inserts a key wait until the first has ended. Every row
        # is gone again before its transaction ends; sorted, so that two do not wait for each other.
        claimed = {"keys": sorted(set(keys))}
        with leaving_nothing(self._connection):
            self._connection.execute(_claim, claimed)
            self._connection.execute(_release, claimed)

    def find(self, keys: Collection[bytes]) -> Mapping[bytes, tuple[OutcomeKey, ...]]:
        found: dict[bytes, list[OutcomeKey]] = {}
        for chunk in chunks(set(keys)):
            for key, subject, seq in rows_from_driver(self._connection, _outcomes_of(len(chunk)), chunk):
                found.setdefault(key, []).append(OutcomeKey(key=key, subject=SubjectId(subject), seq=seq))
        return {key: tuple(outcomes) for key, outcomes in found.items()}


class SqlBatches:
    """Receipts of posted files: `services.books.BatchStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, *, issuer: IssuerId, file_digest: bytes) -> Batch | None:
        query = select(_batch).where(_batch.c.issuer == issuer, _batch.c.file_digest == file_digest)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else batch_of(row)

    def add(self, batch: Batch) -> None:
        row = {
            "number": batch.number,
            "issuer": batch.issuer,
            "file_digest": batch.file_digest,
            "posted_at": batch.posted_at,
            "receipt": batch.receipt,
        }
        _insert(self._connection, _batch, [row], taken="file-already-posted")


class SqlAnswers:
    """What requests under idempotency keys were answered: `services.books.AnswerStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def claim(self, key: bytes) -> bool:
        if self._connection.dialect.name == "sqlite":
            return True  # whoever writes is alone
        # A key is a keyed digest: its first bytes are as good a number as any, and nobody can aim at one.
        lock = int.from_bytes(key[:_LOCK_BYTES], "big", signed=True)
        ((is_ours,),) = rows_from_driver(self._connection, _try_lock, (lock,))
        return bool(is_ours)

    def find(self, key: bytes) -> KeptAnswer | None:
        rows = rows_from_driver(self._connection, _one_answer, (key,))
        return next(starmap(_answer_of, rows), None)

    def add(self, answer: KeptAnswer) -> None:
        row = (answer.key, answer.request, answer.subject, answer.answer, answer.kept_at)
        if not rows_from_driver(self._connection, _keep_answer, row):
            raise Raced("answer-taken")

    def forget(self, subject: SubjectId) -> int:
        about = delete(_kept_answer).where(_kept_answer.c.subject == subject)
        return self._connection.execute(about).rowcount


class SqlTokens:
    """The digest of the operator's token: `services.books.TokenStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def digest(self) -> bytes | None:
        return self._connection.execute(select(_token.c.digest)).scalar_one_or_none()

    def set_digest(self, digest: bytes) -> None:
        self._connection.execute(_keep_digest, {"digest": digest})


class SqlBank:
    """The one line that says whose database this is: `services.books.BankStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read(self) -> BankRecord | None:
        row = self._connection.execute(select(_bank)).one_or_none()
        if row is None:
            return None
        return BankRecord(
            origin=row.origin,
            key_check=row.key_check,
            operator=IssuerId(row.operator),
            created_at=Microseconds(row.created_at),
        )

    def write(self, record: BankRecord) -> None:
        row = {
            "id": 1,
            "origin": record.origin,
            "key_check": record.key_check,
            "operator": record.operator,
            "created_at": record.created_at,
        }
        _insert(self._connection, _bank, [row], taken="bank-already-made")


def batch_of(row: Row[Any]) -> Batch:
    """Return a whole row of `batch` as a record."""
    return Batch(
        number=row.number,
        issuer=IssuerId(row.issuer),
        file_digest=row.file_digest,
        posted_at=Microseconds(row.posted_at),
        receipt=row.receipt,
    )


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]], *, taken: str) -> None:
    if not rows:
        return
    try:
        # A refused row leaves the transaction as it was.
        with connection.begin_nested():
            insert_rows(connection, table, (tuple(row[each.name] for each in table.c) for row in rows))
    except REFUSALS as error:
        raise Raced(taken) from error


@cache
def _accounts_of_citizens(count: int) -> Mapping[str, str]:
    return for_driver(_ACCOUNTS.format(f"citizen_index IN ({_marks(count)})"))


@cache
def _outcomes_of(count: int) -> Mapping[str, str]:
    keys = _marks(count)
    return for_driver(
        f"SELECT key, subject, seq FROM outcome_key WHERE key IN ({keys}) ORDER BY subject, seq"  # noqa: S608 - marks
    )


def _marks(count: int) -> str:
    return ", ".join(["%s"] * count)


def _account_of(
    subject: str,
    opened_at: int,
    citizen_index: bytes | None,
    wrapped_key: bytes,
    identity: bytes,
    wrapped_by: str,
) -> AccountRecord:
    return AccountRecord(
        subject=SubjectId(subject),
        opened_at=Microseconds(opened_at),
        citizen_index=citizen_index,
        wrapped_key=wrapped_key,
        identity=identity,
        wrapped_by=wrapped_by,
    )


def _answer_of(key: bytes, request: bytes, subject: str | None, answer: bytes, kept_at: int) -> KeptAnswer:
    return KeptAnswer(
        key=key,
        request=request,
        subject=None if subject is None else SubjectId(subject),
        answer=answer,
        kept_at=Microseconds(kept_at),
    )
