"""Check a school's rows against the books: whose account each goes to, and whether it is recorded already."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from creditbank.identity.account_number import AccountNumber, account_of
from creditbank.identity.person import Person
from creditbank.outcomes import Outcome
from creditbank.services.accounts import new_number, redaction_of
from creditbank.services.bank import Bank
from creditbank.services.books import Books
from creditbank.services.outcome_keys import key_of, standing
from creditbank.terms import Progress, SubjectId, instant


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRow:
    """One row as read: whose outcome it is, by citizen number or by account number, and the outcome."""

    row: int
    person: Person
    outcome: Outcome
    account: AccountNumber | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRefused:
    """Why the bank will not post a row that reads well."""

    row: int
    reason: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRow:
    """A row that can be posted: into which account, under which key, and whether it stands there already."""

    row: ImportRow
    account: AccountNumber
    opens: bool
    key: bytes
    recorded: bool = False

    @property
    def subject(self) -> SubjectId:
        """The chain that the row extends."""
        return self.account.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class _Owner:
    account: AccountNumber
    person: Person
    opens: bool


def planned_rows(
    bank: Bank,
    books: Books,
    rows: Sequence[ImportRow],
    *,
    claim: bool = False,
    on_progress: Progress = lambda _: None,
) -> tuple[tuple[PlannedRow, ...], tuple[RowRefused, ...]]:
    """Return the rows that can be posted, and why the others cannot.

    A learner without an account gets one, the same for all rows that name the same citizen number. Where the
    rows are to be posted, `claim` what they record, so that nobody else records it meanwhile. `on_progress`
    counts each row as it is looked at.
    """
    refused: list[RowRefused] = []
    planned: list[PlannedRow] = []
    owners = _owners(bank, books, rows)
    today = bank.today()
    for row in rows:
        on_progress(1)
        owner = owners.get(row.account or row.person.citizen_number)
        if owner is None:
            refused.append(_without_account(books, row))
        elif row.outcome.awarded_on > today:
            refused.append(_refusal(row, "awarded-in-future", awarded_on=row.outcome.awarded_on))
        elif not owner.person.names.matches(row.person.names.shown):
            refused.append(_refusal(row, "name-differs"))
        else:
            key = key_of(bank, owner.account.subject, row.outcome)
            planned.append(PlannedRow(row=row, account=owner.account, opens=owner.opens, key=key))
    if claim:
        books.outcomes.claim([row.key for row in planned])
    marked = tuple(_recorded_marked(books, planned, refused))
    return marked, tuple(sorted(refused, key=lambda one: one.row))


def _owners(bank: Bank, books: Books, rows: Sequence[ImportRow]) -> Mapping[object, _Owner]:
    owners: dict[object, _Owner] = {}
    for account in {row.account for row in rows if row.account is not None}:
        record = books.accounts.find(account.subject)
        if record is not None:
            owners[account] = _Owner(account=account, person=bank.vault.unseal(record), opens=False)
    by_index = {
        bank.vault.citizen_index(row.person.citizen_number): row.person
        for row in rows
        if row.account is None and row.person.citizen_number is not None
    }
    known = books.accounts.find_by_citizen(by_index.keys())
    for index, person in by_index.items():
        record = known.get(index)
        if record is None:
            owner = _Owner(account=new_number(bank), person=person, opens=True)
        else:
            held = bank.vault.unseal(record)
            owner = _Owner(account=account_of(record.subject), person=held, opens=False)
        owners[person.citizen_number] = owner
    return owners


def _recorded_marked(
    books: Books, planned: Sequence[PlannedRow], refused: list[RowRefused]
) -> Iterable[PlannedRow]:
    stands = {key: (subject, held) for key, subject, held in standing(books, [row.key for row in planned])}
    first_rows: dict[bytes, int] = {}
    for planned_row in planned:
        row = planned_row.row
        first = first_rows.setdefault(planned_row.key, row.row)
        if planned_row.key in stands:
            subject, held = stands[planned_row.key]
            if subject != planned_row.subject:
                refused.append(_refusal(row, "recorded-elsewhere"))
            elif held.outcome != row.outcome:
                refused.append(_refusal(row, "recorded-differently", outcome=held.id))
            else:
                yield replace(planned_row, recorded=True)
        elif first != row.row:
            refused.append(_refusal(row, "row-repeated", first=first))
        else:
            yield planned_row


def _without_account(books: Books, row: ImportRow) -> RowRefused:
    ended_by = None if row.account is None else redaction_of(books, row.account)
    if ended_by is None:
        return _refusal(row, "account-unknown", number=str(row.account))
    redacted_at = instant(ended_by.leaf.at)
    return _refusal(row, "account-redacted", number=str(row.account), redacted_at=redacted_at)


def _refusal(row: ImportRow, reason: str, **values: object) -> RowRefused:
    return RowRefused(row=row.row, reason=reason, values=values)
