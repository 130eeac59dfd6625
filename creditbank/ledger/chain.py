"""A subject's chain: where it ends, how the next entry is made, what is wrong with one that was kept."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from creditbank.ledger.audit import Finding, StoredEntry
from creditbank.ledger.encoding import EncodingInvalid, parse_sorted
from creditbank.ledger.entry import (
    NO_PREVIOUS,
    REDACTION,
    SALT_BYTES,
    Entry,
    Leaf,
    LeafInvalid,
    LeafMembers,
    Payload,
    leaf_hash,
    leaf_members,
)
from creditbank.terms import IssuerId, Microseconds, SubjectId

_BEGINNING = Microseconds(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The end of a chain: its length, the last leaf's hash (64 zeros before the first) and its time."""

    length: int = 0
    last_hash: bytes = NO_PREVIOUS
    at: Microseconds = _BEGINNING


EMPTY = Head()


def extend(
    head: Head,
    *,
    log: str,
    subject: SubjectId,
    at: Microseconds,
    kind: str,
    issuer: IssuerId,
    payload: Payload,
    credential: bytes | None = None,
    idempotency_key: str | None = None,
) -> Entry:
    """Make the entry that follows `head`.

    `at` never goes back within a chain: where the clock did, the head's own time is repeated.
    """
    leaf = Leaf(
        log=log,
        subject=subject,
        seq=head.length,
        prev=head.last_hash,
        at=max(at, head.at),
        kind=kind,
        issuer=issuer,
        content=payload.commitment,
        credential=credential,
    )
    encoded = leaf.encode()
    return Entry(
        leaf=leaf,
        leaf_bytes=encoded,
        leaf_hash=leaf_hash(encoded),
        payload=payload,
        idempotency_key=idempotency_key,
    )


def head_after(entry: Entry) -> Head:
    """Return the end of the chain once `entry` is its last."""
    return Head(length=entry.leaf.seq + 1, last_hash=entry.leaf_hash, at=entry.leaf.at)


def findings(entries: Iterable[Entry], *, expected: Head) -> Iterator[Finding]:
    """Yield what is wrong with the entries of one subject, from its first on, that should end at `expected`.

    Without the end to expect, changing the last entry would break no link.
    """
    chain = ChainCheck()
    for place, entry in enumerate(entries):
        if place == 0:
            chain = ChainCheck(subject=entry.leaf.subject, log=entry.leaf.log)
        yield from chain.look_at(_row_of(entry))
        if entry.leaf.encode() != entry.leaf_bytes:
            yield chain.entry_finding("leaf-misread", entry.leaf.seq)
    yield from chain.end()
    if chain.head != expected:
        yield chain.entry_finding(
            "chain-ends-elsewhere", None, found=chain.head.length, expected=expected.length
        )


@dataclass(slots=True, kw_only=True)
class ChainCheck:
    """One subject's chain as far as it was read, from rows in which a cell may hold anything.

    A fault is said once, of the entry that has it: where a leaf and the hash kept beside it differ, the next
    leaf may link to either, and what links to an entry that is gone is not said to be broken as well.
    """

    subject: object = None
    log: str = ""
    _length: int = 0
    _last_hash: bytes = NO_PREVIOUS
    _previous: list[object] = field(default_factory=lambda: [NO_PREVIOUS])
    _at: int = 0
    _redacted_before: int = 0
    _without_payload: list[int] = field(default_factory=list)

    @property
    def head(self) -> Head:
        """The end of the chain, as its leaves make it."""
        return Head(length=self._length, last_hash=self._last_hash, at=Microseconds(self._at))

    def look_at(self, row: StoredEntry) -> Iterator[Finding]:
        """Check the next row: its place, its leaf, the link to the leaf before, its payload."""
        if type(row.seq) is not int or row.seq < self._length:
            yield self.entry_finding("entry-repeated", self._length, found=row.seq)
            return
        before, self._previous = self._previous, [row.leaf_hash]
        if row.seq > self._length:
            yield self.entry_finding("entry-missing", self._length, found=row.seq)
            before = []
        self._length = row.seq + 1
        if type(row.leaf) is not bytes:
            yield self.entry_finding("leaf-unreadable", row.seq, reason="leaf-not-bytes")
            return
        self._last_hash = leaf_hash(row.leaf)
        self._previous.append(self._last_hash)
        if row.leaf_hash != self._last_hash:
            yield self.entry_finding("leaf-hash-differs", row.seq)
        try:
            members = leaf_members(row.leaf)
        except LeafInvalid as error:
            yield self.entry_finding("leaf-unreadable", row.seq, reason=error.reason)
            return
        if before and bytes.fromhex(members["prev"]) not in before:
            yield self.entry_finding("chain-broken", row.seq)
        if members["at"] < self._at:
            yield self.entry_finding("time-went-back", row.seq)
        self._at = max(members["at"], self._at)
        if (members["subject"], members["seq"], members["log"]) != (self.subject, row.seq, self.log):
            yield from self._place_findings(members, row.seq)
        if members["kind"] == REDACTION:
            self._redacted_before = row.seq
        if row.salt is None and row.content is None:
            self._without_payload.append(row.seq)
        elif fault := _payload_fault(row, commitment=members["content"]):
            code, values = fault
            yield self.entry_finding(code, row.seq, **values)

    def end(self) -> Iterator[Finding]:
        """Say which payloads are gone although no later entry redacts them."""
        for seq in self._without_payload:
            if seq >= self._redacted_before:
                yield self.entry_finding("payload-missing", seq)

    def entry_finding(self, code: str, seq: int | None, **values: object) -> Finding:
        """Return a finding about one place of this chain, or about all of it."""
        subject = self.subject if type(self.subject) is str else repr(self.subject)
        return Finding(code=code, subject=subject, seq=seq, values=values)

    def _place_findings(self, members: LeafMembers, seq: int) -> Iterator[Finding]:
        stated = {"stated_subject": members["subject"], "stated_seq": members["seq"]}
        if (members["subject"], members["seq"]) != (self.subject, seq):
            yield self.entry_finding("leaf-of-another-place", seq, **stated)
        if members["log"] != self.log:
            yield self.entry_finding("leaf-of-another-log", seq, log=members["log"])


def _payload_fault(row: StoredEntry, *, commitment: str) -> tuple[str, dict[str, str]] | None:
    """Return the code of what is wrong with a payload that is there, and its values."""
    salt, content = row.salt, row.content
    if type(salt) is not bytes or len(salt) != SALT_BYTES or type(content) is not bytes:
        return "payload-malformed", {}
    if sha256(salt + content).hexdigest() != commitment:
        return "payload-differs", {}
    try:
        said = parse_sorted(content)  # its types are what its writer made them: the leaf vouches for that
    except EncodingInvalid as error:
        return "payload-unreadable", {"reason": error.reason}
    if not isinstance(said, dict):
        return "payload-unreadable", {"reason": "payload-not-object"}
    return None if said.get("idempotency_key") == row.idempotency_key else ("idempotency-key-differs", {})


def _row_of(entry: Entry) -> StoredEntry:
    payload = entry.payload
    return StoredEntry(
        subject=entry.leaf.subject,
        seq=entry.leaf.seq,
        leaf=entry.leaf_bytes,
        leaf_hash=entry.leaf_hash,
        idempotency_key=entry.idempotency_key,
        salt=None if payload is None else payload.salt,
        content=None if payload is None else payload.content,
    )
