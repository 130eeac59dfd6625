"""Check the log: its places are dense, its tiles and state are what the leaves make, its checkpoints hold.

One pass over the leaves, in memory that does not grow with the log. Tiles whose leaves are as they should be
are checked elsewhere, several parts at once, and handed in as their roots: the tree over the tiles is itself
a log, of these roots. Whatever is not as it should be is gone through here, place by place. Where the hash of
a leaf is gone, the one that its tile kept stands in for it, so that all that follows can still be checked.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeGuard, cast

from creditbank.errors import IntegrityBroken
from creditbank.ledger.audit import Finding, LedgerRows, Places, StoredLogLeaf
from creditbank.ledger.audit_checkpoints import SignedSizes
from creditbank.ledger.entry import HASH_BYTES
from creditbank.ledger.merkle import EMPTY_ROOT
from creditbank.ledger.tiles import TILE_WIDTH, TileId, edge, grow, tile_hashes

PLACES_AT_ONCE = 64 * TILE_WIDTH
"""How many places of the log make a part: some hundredths of a second's work."""

_LEVELS = 8  # enough for 2^63 leaves
_NAMELESS = (None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TilesChecked:
    """The roots of the tiles over some places if all is as it should be; None leaves them to `LogCheck`."""

    first: int
    end: int
    roots: tuple[bytes, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TilesPart:
    """The full tiles over some places of the log, from one tile's beginning to another's, to be checked."""

    first: int
    end: int

    def check(self, rows: LedgerRows) -> TilesChecked:
        """Compute these tiles from their leaves, and compare."""
        return TilesChecked(first=self.first, end=self.end, roots=self._roots(rows))

    def _roots(self, rows: LedgerRows) -> tuple[bytes, ...] | None:
        indexes: list[object] = []
        hashes: list[object] = []
        for some in rows.leaf_hashes(Places(self.first, self.end)):
            for column, cells in zip((indexes, hashes), zip(*some, strict=True), strict=True):
                column.extend(cells)
        if len(indexes) != self.end - self.first or indexes != list(range(self.first, self.end)):
            return None
        if not _are_hashes(hashes):
            return None
        stored = rows.tiles(self.first // TILE_WIDTH, self.end // TILE_WIDTH)
        leaves = iter(hashes)
        roots = []
        for index in range(self.first // TILE_WIDTH, self.end // TILE_WIDTH):
            tile, root = tile_over(list(islice(leaves, TILE_WIDTH)))
            if next(stored, None) != (index, tile):
                return None
            roots.append(root)
        return tuple(roots) if next(stored, None) is None else None


def tile_parts(rows: LedgerRows, *, first: int = 0, places: int = PLACES_AT_ONCE) -> Iterator[TilesPart]:
    """Cut the log, from a tile's beginning on, into parts of so many places, a multiple of a tile's.

    The tile at the end, unless it is full, is in no part. Where places are missing a part may be longer, and
    is none that `check` finds sound.
    """
    while (following := rows.place_after(first, places)) is not None:
        end = max(following - following % TILE_WIDTH, first + TILE_WIDTH)
        yield TilesPart(first=first, end=end)
        first = end
    size = rows.places()
    end = size - size % TILE_WIDTH
    if first < end <= first + places:
        yield TilesPart(first=first, end=end)


def tile_over(leaf_hashes: list[bytes]) -> tuple[bytes, bytes]:
    """Return the tile of level 0 over its leaves, 256 or fewer, and the root over them."""
    growth = grow(0, {}, leaf_hashes)
    return growth.tiles[0, 0], growth.root


@dataclass(frozen=True, slots=True, kw_only=True)
class LogState:
    """The log recomputed up to the end of a tile: all that is needed to go on from there.

    `edge` are the partial tiles of the log of tile roots, by level and index in that log.
    """

    size: int = 0
    root: bytes = EMPTY_ROOT
    edge: Mapping[TileId, bytes] = field(default_factory=dict)
    misses_held: bool = False

    @property
    def is_sound(self) -> bool:
        """Whether the root is that of the edge, and the size ends a tile."""
        tiles, beyond = divmod(self.size, TILE_WIDTH)
        if beyond:
            return False
        try:
            return grow(tiles, self.edge, []).root == self.root
        except (IntegrityBroken, KeyError):
            return False


class LogCheck:
    """The log recomputed as far as it was read; of its tiles it holds those at the edge."""

    def __init__(self, rows: LedgerRows, signed: SignedSizes, state: LogState) -> None:
        self._rows = rows
        self._signed = signed
        self._is_broken = False
        self._tiles = state.size // TILE_WIDTH  # that are full
        self._edge = dict(state.edge)
        self._root = state.root  # over the full tiles
        self._leaves: list[bytes] = []  # of the tile that is not full yet
        self._names: list[tuple[object, object]] = []  # of the entries behind them
        self._stop = state.size

    @property
    def size(self) -> int:
        """How many places of the log are known."""
        return self._tiles * TILE_WIDTH + len(self._leaves)

    @property
    def root(self) -> bytes:
        """The root over these places."""
        if not self._leaves:
            return self._root
        _, last = tile_over(self._leaves)
        return grow(self._tiles, self._edge, [last]).root

    @property
    def state(self) -> LogState | None:
        """Where the check can go on later; None within a tile, and where the log could not be followed."""
        if self._leaves or self._is_broken:
            return None
        return LogState(
            size=self.size, root=self._root, edge=dict(self._edge), misses_held=self._signed.misses_held
        )

    def begin(self) -> Iterator[Finding]:
        """Check what was signed about the empty log, and that no place comes before the first."""
        self._set_stop()
        if self.size == 0:
            yield from self._reach()
            yield from self.go_through(Places(None, 0))

    def take_tiles(self, part: TilesChecked) -> Iterator[Finding]:
        """Go on past the tiles of a part, by their roots or, where there are none, place by place."""
        left = list(reversed(part.roots or ()))
        while left and not self._is_broken and self.size == part.end - TILE_WIDTH * len(left):
            until_signed = (self._signed.next_size - self.size) // TILE_WIDTH
            if until_signed:
                yield from self._take_roots([left.pop() for _ in range(min(until_signed, len(left)))])
            else:
                left.pop()
                yield from self.go_through(Places(self.size, self.size + TILE_WIDTH))
        if self.size < part.end:
            yield from self.go_through(Places(max(self.size, part.first), part.end))

    def go_through(self, span: Places) -> Iterator[Finding]:
        """Go on place by place; a span ends where a tile does, or with the log."""
        for row in () if self._is_broken else self._rows.log_leaves(span):
            if not self._takes(row):
                yield from self._look_at(row)
            if self.size >= self._stop:
                yield from self._reach()

    def end(self) -> Iterator[Finding]:
        """Check the tiles at the edge, that there are no others, the state, and what checkpoints remain."""
        yield from self._reach()
        if not self._is_broken:
            yield from self._edge_findings()
            yield from self._unexpected_tiles()
            yield from self._state_findings()
        yield from self._signed.end(size=self.size, is_whole=not self._is_broken)

    def _takes(self, row: StoredLogLeaf) -> bool:
        """Add the leaf of a row that is as it should be, so that `_reach` is to be called at size `_stop`."""
        if row.log_index != self.size or self._is_broken or not _is_hash(row.leaf_hash):
            return False
        self._leaves.append(row.leaf_hash)
        self._names.append((row.subject, row.seq))
        return True

    def _look_at(self, row: StoredLogLeaf) -> Iterator[Finding]:
        """Say what is wrong with a row that was not taken, and go on past it."""
        if self._is_broken:
            return
        index = row.log_index
        if type(index) is not int or index < self.size:
            yield _leaf_finding("log-place-repeated", row, log_index=index)
            return
        if index > self.size:
            yield Finding(code="log-place-missing", values={"log_index": self.size, "found": index})
            yield from self._add_kept(index)
        if self._is_broken or self._takes(row):
            return
        yield _leaf_finding("log-leaf-without-entry", row, log_index=index)
        yield from self._add_kept(index + 1, (row.subject, row.seq))

    def _add_kept(self, end: int, name: tuple[object, object] = _NAMELESS) -> Iterator[Finding]:
        """Add the leaves up to, not including, `end` as their tiles keep them, or give up where none does."""
        while self.size < end:
            index, place = divmod(self.size, TILE_WIDTH)
            kept = _first_row(self._rows.tile(0, index))[place : end - index * TILE_WIDTH]
            if not kept:
                self._is_broken = True
                yield Finding(code="log-not-recomputed", values={"log_index": self.size})
                return
            for leaf_hash in kept:
                self._takes(StoredLogLeaf(self.size, *name, leaf_hash))
                if self.size >= self._stop:
                    yield from self._reach()

    def _reach(self) -> Iterator[Finding]:
        """Check the tile that has become full, and what was signed about the log of this size."""
        if len(self._leaves) == TILE_WIDTH:
            tile, root = tile_over(self._leaves)
            yield from self._compare((0, self._tiles), tile)
            yield from self._take_roots([root])
        else:
            yield from self._look_at_signed()

    def _take_roots(self, roots: list[bytes]) -> Iterator[Finding]:
        """Extend the log of tile roots, and check the tiles above that become full."""
        growth = grow(self._tiles, self._edge, roots)
        known = self._edge | dict(growth.tiles)
        self._edge = {place: known[place] for place in edge(growth.size)}
        self._tiles, self._root = growth.size, growth.root
        self._leaves.clear()
        self._names.clear()
        for (level, index), tile in growth.tiles.items():
            if (level, index) not in self._edge:
                yield from self._compare((level + 1, index), tile)
        yield from self._look_at_signed()

    def _look_at_signed(self) -> Iterator[Finding]:
        if self._signed.next_size <= self.size:
            yield from self._signed.look_at(size=self.size, root=self.root)
        self._set_stop()

    def _set_stop(self) -> None:
        self._stop = min(self._signed.next_size, (self._tiles + 1) * TILE_WIDTH)

    def _edge_findings(self) -> Iterator[Finding]:
        if self._leaves:
            tile, _ = tile_over(self._leaves)
            yield from self._compare((0, self._tiles), tile)
        for (level, index), tile in self._edge.items():
            yield from self._compare((level + 1, index), tile)

    def _compare(self, place: TileId, tile: bytes) -> Iterator[Finding]:
        level, index = place
        values = {"level": level, "index": index}
        stored = self._rows.tile(level, index)
        if stored is None:
            yield Finding(code="tile-missing", values=values)
        elif stored != tile:
            subject, seq = self._first_difference(tile, stored) if level == 0 else _NAMELESS
            yield Finding(code="tile-differs", subject=_text(subject), seq=_count(seq), values=values)

    def _first_difference(self, tile: bytes, stored: object) -> tuple[object, object]:
        """Return the name of the first entry whose hash is another in its stored tile, if there is one."""
        row, stored_row = _first_row(tile), _first_row(stored)
        for place, leaf_hash in enumerate(row):
            if stored_row[place : place + 1] != [leaf_hash]:
                return self._names[place]
        return _NAMELESS

    def _unexpected_tiles(self) -> Iterator[Finding]:
        last: tuple[object, object] = _NAMELESS
        for level, index in self._rows.tile_places():
            values = {"level": level, "index": index}
            if not _is_tile_of(self.size, level, index):
                yield Finding(code="tile-unexpected", values=values)
            elif (level, index) == last:
                yield Finding(code="tile-repeated", values=values)
            else:
                last = (level, index)

    def _state_findings(self) -> Iterator[Finding]:
        states = list(self._rows.states())
        if len(states) != 1:
            yield Finding(code="log-state-rows", values={"found": len(states)})
        for state in states:
            if type(state.size) is not int or state.size != self.size:
                yield Finding(code="log-state-size", values={"found": state.size, "size": self.size})
            if state.root != self.root:
                yield Finding(code="log-state-root", values={"size": self.size})


def _are_hashes(values: Sequence[object]) -> TypeGuard[Sequence[bytes]]:
    return set(map(type, values)) == {bytes} and set(map(len, cast("Sequence[bytes]", values))) == {
        HASH_BYTES
    }


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
