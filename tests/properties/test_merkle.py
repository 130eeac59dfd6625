"""Laws of RFC 6962 proofs: what is in the log is proved, and nothing else."""

from functools import cache
from hashlib import sha256

from hypothesis import assume, given
from hypothesis import strategies as st

from creditbank.ledger.merkle import EMPTY_ROOT, node_hash, verify_consistency, verify_inclusion
from tests.reference import rfc6962
from tests.strategies.ledger import leaf_hashes

EVERY_SIZE = 64
LEAVES = leaf_hashes(EVERY_SIZE)
hashes = st.binary(min_size=32, max_size=32)


@cache
def reference_root(size: int) -> bytes:
    return rfc6962.root(LEAVES[:size])


def test_the_empty_root_is_the_hash_of_nothing() -> None:
    assert rfc6962.root([]) == EMPTY_ROOT


@given(hashes, hashes)
def test_a_node_is_hashed_as_the_rfc_says(left: bytes, right: bytes) -> None:
    assert node_hash(left, right) == sha256(b"\x01" + left + right).digest()


def test_every_entry_of_every_size_to_64_is_proved_at_its_place_alone() -> None:
    for size in range(1, EVERY_SIZE + 1):
        root = reference_root(size)
        for index in range(size):
            proof = rfc6962.path(index, LEAVES[:size])
            holds_at = [
                place
                for place in range(-1, size + 2)
                if verify_inclusion(LEAVES[index], place, size, proof, root)
            ]
            assert holds_at == [index]


def test_every_growth_between_sizes_to_64_is_proved() -> None:
    for new in range(EVERY_SIZE + 1):
        for old in range(new + 1):
            proof = rfc6962.proof(old, LEAVES[:new]) if old else []
            assert verify_consistency(old, reference_root(old), new, reference_root(new), proof)


@given(st.integers(1, EVERY_SIZE), st.data())
def test_a_changed_inclusion_proof_proves_nothing(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = rfc6962.path(index, LEAVES[:size])
    altered = data.draw(altered_proofs(proof))
    assert not verify_inclusion(LEAVES[index], index, size, altered, reference_root(size))


@given(st.integers(2, EVERY_SIZE), st.data())
def test_a_changed_consistency_proof_proves_nothing(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    proof = rfc6962.proof(old, LEAVES[:new])
    altered = data.draw(altered_proofs(proof))
    assert not verify_consistency(old, reference_root(old), new, reference_root(new), altered)


@given(st.integers(1, EVERY_SIZE), st.data())
def test_inclusion_holds_for_the_true_leaf_root_and_size_alone(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = rfc6962.path(index, LEAVES[:size])
    root = reference_root(size)
    leaf, claimed_root, claimed_size = data.draw(
        st.one_of(
            st.tuples(hashes, st.just(root), st.just(size)),
            st.tuples(st.just(LEAVES[index]), hashes, st.just(size)),
            st.tuples(st.just(LEAVES[index][:-1]), st.just(root), st.just(size)),
            st.tuples(st.just(LEAVES[index]), st.just(root), st.integers(-1, index)),
        )
    )
    assume((leaf, claimed_root, claimed_size) != (LEAVES[index], root, size))
    assert not verify_inclusion(leaf, index, claimed_size, proof, claimed_root)


@given(st.integers(0, EVERY_SIZE), st.integers(0, EVERY_SIZE), st.data())
def test_a_log_with_another_history_is_no_continuation(one: int, other: int, data: st.DataObject) -> None:
    old, new = min(one, other), max(one, other)
    assume(old)
    place = data.draw(st.integers(0, old - 1))
    forged = [*LEAVES[:place], data.draw(hashes), *LEAVES[place + 1 : new]]
    assume(forged[place] != LEAVES[place])
    proof = rfc6962.proof(old, forged)
    assert not verify_consistency(old, reference_root(old), new, rfc6962.root(forged), proof)


@given(st.integers(0, 40), st.integers(-1, 40), st.lists(st.sampled_from(LEAVES[:8]), max_size=7))
def test_any_inclusion_proof_is_judged_as_the_recursion_judges_it(
    index: int, size: int, proof: list[bytes]
) -> None:
    leads_to = rfc6962.root_of_path(index, size, LEAVES[0], proof) if index < size else None
    root = leads_to or reference_root(3)
    assert verify_inclusion(LEAVES[0], index, size, proof, root) == (leads_to is not None)


@given(st.integers(1, 40), st.integers(1, 40), st.lists(st.sampled_from(LEAVES[:8]), max_size=7))
def test_any_consistency_proof_is_judged_as_the_recursion_judges_it(
    old: int, new: int, proof: list[bytes]
) -> None:
    leads_to = rfc6962.roots_of_proof(old, new, LEAVES[0], proof) if old <= new else None
    old_root, new_root = leads_to or (LEAVES[0], LEAVES[0])
    assert verify_consistency(old, old_root, new, new_root, proof) == (leads_to is not None)


@st.composite
def altered_proofs(draw: st.DrawFn, proof: list[bytes]) -> list[bytes]:
    """Draw a proof that is another one: a hash changed, cut, added, taken away, or two exchanged."""
    other = list(proof)
    place = draw(st.integers(0, len(proof)))
    match draw(st.sampled_from(["add", "cut", "change", "remove", "exchange"])):
        case "add":
            other.insert(place, draw(hashes))
        case "cut":
            other[place : place + 1] = [each[:-1] for each in other[place : place + 1]]
        case "change":
            other[place : place + 1] = [draw(hashes) for _ in other[place : place + 1]]
        case "remove":
            del other[place : place + 1]
        case _:
            other.reverse()
    assume(other != proof)
    return other
