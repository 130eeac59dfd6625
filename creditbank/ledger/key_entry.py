"""Keys as the ledger speaks of them: `key.added`, `key.retired`, and from these which key was in force when.

A key is known by its purpose and its id, a signing key by its public half too; nothing here is secret. The
entries stand in the chain of the institution that the key belongs to: the operator's, where it is a key of
the log or of the vault.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, cast, get_args

from creditbank.errors import IntegrityBroken, InvalidInput
from creditbank.ledger.checkpoint import VerifierKey, parse_verifier_key
from creditbank.ledger.encoding import JsonValue, canonical_bytes, parse_canonical
from creditbank.ledger.entry import Entry
from creditbank.terms import IssuerId, Microseconds

KeyPurpose = Literal["checkpoint", "institution", "encryption", "index"]
PURPOSES: tuple[KeyPurpose, ...] = get_args(KeyPurpose)
SIGNING_PURPOSES: frozenset[KeyPurpose] = frozenset({"checkpoint", "institution"})

KEY_ADDED = "key.added"
KEY_RETIRED = "key.retired"

_KEY_ID = re.compile(r"[0-9a-z]{1,32}", re.ASCII)


class KeyEntryUnreadable(IntegrityBroken):
    """An entry that we wrote ourselves does not say which key it is about."""

    code = "key-entry-unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedKey:
    """Which key is meant.

    The id of a signing key is its C2SP key id in hex, any other is up to 32 lower-case letters and digits.
    """

    purpose: KeyPurpose
    id: str
    institution: IssuerId | None = None
    """Whose signing key it is, where its purpose is `institution`."""
    verifier_key: VerifierKey | None = None
    """The public half, where it is a signing key."""

    def __post_init__(self) -> None:
        signs = self.purpose in SIGNING_PURPOSES
        is_one = self.purpose in PURPOSES and _KEY_ID.fullmatch(self.id) is not None
        if not is_one or (self.institution is not None) != (self.purpose == "institution"):
            raise ValueError("no key is named like this")
        if signs != (self.verifier_key is not None) or (
            self.verifier_key is not None and self.verifier_key.key_id.hex() != self.id
        ):
            raise ValueError("a signing key, and no other, has a public half, which makes its id")


def signing_key_named(
    purpose: KeyPurpose, verifier_key: VerifierKey, *, institution: IssuerId | None = None
) -> NamedKey:
    """Return the name of a signing key, which its public half makes."""
    return NamedKey(
        purpose=purpose,
        id=verifier_key.key_id.hex(),
        institution=institution,
        verifier_key=verifier_key,
    )


def key_name_of(origin: str, institution: IssuerId) -> str:
    """Return the name under which an institution of this log signs: `<origin>/<organisation code>`."""
    return f"{origin}/{institution}"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPeriod:
    """A key, and from when to when the ledger says that it stands."""

    key: NamedKey
    added_at: Microseconds
    retired_at: Microseconds | None = None


def key_content(key: NamedKey) -> bytes:
    """Return the payload of a `key.added` or a `key.retired`."""
    members: dict[str, JsonValue] = {
        "purpose": key.purpose,
        "key": key.id,
        "institution": key.institution,
        "public_key": None if key.verifier_key is None else key.verifier_key.encode(),
    }
    return canonical_bytes({name: value for name, value in members.items() if value is not None})


def parse_key_content(content: bytes) -> NamedKey:
    """Read which key an entry is about.

    Raises:
        KeyEntryUnreadable: the payload does not say it as `key_content` does.
    """
    try:
        match parse_canonical(content):
            case {"purpose": str() as purpose, "key": str() as key, **others}:
                institution, public_key = others.get("institution"), others.get("public_key")
                named = NamedKey(
                    purpose=cast("KeyPurpose", purpose),
                    id=key,
                    institution=None if institution is None else IssuerId(str(institution)),
                    verifier_key=None if public_key is None else parse_verifier_key(str(public_key)),
                )
                if key_content(named) == content:
                    return named
    except (InvalidInput, ValueError) as error:
        raise KeyEntryUnreadable("key-entry-unreadable") from error
    raise KeyEntryUnreadable("key-entry-unreadable")


def key_periods(entries: Iterable[Entry]) -> tuple[KeyPeriod, ...]:
    """Return the keys that a chain speaks of, in the order in which they were added.

    Raises:
        KeyEntryUnreadable: an entry does not say which key it is about.
    """
    periods: dict[NamedKey, KeyPeriod] = {}
    for entry in entries:
        if entry.leaf.kind not in {KEY_ADDED, KEY_RETIRED} or entry.payload is None:
            continue
        key, at = parse_key_content(entry.payload.content), entry.leaf.at
        if entry.leaf.kind == KEY_ADDED:
            periods.setdefault(key, KeyPeriod(key=key, added_at=at))
        elif key in periods:
            periods[key] = replace(periods[key], retired_at=at)
    return tuple(periods.values())


def key_in_force(periods: Iterable[KeyPeriod], purpose: KeyPurpose, *, at: Microseconds) -> NamedKey | None:
    """Return the key of a purpose in force at an instant: the last one added by then, unless retired."""
    added = [period for period in periods if period.key.purpose == purpose and period.added_at <= at]
    if not added or (added[-1].retired_at is not None and added[-1].retired_at <= at):
        return None
    return added[-1].key
