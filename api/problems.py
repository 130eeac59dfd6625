"""The one place where an error becomes an HTTP status: `application/problem+json` (RFC 9457), always."""

from collections.abc import Mapping
from types import MappingProxyType

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from api.languages import language_for, words_for
from api.pages.rendering import page, wants_page
from creditbank.errors import (
    Conflict,
    CreditBankError,
    IntegrityBroken,
    InvalidInput,
    Misconfigured,
    NotAuthorised,
    NotFound,
)

MEDIA_TYPE = "application/problem+json"

STATUS: Mapping[type[CreditBankError], int] = MappingProxyType(
    {
        InvalidInput: 422,
        NotAuthorised: 403,
        NotFound: 404,
        Conflict: 409,
        IntegrityBroken: 500,
        Misconfigured: 503,
    }
)

_BAD_JSON = "json_invalid"
_log = structlog.get_logger(__name__)


class NotAuthenticated(CreditBankError):
    """Nobody said who is asking, or the token is not ours."""

    code = "not-authenticated"


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of the application, whoever raises it, as a problem."""
    app.add_exception_handler(CreditBankError, _bank_problem)
    app.add_exception_handler(HTTPException, _http_problem)
    app.add_exception_handler(RequestValidationError, _validation_problem)
    app.add_exception_handler(Exception, _unexpected_problem)


def status_of(error: CreditBankError) -> int:
    """Return the HTTP status of an error, by the branch of the tree it grows on."""
    if isinstance(error, NotAuthenticated):
        return 401
    return next((status for branch, status in STATUS.items() if isinstance(error, branch)), 500)


def problem(
    request: Request, *, status: int, code: str, title: str, detail: str, **members: object
) -> Response:
    """Return one problem document, or a page that says the same to a person with a browser.

    `type` is a published code that never changes.
    """
    if wants_page(request):
        return page(request, "problem.html", status=status, title=title, detail=detail, code=code)
    headers: dict[str, str] = {"Content-Language": language_for(request)}
    if status == 401:  # noqa: PLR2004 - RFC 9110, section 15.5.2 asks for the challenge
        headers["WWW-Authenticate"] = "Bearer"
    content = {
        "type": f"urn:creditbank:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        **{name: value for name, value in members.items() if value is not None},
    }
    return JSONResponse(content, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def _bank_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, CreditBankError), "registered for this class"
    status = status_of(error)
    if status >= 500:  # noqa: PLR2004 - the server's own faults
        _log.error("request-failed", code=error.code, reason=error.reason, path=request.url.path)
    words = words_for(request)
    said = words.problem(error)
    return problem(
        request,
        status=status,
        code=said.code,
        title=said.title,
        detail=said.detail,
        reason=said.reason,
        field=error.field,
    )


def _http_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "registered for this class"
    words = words_for(request)
    code = {404: "no-such-page", 405: "method-not-allowed"}.get(error.status_code, "http-error")
    answer = problem(
        request,
        status=error.status_code,
        code=code,
        title=words.text(f"problem.{code}"),
        detail=words.text(f"reason.{code}", path=request.url.path, method=request.method),
    )
    answer.headers.update(error.headers or {})
    return answer


def _validation_problem(request: Request, error: Exception) -> Response:
    """Name every member that is wrong, but repeat none: it may be a person's name or number."""
    assert isinstance(error, RequestValidationError), "registered for this class"
    words = words_for(request)
    found = error.errors()
    is_bad_json = any(one["type"] == _BAD_JSON for one in found)
    code = "json-malformed" if is_bad_json else "request-invalid"
    return problem(
        request,
        status=400 if is_bad_json else 422,
        code=code,
        title=words.text(f"problem.{code}"),
        detail=words.text(f"reason.{code}", count=len(found)),
        errors=[
            {"pointer": "/" + "/".join(map(str, one["loc"])), "code": one["type"], "detail": one["msg"]}
            for one in found
        ],
    )


def _unexpected_problem(request: Request, error: Exception) -> Response:
    _log.error("request-crashed", path=request.url.path, exc_info=error)
    words = words_for(request)
    return problem(
        request,
        status=500,
        code="unexpected",
        title=words.text("problem.unexpected"),
        detail=words.text("reason.unexpected"),
    )
