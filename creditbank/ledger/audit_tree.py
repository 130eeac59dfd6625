"""Check the log: its places are dense, its tiles and state are what the leaves make, its checkpoints hold.

One pass over the leaves, in memory that does not grow with the log.
"""

from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, field

from creditbank.errors import InvalidInput
from creditbank.ledger.audit import Finding, LedgerRows, StoredCheckpoint
from creditbank.ledger.checkpoint import Checkpoint, VerifierKey, open_note, parse_note
from creditbank.ledger.entry import HASH_BYTES
from creditbank.ledger.merkle import EMPTY_ROOT, node_hash
from creditbank.ledger.tiles import TILE_WIDTH, tile_of

_ABSENT = bytes(HASH_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """The log as its leaves make it."""

    size: int
    root: bytes


def tree_findings(
    rows: LedgerRows, *, keys: Collection[VerifierKey], held: Checkpoint | None = None
) -> Generator[Finding | None, None, Recomputed]:
    """Yield what is wrong with the log, and None after each of its places; return the log recomputed.

    `held` is a checkpoint kept elsewhere: the log must be it, grown.
    """
    stated = list(_stated_checkpoints(rows, keys))
    wanted = {one.size for _, one, _ in stated if one is not None} | ({held.size} if held else set())
    tree = _Tree(rows=rows, wanted=sorted(wanted, reverse=True))
    tree.note_root()
    for expected, row in enumerate(rows.log_leaves()):
        if row.log_index != expected:
            yield Finding(code="log-place-missing", values={"log_index": expected, "found": row.log_index})
        if not isinstance(row.leaf_hash, bytes) or len(row.leaf_hash) != HASH_BYTES:
            yield _place_finding("log-leaf-without-entry", row.subject, row.seq, expected)
        yield from tree.add(row.leaf_hash if isinstance(row.leaf_hash, bytes) else _ABSENT)
        yield None
    yield from tree.end()
    recomputed = Recomputed(size=tree.size, root=tree.root())
    yield from _state_findings(rows, recomputed)
    for kept, checkpoint, reason in stated:
        yield from _checkpoint_findings(kept, checkpoint, reason, tree)
    if held is not None:
        yield from _held_findings(held, tree)
    return recomputed


@dataclass(slots=True)
class _Tree:
    """The tree as far as its leaves were read: of every level only the last, incomplete tile."""

    rows: LedgerRows
    wanted: list[int]
    size: int = 0
    roots: dict[int, bytes] = field(default_factory=dict)
    levels: list[list[bytes]] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)

    def add(self, leaf_hash: bytes) -> Iterator[Finding]:
        """Add a leaf, and check every tile that it completes."""
        self.size += 1
        top: bytes | None = leaf_hash
        level = 0
        while top is not None:
            if level == len(self.levels):
                self.levels.append([])
                self.counts.append(0)
            self.levels[level].append(top)
            if len(self.levels[level]) < TILE_WIDTH:
                break
            tile, top = tile_of(self.levels[level])
            yield from self._compare(level, tile)
            self.counts[level] += 1
            self.levels[level] = []
            level += 1
        self.note_root()

    def note_root(self) -> None:
        """Remember the root where a checkpoint speaks of a log of this size."""
        if self.wanted and self.wanted[-1] == self.size:
            self.wanted.pop()
            self.roots[self.size] = self.root()

    def root(self) -> bytes:
        """Return the root over the leaves so far: its complete subtrees, folded from the smallest."""
        folded: bytes | None = None
        for hashes in self.levels:
            for peak in _peaks(hashes):
                folded = peak if folded is None else node_hash(peak, folded)
        return EMPTY_ROOT if folded is None else folded

    def end(self) -> Iterator[Finding]:
        """Check the incomplete tiles, and that no other tile is stored."""
        for level, hashes in enumerate(self.levels):
            if hashes:
                yield from self._compare(level, tile_of(hashes)[0])
                self.counts[level] += 1
        for place in self.rows.tile_places():
            if not _is_within(*place, self.counts):
                yield Finding(code="tile-unexpected", values={"level": place[0], "index": place[1]})

    def _compare(self, level: int, tile: bytes) -> Iterator[Finding]:
        index = self.counts[level]
        stored = self.rows.tile(level, index)
        if stored != tile:
            code = "tile-missing" if stored is None else "tile-differs"
            yield Finding(code=code, values={"level": level, "index": index})


def _peaks(hashes: Sequence[bytes]) -> Iterator[bytes]:
    """Yield the complete subtrees over a row of hashes, the smallest and last first."""
    row = list(hashes)
    while row:
        if len(row) & 1:
            yield row.pop()
        row = [node_hash(row[i], row[i + 1]) for i in range(0, len(row), 2)]


def _is_within(level: object, index: object, counts: Sequence[int]) -> bool:
    if not isinstance(level, int) or not isinstance(index, int):
        return False
    return 0 <= level < len(counts) and 0 <= index < counts[level]


_Stated = tuple[StoredCheckpoint, Checkpoint | None, str]


def _stated_checkpoints(rows: LedgerRows, keys: Collection[VerifierKey]) -> Iterator[_Stated]:
    """Open every stored note; one that does not open comes with the reason."""
    for row in rows.checkpoints():
        if not isinstance(row.note, bytes):
            yield row, None, "note-malformed"
            continue
        try:
            checkpoint = open_note(row.note, keys)
            ours = {(key.name, key.key_id) for key in keys}
            strangers = [
                line for line in parse_note(row.note).signatures if (line.name, line.key_id) not in ours
            ]
        except InvalidInput as error:
            yield row, None, error.reason
        else:
            yield row, checkpoint, "note-has-strange-signature" if strangers else ""


def _checkpoint_findings(
    row: StoredCheckpoint, checkpoint: Checkpoint | None, reason: str, tree: _Tree
) -> Iterator[Finding]:
    values = {"size": row.size}
    if reason:
        yield Finding(code="checkpoint-invalid", values={**values, "reason": reason})
    if checkpoint is None:
        return
    if checkpoint.size != row.size:
        yield Finding(code="checkpoint-misplaced", values={**values, "stated": checkpoint.size})
    if checkpoint.size > tree.size:
        yield Finding(code="log-shrank", values={"signed_size": checkpoint.size, "size": tree.size})
    elif tree.roots[checkpoint.size] != checkpoint.root:
        yield Finding(code="checkpoint-root-differs", values={**values, "stated": checkpoint.size})


def _held_findings(held: Checkpoint, tree: _Tree) -> Iterator[Finding]:
    if held.size > tree.size:
        yield Finding(code="log-shrank", values={"signed_size": held.size, "size": tree.size})
    elif tree.roots[held.size] != held.root:
        yield Finding(code="log-forked", values={"signed_size": held.size, "size": tree.size})


def _state_findings(rows: LedgerRows, recomputed: Recomputed) -> Iterator[Finding]:
    states = list(rows.states())
    if len(states) != 1:
        yield Finding(code="log-state-rows", values={"found": len(states)})
    for state in states:
        if state.size != recomputed.size:
            yield Finding(code="log-state-size", values={"found": state.size, "size": recomputed.size})
        if state.root != recomputed.root:
            yield Finding(code="log-state-root", values={"size": recomputed.size})


def _place_finding(code: str, subject: object, seq: object, index: int) -> Finding:
    return Finding(
        code=code,
        subject=str(subject),
        seq=seq if isinstance(seq, int) else None,
        values={"log_index": index},
    )
