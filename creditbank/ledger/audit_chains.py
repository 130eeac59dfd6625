"""Check every chain: each leaf against its columns and the leaf before, each payload against its leaf."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from creditbank.errors import InvalidInput
from creditbank.ledger.audit import Finding, LedgerRows, StoredEntry
from creditbank.ledger.chain import EMPTY, Head
from creditbank.ledger.encoding import parse_canonical
from creditbank.ledger.entry import Leaf, Payload, leaf_hash, parse_leaf
from creditbank.terms import Microseconds

REDACTED = "account.redacted"


def chain_findings(rows: LedgerRows, *, log: str) -> Iterator[Finding | None]:
    """Yield what is wrong with the chains of the log named `log`, and None after each entry looked at."""
    for subject, entries in groupby(rows.entries(), key=lambda row: row.subject):
        chain = _Chain(log=log, subject=subject)
        for row in entries:
            yield from chain.look_at(row)
            yield None
        yield from chain.end()
    for table, subject, seq in rows.strays():
        yield Finding(code="row-without-entry", values={"table": table, "subject": subject, "seq": seq})


@dataclass(slots=True)
class _Chain:
    """One subject's chain as far as it was read."""

    log: str
    subject: object
    head: Head = EMPTY
    last_index: int = -1
    unredacted_until: int = -1
    without_payload: list[int] = field(default_factory=list)

    def look_at(self, row: StoredEntry) -> Iterator[Finding]:
        """Check the next entry of the chain."""
        expected = self.head.length
        if row.seq != expected:
            yield self._finding("entry-missing", expected, found=row.seq)
        try:
            leaf = parse_leaf(row.leaf) if isinstance(row.leaf, bytes) else None
        except InvalidInput as error:
            leaf = None
            reason = error.reason
        else:
            reason = "leaf-not-bytes"
        if leaf is None or not isinstance(row.leaf, bytes):
            yield self._finding("leaf-unreadable", row.seq, reason=reason)
            self._advance(row, None)
            return
        yield from self._leaf_findings(row, row.leaf, leaf)
        yield from self._place_findings(row)
        yield from self._payload_findings(row, leaf)
        self._advance(row, leaf)

    def end(self) -> Iterator[Finding]:
        """Say which payloads are gone although nothing redacted them."""
        for seq in self.without_payload:
            if seq >= self.unredacted_until:
                yield self._finding("payload-missing", seq)

    def _leaf_findings(self, row: StoredEntry, stored: bytes, leaf: Leaf) -> Iterator[Finding]:
        if row.leaf_hash != leaf_hash(stored):
            yield self._finding("leaf-hash-differs", row.seq)
        if leaf.subject != row.subject or leaf.seq != row.seq:
            yield self._finding("leaf-of-another-place", row.seq, subject=leaf.subject, place=leaf.seq)
        if leaf.log != self.log:
            yield self._finding("leaf-of-another-log", row.seq, log=leaf.log)
        if leaf.prev != self.head.last_hash:
            yield self._finding("chain-broken", row.seq)
        if leaf.at < self.head.at:
            yield self._finding("time-went-back", row.seq)
        if leaf.kind == REDACTED:
            self.unredacted_until = leaf.seq

    def _place_findings(self, row: StoredEntry) -> Iterator[Finding]:
        index = row.log_index
        if index is None:
            if row.pending_hash is None:
                yield self._finding("entry-not-in-log", row.seq)
            elif row.pending_hash != row.leaf_hash:
                yield self._finding("queued-hash-differs", row.seq)
            return
        if row.pending_hash is not None:
            yield self._finding("entry-queued-twice", row.seq)
        if not isinstance(index, int) or index <= self.last_index:
            yield self._finding("log-order-differs", row.seq, log_index=index)
        else:
            self.last_index = index

    def _payload_findings(self, row: StoredEntry, leaf: Leaf) -> Iterator[Finding]:
        if row.salt is None and row.content is None:
            self.without_payload.append(leaf.seq)
            return
        if not isinstance(row.salt, bytes) or not isinstance(row.content, bytes):
            yield self._finding("payload-not-bytes", row.seq)
            return
        if Payload(salt=row.salt, content=row.content).commitment != leaf.content:
            yield self._finding("payload-differs", row.seq)
        elif _stated_key(row.content) != row.idempotency_key:
            yield self._finding("idempotency-key-differs", row.seq)

    def _advance(self, row: StoredEntry, leaf: Leaf | None) -> None:
        """Go on from what is stored, so that one fault is not found again in every later entry."""
        here = row.seq if isinstance(row.seq, int) else self.head.length
        stored = row.leaf_hash if isinstance(row.leaf_hash, bytes) else self.head.last_hash
        at = leaf.at if leaf is not None else self.head.at
        self.head = Head(length=here + 1, last_hash=stored, at=Microseconds(max(at, self.head.at)))

    def _finding(self, code: str, seq: object, **values: object) -> Finding:
        return Finding(
            code=code,
            subject=str(self.subject),
            seq=seq if isinstance(seq, int) else None,
            values=values,
        )


def _stated_key(content: bytes) -> object:
    """Return the idempotency key that a payload states; its column is only an index."""
    try:
        members = parse_canonical(content)
    except InvalidInput:
        return None
    return members.get("idempotency_key") if isinstance(members, dict) else None
