"""Canonical values, leaves, keys and whole stored ledgers, as hypothesis draws them."""

import json
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import strategies as st

from creditbank.ledger.chain import EMPTY, Head, extend, head_after
from creditbank.ledger.checkpoint import Checkpoint, VerifierKey, sign_note
from creditbank.ledger.cosignature import Cosignature, WitnessKey
from creditbank.ledger.encoding import INTEGER_LIMIT, JsonValue, canonical_bytes
from creditbank.ledger.entry import REDACTION, Entry, Leaf, Payload
from creditbank.terms import IssuerId, Microseconds, SubjectId

hashes = st.binary(min_size=32, max_size=32)
texts = st.text(st.characters(codec="utf-8"), max_size=12)
ascii_keys = st.text(st.characters(codec="ascii"), max_size=8)
integers = st.integers(-INTEGER_LIMIT + 1, INTEGER_LIMIT - 1)

json_values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | integers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ascii_keys, inner, max_size=4),
    max_leaves=12,
)
json_objects: st.SearchStrategy[dict[str, JsonValue]] = st.dictionaries(ascii_keys, json_values, max_size=6)

nearly_json: st.SearchStrategy[bytes] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
).map(lambda value: json.dumps(value, separators=(",", ":")).encode())

instants = st.integers(0, INTEGER_LIMIT - 1).map(Microseconds)
subjects = st.from_regex(r"account:[0-9A-Z]{1,16}", fullmatch=True).map(SubjectId)

leaves = st.builds(
    Leaf,
    log=texts,
    subject=texts.map(SubjectId),
    seq=st.integers(0, INTEGER_LIMIT - 1),
    prev=hashes,
    at=instants,
    kind=texts,
    issuer=texts.map(IssuerId),
    content=hashes,
    credential=st.none() | hashes,
)


@cache
def leaf_hashes(count: int) -> list[bytes]:
    """Return so many different leaf hashes, the same every time."""
    return [sha256(b"leaf %d" % index).digest() for index in range(count)]


@dataclass(frozen=True)
class Signer:
    """A key that signs notes in one name."""

    name: str
    seed: bytes

    @property
    def key(self) -> VerifierKey:
        return VerifierKey(name=self.name, public_key=self._private.public_key().public_bytes_raw())

    def sign(self, body: bytes) -> bytes:
        return sign_note(body, self.key, self._private.sign(body))

    @property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


key_names = st.text(
    st.characters(codec="utf-8", exclude_categories=["Z", "Cc", "Cs"], exclude_characters="+"),
    min_size=1,
    max_size=20,
)
signers = st.builds(Signer, key_names, hashes)


@dataclass(frozen=True)
class Witness:
    """A key that cosigns checkpoints in one name."""

    name: str
    seed: bytes

    @property
    def key(self) -> WitnessKey:
        return WitnessKey(name=self.name, public_key=self._private.public_key().public_bytes_raw())

    def cosign(self, body: bytes, *, at: int) -> Cosignature:
        signature = self._private.sign(b"cosignature/v1\ntime %d\n" % at + body)
        return Cosignature(witness=self.key, cosigned_at=at, signature=signature)

    @property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


witnesses = st.builds(Witness, key_names, hashes)
cosigning_times = st.integers(0, 2**63 - 1) | st.integers(1_700_000_000, 1_900_000_000)

LOG = "bank.example/log"
ISSUER = IssuerId("12540300MB0000000X")


def next_entry(
    head: Head,
    *,
    subject: SubjectId,
    at: int = 0,
    kind: str = "outcome.recorded",
    says: JsonValue = None,
    key: str | None = None,
    credential: bytes | None = None,
) -> Entry:
    """Make the entry that follows `head`, stating its idempotency key in its payload as every writer does."""
    content: dict[str, JsonValue] = {"says": says} if key is None else {"says": says, "idempotency_key": key}
    return extend(
        head,
        log=LOG,
        subject=subject,
        at=Microseconds(at),
        kind=kind,
        issuer=ISSUER,
        payload=Payload(
            salt=sha256(f"{subject} {head.length}".encode()).digest(), content=canonical_bytes(content)
        ),
        credential=credential,
        idempotency_key=key,
    )


@st.composite
def chains(draw: st.DrawFn, *, min_size: int = 0, max_size: int = 6, redacted: bool = True) -> list[Entry]:
    """Draw one subject's chain; where `redacted`, one of its entries may redact the payloads before it."""
    subject = draw(subjects)
    length = draw(st.integers(min_size, max_size))
    redaction = draw(st.integers(0, 2 * length)) if redacted else length
    entries: list[Entry] = []
    for seq in range(length):
        entry = next_entry(
            head_of(entries),
            subject=subject,
            at=draw(st.integers(0, 9)),
            kind=REDACTION if seq == redaction else "outcome.recorded",
            says=draw(texts),
            key=f"key {seq}" if draw(st.booleans()) else None,
            credential=draw(st.none() | hashes),
        )
        entries.append(entry)
    if redaction < length:
        entries = [without_payload(e) if e.leaf.seq < redaction else e for e in entries]
    return entries


def head_of(entries: list[Entry]) -> Head:
    return head_after(entries[-1]) if entries else EMPTY


def without_payload(entry: Entry) -> Entry:
    return Entry(
        leaf=entry.leaf,
        leaf_bytes=entry.leaf_bytes,
        leaf_hash=entry.leaf_hash,
        payload=None,
        idempotency_key=entry.idempotency_key,
    )


def checkpoints_of(origin: str) -> st.SearchStrategy[Checkpoint]:
    return st.builds(Checkpoint, origin=st.just(origin), size=st.integers(0, 2**63 - 1), root=hashes)
