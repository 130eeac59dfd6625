"""An inclusion proof as a file that anyone can check offline: C2SP `tlog-proof`, version 1.

The leaf travels with it as extra data. The standard leaves that unauthenticated; here it is not, because
the proof is checked against the leaf's own hash.
"""

import base64
import binascii
import re
from collections.abc import Collection
from dataclasses import dataclass

from creditbank.errors import InvalidInput
from creditbank.ledger.checkpoint import Checkpoint, VerifierKey, open_note
from creditbank.ledger.entry import HASH_BYTES, Leaf, leaf_hash, parse_leaf
from creditbank.ledger.merkle import verify_inclusion

FIRST_LINE = b"c2sp.org/tlog-proof@v1"
FILE_MAX_BYTES = 262_144

_INDEX = re.compile(rb"index (0|[1-9][0-9]{0,18})")
_EXTRA = b"extra "


class ProofFileInvalid(InvalidInput):
    """These bytes are not an inclusion proof that we can check."""

    code = "proof-file-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class InclusionProof:
    """Where an entry stands in a log, the path to its root, the signed checkpoint, and the leaf itself."""

    index: int
    hashes: tuple[bytes, ...]
    note: bytes
    leaf_bytes: bytes

    def encode(self) -> bytes:
        """Return the bytes of a `.tlog-proof` file."""
        lines = [
            FIRST_LINE,
            _EXTRA + base64.b64encode(self.leaf_bytes),
            b"index %d" % self.index,
            *map(base64.b64encode, self.hashes),
            b"",
            self.note,
        ]
        return b"\n".join(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Included:
    """The leaf is in the log that the checkpoint describes."""

    leaf: Leaf
    index: int
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class NotProved:
    """The file does not show that the leaf is in the log; `reason` is a published code."""

    reason: str


def parse_proof_file(data: bytes) -> InclusionProof:
    """Read a `.tlog-proof` file.

    Raises:
        ProofFileInvalid: it is not one, or it does not carry its leaf.
    """
    head, blank, note = data.partition(b"\n\n")
    lines = head.split(b"\n")
    if len(data) > FILE_MAX_BYTES or not blank or lines[0] != FIRST_LINE:
        raise ProofFileInvalid("proof-file-malformed")
    if len(lines) < 3 or not lines[1].startswith(_EXTRA):  # noqa: PLR2004 - first line, leaf, index
        raise ProofFileInvalid("proof-file-without-leaf")
    index = _INDEX.fullmatch(lines[2])
    hashes = tuple(_decoded(line) for line in lines[3:])
    if index is None or any(len(one) != HASH_BYTES for one in hashes):
        raise ProofFileInvalid("proof-file-malformed")
    return InclusionProof(
        index=int(index[1]),
        hashes=hashes,
        note=note,
        leaf_bytes=_decoded(lines[1].removeprefix(_EXTRA)),
    )


def check(proof: InclusionProof, keys: Collection[VerifierKey]) -> Included | NotProved:
    """Check everything that a proof file claims, against nothing but the log's public keys."""
    try:
        checkpoint = open_note(proof.note, keys)
        leaf = parse_leaf(proof.leaf_bytes)
    except InvalidInput as error:
        return NotProved(reason=error.reason)
    if leaf.log != checkpoint.origin:
        return NotProved(reason="leaf-of-another-log")
    here = leaf_hash(proof.leaf_bytes)
    if not verify_inclusion(here, proof.index, checkpoint.size, proof.hashes, checkpoint.root):
        return NotProved(reason="path-does-not-lead-to-root")
    return Included(leaf=leaf, index=proof.index, checkpoint=checkpoint)


def _decoded(line: bytes) -> bytes:
    try:
        decoded = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProofFileInvalid("proof-file-malformed") from error
    if base64.b64encode(decoded) != line:
        raise ProofFileInvalid("proof-file-malformed")
    return decoded
