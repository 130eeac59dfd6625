"""A bank served by a process of its own, with one account to read and one route that does nothing.

Prints its port and the path of the account, then serves until its standard input ends.
"""

import sys
import threading
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from creditbank.rulepacks.library import Library
from creditbank.samples.outcomes import story_outcomes
from creditbank.samples.people import protagonist
from creditbank.services.bank import Principal
from creditbank.services.operator_token import kept_digest, make_token
from creditbank.services.outcomes import record_outcome
from creditbank.storage.sql_store import SqlStore
from tests.banks import new_account, new_bank
from tests.engines import opened, sqlite_url


def serve(folder: Path) -> None:
    with opened(sqlite_url(folder)) as engine:
        bank = new_bank(SqlStore(engine))
        account = new_account(bank, protagonist())
        for sample in story_outcomes():
            record_outcome(bank, Principal(issuer=sample.outcome.issuer), account, sample.outcome)
        token, digest = make_token(bank), kept_digest(bank)
        assert digest is not None
        app = create_app(bank, Library.load(check=False), token_digest=digest)
        add_empty_route(app)
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", access_log=False))
        threading.Thread(target=stop_with_input, args=[server], daemon=True).start()
        threading.Thread(target=tell, args=[server, account.text, token], daemon=True).start()
        server.run()


def add_empty_route(app: FastAPI) -> None:
    @app.get("/empty")
    def empty() -> dict[str, str]:
        return {}


def tell(server: uvicorn.Server, *told: object) -> None:
    pause = threading.Event()
    while not server.started:
        pause.wait(0.01)
    print(server.servers[0].sockets[0].getsockname()[1], *told, flush=True)


def stop_with_input(server: uvicorn.Server) -> None:
    sys.stdin.read()
    server.should_exit = True


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
