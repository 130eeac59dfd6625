"""The log's tree as it is stored: tiles of up to 256 hashes, from which roots and proofs are read.

Tile (level, index) holds the hashes of tree level `8 · level` from place `256 · index` on, then the
complete inner nodes above them, level by level up to the seventh. The node above a full tile is a hash of
the tile above it. So a proof needs one or two tiles of each level, however long the log is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from creditbank.ledger.entry import HASH_BYTES
from creditbank.ledger.merkle import EMPTY_ROOT, node_hash

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT

TileId = tuple[int, int]
ReadTile = Callable[[int, int], bytes]
"""Given a level and an index, returns the stored tile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What adding leaves made of the tree: its new size and root, and every tile that changed."""

    size: int
    root: bytes
    tiles: Mapping[TileId, bytes]


def edge(size: int) -> list[TileId]:
    """Return the incomplete last tile of every level of a log of this size: what `grow` must be given."""
    found = []
    level, count = 0, size
    while count:
        if count % TILE_WIDTH:
            found.append((level, count // TILE_WIDTH))
        level, count = level + 1, count // TILE_WIDTH
    return found


def grow(size: int, tiles: Mapping[TileId, bytes], leaf_hashes: Sequence[bytes]) -> Growth:
    """Add leaves to a log of `size` entries whose `edge` tiles are given.

    Work and memory are in proportion to the leaves added, not to the log.
    """
    changed: dict[TileId, bytes] = {}
    level, count, added = 0, size, list(leaf_hashes)
    while added:
        first = count // TILE_WIDTH
        kept = _hashes(tiles[level, first], count % TILE_WIDTH) if count % TILE_WIDTH else []
        row = kept + added
        above = []
        for start in range(0, len(row), TILE_WIDTH):
            tile, top = tile_of(row[start : start + TILE_WIDTH])
            changed[level, first + start // TILE_WIDTH] = tile
            if top is not None:
                above.append(top)
        level, count, added = level + 1, count // TILE_WIDTH, above
    known = {**tiles, **changed}
    new_size = size + len(leaf_hashes)
    return Growth(size=new_size, root=root(new_size, lambda level, index: known[level, index]), tiles=changed)


def root(size: int, read: ReadTile) -> bytes:
    """Return the root of the log's first `size` entries (RFC 6962, section 2.1)."""
    return _Tree(read).range_hash(0, size) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, read: ReadTile) -> list[bytes]:
    """Return the path from leaf `index` to the root of the first `size` entries (RFC 6962, section 2.1.1)."""
    assert 0 <= index < size, "only an entry of the log can be proved to be in it"
    tree = _Tree(read)
    path = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(tree.range_hash(middle, end))
            end = middle
        else:
            path.append(tree.range_hash(start, middle))
            start = middle
    return path[::-1]


def consistency_proof(old_size: int, new_size: int, read: ReadTile) -> list[bytes]:
    """Prove that the first `old_size` entries begin the first `new_size` (RFC 6962, section 2.1.2)."""
    assert 0 <= old_size <= new_size, "a log only grows"
    if old_size in {0, new_size}:
        return []
    tree = _Tree(read)
    path = []
    start, end = 0, new_size
    while old_size < end:
        middle = start + _split(end - start)
        if old_size <= middle:
            path.append(tree.range_hash(middle, end))
            end = middle
        else:
            path.append(tree.range_hash(start, middle))
            start = middle
    if start:
        path.append(tree.range_hash(start, end))
    return path[::-1]


class _Tree:
    """Reads each tile once, and combines complete nodes into the hash of any range of leaves."""

    def __init__(self, read: ReadTile) -> None:
        self._read = read
        self._tiles: dict[TileId, bytes] = {}

    def range_hash(self, start: int, end: int) -> bytes:
        """Return the hash over leaves `start` to `end`, where `start` is where such a subtree can begin."""
        count = end - start
        if count & (count - 1) == 0:
            level = count.bit_length() - 1
            return self._node(level, start >> level)
        middle = start + _split(count)
        return node_hash(self.range_hash(start, middle), self.range_hash(middle, end))

    def _node(self, level: int, index: int) -> bytes:
        tile_level, height = divmod(level, TILE_HEIGHT)
        tile_index, place = divmod(index, TILE_WIDTH >> height)
        tile = self._tile(tile_level, tile_index)
        width = _width(tile)
        below = sum(width >> lower for lower in range(height))
        at = (below + place) * HASH_BYTES
        return tile[at : at + HASH_BYTES]

    def _tile(self, level: int, index: int) -> bytes:
        if (level, index) not in self._tiles:
            self._tiles[level, index] = self._read(level, index)
        return self._tiles[level, index]


def tile_of(hashes: Sequence[bytes]) -> tuple[bytes, bytes | None]:
    """Return a tile of these hashes, and the node above it where it is full."""
    parts = [b"".join(hashes)]
    row: Sequence[bytes] = hashes
    while len(row) > 1:
        row = [sha256(b"\x01" + row[i] + row[i + 1]).digest() for i in range(0, len(row) - 1, 2)]
        parts.append(b"".join(row))
    if len(hashes) < TILE_WIDTH:
        return b"".join(parts), None
    return b"".join(parts[:-1]), row[0]


def _hashes(tile: bytes, width: int) -> list[bytes]:
    return [tile[at : at + HASH_BYTES] for at in range(0, width * HASH_BYTES, HASH_BYTES)]


def _width(tile: bytes) -> int:
    """Return how many hashes a tile begins with: `w` of them make `w + w/2 + w/4 + …` nodes in all."""
    nodes = len(tile) // HASH_BYTES
    width = (nodes + 1) // 2
    while sum(width >> height for height in range(TILE_HEIGHT)) < nodes:
        width += 1
    return width


def _split(count: int) -> int:
    """Return the largest power of two below `count`: where RFC 6962 divides a range."""
    return 1 << (count - 1).bit_length() - 1
