"""The RFC 6962 Merkle tree: how hashes are combined, and how a stranger checks a proof.

Making a proof needs the stored tree and is left to `tiles`; checking one needs only what is given here.
"""

from collections.abc import Sequence
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()
"""The root of a log without entries (RFC 6962, section 2.1)."""


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return `SHA-256(0x01 ‖ left ‖ right)`, the hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows that the log of `size` entries under `root` holds this leaf at `index`.

    RFC 9162, section 2.1.3.2. Indexes and sizes that make no sense are simply not proved.
    """
    if not 0 <= index < size:
        return False
    place, last = index, size - 1
    here = leaf_hash
    for sibling in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            here = node_hash(sibling, here)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            here = node_hash(here, sibling)
        place >>= 1
        last >>= 1
    return last == 0 and here == root


def verify_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether `proof` shows that the log under `old_root` is the beginning of the one under `new_root`.

    RFC 9162, section 2.1.4.2. The empty log is the beginning of every log, and needs no proof.
    """
    if old_size == new_size:
        return not proof and old_root == new_root
    if old_size == 0:
        return not proof and old_root == EMPTY_ROOT
    if not 0 < old_size < new_size or not proof:
        return False
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    place, last = old_size - 1, new_size - 1
    while place & 1:
        place >>= 1
        last >>= 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            new = node_hash(new, sibling)
        place >>= 1
        last >>= 1
    return last == 0 and old == old_root and new == new_root
