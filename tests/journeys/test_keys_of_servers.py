"""Servers that began with older keys, while the keys change."""

from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from creditbank.errors import Misconfigured, NotAuthorised
from creditbank.ledger.checkpoint import VerifierKey, open_note, parse_verifier_keys
from creditbank.ledger.key_entry import KeyPurpose, NamedKey
from creditbank.rulepacks.library import Library
from creditbank.services.accounts import read_account
from creditbank.services.bank import Bank, Principal, Publication
from creditbank.services.institutions import Institution, register_in, subject_of
from creditbank.services.keys import (
    KeyStillNeeded,
    add_key,
    key_of_institution,
    keys_of,
    next_encryption_key,
    retire_key,
)
from creditbank.services.log import prove_entry
from creditbank.services.publishing import begin_outside, publish_now
from creditbank.services.rewrapping import rewrap_accounts
from creditbank.signing.key_cabinet import KeyCabinet
from creditbank.signing.key_file import create_key_file
from creditbank.signing.keys import KeysUnavailable, new_keyring
from creditbank.signing.opening import KeySources, open_cabinet, open_keyring
from creditbank.storage.checkpoint_file import MemoryCheckpoint
from creditbank.storage.memory_store import MemoryStore
from creditbank.storage.vault import EncryptionKeyUnusable
from creditbank.terms import IssuerId, Microseconds
from tests.banks import BEGINNING, OPERATOR, SOMEBODY, bank_with, new_account
from tests.journeys.sealed import BY, EAST, ORIGIN, PASSPHRASE


class Running:
    """A bank whose keys change while processes that began with older ones go on."""

    def __init__(self, folder: Path) -> None:
        self.store = MemoryStore()
        keyring = new_keyring(origin=ORIGIN, operator=OPERATOR, made_at=Microseconds(1))
        main = create_key_file(folder / "keys.sealed", keyring, passphrase=PASSPHRASE, cost=2)
        self.cabinet = KeyCabinet(main, public_keys=folder / "log.vkey")
        self._seconds = count()
        self._publication = Publication(outside=MemoryCheckpoint())
        bank = self.bank()
        begin_outside(bank)
        with self.store.writing() as books:
            books.bank.write(bank.record)
            for code in (OPERATOR, EAST):
                register_in(bank, books, Institution(issuer=code, name="机构", role="school"), by=OPERATOR)

    def bank(self) -> Bank:
        """Begin a process with the keys as they are now."""
        return replace(
            bank_with(self.cabinet.keyring, self.store),
            clock=lambda: BEGINNING + timedelta(seconds=next(self._seconds)),
            publication=self._publication,
        )

    def rotate(self, purpose: KeyPurpose, *, institution: IssuerId | None = None) -> NamedKey:
        return add_key(self.bank(), BY, self.cabinet, purpose, institution=institution)

    def retire(self, key: NamedKey) -> None:
        retire_key(self.bank(), BY, self.cabinet, key.purpose, key.id)


@pytest.fixture
def running(tmp_path: Path) -> Running:
    return Running(tmp_path)


def test_a_server_that_does_not_know_the_newest_log_key_asks_to_be_started_again(running: Running) -> None:
    old = running.bank()
    publish_now(old)
    running.rotate("checkpoint")
    # Until the new key signs, the old one may.
    new_account(old)
    before = publish_now(old).checkpoint
    newer = running.bank()
    new_account(newer)
    after = publish_now(newer).checkpoint
    assert before.size < after.size
    with pytest.raises(Misconfigured, match="checkpoint-key-unknown"):
        publish_now(old)
    with pytest.raises(Misconfigured, match="checkpoint-key-unknown"):
        prove_entry(old, subject_of(OPERATOR), 0)


def test_a_server_whose_log_key_was_retired_signs_nothing_more(running: Running) -> None:
    retired = running.cabinet.current("checkpoint")
    assert retired is not None
    old = running.bank()
    running.rotate("checkpoint")
    new_account(old)
    publish_now(old)
    running.retire(retired)
    new_account(old)
    with pytest.raises(Misconfigured, match="checkpoint-key-retired"):
        publish_now(old)
    publish_now(running.bank())


def test_a_server_with_an_old_encryption_key_reads_and_seals_until_the_key_is_gone(running: Running) -> None:
    initial = running.cabinet.current("encryption")
    assert initial is not None
    old = running.bank()
    mine = new_account(old)
    running.rotate("encryption")
    newer = running.bank()
    theirs = new_account(newer)
    with pytest.raises(EncryptionKeyUnusable, match="encryption-key-unknown"):
        read_account(old, theirs)
    assert rewrap_accounts(newer).accounts == 1
    with pytest.raises(EncryptionKeyUnusable, match="encryption-key-unknown"):
        read_account(old, mine)
    late = new_account(old)
    # It wraps an account again: it cannot go before that one is wrapped by the newer.
    with pytest.raises(KeyStillNeeded, match="encryption-key-wraps"):
        running.retire(initial)
    assert rewrap_accounts(newer).accounts == 1
    running.retire(initial)
    with pytest.raises(EncryptionKeyUnusable, match="encryption-key-dismissed"):
        new_account(old)
    for number in (mine, theirs, late):
        assert read_account(running.bank(), number).person == SOMEBODY


def test_the_ledger_alone_says_which_key_an_institution_signed_with_at_an_instant(running: Running) -> None:
    added: list[tuple[Microseconds, VerifierKey | None]] = []
    for _ in range(3):
        key = running.rotate("institution", institution=EAST)
        with running.store.reading() as books:
            newest = keys_of(books, EAST)[-1]
        assert newest.key == key
        added.append((newest.added_at, key.verifier_key))
    running.retire(key)
    with running.store.reading() as books:
        ends = [at for at, _ in added[1:]] + [at for at in [keys_of(books, EAST)[-1].retired_at] if at]
        for (begins, verifier_key), end in zip(added, ends, strict=True):
            for at in (begins, Microseconds(end - 1)):
                assert key_of_institution(books, EAST, at=at) == verifier_key
        assert key_of_institution(books, EAST, at=Microseconds(added[0][0] - 1)) is None
        assert key_of_institution(books, EAST, at=ends[-1]) is None


def test_a_server_without_the_logs_key_serves_what_others_sign(running: Running) -> None:
    running.rotate("checkpoint")
    publish_now(running.bank())
    server = replace(running.bank(), signer=None)
    client = TestClient(create_app(server, Library.load(check=False), token_digest=bytes(32)))
    note = client.get("/checkpoint")
    keys = parse_verifier_keys(client.get("/verifier-key").text)
    assert keys == running.cabinet.keyring.verifier_keys
    assert len(keys) == 2
    with running.store.reading() as books:
        assert open_note(note.content, keys).size == books.ledger.size()
    new_account(server)
    with pytest.raises(Misconfigured, match="checkpoint-key-elsewhere"):
        publish_now(server)
    assert client.get("/checkpoint").content == note.content


def test_only_the_operator_changes_keys(running: Running) -> None:
    bank, school, cabinet = running.bank(), Principal(issuer=EAST), running.cabinet
    before = cabinet.keyring
    with pytest.raises(NotAuthorised):
        add_key(bank, school, cabinet, "checkpoint")
    with pytest.raises(NotAuthorised):
        next_encryption_key(bank, school, cabinet)
    with pytest.raises(NotAuthorised):
        retire_key(bank, school, cabinet, "encryption", "initial")
    assert cabinet.keyring == before


def test_two_commands_do_not_change_keys_at_once(tmp_path: Path) -> None:
    keyring = new_keyring(origin=ORIGIN, operator=OPERATOR, made_at=Microseconds(1))
    path = tmp_path / "keys.sealed"
    create_key_file(path, keyring, passphrase=PASSPHRASE, cost=2)
    sources = KeySources(key_file=path, passphrase=lambda: PASSPHRASE)
    public = tmp_path / "log.vkey"
    with open_cabinet(sources, public_keys=public):
        with (
            pytest.raises(KeysUnavailable, match="keys-being-changed"),
            open_cabinet(sources, public_keys=public),
        ):
            pass
        assert open_keyring(sources) == keyring  # whoever only reads them waits for nobody
    with open_cabinet(sources, public_keys=public):
        pass
