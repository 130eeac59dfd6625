"""A subject's chain: where it ends, and how the next entry is made. What is wrong with one: `chain_check`."""

from dataclasses import dataclass

from creditbank.ledger.entry import NO_PREVIOUS, Entry, Leaf, Payload, leaf_hash
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
