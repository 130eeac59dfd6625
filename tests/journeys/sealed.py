"""Banks with sealed key files, and what their commands say of their keys."""

from datetime import date

from creditbank.samples.people import sample_issuer, sample_learners
from creditbank.services.bank import Principal
from creditbank.services.institutions import subject_of
from creditbank.signing.key_file import read_key_file
from creditbank.signing.keys import Keyring
from creditbank.storage.engine import open_engine
from creditbank.storage.sql_store import SqlStore
from creditbank.terms import IssuerId
from tests.banks import OPERATOR
from tests.commands import Commands

BY = Principal.operator(OPERATOR)
PASSPHRASE = "correct horse battery"
LOG_PASSPHRASE = "another horse battery"
EAST, STATION = sample_issuer("school-east"), sample_issuer("station")
TODAY = date(2025, 11, 23)
ORIGIN = "bank.test"


def keyring_of(commands: Commands) -> Keyring:
    return read_key_file(commands.home / "keys.sealed", passphrase=PASSPHRASE).keyring


def listed(commands: Commands, purpose: str) -> list[tuple[str, str]]:
    """Return the keys of a purpose, by id, and their states."""
    keys = commands.run("keys", "list", "--json").json
    return [(key["id"], key["state"]) for key in keys if key["purpose"] == purpose]


def open_account(commands: Commands, place: int) -> str:
    learner = sample_learners()[place]
    assert learner.names.chinese is not None
    assert learner.citizen_number is not None
    who = ("--name", learner.names.chinese, "--citizen-number", learner.citizen_number.text)
    commands.run("account", "open", *who, "--issuer", EAST)
    found = commands.run("account", "find", "--citizen-number", learner.citizen_number.text, "--json").json
    return str(found["account"])


def entries_of(commands: Commands, institution: IssuerId) -> list[str]:
    store = SqlStore(open_engine(f"sqlite:///{commands.home / 'bank.db'}"))
    try:
        with store.reading() as books:
            return [entry.leaf.kind for entry in books.ledger.entries_of(subject_of(institution))]
    finally:
        store.close()
