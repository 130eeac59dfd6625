"""Signs notes by asking a command: the private key is another user's, another machine's or an HSM's.

The command is an argument vector and runs without a shell. It gets the text to be signed on standard input
and answers with the 64 bytes of an Ed25519 signature (RFC 8032) on standard output, nothing else, and exit
code 0. What it says on standard error goes where ours goes, so that its reader is the operator: nothing of
it is repeated in a message, which a stranger may see.
"""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress

from creditbank.errors import Misconfigured
from creditbank.ledger.checkpoint import VerifierKey, sign_note

SIGNATURE_BYTES = 64
TEXT_MAX_BYTES = 4_096
TIMEOUT_SECONDS = 30.0


class SignerFailed(Misconfigured):
    """The command that signs did not answer with a signature of the key that is expected of it."""

    code = "signer-failed"


class CommandSigner:
    """Keeps the promises of the port `Signer`; `verifier_key` is what the command's answers must fit."""

    def __init__(
        self, command: Sequence[str], *, verifier_key: VerifierKey, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        assert command, "a command has a name"
        self._command = tuple(command)
        self._verifier = verifier_key
        self._timeout_seconds = timeout_seconds

    @property
    def verifier_key(self) -> VerifierKey:
        """The public half of the key that the command signs with."""
        return self._verifier

    def sign(self, text: bytes) -> bytes:
        """Return the C2SP signed note over a text.

        Raises:
            SignerFailed: the command cannot be run, fails, takes longer than its time, answers with anything
                but 64 bytes, or with a signature of another key or over another text.
        """
        signature = self._asked(text)
        if not self._verifier.has_signed(text, signature):
            raise SignerFailed("signer-key-differs", key=self._verifier.key_id.hex())
        return sign_note(text, self._verifier, signature)

    def _asked(self, text: bytes) -> bytes:
        if len(text) > TEXT_MAX_BYTES:
            raise SignerFailed("signer-text-too-long", size_bytes=len(text), max_bytes=TEXT_MAX_BYTES)
        deadline = time.monotonic() + self._timeout_seconds
        process = self._started()
        try:
            answer = _exchange(process, text, deadline=deadline)
            # One that says too much is not waited for: it may never end.
            code = process.wait(timeout=_left(deadline)) if len(answer) <= SIGNATURE_BYTES else 0
        except subprocess.TimeoutExpired as error:
            raise SignerFailed("signer-too-slow", seconds=self._timeout_seconds) from error
        finally:
            _end(process)
        if code != 0:
            raise SignerFailed("signer-refused", exit_code=code)
        if len(answer) != SIGNATURE_BYTES:
            raise SignerFailed("signer-answer-length", wanted=SIGNATURE_BYTES)
        return answer

    def _started(self) -> "subprocess.Popen[bytes]":
        try:
            # The vector is the operator's own setting, and no shell reads it.
            return subprocess.Popen(  # noqa: S603
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
            )
        except (OSError, ValueError) as error:
            cause = error.strerror if isinstance(error, OSError) else str(error)
            raise SignerFailed("signer-not-started", cause=cause) from error


def _exchange(process: "subprocess.Popen[bytes]", text: bytes, *, deadline: float) -> bytes:
    """Write the text, and read until there is no more or one byte more than a signature has.

    Raises:
        TimeoutExpired: the deadline passed.
    """
    assert process.stdin is not None, "it is a pipe"
    assert process.stdout is not None, "it is a pipe"
    with suppress(BrokenPipeError), process.stdin:  # whoever does not listen is told by the answer
        process.stdin.write(text)  # a pipe takes so much without waiting for a reader
    answer = b""
    with selectors.DefaultSelector() as ready:
        ready.register(process.stdout, selectors.EVENT_READ)
        while len(answer) <= SIGNATURE_BYTES:
            if not ready.select(timeout=_left(deadline)):
                raise subprocess.TimeoutExpired(process.args, 0)
            piece = os.read(process.stdout.fileno(), SIGNATURE_BYTES + 1 - len(answer))
            if not piece:
                break
            answer += piece
    return answer


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Leave neither the process nor its children behind, as far as they may be killed."""
    if process.poll() is None:
        with suppress(ProcessLookupError, PermissionError):  # a command may run as another user
            os.killpg(process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=1)
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(BrokenPipeError):
                stream.close()
