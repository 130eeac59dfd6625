"""Which keys this deployment starts with: the sealed file's, or in development those of the environment."""

from collections.abc import Callable
from pathlib import Path

from creditbank.signing.keys import DEVELOPMENT_ORIGIN, Keyring, KeysUnavailable, development_keyring
from creditbank.signing.sealed_file import read_key_file


def open_keyring(
    *,
    key_file: Path,
    development_key: str | None,
    passphrase: Callable[[], str],
    development_origin: str = DEVELOPMENT_ORIGIN,
) -> Keyring:
    """Return the bank's keys. No key, no start.

    Args:
        key_file: where the sealed file would be.
        development_key: 32 bytes in base64, or None where the environment holds none.
        passphrase: called only where there is a file to open.
        development_origin: the log's name where the environment's key is used, which carries none.

    Raises:
        KeysUnavailable: there is neither or there are both (`no-key`, `two-keys`: a key is never ignored in
            silence), or the one there is cannot be used.
        PassphraseUnusable: as `passphrase` raises it.
    """
    if development_key is not None and key_file.exists():
        raise KeysUnavailable("two-keys", path=str(key_file))
    if development_key is not None:
        return development_keyring(development_key, origin=development_origin)
    if not key_file.exists():
        raise KeysUnavailable("no-key", path=str(key_file))
    return read_key_file(key_file, passphrase=passphrase())
