"""The pages that anyone may open: the start, and the sign-in that leads to all others."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.auth.operator import COOKIE
from api.pages.rendering import page
from creditbank.identity.account_number import parse_account_number
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


@router.get("/statement")
def get_statement_form() -> Response:
    """Go to the start, where the account is asked for: a page that was reloaded, or an address cut short."""
    return RedirectResponse("/", status_code=303)


@router.post("/statement")
def post_statement(account: Annotated[str, Form(max_length=64)]) -> Response:
    """Go to the statement of the account that was typed in at the start; nothing is read here."""
    return RedirectResponse(f"/statement/{parse_account_number(account).text}", status_code=303)


def _local(path: str) -> str:
    """Return the path where it leads to a page of ours, else the start."""
    return path if path.startswith("/statement/") and "//" not in path and "\\" not in path else "/"
