"""Keys on the command line and in running servers: rotated, retired, split, and what stays readable."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from fastapi.testclient import TestClient

from api.app import create_app
from creditbank.errors import Misconfigured, NotAuthorised
from creditbank.ledger.checkpoint import Checkpoint, VerifierKey, open_note, parse_verifier_keys
from creditbank.ledger.encoding import JsonValue, canonical_bytes
from creditbank.ledger.key_entry import KEY_ADDED, KEY_RETIRED, KeyPurpose, NamedKey
from creditbank.rulepacks.library import Library
from creditbank.samples.people import sample_issuer, sample_learners
from creditbank.samples.workbooks import sample_workbooks
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
from creditbank.signing.key_file import create_key_file, read_key_file
from creditbank.signing.key_signer import KeySigner
from creditbank.signing.keys import Keyring, KeysUnavailable, new_keyring
from creditbank.signing.opening import KeySources, open_cabinet, open_keyring
from creditbank.storage.checkpoint_file import MemoryCheckpoint
from creditbank.storage.engine import open_engine
from creditbank.storage.memory_store import MemoryStore
from creditbank.storage.sql_store import SqlStore
from creditbank.storage.vault import EncryptionKeyUnusable
from creditbank.terms import IssuerId, Microseconds
from creditbank.vocabularies.library import Vocabularies
from tests.banks import BEGINNING, OPERATOR, SOMEBODY, bank_with, new_account
from tests.commands import Commands

BY = Principal.operator(OPERATOR)
PASSPHRASE = "correct horse battery"
LOG_PASSPHRASE = "another horse battery"
EAST, STATION = sample_issuer("school-east"), sample_issuer("station")
TODAY = date(2025, 11, 23)
ORIGIN = "bank.test"


@pytest.fixture(scope="session")
def sealed_bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bank with a key file, made once, and sealed again cheaply so that commands open it quickly."""
    home = tmp_path_factory.mktemp("sealed")
    (home / "passphrase").write_text(PASSPHRASE)
    commands = Commands(home, CREDITBANK_PASSPHRASE_FILE=str(home / "passphrase"))
    commands.run("init", "--origin", ORIGIN, "--operator", OPERATOR, "--name", "昌都教育局（测试）")
    commands.run("institution", "register", EAST, "--name", "school-east", "--role", "school")
    commands.run("institution", "register", STATION, "--name", "station", "--role", "appraisal-station")
    keyring = read_key_file(home / "keys.sealed", passphrase=PASSPHRASE).keyring
    (home / "keys.sealed").unlink()
    create_key_file(home / "keys.sealed", keyring, passphrase=PASSPHRASE, cost=2)
    return home


@pytest.fixture
def commands(sealed_bank: Path, tmp_path: Path) -> Commands:
    """Commands on a bank of the test's own."""
    home = tmp_path / "bank"
    shutil.copytree(sealed_bank, home)
    return Commands(home, CREDITBANK_PASSPHRASE_FILE=str(home / "passphrase"))


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    books = sample_workbooks(Vocabularies.load().vocabularies, on=TODAY)
    path = tmp_path / "certificates.xlsx"
    path.write_bytes(next(book for book in books if book.kind == "skill-certificate").content)
    return path


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


# On the command line.


def test_a_bank_is_made_with_its_keys_in_its_ledger(commands: Commands) -> None:
    assert entries_of(commands, OPERATOR) == ["institution.registered", *[KEY_ADDED] * 4]
    keys = commands.run("keys", "list", "--json").json
    assert [(key["purpose"], key["state"]) for key in keys] == [
        ("checkpoint", "current"),
        ("encryption", "current"),
        ("index", "current"),
        ("institution", "current"),
    ]
    shown = commands.run("keys", "list").out
    keyring = keyring_of(commands)
    for key in keyring.keys:
        assert key.secret is not None
        assert key.secret.hex() not in shown
        assert key.name.id in shown
        assert key.name.verifier_key is None or key.name.verifier_key.encode() in shown


def test_checkpoints_of_a_retired_key_verify_as_long_as_the_log_lasts(
    commands: Commands, tmp_path: Path
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    commands.run("ledger", "checkpoint", "--out", old)
    first = keyring_of(commands).verifier_keys[0]
    commands.run("keys", "retire", "checkpoint", first.key_id.hex(), code=2)
    commands.run("keys", "rotate", "checkpoint")
    second = keyring_of(commands).verifier_keys[0]
    assert listed(commands, "checkpoint") == [
        (first.key_id.hex(), "replaced"),
        (second.key_id.hex(), "current"),
    ]
    open_account(commands, 0)
    commands.run("ledger", "checkpoint", "--out", new)
    commands.run("keys", "retire", "checkpoint", first.key_id.hex())
    again = commands.run("keys", "retire", "checkpoint", first.key_id.hex())
    assert first.key_id.hex() in again.out
    assert listed(commands, "checkpoint")[0] == (first.key_id.hex(), "retired")
    published = parse_verifier_keys((commands.home / "log.vkey").read_text())
    assert published == keyring_of(commands).verifier_keys == (second, first)
    assert open_note(old.read_bytes(), [first]).size < open_note(new.read_bytes(), [second]).size
    for note in (old, new):
        verified = commands.run("ledger", "verify", "--checkpoint", note, "--json").json
        assert verified["findings"] == []
    assert entries_of(commands, OPERATOR).count(KEY_RETIRED) == 1


def test_a_receipt_is_signed_and_verified_offline_after_the_key_was_replaced(
    commands: Commands, workbook: Path, tmp_path: Path
) -> None:
    receipt, keys = tmp_path / "receipt.json", tmp_path / "keys"
    commands.run("import", workbook, "--issuer", STATION, "--receipt", receipt)
    commands.run("keys", "rotate", "institution", OPERATOR)
    keys.write_text(commands.run("institution", "keys", OPERATOR).out)
    assert len(parse_verifier_keys(keys.read_text())) == 2
    stranger = Commands(tmp_path / "nothing here")
    verify = ("institution", "verify-receipt", receipt, "--verifier-key", keys)
    assert "回执" in stranger.run(*verify).out
    signature = tmp_path / "receipt.json.sig"
    signature.rename(tmp_path / "elsewhere")
    stranger.run(*verify, "--signature", tmp_path / "elsewhere")
    stranger.run(*verify, code=2)
    (tmp_path / "elsewhere").rename(signature)
    receipt.write_bytes(receipt.read_bytes().replace(b"2", b"3", 1))
    assert "改动" in stranger.run(*verify, code=1).out


def test_a_receipt_can_be_had_again_with_its_signature(
    commands: Commands, workbook: Path, tmp_path: Path
) -> None:
    first, again = tmp_path / "first.json", tmp_path / "again.json"
    commands.run("import", workbook, "--issuer", STATION, "--receipt", first)
    commands.run("import", workbook, "--issuer", STATION, "--receipt", again)
    for suffix in ("", ".sig"):
        assert Path(f"{first}{suffix}").read_bytes() == Path(f"{again}{suffix}").read_bytes()
    commands.run("import", workbook, "--issuer", STATION, "--receipt", again, code=2)


def test_an_institution_gets_its_own_key_and_may_lose_it_again(commands: Commands) -> None:
    commands.run("institution", "keys", EAST, code=1)
    commands.run("keys", "rotate", "institution", EAST)
    assert entries_of(commands, EAST) == ["institution.registered", KEY_ADDED]
    (vkey,) = commands.run("institution", "keys", EAST, "--at", "2100-01-01T00:00Z").out.split()
    assert vkey.startswith(f"{ORIGIN}/{EAST}+")
    commands.run("institution", "keys", EAST, "--at", "2020-01-01T00:00Z", code=1)
    commands.run("institution", "keys", EAST, "--at", "2020-01-01", code=2)
    commands.run("keys", "retire", "institution", vkey.split("+")[1])
    commands.run("institution", "keys", EAST, "--at", "2100-01-01T00:00Z", code=1)
    assert commands.run("institution", "keys", EAST).out.split() == [vkey]
    unknown = commands.run("keys", "rotate", "institution", sample_issuer("school-river"), code=2)
    assert "institution-unknown" in unknown.err


def test_encryption_keys_rotate_and_go_once_they_wrap_nothing(commands: Commands) -> None:
    account = open_account(commands, 0)
    refused = commands.run("keys", "retire", "encryption", "initial", code=2)
    assert "key-in-force" in refused.err
    rotated = commands.run("keys", "rotate", "encryption")
    assert "已重新封装 1 个账号" in rotated.out
    (_, first), (newer, second) = listed(commands, "encryption")
    assert (first, second) == ("replaced", "current")
    commands.run("keys", "retire", "encryption", "initial")
    assert str(sample_learners()[0].names.chinese) in commands.run("account", "show", account).out
    commands.run("keys", "rotate", "encryption")
    assert listed(commands, "encryption")[0:2] == [("initial", "retired"), (newer, "replaced")]
    assert "index-key-stays" in commands.run("keys", "retire", "index", "initial", code=2).err
    assert "no-such-key" in commands.run("keys", "retire", "encryption", "0123", code=2).err


def test_the_passphrase_changes(commands: Commands, tmp_path: Path) -> None:
    new = tmp_path / "new"
    new.write_text("short")
    assert (
        "passphrase-too-short" in commands.run("keys", "passphrase", "--new-passphrase-file", new, code=2).err
    )
    new.write_text(LOG_PASSPHRASE)
    commands.run("keys", "passphrase", "--new-passphrase-file", new)
    assert "key-file-not-opened" in commands.run("keys", "list", code=2).err
    commands.run("--passphrase-file", new, "keys", "list")
    commands.run("--passphrase-file", new, "keys", "passphrase", code=2)  # nobody sits there to be asked


def apart(commands: Commands, tmp_path: Path) -> Commands:
    """Split the bank's keys, and return the commands of whoever may open the log's own file."""
    passphrase = tmp_path / "log-passphrase"
    passphrase.write_text(LOG_PASSPHRASE)
    holder = Commands(
        commands.home,
        CREDITBANK_PASSPHRASE_FILE=str(commands.home / "passphrase"),
        CREDITBANK_CHECKPOINT_KEY_FILE=str(tmp_path / "log.sealed"),
        CREDITBANK_CHECKPOINT_PASSPHRASE_FILE=str(passphrase),
    )
    holder.run("keys", "split")
    return holder


def test_the_log_key_lives_apart_and_whoever_does_not_sign_does_without(
    commands: Commands, tmp_path: Path
) -> None:
    assert "checkpoint-key-file-unset" in commands.run("keys", "split", code=2).err
    holder = apart(commands, tmp_path)
    holder.run("keys", "split")
    assert [key.secret for key in keyring_of(commands).keys if key.name.purpose == "checkpoint"] == [None]
    # The one opens accounts and signs nothing; the other signs, and opens the log's file alone.
    open_account(commands, 0)
    assert "checkpoint-key-elsewhere" in commands.run("ledger", "checkpoint", code=2).err
    assert "checkpoint-key-elsewhere" in commands.run("keys", "rotate", "checkpoint", code=2).err
    alone = Commands(
        commands.home,
        CREDITBANK_KEY_FILE=str(tmp_path / "not for you"),
        CREDITBANK_PASSPHRASE_FILE=str(tmp_path / "log-passphrase"),
        CREDITBANK_CHECKPOINT_KEY_FILE=str(tmp_path / "log.sealed"),
    )
    note = tmp_path / "note"
    alone.run("ledger", "checkpoint", "--out", note)
    assert open_note(note.read_bytes(), keyring_of(commands).verifier_keys).size > 0
    assert "no-key" in alone.run("institution", "register", EAST, "--name", "x", code=2).err
    log_alone = Commands(
        commands.home,
        CREDITBANK_KEY_FILE=str(tmp_path / "log.sealed"),
        CREDITBANK_PASSPHRASE_FILE=str(tmp_path / "log-passphrase"),
    )
    assert "keys-of-the-log-alone" in log_alone.run("keys", "rotate", "encryption", code=2).err
    # Both files change together, and each under its own passphrase.
    holder.run("keys", "rotate", "checkpoint")
    assert [state for _, state in listed(commands, "checkpoint")] == ["replaced", "current"]
    holder.run("keys", "passphrase", "--checkpoint", "--new-passphrase-file", commands.home / "passphrase")
    commands.run("keys", "list")
    assert "key-file-not-opened" in holder.run("keys", "list", code=2).err


def test_a_split_that_was_interrupted_is_finished_by_the_next_run(commands: Commands, tmp_path: Path) -> None:
    before = (commands.home / "keys.sealed").read_bytes()
    holder = apart(commands, tmp_path)
    # As if the machine had stopped when the log's own file was there and the main one still the old one.
    (commands.home / "keys.sealed").write_bytes(before)
    holder.run("ledger", "checkpoint")
    holder.run("keys", "split")
    assert [key.secret for key in keyring_of(commands).keys if key.name.purpose == "checkpoint"] == [None]
    holder.run("keys", "rotate", "checkpoint")


def test_a_command_signs_for_a_server_that_holds_no_key(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = apart(commands, tmp_path)
    for name in [name for name in os.environ if name.startswith("CREDITBANK_")]:
        monkeypatch.delenv(name)
    signing = [
        "env",
        f"CREDITBANK_CHECKPOINT_KEY_FILE={tmp_path / 'log.sealed'}",
        f"CREDITBANK_PASSPHRASE_FILE={tmp_path / 'log-passphrase'}",
        sys.executable,
        "-m",
        "creditbank",
        "keys",
        "sign",
    ]
    server = Commands(
        commands.home,
        CREDITBANK_PASSPHRASE_FILE=str(commands.home / "passphrase"),
        CREDITBANK_SIGNER_COMMAND=" ".join(signing),
    )
    note = tmp_path / "note"
    server.run("ledger", "checkpoint", "--out", note)
    assert open_note(note.read_bytes(), keyring_of(commands).verifier_keys).size > 0
    for body, reason in (
        (Checkpoint(origin="another.log", size=1, root=bytes(32)).body(), "checkpoint-of-another-log"),
        (b"pay 1000 to the bearer\n", "checkpoint-malformed"),
        (b"x" * 10_000, "checkpoint-malformed"),
        (b"", "checkpoint-malformed"),
    ):
        refused = holder.run("keys", "sign", code=2, given=body)
        assert refused.out == ""
        assert reason in refused.err


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl to stand for an HSM")
def test_a_key_that_an_hsm_holds_is_adopted_by_its_public_half(commands: Commands, tmp_path: Path) -> None:
    private, public, program = (tmp_path / name for name in ("private.pem", "public.pem", "sign"))
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", private], check=True)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
    # The script as operators are told to write it, with a file in the place of the token.
    guide = (Path(__file__).parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")
    script = guide[guide.index("#!/bin/sh -e") :].split("```")[0]
    program.write_text(script.replace("pkcs11:token=bank;object=log", str(private)))
    program.chmod(0o700)

    commands.run("keys", "rotate", "checkpoint", "--public-key", public)
    hsm, first = keyring_of(commands).verifier_keys
    assert "checkpoint-key-elsewhere" in commands.run("ledger", "checkpoint", code=2).err
    server = Commands(
        commands.home,
        CREDITBANK_PASSPHRASE_FILE=str(commands.home / "passphrase"),
        CREDITBANK_SIGNER_COMMAND=str(program),
    )
    note = tmp_path / "note"
    server.run("ledger", "checkpoint", "--out", note)
    assert open_note(note.read_bytes(), [hsm]).size > 0
    commands.run("keys", "retire", "checkpoint", first.key_id.hex())
    # And back to a key of the file: the old one goes, whoever holds it.
    assert "checkpoint-key-elsewhere" in commands.run("keys", "rotate", "checkpoint", code=2).err
    commands.run("keys", "rotate", "checkpoint", "--here")
    commands.run("keys", "retire", "checkpoint", hsm.key_id.hex())
    refused = commands.run("keys", "rotate", "checkpoint", "--public-key", public, code=2)
    assert "key-retired" in refused.err
    open_account(commands, 0)
    assert "signer-key-differs" in server.run("ledger", "checkpoint", code=2).err
    commands.run("ledger", "checkpoint")


def test_only_a_public_key_of_this_log_is_adopted(commands: Commands, tmp_path: Path) -> None:
    public = tmp_path / "public"
    other = ed25519.Ed25519PrivateKey.from_private_bytes(b"h" * 32).public_key()
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    pem, info = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    for content, reason in (
        (KeySigner(name="another.log", seed=b"h" * 32).verifier_key.encode().encode(), "key-of-another-log"),
        (curve.public_bytes(pem, info), "verifier-key-algorithm"),
        (other.public_bytes(pem, info)[:60], "verifier-key-malformed"),
        (b"\xff", "verifier-key-invalid"),
    ):
        public.write_bytes(content)
        refused = commands.run("keys", "rotate", "checkpoint", "--public-key", public, code=2)
        assert reason in refused.err
    assert [state for _, state in listed(commands, "checkpoint")] == ["current"]
    public.write_text(KeySigner(name=ORIGIN, seed=b"h" * 32).verifier_key.encode() + "\n")
    commands.run("keys", "rotate", "checkpoint", "--public-key", public)
    assert [state for _, state in listed(commands, "checkpoint")] == ["replaced", "current"]


def test_development_keys_work_and_do_not_change(tmp_path: Path) -> None:
    commands = Commands(
        tmp_path / "bank", CREDITBANK_DEVELOPMENT_KEY="YSBrZXkgdGhhdCBwcm90ZWN0cyBub3RoaW5nICEhISE="
    )
    commands.run("init", "--origin", ORIGIN, "--operator", OPERATOR, "--name", "教育局")
    assert entries_of(commands, OPERATOR) == ["institution.registered", *[KEY_ADDED] * 4]
    assert len(commands.run("keys", "list", "--json").json) == 4
    for change in (
        ("rotate", "checkpoint"),
        ("rotate", "encryption"),
        ("rotate", "institution", OPERATOR),
        ("retire", "encryption", "initial"),
        ("passphrase",),
    ):
        assert "development-key-fixed" in commands.run("keys", *change, code=2).err


def test_an_old_copy_of_the_key_file_is_refused_and_says_why(commands: Commands) -> None:
    path = commands.home / "keys.sealed"
    old = path.read_bytes()
    account = open_account(commands, 0)
    commands.run("keys", "rotate", "encryption")
    path.write_bytes(old)
    assert "keys-older-than-database" in commands.run("keys", "rotate", "encryption", code=2).err
    assert "keys-older-than-database" in commands.run("account", "show", account, code=2).err


def test_a_bank_of_version_1_gets_everything_with_the_first_change(commands: Commands) -> None:
    # As version 1 left it: single keys without names, and no word of them in the ledger.
    path = commands.home / "keys.sealed"
    keyring = keyring_of(commands)
    path.write_bytes(as_version_1(keyring))
    open_account(commands, 0)
    assert [key["state"] for key in commands.run("keys", "list", "--json").json] == ["current"] * 3
    assert b'"version":1' in path.read_bytes()
    commands.run("keys", "rotate", "institution", EAST)
    assert b'"version":2' in path.read_bytes()
    commands.run("keys", "rotate", "encryption")
    commands.run("keys", "retire", "encryption", "initial")
    open_account(commands, 1)
    assert commands.run("ledger", "verify", "--json").json["findings"] == []


def as_version_1(keyring: Keyring) -> bytes:
    members = {"checkpoint": "checkpoint_seed", "encryption": "key_encryption_key", "index": "index_key"}
    keys: dict[str, JsonValue] = {"origin": keyring.origin}
    for key in keyring.keys:
        if key.name.purpose in members and key.secret is not None:
            keys[members[key.name.purpose]] = key.secret.hex()
    salt, nonce = bytes(32), bytes(12)
    header: dict[str, JsonValue] = {
        "format": "creditbank-keys",
        "version": 1,
        "kdf": {"name": "scrypt", "n": 2, "r": 8, "p": 1, "salt": salt.hex()},
        "cipher": {"name": "AES-256-GCM", "nonce": nonce.hex()},
    }
    key_of_file = Scrypt(salt=salt, length=32, n=2, r=8, p=1).derive(PASSPHRASE.encode())
    sealed = AESGCM(key_of_file).encrypt(nonce, canonical_bytes(keys), canonical_bytes(header))
    return canonical_bytes(header | {"sealed": sealed.hex()}) + b"\n"


# In servers that began with older keys.


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
