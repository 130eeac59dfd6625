"""Many accounts, read one transaction for some hundreds: a class, or everybody."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from creditbank.account.holdings import AccountHoldings, holdings_of
from creditbank.identity.account_number import AccountNumber, account_of
from creditbank.services.accounts import AccountRedacted, find_account
from creditbank.services.bank import Bank
from creditbank.services.books import Books

_READ_AT_ONCE = 500
_ACCOUNTS = "account:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One account of a cohort; of one that was redacted there is nothing to read."""

    number: AccountNumber
    account: AccountHoldings | None
    category: str | None


def everybody(bank: Bank) -> tuple[AccountNumber, ...]:
    """Return every account in order, those that are redacted among them."""
    with bank.store.reading() as books:
        return tuple(account_of(subject) for subject in books.ledger.subjects(_ACCOUNTS))


def members(bank: Bank, cohort: Iterable[AccountNumber]) -> Iterator[Member]:
    """Yield the accounts of a cohort in its order.

    Raises:
        AccountUnknown: no account has one of the numbers.
    """
    numbers = iter(cohort)
    while some := list(islice(numbers, _READ_AT_ONCE)):
        with bank.store.reading() as books:
            read = [_read(bank, books, number) for number in some]
        yield from read


def _read(bank: Bank, books: Books, number: AccountNumber) -> Member:
    try:
        _, person = find_account(bank, books, number)
    except AccountRedacted:
        return Member(number=number, account=None, category=None)
    account = holdings_of(books.ledger.entries_of(number.subject))
    return Member(number=number, account=account, category=person.category)
