"""Blind keys by which an outcome is found again: by its verifier, or before it is recorded twice."""

from collections.abc import Collection, Iterator, Mapping

from creditbank.account.body import outcome_id
from creditbank.account.holdings import HeldOutcome, outcome_of
from creditbank.account.outcome_name import OutcomeName, name_of
from creditbank.errors import Conflict
from creditbank.outcomes import Outcome
from creditbank.services.bank import Bank
from creditbank.services.books import Books
from creditbank.terms import OutcomeId, SubjectId

Place = tuple[SubjectId, OutcomeId]
"""One outcome: in which account, under which id."""


class OutcomeRecorded(Conflict):
    """This outcome is recorded already, here or in another account."""

    code = "outcome-recorded"


def key_of(bank: Bank, subject: SubjectId, outcome: Outcome) -> bytes:
    """Return the blind key under which an outcome of this account is found again."""
    return name_key(bank, name_of(outcome), subject=subject)


def name_key(bank: Bank, name: OutcomeName, *, subject: SubjectId) -> bytes:
    """Return the blind key of a name; a personal one is a name only within its account."""
    text = f"{subject} {name.text}" if name.is_personal else name.text
    return bank.vault.outcome_key(kind=name.kind, number=text)


def standing(
    books: Books, keys: Collection[bytes], *, besides: Place | None = None
) -> Iterator[tuple[bytes, SubjectId, HeldOutcome]]:
    """Yield those of `keys` that name an outcome which still stands, and that outcome."""
    for key, places in books.outcomes.find(keys).items():
        for place in places:
            held = outcome_of(books.ledger.entries_of(place.subject), outcome_id(place.seq))
            if held is not None and held.is_current and (place.subject, held.id) != besides:
                yield key, place.subject, held


def refuse_recorded(books: Books, keys: Mapping[bytes, SubjectId], *, besides: Place | None = None) -> None:
    """Refuse to record what stands already.

    Raises:
        OutcomeRecorded: one of `keys` names an outcome that stands, in this account or in another.
    """
    for key, subject, held in standing(books, keys, besides=besides):
        where = "recorded-here" if subject == keys[key] else "recorded-elsewhere"
        raise OutcomeRecorded(where, outcome=held.id)
