"""`creditbank serve`: the HTTP interface and the pages."""

import socket
from collections.abc import Callable
from contextlib import ExitStack, suppress
from importlib import import_module
from typing import Annotated, Any

import structlog
import typer
import uvicorn

from creditbank.assembly import durability
from creditbank.cli.output import console
from creditbank.cli.periodic import periodic
from creditbank.cli.session import Session, session_of
from creditbank.errors import Misconfigured
from creditbank.services.bank import Bank
from creditbank.services.operator_token import kept_digest, make_token
from creditbank.services.publishing import Publisher
from creditbank.services.sequencing import SEQUENCE_EVERY_SECONDS, sequence_pending
from creditbank.services.tokens import digest_of

_BACKLOG = 512
_log = structlog.get_logger(__name__)


def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="监听地址 · address")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="端口 · port")] = None,
    new_token: Annotated[
        bool, typer.Option("--new-token", help="更换运营令牌，旧令牌作废 · replace the operator's token")
    ] = False,
) -> None:
    """提供网页与接口，按 Ctrl-C 结束 · serve the pages and the HTTP interface until interrupted."""
    session = session_of(context)
    bank = session.bank()
    words = session.words
    listening = listen(host or session.settings.host, session.settings.port if port is None else port)
    token = make_token(bank, replace=new_token)
    if token is not None:
        console.print(words.text("word.token-shown-once"))
        console.print(token)
    console.print(words.text("word.serving", address=address_of(listening)))
    run_server(session, bank, listening, token=token)


def listen(host: str, port: int) -> socket.socket:
    """Open the socket on which the server will listen; port 0 takes a free one.

    Raises:
        Misconfigured: the address is taken, or is not this machine's.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise Misconfigured("address-unusable", host=host, port=port, cause=error.strerror) from error
    return listening


def address_of(listening: socket.socket) -> str:
    """Return the URL at which a listening socket answers."""
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def run_server(session: Session, bank: Bank, listening: socket.socket, *, token: str | None = None) -> None:
    """Serve until interrupted.

    A `token` that was just made and shown is the one that this server takes, even where another server has
    replaced it since.

    The bank does not know its web server: it is found by name, and is handed what it needs. Requests are
    not logged one by one: their paths hold account numbers.
    """
    _log.info("database-opened", **durability(bank))
    create_app: Callable[..., Any] = import_module("api.app").create_app
    seconds = session.settings.publish_seconds
    publisher = Publisher(bank) if seconds and bank.signer is not None else None
    digest = kept_digest(bank) if token is None else digest_of(token)
    app = create_app(bank, session.library(), token_digest=digest, publisher=publisher)
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
    with ExitStack() as beside:
        if session.settings.sequence:
            beside.enter_context(
                periodic(
                    "sequencer", lambda: sequence_pending(bank.store), every_seconds=SEQUENCE_EVERY_SECONDS
                )
            )
        if publisher is not None:
            beside.enter_context(periodic("publisher", publisher.attempt, every_seconds=seconds))
        with suppress(KeyboardInterrupt):  # how it is meant to end
            uvicorn.Server(config).run(sockets=[listening])
