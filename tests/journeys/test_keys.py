"""Keys on the command line: rotated, retired, and what stays readable."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from creditbank.ledger.checkpoint import open_note, parse_verifier_keys
from creditbank.ledger.encoding import JsonValue, canonical_bytes
from creditbank.ledger.key_entry import KEY_ADDED, KEY_RETIRED
from creditbank.samples.people import sample_issuer, sample_learners
from creditbank.samples.workbooks import sample_workbooks
from creditbank.signing.keys import Keyring
from creditbank.vocabularies.library import Vocabularies
from tests.banks import OPERATOR
from tests.commands import Commands
from tests.journeys.sealed import (
    EAST,
    LOG_PASSPHRASE,
    ORIGIN,
    PASSPHRASE,
    STATION,
    TODAY,
    entries_of,
    keyring_of,
    listed,
    open_account,
)


@pytest.fixture
def commands(sealed_commands: Commands) -> Commands:
    """Commands on a bank whose keys are in a sealed file."""
    return sealed_commands


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    books = sample_workbooks(Vocabularies.load().vocabularies, on=TODAY)
    path = tmp_path / "certificates.xlsx"
    path.write_bytes(next(book for book in books if book.kind == "skill-certificate").content)
    return path


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
