"""The bank that a harness names, by the path of an SQLite file or by the URL of a PostgreSQL database.

It has the keys of CREDITBANK_DEVELOPMENT_KEY, or those of a constant that everybody knows. The bank's own
directory lies beside the file; that of a PostgreSQL bank lies among the temporary files of this machine.
"""

import fcntl
import os
import shutil
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from creditbank.assembly import BankExists, create_bank, open_bank
from creditbank.errors import Conflict, CreditBankError, Misconfigured
from creditbank.samples.people import SampleInstitution, sample_institutions, sample_issuer
from creditbank.services.bank import Bank, Principal
from creditbank.services.institutions import Institution, institutions, register_institution
from creditbank.settings import PREFIX, Settings
from creditbank.storage.sql_store import SqlStore

DEVELOPMENT_KEY = b64encode(b"the driver's key, known to all .").decode()
"""What the keys are derived from where CREDITBANK_DEVELOPMENT_KEY names no others."""
ORIGIN = "driver.invalid"
OPERATOR = "bureau"

_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.1
_TO_BE_MADE = frozenset({"database-missing", "database-empty", "bank-not-made"})
_FOR_GOOD = frozenset(
    {
        "wrong-keys",
        "database-url",
        "database-older",
        "database-newer",
        "database-not-ours",
        "database-damaged",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """Where a bank is, and its own directory."""

    url: str
    home: Path

    @classmethod
    def named(cls, name: str) -> "Database":
        """Return the database that a harness names by a path or by a URL."""
        if "://" not in name:
            file = Path(name).absolute()
            url = URL.create("sqlite", database=str(file)).render_as_string(hide_password=False)
            return cls(url=url, home=file.with_name(f"{file.name}.home"))
        digest = sha256(name.encode()).hexdigest()[:16]
        return cls(url=name, home=Path(tempfile.gettempdir()) / f"creditbank-driver-{digest}.home")

    @property
    def settings(self) -> Settings:
        key = os.environ.get(f"{PREFIX}DEVELOPMENT_KEY") or DEVELOPMENT_KEY
        return Settings(
            home=self.home,
            database_url=SecretStr(self.url),
            development_key=SecretStr(key),
            allow_test_numbers=True,
        )

    @property
    def environment(self) -> Mapping[str, str]:
        """What tells a `creditbank` of its own process the same."""
        given = {
            "HOME": str(self.home),
            "DATABASE_URL": self.url,
            "DEVELOPMENT_KEY": os.environ.get(f"{PREFIX}DEVELOPMENT_KEY") or DEVELOPMENT_KEY,
            "ALLOW_TEST_NUMBERS": "true",
            "LANGUAGE": "en",
        }
        return os.environ | {PREFIX + name: value for name, value in given.items()}


def open_made(database: Database) -> Bank:
    """Open a bank that is there.

    Raises:
        CreditBankError: there is none, or it cannot be opened.
    """
    return open_bank(database.settings, passphrase=_nobody_is_asked)


@contextmanager
def closed_after(bank: Bank) -> Iterator[Bank]:
    """Close the bank's connections after the block: on SQLite the file alone then holds everything."""
    assert isinstance(bank.store, SqlStore)
    try:
        yield bank
    finally:
        bank.store.close()


def open_or_make(database: Database) -> Bank:
    """Open the bank, made first where there is none; wait a while where others hold it or its server starts.

    Raises:
        CreditBankError, DBAPIError: it cannot be had, for all patience.
    """
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            bank = _open_or_make(database)
            _register_institutions(bank)
        except (CreditBankError, DBAPIError) as error:
            is_final = isinstance(error, CreditBankError) and error.reason in _FOR_GOOD
            if is_final or time.monotonic() > until:
                raise
            print(f"the bank cannot be opened yet: {error}", file=sys.stderr)
            time.sleep(_PAUSE_SECONDS)
        else:
            return bank


def _open_or_make(database: Database) -> Bank:
    try:
        return open_made(database)
    except Misconfigured as error:
        if error.reason not in _TO_BE_MADE:
            raise
    with alone(database):
        return _make(database)


def _make(database: Database) -> Bank:
    """Make the bank, unless somebody else just has; what an earlier one left in the directory goes first."""
    with suppress(Misconfigured):
        return open_made(database)
    shutil.rmtree(database.home, ignore_errors=True)
    operator = next(sample for sample in sample_institutions() if sample.id == OPERATOR)
    try:
        return create_bank(
            database.settings, passphrase=_nobody_is_asked, origin=ORIGIN, operator=_institution(operator)
        )
    except BankExists:
        return open_made(database)


@contextmanager
def alone(database: Database) -> Iterator[None]:
    """Keep other drivers of this database out of the block, on this machine."""
    database.home.parent.mkdir(parents=True, exist_ok=True)
    with database.home.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # it goes with the process, however that ends
        yield


def _register_institutions(bank: Bank) -> None:
    with bank.store.reading() as books:
        known = {institution.issuer for institution in institutions(books)}
    operator = Principal.operator(sample_issuer(OPERATOR))
    for sample in sample_institutions():
        if sample.issuer not in known:
            with suppress(Conflict):  # another driver was first
                register_institution(bank, operator, _institution(sample))


def _institution(sample: SampleInstitution) -> Institution:
    return Institution(issuer=sample.issuer, name=sample.name, role=sample.role)


def _nobody_is_asked() -> str:
    raise AssertionError("development keys need no passphrase")
