"""The bank's own keys as values. Where they are kept is for `key_file.py` and the environment."""

import base64
import binascii
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from creditbank.errors import Misconfigured
from creditbank.ledger.checkpoint import VerifierKey
from creditbank.ledger.key_entry import KeyPurpose, NamedKey, key_name_of, signing_key_named
from creditbank.terms import IssuerId, Microseconds

KEY_BYTES = 32
DEVELOPMENT_ORIGIN = "development.creditbank.invalid"
INITIAL = "initial"
"""The id of the encryption key and of the index key that a bank is made with."""

_CHECK_LABEL = b"creditbank v1 key check"
_ID_BYTES = 8

Randomness = Callable[[int], bytes]

KeyState = Literal["prepared", "current", "replaced", "retired"]
"""Made but not used yet; in force; kept but followed by another; destroyed, but for its public half."""


class KeysUnavailable(Misconfigured):
    """The bank's keys cannot be had as this deployment is set up. No key, no start."""

    code = "keys-unavailable"


class WrongKeys(Misconfigured):
    """The keys of this deployment are not the ones that this database was made with."""

    code = "wrong-keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key and what became of it. The representation does not show the secret."""

    name: NamedKey
    made_at: Microseconds | None = None
    """None where it was made with the bank, before its file kept dates."""
    secret: bytes | None = field(default=None, repr=False)
    """32 bytes: the Ed25519 seed (RFC 8032) of a signing key, or the symmetric key itself. None once it is
    retired, and where the private half of a signing key is kept elsewhere."""
    is_prepared: bool = False
    """Made, but not in the ledger yet: nothing is signed or wrapped with it."""
    retired_at: Microseconds | None = None

    def __post_init__(self) -> None:
        is_retired = self.retired_at is not None
        if is_retired and (self.is_prepared or self.secret is not None):
            raise ValueError("a retired key was in force once, and its secret is destroyed")
        if self.secret is None:
            if not is_retired and self.name.verifier_key is None:
                raise ValueError("a secret key that is not retired is here, or nowhere")
        elif len(self.secret) != KEY_BYTES:
            raise ValueError("every key has 32 bytes")
        elif self.name.verifier_key is not None and self.name.verifier_key != verifier_key_of(
            self.name.verifier_key.name, self.secret
        ):
            raise ValueError("the two halves of a signing key belong together")

    @property
    def is_retired(self) -> bool:
        return self.retired_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyring:
    """Every key of one bank, and the origin of its log, which never changes because the keys carry it.

    The origin is the key name of the checkpoints, so it keeps the rule of a C2SP signed note: not empty,
    no white space, no plus sign. `key_check` is what the encryption key and the index key that the bank was
    made with produced together: it outlives the encryption key, and says which bank these keys belong to.
    """

    origin: str
    key_check: bytes
    keys: tuple[Key, ...]
    """Of each purpose in the order in which they came into force."""

    def __post_init__(self) -> None:
        if not is_origin(self.origin):
            raise KeysUnavailable("origin-malformed", field="origin", value=self.origin)
        if len({(key.name.purpose, key.name.id) for key in self.keys}) != len(self.keys):
            raise ValueError("two keys of one purpose have the same id")
        made_with = [self.find(purpose, INITIAL) for purpose in ("encryption", "index")]
        known = [key.secret for key in made_with if key is not None and key.secret is not None]
        if len(known) == len(made_with) and key_check_of(*known) != self.key_check:
            raise ValueError("these keys did not make the key check")

    def find(self, purpose: KeyPurpose, key_id: str) -> Key | None:
        """Return one key by what it is known by."""
        return next((key for key in self.keys if (key.name.purpose, key.name.id) == (purpose, key_id)), None)

    def prepared(self, purpose: KeyPurpose, institution: IssuerId | None = None) -> Key | None:
        """Return the key that was made but never used, where an interrupted run left one."""
        return next((key for key in self._of(purpose, institution) if key.is_prepared), None)

    def current(self, purpose: KeyPurpose, institution: IssuerId | None = None) -> Key | None:
        """Return the key in force: the last one that the ledger was told of, unless it is retired."""
        told = [key for key in self._of(purpose, institution) if not key.is_prepared]
        return told[-1] if told and not told[-1].is_retired else None

    def state_of(self, key: Key) -> KeyState:
        """Return what a key of this keyring is at the moment."""
        if key.is_prepared:
            return "prepared"
        if key.is_retired:
            return "retired"
        is_current = key == self.current(key.name.purpose, key.name.institution)
        return "current" if is_current else "replaced"

    def institutions(self) -> tuple[IssuerId, ...]:
        """Return whose signing keys are here, in order of code."""
        return tuple(sorted({key.name.institution for key in self.keys if key.name.institution is not None}))

    def with_key(self, key: Key) -> "Keyring":
        """Return the keyring with one more key, or with this one in the place of the key of its name."""
        if self.find(key.name.purpose, key.name.id) is None:
            return replace(self, keys=(*self.keys, key))
        return replace(self, keys=tuple(key if each.name == key.name else each for each in self.keys))

    def put_in_force(self, name: NamedKey) -> "Keyring":
        """Return the keyring in which a prepared key is in force; the one that was is replaced, and stays."""
        key = self.find(name.purpose, name.id)
        if key is None or not key.is_prepared:
            return self
        others = tuple(each for each in self.keys if each is not key)
        return replace(self, keys=(*others, replace(key, is_prepared=False)))

    def retire(self, name: NamedKey, *, at: Microseconds) -> "Keyring":
        """Return the keyring in which a key's secret is destroyed; one that was retired stays as it is."""
        key = self.find(name.purpose, name.id)
        if key is None or key.is_retired:
            return self
        return self.with_key(replace(key, secret=None, is_prepared=False, retired_at=at))

    @property
    def verifier_keys(self) -> tuple[VerifierKey, ...]:
        """The public keys of the log: the current one first, then every other one, the newest first."""
        current = self.current("checkpoint")
        others = [key for key in reversed(self._of("checkpoint")) if key is not current]
        ordered = others if current is None else [current, *others]
        return tuple(key.name.verifier_key for key in ordered if key.name.verifier_key is not None)

    @property
    def encryption_keys(self) -> Mapping[str, bytes]:
        """Every encryption key that is not destroyed, by id."""
        return {key.name.id: key.secret for key in self._of("encryption") if key.secret is not None}

    @property
    def index_key(self) -> bytes:
        """The key of the blind indexes.

        Raises:
            KeysUnavailable: there is none here: these are the keys of the log alone.
        """
        found = self.current("index")
        if found is None or found.secret is None:
            raise KeysUnavailable("keys-of-the-log-alone", origin=self.origin)
        return found.secret

    def require_bank(self, key_check: bytes) -> None:
        """Make sure that these are the keys of the bank that kept `key_check`.

        Raises:
            WrongKeys: they are another bank's.
        """
        if not hmac.compare_digest(key_check, self.key_check):
            raise WrongKeys("wrong-keys")

    def _of(self, purpose: KeyPurpose, institution: IssuerId | None = None) -> tuple[Key, ...]:
        asked = (purpose, institution)
        return tuple(key for key in self.keys if (key.name.purpose, key.name.institution) == asked)


def is_origin(text: str) -> bool:
    """Whether `text` can name a log: not empty, printable, without white space or a plus sign."""
    return bool(text) and text.isprintable() and not any(char.isspace() or char == "+" for char in text)


def verifier_key_of(name: str, seed: bytes) -> VerifierKey:
    """Return the public half of a signing key."""
    private = Ed25519PrivateKey.from_private_bytes(seed)
    return VerifierKey(name=name, public_key=private.public_key().public_bytes_raw())


def key_check_of(encryption_key: bytes, index_key: bytes) -> bytes:
    """Return 32 bytes that only these two keys produce (HMAC-SHA-256)."""
    index_check = hmac.digest(index_key, _CHECK_LABEL, "sha256")
    return hmac.digest(encryption_key, _CHECK_LABEL + index_check, "sha256")


def signing_key(
    origin: str,
    seed: bytes,
    *,
    institution: IssuerId | None = None,
    made_at: Microseconds | None = None,
    is_prepared: bool = False,
) -> Key:
    """Return a signing key of the log, or of an institution where one is given."""
    name = (
        signing_key_named("checkpoint", verifier_key_of(origin, seed))
        if institution is None
        else signing_key_named(
            "institution",
            verifier_key_of(key_name_of(origin, institution), seed),
            institution=institution,
        )
    )
    return Key(name=name, made_at=made_at, secret=seed, is_prepared=is_prepared)


def encryption_key(secret: bytes, *, key_id: str, made_at: Microseconds) -> Key:
    """Return an encryption key that is prepared and not in force yet."""
    name = NamedKey(purpose="encryption", id=key_id)
    return Key(name=name, made_at=made_at, secret=secret, is_prepared=True)


def new_key_id(random: Randomness = secrets.token_bytes) -> str:
    """Draw the id of a symmetric key."""
    return random(_ID_BYTES).hex()


def keyring_of(
    *,
    origin: str,
    encryption_key: bytes,
    index_key: bytes,
    checkpoint_seed: bytes,
    made_at: Microseconds | None = None,
) -> Keyring:
    """Return the keyring of a bank's first keys.

    Raises:
        KeysUnavailable: `origin` cannot name a log.
    """
    if not is_origin(origin):
        raise KeysUnavailable("origin-malformed", field="origin", value=origin)
    return Keyring(
        origin=origin,
        key_check=key_check_of(encryption_key, index_key),
        keys=(
            signing_key(origin, checkpoint_seed, made_at=made_at),
            Key(name=NamedKey(purpose="encryption", id=INITIAL), secret=encryption_key, made_at=made_at),
            Key(name=NamedKey(purpose="index", id=INITIAL), secret=index_key, made_at=made_at),
        ),
    )


def new_keyring(
    *, origin: str, operator: IssuerId, made_at: Microseconds, random: Randomness = secrets.token_bytes
) -> Keyring:
    """Make the keys of a new bank, its operator's own signing key among them.

    Raises:
        KeysUnavailable: `origin` cannot name a log.
    """
    keyring = keyring_of(
        origin=origin,
        encryption_key=random(KEY_BYTES),
        index_key=random(KEY_BYTES),
        checkpoint_seed=random(KEY_BYTES),
        made_at=made_at,
    )
    return keyring.with_key(signing_key(origin, random(KEY_BYTES), institution=operator, made_at=made_at))


def development_keyring(
    secret: str, *, origin: str = DEVELOPMENT_ORIGIN, operator: IssuerId | None = None
) -> Keyring:
    """Derive every key from one secret by HKDF-SHA-256 (RFC 5869): the same secret, the same keys.

    Args:
        secret: 32 bytes in base64 (RFC 4648, section 4), as CREDITBANK_DEVELOPMENT_KEY holds it.
        origin: the log's name.
        operator: the institution that signs receipts; without it the keyring has no such key.

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

    keyring = keyring_of(
        origin=origin,
        encryption_key=derived("key encryption"),
        index_key=derived("blind index"),
        checkpoint_seed=derived("checkpoint"),
    )
    if operator is None:
        return keyring
    return keyring.with_key(signing_key(origin, derived(f"institution {operator}"), institution=operator))
