"""A stranger's own verifier, which imports nothing of ours, on all that the bank hands out, and on fakes."""

import argparse
import ast
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.errors import InvalidInput
from creditbank.ledger.checkpoint import parse_verifier_keys
from creditbank.ledger.cosignature import parse_witness_key, with_cosignatures
from creditbank.ledger.proof_file import Included, check, parse_proof_file
from creditbank.samples.people import sample_issuer, sample_learners
from tests.commands import Commands
from tests.golden.ledger_vectors import FOLDER
from tests.journeys.conftest import DEVELOPMENT_KEY
from tests.reference import verify_receipt
from tests.strategies.ledger import Witness

SCRIPT = Path(verify_receipt.__file__)
CASES = json.loads((FOLDER / "vectors.json").read_bytes())["cases"]
WITNESS = Witness("witness.example", bytes(32))
EAST = sample_issuer("school-east")

# How a case of the vectors is put to the script; witness keys are read where they are used.
COMMANDS = {
    "verifier-key": ("key", "verifier_key"),
    "leaf": ("leaf", "leaf"),
    "checkpoint": ("checkpoint", "checkpoint"),
    "tiles": ("checkpoint", "checkpoint"),
    "receipt": ("receipt", "receipt"),
    "consistency": ("consistency", "consistency"),
    "growth": ("growth", "newer"),
}
OPTIONS = {"verifier_key": "--key", "witness_key": "--witness", "older": "--older", "tiles": "--tiles"}
OPTIONS |= {name: f"--{name}" for name in ("payload", "checkpoint", "consistency")}


class Told:
    """What the script printed, and its exit code."""

    def __init__(self, code: int, printed: str) -> None:
        self.code = code
        self.proved: dict[str, Any] = json.loads(printed) if code == 0 else {}


def asked(capsys: pytest.CaptureFixture[str], *arguments: object) -> Told:
    """Put a question to the script, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["verify_receipt.py", *map(str, arguments)])
        code = verify_receipt.main()
    return Told(code, capsys.readouterr().out)


def test_the_verifier_imports_nothing_of_ours() -> None:
    imported = set()
    for statement in ast.walk(ast.parse(SCRIPT.read_text("utf-8"))):
        if isinstance(statement, ast.Import):
            imported |= {name.name.partition(".")[0] for name in statement.names}
        elif isinstance(statement, ast.ImportFrom):
            imported.add(str(statement.module).partition(".")[0])
    assert imported <= sys.stdlib_module_names | {"cryptography"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case["files"].values())))
def test_the_verifier_agrees_with_every_vector(
    case: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    if case["kind"] == "witness-key":
        return
    command, main = COMMANDS[case["kind"]]
    arguments: list[object] = [command, FOLDER / case["files"][main]]
    for name, file in case["files"].items():
        if name == "tiles":
            arguments += ["--tiles", FOLDER]
        elif name != main:
            option = "--older" if (case["kind"], name) == ("consistency", "checkpoint") else OPTIONS[name]
            arguments += [option, FOLDER / file]
    told = asked(capsys, *arguments)
    assert (told.code == 0) == (case["reason"] is None)
    if told.code == 0:
        expected = {name: value for name, value in case["expect"].items() if name in told.proved}
        assert told.proved | expected == told.proved


GOOD = (FOLDER / "entry-270-of-300-cosigned.tlog-proof").read_bytes()
LOG_KEYS = parse_verifier_keys((FOLDER / "log.vkey").read_text("utf-8"))
WITNESS_KEY = parse_witness_key((FOLDER / "witness.vkey").read_text("utf-8").strip())


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Draw a receipt with a byte, a line or a stretch of it changed."""
    place = draw(st.integers(0, len(GOOD) - 1))
    match draw(st.sampled_from(["flip", "cut", "put", "lines"])):
        case "flip":
            return GOOD[:place] + bytes([GOOD[place] ^ draw(st.integers(1, 255))]) + GOOD[place + 1 :]
        case "cut":
            return GOOD[:place] + GOOD[place + draw(st.integers(1, 60)) :]
        case "put":
            return GOOD[:place] + draw(st.binary(min_size=1, max_size=4)) + GOOD[place:]
        case _:
            lines = GOOD.split(b"\n")
            one, other = draw(st.permutations(range(len(lines))))[:2]
            lines[one], lines[other] = lines[other], lines[one]
            return b"\n".join(lines)


@given(st.just(GOOD) | damaged())
def test_the_bank_and_the_stranger_agree_on_every_receipt(
    tmp_path_factory: pytest.TempPathFactory, receipt: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.tlog-proof"
    path.write_bytes(receipt)
    try:
        ours = check(parse_proof_file(receipt), LOG_KEYS, witnesses=[WITNESS_KEY])
    except InvalidInput:
        holds = False
    else:
        holds = isinstance(ours, Included)
    options = {"key": str(FOLDER / "log.vkey"), "witness": str(FOLDER / "witness.vkey")}
    nothing = dict.fromkeys(("payload", "checkpoint", "consistency"))
    question = argparse.Namespace(file=str(path), **options, **nothing)
    theirs = True
    try:
        verify_receipt.check_receipt(question)
    except (verify_receipt.Refused, UnicodeDecodeError):
        theirs = False
    assert theirs == holds
    assert holds or receipt != GOOD


# Against a bank that serves.


class Served:
    """`creditbank serve` in a process of its own, publishing every second."""

    def __init__(self, commands: Commands, **settings: str) -> None:
        environment = {
            **os.environ,
            "CREDITBANK_HOME": str(commands.home),
            "CREDITBANK_DEVELOPMENT_KEY": DEVELOPMENT_KEY,
            "CREDITBANK_PUBLISH_SECONDS": "1",
            "PYTHONUNBUFFERED": "1",
            **settings,
        }
        command = [sys.executable, "-m", "creditbank", "serve", "--port", "0"]
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self.process.stdout is not None
        lines = iter(self.process.stdout.readline, "")
        self.address = next(found[0] for line in lines if (found := re.search(r"http://[\d.:]+", line)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.communicate(timeout=30)

    def soon(self, path: str) -> bytes:
        """Fetch what is there within a minute; until then it must say when to come back."""
        for _ in range(300):
            answer = httpx2.get(self.address + path, timeout=30)
            if answer.status_code == 200:
                return answer.content
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            time.sleep(0.2)
        raise AssertionError(path)

    def until(self, state: str) -> dict[str, Any]:
        """Ask how publishing goes until it goes so, for a minute."""
        for _ in range(300):
            told: dict[str, Any] = httpx2.get(f"{self.address}/readyz", timeout=30).json()["publishing"]
            if told["state"] == state:
                return told
            time.sleep(0.2)
        raise AssertionError(state)


def opened_account(commands: Commands, place: int) -> str:
    learner = sample_learners()[place]
    assert learner.citizen_number is not None
    who = ("--name", learner.names.shown, "--citizen-number", learner.citizen_number.text)
    account = commands.run("account", "open", *who, "--issuer", EAST, "--json").json["account"]
    return str(account).replace("-", "")


@pytest.fixture
def served(commands: Commands) -> Iterator[Served]:
    with Served(commands) as server:
        yield server


def test_a_stranger_verifies_a_bank_that_serves(
    commands: Commands, served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = opened_account(commands, 0)
    url, key = served.address, commands.home / "log.vkey"
    path = f"/entries/account:{first}/0/receipt"
    (tmp_path / "older").write_bytes(served.soon("/checkpoint"))
    (tmp_path / "receipt").write_bytes(served.soon(path))
    told = asked(capsys, "receipt", url + path, "--key", url + "/verifier-key")
    assert told.proved["subject"] == f"account:{first}"
    opened_account(commands, 1)
    later = opened_account(commands, 2)
    served.soon(f"/entries/account:{later}/0/receipt")
    note = url + "/checkpoint"
    assert asked(capsys, "checkpoint", note, "--key", key, "--tiles", url).proved["size"] == 11
    grown = asked(capsys, "growth", note, "--older", tmp_path / "older", "--key", key, "--tiles", url)
    assert grown.proved["newer"]["size"] == 11
    damaged_copy = tmp_path / "damaged"
    content = (tmp_path / "receipt").read_bytes()
    damaged_copy.write_bytes(content.replace(b"index ", b"index 1"))
    assert asked(capsys, "receipt", damaged_copy, "--key", key).code == 1
    assert asked(capsys, "receipt", tmp_path / "receipt", "--key", FOLDER / "log.vkey").code == 1
    assert asked(capsys, "checkpoint", url + "/nowhere", "--key", key).code == 1


def test_a_publisher_that_fails_is_loud_and_what_was_published_stays_served(
    commands: Commands, served: Served
) -> None:
    published = served.soon("/checkpoint")
    outside = commands.home / "checkpoint"
    kept = outside.read_bytes()
    outside.write_bytes(b"damaged")
    failing = served.until("failing")
    assert failing["reason"] == "checkpoint-file-invalid"
    assert served.soon("/checkpoint") == published
    outside.write_bytes(kept)
    assert served.until("on-interval")["reason"] is None
    served.process.send_signal(signal.SIGINT)
    logged = served.process.communicate(timeout=30)[0]
    assert "publishing-failed" in logged
    assert "publishing-resumed" in logged


def test_a_stranger_verifies_the_files_that_commands_write(
    commands: Commands, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    account = opened_account(commands, 0)
    key, witness = commands.home / "log.vkey", tmp_path / "witness.vkey"
    witness.write_text(WITNESS.key.encode() + "\n", "utf-8")
    known = Commands(
        commands.home,
        CREDITBANK_DEVELOPMENT_KEY=DEVELOPMENT_KEY,
        CREDITBANK_WITNESS_KEYS_FILE=str(witness),
    )
    known.run("ledger", "checkpoint", "--out", tmp_path / "older")
    opened_account(known, 1)
    note = known.run("ledger", "checkpoint").out.encode()
    body = note[: note.index(b"\n\n") + 1]
    (tmp_path / "returned").write_bytes(with_cosignatures(note, [WITNESS.cosign(body, at=1_700_000_000)]))
    known.run("ledger", "cosign", tmp_path / "returned")
    known.run("ledger", "checkpoint", "--out", tmp_path / "newer")
    files = ("--out", tmp_path / "receipt", "--payload", tmp_path / "payload")
    known.run("ledger", "prove", account, "0", *files)
    known.run("ledger", "consistency", tmp_path / "older", "--out", tmp_path / "grown")
    beside = ("--payload", tmp_path / "payload", "--checkpoint", tmp_path / "older", "--consistency")
    told = asked(
        capsys,
        "receipt",
        tmp_path / "receipt",
        "--key",
        key,
        "--witness",
        witness,
        *beside,
        tmp_path / "grown",
    )
    assert told.proved["subject"] == f"account:{account}"
    assert told.proved["witnesses"] == [{"name": WITNESS.name, "cosigned_at": 1_700_000_000}]
    assert told.proved["says"] == {}
    told = asked(capsys, "consistency", tmp_path / "grown", "--older", tmp_path / "older", "--key", key)
    assert told.proved["newer"]["size"] == told.proved["older"]["size"] + 1
    alone = subprocess.run(
        [sys.executable, "-I", SCRIPT, "receipt", tmp_path / "receipt", "--key", key],
        capture_output=True, text=True, check=True, cwd="/",
    )  # fmt: skip
    assert json.loads(alone.stdout)["kind"] == "account.opened"
