"""RFC 6962, section 2.1, as it is written: slow, recursive, over a list of leaf hashes.

`D[n]` of the RFC are entries; here they are hashed already. The two checkers follow the same recursion
backward: they say which roots a proof leads to, knowing nothing of RFC 9162's shifting of bits.
"""

from collections.abc import Sequence
from hashlib import sha256


def root(leaves: Sequence[bytes]) -> bytes:
    """`MTH(D[n])`."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return node(root(leaves[:k]), root(leaves[k:]))


def path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """`PATH(m, D[n])`."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), root(leaves[k:])]
    return [*path(m - k, leaves[k:]), root(leaves[:k])]


def proof(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """`PROOF(m, D[n])`."""
    return subproof(m, leaves, is_complete=True)


def subproof(m: int, leaves: Sequence[bytes], *, is_complete: bool) -> list[bytes]:
    """`SUBPROOF(m, D[n], b)`."""
    if m == len(leaves):
        return [] if is_complete else [root(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], is_complete=is_complete), root(leaves[k:])]
    return [*subproof(m - k, leaves[k:], is_complete=False), root(leaves[:k])]


def root_of_path(m: int, n: int, leaf: bytes, hashes: Sequence[bytes]) -> bytes | None:
    """Return the root that `PATH(m, D[n])` leads to, None where it has another length."""
    if n == 1:
        return leaf if not hashes else None
    if not hashes:
        return None
    k = split(n)
    *below, beside = hashes
    inner = root_of_path(m, k, leaf, below) if m < k else root_of_path(m - k, n - k, leaf, below)
    if inner is None:
        return None
    return node(inner, beside) if m < k else node(beside, inner)


def roots_of_proof(m: int, n: int, old_root: bytes, hashes: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Return the roots over `m` and `n` leaves that `PROOF(m, D[n])` leads to, None for another length."""
    return _roots(m, n, old_root, list(hashes), is_complete=True)


def split(n: int) -> int:
    """Return the largest power of two smaller than `n`."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def _roots(
    m: int, n: int, old_root: bytes, hashes: list[bytes], *, is_complete: bool
) -> tuple[bytes, bytes] | None:
    if m == n:
        if is_complete:
            return (old_root, old_root) if not hashes else None
        return (hashes[0], hashes[0]) if len(hashes) == 1 else None
    if not hashes:
        return None
    k = split(n)
    beside = hashes.pop()
    if m <= k:
        roots = _roots(m, k, old_root, hashes, is_complete=is_complete)
        return None if roots is None else (roots[0], node(roots[1], beside))
    roots = _roots(m - k, n - k, old_root, hashes, is_complete=False)
    return None if roots is None else (node(beside, roots[0]), node(beside, roots[1]))
