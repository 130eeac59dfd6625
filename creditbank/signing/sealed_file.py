"""The sealed key file: the bank's keys under a passphrase (scrypt, RFC 7914, and AES-256-GCM).

The file is one line of canonical JSON. Everything in it but `sealed` is the header, and is authenticated
with the keys; the file itself must be canonical, so that no changed bit goes unnoticed:

    {"cipher":{"name":"AES-256-GCM","nonce":<hex>},"format":"creditbank-keys",
     "kdf":{"n":131072,"name":"scrypt","p":1,"r":8,"salt":<hex>},"sealed":<hex>,"version":1}

A wrong passphrase and a damaged file look the same by design: an attacker learns nothing from the answer.
"""

import os
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from creditbank.errors import InvalidInput
from creditbank.ledger.encoding import JsonValue, canonical_bytes, parse_canonical
from creditbank.signing.keys import KEY_BYTES, Keyring, KeysUnavailable, Randomness
from creditbank.terms import InputWarning

FORMAT = "creditbank-keys"
VERSION = 1
SCRYPT_COST = 2**17  # 128 MiB and about half a second, each time a passphrase is tried
_MAX_WORK = 2**23
_BLOCK_SIZE = 8
_PARALLELISM = 1
_MAX_PARALLELISM = 16
_SALT_BYTES = 32
_NONCE_BYTES = 12
_MAX_BYTES = 65_536
_KEYS = ("key_encryption_key", "index_key", "checkpoint_seed")


def create_key_file(
    path: Path,
    keyring: Keyring,
    *,
    passphrase: str,
    cost: int = SCRYPT_COST,
    random: Randomness = secrets.token_bytes,
) -> None:
    """Write a new key file that only its owner can read: whole and on disk, or not there at all.

    Args:
        path: must not exist; directories above it are made.
        keyring: what is sealed.
        passphrase: see `passphrase.require_strength`.
        cost: scrypt's N, a power of two; smaller than the default only in tests.
        random: the source of salt and nonce.

    Raises:
        KeysUnavailable: there is a file already, or none can be written there.
    """
    content = seal(keyring, passphrase=passphrase, cost=cost, random=random)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _create(path, content)
        _sync_directory(path.parent)
    except OSError as error:
        raise KeysUnavailable("key-file-unwritable", path=str(path), cause=error.strerror) from error


def read_key_file(path: Path, *, passphrase: str) -> Keyring:
    """Open a key file.

    Raises:
        KeysUnavailable: it is not there, cannot be read, was written by a newer version, or `passphrase`
            does not open it or it is damaged.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise KeysUnavailable("key-file-missing", path=str(path)) from error
    except OSError as error:
        raise KeysUnavailable("key-file-unreadable", path=str(path), cause=error.strerror) from error
    return unseal(content, passphrase=passphrase, path=str(path))


def warning_about(path: Path) -> InputWarning | None:
    """Return a warning where anybody but its owner may touch the key file: no reason to refuse the start."""
    if os.name == "posix" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return InputWarning(code="key-file-open-to-others", values={"path": str(path)})
    return None


def seal(
    keyring: Keyring, *, passphrase: str, cost: int = SCRYPT_COST, random: Randomness = secrets.token_bytes
) -> bytes:
    """Return the bytes of a key file."""
    salt, nonce = random(_SALT_BYTES), random(_NONCE_BYTES)
    header = _header(cost=cost, salt=salt, nonce=nonce)
    keys: dict[str, JsonValue] = {"origin": keyring.origin} | {
        name: getattr(keyring, name).hex() for name in _KEYS
    }
    cipher = AESGCM(_stretched(passphrase, salt=salt, cost=cost))
    sealed = cipher.encrypt(nonce, canonical_bytes(keys), canonical_bytes(header))
    return canonical_bytes(header | {"sealed": sealed.hex()}) + b"\n"


def unseal(content: bytes, *, passphrase: str, path: str) -> Keyring:
    """Return the keys in the bytes of a key file, whatever the bytes; `path` is for the message.

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


def _opened(members: dict[str, JsonValue], *, passphrase: str) -> Keyring:
    header = {name: value for name, value in members.items() if name != "sealed"}
    kdf, cipher = members["kdf"], members["cipher"]
    if not isinstance(kdf, dict) or not isinstance(cipher, dict):
        raise TypeError
    nonce = _bytes_of(cipher["nonce"])
    key = _stretched(
        passphrase,
        salt=_bytes_of(kdf["salt"]),
        cost=_count_of(kdf["n"]),
        block_size=_count_of(kdf["r"]),
        parallelism=_count_of(kdf["p"]),
    )
    opened = AESGCM(key).decrypt(nonce, _bytes_of(members["sealed"]), canonical_bytes(header))
    keys = parse_canonical(opened)
    if not isinstance(keys, dict) or keys.keys() != {"origin", *_KEYS}:
        raise TypeError
    return Keyring(origin=str(keys["origin"]), **{name: _bytes_of(keys[name]) for name in _KEYS})


def _header(*, cost: int, salt: bytes, nonce: bytes) -> dict[str, JsonValue]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "kdf": {"name": "scrypt", "n": cost, "r": _BLOCK_SIZE, "p": _PARALLELISM, "salt": salt.hex()},
        "cipher": {"name": "AES-256-GCM", "nonce": nonce.hex()},
    }


def _bytes_of(value: JsonValue) -> bytes:
    if not isinstance(value, str):
        raise TypeError
    parsed = bytes.fromhex(value)
    if parsed.hex() != value:  # capitals and spaces would be read as well
        raise ValueError
    return parsed


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


def _create(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _write_through(temporary, content)
        # A link, unlike a rename, fails where somebody else's keys already are.
        path.hardlink_to(temporary)
    except FileExistsError as error:
        raise KeysUnavailable("key-file-exists", path=str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)


def _write_through(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_directory(directory: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
