"""Check the cosignatures that are kept: each against the checkpoint it stands under, by the key beside it.

Whether a witness deserves belief is not looked at, nor needed: a row that was changed no longer holds.
"""

from collections.abc import Iterable, Iterator

from creditbank.errors import InvalidInput
from creditbank.ledger.audit import Finding, StoredCosignature
from creditbank.ledger.checkpoint import parse_note
from creditbank.ledger.cosignature import Cosignature, parse_witness_key


def cosignature_findings(rows: Iterable[StoredCosignature]) -> Iterator[Finding]:
    """Yield a finding for every row that is not what its witness signed of this log, whatever it holds."""
    for row in rows:
        reason = _fault_of(row)
        if reason is not None:
            values = {"size": row.size, "witness": row.witness, "reason": reason}
            yield Finding(code="cosignature-invalid", values=values)


def _fault_of(row: StoredCosignature) -> str | None:
    match row:
        case StoredCosignature(note=None):
            return "checkpoint-unknown"
        case StoredCosignature(int(), str(witness), int(at), bytes(signature), bytes(note)):
            return _fault_in(witness, at, signature, note)
        case _:
            return "cosignature-malformed"


def _fault_in(witness: str, cosigned_at: int, signature: bytes, note: bytes) -> str | None:
    try:
        key = parse_witness_key(witness)
        cosignature = Cosignature(witness=key, cosigned_at=cosigned_at, signature=signature)
        holds = cosignature.covers(parse_note(note).text)
    except InvalidInput as error:
        return error.reason
    return None if holds else "cosignature-wrong"
