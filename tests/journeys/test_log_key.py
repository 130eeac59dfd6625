"""The log's own key: split off into a file of its own, held by a command, by an HSM."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from creditbank.ledger.checkpoint import Checkpoint, open_note
from creditbank.signing.key_signer import KeySigner
from tests.commands import Commands
from tests.journeys.sealed import (
    EAST,
    LOG_PASSPHRASE,
    ORIGIN,
    keyring_of,
    listed,
    open_account,
)


@pytest.fixture
def commands(sealed_commands: Commands) -> Commands:
    """Commands on a bank whose keys are in a sealed file."""
    return sealed_commands


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
