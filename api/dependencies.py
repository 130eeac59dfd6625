"""What routes are given: the bank's parts, and the account that a path names.

Every dependency is a coroutine, though none waits for anything: FastAPI would call a plain function in
another thread, which costs more than what these do.
"""

from typing import Annotated, cast

from fastapi import Depends, Path, Request

from api.languages import words_for
from creditbank.identity.account_number import AccountNumber, parse_account_number
from creditbank.locale.catalogue import Catalogue
from creditbank.services.bank import Bank
from creditbank.services.publishing import Publisher
from creditbank.services.rule_library import RuleLibrary


async def _bank(request: Request) -> Bank:
    return cast("Bank", request.app.state.bank)


async def _library(request: Request) -> RuleLibrary:
    return cast("RuleLibrary", request.app.state.library)


async def _publisher(request: Request) -> Publisher | None:
    return cast("Publisher | None", request.app.state.publisher)


async def _account(
    account: Annotated[str, Path(description="account number", max_length=64)],
) -> AccountNumber:
    return parse_account_number(account)


async def _words(request: Request) -> Catalogue:
    return words_for(request)


TheBank = Annotated[Bank, Depends(_bank)]
ThePublisher = Annotated[Publisher | None, Depends(_publisher)]
Rules = Annotated[RuleLibrary, Depends(_library)]
NamedAccount = Annotated[AccountNumber, Depends(_account)]
Words = Annotated[Catalogue, Depends(_words)]
