"""The signed statement "this many entries, this root": a C2SP checkpoint in a C2SP signed note.

    <origin>
    <size in decimal>
    <root hash, base64>
    <empty line>
    — <key name> <base64 of 4 bytes key id and 64 bytes Ed25519 signature>

The key name is the log's origin. Signing is left to whoever holds the key; here notes are put together,
taken apart and checked. Reading is strict: a note is exactly the bytes that its parts make again.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from creditbank.errors import InvalidInput
from creditbank.ledger.encoding import EncodingInvalid, base64_text, parse_base64
from creditbank.ledger.entry import HASH_BYTES

NOTE_MAX_BYTES = 131_072  # sixteen post-quantum signatures, which the standard asks to allow for
SIZE_LIMIT = 2**63

KEY_ID_BYTES = 4
SIGNATURE_BYTES = 64
PUBLIC_KEY_BYTES = 32

_ED25519 = b"\x01"
_SIGNATURE_LINE = re.compile(r"— (\S+) (\S+)")
_KEY_NAME = re.compile(r"[^\s+\x00-\x1f\ud800-\udfff]+")
_LINE = re.compile(r"[^\x00-\x1f\ud800-\udfff]+")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_PLUS_SIGNS = 2
_CHECKPOINT_LINES = 3
_SIZE_MAX_DIGITS = 19


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

    def __post_init__(self) -> None:
        require_key(name=self.name, public_key=self.public_key)

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of `SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key)` (C2SP signed-note, Ed25519)."""
        return key_id_of(name=self.name, algorithm=_ED25519, public_key=self.public_key)

    def encode(self) -> str:
        """Return the vkey text, `<name>+<hex key id>+<base64 of 0x01 and the key>`."""
        return vkey_text(name=self.name, algorithm=_ED25519, public_key=self.public_key)

    def has_signed(self, text: bytes, signature: bytes) -> bool:
        """Whether `signature` is this key's over `text` (RFC 8032)."""
        return is_signature(signature, text, public_key=self.public_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """How far a log has come."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        is_log = _LINE.fullmatch(self.origin) and 0 <= self.size < SIZE_LIMIT
        if not is_log or len(self.root) != HASH_BYTES:
            raise NoteInvalid("checkpoint-malformed")

    def body(self) -> bytes:
        """Return the text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64_text(self.root)}\n".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSignature:
    """One signature line: who claims to have signed, and the signature."""

    name: str
    key_id: bytes
    signature: bytes

    def encode(self) -> bytes:
        """Return the line, with its newline."""
        return f"— {self.name} {base64_text(self.key_id + self.signature)}\n".encode()


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
    name, public_key = parse_vkey(text, algorithm=_ED25519)
    return VerifierKey(name=name, public_key=public_key)


def key_lines(text: str) -> tuple[str, ...]:
    """Return the vkeys of a file that holds one a line; empty lines and those that begin with # are none."""
    lines = (line.strip() for line in text.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def require_key(*, name: str, public_key: bytes) -> None:
    """Make sure that a signed note can name a key so, and that it is as long as an Ed25519 key.

    Raises:
        VerifierKeyInvalid: one of the two does not hold.
    """
    if not _KEY_NAME.fullmatch(name):
        raise VerifierKeyInvalid("verifier-key-name", field="name")
    if len(public_key) != PUBLIC_KEY_BYTES:
        raise VerifierKeyInvalid("verifier-key-length", field="public_key")


def key_id_of(*, name: str, algorithm: bytes, public_key: bytes) -> bytes:
    """Return the first 4 bytes of `SHA-256(name ‖ 0x0A ‖ signature type ‖ public key)` (C2SP signed-note)."""
    return sha256(name.encode() + b"\n" + algorithm + public_key).digest()[:KEY_ID_BYTES]


def vkey_text(*, name: str, algorithm: bytes, public_key: bytes) -> str:
    """Return `<name>+<hex key id>+<base64 of the signature type and the key>` (C2SP signed-note)."""
    key_id = key_id_of(name=name, algorithm=algorithm, public_key=public_key)
    return f"{name}+{key_id.hex()}+{base64_text(algorithm + public_key)}"


def parse_vkey(text: str, *, algorithm: bytes) -> tuple[str, bytes]:
    """Return the name and the public key of a vkey of one signature type.

    Raises:
        VerifierKeyInvalid: it is not one, its key id is not its own, or it is of another type.
    """
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    try:
        key = parse_base64(encoded)
    except EncodingInvalid as error:
        raise VerifierKeyInvalid("verifier-key-malformed") from error
    if key[:1] != algorithm:
        raise VerifierKeyInvalid("verifier-key-algorithm")
    public_key = key[1:]
    require_key(name=name, public_key=public_key)
    if key_id_of(name=name, algorithm=algorithm, public_key=public_key).hex() != key_id:
        raise VerifierKeyInvalid("verifier-key-id")
    return name, public_key


def is_signature(signature: bytes, text: bytes, *, public_key: bytes) -> bool:
    """Whether `signature` is that of an Ed25519 key over `text` (RFC 8032)."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True


def parse_verifier_keys(text: str) -> tuple[VerifierKey, ...]:
    """Read a file of vkeys, one a line: the keys of one log, the current one first.

    Raises:
        VerifierKeyInvalid: a line is no vkey, the keys have different names, or there is none.
    """
    written = text.split()
    if not written or any(one.count("+") < _PLUS_SIGNS for one in written):
        raise VerifierKeyInvalid("verifier-key-malformed")
    keys = tuple(map(parse_verifier_key, written))
    if any(key.name != keys[0].name for key in keys):
        raise VerifierKeyInvalid("verifier-keys-of-several")
    return keys


def verifier_keys_text(keys: Iterable[VerifierKey]) -> str:
    """Return vkeys as a file: one a line, each line ended."""
    return "".join(key.encode() + "\n" for key in keys)


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
        has_control = _CONTROL.search(text.decode()) is not None
    except (UnicodeDecodeError, EncodingInvalid) as error:
        raise NoteInvalid("note-malformed") from error
    if has_control:
        raise NoteInvalid("note-malformed")
    return SignedNote(text=text + b"\n", signatures=signatures)


def parse_checkpoint(text: bytes) -> Checkpoint:
    """Read a checkpoint body; extension lines are refused, since this log writes none.

    Raises:
        NoteInvalid: this is not a checkpoint body.
    """
    lines = text.split(b"\n")
    if len(lines) != _CHECKPOINT_LINES + 1 or len(lines[1]) > _SIZE_MAX_DIGITS or not lines[1].isdigit():
        raise NoteInvalid("checkpoint-malformed")
    try:
        checkpoint = Checkpoint(
            origin=lines[0].decode(), size=int(lines[1]), root=parse_base64(lines[2].decode())
        )
    except (UnicodeDecodeError, EncodingInvalid) as error:
        raise NoteInvalid("checkpoint-malformed") from error
    if checkpoint.body() != text:
        raise NoteInvalid("checkpoint-malformed")
    return checkpoint


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


def is_signed_only_by(note: bytes, keys: Collection[VerifierKey]) -> bool:
    """Whether the lines under a note are one each of some of `keys`; whether they hold, `open_note` says.

    Raises:
        NoteInvalid: these are not the bytes of a signed note.
    """
    signers = [(line.name, line.key_id) for line in parse_note(note).signatures]
    return {(key.name, key.key_id) for key in keys}.issuperset(signers) and len(set(signers)) == len(signers)


def _signature(line: str) -> NoteSignature:
    found = _SIGNATURE_LINE.fullmatch(line)
    if found is None or not _KEY_NAME.fullmatch(found[1]):
        raise NoteInvalid("note-malformed")
    decoded = parse_base64(found[2])
    if len(decoded) <= KEY_ID_BYTES:
        raise NoteInvalid("note-malformed")
    return NoteSignature(name=found[1], key_id=decoded[:KEY_ID_BYTES], signature=decoded[KEY_ID_BYTES:])
