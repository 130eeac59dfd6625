"""One entry: a leaf, whose bytes are hashed and kept for ever, and its salted payload, which may be redacted.

The leaf commits to the payload by `SHA-256(salt ‖ payload)`; the 32 random bytes of salt keep a guess at
a redacted payload from being confirmed.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NotRequired, TypedDict, cast

from creditbank.errors import InvalidInput
from creditbank.ledger.encoding import INTEGER_LIMIT, JsonValue, parse_sorted, sorted_bytes
from creditbank.terms import IssuerId, Microseconds, SubjectId

HASH_BYTES = 32
SALT_BYTES = 32
LEAF_MAX_BYTES = 65_535
NO_PREVIOUS = bytes(HASH_BYTES)
REDACTION = "account.redacted"
"""The kind of entry after which the payloads before it may be gone."""

_TYPES: dict[str, type] = {
    "at": int, "content": str, "credential": str, "issuer": str, "kind": str,
    "log": str, "prev": str, "seq": int, "subject": str, "v": int,
}  # fmt: skip
_TYPES_OF = {
    names: tuple(_TYPES[name] for name in names)
    for names in (tuple(_TYPES), tuple(name for name in _TYPES if name != "credential"))
}


class LeafInvalid(InvalidInput):
    """These bytes are not a leaf."""

    code = "leaf-invalid"


class LeafMembers(TypedDict):
    """The members of a leaf as its JSON has them, hashes in hex."""

    v: int
    log: str
    subject: str
    seq: int
    prev: str
    at: int
    kind: str
    issuer: str
    content: str
    credential: NotRequired[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """What is hashed: who speaks, about whom, when, and a commitment to what is said (DESIGN §3)."""

    log: str
    subject: SubjectId
    seq: int
    prev: bytes
    at: Microseconds
    kind: str
    issuer: IssuerId
    content: bytes
    credential: bytes | None = None

    def encode(self) -> bytes:
        """Return the canonical bytes (RFC 8785).

        Raises:
            LeafInvalid: they would be longer than 65,535 bytes, or a number is out of its range.
            EncodingInvalid: a text holds a lone surrogate.
        """
        if not (0 <= self.seq < INTEGER_LIMIT and 0 <= self.at < INTEGER_LIMIT):
            raise LeafInvalid("leaf-member-range")
        members: dict[str, JsonValue] = {
            "v": 1,
            "log": self.log,
            "subject": self.subject,
            "seq": self.seq,
            "prev": self.prev.hex(),
            "at": self.at,
            "kind": self.kind,
            "issuer": self.issuer,
            "content": self.content.hex(),
        }
        if self.credential is not None:
            members["credential"] = self.credential.hex()
        encoded = sorted_bytes(members)
        if len(encoded) > LEAF_MAX_BYTES:
            raise LeafInvalid("leaf-too-long", size_bytes=len(encoded), max_bytes=LEAF_MAX_BYTES)
        return encoded


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What an entry says, and the salt that hides it once it is redacted."""

    salt: bytes
    content: bytes

    @property
    def commitment(self) -> bytes:
        """`SHA-256(salt ‖ payload)`, the leaf's `content`."""
        return sha256(self.salt + self.content).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the ledger, with the exact leaf bytes; `payload` is None once it is redacted."""

    leaf: Leaf
    leaf_bytes: bytes
    leaf_hash: bytes
    payload: Payload | None
    idempotency_key: str | None = None


def leaf_hash(leaf_bytes: bytes) -> bytes:
    """Return `SHA-256(0x00 ‖ leaf)`: the RFC 6962 leaf hash, and the next leaf's `prev`."""
    return sha256(b"\x00" + leaf_bytes).digest()


def parse_leaf(leaf_bytes: bytes) -> Leaf:
    """Read a leaf back from its bytes.

    Raises:
        LeafInvalid: they are not the canonical bytes of exactly the members of a leaf.
    """
    members = leaf_members(leaf_bytes)
    credential = members.get("credential")
    return Leaf(
        log=members["log"],
        subject=SubjectId(members["subject"]),
        seq=members["seq"],
        prev=bytes.fromhex(members["prev"]),
        at=Microseconds(members["at"]),
        kind=members["kind"],
        issuer=IssuerId(members["issuer"]),
        content=bytes.fromhex(members["content"]),
        credential=None if credential is None else bytes.fromhex(credential),
    )


def leaf_members(leaf_bytes: bytes) -> LeafMembers:
    """Read the members of a leaf as they are written: what `parse_leaf` does, for who reads very many.

    Raises:
        LeafInvalid: as `parse_leaf` says.
    """
    if len(leaf_bytes) > LEAF_MAX_BYTES:
        raise LeafInvalid("leaf-too-long", size_bytes=len(leaf_bytes), max_bytes=LEAF_MAX_BYTES)
    try:
        members: Any = parse_sorted(leaf_bytes)  # what it does not check is checked here
    except InvalidInput as error:
        raise LeafInvalid("leaf-not-canonical") from error
    types = _TYPES_OF.get(tuple(members)) if isinstance(members, dict) else None
    if types is None:
        raise LeafInvalid("leaf-members")
    if tuple(map(type, members.values())) != types:
        wrong = (name for name, value in members.items() if type(value) is not _TYPES[name])
        raise LeafInvalid("leaf-member-type", field=next(wrong))
    if members["v"] != 1:
        raise LeafInvalid("leaf-version", version=members["v"])
    if not (0 <= members["seq"] < INTEGER_LIMIT and 0 <= members["at"] < INTEGER_LIMIT):
        raise LeafInvalid("leaf-member-range")
    credential = members.get("credential", members["prev"])
    if not (_is_hash(members["prev"]) and _is_hash(members["content"]) and _is_hash(credential)):
        raise LeafInvalid("leaf-member-hash")
    return cast("LeafMembers", members)


def _is_hash(text: str) -> bool:
    try:
        return len(text) == 2 * HASH_BYTES and bytes.fromhex(text).hex() == text
    except ValueError:
        return False
