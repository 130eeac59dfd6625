"""Check the log: its places are dense, its tiles and state are what the leaves make, its checkpoints hold.

One pass over the leaves, in memory that does not grow with the log. Where the hash of a leaf is gone, the
one that its tile kept stands in for it, so that everything after it can still be checked.
"""

from collections.abc import Collection, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import TypeGuard

from creditbank.errors import IntegrityBroken
from creditbank.ledger.audit import Finding, LedgerRows, StoredLogLeaf
from creditbank.ledger.audit_checkpoints import SignedSizes
from creditbank.ledger.checkpoint import Checkpoint, VerifierKey
from creditbank.ledger.entry import HASH_BYTES
from creditbank.ledger.merkle import EMPTY_ROOT
from creditbank.ledger.tiles import TILE_WIDTH, TileId, edge, grow, tile_hashes

_LEAVES_AT_ONCE = 4_096
_LEVELS = 8  # enough for 2^63 leaves
_NAMELESS = (None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """The log as its leaves make it, as far as they go without a gap."""

    size: int
    root: bytes


def tree_findings(
    rows: LedgerRows, *, keys: Collection[VerifierKey], held: Checkpoint | None = None
) -> Generator[Finding | None, None, Recomputed]:
    """Yield what is wrong with the log, and None after each of its places; return the log recomputed.

    `held` is a checkpoint kept elsewhere, once its signature was checked: the log must be it, grown.
    """
    with closing(rows.checkpoints()) as checkpoints:
        log = _Log(rows, SignedSizes(checkpoints, keys, held))
        yield from log.grow()
        for row in rows.log_leaves():
            if not log.takes(row):
                yield from log.look_at(row)
            if log.size >= log.stop:
                yield from log.grow()
            yield None
        yield from log.end()
    return Recomputed(size=log.grown, root=log.root)


@dataclass(slots=True)
class _Log:
    """The log recomputed: of its tiles those at the edge, of its leaves those that no full tile holds yet."""

    rows: LedgerRows
    signed: SignedSizes
    size: int = 0
    grown: int = 0
    root: bytes = EMPTY_ROOT
    stop: int = 0
    is_broken: bool = False
    _edge: dict[TileId, bytes] = field(default_factory=dict)
    _leaves: list[bytes] = field(default_factory=list)
    _names: list[tuple[object, object]] = field(default_factory=list)

    def takes(self, row: StoredLogLeaf) -> bool:
        """Add the leaf of a row that is as it should be, so that `grow` is to be called at size `stop`."""
        if row.log_index != self.size or self.is_broken or not _is_hash(row.leaf_hash):
            return False
        self._leaves.append(row.leaf_hash)
        self._names.append((row.subject, row.seq))
        self.size += 1
        return True

    def look_at(self, row: StoredLogLeaf) -> Iterator[Finding]:
        """Say what is wrong with a row that was not taken, and go on past it."""
        if self.is_broken:
            return
        index = row.log_index
        if type(index) is not int or index < self.size:
            yield _leaf_finding("log-place-repeated", row, log_index=index)
            return
        if index > self.size:
            yield Finding(code="log-place-missing", values={"log_index": self.size, "found": index})
            yield from self._add_kept(index)
        if self.is_broken or self.takes(row):
            return
        yield _leaf_finding("log-leaf-without-entry", row, log_index=index)
        yield from self._add_kept(index + 1, (row.subject, row.seq))

    def end(self) -> Iterator[Finding]:
        """Check the tiles at the edge, that there are no others, the state, and what checkpoints remain."""
        yield from self.grow()
        if not self.is_broken:
            for place, tile in self._edge.items():
                yield from self._compare(place, tile)
            yield from self._unexpected_tiles()
            yield from self._state_findings()
        yield from self.signed.end(size=self.size, is_whole=not self.is_broken)

    def grow(self) -> Iterator[Finding]:
        """Extend the tree over the leaves that wait, check every tile that they fill, and what was signed."""
        growth = grow(self.grown, self._edge, self._leaves)
        known = self._edge | dict(growth.tiles)
        self._edge = {place: known[place] for place in edge(growth.size)}
        for place, tile in growth.tiles.items():
            if place not in self._edge:
                yield from self._compare(place, tile)
        del self._names[: len(self._names) - growth.size % TILE_WIDTH]
        self._leaves.clear()
        self.grown, self.root = growth.size, growth.root
        yield from self.signed.look_at(size=self.grown, root=self.root)
        self.stop = min(self.signed.next_size, self.grown + _LEAVES_AT_ONCE)

    def _add_kept(self, end: int, name: tuple[object, object] = _NAMELESS) -> Iterator[Finding]:
        """Add the leaves up to, not including, `end` as their tiles keep them, or give up where none does."""
        while self.size < end:
            index, place = divmod(self.size, TILE_WIDTH)
            kept = _first_row(self.rows.tile(0, index))[place : end - index * TILE_WIDTH]
            if not kept:
                self.is_broken = True
                yield Finding(code="log-not-recomputed", values={"log_index": self.size})
                return
            for leaf_hash in kept:
                self.takes(StoredLogLeaf(self.size, *name, leaf_hash))
                if self.size >= self.stop:
                    yield from self.grow()

    def _compare(self, place: TileId, tile: bytes) -> Iterator[Finding]:
        level, index = place
        values = {"level": level, "index": index}
        stored = self.rows.tile(level, index)
        if stored is None:
            yield Finding(code="tile-missing", values=values)
        elif stored != tile:
            subject, seq = self._first_difference(index, tile, stored) if level == 0 else _NAMELESS
            yield Finding(code="tile-differs", subject=_text(subject), seq=_count(seq), values=values)

    def _first_difference(self, index: int, tile: bytes, stored: object) -> tuple[object, object]:
        """Return the name of the first entry whose hash is another in its stored tile, if there is one."""
        row, stored_row = _first_row(tile), _first_row(stored)
        first_named = self.size - len(self._names) - index * TILE_WIDTH
        for place, leaf_hash in enumerate(row):
            if stored_row[place : place + 1] != [leaf_hash]:
                return self._names[place - first_named]
        return _NAMELESS

    def _unexpected_tiles(self) -> Iterator[Finding]:
        last: tuple[object, object] = _NAMELESS
        for level, index in self.rows.tile_places():
            values = {"level": level, "index": index}
            if not _is_tile_of(self.size, level, index):
                yield Finding(code="tile-unexpected", values=values)
            elif (level, index) == last:
                yield Finding(code="tile-repeated", values=values)
            else:
                last = (level, index)

    def _state_findings(self) -> Iterator[Finding]:
        states = list(self.rows.states())
        if len(states) != 1:
            yield Finding(code="log-state-rows", values={"found": len(states)})
        for state in states:
            if type(state.size) is not int or state.size != self.size:
                yield Finding(code="log-state-size", values={"found": state.size, "size": self.size})
            if state.root != self.root:
                yield Finding(code="log-state-root", values={"size": self.size})


def _is_hash(value: object) -> TypeGuard[bytes]:
    return type(value) is bytes and len(value) == HASH_BYTES


def _is_tile_of(size: int, level: object, index: object) -> bool:
    if type(level) is not int or type(index) is not int or not 0 <= level < _LEVELS:
        return False
    return index >= 0 and index * TILE_WIDTH < size // TILE_WIDTH**level


def _first_row(tile: object) -> list[bytes]:
    """Return the hashes that a stored tile begins with; none, where it is not a tile at all."""
    try:
        row = tile_hashes(tile) if type(tile) is bytes else b""
    except IntegrityBroken:
        return []
    return [row[at : at + HASH_BYTES] for at in range(0, len(row), HASH_BYTES)]


def _leaf_finding(code: str, row: StoredLogLeaf, **values: object) -> Finding:
    return Finding(code=code, subject=_text(row.subject), seq=_count(row.seq), values=values)


def _text(value: object) -> str | None:
    return value if type(value) is str else None


def _count(value: object) -> int | None:
    return value if type(value) is int else None
