"""What every answer carries so that a browser keeps a record to itself, and how much may be sent."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response

from api.languages import words_for
from api.problems import problem

BODY_MAX_BYTES = 1_048_576

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_DOCUMENTATION = ("/docs", "/static-offline-docs")

Next = Callable[[Request], Awaitable[Response]]


def add_safety(app: FastAPI) -> None:
    """Put the headers on every answer, and refuse a body that is too large before it is read."""

    @app.middleware("http")
    async def keep_safe(request: Request, call_next: Next) -> Response:
        answer = _too_large(request) or await call_next(request)
        answer.headers.update(_HEADERS)
        answer.headers.setdefault("Cache-Control", "no-store")
        if not request.url.path.startswith(_DOCUMENTATION):  # its pages run scripts of their own
            answer.headers["Content-Security-Policy"] = _POLICY
        return answer


def _too_large(request: Request) -> Response | None:
    """Refuse by the stated length; where none is stated, refuse too, since nothing here needs chunks."""
    stated = request.headers.get("content-length", "0")
    if stated.isdecimal() and int(stated) <= BODY_MAX_BYTES and "transfer-encoding" not in request.headers:
        return None
    words = words_for(request)
    return problem(
        request,
        status=413,
        code="body-too-large",
        title=words.text("problem.body-too-large"),
        detail=words.text("reason.body-too-large", max_bytes=BODY_MAX_BYTES),
    )
