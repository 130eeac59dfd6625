"""Builds the parts of the bank from the settings; alone in knowing every concrete class.

The only place that asks the system for the time.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from creditbank.account.records import BankRecord
from creditbank.conversion.solver import Solver
from creditbank.errors import Misconfigured
from creditbank.ledger.checkpoint import verifier_keys_text
from creditbank.services.bank import Bank, Publication
from creditbank.services.institutions import Institution, register_in
from creditbank.services.keys import record_keys
from creditbank.services.ports import Cleaner, Signer, Vault
from creditbank.services.publishing import begin_outside
from creditbank.settings import PUBLISH_EVERY_SECONDS, Settings
from creditbank.signing.command_signer import CommandSigner
from creditbank.signing.key_cabinet import KeyCabinet
from creditbank.signing.key_file import create_key_file, read_key_file
from creditbank.signing.key_signer import KeySigner, signer_with
from creditbank.signing.keys import Keyring, development_keyring, new_keyring
from creditbank.signing.opening import (
    KeySources,
    Passphrase,
    open_cabinet,
    open_keyring,
    open_log_keyring,
)
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
from creditbank.storage.sql_cleaning import clean
from creditbank.storage.sql_copy import copy_sqlite
from creditbank.storage.sql_examination import SqlExamination, examined
from creditbank.storage.sql_store import SqlStore
from creditbank.storage.vault import ClosedVault, SealedVault
from creditbank.terms import IssuerId, microseconds
from creditbank.vocabularies.library import Vocabularies

VERIFIER_KEY_FILE = "log.vkey"


class BankExists(Misconfigured):
    """The database belongs to a bank already."""

    code = "bank-exists"


def now() -> datetime:
    """Return the wall clock's instant, aware UTC."""
    return datetime.now(UTC)


def open_bank(
    settings: Settings, *, passphrase: Passphrase, log_passphrase: Passphrase | None = None
) -> Bank:
    """Open the bank that the settings name.

    `log_passphrase` opens the file in which the log's own key lives apart, where it is another one.

    Raises:
        Misconfigured: the keys or the database are missing, wrong, damaged or of a newer version.
    """
    store = open_store(settings)
    record = _record_in(store)
    keyring = _keyring_of(record, _key_sources(settings, passphrase, log_passphrase))
    return _bank(settings, store, keyring, record)


def open_log_bank(
    settings: Settings, *, passphrase: Passphrase, log_passphrase: Passphrase | None = None
) -> Bank:
    """Open the bank for a process that only publishes: where the log's own key lives apart, with it alone.

    Nobody's identity can be read with what is opened then.

    Raises:
        Misconfigured: as `open_bank` raises it.
    """
    if settings.checkpoint_key_file is None:
        return open_bank(settings, passphrase=passphrase, log_passphrase=log_passphrase)
    store = open_store(settings)
    keyring = open_log_keyring(_key_sources(settings, passphrase, log_passphrase))
    return _bank(settings, store, keyring, _record_in(store), vault=ClosedVault())


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenKeys:
    """The bank's keys, open to be changed, and the bank as these keys open it."""

    settings: Settings
    cabinet: KeyCabinet

    def bank(self) -> Bank:
        """Open the bank with the keys as they are now.

        Raises:
            Misconfigured: the database is missing, of another version, or belongs to other keys.
        """
        store = open_store(self.settings)
        return _bank(self.settings, store, self.cabinet.keyring, _record_in(store))


@contextmanager
def open_keys(
    settings: Settings,
    *,
    passphrase: Passphrase,
    log_passphrase: Passphrase | None = None,
    without_log_file: bool = False,
) -> Iterator[OpenKeys]:
    """Open the bank's keys to change them; nobody else can during the block.

    Raises:
        Misconfigured: as `open_cabinet` raises it.
    """
    sources = _key_sources(settings, passphrase, log_passphrase)
    public_keys = verifier_key_file(settings)
    with open_cabinet(sources, public_keys=public_keys, without_log_file=without_log_file) as cabinet:
        yield OpenKeys(settings=settings, cabinet=cabinet)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedKeys:
    """What there is to tell of a bank's keys."""

    keyring: Keyring
    accounts: Mapping[str, int]
    """How many accounts each encryption key wraps, by its id."""


def list_keys(
    settings: Settings, *, passphrase: Passphrase, log_passphrase: Passphrase | None = None
) -> ListedKeys:
    """Open the bank's keys to tell what they are, and what rests on them.

    Raises:
        Misconfigured: as `open_bank` raises it.
    """
    store = open_store(settings)
    record = _record_in(store)
    keyring = _keyring_of(record, _key_sources(settings, passphrase, log_passphrase))
    keyring.require_bank(record.key_check)
    with store.reading() as books:
        return ListedKeys(keyring=keyring, accounts=books.accounts.wrapped_by())


def open_log_signer(
    settings: Settings, *, passphrase: Passphrase, log_passphrase: Passphrase | None = None
) -> KeySigner:
    """Open the log's own key, without the database, and no other key where it lives apart.

    Raises:
        Misconfigured: it is not here, or the file cannot be opened.
    """
    sources = _key_sources(settings, passphrase, log_passphrase)
    keyring = open_keyring(sources) if sources.log_key_file is None else open_log_keyring(sources)
    signer = signer_with(keyring.current("checkpoint"))
    if signer is None:
        raise Misconfigured("checkpoint-key-elsewhere")
    return signer


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
    keyring = _new_or_made_keyring(settings, passphrase, origin, operator.issuer)
    create_or_upgrade(engine)
    record = BankRecord(
        origin=keyring.origin,
        key_check=keyring.key_check,
        operator=operator.issuer,
        created_at=microseconds(now()),
    )
    bank = _bank(settings, store, keyring, record)
    settings.home.mkdir(parents=True, exist_ok=True)
    verifier_key_file(settings).write_text(verifier_keys_text(bank.verifier_keys), encoding="utf-8")
    begin_outside(bank)
    with store.writing() as books:
        _require_no_bank(settings, books.bank.read())
        books.bank.write(record)
        register_in(bank, books, operator, by=operator.issuer)
        record_keys(bank, books, [key.name for key in keyring.keys])
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


def durability(bank: Bank) -> Mapping[str, str]:
    """Return what keeps a commit: the engine, its version, and on SQLite the settings in force."""
    assert isinstance(bank.store, SqlStore)
    return bank.store.durability()


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


def open_cleaner(settings: Settings) -> Cleaner:
    """Return what cleans the database behind everything that was deleted from it."""
    engine = open_engine(settings.database_url.get_secret_value())
    return lambda on_step: clean(engine, on_step)


def verifier_key_file(settings: Settings) -> Path:
    """Return where the public keys that check the bank's checkpoints are kept, the current one first."""
    return settings.home / VERIFIER_KEY_FILE


def _require_no_bank(settings: Settings, record: BankRecord | None) -> None:
    if record is not None:
        raise BankExists("bank-exists", home=str(settings.home))


def _record_in(store: SqlStore) -> BankRecord:
    with store.reading() as books:
        record = books.bank.read()
    if record is None:
        raise Misconfigured("bank-not-made")
    return record


def _keyring_of(record: BankRecord, sources: KeySources) -> Keyring:
    return open_keyring(sources, development_origin=record.origin, operator=record.operator)


def _bank(
    settings: Settings, store: SqlStore, keyring: Keyring, record: BankRecord, *, vault: Vault | None = None
) -> Bank:
    keyring.require_bank(record.key_check)
    institution_keys = {code: keyring.current("institution", code) for code in keyring.institutions()}
    signers = {code: signer_with(key) for code, key in institution_keys.items()}
    return Bank(
        record=record,
        store=store,
        vault=_vault(store, keyring) if vault is None else vault,
        verifier_keys=keyring.verifier_keys,
        signer=_signer(settings, keyring),
        institution_signers={code: signer for code, signer in signers.items() if signer is not None},
        publication=_publication(settings),
        clock=now,
        random=secrets.token_bytes,
        vocabularies=Vocabularies.load().vocabularies,
        allow_test_numbers=settings.allow_test_numbers,
        solver=_solver(settings),
    )


def _publication(settings: Settings) -> Publication:
    # Where another process publishes, it is supposed to keep the usual interval.
    witnesses = settings.witness_keys_file
    return Publication(
        outside=CheckpointFile(settings.checkpoint_file),
        witnesses=() if witnesses is None else read_witness_keys(witnesses),
        every_seconds=settings.publish_seconds or PUBLISH_EVERY_SECONDS,
    )


def _key_sources(settings: Settings, passphrase: Passphrase, log_passphrase: Passphrase | None) -> KeySources:
    secret = settings.development_key
    return KeySources(
        key_file=settings.key_file,
        passphrase=passphrase,
        log_key_file=settings.checkpoint_key_file,
        log_passphrase=log_passphrase,
        development_key=None if secret is None else secret.get_secret_value(),
    )


def _signer(settings: Settings, keyring: Keyring) -> Signer | None:
    current = keyring.current("checkpoint")
    if settings.signer_command and current is not None and current.name.verifier_key is not None:
        return CommandSigner(settings.signer_command, verifier_key=current.name.verifier_key)
    return signer_with(current)


def _solver(settings: Settings) -> Solver | None:
    """Return the solver that the settings name.

    Raises:
        Misconfigured: it is not installed.
    """
    if settings.solver is None:
        return None
    try:
        from creditbank.solver.highs import Highs  # an optional extra
    except ImportError as error:
        raise Misconfigured("solver-not-installed", field="solver", name=settings.solver) from error
    return Highs()


def _vault(store: SqlStore, keyring: Keyring) -> SealedVault:
    index_key, current = keyring.index_key, keyring.current("encryption")
    with store.reading() as books:
        unknown = books.accounts.admitted_keys() - keyring.encryption_keys.keys()
    if current is None or unknown:
        raise Misconfigured("keys-older-than-database", keys=sorted(unknown))
    return SealedVault(
        encryption_keys=keyring.encryption_keys, wraps_with=current.name.id, index_key=index_key
    )


def _new_or_made_keyring(
    settings: Settings, passphrase: Callable[[], str], origin: str, operator: IssuerId
) -> Keyring:
    if settings.development_key is not None:
        secret = settings.development_key.get_secret_value()
        return development_keyring(secret, origin=origin, operator=operator)
    if settings.key_file.exists():
        made = read_key_file(settings.key_file, passphrase=passphrase()).keyring
        if made.origin != origin:
            raise Misconfigured("origin-differs", found=made.origin, asked=origin)
        if made.institutions() not in {(), (operator,)}:
            raise Misconfigured("operator-differs", found=made.institutions(), asked=operator)
        return made
    keyring = new_keyring(origin=origin, operator=operator, made_at=microseconds(now()))
    create_key_file(settings.key_file, keyring, passphrase=passphrase())
    return keyring
