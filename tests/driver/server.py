"""A real `creditbank serve` as the driver's child, and ids recorded by posting to it."""

import http.client
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from threading import Lock, local
from typing import IO
from urllib.parse import urlsplit

from creditbank.account.outcome_body import outcome_members
from creditbank.services.bank import Bank
from tests.driver.database import Database
from tests.driver.pieces import outcome_of
from tests.driver.recording import Accounts, NotRecorded

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_ADDRESS = re.compile(r"http://[0-9.]+:[0-9]+")
_STARTS_WITHIN_SECONDS = 60.0
_ANSWERS_WITHIN_SECONDS = 60.0
_STOPS_WITHIN_SECONDS = 30.0
_LOOKS_EVERY_SECONDS = 0.05
_PASSING = frozenset({409, 503})


class ServerGone(Exception):
    """The server did not start."""


class Server:
    """A `creditbank serve` on a free port, with a token of its own.

    Where `setpriv` is there (Linux) the kernel ends it when its parent ends, however that ends.
    """

    def __init__(self, database: Database) -> None:
        leash = [] if shutil.which("setpriv") is None else ["setpriv", "--pdeathsig", "KILL"]
        command = [sys.executable, "-m", "creditbank", "serve", "--port", "0", "--new-token"]
        self._process = subprocess.Popen(
            [*leash, *command], env=database.environment, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.pid = self._process.pid
        try:
            self.token, self.address = _told(self._process.stdout)
            self._wait_for_answer()
        except BaseException:
            self.kill()
            raise

    @property
    def is_gone(self) -> bool:
        return self._process.poll() is not None

    def kill(self) -> None:
        """End it as a failing machine would."""
        self._process.kill()
        self._ended()

    def stop(self) -> None:
        """End it as an operator would."""
        self._process.terminate()
        self._ended()

    def _ended(self) -> None:
        try:
            self._process.wait(_STOPS_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _wait_for_answer(self) -> None:
        until = time.monotonic() + _STARTS_WITHIN_SECONDS
        while time.monotonic() < until and not self.is_gone:
            with suppress(OSError):
                connection = connect(self.address)
                connection.request("GET", "/healthz")
                connection.getresponse().read()
                connection.close()
                return
            time.sleep(0.02)
        raise ServerGone("it does not answer")


class HttpRecorder:
    """Records by posting to whichever server is current; knows nothing of the bank but its accounts."""

    def __init__(self, bank: Bank, database: Database) -> None:
        self._accounts = Accounts(bank)
        self._database = database
        self._mine = local()
        self._lock = Lock()
        self.server = Server(database)

    def ensure_server(self) -> bool:
        """Start another server where the one before is gone; return whether that was needed.

        Raises:
            ServerGone: it cannot be started.
        """
        with self._lock:
            if not self.server.is_gone:
                return False
            self.server.stop()
            self.server = Server(self._database)
            return True

    def record(self, piece: str) -> None:
        account = self._accounts.of(piece)
        outcome = outcome_of(piece)
        server = self._server_that_is_there()
        headers = {
            "Authorization": f"Bearer {server.token}",
            "On-Behalf-Of": outcome.issuer,
            "Idempotency-Key": piece,
            "Content-Type": "application/json",
        }
        body = json.dumps({"outcome": stated(piece)})
        try:
            connection = self._connection(server)
            connection.request("POST", f"/accounts/{account.text}/outcomes", body=body, headers=headers)
            answer = connection.getresponse()
            said, status = answer.read(), answer.status
        except (OSError, http.client.HTTPException) as error:
            self._mine.connection = None
            raise NotRecorded(f"no-answer/{type(error).__name__}") from error
        if status != 201:
            raise NotRecorded(_reason(said, status), is_passing=status in _PASSING)

    def _server_that_is_there(self) -> Server:
        """Wait for the next server where this one is gone, so that only what it left open is in doubt.

        Raises:
            NotRecorded: none came.
        """
        until = time.monotonic() + _STARTS_WITHIN_SECONDS
        while self.server.is_gone:
            if time.monotonic() > until:
                raise NotRecorded("no-server")
            time.sleep(_LOOKS_EVERY_SECONDS)
        return self.server

    def _connection(self, server: Server) -> http.client.HTTPConnection:
        held = getattr(self._mine, "connection", None)
        if held is None or self._mine.server is not server:
            held = self._mine.connection = connect(server.address)
            self._mine.server = server
        connection: http.client.HTTPConnection = held
        return connection


def stated(piece: str) -> Mapping[str, object]:
    """Return the outcome of an id as the HTTP interface takes it."""
    members = dict(outcome_members(outcome_of(piece)))
    members.pop("issuer")
    return members


def connect(address: str) -> http.client.HTTPConnection:
    host = urlsplit(address)
    assert host.hostname is not None
    return http.client.HTTPConnection(host.hostname, host.port, timeout=_ANSWERS_WITHIN_SECONDS)


def _told(lines: IO[str]) -> tuple[str, str]:
    """Read the token and the address from what a server prints when it starts."""
    token = None
    for line in lines:
        if _TOKEN.fullmatch(line.strip()):
            token = line.strip()
        elif (address := _ADDRESS.search(line)) and token is not None:
            return token, address[0]
    raise ServerGone("it ended before it served")


def _reason(said: bytes, status: int) -> str:
    try:
        problem = json.loads(said)
        return f"{status}/{problem['type'].rpartition(':')[2]}/{problem.get('reason')}"
    except (ValueError, KeyError, AttributeError):
        return f"{status}/not-a-problem"
