"""The RFC 6962 tree: how its nodes are hashed, and how proofs about it are checked.

Checking needs nothing but hashes, so a stranger can do it. Making proofs is for `tiles.py`.
"""

from collections.abc import Sequence
from hashlib import sha256

from creditbank.ledger.entry import HASH_BYTES

EMPTY_ROOT = sha256().digest()
"""The root of a log without entries: the hash of nothing (RFC 6962, section 2.1)."""


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return `SHA-256(0x01 ‖ left ‖ right)` (RFC 6962, section 2.1)."""
    return sha256(b"\x01" + left + right).digest()


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows that leaf `index` of the log of `size` entries under `root` has this hash.

    RFC 9162, section 2.1.3.2; the leaf's sibling comes first in the proof.
    """
    if not 0 <= index < size or not _are_hashes((leaf_hash, root, *proof)):
        return False
    place, last, computed = index, size - 1, leaf_hash
    for sibling in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            computed = node_hash(sibling, computed)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and computed == root


def verify_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether `proof` shows that the log of `new_size` entries begins with the whole one of `old_size`.

    RFC 9162, section 2.1.4.2. Every log continues the empty one, and itself, by an empty proof.
    """
    if not 0 <= old_size <= new_size or not _are_hashes((old_root, new_root, *proof)):
        return False
    if old_size == new_size:
        return not proof and old_root == new_root
    if old_size == 0:
        return not proof and old_root == EMPTY_ROOT
    place, last = old_size - 1, new_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    # A complete old tree is itself a node of the new one, and the proof leaves it out.
    hashes = iter(proof if place else (old_root, *proof))
    old = new = next(hashes, b"")
    for sibling in hashes:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root


def _are_hashes(values: Sequence[bytes]) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
