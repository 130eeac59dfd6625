"""A bank served by a process of its own, with accounts to read and to write to, and routes for the measure.

Prints one line of JSON about itself, then serves until its standard input ends.
"""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from sqlalchemy import Engine

from api.app import create_app
from creditbank.rulepacks.library import Library
from creditbank.samples.outcomes import story_outcomes
from creditbank.samples.people import protagonist
from creditbank.services.bank import Principal
from creditbank.services.operator_token import kept_digest, make_token
from creditbank.services.outcomes import record_outcome
from creditbank.services.sequencing import sequence_pending
from creditbank.storage.sql_store import SqlStore
from tests.banks import BEGINNING, new_account, new_bank
from tests.engines import durable_postgresql, opened, postgresql_url, sqlite_url, writing_commits

ACCOUNTS = 32
"""How many accounts there are to write to."""


def serve(kind: str, folder: Path) -> None:
    with database(kind, folder) as engine, writing_commits(engine) as commits:
        bank = new_bank(SqlStore(engine))
        story = new_account(bank, protagonist())
        for sample in story_outcomes(on=BEGINNING.date()):
            record_outcome(bank, Principal(issuer=sample.outcome.issuer), story, sample.outcome)
        accounts = [new_account(bank).text for _ in range(ACCOUNTS)]
        sequence_pending(bank.store)
        token, digest = make_token(bank), kept_digest(bank)
        assert digest is not None
        app = create_app(bank, Library.load(check=False), token_digest=digest)
        add_measuring_routes(app, commits)
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", access_log=False))
        threading.Thread(target=stop_with_input, args=[server], daemon=True).start()
        about = {"token": token, "account": story.text, "accounts": accounts}
        threading.Thread(target=tell, args=[server, about], daemon=True).start()
        server.run()


@contextmanager
def database(kind: str, folder: Path) -> Iterator[Engine]:
    with ExitStack() as stack:
        if kind == "postgresql":
            stack.enter_context(durable_postgresql())
            url = stack.enter_context(postgresql_url())
        else:
            url = sqlite_url(folder)
        yield stack.enter_context(opened(url))


def add_measuring_routes(app: FastAPI, commits: list[Any]) -> None:
    @app.get("/empty")
    def empty() -> dict[str, str]:
        return {}

    @app.get("/commits")
    def count_commits() -> dict[str, int]:
        return {"commits": len(commits)}


def tell(server: uvicorn.Server, about: dict[str, object]) -> None:
    pause = threading.Event()
    while not server.started:
        pause.wait(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    print(json.dumps({"address": f"http://127.0.0.1:{port}", **about}), flush=True)


def stop_with_input(server: uvicorn.Server) -> None:
    sys.stdin.read()
    server.should_exit = True


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]))
