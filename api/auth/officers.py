"""The two officers behind a request for what one person may not do alone.

Each gives their own token in a header of its own, beside the principal's: headers are kept in no answer, and
the tokens are looked at before anything that was answered under an idempotency key is given out again.
"""

from typing import Annotated

from fastapi import Depends, Header

from api.auth.operator import Caller
from api.dependencies import TheBank
from creditbank.services.officers import TwoPersons, two_persons

_TOKEN_MAX = 200


def _two_officers(
    _caller: Caller,
    bank: TheBank,
    first_officer_token: Annotated[str, Header(max_length=_TOKEN_MAX, description="one officer's token")],
    second_officer_token: Annotated[
        str, Header(max_length=_TOKEN_MAX, description="the token of another officer")
    ],
) -> TwoPersons:
    """Return the two officers who agree.

    Raises:
        NotAuthenticated, OrganisationCodeInvalid: as the principal.
        TwoPersonsNeeded: one is nobody's or a retired officer's, or both are one officer's.
    """
    return two_persons(bank, first_token=first_officer_token, second_token=second_officer_token)


Officers = Annotated[TwoPersons, Depends(_two_officers)]
