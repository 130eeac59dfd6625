"""The log's tree as it is kept: in tiles, so that a proof needs few reads and growing rewrites only the edge.

Tile (level, index) spans up to 256 neighbouring nodes of tree height `8 * level`, from node `256 * index`.
Its bytes are those nodes' hashes, then, row by row upward, every complete node above them within the tile:
rows 1 to 7, so that row `r` holds `width >> r` hashes. The root of a full tile is a node of its parent.
The length gives the width. The first row alone is the C2SP tlog-tiles tile. See docs/formats.md.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from struct import iter_unpack
from typing import TypeAlias

from creditbank.errors import IntegrityBroken, InvalidInput
from creditbank.ledger.entry import HASH_BYTES
from creditbank.ledger.merkle import EMPTY_ROOT, node_hash

TILE_WIDTH = 256
_HEIGHT = 8  # of a tile: 2 ** 8 nodes span it
_PAIR = 2 * HASH_BYTES

TileId: TypeAlias = tuple[int, int]
"""Level and index of a tile."""

ReadTile: TypeAlias = Callable[[int, int], bytes]
"""Returns the stored bytes of tile (level, index)."""


class TileBroken(IntegrityBroken):
    """A stored tile is not as long as any tile, or as this one, is."""

    code = "tile-broken"


class ProofRangeInvalid(InvalidInput):
    """A proof was asked about a place or a size that the log does not have."""

    code = "proof-range-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """The log after it has grown; `tiles` are those that changed or are new, in full."""

    size: int
    root: bytes
    tiles: Mapping[TileId, bytes]


def edge(size: int) -> list[TileId]:
    """Return the partial tiles at the right edge of a log of `size`, at most one a level."""
    tiles: list[TileId] = []
    level = 0
    while size:
        if size % TILE_WIDTH:
            tiles.append((level, size // TILE_WIDTH))
        level, size = level + 1, size // TILE_WIDTH
    return tiles


def tile_ids(size: int) -> Iterator[TileId]:
    """Yield every tile of a log of `size`, by level and index."""
    level = 0
    while size:
        yield from ((level, index) for index in range(-(-size // TILE_WIDTH)))
        level, size = level + 1, size // TILE_WIDTH


def grow(size: int, edge_tiles: Mapping[TileId, bytes], leaf_hashes: Sequence[bytes]) -> Growth:
    """Add leaves to a log of `size`, whose partial tiles `edge_tiles` holds: exactly those of `edge(size)`.

    Raises:
        TileBroken: one of them is missing or not of the length that `size` demands.
    """
    held = {place: _required(edge_tiles, place, size) for place in edge(size)}
    tiles: dict[TileId, bytes] = {}
    added = b"".join(leaf_hashes)
    assert len(added) == HASH_BYTES * len(leaf_hashes), "a leaf hash has 32 bytes"
    level, before = 0, size
    while added:
        roots: list[bytes] = []
        start = 0
        index = before // TILE_WIDTH
        while start < len(added):
            tile = held.get((level, index), b"")
            end = start + HASH_BYTES * (TILE_WIDTH - _width(tile))
            rows = _widened(tile, added[start:end])
            tiles[level, index] = b"".join(rows)
            if len(rows[0]) == HASH_BYTES * TILE_WIDTH:
                roots.append(_parents(rows[-1]))
            start, index = end, index + 1
        level, before, added = level + 1, before // TILE_WIDTH, b"".join(roots)
    grown = size + len(leaf_hashes)
    known = held | tiles
    return Growth(size=grown, root=root(grown, lambda level, index: known[level, index]), tiles=tiles)


def root(size: int, read_tile: ReadTile) -> bytes:
    """Return the root of the log's first `size` entries; `read_tile` may know of more.

    Raises:
        TileBroken: a tile is too short for `size`.
    """
    return _Nodes(read_tile).over(0, size) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, read_tile: ReadTile) -> list[bytes]:
    """Return the path from leaf `index` to the root of the first `size` entries (RFC 6962, section 2.1.1).

    Any size up to the log's own can be asked for. Reads at most two tiles a level, each once: 4 tiles at
    100,000 entries.

    Raises:
        ProofRangeInvalid: there is no such leaf among them.
        TileBroken: a tile is too short for `size`.
    """
    if not 0 <= index < size:
        raise ProofRangeInvalid("index-beyond-size", index=index, size=size)
    nodes = _Nodes(read_tile)
    proof: list[bytes] = []
    first, end = 0, size
    while end - first > 1:
        middle = first + _split(end - first)
        if index < middle:
            proof.append(nodes.over(middle, end))
            end = middle
        else:
            proof.append(nodes.over(first, middle))
            first = middle
    return proof[::-1]


def consistency_proof(old_size: int, new_size: int, read_tile: ReadTile) -> list[bytes]:
    """Return the proof that the log of `new_size` begins with that of `old_size` (RFC 6962, section 2.1.2).

    It is empty for `old_size` 0 and for equal sizes.

    Raises:
        ProofRangeInvalid: the log did not grow from the one size to the other.
        TileBroken: a tile is too short for `new_size`.
    """
    if not 0 <= old_size <= new_size:
        raise ProofRangeInvalid("old-size-beyond-new", old_size=old_size, new_size=new_size)
    nodes = _Nodes(read_tile)
    proof: list[bytes] = []
    first, end = 0, new_size
    while 0 < old_size < end:
        middle = first + _split(end - first)
        if old_size <= middle:
            proof.append(nodes.over(middle, end))
            end = middle
        else:
            proof.append(nodes.over(first, middle))
            first = middle
    if first:
        proof.append(nodes.over(first, end))
    return proof[::-1]


def tile_width(size: int, *, level: int, index: int) -> int:
    """Return how many hashes the first row of a tile has in a log of `size`: none to 256."""
    return min(max((size >> _HEIGHT * level) - TILE_WIDTH * index, 0), TILE_WIDTH)


def tile_hashes(tile: bytes) -> bytes:
    """Return a tile's first row, which is what C2SP tlog-tiles serves.

    Raises:
        TileBroken: no tile has this length.
    """
    return tile[: HASH_BYTES * _width(tile)]


class _Nodes:
    """The hashes of ranges of leaves, each tile being read once."""

    def __init__(self, read_tile: ReadTile) -> None:
        self._read_tile = read_tile
        self._tiles: dict[TileId, bytes] = {}

    def over(self, first: int, end: int) -> bytes:
        """Return the hash over leaves `first` up to, not including, `end`, one subtree of the RFC's tree."""
        heights = [height for height in range((end - first).bit_length()) if (end - first) >> height & 1]
        position, computed = end, b""
        for height in heights:
            position -= 1 << height
            node = self._node(height, position >> height)
            computed = node_hash(node, computed) if computed else node
        return computed

    def _node(self, height: int, place: int) -> bytes:
        level, row = divmod(height, _HEIGHT)
        in_row = _HEIGHT - row
        tile_id = (level, place >> in_row)
        tile = self._tiles.get(tile_id)
        if tile is None:
            tile = self._tiles[tile_id] = self._read_tile(*tile_id)
        width = _width(tile)
        at = place & ((1 << in_row) - 1)
        if at >= width >> row:
            raise TileBroken("tile-too-short", level=level, index=tile_id[1], width=width)
        start = HASH_BYTES * (sum(width >> lower for lower in range(row)) + at)
        return tile[start : start + HASH_BYTES]


def _split(size: int) -> int:
    """Return the largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def _tile_bytes(width: int) -> int:
    return HASH_BYTES * sum(width >> row for row in range(_HEIGHT))


_WIDTHS = {_tile_bytes(width): width for width in range(TILE_WIDTH + 1)}


def _width(tile: bytes) -> int:
    width = _WIDTHS.get(len(tile))
    if width is None:
        raise TileBroken("tile-length", size_bytes=len(tile))
    return width


def _required(tiles: Mapping[TileId, bytes], place: TileId, size: int) -> bytes:
    level, index = place
    width = tile_width(size, level=level, index=index)
    tile = tiles.get(place)
    if tile is None or len(tile) != _tile_bytes(width):
        raise TileBroken("edge-tile-differs", level=level, index=index, width=width)
    return tile


def _widened(tile: bytes, hashes: bytes) -> list[bytes]:
    """Return the rows of a tile once `hashes` are added to its first."""
    width, start = _width(tile), 0
    rows: list[bytes] = []
    for row in range(_HEIGHT):
        end = start + HASH_BYTES * (width >> row)
        held = tile[start:end]
        rows.append(held + (_parents(rows[-1][2 * len(held) :]) if rows else hashes))
        start = end
    return rows


def _parents(hashes: bytes) -> bytes:
    """Return the nodes above pairs of neighbours; one left over has none yet."""
    pairs = iter_unpack(f"{_PAIR}s", hashes[: len(hashes) // _PAIR * _PAIR])
    return b"".join([sha256(b"\x01" + pair).digest() for (pair,) in pairs])
