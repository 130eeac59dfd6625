"""A proof that one log grew into another, as a file: the body of C2SP tlog-witness's `add-checkpoint`.

    old <size of the earlier log>
    <hashes of RFC 6962, section 2.1.2, base64, one a line>
    <empty line>
    <the later log's signed checkpoint>

So the file that shows a stranger that nothing was cut or changed is also what a witness wants to be sent.
"""

import re
from dataclasses import dataclass

from creditbank.ledger.checkpoint import Checkpoint
from creditbank.ledger.encoding import EncodingInvalid, base64_text, parse_base64
from creditbank.ledger.entry import HASH_BYTES
from creditbank.ledger.merkle import verify_consistency
from creditbank.ledger.proof_file import FILE_MAX_BYTES, ProofFileInvalid

HASHES_MAX = 63

_OLD = re.compile(r"old (0|[1-9][0-9]{0,17})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsistencyProof:
    """From which size the log grew, the hashes that show it, and the signed checkpoint of what it became."""

    old_size: int
    hashes: tuple[bytes, ...]
    note: bytes

    def encode(self) -> bytes:
        """Return the bytes of the file."""
        lines = (f"old {self.old_size}", *map(base64_text, self.hashes))
        return "\n".join(lines).encode() + b"\n\n" + self.note

    def shows(self, older: Checkpoint, newer: Checkpoint) -> bool:
        """Whether it proves that the log of `newer`, which `note` states, begins with all of `older`'s."""
        return self.old_size == older.size and verify_consistency(
            older.size, older.root, newer.size, newer.root, self.hashes
        )


def parse_consistency_file(data: bytes) -> ConsistencyProof:
    """Read the file; what its checkpoint is worth is another question.

    Raises:
        ProofFileInvalid: it is none.
    """
    head, blank, note = data.partition(b"\n\n")
    if len(data) > FILE_MAX_BYTES or not blank:
        raise ProofFileInvalid("consistency-file-malformed")
    try:
        first, *lines = head.decode("ascii").split("\n")
        hashes = tuple(map(parse_base64, lines))
    except (UnicodeDecodeError, EncodingInvalid) as error:
        raise ProofFileInvalid("consistency-file-malformed") from error
    old = _OLD.fullmatch(first)
    if old is None or len(hashes) > HASHES_MAX or any(len(each) != HASH_BYTES for each in hashes):
        raise ProofFileInvalid("consistency-file-malformed")
    return ConsistencyProof(old_size=int(old[1]), hashes=hashes, note=note)
