"""Builds the parts of the bank from the settings; alone in knowing every concrete class.

The only place that asks the system for the time.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from creditbank.account.records import BankRecord
from creditbank.errors import Misconfigured
from creditbank.ledger.checkpoint import verifier_keys_text
from creditbank.rulepacks.library import Library
from creditbank.services.bank import Bank, Publication
from creditbank.services.institutions import Institution, register_in
from creditbank.services.publishing import begin_outside
from creditbank.settings import PUBLISH_EVERY_SECONDS, Settings
from creditbank.signing.checkpoint_signer import KeyringSigner
from creditbank.signing.keys import Keyring, development_keyring, new_keyring
from creditbank.signing.opening import open_keyring
from creditbank.signing.sealed_file import create_key_file, read_key_file
from creditbank.signing.witness_keys import read_witness_keys
from creditbank.storage.checkpoint_file import CheckpointFile
from creditbank.storage.engine import open_engine
from creditbank.storage.schema import (
    SchemaState,
    create_or_upgrade,
    require_current,
    schema_state,
    upgrade,
)
from creditbank.storage.sql_copy import copy_sqlite
from creditbank.storage.sql_examination import SqlExamination, examined
from creditbank.storage.sql_store import SqlStore
from creditbank.storage.vault import SealedVault
from creditbank.terms import microseconds
from creditbank.vocabularies.library import Vocabularies

VERIFIER_KEY_FILE = "log.vkey"


class BankExists(Misconfigured):
    """The database belongs to a bank already."""

    code = "bank-exists"


def now() -> datetime:
    """Return the wall clock's instant, aware UTC."""
    return datetime.now(UTC)


def open_bank(settings: Settings, *, passphrase: Callable[[], str]) -> Bank:
    """Open the bank that the settings name.

    Raises:
        Misconfigured: the keys or the database are missing, wrong, damaged or of a newer version.
    """
    store = open_store(settings)
    with store.reading() as books:
        record = books.bank.read()
    if record is None:
        raise Misconfigured("bank-not-made")
    secret = settings.development_key
    keyring = open_keyring(
        key_file=settings.key_file,
        development_key=secret.get_secret_value() if secret is not None else None,
        development_origin=record.origin,
        passphrase=passphrase,
    )
    vault = _vault(keyring)
    vault.require(record.key_check)
    return _bank(settings, store, keyring, vault, record)


def create_bank(
    settings: Settings, *, passphrase: Callable[[], str], origin: str, operator: Institution
) -> Bank:
    """Make a new bank: its keys, its database, and its operator, the first institution in its ledger.

    Interrupted, it can be run again: keys that were made are opened, not made anew, and the bank is there
    with its operator or not at all.

    Raises:
        BankExists: there is one here already; nothing was touched.
        Misconfigured: the keys cannot be made or opened, or the database cannot be used.
    """
    engine = open_engine(settings.database_url.get_secret_value())
    store = SqlStore(engine)
    if schema_state(engine) is SchemaState.CURRENT:
        with store.reading() as books:
            _require_no_bank(settings, books.bank.read())
    keyring = _new_or_made_keyring(settings, passphrase, origin)
    create_or_upgrade(engine)
    vault = _vault(keyring)
    record = BankRecord(
        origin=keyring.origin,
        key_check=vault.key_check,
        operator=operator.issuer,
        created_at=microseconds(now()),
    )
    bank = _bank(settings, store, keyring, vault, record)
    settings.home.mkdir(parents=True, exist_ok=True)
    verifier_key_file(settings).write_text(verifier_keys_text(bank.verifier_keys), encoding="utf-8")
    begin_outside(bank)
    with store.writing() as books:
        _require_no_bank(settings, books.bank.read())
        books.bank.write(record)
        register_in(bank, books, operator, by=operator.issuer)
    return bank


def upgrade_database(settings: Settings) -> None:
    """Bring the database of an older version up to this one: nothing is lost, and nothing half done.

    Raises:
        Misconfigured: there is no database, or it is of a newer version or not a bank's.
    """
    upgrade(open_engine(settings.database_url.get_secret_value()))


def open_store(settings: Settings) -> SqlStore:
    """Open the database alone, without keys: enough to verify the ledger.

    Raises:
        Misconfigured: it is missing, of another version, or not a bank's.
    """
    engine = open_engine(settings.database_url.get_secret_value())
    require_current(engine)
    return SqlStore(engine, backlog_limit=settings.backlog_limit)


@contextmanager
def examination(settings: Settings, *, workers: int = 1) -> Iterator[SqlExamination]:
    """Open the database for an audit, without keys and without writing; see `storage.sql_examination`.

    Raises:
        Misconfigured: it is missing, of another version, or not a bank's.
    """
    engine = open_engine(settings.database_url.get_secret_value())
    require_current(engine)
    with examined(engine, workers=workers) as opened:
        yield opened


def copy_database(settings: Settings, target: Path) -> None:
    """Copy an SQLite bank, with everything committed so far, to a new file.

    Raises:
        Misconfigured: the bank is not on SQLite.
    """
    copy_sqlite(open_engine(settings.database_url.get_secret_value()), target)


def open_library(settings: Settings, *, check: bool = True) -> Library:
    """Load the shipped rule packs and those of the directories that the settings name.

    Raises:
        InvalidInput: a pack is none, or, unless not to be checked, one of its examples fails.
    """
    return Library.load(*settings.rule_pack_directories, check=check)


def verifier_key_file(settings: Settings) -> Path:
    """Return where the public keys that check the bank's checkpoints are kept, the current one first."""
    return settings.home / VERIFIER_KEY_FILE


def _require_no_bank(settings: Settings, record: BankRecord | None) -> None:
    if record is not None:
        raise BankExists("bank-exists", home=str(settings.home))


def _bank(
    settings: Settings, store: SqlStore, keyring: Keyring, vault: SealedVault, record: BankRecord
) -> Bank:
    signer = KeyringSigner(keyring)
    return Bank(
        record=record,
        store=store,
        vault=vault,
        verifier_keys=(signer.verifier_key,),
        signer=signer,
        publication=_publication(settings),
        clock=now,
        random=secrets.token_bytes,
        vocabularies=Vocabularies.load().vocabularies,
        allow_test_numbers=settings.allow_test_numbers,
    )


def _publication(settings: Settings) -> Publication:
    # Where another process publishes, it is supposed to keep the usual interval.
    witnesses = settings.witness_keys_file
    return Publication(
        outside=CheckpointFile(settings.checkpoint_file),
        witnesses=() if witnesses is None else read_witness_keys(witnesses),
        every_seconds=settings.publish_seconds or PUBLISH_EVERY_SECONDS,
    )


def _vault(keyring: Keyring) -> SealedVault:
    return SealedVault(key_encryption_key=keyring.key_encryption_key, index_key=keyring.index_key)


def _new_or_made_keyring(settings: Settings, passphrase: Callable[[], str], origin: str) -> Keyring:
    if settings.development_key is not None:
        return development_keyring(settings.development_key.get_secret_value(), origin=origin)
    if settings.key_file.exists():
        made = read_key_file(settings.key_file, passphrase=passphrase())
        if made.origin != origin:
            raise Misconfigured("origin-differs", found=made.origin, asked=origin)
        return made
    keyring = new_keyring(origin=origin)
    create_key_file(settings.key_file, keyring, passphrase=passphrase())
    return keyring
