"""The bank's keys while they are changed: one change at a time, each on disk before the next is begun."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from creditbank.durable_file import directory_lock, replace_file
from creditbank.ledger.checkpoint import VerifierKey, verifier_keys_text
from creditbank.ledger.key_entry import KeyPurpose, NamedKey, signing_key_named
from creditbank.signing.key_file import KeyFile, create_key_file
from creditbank.signing.keyring_parts import joined, log_part, part_without_log_secrets
from creditbank.signing.keys import (
    KEY_BYTES,
    Key,
    Keyring,
    KeysUnavailable,
    Randomness,
    encryption_key,
    new_key_id,
    signing_key,
)
from creditbank.terms import IssuerId, Microseconds


class KeyCabinet:
    """Keeps the promises of the port `KeyCabinet` on a sealed file, or two where the log's key lives apart.

    Whoever has one open must hold `exclusively` on the main file's directory.
    """

    def __init__(
        self,
        main: KeyFile,
        *,
        log: KeyFile | None = None,
        public_keys: Path,
        random: Randomness = secrets.token_bytes,
    ) -> None:
        self._main = main
        self._log = log
        self._public_keys = public_keys
        self._random = random

    @property
    def keyring(self) -> Keyring:
        """Every key, from both files."""
        return self._main.keyring if self._log is None else joined(self._main.keyring, self._log.keyring)

    def find(self, purpose: KeyPurpose, key_id: str) -> NamedKey | None:
        found = self.keyring.find(purpose, key_id)
        return None if found is None else found.name

    def current(self, purpose: KeyPurpose, institution: IssuerId | None = None) -> NamedKey | None:
        found = self.keyring.current(purpose, institution)
        return None if found is None else found.name

    def prepared(self, purpose: KeyPurpose, institution: IssuerId | None = None) -> NamedKey | None:
        found = self.keyring.prepared(purpose, institution)
        return None if found is None else found.name

    def standing(self) -> Sequence[NamedKey]:
        return [key.name for key in self.keyring.keys if not key.is_prepared and not key.is_retired]

    def prepare(
        self, purpose: KeyPurpose, institution: IssuerId | None = None, *, at: Microseconds
    ) -> NamedKey:
        current = self.keyring.current(purpose, institution)
        is_elsewhere = self._log is None and current is not None and current.secret is None
        if is_elsewhere and self.prepared(purpose, institution) is None:
            raise KeysUnavailable("checkpoint-key-elsewhere")
        return self._prepare_here(purpose, institution, at)

    def prepare_here(self, *, at: Microseconds) -> NamedKey:
        """Prepare a key of the log in these files, even where the one in force is held elsewhere."""
        return self._prepare_here("checkpoint", None, at)

    def adopt(self, verifier_key: VerifierKey, *, at: Microseconds) -> NamedKey:
        """Prepare a key of the log whose private half somebody else holds, such as an HSM.

        Raises:
            KeysUnavailable: it has not the log's name, or was retired.
        """
        keyring = self.keyring
        if verifier_key.name != keyring.origin:
            raise KeysUnavailable("key-of-another-log", name=verifier_key.name, origin=keyring.origin)
        name = signing_key_named("checkpoint", verifier_key)
        known = keyring.find("checkpoint", name.id)
        if known is None:
            self._keep(keyring.with_key(Key(name=name, made_at=at, is_prepared=True)))
        elif known.is_retired or known.name != name:
            raise KeysUnavailable("key-retired", key=name.id)
        return name

    def put_in_force(self, key: NamedKey) -> None:
        keyring = self.keyring.put_in_force(key)
        # First: whoever sees the new key's first signature must find the public half.
        self._publish(keyring)
        self._keep(keyring)

    def retire(self, key: NamedKey, *, at: Microseconds) -> None:
        keyring = self.keyring.retire(key, at=at)
        self._publish(keyring)
        self._keep(keyring)

    def split(self, path: Path, *, passphrase: str | None = None) -> None:
        """Move the private halves of the log's keys to a sealed file of their own; again, it does no harm.

        A new file gets this passphrase, or the main file's where none is given.

        Raises:
            KeysUnavailable: a file is there that does not hold them, or one cannot be written.
        """
        keyring = self.keyring
        current = keyring.current("checkpoint")
        if current is None or current.secret is None:
            raise KeysUnavailable("checkpoint-key-elsewhere")
        if self._log is None:
            main = self._main
            self._log = create_key_file(
                path, log_part(keyring), passphrase=passphrase or main.passphrase, cost=main.cost
            )
        self._keep(keyring)

    def change_passphrase(self, passphrase: str, *, of_log: bool = False) -> None:
        """Seal the main file, or the log's own, under another passphrase.

        Raises:
            KeysUnavailable: it cannot be written, or the log's keys have no file of their own.
        """
        if not of_log:
            self._main = self._main.replaced(self._main.keyring, passphrase=passphrase)
        elif self._log is None:
            raise KeysUnavailable("checkpoint-key-file-unset")
        else:
            self._log = self._log.replaced(self._log.keyring, passphrase=passphrase)

    def _prepare_here(self, purpose: KeyPurpose, institution: IssuerId | None, at: Microseconds) -> NamedKey:
        left = self.prepared(purpose, institution)
        if left is not None:
            return left
        key = self._new(purpose, institution, at)
        self._keep(self.keyring.with_key(key))
        return key.name

    def _new(self, purpose: KeyPurpose, institution: IssuerId | None, at: Microseconds) -> Key:
        secret = self._random(KEY_BYTES)
        if purpose == "encryption":
            return encryption_key(secret, key_id=new_key_id(self._random), made_at=at)
        return signing_key(self.keyring.origin, secret, institution=institution, made_at=at, is_prepared=True)

    def _keep(self, keyring: Keyring) -> None:
        if self._log is None:
            self._main = self._main.replaced(keyring)
            return
        # The private half first: the main file must not name a key that nobody holds.
        self._log = self._log.replaced(log_part(keyring))
        self._main = self._main.replaced(part_without_log_secrets(keyring))

    def _publish(self, keyring: Keyring) -> None:
        text = verifier_keys_text(keyring.verifier_keys).encode()
        try:
            if not self._public_keys.exists() or self._public_keys.read_bytes() != text:
                replace_file(self._public_keys, text, is_public=True)
        except OSError as error:
            raise KeysUnavailable(
                "key-file-unwritable", path=str(self._public_keys), cause=error.strerror
            ) from error


@contextmanager
def exclusively(key_file: Path) -> Iterator[None]:
    """Let nobody else change the keys in this directory during the block.

    Raises:
        KeysUnavailable: another command is changing them, or the directory cannot be opened.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(directory_lock(key_file.resolve().parent))
        except BlockingIOError as error:
            raise KeysUnavailable("keys-being-changed", path=str(key_file)) from error
        except FileNotFoundError as error:
            raise KeysUnavailable("key-file-missing", path=str(key_file)) from error
        except OSError as error:
            raise KeysUnavailable("key-file-unreadable", path=str(key_file), cause=error.strerror) from error
        yield
