"""Wrap the data keys of all accounts with the newest encryption key: in small steps, stoppable anywhere."""

from dataclasses import dataclass

from creditbank.errors import IntegrityBroken
from creditbank.services.bank import Bank
from creditbank.terms import Progress, SubjectId

REWRAPPED_AT_ONCE = 500
"""Accounts of one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrapped:
    """How many accounts the newest encryption key took over, and which ones could not be opened."""

    accounts: int
    unreadable: tuple[SubjectId, ...]


def accounts_to_rewrap(bank: Bank) -> int:
    """Return how many accounts another encryption key wraps than the bank's vault wraps with."""
    with bank.store.reading() as books:
        wrapped = books.accounts.wrapped_by()
    return sum(accounts for key_id, accounts in wrapped.items() if key_id != bank.vault.wraps_with)


def rewrap_accounts(bank: Bank, *, on_progress: Progress = lambda _: None) -> Rewrapped:
    """Wrap every account's data key with the key that wraps new ones: 500 in a transaction, in order.

    It can be stopped at any moment and run again: what is done is done. An account that does not open stays
    as it is, and is named.

    Raises:
        Misconfigured: the vault does not hold a key that wraps an account.
    """
    done, unreadable = 0, list[SubjectId]()
    after: SubjectId | None = None
    while True:
        with bank.store.writing() as books:
            records = books.accounts.not_wrapped_by(
                bank.vault.wraps_with, after=after, limit=REWRAPPED_AT_ONCE
            )
            changes = []
            for record in records:
                try:
                    changes.append((record, bank.vault.rewrap(record)))
                except IntegrityBroken:
                    unreadable.append(record.subject)
            books.accounts.rewrap(changes)
        if not records:
            return Rewrapped(accounts=done, unreadable=tuple(unreadable))
        done, after = done + len(changes), records[-1].subject
        on_progress(len(records))
