"""All that can be said of a receipt from files alone: no database, no clock, nothing but public keys.

A receipt is an inclusion proof (`proof_file`). Beside it may be given what its holder kept: a checkpoint
of another day, with the proof that the one log grew into the other; and what the entry says, with its salt.
"""

from collections.abc import Collection
from dataclasses import dataclass

from creditbank.errors import InvalidInput
from creditbank.ledger.checkpoint import Checkpoint, VerifierKey, open_note
from creditbank.ledger.consistency_file import ConsistencyProof
from creditbank.ledger.cosignature import WitnessKey
from creditbank.ledger.encoding import parse_canonical
from creditbank.ledger.entry import SALT_BYTES, Payload
from creditbank.ledger.proof_file import Included, InclusionProof, NotProved, ProofFileInvalid, check


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What a receipt is held against: each part may be missing."""

    checkpoint: bytes | None = None
    consistency: ConsistencyProof | None = None
    payload: Payload | None = None
    witnesses: tuple[WitnessKey, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptHolds:
    """Everything asked is proved: the entry, and what the holder brought, where that was brought."""

    included: Included
    agrees_with: Checkpoint | None = None
    payload: Payload | None = None


def check_receipt(
    proof: InclusionProof, keys: Collection[VerifierKey], beside: Beside
) -> ReceiptHolds | NotProved:
    """Check a receipt, and that everything `beside` it agrees with it.

    Raises:
        ProofFileInvalid: `consistency-wanted`: two checkpoints of different sizes cannot be compared without.
    """
    included = check(proof, keys, witnesses=beside.witnesses)
    if isinstance(included, NotProved):
        return included
    other = _agreeing(included.checkpoint, keys, beside)
    if isinstance(other, NotProved):
        return other
    if beside.payload is not None:
        if beside.payload.commitment != included.leaf.content:
            return NotProved(reason="payload-not-committed")
        try:
            parse_canonical(beside.payload.content)
        except InvalidInput as error:
            return NotProved(reason=error.reason, values=error.values)
    return ReceiptHolds(included=included, agrees_with=other, payload=beside.payload)


def parse_payload_file(data: bytes) -> Payload:
    """Read a payload as its holder keeps it: 32 bytes of salt, then what the entry says.

    Raises:
        ProofFileInvalid: it is too short to hold a salt.
    """
    if len(data) <= SALT_BYTES:
        raise ProofFileInvalid("payload-file-malformed", size_bytes=len(data))
    return Payload(salt=data[:SALT_BYTES], content=data[SALT_BYTES:])


def payload_file(payload: Payload) -> bytes:
    """Return the bytes that `parse_payload_file` reads."""
    return payload.salt + payload.content


def _agreeing(
    here: Checkpoint, keys: Collection[VerifierKey], beside: Beside
) -> Checkpoint | NotProved | None:
    """Return the checkpoint of the other day, once it is shown to be of the same log as the receipt's."""
    proof = beside.consistency
    try:
        stated = None if proof is None else open_note(proof.note, keys)
        held = stated if beside.checkpoint is None else open_note(beside.checkpoint, keys)
    except InvalidInput as error:
        return NotProved(reason=error.reason, values=error.values)
    if held is None:
        return None
    sizes = {"size": here.size, "other_size": held.size}
    if held.origin != here.origin:
        values: dict[str, object] = {"origin": held.origin, "log": here.origin}
        return NotProved(reason="checkpoint-of-another-log", values=values)
    if held.size == here.size:
        return held if held == here else NotProved(reason="checkpoints-disagree", values=sizes)
    older, newer = sorted((here, held), key=lambda each: each.size)
    if proof is None:
        raise ProofFileInvalid("consistency-wanted", size=here.size, other_size=held.size)
    if stated != newer or not proof.shows(older, newer):
        return NotProved(reason="consistency-not-shown", values=sizes)
    return held
