"""Which keys this deployment starts with: those of the sealed files, or in development the environment's."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from creditbank.signing.key_cabinet import KeyCabinet, exclusively
from creditbank.signing.key_file import KeyFile, read_key_file
from creditbank.signing.keyring_parts import joined
from creditbank.signing.keys import DEVELOPMENT_ORIGIN, Keyring, KeysUnavailable, development_keyring
from creditbank.terms import IssuerId

Passphrase = Callable[[], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySources:
    """Where a deployment's keys are, and who tells the passphrases once a file is to be opened."""

    key_file: Path
    passphrase: Passphrase
    log_key_file: Path | None = None
    """The sealed file of the log's own keys, where they live apart and this process may open it."""
    log_passphrase: Passphrase | None = None
    """Opens that file; None where the same passphrase opens both."""
    development_key: str | None = field(default=None, repr=False)
    """32 bytes in base64, or None where the environment holds none."""


def open_keyring(
    sources: KeySources, *, development_origin: str = DEVELOPMENT_ORIGIN, operator: IssuerId | None = None
) -> Keyring:
    """Return the bank's keys. No key, no start.

    Args:
        sources: where they are.
        development_origin: the log's name where the environment's key is used, which carries none.
        operator: the bank's operator, whose signing key is derived from the environment's too.

    Raises:
        KeysUnavailable: there is neither or there are both (`no-key`, `two-keys`: a key is never ignored in
            silence), or what there is cannot be used.
        PassphraseUnusable: as a passphrase's source raises it.
    """
    if sources.development_key is not None:
        for path in (sources.key_file, sources.log_key_file):
            if path is not None and path.exists():
                raise KeysUnavailable("two-keys", path=str(path))
        return development_keyring(sources.development_key, origin=development_origin, operator=operator)
    main, log = _opened(sources)
    return main.keyring if log is None else joined(main.keyring, log.keyring)


def open_log_keyring(sources: KeySources) -> Keyring:
    """Return the log's own keys from the file in which they live apart, and open no other.

    Raises:
        KeysUnavailable: they do not live apart here, or their file cannot be opened.
        PassphraseUnusable: as a passphrase's source raises it.
    """
    if sources.log_key_file is None:
        raise KeysUnavailable("checkpoint-key-file-unset")
    return read_key_file(
        sources.log_key_file, passphrase=(sources.log_passphrase or sources.passphrase)()
    ).keyring


@contextmanager
def open_cabinet(
    sources: KeySources, *, public_keys: Path, without_log_file: bool = False
) -> Iterator[KeyCabinet]:
    """Open the bank's keys to change them; nobody else can during the block.

    Args:
        sources: where they are.
        public_keys: the file that tells everybody the log's public keys.
        without_log_file: leave the log's own file alone, which may not be there yet.

    Raises:
        KeysUnavailable: there is no file (keys of the environment cannot be changed), it cannot be opened,
            or another command is changing it.
        PassphraseUnusable: as a passphrase's source raises it.
    """
    if sources.development_key is not None:
        raise KeysUnavailable("development-key-fixed")
    with exclusively(sources.key_file):
        main, log = _opened(sources, without_log_file=without_log_file)
        yield KeyCabinet(main, log=log, public_keys=public_keys)


def _opened(sources: KeySources, *, without_log_file: bool = False) -> tuple[KeyFile, KeyFile | None]:
    if not sources.key_file.exists():
        raise KeysUnavailable("no-key", path=str(sources.key_file))
    main = read_key_file(sources.key_file, passphrase=sources.passphrase())
    if sources.log_key_file is None or without_log_file:
        return main, None
    log_passphrase = main.passphrase if sources.log_passphrase is None else sources.log_passphrase()
    return main, read_key_file(sources.log_key_file, passphrase=log_passphrase)
