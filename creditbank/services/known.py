"""What a decision goes by: everything that stood in the ledger at some moment, and nothing that came later.

The moment is an instant or, exactly, a size of the log. An instant leaves a crack: an entry that another
server is just writing may bear an earlier time than one that was read already. A size does not.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile

from creditbank.account.holdings import AccountHoldings, holdings_of
from creditbank.conversion.published import Published
from creditbank.errors import InvalidInput
from creditbank.identity.account_number import AccountNumber
from creditbank.ledger.entry import Entry
from creditbank.services.bank import Bank
from creditbank.services.books import Books
from creditbank.services.rule_packs import published_by, subject_of_authority
from creditbank.terms import Microseconds, SubjectId


class LogSizeInvalid(InvalidInput):
    """The log never had this size, or nothing was known at it."""

    code = "log-size-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSize:
    """The log when it held so many entries."""

    entries: int


KnownAt = Microseconds | LogSize
"""By what was recorded up to an instant, or in a log of a size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An account and the publications of some authorities, as they stood; `at` is the instant of it."""

    at: Microseconds
    account: AccountHoldings
    published: Published


def known_in(
    bank: Bank,
    books: Books,
    number: AccountNumber,
    authorities: Iterable[str],
    *,
    known_at: KnownAt | None = None,
) -> Known:
    """Return what stood in the ledger at `known_at`, by default everything until now.

    The instant of a log size is that of its last entry, or of the newest that counts here, if that is later.

    Raises:
        LogSizeInvalid: the log never had this size, or held nothing.
    """
    if isinstance(known_at, LogSize):
        stood = _within(books, known_at.entries)
    elif known_at is None:
        stood = _all
    else:
        stood = _until(known_at)
    account = list(stood(books.ledger.entries_of(number.subject)))
    subjects = [subject_of_authority(authority) for authority in sorted(set(authorities))]
    lines = [entry for subject in subjects for entry in stood(books.ledger.entries_of(subject))]
    if isinstance(known_at, LogSize):
        last = books.ledger.entry_at(known_at.entries - 1)
        at = _latest([*account, *lines, *([] if last is None else [last])])
    else:
        at = max(bank.now(), _latest([*account, *lines])) if known_at is None else known_at
    return Known(at=at, account=holdings_of(account), published=published_by(lines))


def published_in(bank: Bank, books: Books, authorities: Iterable[str]) -> tuple[Published, Microseconds]:
    """Return what some authorities have published until now, and the instant of it."""
    subjects = [subject_of_authority(authority) for authority in sorted(set(authorities))]
    lines = [entry for subject in subjects for entry in books.ledger.entries_of(subject)]
    return published_by(lines), Microseconds(max(bank.now(), _latest(lines)))


def _all(entries: Iterator[Entry]) -> Iterator[Entry]:
    return entries


def _until(instant: Microseconds) -> Callable[[Iterator[Entry]], Iterator[Entry]]:
    # Within a chain time never goes back: what comes after the first later entry is later too.
    return lambda entries: takewhile(lambda entry: entry.leaf.at <= instant, entries)


def _within(books: Books, size: int) -> Callable[[Iterator[Entry]], Iterator[Entry]]:
    now = books.ledger.size()
    if size == 0:
        raise LogSizeInvalid("log-size-zero", field="at_size", now=now)
    if not 0 < size <= now:
        raise LogSizeInvalid("log-size-unknown", field="at_size", size=size, now=now)

    def stood(entry: Entry) -> bool:
        subject: SubjectId = entry.leaf.subject
        index = books.ledger.log_index_of(subject, entry.leaf.seq)
        return index is not None and index < size

    # Entries of a chain take their places in the order of the chain.
    return lambda entries: takewhile(stood, entries)


def _latest(entries: Iterable[Entry]) -> Microseconds:
    return max((entry.leaf.at for entry in entries), default=Microseconds(0))
