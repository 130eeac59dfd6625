"""Keep what witnesses have signed under the log's checkpoints, once it is checked.

Nothing is asked of a witness from here: whoever runs it gets a checkpoint, or a consistency file, on any
way, and the note that comes back is handed in. A witness that saw another root of this log than ours is
the alarm that witnesses are for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from creditbank.errors import InvalidInput, NotFound
from creditbank.ledger.checkpoint import (
    Checkpoint,
    NoteInvalid,
    SignedNote,
    open_note,
    parse_checkpoint,
    parse_note,
)
from creditbank.ledger.cosignature import Cosignature, cosignatures_in
from creditbank.services.bank import Bank
from creditbank.services.log import LogShrankOrForked, opened

CLOCKS_APART_SECONDS = 300
"""How far a witness's clock may be before ours."""

_MICROSECONDS = 1_000_000


class CosignatureRefused(InvalidInput):
    """What a witness returned is no cosignature that this bank can keep."""

    code = "cosignature-refused"


class CheckpointUnknown(NotFound):
    """No checkpoint of this size was published."""

    code = "checkpoint-unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigned:
    """The checkpoint, and every cosignature of a known witness that the note brought."""

    checkpoint: Checkpoint
    cosignatures: tuple[Cosignature, ...]


def cosign(bank: Bank, note: bytes) -> Cosigned:
    """Keep the cosignatures that known witnesses have put under a checkpoint of this log.

    What is kept already stays as it is. Lines of unknown witnesses are passed over.

    Raises:
        NoteInvalid: this is no checkpoint, or a line of the log or of a known witness does not hold.
        CosignatureRefused: it is another log's, no known witness signed it, or one did in the future.
        CheckpointUnknown: no such checkpoint was published.
        LogShrankOrForked: the log, or a witness, signed something else than what is kept: evidence.
    """
    signed = parse_note(note)
    checkpoint = parse_checkpoint(signed.text)
    if checkpoint.origin != bank.record.origin:
        raise CosignatureRefused(
            "checkpoint-of-another-log", origin=checkpoint.origin, log=bank.record.origin
        )
    is_ours = _is_ours(bank, note)
    cosignatures = cosignatures_in(signed, bank.publication.witnesses)
    _require_kept(bank, checkpoint, is_evidence=is_ours or bool(cosignatures))
    if not cosignatures:
        raise CosignatureRefused("cosignature-of-nobody-known", names=_names(bank, signed))
    _require_past(bank, cosignatures)
    with bank.store.writing() as books:
        books.checkpoints.add_cosignatures(size=checkpoint.size, cosignatures=cosignatures)
    return Cosigned(checkpoint=checkpoint, cosignatures=cosignatures)


def _is_ours(bank: Bank, note: bytes) -> bool:
    """Whether the log itself has signed the note; a witness may return its own line alone."""
    try:
        open_note(note, bank.verifier_keys)
    except NoteInvalid as error:
        if error.reason != "note-signer-unknown":
            raise
        return False
    return True


def _require_kept(bank: Bank, checkpoint: Checkpoint, *, is_evidence: bool) -> None:
    with bank.store.reading() as books:
        note = books.checkpoints.note(checkpoint.size)
    if note is None:
        if is_evidence:
            raise LogShrankOrForked("signed-but-not-kept", size=checkpoint.size)
        raise CheckpointUnknown("checkpoint-unknown", size=checkpoint.size)
    if opened(bank, note).checkpoint != checkpoint:
        if is_evidence:
            raise LogShrankOrForked("log-signed-twice", size=checkpoint.size)
        raise NoteInvalid("note-signer-unknown", origin=checkpoint.origin)


def _require_past(bank: Bank, cosignatures: Sequence[Cosignature]) -> None:
    latest = bank.now() // _MICROSECONDS + CLOCKS_APART_SECONDS
    for each in cosignatures:
        if each.cosigned_at > latest:
            raise CosignatureRefused(
                "cosignature-from-the-future",
                witness=each.witness.name,
                at=each.instant or each.cosigned_at,
                now=bank.clock(),
            )


def _names(bank: Bank, signed: SignedNote) -> list[str]:
    names = {line.name for line in signed.signatures} - {bank.record.origin}
    return sorted(names)
