"""An inclusion proof as a file that anyone can check offline: C2SP `tlog-proof`, version 1.

The leaf travels with it as extra data. The standard leaves that unauthenticated; here it is not, because
the proof is checked against the leaf's own hash.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from creditbank.errors import InvalidInput
from creditbank.ledger.checkpoint import Checkpoint, VerifierKey, open_note, parse_note
from creditbank.ledger.cosignature import Cosignature, WitnessKey, cosignatures_in
from creditbank.ledger.encoding import EncodingInvalid, base64_text, parse_base64
from creditbank.ledger.entry import HASH_BYTES, Leaf, leaf_hash, parse_leaf
from creditbank.ledger.merkle import verify_inclusion

FIRST_LINE = "c2sp.org/tlog-proof@v1"
FILE_MAX_BYTES = 262_144

_EXTRA = "extra "
_INDEX = "index "
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_LINES_MIN = 3


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
            _EXTRA + base64_text(self.leaf_bytes),
            f"{_INDEX}{self.index}",
            *map(base64_text, self.hashes),
        ]
        return "\n".join(lines).encode() + b"\n\n" + self.note


@dataclass(frozen=True, slots=True, kw_only=True)
class Included:
    """The leaf is in the log that the checkpoint describes, which these witnesses have seen too."""

    leaf: Leaf
    index: int
    checkpoint: Checkpoint
    cosignatures: tuple[Cosignature, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NotProved:
    """The file does not show what it was asked to; `reason` is a published code, with the values it names."""

    reason: str
    values: Mapping[str, object] = field(default_factory=dict, compare=False)


def parse_proof_file(data: bytes) -> InclusionProof:
    """Read a `.tlog-proof` file.

    Raises:
        ProofFileInvalid: it is not one, or it does not carry its leaf.
    """
    head, blank, note = data.partition(b"\n\n")
    if len(data) > FILE_MAX_BYTES or not blank:
        raise ProofFileInvalid("proof-file-malformed")
    try:
        first, *lines = head.decode("ascii").split("\n")
        if first != FIRST_LINE or not lines:
            raise ProofFileInvalid("proof-file-malformed")
        if not lines[0].startswith(_EXTRA):
            raise ProofFileInvalid("proof-file-without-leaf")
        if len(lines) < _LINES_MIN - 1 or not lines[1].startswith(_INDEX):
            raise ProofFileInvalid("proof-file-malformed")
        index = lines[1].removeprefix(_INDEX)
        leaf_bytes = parse_base64(lines[0].removeprefix(_EXTRA))
        hashes = tuple(map(parse_base64, lines[2:]))
    except (UnicodeDecodeError, EncodingInvalid) as error:
        raise ProofFileInvalid("proof-file-malformed") from error
    if not _DECIMAL.fullmatch(index) or any(len(each) != HASH_BYTES for each in hashes):
        raise ProofFileInvalid("proof-file-malformed")
    return InclusionProof(index=int(index), hashes=hashes, note=note, leaf_bytes=leaf_bytes)


def check(
    proof: InclusionProof, keys: Collection[VerifierKey], *, witnesses: Collection[WitnessKey] = ()
) -> Included | NotProved:
    """Check everything that a proof file claims, against public keys alone: the log's and the witnesses'."""
    try:
        checkpoint = open_note(proof.note, keys)
        cosignatures = cosignatures_in(parse_note(proof.note), witnesses)
        leaf = parse_leaf(proof.leaf_bytes)
    except InvalidInput as error:
        return NotProved(reason=error.reason, values=error.values)
    if leaf.log != checkpoint.origin:
        return NotProved(reason="leaf-of-another-log", values={"log": leaf.log, "origin": checkpoint.origin})
    here = leaf_hash(proof.leaf_bytes)
    if not verify_inclusion(here, proof.index, checkpoint.size, proof.hashes, checkpoint.root):
        return NotProved(reason="path-does-not-lead-to-root")
    return Included(leaf=leaf, index=proof.index, checkpoint=checkpoint, cosignatures=cosignatures)
