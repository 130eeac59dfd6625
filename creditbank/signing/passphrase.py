"""Where the passphrase of the key file comes from: a file descriptor, a file, or whoever sits there."""

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path

from creditbank.errors import Misconfigured

MIN_LENGTH = 12
_MAX_BYTES = 4096


class PassphraseUnusable(Misconfigured):
    """The passphrase cannot be read, or is not one to protect a bank with."""

    code = "passphrase-unusable"


def read_passphrase(
    *, fd: int | None = None, file: Path | None = None, prompt: Callable[[], str] | None = None
) -> str:
    """Return the passphrase from the first of `fd`, `file` and `prompt` that is given.

    One newline at the end is not part of it. It is normalised (NFC), so that two keyboards that compose a
    character differently open the same file.

    Args:
        fd: read to its end and closed; it can be read once.
        file: a file that holds nothing else.
        prompt: asks on the terminal; None where nobody can answer.

    Raises:
        PassphraseUnusable: there is no source, it cannot be read, or what it holds is empty, longer than
            4,096 bytes or not UTF-8.
    """
    if fd is not None:
        return _decoded(_bytes_of(fd, source=f"fd {fd}"), source=f"fd {fd}")
    if file is not None:
        return _decoded(_bytes_of(file, source=str(file)), source=str(file))
    if prompt is not None:
        return _decoded(prompt().encode(errors="surrogateescape"), source="terminal")
    raise PassphraseUnusable("passphrase-missing")


def require_strength(passphrase: str) -> None:
    """Make sure that a passphrase is fit to seal a new key file.

    Raises:
        PassphraseUnusable: it has fewer than 12 characters.
    """
    if len(passphrase) < MIN_LENGTH:
        raise PassphraseUnusable("passphrase-too-short", length=len(passphrase), min_length=MIN_LENGTH)


def _bytes_of(source_of: int | Path, *, source: str) -> bytes:
    try:
        with os.fdopen(source_of, "rb") if isinstance(source_of, int) else source_of.open("rb") as stream:
            return stream.read(_MAX_BYTES + 1)
    except OSError as error:
        raise PassphraseUnusable("passphrase-unreadable", source=source, cause=error.strerror) from error


def _decoded(given: bytes, *, source: str) -> str:
    try:
        text = given.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise PassphraseUnusable("passphrase-malformed", source=source) from error
    if not text or len(given) > _MAX_BYTES:
        raise PassphraseUnusable("passphrase-malformed", source=source)
    return unicodedata.normalize("NFC", text)
