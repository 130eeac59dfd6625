"""A sealed key file on disk: made once, opened with its passphrase, replaced whole when a key changes."""

import os
import secrets
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path

from creditbank.durable_file import create_file, replace_file
from creditbank.signing.keys import Keyring, KeysUnavailable, Randomness
from creditbank.signing.sealed_file import MAX_BYTES, SCRYPT_COST, seal, unseal
from creditbank.terms import InputWarning


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFile:
    """An open key file: what it holds, and what it takes to seal it again."""

    path: Path
    keyring: Keyring
    passphrase: str = field(repr=False)
    cost: int = SCRYPT_COST

    def replaced(self, keyring: Keyring, *, passphrase: str | None = None) -> "KeyFile":
        """Put `keyring` in the place of what the file holds, in the newest version; return the open file.

        Under a new salt and nonce, and under another passphrase where one is given. A crash leaves the old
        file or the new one.

        Raises:
            KeysUnavailable: the file cannot be written; it is as it was.
        """
        changed = replace(self, keyring=keyring, passphrase=passphrase or self.passphrase)
        if changed == self:
            return self
        try:
            replace_file(self.path, seal(keyring, passphrase=changed.passphrase, cost=self.cost))
        except OSError as error:
            raise _unwritable(self.path, error) from error
        return changed


def create_key_file(
    path: Path,
    keyring: Keyring,
    *,
    passphrase: str,
    cost: int = SCRYPT_COST,
    random: Randomness = secrets.token_bytes,
) -> KeyFile:
    """Write a new key file that only its owner can read: whole and on disk, or not there at all.

    Directories above it are made.

    Raises:
        KeysUnavailable: there is a file already, or none can be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        create_file(path, seal(keyring, passphrase=passphrase, cost=cost, random=random))
    except FileExistsError as error:
        raise KeysUnavailable("key-file-exists", path=str(path)) from error
    except OSError as error:
        raise _unwritable(path, error) from error
    return KeyFile(path=path, keyring=keyring, passphrase=passphrase, cost=cost)


def read_key_file(path: Path, *, passphrase: str) -> KeyFile:
    """Open a key file of any version so far.

    Raises:
        KeysUnavailable: it is not there, cannot be read, was written by a newer version, or `passphrase`
            does not open it or it is damaged.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise KeysUnavailable("key-file-missing", path=str(path)) from error
    except IsADirectoryError as error:
        raise KeysUnavailable("file-is-directory", path=str(path)) from error
    except OSError as error:
        raise KeysUnavailable("key-file-unreadable", path=str(path), cause=error.strerror) from error
    unsealed = unseal(content, passphrase=passphrase, path=str(path))
    return KeyFile(path=path, keyring=unsealed.keyring, passphrase=passphrase, cost=unsealed.cost)


def warning_about(path: Path) -> InputWarning | None:
    """Return a warning where anybody but its owner may touch the key file: no reason to refuse the start."""
    if os.name == "posix" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return InputWarning(code="key-file-open-to-others", values={"path": str(path)})
    return None


def _unwritable(path: Path, error: OSError) -> KeysUnavailable:
    return KeysUnavailable("key-file-unwritable", path=str(path), cause=error.strerror)
