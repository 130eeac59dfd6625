"""The ledger in memory, for tests and trials: the same promises as `sql_ledger.py`, gone with the process."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from creditbank.ledger.append import SEQUENCED_AT_ONCE, HeadMoved, IdempotencyKeyTaken, LogPlace, LogRange
from creditbank.ledger.chain import EMPTY, Head, head_after
from creditbank.ledger.entry import Entry
from creditbank.ledger.merkle import EMPTY_ROOT
from creditbank.ledger.tiles import edge, grow
from creditbank.terms import SubjectId


@dataclass(slots=True, kw_only=True)
class MemoryLedgerState:
    """What a ledger holds. No value is changed in place, so that a copy of the maps is a copy."""

    chains: dict[SubjectId, tuple[Entry, ...]] = field(default_factory=dict)
    keys: dict[tuple[SubjectId, str], Entry] = field(default_factory=dict)
    pending: dict[tuple[SubjectId, int], bytes] = field(default_factory=dict)
    places: dict[tuple[SubjectId, int], int] = field(default_factory=dict)
    tiles: dict[tuple[int, int], bytes] = field(default_factory=dict)
    root: bytes = EMPTY_ROOT
    notes: dict[int, bytes] = field(default_factory=dict)

    def copy(self) -> "MemoryLedgerState":
        return MemoryLedgerState(
            chains=dict(self.chains),
            keys=dict(self.keys),
            pending=dict(self.pending),
            places=dict(self.places),
            tiles=dict(self.tiles),
            root=self.root,
            notes=dict(self.notes),
        )


class MemoryLedger:
    """Entries, the log over them and its checkpoints: `services.books.LedgerStore`."""

    def __init__(self, state: MemoryLedgerState) -> None:
        self._state = state

    def size(self) -> int:
        return len(self._state.places)

    def root(self) -> bytes:
        return self._state.root

    def heads_of(self, subjects: Collection[SubjectId]) -> Mapping[SubjectId, Head]:
        return {subject: self._head_of(subject) for subject in subjects}

    def subjects(self, prefix: str) -> Iterator[SubjectId]:
        yield from sorted(subject for subject in self._state.chains if subject.startswith(prefix))

    def entries_of(self, subject: SubjectId) -> Iterator[Entry]:
        yield from self._state.chains.get(subject, ())

    def entry(self, subject: SubjectId, seq: int) -> Entry | None:
        chain = self._state.chains.get(subject, ())
        return chain[seq] if 0 <= seq < len(chain) else None

    def first_entries(self, subjects: Collection[SubjectId]) -> Mapping[SubjectId, Entry]:
        chains = self._state.chains
        return {subject: chains[subject][0] for subject in subjects if subject in chains}

    def entry_by_key(self, subject: SubjectId, idempotency_key: str) -> Entry | None:
        return self._state.keys.get((subject, idempotency_key))

    def append(self, entries: Sequence[Entry]) -> None:
        chains = self._extended(entries)
        keys = {(e.leaf.subject, e.idempotency_key): e for e in entries if e.idempotency_key is not None}
        keyed = sum(entry.idempotency_key is not None for entry in entries)
        if len(keys) < keyed or not keys.keys().isdisjoint(self._state.keys):
            raise IdempotencyKeyTaken
        self._state.chains |= chains
        self._state.keys |= keys
        self._state.pending |= {(e.leaf.subject, e.leaf.seq): e.leaf_hash for e in entries}

    def sequence(self, *, at_most: int = SEQUENCED_AT_ONCE) -> LogRange | None:
        first = len(self._state.places)
        taken = sorted(self._state.pending.items())[:at_most]
        if taken:
            held = {place: self._state.tiles[place] for place in edge(first)}
            grown = grow(first, held, [leaf_hash for _, leaf_hash in taken])
            self._state.tiles |= grown.tiles
            self._state.root = grown.root
        for place, (of, _) in enumerate(taken, start=first):
            self._state.places[of] = place
            del self._state.pending[of]
        return LogRange(first=first, size=first + len(taken))

    def pending(self, *, at_most: int) -> int:
        return min(len(self._state.pending), at_most)

    def log_index_of(self, subject: SubjectId, seq: int) -> int | None:
        return self._state.places.get((subject, seq))

    def place_of(self, subject: SubjectId, seq: int) -> LogPlace:
        return LogPlace(index=self.log_index_of(subject, seq), size=self.size(), root=self.root())

    def entry_at(self, log_index: int) -> Entry | None:
        places = self._state.places.items()
        return next((self.entry(*of) for of, place in places if place == log_index), None)

    def tile(self, level: int, index: int) -> bytes | None:
        return self._state.tiles.get((level, index))

    def checkpoints(self) -> Iterator[bytes]:
        yield from (note for _, note in sorted(self._state.notes.items()))

    def latest_checkpoint(self) -> bytes | None:
        return self._state.notes[max(self._state.notes)] if self._state.notes else None

    def add_checkpoint(self, *, size: int, note: bytes) -> None:
        self._state.notes.setdefault(size, note)

    def _head_of(self, subject: SubjectId) -> Head:
        chain = self._state.chains.get(subject, ())
        return head_after(chain[-1]) if chain else EMPTY

    def _extended(self, entries: Sequence[Entry]) -> dict[SubjectId, tuple[Entry, ...]]:
        chains: dict[SubjectId, list[Entry]] = {}
        for entry in entries:
            leaf = entry.leaf
            is_first = leaf.subject not in chains
            chain = chains.setdefault(leaf.subject, list(self._state.chains.get(leaf.subject, ())))
            head = head_after(chain[-1]) if chain else EMPTY
            follows = (head.length, head.last_hash) == (leaf.seq, leaf.prev)
            assert follows or is_first, "new entries of one chain follow each other"
            if not follows:
                raise HeadMoved(subject=leaf.subject, expected=leaf.seq)
            chain.append(entry)
        return {subject: tuple(chain) for subject, chain in chains.items()}
