"""No account is ever sealed under a key that is gone; wrapping all of them again may be stopped anywhere."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest
from alembic import command
from sqlalchemy import Engine, text

from creditbank.account.records import AccountRecord
from creditbank.errors import Conflict
from creditbank.identity.names import PersonNames
from creditbank.identity.person import Person
from creditbank.ledger.key_entry import KEY_ADDED, KEY_RETIRED, NamedKey
from creditbank.services.accounts import open_account, read_account
from creditbank.services.bank import Principal
from creditbank.services.books import Store
from creditbank.services.institutions import Institution, register_in, subject_of
from creditbank.services.keys import KeyStillNeeded, next_encryption_key, retire_key
from creditbank.services.rewrapping import REWRAPPED_AT_ONCE, accounts_to_rewrap, rewrap_accounts
from creditbank.signing.key_cabinet import KeyCabinet
from creditbank.signing.key_file import create_key_file
from creditbank.signing.keys import Keyring, encryption_key, new_keyring
from creditbank.storage.schema import SchemaState, _config, schema_state, upgrade
from creditbank.storage.sql_store import SqlStore
from creditbank.storage.sql_structure import structure_findings
from creditbank.storage.vault import EncryptionKeyUnusable
from creditbank.terms import Microseconds
from tests.banks import OPERATOR, SOMEBODY, bank_with
from tests.contract.rewrapper import NEWER, accounts_of, keyring_with_newer
from tests.engines import opened, postgresql_url, sqlite_url
from tests.strategies.books import account, subject

NEW = "newer"


def under(key_id: str, name: object) -> AccountRecord:
    return replace(account(name), wrapped_by=key_id)


def add(store: Store, *records: AccountRecord) -> None:
    with store.writing() as books:
        books.accounts.add(records)


def test_a_bank_begins_with_the_key_it_was_made_with(store: Store) -> None:
    with store.reading() as books:
        assert books.accounts.admitted_keys() == {"initial"}
        assert books.accounts.wrapped_by() == {"initial": 0}
    add(store, account("1"), account("2"))
    with store.writing() as books:
        books.accounts.admit_key(NEW)
        books.accounts.admit_key(NEW)
        books.accounts.add([under(NEW, "3")])
        assert books.accounts.wrapped_by() == {"initial": 2, NEW: 1}
        assert books.accounts.find(subject("3")) == under(NEW, "3")


def test_no_account_is_sealed_under_a_key_that_is_not_admitted(store: Store) -> None:
    with store.writing() as books:
        with pytest.raises(EncryptionKeyUnusable) as refused:
            books.accounts.add([account("1"), under(NEW, "2")])
        assert (refused.value.reason, refused.value.values) == ("encryption-key-dismissed", {"key": NEW})
        # Nothing of the refused call is there, and the transaction goes on.
        books.accounts.add([account("3")])
    with store.writing() as books:
        assert books.accounts.find(subject("1")) is None
        with pytest.raises(EncryptionKeyUnusable):
            books.accounts.rewrap([(account("3"), replace(under(NEW, "3"), wrapped_key=b"new"))])
        assert books.accounts.find(subject("3")) == account("3")


def test_a_key_goes_once_it_wraps_nothing_and_does_not_come_back_unasked(store: Store) -> None:
    add(store, account("1"))
    with store.writing() as books:
        with pytest.raises(Conflict, match="encryption-key-wraps") as refused:
            books.accounts.dismiss_key("initial")
        assert refused.value.values == {"key": "initial", "accounts": 1}
        books.accounts.admit_key(NEW)
        books.accounts.rewrap([(account("1"), replace(under(NEW, "1"), wrapped_key=b"wrapped again"))])
    with store.writing() as books:
        books.accounts.dismiss_key("initial")
        books.accounts.dismiss_key("initial")
        books.accounts.dismiss_key("never there")
        assert books.accounts.admitted_keys() == {NEW}
    with pytest.raises(EncryptionKeyUnusable):
        add(store, account("2"))


def test_the_accounts_of_other_keys_come_in_order_and_in_pieces(store: Store) -> None:
    with store.writing() as books:
        books.accounts.admit_key(NEW)
        books.accounts.add([account(name) for name in "dBa1c"])
        books.accounts.add([under(NEW, "b")])
    order = [account(name) for name in "1Bacd"]
    with store.reading() as books:
        assert books.accounts.not_wrapped_by(NEW, after=None, limit=9) == order
        assert books.accounts.not_wrapped_by(NEW, after=None, limit=2) == order[:2]
        assert books.accounts.not_wrapped_by(NEW, after=subject("B"), limit=2) == order[2:4]
        assert books.accounts.not_wrapped_by(NEW, after=subject("d"), limit=2) == []
        assert books.accounts.not_wrapped_by("initial", after=None, limit=9) == [under(NEW, "b")]


def test_what_changed_since_it_was_read_is_not_wrapped_again(store: Store) -> None:
    add(store, account("1", citizen=b"n" * 32), account("2"))
    read = [account("1", citizen=b"n" * 32), replace(account("2"), wrapped_key=b"as it was before")]
    with store.writing() as books:
        books.accounts.admit_key(NEW)
        books.accounts.rewrap(
            [(record, replace(record, wrapped_key=b"again", wrapped_by=NEW)) for record in read]
        )
        books.accounts.rewrap([])
    changed = replace(read[0], wrapped_key=b"again", wrapped_by=NEW)
    with store.reading() as books:
        assert books.accounts.find(subject("1")) == changed
        assert books.accounts.find_by_citizen([b"n" * 32]) == {b"n" * 32: changed}
        assert books.accounts.find(subject("2")) == account("2")


def test_all_accounts_are_wrapped_again_and_one_that_does_not_open_is_named(store: Store) -> None:
    keyring = new_keyring(origin="bank.test", operator=OPERATOR, made_at=Microseconds(1))
    bank = bank_with(keyring, store)
    people = {
        subject(name): Person(names=PersonNames(chinese="学习者"), phone=f"1380000{name:04}")
        for name in range(REWRAPPED_AT_ONCE + 3)
    }
    records = [bank.vault.seal(who, person, opened_at=bank.now()) for who, person in people.items()]
    damaged = replace(records[7], wrapped_key=records[8].wrapped_key)
    add(store, *[damaged if record is records[7] else record for record in records])
    assert accounts_to_rewrap(bank) == 0
    newer = with_newer(keyring)
    bank = bank_with(newer, store)
    with store.writing() as books:
        books.accounts.admit_key(NEW)
    assert accounts_to_rewrap(bank) == len(records)
    steps: list[int] = []
    rewrapped = rewrap_accounts(bank, on_progress=steps.append)
    assert (rewrapped.accounts, rewrapped.unreadable) == (len(records) - 1, (damaged.subject,))
    assert sum(steps) == len(records)
    assert max(steps) <= REWRAPPED_AT_ONCE
    without_first = newer.retire(NamedKey(purpose="encryption", id="initial"), at=Microseconds(2))
    vault = bank_with(without_first, store).vault
    with store.reading() as books:
        assert books.accounts.wrapped_by() == {"initial": 1, NEW: len(records) - 1}
        for who, person in people.items():
            if who != damaged.subject:
                record = books.accounts.find(who)
                assert record is not None
                assert vault.unseal(record) == person
    assert rewrap_accounts(bank).accounts == 0


def test_an_encryption_key_is_rotated_and_retired_on_every_store(store: Store, tmp_path: Path) -> None:
    keyring = new_keyring(origin="bank.test", operator=OPERATOR, made_at=Microseconds(1))
    main = create_key_file(tmp_path / "keys.sealed", keyring, passphrase="correct horse battery", cost=2)
    cabinet = KeyCabinet(main, public_keys=tmp_path / "log.vkey")
    bank = bank_with(keyring, store)
    with store.writing() as books:
        books.bank.write(bank.record)
        operator = Institution(issuer=OPERATOR, name="教育局", role="education-bureau")
        register_in(bank, books, operator, by=OPERATOR)
    by = Principal.operator(OPERATOR)
    number = open_account(bank, by, SOMEBODY).number
    key = next_encryption_key(bank, by, cabinet)
    assert key is not None
    assert next_encryption_key(bank, by, cabinet) is None
    with pytest.raises(KeyStillNeeded, match="encryption-key-wraps"):
        retire_key(bank, by, cabinet, "encryption", "initial")
    assert rewrap_accounts(bank_with(cabinet.keyring, store)).accounts == 1
    retire_key(bank, by, cabinet, "encryption", "initial")
    with store.reading() as books:
        assert books.accounts.wrapped_by() == {key.id: 1}
        kinds = [entry.leaf.kind for entry in books.ledger.entries_of(subject_of(OPERATOR))]
    # Those that the bank was made with, of which nothing was written here, and the new one.
    assert kinds == ["institution.registered", *[KEY_ADDED] * 5, KEY_RETIRED]
    assert read_account(bank_with(cabinet.keyring, store), number).person == SOMEBODY
    with pytest.raises(EncryptionKeyUnusable, match="encryption-key-dismissed"):
        open_account(bank, by, SOMEBODY)


def with_newer(keyring: Keyring) -> Keyring:
    key = encryption_key(b"n" * 32, key_id=NEW, made_at=Microseconds(2))
    return keyring.with_key(key).put_in_force(key.name)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield sqlite_url(tmp_path)
    else:
        with postgresql_url() as database:
            yield database


def test_a_killed_run_leaves_every_account_readable_and_the_next_goes_on(url: str) -> None:
    people = accounts_of(url, count=3 * REWRAPPED_AT_ONCE)
    # Killed in its second transaction, and the next one in its first.
    for die_at, done in ((REWRAPPED_AT_ONCE + 200, REWRAPPED_AT_ONCE), (1, REWRAPPED_AT_ONCE)):
        command_line = [sys.executable, "-m", "tests.contract.rewrapper", url, str(die_at)]
        assert subprocess.run(command_line, check=False).returncode == -signal.SIGKILL
        assert_readable(url, people)
        assert wrapped_by(url) == {"initial": len(people) - done, NEWER: done}
    with opened(url) as engine:
        rewrapped = rewrap_accounts(bank_with(keyring_with_newer(), SqlStore(engine)))
    assert rewrapped.accounts == len(people) - REWRAPPED_AT_ONCE
    assert_readable(url, people)
    assert wrapped_by(url) == {"initial": 0, NEWER: len(people)}


def wrapped_by(url: str) -> Mapping[str, int]:
    with opened(url) as engine, SqlStore(engine).reading() as books:
        return books.accounts.wrapped_by()


def assert_readable(url: str, people: dict[str, Person]) -> None:
    with opened(url) as engine, SqlStore(engine).reading() as books:
        vault = bank_with(keyring_with_newer(), SqlStore(engine)).vault
        for who, person in people.items():
            record = books.accounts.find(subject(who))
            assert record is not None
            assert vault.unseal(record) == person


def test_a_key_does_not_go_while_a_transaction_seals_under_it() -> None:
    with postgresql_url() as url, opened(url) as engine:
        store = SqlStore(engine)
        outcome: list[str] = []
        sealed = Event()

        def dismiss() -> None:
            sealed.wait(10)
            try:
                with store.writing() as books:
                    books.accounts.dismiss_key("initial")
                outcome.append("dismissed")
            except Conflict as error:
                outcome.append(error.reason)

        thread = Thread(target=dismiss)
        thread.start()
        with store.writing() as books:
            books.accounts.add([account("1")])
            sealed.set()
            thread.join(0.5)
            assert outcome == []  # it waits for this transaction to end
        thread.join(10)
        assert outcome == ["encryption-key-wraps"]


def test_the_accounts_of_an_older_database_are_its_first_keys(tmp_path: Path, url: str) -> None:
    with opened(url) as engine:
        as_before(engine)
        assert schema_state(engine) is SchemaState.OLDER
        with engine.begin() as connection:
            for name, index in (("1", None), ("2", b"n" * 32)):
                connection.execute(
                    text("INSERT INTO account VALUES (:subject, 7, :index, :key, :identity)"),
                    {
                        "subject": subject(name),
                        "index": index,
                        "key": account(name).wrapped_key,
                        "identity": account(name).identity,
                    },
                )
        upgrade(engine)
        assert list(structure_findings(engine)) == []
        with SqlStore(engine).reading() as books:
            for name, index in (("1", None), ("2", b"n" * 32)):
                assert books.accounts.find(subject(name)) == replace(
                    account(name, citizen=index), opened_at=Microseconds(7)
                )
            assert books.accounts.wrapped_by() == {"initial": 2}


def as_before(engine: Engine) -> None:
    """Make the database anew as the version before encryption keys were named made it."""
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            for (name,) in connection.execute(
                text("SELECT name FROM sqlite_master WHERE type = 'table'")
            ).all():
                connection.execute(text("PRAGMA defer_foreign_keys = ON"))
                connection.execute(text(f'DROP TABLE "{name}"'))
        else:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    with engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
