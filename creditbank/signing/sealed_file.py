"""The bytes of a sealed key file: keys under a passphrase (scrypt, RFC 7914, and AES-256-GCM).

The file is one line of canonical JSON. Everything in it but `sealed` is the header, and is authenticated
with the keys; the file itself must be canonical, so that no changed bit goes unnoticed:

    {"cipher":{"name":"AES-256-GCM","nonce":<hex>},"format":"creditbank-keys",
     "kdf":{"n":131072,"name":"scrypt","p":1,"r":8,"salt":<hex>},"sealed":<hex>,"version":2}

A wrong passphrase and a damaged file look the same by design: an attacker learns nothing from the answer.
Where the file is kept and how it is replaced is for `key_file.py`, what it seals for `keyring_members.py`.
"""

import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from creditbank.errors import InvalidInput
from creditbank.ledger.encoding import JsonValue, canonical_bytes, parse_canonical
from creditbank.signing.keyring_members import hex_bytes, keyring_members, parse_keyring
from creditbank.signing.keys import KEY_BYTES, Keyring, KeysUnavailable, Randomness

FORMAT = "creditbank-keys"
VERSION = 2
SCRYPT_COST = 2**17  # 128 MiB and about half a second, each time a passphrase is tried
MAX_BYTES = 1_048_576
"""Some two thousand keys."""

_READ = (1, VERSION)
_MAX_WORK = 2**23
_BLOCK_SIZE = 8
_PARALLELISM = 1
_MAX_PARALLELISM = 16
_SALT_BYTES = 32
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsealed:
    """What a key file holds, and scrypt's N, with which it is sealed again."""

    keyring: Keyring
    cost: int


def seal(
    keyring: Keyring, *, passphrase: str, cost: int = SCRYPT_COST, random: Randomness = secrets.token_bytes
) -> bytes:
    """Return the bytes of a key file.

    Args:
        keyring: what is sealed.
        passphrase: see `passphrase.require_strength`.
        cost: scrypt's N, a power of two; smaller than the default only in tests.
        random: the source of salt and nonce.
    """
    salt, nonce = random(_SALT_BYTES), random(_NONCE_BYTES)
    header = _header(cost=cost, salt=salt, nonce=nonce)
    cipher = AESGCM(_stretched(passphrase, salt=salt, cost=cost))
    sealed = cipher.encrypt(nonce, canonical_bytes(keyring_members(keyring)), canonical_bytes(header))
    return canonical_bytes(header | {"sealed": sealed.hex()}) + b"\n"


def unseal(content: bytes, *, passphrase: str, path: str) -> Unsealed:
    """Return what the bytes of a key file hold, whatever the bytes; `path` is for the message.

    Raises:
        KeysUnavailable: a newer version wrote them, or `passphrase` does not open them or they are damaged.
    """
    try:
        members = _members(content)
        version = members["version"]
        if members["format"] == FORMAT and isinstance(version, int) and version > VERSION:
            raise KeysUnavailable("key-file-newer", path=path, version=version)
        return _opened(members, passphrase=passphrase)
    except (KeyError, TypeError, ValueError, InvalidTag, InvalidInput) as error:
        raise KeysUnavailable("key-file-not-opened", path=path) from error


def _members(content: bytes) -> dict[str, JsonValue]:
    members = parse_canonical(content.removesuffix(b"\n")) if content.endswith(b"\n") else None
    if not isinstance(members, dict):
        raise TypeError
    return members


def _opened(members: dict[str, JsonValue], *, passphrase: str) -> Unsealed:
    header = {name: value for name, value in members.items() if name != "sealed"}
    kdf, cipher, version = members["kdf"], members["cipher"], members["version"]
    if not isinstance(kdf, dict) or not isinstance(cipher, dict) or version not in _READ:
        raise TypeError
    cost = _count_of(kdf["n"])
    key = _stretched(
        passphrase,
        salt=hex_bytes(kdf["salt"]),
        cost=cost,
        block_size=_count_of(kdf["r"]),
        parallelism=_count_of(kdf["p"]),
    )
    nonce = hex_bytes(cipher["nonce"])
    opened = AESGCM(key).decrypt(nonce, hex_bytes(members["sealed"]), canonical_bytes(header))
    return Unsealed(
        keyring=parse_keyring(parse_canonical(opened), version=_count_of(version)),
        cost=cost,
    )


def _header(*, cost: int, salt: bytes, nonce: bytes) -> dict[str, JsonValue]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "kdf": {"name": "scrypt", "n": cost, "r": _BLOCK_SIZE, "p": _PARALLELISM, "salt": salt.hex()},
        "cipher": {"name": "AES-256-GCM", "nonce": nonce.hex()},
    }


def _count_of(value: JsonValue) -> int:
    if not isinstance(value, int) or value < 0:
        raise TypeError
    return value


def _stretched(
    passphrase: str,
    *,
    salt: bytes,
    cost: int,
    block_size: int = _BLOCK_SIZE,
    parallelism: int = _PARALLELISM,
) -> bytes:
    # A damaged figure must not take all the memory or time there is: at most 1 GiB, 16 times over.
    if cost * block_size > _MAX_WORK or parallelism > _MAX_PARALLELISM:
        raise ValueError("scrypt would need too much memory or time")
    kdf = Scrypt(salt=salt, length=KEY_BYTES, n=cost, r=block_size, p=parallelism)
    return kdf.derive(passphrase.encode())
