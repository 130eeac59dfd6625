"""Officers: the persons who act for the bank, and the proof that two of them decided something together.

Whoever holds the bank's keys adds and retires officers. What takes two persons takes two of their tokens.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from creditbank.account.records import Officer
from creditbank.errors import InvalidInput, NotAuthorised, NotFound
from creditbank.services.bank import Bank, Principal
from creditbank.services.books import Books
from creditbank.services.tokens import digest_of, new_token
from creditbank.terms import OfficerId

_ID_BYTES = 5
_NAME_MAX = 100


class OfficerInvalid(InvalidInput):
    """An officer is not described as one must be."""

    code = "officer-invalid"


class OfficerUnknown(NotFound):
    """No officer has this id."""

    code = "officer-unknown"


class TwoPersonsNeeded(NotAuthorised):
    """Two different officers who serve must agree to this, each with their own token."""

    code = "two-persons-needed"


@dataclass(frozen=True, slots=True, init=False)
class TwoPersons:
    """Two different officers in office, each of whom gave their token. It cannot be made in any other way."""

    first: OfficerId
    second: OfficerId

    def __init__(self, books: Books, *, first_token: str, second_token: str) -> None:
        """Find out whose the tokens are.

        Raises:
            TwoPersonsNeeded: one is nobody's or a retired officer's, or both are one officer's.
        """
        officers = books.officers.all()
        first = _officer_with(officers, first_token, field="first_token")
        second = _officer_with(officers, second_token, field="second_token")
        if first.id == second.id:
            raise TwoPersonsNeeded("one-officer-twice", field="second_token", officer=first.id)
        object.__setattr__(self, "first", first.id)
        object.__setattr__(self, "second", second.id)

    @property
    def ids(self) -> tuple[OfficerId, OfficerId]:
        """The two officers, in the order in which they gave their tokens."""
        return self.first, self.second

    def must_serve(self, books: Books) -> None:
        """Make sure, in the transaction that acts, that neither has been retired meanwhile.

        Raises:
            TwoPersonsNeeded: one has.
        """
        serving = {officer.id for officer in books.officers.all() if officer.is_serving}
        for officer in self.ids:
            if officer not in serving:
                raise TwoPersonsNeeded("officer-retired", officer=officer)


def two_persons(bank: Bank, *, first_token: str, second_token: str) -> TwoPersons:
    """Return the two officers whose tokens these are.

    Raises:
        TwoPersonsNeeded: one is nobody's or a retired officer's, or both are one officer's.
    """
    with bank.store.reading() as books:
        return TwoPersons(books, first_token=first_token, second_token=second_token)


def add_officer(bank: Bank, principal: Principal, name: str) -> tuple[Officer, str]:
    """Add an officer, and return with it the token that is shown this once.

    Raises:
        NotAuthorised: the principal is not the operator.
        OfficerInvalid: the name is empty or too long.
    """
    principal.must_be_operator()
    if not name.strip() or len(name) > _NAME_MAX or not name.isprintable():
        raise OfficerInvalid("officer-name", field="name", max_length=_NAME_MAX)
    token = new_token(bank)
    officer = Officer(
        id=OfficerId(f"officer:{bank.random(_ID_BYTES).hex()}"),
        name=name.strip(),
        digest=digest_of(token),
        added_at=bank.now(),
    )
    with bank.store.writing() as books:
        books.officers.add(officer)
    return officer, token


def officers(bank: Bank) -> Sequence[Officer]:
    """Return every officer, retired ones too, in the order in which they came."""
    with bank.store.reading() as books:
        return books.officers.all()


def retire_officer(bank: Bank, principal: Principal, officer: OfficerId) -> Sequence[Officer]:
    """Retire an officer, whose token opens nothing any more, and return those who serve on.

    Raises:
        NotAuthorised: the principal is not the operator.
        OfficerUnknown: there is no such officer.
    """
    principal.must_be_operator()
    with bank.store.writing() as books:
        if officer not in {known.id for known in books.officers.all()}:
            raise OfficerUnknown("officer-unknown", officer=officer)
        books.officers.retire(officer, at=bank.now())
        return [known for known in books.officers.all() if known.is_serving]


def _officer_with(officers: Sequence[Officer], token: str, *, field: str) -> Officer:
    """Return the officer whose token this is; every officer is compared, and always in the same time."""
    digest = digest_of(token)
    found = None
    for officer in officers:
        if hmac.compare_digest(officer.digest, digest):
            found = officer
    if found is None:
        raise TwoPersonsNeeded("officer-token-unknown", field=field)
    if not found.is_serving:
        raise TwoPersonsNeeded("officer-retired", field=field, officer=found.id)
    return found
