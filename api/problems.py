"""The one place where an error becomes an HTTP status: `application/problem+json` (RFC 9457), always.

Nothing that a person sent or that a path names is logged: a request is known by its method and its route.
What goes wrong on the server's own side strangers get the code of; where and by what cause is for its log.
What an engine says of damage may quote a record, and is for the command line alone.
"""

import re
import traceback
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from api.languages import language_for, words_for
from api.pages.rendering import page, wants_page
from api.validation import body_refused, members_refused
from creditbank.errors import (
    Conflict,
    CreditBankError,
    IntegrityBroken,
    InvalidInput,
    Misconfigured,
    NotAuthorised,
    NotFound,
    NotYet,
    Overloaded,
)
from creditbank.services.accounts import AccountRedacted
from creditbank.services.idempotency import RequestInFlight

MEDIA_TYPE = "application/problem+json"

STATUS: Mapping[type[CreditBankError], int] = MappingProxyType(
    {
        InvalidInput: 422,
        NotAuthorised: 403,
        AccountRedacted: 410,
        NotFound: 404,
        Conflict: 409,
        NotYet: 503,
        Overloaded: 503,
        IntegrityBroken: 500,
        Misconfigured: 503,
    }
)

REQUEST_STATUS: Mapping[str, int | None] = MappingProxyType(
    {
        "body-missing": 422,
        "body-not-declared-json": 415,
        "body-not-object": 422,
        "body-too-large": 413,
        "http-error": None,
        "json-malformed": 400,
        "method-not-allowed": 405,
        "no-such-page": 404,
        "request-invalid": 422,
        "unexpected": 500,
    }
)
"""The problems that no error of the bank stands behind, by their code, which is their reason too: their
status, None for whatever else the web server refuses with.
"""
_CODE_OF_STATUS: Mapping[int, str] = MappingProxyType({404: "no-such-page", 405: "method-not-allowed"})
_CHALLENGE = {"WWW-Authenticate": "Bearer"}
"""What an answer of 401 must carry (RFC 9110, section 15.5.2)."""
_RETRY_AFTER_SECONDS: Mapping[type[CreditBankError], int] = MappingProxyType(
    {Overloaded: 5, RequestInFlight: 1}
)
"""When it is worth to ask again, where waiting alone helps (RFC 9110, section 10.2.3)."""
_INSIDE = frozenset({"cause", "database", "detail", "home", "host", "path", "port"})
"""Values of the server's own faults that tell strangers where its parts are, or what an engine read there."""
_LIKE_A_CITIZEN_NUMBER = re.compile(r"\d{17}[\dXx]")
_REFUSED = {
    "description": "A problem (RFC 9457): `type`, `title`, `status`, `detail`, `reason`; see docs/errors.md",
    "content": {MEDIA_TYPE: {"schema": {"type": "object"}}},
}
"""How OpenAPI is told of a refusal."""
_log = structlog.get_logger(__name__)


class NotAuthenticated(CreditBankError):
    """Nobody said who is asking, or the token is not ours."""

    code = "not-authenticated"


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of the application, whoever raises it, as a problem."""
    app.add_exception_handler(NotAuthenticated, _sign_in)
    app.add_exception_handler(CreditBankError, _bank_problem)
    app.add_exception_handler(HTTPException, _http_problem)
    app.add_exception_handler(RequestValidationError, _validation_problem)


def with_problems(document: dict[str, Any]) -> dict[str, Any]:
    """Return a description of the interface (OpenAPI) that says how a request with a body is refused."""
    for operation in (one for path in document["paths"].values() for one in path.values()):
        if "requestBody" in operation:
            operation["responses"] |= {str(status): _REFUSED for status in (400, 415, 422)}
    return document


def status_of(error: CreditBankError) -> int:
    """Return the HTTP status of an error, by the branch of the tree it grows on."""
    if isinstance(error, NotAuthenticated):
        return 401
    return next((status for branch, status in STATUS.items() if isinstance(error, branch)), 500)


def problem(
    request: Request,
    *,
    status: int,
    code: str,
    title: str,
    detail: str,
    reason: str | None = None,
    **members: object,
) -> Response:
    """Return one problem document, or a page that says the same to a person with a browser.

    `type` is a published code that never changes, and so is `reason`: without one it is the code.
    Sentences quote values; one that looks like a citizen number, in whichever member it was put, is left out.
    """
    detail = _LIKE_A_CITIZEN_NUMBER.sub("…", detail)
    if wants_page(request):
        return page(request, "problem.html", status=status, title=title, detail=detail, code=code)
    content = {
        "type": f"urn:creditbank:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "reason": reason or code,
        **{name: value for name, value in members.items() if value is not None},
    }
    headers = {"Content-Language": language_for(request)}
    return JSONResponse(content, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def request_problem(
    request: Request, code: str, *, status: int | None = None, errors: object = None, **values: object
) -> Response:
    """Return the problem of one code of `REQUEST_STATUS`, with these values in its sentence."""
    words = words_for(request)
    return problem(
        request,
        status=status or REQUEST_STATUS[code] or 500,
        code=code,
        title=words.text(f"problem.{code}"),
        detail=words.text(f"reason.{code}", **values),
        errors=errors,
    )


def unexpected_problem(request: Request, error: Exception) -> Response:
    """Answer a fault of ours, and log where it is: neither its message nor a frame's values, which may be
    anybody's name.
    """
    _log.error(
        "request-crashed",
        **_known_by(request),
        causes=[_type_name(cause) for cause in _causes(error)],
        frames=[
            f"{frame.filename}:{frame.lineno} {frame.name}"
            for cause in _causes(error)
            for frame in traceback.extract_tb(cause.__traceback__)
        ],
    )
    return request_problem(request, "unexpected")


def _sign_in(request: Request, error: Exception) -> Response:
    """Send a person who opened a page to sign in, and from there back; challenge everybody else."""
    if request.method == "GET" and wants_page(request):
        return RedirectResponse(f"/sign-in?then={quote(request.url.path)}", status_code=303)
    answer = _bank_problem(request, error)
    answer.headers.update(_CHALLENGE)
    return answer


def _bank_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, CreditBankError), "registered for this class"
    status = status_of(error)
    words = words_for(request)
    said, detail = words.problem(error), None
    if status == 500 or isinstance(error, Misconfigured):  # noqa: PLR2004 - the server's own faults
        inside = {name: str(value) for name, value in error.values.items() if name in _INSIDE}
        is_damage = not isinstance(error, Misconfigured)
        # What an engine says of damage may quote a cell; what it says of itself names none.
        logged = {name: value for name, value in inside.items() if not (is_damage and name == "detail")}
        _log.error("request-failed", code=error.code, reason=error.reason, **_known_by(request), **logged)
        key = "word.damage-of-the-bank" if is_damage else "word.fault-of-the-bank"
        detail = words.text(key, reason=error.reason) if inside else None
    answer = problem(
        request,
        status=status,
        code=said.code,
        title=said.title,
        detail=detail or said.detail,
        reason=said.reason,
        field=error.field,
    )
    if isinstance(error, NotYet):
        answer.headers["Retry-After"] = str(error.retry_after_seconds)
    for kind, seconds in _RETRY_AFTER_SECONDS.items():
        if isinstance(error, kind):
            answer.headers["Retry-After"] = str(seconds)
    return answer


def _http_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "registered for this class"
    code = _CODE_OF_STATUS.get(error.status_code, "http-error")
    if isinstance(error.__cause__, ValueError | RecursionError):  # what Python's reader of JSON raises
        code = "json-malformed"
    answer = request_problem(
        request, code, status=error.status_code, path=request.url.path, method=request.method
    )
    answer.headers.update(error.headers or {})
    return answer


def _validation_problem(request: Request, error: Exception) -> Response:
    """Name every member that is wrong, but repeat none: it may be a person's name or number."""
    assert isinstance(error, RequestValidationError), "registered for this class"
    found = error.errors()
    as_whole = body_refused(found, error.body)
    if as_whole is not None:
        return request_problem(request, as_whole)
    refused = members_refused(found, words_for(request))
    return request_problem(request, "request-invalid", errors=refused, count=len(found))


def _known_by(request: Request) -> Mapping[str, str | None]:
    return {"method": request.method, "route": getattr(request.scope.get("route"), "path", None)}


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what led to it, the last one first."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _type_name(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"
