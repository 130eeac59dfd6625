"""What a redaction reaches on SQLite and PostgreSQL, and the officers who decide one.

Every statement that destroys is refused by the triggers of migration 0005 unless the entry that says so
stands in the chain. What is left in free pages and in the write-ahead log is for `sql_cleaning.py`.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select, text

from creditbank.account.records import Batch, Officer, Redaction, line_about
from creditbank.account.redaction import Destroyed
from creditbank.identity.account_number import account_of
from creditbank.ledger.entry import REDACTION
from creditbank.storage.sql_records import batch_of
from creditbank.storage.sql_rows import GIVEN, chunks, given, table_of
from creditbank.storage.tables import BatchRow, OfficerRow, UncleanedRow
from creditbank.terms import Microseconds, OfficerId, SubjectId

_batch = table_of(BatchRow)
_officer = table_of(OfficerRow)
_uncleaned = table_of(UncleanedRow)

# Canonical JSON has no other way to write this member, and cannot have it inside a string.
_KIND = f'"kind":"{REDACTION}"'.encode()
_CONTAINS = {"sqlite": "instr({}, :bytes) > 0", "postgresql": "position(CAST(:bytes AS bytea) IN {}) > 0"}

_reach = text(
    """
    SELECT
        (SELECT count(*) FROM payload WHERE subject = :subject AND seq < :seq) AS payloads,
        (SELECT count(idempotency_key) FROM entry WHERE subject = :subject AND seq < :seq)
            AS idempotency_keys,
        (SELECT count(*) FROM outcome_key WHERE subject = :subject AND seq < :seq) AS outcome_keys,
        (SELECT count(*) FROM account WHERE subject = :subject) AS identities,
        (SELECT count(*) FROM kept_answer WHERE subject = :subject) AS answers
    """
)
# Of payloads first: a statement that names them makes the transaction send the entry that allows it all.
_destroy = (
    text("DELETE FROM payload WHERE subject = :subject AND seq < :seq"),
    text(
        "UPDATE entry SET idempotency_key = NULL"
        " WHERE subject = :subject AND seq < :seq AND idempotency_key IS NOT NULL"
    ),
    text("DELETE FROM outcome_key WHERE subject = :subject AND seq < :seq"),
    text("DELETE FROM account WHERE subject = :subject"),
)
_LEFT = """
    SELECT subject, min(seq) AS seq FROM payload WHERE subject IN ({subjects}) GROUP BY subject
    UNION ALL
    SELECT subject, min(seq) FROM entry WHERE subject IN ({subjects}) AND idempotency_key IS NOT NULL
    GROUP BY subject
    UNION ALL
    SELECT subject, min(seq) FROM outcome_key WHERE subject IN ({subjects}) GROUP BY subject
    UNION ALL
    SELECT subject, -1 FROM account WHERE subject IN ({subjects})
    UNION ALL
    SELECT subject, -1 FROM kept_answer WHERE subject IN ({subjects})
"""
_left = {
    dialect: text(_LEFT.format(subjects=f"SELECT value FROM {texts}"))  # noqa: S608 - ours
    for dialect, texts in GIVEN.items()
}
_retire = text("UPDATE officer SET retired_at = :at WHERE id = :id AND retired_at IS NULL")
_keep_uncleaned = text(
    "INSERT INTO uncleaned (subject, seq) VALUES (:subject, :seq)"
    " ON CONFLICT (subject) DO UPDATE SET seq = excluded.seq"
)
_forget_uncleaned = text("DELETE FROM uncleaned WHERE subject = :subject AND seq = :seq")


class SqlRedactions:
    """What is kept of an account beside its leaves: `services.books.RedactionStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def reach(self, redaction: Redaction) -> Destroyed:
        place = {"subject": redaction.subject, "seq": redaction.seq}
        counts = self._connection.execute(_reach, place).mappings().one()
        receipts = sum(1 for _ in self.receipts_naming(redaction.subject))
        return Destroyed(**counts, receipts=receipts)

    def destroy(self, redaction: Redaction) -> None:
        for statement in _destroy:
            self._connection.execute(statement, {"subject": redaction.subject, "seq": redaction.seq})

    def receipts_naming(self, subject: SubjectId) -> Iterator[Batch]:
        named = text(_CONTAINS[self._connection.dialect.name].format("receipt"))
        query = select(_batch).where(named).order_by(_batch.c.number)
        for row in self._connection.execute(query, {"bytes": line_about(account_of(subject))}):
            yield batch_of(row)

    def replace_receipt(self, number: str, receipt: bytes | None) -> None:
        named = _batch.c.number == number
        change = _batch.delete() if receipt is None else _batch.update().values(receipt=receipt)
        self._connection.execute(change.where(named))

    def in_log(self) -> Iterator[Redaction]:
        is_one = _CONTAINS[self._connection.dialect.name].format("leaf")
        query = text(f"SELECT subject, max(seq) AS seq FROM entry WHERE {is_one} GROUP BY subject ORDER BY 1")  # noqa: S608 - ours
        for row in self._connection.execute(query, {"bytes": _KIND}):
            yield Redaction(subject=SubjectId(row.subject), seq=row.seq)

    def unapplied(self, redactions: Collection[Redaction]) -> Sequence[Redaction]:
        ends = {redaction.subject: redaction.seq for redaction in redactions}
        left: set[SubjectId] = set()
        for subjects in chunks(ends):
            rows = self._connection.execute(
                _left[self._connection.dialect.name], given(self._connection, subjects)
            )
            left.update(SubjectId(row.subject) for row in rows if row.seq < ends[SubjectId(row.subject)])
        if ends:
            for row in self._connection.execute(select(_batch)):
                left.update({account.subject for account in batch_of(row).accounts} & ends.keys())
        return [redaction for redaction in redactions if redaction.subject in left]

    def uncleaned(self) -> Sequence[Redaction]:
        rows = self._connection.execute(select(_uncleaned).order_by(_uncleaned.c.subject))
        return [Redaction(subject=SubjectId(row.subject), seq=row.seq) for row in rows]

    def mark_uncleaned(self, redaction: Redaction) -> None:
        place = {"subject": redaction.subject, "seq": redaction.seq}
        self._connection.execute(_keep_uncleaned, place)

    def mark_cleaned(self, redactions: Iterable[Redaction]) -> None:
        places = [{"subject": one.subject, "seq": one.seq} for one in redactions]
        if places:
            self._connection.execute(_forget_uncleaned, places)


class SqlOfficers:
    """Who acts for the bank: `services.books.OfficerStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> Sequence[Officer]:
        ordered = select(_officer).order_by(_officer.c.added_at, _officer.c.id)
        return [_officer_of(row) for row in self._connection.execute(ordered)]

    def add(self, officer: Officer) -> None:
        row = {
            "id": officer.id,
            "name": officer.name,
            "digest": officer.digest,
            "added_at": officer.added_at,
            "retired_at": officer.retired_at,
        }
        self._connection.execute(insert(_officer), row)

    def retire(self, officer: OfficerId, *, at: Microseconds) -> None:
        self._connection.execute(_retire, {"id": officer, "at": at})


def _officer_of(row: Row[Any]) -> Officer:
    return Officer(
        id=OfficerId(row.id),
        name=row.name,
        digest=row.digest,
        added_at=Microseconds(row.added_at),
        retired_at=None if row.retired_at is None else Microseconds(row.retired_at),
    )
