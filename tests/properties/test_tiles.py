"""Laws of the tiled tree: the roots and proofs of RFC 6962, however the log grew."""

from collections.abc import Mapping
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.ledger.merkle import EMPTY_ROOT, node_hash, verify_consistency, verify_inclusion
from creditbank.ledger.tiles import (
    Growth,
    ProofRangeInvalid,
    TileBroken,
    TileId,
    consistency_proof,
    edge,
    grow,
    inclusion_proof,
    root,
    tile_hashes,
    tile_ids,
)
from tests.reference import rfc6962
from tests.strategies.ledger import leaf_hashes

EVERY_SIZE = 64
LARGE = 70_001  # three levels, the lower two with an edge of their own
BEYOND_A_TILE = st.sampled_from([255, 256, 257, 511, 512, 513, 700])


class Log:
    """A log kept as its tiles, which counts the tiles that are read."""

    def __init__(self, tiles: Mapping[TileId, bytes] | None = None, size: int = 0) -> None:
        self.tiles = dict(tiles or {})
        self.size = size
        self.root = EMPTY_ROOT
        self.reads: list[TileId] = []

    def add(self, hashes: list[bytes]) -> Growth:
        growth = grow(self.size, {place: self.tiles[place] for place in edge(self.size)}, hashes)
        self.tiles |= growth.tiles
        self.size, self.root = growth.size, growth.root
        return growth

    def read(self, level: int, index: int) -> bytes:
        self.reads.append((level, index))
        return self.tiles[level, index]


@cache
def log_of(size: int) -> Log:
    log = Log()
    log.add(leaf_hashes(LARGE)[:size])
    return log


@cache
def reference_root(size: int) -> bytes:
    return rfc6962.root(leaf_hashes(LARGE)[:size])


def test_roots_and_proofs_of_every_size_to_64_are_those_of_the_rfc() -> None:
    leaves = leaf_hashes(EVERY_SIZE)
    read = log_of(EVERY_SIZE).read
    for size in range(EVERY_SIZE + 1):
        assert root(size, read) == rfc6962.root(leaves[:size])
        for index in range(size):
            assert inclusion_proof(index, size, read) == rfc6962.path(index, leaves[:size])
        for old in range(1, size + 1):
            assert consistency_proof(old, size, read) == rfc6962.proof(old, leaves[:size])
        assert consistency_proof(0, size, read) == []


def test_growing_one_by_one_to_64_makes_the_tiles_of_growing_at_once() -> None:
    log = Log()
    for size, leaf in enumerate(leaf_hashes(EVERY_SIZE), start=1):
        growth = log.add([leaf])
        assert (growth.size, growth.root) == (size, reference_root(size))
        assert log.tiles == log_of(size).tiles


@given(st.lists(st.integers(0, 400), max_size=5))
def test_however_a_log_grew_it_is_the_same(steps: list[int]) -> None:
    log = Log()
    for step in steps:
        growth = log.add(leaf_hashes(LARGE)[log.size : log.size + step])
        assert growth.root == root(log.size, log.read)
    assert (log.tiles, log.root) == (log_of(log.size).tiles, log_of(log.size).root)
    assert log.root == reference_root(log.size)


@given(BEYOND_A_TILE | st.integers(1, 700), st.data())
def test_proofs_across_tiles_are_those_of_the_rfc(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = leaf_hashes(LARGE)[:size]
    later = log_of(data.draw(st.integers(size, 700)))
    assert inclusion_proof(index, size, later.read) == rfc6962.path(index, leaves)
    assert consistency_proof(index + 1, size, later.read) == rfc6962.proof(index + 1, leaves)


@given(st.sampled_from([65_535, 65_536, 65_537, LARGE]), st.data())
def test_proofs_across_three_levels_lead_to_the_root_of_the_rfc(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    read = log_of(LARGE).read
    leaf = leaf_hashes(LARGE)[index]
    proof = inclusion_proof(index, size, read)
    assert root(size, read) == reference_root(size)
    assert verify_inclusion(leaf, index, size, proof, reference_root(size))
    assert rfc6962.root_of_path(index, size, leaf, proof) == reference_root(size)
    grown = consistency_proof(index + 1, size, read)
    old_root = root(index + 1, read)
    assert verify_consistency(index + 1, old_root, size, reference_root(size), grown)
    assert rfc6962.roots_of_proof(index + 1, size, old_root, grown) == (old_root, reference_root(size))


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, LARGE])
def test_a_large_log_grown_in_two_has_the_same_tiles(size: int) -> None:
    log = Log()
    for end in (size - 300, size):
        log.add(leaf_hashes(LARGE)[log.size : end])
    assert (log.tiles, log.root) == (log_of(size).tiles, log_of(size).root)


def test_a_log_of_65536_equal_halves_doubles_by_one_hash() -> None:
    half = log_of(32_768)
    log = Log(half.tiles, half.size)
    log.add(leaf_hashes(LARGE)[:32_768])
    assert log.root == node_hash(half.root, half.root)


@given(st.integers(0, 99_999))
def test_an_entry_of_100_000_is_proved_with_at_most_4_reads(index: int) -> None:
    log = large_log()
    log.reads.clear()
    proof = inclusion_proof(index, log.size, log.read)
    assert verify_inclusion(b"\x07" * 32, index, log.size, proof, log.root)
    assert len(log.reads) == len(set(log.reads)) <= 4


@cache
def large_log() -> Log:
    log = Log()
    log.add([b"\x07" * 32] * 100_000)
    return log


@given(st.integers(0, 2_000) | st.integers(0, 2**40))
def test_the_edge_is_what_is_partial_among_all_tiles(size: int) -> None:
    partial = [(level, index) for level, index in edge(size) if size // 256 ** (level + 1) == index]
    assert partial == edge(size)
    if size <= 2_000:
        assert set(edge(size)) <= set(tile_ids(size)) == set(log_of(size).tiles)


def test_tiles_are_laid_out_as_the_guide_says() -> None:
    leaves = leaf_hashes(LARGE)
    for width in (1, 2, 3, 5, 100, 255, 256):
        rows = [leaves[:width]]
        while len(rows) < 8:
            below = rows[-1]
            rows.append([node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])
        tile = log_of(width).tiles[0, 0]
        assert tile == b"".join(b"".join(row) for row in rows)
        assert tile_hashes(tile) == b"".join(leaves[:width])
    assert len(log_of(256).tiles[0, 0]) == (256 + 254) * 32
    assert tile_hashes(log_of(256).tiles[1, 0]) == reference_root(256)


@given(st.integers(1, 700), st.integers(0, 700), st.binary(max_size=40))
def test_a_tile_of_another_length_is_an_alarm_not_a_root(size: int, cut: int, tail: bytes) -> None:
    held = {place: log_of(size).tiles[place] for place in edge(size)}
    for place, tile in held.items():
        changed = tile[: max(0, len(tile) - cut)] + tail
        if len(changed) != len(tile):
            with pytest.raises(TileBroken):
                grow(size, held | {place: changed}, leaf_hashes(1))
    with pytest.raises(TileBroken):
        tile_hashes(bytes(33) + tail[:30])


@given(st.integers(1, 700), st.integers(1, 256))
def test_a_tile_of_another_width_is_an_alarm_not_a_root(size: int, width: int) -> None:
    held = {place: log_of(size).tiles[place] for place in edge(size)}
    for place, tile in held.items():
        other = log_of(width).tiles[0, 0]
        if len(other) != len(tile):
            with pytest.raises(TileBroken):
                grow(size, held | {place: other}, leaf_hashes(1))


def test_a_tile_too_small_for_the_size_asked_is_an_alarm() -> None:
    with pytest.raises(TileBroken):
        root(7, log_of(6).read)
    with pytest.raises(TileBroken):
        grow(6, {}, leaf_hashes(1))


@given(st.integers(-3, 70), st.integers(-3, 70))
def test_a_proof_beyond_the_log_is_refused(one: int, other: int) -> None:
    read = log_of(EVERY_SIZE + 6).read
    if 0 <= one < other:
        inclusion_proof(one, other, read)
    else:
        with pytest.raises(ProofRangeInvalid):
            inclusion_proof(one, other, read)
    if 0 <= one <= other:
        consistency_proof(one, other, read)
    else:
        with pytest.raises(ProofRangeInvalid):
            consistency_proof(one, other, read)
