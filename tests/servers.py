"""Real `creditbank serve` processes on one bank of their own, to be asked, stopped and killed."""

import base64
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from creditbank.assembly import create_bank
from creditbank.samples.people import SampleInstitution, sample_institutions, sample_issuer
from creditbank.services.bank import Principal
from creditbank.services.institutions import Institution, register_institution
from creditbank.services.operator_token import make_token
from creditbank.settings import Settings
from creditbank.storage.sql_store import SqlStore
from tests.clients import Client
from tests.commands import Commands

SERVE = ("-m", "creditbank", "serve")
SCHOOL = sample_issuer("school-east")
BUREAU = sample_issuer("bureau")
_DEVELOPMENT_KEY = base64.b64encode(b"a key that protects nothing !!!!").decode()
_PATIENCE_SECONDS = 60


def institution(sample: SampleInstitution) -> Institution:
    return Institution(issuer=sample.issuer, name=sample.name, role=sample.role)


class Server:
    """One process that serves the bank."""

    def __init__(self, process: subprocess.Popen[str], *, address: str) -> None:
        self.process = process
        self.address = address

    def kill(self) -> None:
        """End it as the power does: at once, in the middle of whatever it does."""
        self.process.kill()
        self.process.wait(_PATIENCE_SECONDS)


class ServedBank:
    """A new bank on a database of its own, with the sample institutions registered."""

    def __init__(self, home: Path, *, database_url: str | None = None) -> None:
        self._settings = {
            "CREDITBANK_HOME": str(home),
            "CREDITBANK_ALLOW_TEST_NUMBERS": "true",
            "CREDITBANK_DEVELOPMENT_KEY": _DEVELOPMENT_KEY,
            "CREDITBANK_LANGUAGE": "en",
            **({} if database_url is None else {"CREDITBANK_DATABASE_URL": database_url}),
        }
        self.log = home.with_suffix(".log")
        self._commands = Commands(home, **self._settings)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self._settings.items():
                patch.setenv(name, value)
            self._token = self._made()

    def _made(self) -> str:
        """Make the bank, count the entries with which it begins, and return its operator's token."""
        bureau, school = sorted(
            (sample for sample in sample_institutions() if sample.issuer in {BUREAU, SCHOOL}),
            key=lambda sample: sample.issuer == SCHOOL,
        )
        bank = create_bank(Settings(), passphrase=str, origin="bank.test", operator=institution(bureau))
        assert isinstance(bank.store, SqlStore)
        register_institution(bank, Principal.operator(BUREAU), institution(school))
        with bank.store.reading() as books:
            self.entries = books.ledger.size() + books.ledger.pending(at_most=100)
        token = make_token(bank)
        bank.store.close()
        assert token is not None
        return token

    def run(self, *arguments: str) -> str:
        """Run a command that must succeed, and return what it printed.

        On SQLite in this process, which is another than the servers'; on PostgreSQL in one of its own, since
        a command leaves it to the end of its process to close its connections.
        """
        if "CREDITBANK_DATABASE_URL" not in self._settings:
            return self._commands.run(*arguments).out
        done = subprocess.run(
            [sys.executable, "-m", "creditbank", *arguments],
            env={**os.environ, **self._settings},
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, (arguments, done)
        return done.stdout

    @contextmanager
    def serving(self, *, program: Sequence[str] = SERVE, **settings: str) -> Iterator[Server]:
        """Run a server for the block, on a port of its own; it may be killed before the block ends."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *program, "--port", "0"],
                env={**os.environ, **self._settings, **settings},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        try:
            yield Server(process, address=self._address(process))
        finally:
            process.terminate()
            try:
                process.wait(_PATIENCE_SECONDS)
            finally:
                process.kill()
                assert process.stdout is not None
                process.stdout.close()

    @contextmanager
    def client(self, server: Server) -> Iterator[Client]:
        """Give the block a school's program that asks this server."""
        client = Client(server.address, token=self._token, issuer=SCHOOL)
        try:
            yield client
        finally:
            client.close()

    def account(self, server: Server, name: str) -> str:
        """Open an account for somebody without a citizen number, and return its number."""
        with self.client(server) as client:
            answer = client.post("/accounts", {"names": {"chinese": name}})
        assert answer.status == 201, answer
        return str(answer.json["account"])

    def _address(self, process: subprocess.Popen[str]) -> str:
        """Read where the server listens from what it says when it starts."""
        assert process.stdout is not None
        for line in process.stdout:
            if "http://" in line:
                return line[line.index("http://") :].split()[0]
        code = process.wait(_PATIENCE_SECONDS)
        raise AssertionError(f"the server did not start: exit code {code}, {self.log.read_text()}")
