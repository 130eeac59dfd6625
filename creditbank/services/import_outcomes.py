"""Post a school's whole file: every row is checked first, then all of them are written in one transaction.

Reading the file is left to `documents`; here its rows are values. One row that cannot be posted refuses
the file, so that a school never has to find out which half of it went in.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from creditbank.account.body import Recorded, body_content, entry_kind, outcome_id
from creditbank.account.holdings import holdings_of
from creditbank.account.records import Batch, OutcomeKey
from creditbank.identity.account_number import AccountNumber
from creditbank.services.accounts import post_opening
from creditbank.services.bank import Bank, Posting, Principal
from creditbank.services.books import Books
from creditbank.services.cascade import may_void, suspend_void
from creditbank.services.import_plan import ImportRow, PlannedRow, RowRefused, planned_rows
from creditbank.services.institutions import institution_of
from creditbank.services.outcomes import must_be_issuer
from creditbank.services.rule_library import RuleLibrary
from creditbank.terms import IssuerId, Microseconds, Progress

T = TypeVar("T")

WRITTEN_AT_ONCE = 512
"""How many rows of a file are sent to the database together; all of them are in one transaction.

Until it has them all SQLite keeps in memory the pages that they change: in a large bank some 17 KB a row.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLine:
    """What became of one row; `seq` is None where this very outcome stood already and nothing was added."""

    row: int
    account: AccountNumber
    opened: bool
    seq: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedBatch:
    """What a posted file did to the bank."""

    number: str
    issuer: IssuerId
    file_digest: bytes
    posted_at: Microseconds
    lines: tuple[BatchLine, ...]

    @property
    def accounts_opened(self) -> int:
        """How many learners got their account by this file."""
        return len({line.account for line in self.lines if line.opened})

    @property
    def outcomes_recorded(self) -> int:
        """How many rows added an outcome; the others stood already."""
        return sum(line.seq is not None for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """The file is posted, and this is its receipt."""

    batch: PostedBatch
    receipt: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class WouldPost:
    """What posting would do; nothing was written."""

    rows: int
    accounts_opened: int
    outcomes_recorded: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRefused:
    """Nothing was posted, because of these rows."""

    rows: tuple[RowRefused, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedBefore:
    """The very same file was posted before; `batch` holds the receipt that it got."""

    batch: Batch


def import_outcomes(
    bank: Bank,
    principal: Principal,
    rows: Sequence[ImportRow],
    *,
    file_digest: bytes,
    write_receipt: Callable[[PostedBatch], bytes],
    on_progress: Progress = lambda _: None,
    rules: RuleLibrary | None = None,
) -> Posted | FileRefused | PostedBefore:
    """Post every row, or none; accounts are opened for learners who have none yet.

    `on_progress` counts each row as it is written. With `rules` waivers that a row makes void are suspended.

    Raises:
        InstitutionUnknown: the principal's institution is not registered.
        NotAuthorised: a row's outcome names another issuer.
    """

    def post(books: Books) -> Posted | FileRefused | PostedBefore:
        plan = _plan(bank, books, principal, rows, file_digest, claim=True)
        if not isinstance(plan, tuple):
            return plan
        batch = _post(bank, books, principal, plan, file_digest, on_progress, rules)
        receipt = write_receipt(batch)
        books.batches.add(
            Batch(
                number=batch.number,
                issuer=batch.issuer,
                file_digest=file_digest,
                posted_at=batch.posted_at,
                receipt=receipt,
            )
        )
        return Posted(batch=batch, receipt=receipt)

    return bank.written(post)


def preview_import(
    bank: Bank,
    principal: Principal,
    rows: Sequence[ImportRow],
    *,
    file_digest: bytes,
    on_progress: Progress = lambda _: None,
) -> WouldPost | FileRefused | PostedBefore:
    """Say what `import_outcomes` would do, and write nothing; `on_progress` counts each row looked at."""
    with bank.store.reading() as books:
        plan = _plan(bank, books, principal, rows, file_digest, on_progress=on_progress)
    if not isinstance(plan, tuple):
        return plan
    return WouldPost(
        rows=len(plan),
        accounts_opened=len({row.account for row in plan if row.opens}),
        outcomes_recorded=sum(not row.recorded for row in plan),
    )


def refused_rows(
    bank: Bank, principal: Principal, rows: Sequence[ImportRow], *, on_progress: Progress = lambda _: None
) -> tuple[RowRefused, ...]:
    """Return which rows the bank would refuse, of a file that is not posted for what else is wrong with it.

    `on_progress` counts each row as it is looked at.

    Raises:
        InstitutionUnknown: the principal's institution is not registered.
    """
    with bank.store.reading() as books:
        institution_of(books, principal.issuer)
        _, refused = planned_rows(bank, books, rows, on_progress=on_progress)
    return refused


def _plan(
    bank: Bank,
    books: Books,
    principal: Principal,
    rows: Sequence[ImportRow],
    file_digest: bytes,
    *,
    claim: bool = False,
    on_progress: Progress = lambda _: None,
) -> tuple[PlannedRow, ...] | FileRefused | PostedBefore:
    institution_of(books, principal.issuer)
    for row in rows:
        must_be_issuer(principal, row.outcome)
    before = books.batches.find(issuer=principal.issuer, file_digest=file_digest)
    if before is not None:
        return PostedBefore(batch=before)
    planned, refused = planned_rows(bank, books, rows, claim=claim, on_progress=on_progress)
    return FileRefused(rows=refused) if refused else planned


def _post(
    bank: Bank,
    books: Books,
    principal: Principal,
    plan: Sequence[PlannedRow],
    file_digest: bytes,
    on_progress: Progress,
    rules: RuleLibrary | None,
) -> PostedBatch:
    at = bank.now()
    number = f"{bank.today():%Y%m%d}-{bank.random(4).hex().upper()}"
    heads = books.ledger.heads_of({row.subject for row in plan})
    posting = Posting(bank, books, heads=heads, at=at)
    opened = {row.account: row.row.person for row in plan if row.opens}
    for accounts in _parts([*opened]):
        books.accounts.add(
            [bank.vault.seal(account.subject, opened[account], opened_at=at) for account in accounts]
        )
        for account in accounts:
            post_opening(posting, account, principal)
        posting.post_part()
    lines: list[BatchLine] = []
    for part in _parts(plan):
        for row in part:
            seq = None if row.recorded else _post_row(posting, principal, row, number)
            lines.append(BatchLine(row=row.row.row, account=row.account, opened=row.opens, seq=seq))
            on_progress(1)
        posting.post_part()
    for row, line in zip(plan, lines, strict=True):
        if rules is not None and line.seq is not None and may_void(row.row.outcome, rules):
            held = holdings_of(books.ledger.entries_of(row.subject))
            suspend_void(bank, posting, row.account, held, outcome_id(line.seq), rules)
            posting.post_part()
    books.outcomes.add(
        [
            OutcomeKey(key=row.key, subject=row.subject, seq=line.seq)
            for row, line in zip(plan, lines, strict=True)
            if line.seq is not None
        ]
    )
    return PostedBatch(
        number=number,
        issuer=principal.issuer,
        file_digest=file_digest,
        posted_at=at,
        lines=tuple(lines),
    )


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield the items so many at a time: what is written already need not stay in memory."""
    return (items[first : first + WRITTEN_AT_ONCE] for first in range(0, len(items), WRITTEN_AT_ONCE))


def _post_row(posting: Posting, principal: Principal, row: PlannedRow, batch: str) -> int:
    body = Recorded(outcome=row.row.outcome, batch=batch)
    entry = posting.add(
        row.subject, kind=entry_kind(body), issuer=principal.issuer, content=body_content(body)
    )
    return entry.leaf.seq
