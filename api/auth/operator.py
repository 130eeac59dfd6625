"""The principal behind a request.

Until other roles exist the operator, known by the token, is the only one. `On-Behalf-Of` names the
institution in whose name it writes; a route sees only the principal that comes of it.
"""

from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.problems import NotAuthenticated
from creditbank.identity.organisation_code import parse_organisation_code
from creditbank.services.bank import Bank, Principal
from creditbank.services.operator_token import is_token

COOKIE = "creditbank_session"

_bearer = HTTPBearer(auto_error=False, description="the operator's token")


async def principal(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    on_behalf_of: Annotated[
        str | None, Header(description="unified social credit code of the institution that speaks")
    ] = None,
) -> Principal:
    """Return who is asking.

    Raises:
        NotAuthenticated: there is no token, or it is not the operator's.
        OrganisationCodeInvalid: `On-Behalf-Of` is not an organisation code.
    """
    token = bearer.credentials if bearer is not None else request.cookies.get(COOKIE)
    if token is None:
        raise NotAuthenticated("token-missing")
    if not is_token(token, request.app.state.token_digest):
        raise NotAuthenticated("token-wrong")
    bank: Bank = request.app.state.bank
    acting_for = bank.record.operator if on_behalf_of is None else parse_organisation_code(on_behalf_of)
    return Principal(issuer=acting_for, is_operator=True)


Caller = Annotated[Principal, Depends(principal)]
