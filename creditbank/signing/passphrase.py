"""Where the passphrase of the key file comes from: a file descriptor, a file, or whoever sits there."""

import unicodedata
from collections.abc import Callable
from pathlib import Path

from creditbank.errors import Misconfigured
from creditbank.signing.secret import Secret

MIN_LENGTH = 12


class PassphraseUnusable(Misconfigured):
    """The passphrase cannot be read, or is not one to protect a bank with."""

    code = "passphrase-unusable"


_PASSPHRASE = Secret(
    unusable=PassphraseUnusable,
    missing="passphrase-missing",
    unreadable="passphrase-unreadable",
    malformed="passphrase-malformed",
)


def read_passphrase(
    *, fd: int | None = None, file: Path | None = None, prompt: Callable[[], str] | None = None
) -> str:
    """Return the passphrase from the first of `fd`, `file` and `prompt` that is given, as `Secret.read` does.

    It is normalised (NFC), so that two keyboards that compose a character differently open the same file.

    Raises:
        PassphraseUnusable: there is no source, it cannot be read, or what it holds is empty, longer than
            4,096 bytes or not UTF-8.
    """
    return unicodedata.normalize("NFC", _PASSPHRASE.read(fd=fd, file=file, prompt=prompt))


def require_strength(passphrase: str) -> None:
    """Make sure that a passphrase is fit to seal a new key file.

    Raises:
        PassphraseUnusable: it has fewer than 12 characters.
    """
    if len(passphrase) < MIN_LENGTH:
        raise PassphraseUnusable("passphrase-too-short", length=len(passphrase), min_length=MIN_LENGTH)
