"""The bank's own keys as values. Where they are kept is for `sealed_file.py` and the environment."""

import base64
import binascii
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from creditbank.errors import Misconfigured

KEY_BYTES = 32
DEVELOPMENT_ORIGIN = "development.creditbank.invalid"

Randomness = Callable[[int], bytes]


class KeysUnavailable(Misconfigured):
    """The bank's keys cannot be had as this deployment is set up. No key, no start."""

    code = "keys-unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyring:
    """Every key of one bank, and the origin of its log, which never changes because the keys carry it.

    The origin is the key name of the checkpoints, so it keeps the rule of a C2SP signed note: not empty,
    no white space, no plus sign. The representation shows the origin alone.
    """

    origin: str
    key_encryption_key: bytes = field(repr=False)
    """Wraps the data key of every account."""
    index_key: bytes = field(repr=False)
    """Makes the blind indexes by which citizens and outcomes are found."""
    checkpoint_seed: bytes = field(repr=False)
    """The Ed25519 private key (RFC 8032) that signs the log's checkpoints."""

    def __post_init__(self) -> None:
        if not is_origin(self.origin):
            raise KeysUnavailable("origin-malformed", field="origin", value=self.origin)
        for key in (self.key_encryption_key, self.index_key, self.checkpoint_seed):
            assert len(key) == KEY_BYTES, "every key has 32 bytes"


def is_origin(text: str) -> bool:
    """Whether `text` can name a log: not empty, printable, without white space or a plus sign."""
    return bool(text) and text.isprintable() and not any(char.isspace() or char == "+" for char in text)


def new_keyring(*, origin: str, random: Randomness = secrets.token_bytes) -> Keyring:
    """Make the keys of a new bank.

    Raises:
        KeysUnavailable: `origin` cannot name a log.
    """
    return Keyring(
        origin=origin,
        key_encryption_key=random(KEY_BYTES),
        index_key=random(KEY_BYTES),
        checkpoint_seed=random(KEY_BYTES),
    )


def development_keyring(secret: str, *, origin: str = DEVELOPMENT_ORIGIN) -> Keyring:
    """Derive every key from one secret by HKDF-SHA-256 (RFC 5869): the same secret, the same keys.

    Args:
        secret: 32 bytes in base64 (RFC 4648, section 4), as CREDITBANK_DEVELOPMENT_KEY holds it.
        origin: the log's name.

    Raises:
        KeysUnavailable: `secret` is anything else, or `origin` cannot name a log.
    """
    try:
        master = base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError) as error:
        raise KeysUnavailable("development-key-malformed") from error
    if len(master) != KEY_BYTES:
        raise KeysUnavailable("development-key-malformed")

    def derived(purpose: str) -> bytes:
        info = f"creditbank v1 {purpose}".encode()
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(master)

    return Keyring(
        origin=origin,
        key_encryption_key=derived("key encryption"),
        index_key=derived("blind index"),
        checkpoint_seed=derived("checkpoint"),
    )
