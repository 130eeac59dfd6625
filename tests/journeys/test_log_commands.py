"""The log on the command line: published, refused, cosigned, proved, and checked far from any bank."""

import gc
import os
import re
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import IO, Self

import pytest

from creditbank.ledger.checkpoint import Checkpoint, open_note, parse_note, parse_verifier_keys
from creditbank.ledger.consistency_file import parse_consistency_file
from creditbank.ledger.cosignature import with_cosignatures
from creditbank.samples.people import sample_issuer, sample_learners
from creditbank.signing.key_signer import signer_with
from creditbank.signing.keys import development_keyring
from tests.commands import Commands
from tests.journeys.conftest import DEVELOPMENT_KEY
from tests.strategies.ledger import Witness

ROOT = Path(__file__).parents[2]
EAST = sample_issuer("school-east")
WITNESS = Witness("witness.example", bytes(32))


def opened_account(commands: Commands, place: int = 0) -> str:
    """Open the account of one of the sample learners; return its number."""
    learner = sample_learners()[place]
    number = "" if learner.citizen_number is None else learner.citizen_number.text
    asked = ("--name", learner.names.shown, "--citizen-number", number, "--issuer", EAST)
    return str(commands.run("account", "open", *asked, "--json").json["account"])


def copy_database(source: Path, target: Path) -> None:
    """Copy as SQLite does it online, and as an operator restores a backup."""
    gc.collect()  # commands run in this process: nothing of theirs may hold the database open any more
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def published_size(commands: Commands) -> int:
    keys = parse_verifier_keys((commands.home / "log.vkey").read_text("utf-8"))
    return open_note((commands.home / "checkpoint").read_bytes(), keys).size


# Publishing.


def test_a_bank_keeps_its_checkpoint_outside_the_database_from_its_first_day(commands: Commands) -> None:
    assert published_size(commands) == 0
    commands.run("ledger", "sequence")
    assert "检查点" in commands.run("ledger", "publish").out
    size = published_size(commands)
    assert size == 8  # four institutions, and the operator's four first keys
    opened_account(commands)
    commands.run("ledger", "publish")
    assert published_size(commands) == size  # the new entry waits for its place
    note = commands.run("ledger", "checkpoint").out
    assert published_size(commands) == size + 1
    assert note == (commands.home / "checkpoint").read_text("utf-8")
    assert commands.run("ledger", "verify", "--checkpoint", commands.home / "checkpoint").code == 0


def test_a_restored_backup_is_not_signed_and_the_operator_is_told_what_to_do(
    commands: Commands, tmp_path: Path
) -> None:
    commands.run("ledger", "checkpoint")
    copy_database(commands.home / "bank.db", tmp_path / "backup.db")
    opened_account(commands)
    commands.run("ledger", "checkpoint")
    kept = (commands.home / "checkpoint").read_bytes()
    copy_database(tmp_path / "backup.db", commands.home / "bank.db")
    for command in ("publish", "checkpoint"):
        refused = commands.run("ledger", command, code=1)
        assert "log-shrank-or-forked/log-shrank-since-file" in refused.err
        assert refused.out == ""
        assert "恢复最新的备份" in refused.err
    english = commands.run("--language", "en", "ledger", "publish", code=1).err
    assert "restore the newest backup" in english
    assert english.isascii()
    opened_account(commands, 1)
    assert "log-forked-since-file" in commands.run("ledger", "checkpoint", code=1).err
    assert (commands.home / "checkpoint").read_bytes() == kept
    found = commands.run("ledger", "verify", "--checkpoint", commands.home / "checkpoint", code=1)
    assert "✗" in found.out


def test_another_database_is_not_signed(commands: Commands, tmp_path: Path) -> None:
    commands.run("ledger", "checkpoint")
    other = Commands(
        tmp_path / "other",
        CREDITBANK_DEVELOPMENT_KEY=DEVELOPMENT_KEY,
        CREDITBANK_CHECKPOINT_FILE=str(tmp_path / "elsewhere"),
    )
    other.run("init", "--origin", "bank.test", "--operator", sample_issuer("bureau"), "--name", "教育局")
    other.run("institution", "register", EAST, "--name", "学校", "--role", "school")
    for place in range(4):
        opened_account(other, place)
    other.run("ledger", "sequence")
    shutil.copyfile(commands.home / "checkpoint", tmp_path / "elsewhere")
    assert "log-forked-since-file" in other.run("ledger", "publish", code=1).err


def test_a_lost_file_is_begun_anew_when_the_operator_says_so(commands: Commands) -> None:
    commands.run("ledger", "checkpoint")
    (commands.home / "checkpoint").unlink()
    assert "checkpoint-file-unusable/checkpoint-file-missing" in commands.run("ledger", "publish", code=2).err
    commands.run("ledger", "publish", "--new-file")
    assert published_size(commands) == 8
    assert "checkpoint-file-there" in commands.run("ledger", "publish", "--new-file", code=2).err


def test_a_bank_is_not_made_where_its_key_has_published_before(commands: Commands) -> None:
    commands.run("ledger", "checkpoint")
    (commands.home / "bank.db").unlink()
    init = ("init", "--origin", "bank.test", "--operator", sample_issuer("bureau"), "--name", "教育局")
    assert "log-shrank-since-file" in commands.run(*init, code=1).err


class Running:
    """`creditbank ledger publish --every 1` in a process of its own, whose lines come within a minute."""

    def __init__(self, commands: Commands) -> None:
        environment = {
            **os.environ,
            "CREDITBANK_HOME": str(commands.home),
            "CREDITBANK_DEVELOPMENT_KEY": DEVELOPMENT_KEY,
            "PYTHONUNBUFFERED": "1",
        }
        command = [sys.executable, "-m", "creditbank", "ledger", "publish", "--every", "1"]
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )

    def __enter__(self) -> Self:
        self.process.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.__exit__(None, None, None)

    def says(self) -> str:
        return self._line(self.process.stdout)

    def complains(self) -> str:
        return self._line(self.process.stderr)

    def _line(self, stream: IO[bytes] | None) -> str:
        assert stream is not None
        ready, _, _ = select.select([stream], [], [], 60)
        assert ready, "nothing was said for a minute"
        return stream.readline().decode()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_publishing_goes_on_until_it_is_told_to_end(commands: Commands, ending: signal.Signals) -> None:
    outside = commands.home / "checkpoint"
    with Running(commands) as running:
        assert "0" in running.says()
        commands.run("ledger", "sequence")
        assert "8" in running.says()
        kept = outside.read_bytes()
        outside.write_bytes(b"damaged")
        assert "checkpoint-file-invalid" in running.complains()
        outside.write_bytes(kept)
        opened_account(commands)
        commands.run("ledger", "sequence")
        assert "9" in running.says()
        running.process.send_signal(ending)
        assert running.process.wait(30) == 0


def test_publishing_ends_when_the_log_contradicts_itself(commands: Commands) -> None:
    commands.run("ledger", "sequence")
    with Running(commands) as running:
        assert "8" in running.says()
        keys = development_keyring(DEVELOPMENT_KEY, origin="bank.test")
        ahead = Checkpoint(origin="bank.test", size=90, root=bytes(32))
        signer = signer_with(keys.current("checkpoint"))
        assert signer is not None
        (commands.home / "checkpoint").write_bytes(signer.sign(ahead.body()))
        assert "log-shrank-or-forked" in running.complains()
        assert running.process.wait(30) == 1


# Witnesses.


def test_a_witness_is_shown_what_it_needs_and_what_it_returns_is_kept(
    commands: Commands, tmp_path: Path
) -> None:
    account = opened_account(commands)
    note = commands.run("ledger", "checkpoint").out.encode()
    returned = tmp_path / "returned"
    body = note[: note.index(b"\n\n") + 1]
    returned.write_bytes(with_cosignatures(note, [WITNESS.cosign(body, at=1_700_000_000)]))
    refused = commands.run("ledger", "cosign", returned, code=2)
    assert "cosignature-refused/cosignature-of-nobody-known" in refused.err
    assert "witness.example" in refused.err
    (tmp_path / "witnesses").write_text(f"# who looks after us\n{WITNESS.key.encode()}\n", "utf-8")
    known = Commands(
        commands.home,
        CREDITBANK_DEVELOPMENT_KEY=DEVELOPMENT_KEY,
        CREDITBANK_WITNESS_KEYS_FILE=str(tmp_path / "witnesses"),
    )
    assert "witness.example" in known.run("ledger", "cosign", returned).out
    assert known.run("ledger", "checkpoint").out.encode() == returned.read_bytes()
    receipt = tmp_path / "entry.tlog-proof"
    known.run("ledger", "prove", account, "0", "--out", receipt)
    said = known.run(
        "ledger", "verify-receipt", receipt, "--verifier-key", commands.home / "log.vkey",
        "--witness-keys", tmp_path / "witnesses", "--json",
    ).json  # fmt: skip
    assert [(each["name"], each["cosigned_at"]) for each in said["witnesses"]] == [
        ("witness.example", 1_700_000_000)
    ]
    (tmp_path / "witnesses").write_text("nonsense\n", "utf-8")
    assert "witness-keys-unusable/witness-key-invalid" in known.run("ledger", "publish", code=2).err
    (tmp_path / "witnesses").unlink()
    assert "witness-keys-unreadable" in known.run("ledger", "publish", code=2).err
    assert "note-invalid" in commands.run("ledger", "cosign", receipt, code=2).err


def test_what_a_witness_answers_over_http_is_handed_in_as_the_guide_says(
    commands: Commands, tmp_path: Path
) -> None:
    (tmp_path / "witnesses").write_text(f"{WITNESS.key.encode()}\n", "utf-8")
    known = Commands(
        commands.home,
        CREDITBANK_DEVELOPMENT_KEY=DEVELOPMENT_KEY,
        CREDITBANK_WITNESS_KEYS_FILE=str(tmp_path / "witnesses"),
    )
    known.run("ledger", "checkpoint")
    known.run("ledger", "consistency", "--out", tmp_path / "grown")
    note = parse_consistency_file((tmp_path / "grown").read_bytes()).note
    line = WITNESS.cosign(parse_note(note).text, at=1_700_000_000).line()
    (tmp_path / "lines").write_bytes(line.encode())  # what curl would have fetched
    guide = (ROOT / "docs" / "operating.md").read_text("utf-8")
    (recipe,) = re.findall(r"^    (sed .*?) {2,}#", guide, re.MULTILINE)
    subprocess.run(["/bin/sh", "-euc", recipe], cwd=tmp_path, check=True)
    assert "witness.example" in known.run("ledger", "cosign", tmp_path / "returned").out


# Receipts, away from the bank.


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """Somebody with no bank and no setting."""
    monkeypatch.chdir(tmp_path)
    return Commands(tmp_path / "no bank here")


@pytest.fixture
def files(commands: Commands, tmp_path: Path) -> Path:
    """What a learner and an auditor hold: receipts, payload, checkpoints, and the proof between them."""
    folder = tmp_path / "files"
    folder.mkdir()
    shutil.copyfile(commands.home / "log.vkey", folder / "log.vkey")
    commands.run("ledger", "sequence")
    account = opened_account(commands)
    commands.run("ledger", "checkpoint", "--out", folder / "older")
    commands.run(
        "ledger", "prove", account, "0", "--out", folder / "receipt", "--payload", folder / "payload"
    )
    opened_account(commands, 1)
    commands.run("ledger", "checkpoint", "--out", folder / "newer")
    commands.run("ledger", "consistency", folder / "older", "--out", folder / "grown")
    (folder / "account").write_text(account, "utf-8")
    return folder


def test_a_receipt_says_offline_what_it_proves(stranger: Commands, files: Path) -> None:
    check = ("ledger", "verify-receipt", files / "receipt", "--verifier-key", files / "log.vkey")
    said = stranger.run(*check).out
    account = (files / "account").read_text("utf-8").replace("-", "")
    assert "已证明" in said
    assert f"account:{account} #0" in said
    assert "开户" in said or "开立" in said
    assert EAST in said
    in_english = stranger.run("--language", "en", *check).out
    assert "Proved" in in_english
    assert in_english.isascii()
    beside = (
        "--checkpoint",
        files / "newer",
        "--consistency",
        files / "grown",
        "--payload",
        files / "payload",
    )
    answer = stranger.run(*check, *beside, "--json").json
    assert answer["proved"]
    assert answer["entry"]["subject"] == f"account:{account}"
    assert answer["agrees_with"]["size"] == answer["checkpoint"]["size"] + 1 == 10
    assert isinstance(answer["payload"], dict)
    said = stranger.run(*check, *beside).out
    assert "10" in said
    assert "{" in said
    assert not (stranger.home).exists()


def test_a_receipt_that_proves_nothing_says_why(stranger: Commands, files: Path) -> None:
    check = ("ledger", "verify-receipt", "--verifier-key", files / "log.vkey")
    changed = files / "changed"
    changed.write_bytes((files / "receipt").read_bytes().replace(b"index 8", b"index 7"))
    refused = stranger.run(*check, changed, code=1)
    assert "没有证明" in refused.out
    assert stranger.run(*check, changed, "--json", code=1).json == {
        "proved": False,
        "reason": "path-does-not-lead-to-root",
        "values": {},
    }
    other = files / "other.payload"
    other.write_bytes(bytes(40))
    for option, path, reason in (
        ("--payload", other, "payload-not-committed"),
        ("--checkpoint", files / "log.vkey", "note-malformed"),
    ):
        answer = stranger.run(*check, files / "receipt", option, path, "--json", code=1).json
        assert answer["reason"] == reason


def test_a_question_that_cannot_be_answered_is_misuse(stranger: Commands, files: Path) -> None:
    receipt, key = files / "receipt", files / "log.vkey"
    ask = ("ledger", "verify-receipt")
    newer = ("--checkpoint", files / "newer")
    for arguments, reason in (
        ((receipt, "--verifier-key", key, *newer), "proof-file-invalid/consistency-wanted"),
        ((key, "--verifier-key", key), "proof-file-invalid/proof-file-malformed"),
        ((receipt, "--verifier-key", receipt), "verifier-key-invalid"),
        ((files / "nowhere", "--verifier-key", key), "file-unusable/file-unreadable"),
        ((receipt, "--verifier-key", key, "--consistency", key), "consistency-file-malformed"),
        ((receipt, "--verifier-key", key, "--witness-keys", receipt), "witness-key-invalid"),
        ((receipt, "--verifier-key", key, "--payload", files / "account"), "payload-file-malformed"),
    ):
        assert reason in stranger.run(*ask, *arguments, code=2).err
    assert stranger.run(*ask, receipt, code=2).out == ""
