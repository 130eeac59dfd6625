"""What is wrong with a subject's chain, row by row: its leaves, their links, their payloads and places."""

from collections.abc import Iterable, Iterator
from hashlib import sha256

import orjson

from creditbank.ledger.audit import EntryCells, Finding, StoredEntry
from creditbank.ledger.chain import Head
from creditbank.ledger.encoding import INTEGER_LIMIT, EncodingInvalid, parse_sorted
from creditbank.ledger.entry import (
    NO_PREVIOUS,
    REDACTION,
    SALT_BYTES,
    Entry,
    LeafInvalid,
    LeafMembers,
    leaf_hash,
    leaf_members,
)
from creditbank.terms import Microseconds

_NOBODY = object()
_FIRST_PREV = NO_PREVIOUS.hex()
_KEY_MEMBER = b'"idempotency_key"'
_SPEAKERS_MAX = 1_000
_TEXT_MAX_BYTES = 10_000  # of a subject, a log, an issuer, a kind: with all four a leaf is not too long
_AT_STARTS = len('{"at":')
_SPEAKER_STARTS = len(',"content":"') + 64 + len('",')


def findings(entries: Iterable[Entry], *, expected: Head) -> Iterator[Finding]:
    """Yield everything that is wrong with one subject's chain, which should end at `expected`.

    A chain cannot vouch for its own end, nor for its whole self rewritten: `expected` comes from elsewhere.
    """
    chain = ChainCheck()
    for place, entry in enumerate(entries):
        if place == 0:
            chain = ChainCheck(log=entry.leaf.log)
            chain.begin(entry.leaf.subject)
        yield from chain.look_at(_row_of(entry))
        if entry.leaf.encode() != entry.leaf_bytes:
            yield chain.entry_finding("leaf-misread", entry.leaf.seq)
    yield from chain.end()
    if chain.head != expected:
        yield chain.entry_finding(
            "chain-ends-elsewhere", None, found=chain.head.length, expected=expected.length
        )


class ChainCheck:
    """One chain after the other, each as far as it was read, from rows in which a cell may hold anything.

    A fault is said once, of the entry that has it: where a leaf and the hash kept beside it differ, the next
    leaf may link to either, and what links to an entry that is gone is not said to be broken as well.
    """

    def __init__(self, *, log: str = "") -> None:
        self.subject: object = _NOBODY
        self.payloads = 0
        """How many payloads were there, in all chains."""
        self.waiting = 0
        """How many entries wait for their place in the log, in all chains."""
        self._log = log
        self._log_text = _text(log)
        self._before_prev = f',"log":{self._log_text},"prev":"'
        self._speakers: set[str] = set()
        self.begin(_NOBODY)

    @property
    def head(self) -> Head:
        """The end of the chain, as its leaves make it."""
        last = self._last_hash if self._link is None else bytes.fromhex(self._link)
        return Head(length=self._length, last_hash=last, at=Microseconds(self._at))

    def begin(self, subject: object) -> None:
        """Start with another chain; what the one before still has to say, `end` has said."""
        self.subject = subject
        subject_text = _text(subject)
        self._after_seq = f',"subject":{subject_text},"v":1}}'
        self._is_plain = None not in {subject_text, self._log_text}
        self._link: str | None = _FIRST_PREV if self._is_plain else None
        self._length = 0
        self._last_hash = NO_PREVIOUS
        self._previous: list[object] = [NO_PREVIOUS]
        self._at = 0
        self._last_index = -1
        self._redaction: int | None = None
        self._payloads_before = self.payloads
        self._unredacted = 0
        self._without_payload: list[int] = []

    def takes(self, cells: EntryCells) -> bool:
        """Go on past a row that is in every way as it should be; do nothing about any other.

        All bytes of an ordinary leaf are known before it is read, but for its time, and for issuer and kind,
        which other leaves had. So the leaf is put together and compared, in place of being taken apart.
        """
        _, seq, leaf, kept_hash, key, salt, content, log_index, queued = cells
        if self._link is None or seq != self._length or type(seq) is not int:
            return False
        try:
            digest = sha256(b"\x00" + leaf).digest()
            commitment = sha256(salt + content).hexdigest()
            text = leaf.decode()
            comma = text.find(",", _AT_STARTS)
            at = int(text[_AT_STARTS:comma])
        except (TypeError, ValueError):
            return False
        link = f'{self._before_prev}{self._link}","seq":{seq}{self._after_seq}'
        speaker = text[comma + _SPEAKER_STARTS : -len(link)]
        if (
            text != f'{{"at":{at},"content":"{commitment}",{speaker}{link}'
            or speaker not in self._speakers
            or digest != kept_hash
            or not self._at <= at < INTEGER_LIMIT
            or seq >= INTEGER_LIMIT
            or len(salt) != SALT_BYTES
            or queued is not None
            or type(log_index) is not int
            or log_index <= self._last_index
            or ((key is not None or content.find(_KEY_MEMBER) >= 0) and _key_fault(content, key))
        ):
            return False
        self._length = seq + 1
        self._link = digest.hex()
        self._at = at
        self._last_index = log_index
        self.payloads += 1
        return True

    def look_at(self, row: StoredEntry) -> Iterator[Finding]:
        """Check the next row: its place in the chain, its leaf, the link to the leaf before, its payload."""
        self._count(row)
        if type(row.seq) is not int or row.seq < self._length:
            yield self.entry_finding("entry-repeated", self._length, found=row.seq)
            return
        if self._link is not None:
            self._last_hash = bytes.fromhex(self._link)
            self._previous = [self._last_hash]
        before, self._previous, self._link = self._previous, [row.leaf_hash], None
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
        elif self._is_plain:
            self._link = self._last_hash.hex()
        try:
            members = leaf_members(row.leaf)
        except LeafInvalid as error:
            yield self.entry_finding("leaf-unreadable", row.seq, reason=error.reason)
            return
        yield from self._leaf_findings(members, row.seq, before)
        yield from self._payload_findings(members, row)

    def look_at_place(self, row: StoredEntry) -> Iterator[Finding]:
        """Check where the next row stands in the log: later than the one before it, or in the queue."""
        index, queued = row.log_index, row.pending_hash
        seq = row.seq if type(row.seq) is int else self._length
        if index is None and queued is None:
            yield self.entry_finding("entry-not-in-log", seq)
        elif index is None and queued != row.leaf_hash:
            yield self.entry_finding("queued-hash-differs", seq)
        elif index is not None and queued is not None:
            yield self.entry_finding("entry-queued-again", seq, log_index=index)
        elif index is not None and (type(index) is not int or index <= self._last_index):
            yield self.entry_finding("log-order-differs", seq, log_index=index)
        if type(index) is int:
            self._last_index = index

    def end(self) -> Iterator[Finding]:
        """Say what only the end of a chain shows: payloads gone without a redaction, or kept despite one."""
        if self._unredacted:
            yield self.entry_finding("redaction-not-applied", self._redaction, payloads=self._unredacted)
        for seq in self._without_payload:
            yield self.entry_finding("payload-missing", seq)

    def entry_finding(self, code: str, seq: int | None, **values: object) -> Finding:
        """Return a finding about one place of this chain, or about all of it."""
        subject = self.subject if type(self.subject) is str else repr(self.subject)
        return Finding(code=code, subject=subject, seq=seq, values=values)

    def _count(self, row: StoredEntry) -> None:
        self.payloads += row.salt is not None or row.content is not None
        self.waiting += row.pending_hash is not None

    def _leaf_findings(self, members: LeafMembers, seq: int, before: list[object]) -> Iterator[Finding]:
        if before and bytes.fromhex(members["prev"]) not in before:
            yield self.entry_finding("chain-broken", seq)
        if members["at"] < self._at:
            yield self.entry_finding("time-went-back", seq)
        self._at = max(members["at"], self._at)
        if (members["subject"], members["seq"]) != (self.subject, seq):
            stated = {"stated_subject": members["subject"], "stated_seq": members["seq"]}
            yield self.entry_finding("leaf-of-another-place", seq, **stated)
        if members["log"] != self._log:
            yield self.entry_finding("leaf-of-another-log", seq, log=members["log"])
        issuer, kind = _text(members["issuer"]), _text(members["kind"])
        is_ordinary = issuer is not None and kind is not None and members["kind"] != REDACTION
        if is_ordinary and len(self._speakers) < _SPEAKERS_MAX:
            self._speakers.add(f'"issuer":{issuer},"kind":{kind}')

    def _payload_findings(self, members: LeafMembers, row: StoredEntry) -> Iterator[Finding]:
        assert isinstance(row.seq, int), "the caller has looked"
        is_there = row.salt is not None or row.content is not None
        if members["kind"] == REDACTION:
            # Whatever came before is to be gone; what this entry itself says, who and why, may stay.
            self._redaction = row.seq
            self._unredacted += self.payloads - is_there - self._payloads_before
            self._payloads_before = self.payloads
            self._without_payload.clear()
        if not is_there:
            self._without_payload.append(row.seq)
        elif fault := _payload_fault(row, commitment=members["content"]):
            code, values = fault
            yield self.entry_finding(code, row.seq, **values)


def _payload_fault(row: StoredEntry, *, commitment: str) -> tuple[str, dict[str, str]] | None:
    """Return the code of what is wrong with a payload that is there, and its values."""
    salt, content = row.salt, row.content
    if type(salt) is not bytes or len(salt) != SALT_BYTES or type(content) is not bytes:
        return "payload-malformed", {}
    if sha256(salt + content).hexdigest() != commitment:
        return "payload-differs", {}
    return _key_fault(content, row.idempotency_key)


def _key_fault(content: bytes, key: object) -> tuple[str, dict[str, str]] | None:
    """Return what is wrong with the key beside a payload, which is read no further than this takes.

    The leaf vouches for all of its bytes, and what they mean is a matter for who reads the account.
    """
    if key is None and content.find(_KEY_MEMBER) < 0:
        return None
    if (text := _text(key)) is not None and content.startswith(f'{{"idempotency_key":{text}'.encode()):
        return None
    try:
        said = parse_sorted(content)  # its types are what its writer made them
    except EncodingInvalid as error:
        return "payload-unreadable", {"reason": error.reason}
    if not isinstance(said, dict):
        return "payload-unreadable", {"reason": "payload-not-object"}
    return None if said.get("idempotency_key") == key else ("idempotency-key-differs", {})


def _text(value: object) -> str | None:
    """Return a text as it stands in a leaf, None for what stands in none that we write."""
    if type(value) is not str:
        return None
    try:
        encoded = orjson.dumps(value)
    except orjson.JSONEncodeError:  # no Unicode: the cell is damaged
        return None
    return encoded.decode() if len(encoded) <= _TEXT_MAX_BYTES else None


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
