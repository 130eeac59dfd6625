"""A keyring <-> the JSON members that a key file seals, in both versions of the file.

Version 1 held three keys and nothing about them; it is read, and never written. Version 2:

    {"key_check":<hex>,"keys":[{"id":…,"institution":…,"made_at":…,"prepared":true,"public_key":<vkey>,
     "purpose":…,"retired_at":…,"secret":<hex>},…],"origin":…}

What does not apply to a key is left out.
"""

from typing import cast

from creditbank.ledger.checkpoint import parse_verifier_key
from creditbank.ledger.encoding import JsonValue
from creditbank.ledger.key_entry import KeyPurpose, NamedKey
from creditbank.signing.keys import Key, Keyring, keyring_of
from creditbank.terms import IssuerId, Microseconds

_VERSION_1 = ("key_encryption_key", "index_key", "checkpoint_seed")
_KEY_MEMBERS = {
    "id", "institution", "made_at", "prepared", "public_key", "purpose", "retired_at", "secret",
}  # fmt: skip


def keyring_members(keyring: Keyring) -> dict[str, JsonValue]:
    """Return the members of version 2."""
    return {
        "origin": keyring.origin,
        "key_check": keyring.key_check.hex(),
        "keys": [_members_of(key) for key in keyring.keys],
    }


def parse_keyring(members: JsonValue, *, version: int) -> Keyring:
    """Read a keyring back.

    Raises:
        TypeError, ValueError, InvalidInput, KeysUnavailable: these are not the members of that version.
    """
    if not isinstance(members, dict):
        raise TypeError
    if version == 1:
        encryption_key, index_key, checkpoint_seed = (hex_bytes(members[name]) for name in _VERSION_1)
        if members.keys() != {"origin", *_VERSION_1}:
            raise ValueError("members that version 1 does not know")
        return keyring_of(
            origin=_text(members["origin"]),
            encryption_key=encryption_key,
            index_key=index_key,
            checkpoint_seed=checkpoint_seed,
        )
    keys = members["keys"]
    if members.keys() != {"origin", "key_check", "keys"} or not isinstance(keys, list):
        raise ValueError("members that version 2 does not know")
    return Keyring(
        origin=_text(members["origin"]),
        key_check=hex_bytes(members["key_check"]),
        keys=tuple(map(_key_of, keys)),
    )


def hex_bytes(value: JsonValue) -> bytes:
    """Read lower-case hex, and nothing that `bytes.fromhex` would take for it.

    Raises:
        TypeError, ValueError: it is anything else.
    """
    parsed = bytes.fromhex(_text(value))
    if parsed.hex() != value:  # capitals and spaces would be read as well
        raise ValueError("not the one way to write these bytes")
    return parsed


def _members_of(key: Key) -> JsonValue:
    name = key.name
    members: dict[str, JsonValue] = {
        "purpose": name.purpose,
        "id": name.id,
        "institution": name.institution,
        "public_key": None if name.verifier_key is None else name.verifier_key.encode(),
        "made_at": key.made_at,
        "prepared": key.is_prepared or None,
        "retired_at": key.retired_at,
        "secret": None if key.secret is None else key.secret.hex(),
    }
    return {member: value for member, value in members.items() if value is not None}


def _key_of(members: JsonValue) -> Key:
    if not isinstance(members, dict) or members.keys() - _KEY_MEMBERS:
        raise ValueError("members that version 2 does not know")
    institution, public_key = members.get("institution"), members.get("public_key")
    secret = members.get("secret")
    return Key(
        name=NamedKey(
            purpose=cast("KeyPurpose", _text(members["purpose"])),
            id=_text(members["id"]),
            institution=None if institution is None else IssuerId(_text(institution)),
            verifier_key=None if public_key is None else parse_verifier_key(_text(public_key)),
        ),
        made_at=_instant(members.get("made_at")),
        secret=None if secret is None else hex_bytes(secret),
        is_prepared=members.get("prepared") is True,
        retired_at=_instant(members.get("retired_at")),
    )


def _instant(value: JsonValue) -> Microseconds | None:
    if value is None:
        return None
    if not isinstance(value, int):
        raise TypeError
    return Microseconds(value)


def _text(value: JsonValue) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
