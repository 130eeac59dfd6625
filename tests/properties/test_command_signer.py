"""The signer that asks a command: what it answers is checked, and nothing of it is waited for too long."""

import sys
import time
from pathlib import Path

import pytest

from creditbank.ledger.checkpoint import Checkpoint, open_note
from creditbank.signing.command_signer import TEXT_MAX_BYTES, CommandSigner, SignerFailed
from creditbank.signing.key_signer import KeySigner

SEED = b"s" * 32
LOG = "bank.example"
SIGNER = KeySigner(name=LOG, seed=SEED)
CHECKPOINT = Checkpoint(origin=LOG, size=7, root=bytes(32))

SIGNING = f"""
import sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
key = Ed25519PrivateKey.from_private_bytes({SEED!r})
sys.stdout.buffer.write(key.sign(sys.stdin.buffer.read()))
"""


def command_signer(*, runs: str, seconds: float = 20.0) -> CommandSigner:
    """Return a signer whose command is a Python program."""
    return CommandSigner(
        [sys.executable, "-c", runs], verifier_key=SIGNER.verifier_key, timeout_seconds=seconds
    )


def refusal_of(signer: CommandSigner, text: bytes = CHECKPOINT.body()) -> tuple[str, dict[str, object]]:
    with pytest.raises(SignerFailed) as refused:
        signer.sign(text)
    return refused.value.reason, dict(refused.value.values)


def test_a_command_signs_as_the_key_itself_does() -> None:
    note = command_signer(runs=SIGNING).sign(CHECKPOINT.body())
    assert note == SIGNER.sign(CHECKPOINT.body())
    assert open_note(note, [SIGNER.verifier_key]) == CHECKPOINT


@pytest.mark.parametrize(
    "runs",
    [
        SIGNING.replace(repr(SEED), repr(b"t" * 32)),
        SIGNING.replace("stdin.buffer.read()", "stdin.buffer.read() + b' '"),
        "import sys; sys.stdout.write('x' * 64)",
    ],
    ids=["another key", "another text", "no signature"],
)
def test_a_signature_that_does_not_fit_is_refused(runs: str) -> None:
    assert refusal_of(command_signer(runs=runs))[0] == "signer-key-differs"


@pytest.mark.parametrize("size", [0, 63, 65, 10_000_000])
def test_an_answer_of_another_length_is_refused(size: int) -> None:
    runs = f"import sys; sys.stdin.read(); sys.stdout.write('x' * {size})"
    assert refusal_of(command_signer(runs=runs)) == ("signer-answer-length", {"wanted": 64})


def test_one_that_never_stops_talking_is_not_listened_to() -> None:
    began = time.monotonic()
    runs = "import sys\nwhile True: sys.stdout.write('x' * 65536)"
    assert refusal_of(command_signer(runs=runs, seconds=60))[0] == "signer-answer-length"
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    "runs",
    [
        "import time; time.sleep(600)",
        "import os, time; os.close(1); time.sleep(600)",
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])",
    ],
    ids=["silent", "closes its output", "waits for its child"],
)
def test_one_that_takes_too_long_is_ended(runs: str) -> None:
    began = time.monotonic()
    assert refusal_of(command_signer(runs=runs, seconds=0.5)) == ("signer-too-slow", {"seconds": 0.5})
    assert time.monotonic() - began < 20


def test_what_a_failing_command_says_goes_to_the_operator_alone(capfd: pytest.CaptureFixture[str]) -> None:
    runs = "import sys; print('the PIN is 1234', file=sys.stderr); sys.exit(3)"
    assert refusal_of(command_signer(runs=runs)) == ("signer-refused", {"exit_code": 3})
    assert capfd.readouterr().err == "the PIN is 1234\n"


def test_a_command_that_cannot_be_started_is_named_by_its_cause(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("no program")
    for command in ([str(tmp_path / "nowhere")], [str(plain)], ["\0"]):
        signer = CommandSigner(command, verifier_key=SIGNER.verifier_key)
        reason, values = refusal_of(signer)
        assert reason == "signer-not-started"
        assert values["cause"]


def test_no_shell_reads_the_command(tmp_path: Path) -> None:
    made = tmp_path / "made"
    runs = f"{SIGNING}\nassert sys.argv[1] == '; touch {made} $(touch {made})'"
    signer = CommandSigner(
        [sys.executable, "-c", runs, f"; touch {made} $(touch {made})"], verifier_key=SIGNER.verifier_key
    )
    signer.sign(CHECKPOINT.body())
    assert not made.exists()


def test_a_text_that_a_pipe_cannot_hold_is_not_handed_over() -> None:
    signer = command_signer(runs="raise AssertionError")
    assert refusal_of(signer, b"x" * (TEXT_MAX_BYTES + 1))[0] == "signer-text-too-long"
