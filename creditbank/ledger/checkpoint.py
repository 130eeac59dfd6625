"""The signed statement "this many entries, this root": a C2SP checkpoint in a C2SP signed note.

    <origin>
    <size in decimal>
    <root hash, base64>
    <empty line>
    — <key name> <base64 of 4 bytes key id and 64 bytes Ed25519 signature>

The key name is the log's origin. Signing is left to whoever holds the key; here notes are put together,
taken apart and checked. Reading is strict: a note is exactly the bytes that its parts make again.
"""

import base64
import binascii
import re
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from creditbank.errors import InvalidInput
from creditbank.ledger.entry import HASH_BYTES

NOTE_MAX_BYTES = 65_535

_ED25519 = b"\x01"
_KEY_ID_BYTES = 4
_PUBLIC_KEY_BYTES = 32
_SIGNATURE_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_KEY_NAME = re.compile(r"[^\s+]+")
_CHECKPOINT_LINES = 3


class NoteInvalid(InvalidInput):
    """These bytes are not a checkpoint signed by a key that we know."""

    code = "note-invalid"


class VerifierKeyInvalid(InvalidInput):
    """This text is not a verifier key."""

    code = "verifier-key-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """The public half of a log's key, and the name it signs under."""

    name: str
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of `SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key)` (C2SP signed-note, Ed25519)."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public_key).digest()[:_KEY_ID_BYTES]

    def encode(self) -> str:
        """Return the vkey text, `<name>+<hex key id>+<base64 of 0x01 and the key>`."""
        return f"{self.name}+{self.key_id.hex()}+{_base64(_ED25519 + self.public_key)}"

    def has_signed(self, text: bytes, signature: bytes) -> bool:
        """Whether `signature` is this key's over `text` (RFC 8032)."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, text)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """How far a log has come."""

    origin: str
    size: int
    root: bytes

    def body(self) -> bytes:
        """Return the text that is signed."""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSignature:
    """One signature line: who claims to have signed, and the signature."""

    name: str
    key_id: bytes
    signature: bytes

    def encode(self) -> bytes:
        """Return the line, with its newline."""
        return f"— {self.name} {_base64(self.key_id + self.signature)}\n".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedNote:
    """A text and the signatures under it; whether they hold is another question."""

    text: bytes
    signatures: tuple[NoteSignature, ...]

    def encode(self) -> bytes:
        """Return the note's bytes."""
        return self.text + b"\n" + b"".join(line.encode() for line in self.signatures)


def sign_note(text: bytes, key: VerifierKey, signature: bytes) -> bytes:
    """Return the note of one text and its one signature, which the holder of `key` has just made."""
    line = NoteSignature(name=key.name, key_id=key.key_id, signature=signature)
    return SignedNote(text=text, signatures=(line,)).encode()


def parse_verifier_key(text: str) -> VerifierKey:
    """Read a vkey.

    Raises:
        VerifierKeyInvalid: it is not one, its key id is not its own, or its algorithm is not Ed25519.
    """
    name, plus, rest = text.partition("+")
    key_id, second_plus, encoded = rest.partition("+")
    key = _unbase64(encoded)
    if not (plus and second_plus and _KEY_NAME.fullmatch(name)) or key is None:
        raise VerifierKeyInvalid("verifier-key-malformed")
    if key[:1] != _ED25519 or len(key) != 1 + _PUBLIC_KEY_BYTES:
        raise VerifierKeyInvalid("verifier-key-algorithm")
    verifier = VerifierKey(name=name, public_key=key[1:])
    if verifier.key_id.hex() != key_id:
        raise VerifierKeyInvalid("verifier-key-id")
    return verifier


def parse_note(note: bytes) -> SignedNote:
    """Take a note apart, and check nothing but its form.

    Raises:
        NoteInvalid: these are not the bytes of a signed note.
    """
    if len(note) > NOTE_MAX_BYTES:
        raise NoteInvalid("note-too-long", size_bytes=len(note), max_bytes=NOTE_MAX_BYTES)
    text, blank, lines = note.rpartition(b"\n\n")
    if not blank or not lines.endswith(b"\n"):
        raise NoteInvalid("note-malformed")
    try:
        signatures = tuple(_signature(line) for line in lines.decode()[:-1].split("\n"))
        (text + b"\n").decode()
    except UnicodeDecodeError as error:
        raise NoteInvalid("note-malformed") from error
    return SignedNote(text=text + b"\n", signatures=signatures)


def parse_checkpoint(text: bytes) -> Checkpoint:
    """Read a checkpoint body; extension lines are refused, since this log writes none.

    Raises:
        NoteInvalid: this is not a checkpoint body.
    """
    try:
        lines = text.decode().split("\n")
    except UnicodeDecodeError as error:
        raise NoteInvalid("checkpoint-malformed") from error
    if len(lines) != _CHECKPOINT_LINES + 1 or lines[-1]:
        raise NoteInvalid("checkpoint-malformed")
    origin, size, encoded = lines[:_CHECKPOINT_LINES]
    root = _unbase64(encoded)
    if not origin or not _DECIMAL.fullmatch(size) or root is None or len(root) != HASH_BYTES:
        raise NoteInvalid("checkpoint-malformed")
    return Checkpoint(origin=origin, size=int(size), root=root)


def open_note(note: bytes, keys: Collection[VerifierKey]) -> Checkpoint:
    """Return the checkpoint that a note states, once one of `keys`, in the log's own name, has signed it.

    Lines of keys that are not known are passed over, as the standard asks; a bad one of a known key is not.

    Raises:
        NoteInvalid: this is not a note, none of `keys` signed it, or a signature of theirs does not hold.
    """
    signed = parse_note(note)
    checkpoint = parse_checkpoint(signed.text)
    known = {(key.name, key.key_id): key for key in keys if key.name == checkpoint.origin}
    ours = [line for line in signed.signatures if (line.name, line.key_id) in known]
    if not ours:
        raise NoteInvalid("note-signer-unknown", origin=checkpoint.origin)
    if not all(known[line.name, line.key_id].has_signed(signed.text, line.signature) for line in ours):
        raise NoteInvalid("note-signature-wrong", origin=checkpoint.origin)
    return checkpoint


def _signature(line: str) -> NoteSignature:
    found = _SIGNATURE_LINE.fullmatch(line)
    decoded = _unbase64(found[2]) if found else None
    if found is None or decoded is None or len(decoded) <= _KEY_ID_BYTES:
        raise NoteInvalid("note-malformed")
    return NoteSignature(name=found[1], key_id=decoded[:_KEY_ID_BYTES], signature=decoded[_KEY_ID_BYTES:])


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unbase64(text: str) -> bytes | None:
    """Decode standard base64; None unless `text` is exactly what its bytes encode to."""
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded if _base64(decoded) == text else None
