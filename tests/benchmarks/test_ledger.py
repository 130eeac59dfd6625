"""The pure ledger beside its peers: canonical bytes, the tree, proofs."""

import time
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from statistics import median

import pytest
import rfc8785

from creditbank.ledger.encoding import JsonValue, canonical_bytes
from creditbank.ledger.tiles import edge, grow, inclusion_proof
from tests.benchmarks.table import Measure, print_measures
from tests.strategies.ledger import leaf_hashes

pytestmark = pytest.mark.benchmark

GROUP = "The ledger itself, without a database"
ROUNDS = 5


def payload(number: int) -> dict[str, JsonValue]:
    return {
        "v": 1,
        "idempotency_key": f"row-{number}",
        "batch": "20260901-000123",
        "outcome": {
            "kind": "course-credit",
            "course": {"code": "ABC-123", "name": "畜牧兽医基础"},
            "credits": "3.5",
            "unit": "18h",
            "grade": "优",
            "completed_on": "2026-06-30",
            "issuer": "12540300MB0000000X",
            "hours": None,
        },
    }


def seconds(work: Callable[[], object]) -> float:
    """Return what one core spends on `work`."""
    start = time.process_time()
    work()
    return time.process_time() - start


def measured(
    what: str,
    *,
    product: Callable[[], object],
    peer: Callable[[], object],
    count: int,
    unit: str,
    goal: float,
) -> Measure:
    """Run both in turns and compare the medians."""
    pairs = [(seconds(product), seconds(peer)) for _ in range(ROUNDS)]
    ours, theirs = (median(times) for times in zip(*pairs, strict=True))
    what, _, beside = what.partition(" / ")
    return Measure(
        group=GROUP,
        what=what,
        product=count / ours,
        beside=beside,
        peer=count / theirs,
        unit=unit,
        goal=goal,
        ratios=[theirs / ours for ours, theirs in pairs],
    )


def test_canonical_bytes_beside_the_rfc8785_package() -> None:
    values = [payload(number) for number in range(2_000)]
    measure = measured(
        "canonical bytes / rfc8785",
        product=lambda: [canonical_bytes(value) for value in values],
        peer=lambda: [rfc8785.dumps(value) for value in values],
        count=len(values),
        unit="values/s",
        goal=3.5,
    )
    print_measures(measure)


def test_growing_the_tree_beside_hashing_as_many_nodes() -> None:
    leaves = leaf_hashes(50_000)
    node = b"\x01" + bytes(64)
    measure = measured(
        "tree grown in one call / its hashes alone",
        product=lambda: grow(0, {}, leaves),
        peer=lambda: [sha256(node).digest() for _ in leaves],
        count=len(leaves),
        unit="leaves/s",
        goal=0.35,
    )
    print_measures(measure)


def test_a_proof_at_100_000_leaves_beside_one_at_10_000() -> None:
    tiles = dict(grow(0, {}, [sha256(b"%d" % number).digest() for number in range(100_000)]).tiles)
    reads = 0

    def read(level: int, index: int) -> bytes:
        nonlocal reads
        reads += 1
        return tiles[level, index]

    def prove(size: int) -> None:
        for index in range(0, size, size // 1_000):
            inclusion_proof(index, size, read)

    measure = measured(
        "inclusion proof, 100,000 leaves / 10,000",
        product=partial(prove, 100_000),
        peer=partial(prove, 10_000),
        count=1_000,
        unit="proofs/s",
        goal=0.6,
    )
    print_measures(measure)
    assert len(edge(100_000)) == 3
    assert reads <= 4 * ROUNDS * 2_000
