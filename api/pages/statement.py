"""An account's statement as a page, and the sign-in that leads to it."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.auth.operator import COOKIE
from api.dependencies import NamedAccount, TheBank
from api.pages.rendering import page
from creditbank.identity.account_number import parse_account_number
from creditbank.services.accounts import read_account
from creditbank.services.operator_token import is_token

_HOURS = 3_600

router = APIRouter(include_in_schema=False)

Next = Annotated[str, Form(max_length=200)]


@router.get("/")
def get_start(request: Request) -> HTMLResponse:
    """Ask for an account number."""
    return page(request, "start.html")


@router.get("/sign-in")
def get_sign_in(request: Request, then: str = "/") -> HTMLResponse:
    """Ask for the operator's token."""
    return page(request, "sign_in.html", then=_local(then), failed=False)


@router.post("/sign-in")
def post_sign_in(request: Request, token: Annotated[str, Form(max_length=200)], then: Next = "/") -> Response:
    """Keep the token in a cookie that no script can read, and go on to where the reader wanted to be."""
    if not is_token(token.strip(), request.app.state.token_digest):
        return page(request, "sign_in.html", status=403, then=_local(then), failed=True)
    answer = RedirectResponse(_local(then), status_code=303)
    answer.set_cookie(
        COOKIE,
        token.strip(),
        max_age=8 * _HOURS,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


@router.post("/sign-out")
def post_sign_out() -> Response:
    """Forget the token."""
    answer = RedirectResponse("/", status_code=303)
    answer.delete_cookie(COOKIE)
    return answer


@router.post("/statement")
def post_statement(account: Annotated[str, Form(max_length=64)]) -> Response:
    """Go to the statement of the account that was typed in."""
    return RedirectResponse(f"/statement/{parse_account_number(account).text}", status_code=303)


@router.get("/statement/{account}")
def get_statement(request: Request, account: NamedAccount, bank: TheBank) -> HTMLResponse:
    """Show an account: who, what is held, what it frees from, and where each entry stands in the ledger."""
    token = request.cookies.get(COOKIE)
    if token is None or not is_token(token, request.app.state.token_digest):
        here = quote(request.url.path)
        raise HTTPException(status_code=303, headers={"Location": f"/sign-in?then={here}"})
    statement = read_account(bank, account)
    with bank.store.reading() as books:
        log_size = books.ledger.size()
    return page(request, "statement.html", statement=statement, log_size=log_size)


def _local(path: str) -> str:
    """Return the path where it leads to a page of ours, else the start."""
    return path if path.startswith("/statement/") and "//" not in path and "\\" not in path else "/"
