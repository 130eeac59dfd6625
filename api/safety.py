"""What every answer carries so that a browser keeps a record to itself, and how much may be sent."""

from fastapi import Request, Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import request_problem, unexpected_problem

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
_FILES = ("/static/", "/static-offline-docs/")


class Safety:
    """Puts the headers on every answer, also on that to an error nobody expected, which ends here; refuses a
    body that is too large before it is read.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        path = scope["path"]
        has_begun = False

        async def send_safely(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                _protect(MutableHeaders(scope=message), path)
            await send(message)

        answer = _too_large(request) or self.app
        try:
            await answer(scope, receive, send_safely)
        except Exception as error:  # noqa: BLE001 - raised further, the server would log it with its message
            crashed = unexpected_problem(request, error)
            if not has_begun:
                await crashed(scope, receive, send_safely)


def _protect(headers: MutableHeaders, path: str) -> None:
    headers.update(_HEADERS)
    headers.setdefault("Cache-Control", "no-cache" if path.startswith(_FILES) else "no-store")
    if not path.startswith(_DOCUMENTATION):  # its pages run scripts of their own
        headers["Content-Security-Policy"] = _POLICY


def _too_large(request: Request) -> Response | None:
    """Refuse by the stated length; where none is stated, refuse too, since nothing here needs chunks."""
    stated = request.headers.get("content-length", "0")
    if stated.isdecimal() and int(stated) <= BODY_MAX_BYTES and "transfer-encoding" not in request.headers:
        return None
    return request_problem(request, "body-too-large", max_bytes=BODY_MAX_BYTES)
