"""What a witness adds under a checkpoint: a C2SP cosignature/v1, "this is the largest log that I have seen".

A cosignature is one more line of the signed note:

    — <witness name> <base64 of: 4 bytes key id, 8 bytes time (seconds, big-endian), 64 bytes signature>

over the two lines `cosignature/v1` and `time <seconds>` and the checkpoint's own body (C2SP tlog-cosignature,
signature type 0x04). Which witnesses are believed is for whoever checks: lines of others are passed over.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from creditbank.ledger.checkpoint import (
    SIGNATURE_BYTES,
    NoteInvalid,
    NoteSignature,
    SignedNote,
    is_signature,
    key_id_of,
    parse_note,
    parse_vkey,
    require_key,
    vkey_text,
)
from creditbank.terms import Microseconds, instant

TIME_LIMIT = 2**63

_COSIGNATURE = b"\x04"
_TIME_BYTES = 8
_YEAR_10000 = 253_402_300_800


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessKey:
    """The public half of a witness's key, and the name it cosigns under."""

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        require_key(name=self.name, public_key=self.public_key)

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of `SHA-256(name ‖ 0x0A ‖ 0x04 ‖ public key)`."""
        return key_id_of(name=self.name, algorithm=_COSIGNATURE, public_key=self.public_key)

    def encode(self) -> str:
        """Return the vkey text, `<name>+<hex key id>+<base64 of 0x04 and the key>`."""
        return vkey_text(name=self.name, algorithm=_COSIGNATURE, public_key=self.public_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosignature:
    """One witness's signature, and when it says it signed: seconds since 1970-01-01T00:00:00Z."""

    witness: WitnessKey
    cosigned_at: int
    signature: bytes

    def __post_init__(self) -> None:
        if not 0 <= self.cosigned_at < TIME_LIMIT or len(self.signature) != SIGNATURE_BYTES:
            raise NoteInvalid("cosignature-malformed", witness=self.witness.name)

    @property
    def instant(self) -> datetime | None:
        """The time as a calendar has it, None beyond the year 9999."""
        return instant(Microseconds(1_000_000 * self.cosigned_at)) if self.cosigned_at < _YEAR_10000 else None

    def covers(self, body: bytes) -> bool:
        """Whether the witness signed this checkpoint body at this time."""
        text = cosigned_text(body, self.cosigned_at)
        return is_signature(self.signature, text, public_key=self.witness.public_key)

    def line(self) -> NoteSignature:
        """Return the line that stands under the note."""
        time = self.cosigned_at.to_bytes(_TIME_BYTES, "big")
        return NoteSignature(
            name=self.witness.name, key_id=self.witness.key_id, signature=time + self.signature
        )


def cosigned_text(body: bytes, cosigned_at: int) -> bytes:
    """Return what a witness signs: the two lines of cosignature/v1, then the checkpoint body."""
    return f"cosignature/v1\ntime {cosigned_at}\n".encode() + body


def parse_witness_key(text: str) -> WitnessKey:
    """Read a witness's vkey.

    Raises:
        VerifierKeyInvalid: it is not one, its key id is not its own, or it is of another type.
    """
    name, public_key = parse_vkey(text, algorithm=_COSIGNATURE)
    return WitnessKey(name=name, public_key=public_key)


def cosignatures_in(note: SignedNote, witnesses: Collection[WitnessKey]) -> tuple[Cosignature, ...]:
    """Return the cosignatures that `witnesses` have put under a note, in its order, each one checked.

    Raises:
        NoteInvalid: a line of one of them is no cosignature, or does not hold. As the standard of signed
            notes asks, such a note is refused whole.
    """
    known = {(witness.name, witness.key_id): witness for witness in witnesses}
    found = tuple(
        _cosignature(known[line.name, line.key_id], line.signature)
        for line in note.signatures
        if (line.name, line.key_id) in known
    )
    for each in found:
        if not each.covers(note.text):
            raise NoteInvalid("cosignature-wrong", witness=each.witness.name)
    return found


def with_cosignatures(note: bytes, cosignatures: Iterable[Cosignature]) -> bytes:
    """Return a note with more lines under it; whether they hold is not looked at.

    Raises:
        NoteInvalid: these are not the bytes of a signed note.
    """
    signed = parse_note(note)
    lines = (*signed.signatures, *(each.line() for each in cosignatures))
    return SignedNote(text=signed.text, signatures=lines).encode()


def _cosignature(witness: WitnessKey, signature: bytes) -> Cosignature:
    return Cosignature(
        witness=witness,
        cosigned_at=int.from_bytes(signature[:_TIME_BYTES], "big"),
        signature=signature[_TIME_BYTES:],
    )
