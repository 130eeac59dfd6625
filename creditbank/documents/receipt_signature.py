"""The signature of an import receipt: a small C2SP signed note about it, kept beside it as `<receipt>.sig`.

    creditbank import receipt v1
    <origin of the log>
    <number of the receipt>
    <SHA-256 of the receipt's bytes, in hex>
    <empty line>
    — <origin>/<operator's organisation code> <base64 of key id and signature>

The operator's institution key signs it. Whoever has its public keys checks it offline, with this program or
any other; the first line keeps the signature from ever being taken for one over something else.
"""

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256

from creditbank.errors import InvalidInput
from creditbank.ledger.checkpoint import VerifierKey, parse_note

TITLE = "creditbank import receipt v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptSigned:
    """The receipt is as the institution signed it; `key` is the one that did."""

    number: str
    key: VerifierKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptNotSigned:
    """The signature does not vouch for the receipt; `reason` is a published code."""

    reason: str


def receipt_statement(receipt: bytes, *, origin: str, number: str) -> bytes:
    """Return the text that is signed for a receipt."""
    return "".join(f"{line}\n" for line in (TITLE, origin, number, sha256(receipt).hexdigest())).encode()


def check_receipt_signature(
    receipt: bytes, note: bytes, keys: Collection[VerifierKey]
) -> ReceiptSigned | ReceiptNotSigned:
    """Check a receipt against its signature, with nothing but the institution's public keys."""
    try:
        signed = parse_note(note)
    except InvalidInput:
        return ReceiptNotSigned(reason="note-malformed")
    _, origin, number, *_ = [*signed.text.decode().split("\n"), "", ""]
    if signed.text != receipt_statement(receipt, origin=origin, number=number):
        return ReceiptNotSigned(reason="receipt-signature-of-another")
    known = {(key.name, key.key_id): key for key in keys if key.name.startswith(f"{origin}/")}
    for line in signed.signatures:
        key = known.get((line.name, line.key_id))
        if key is not None and key.has_signed(signed.text, line.signature):
            return ReceiptSigned(number=number, key=key)
        if key is not None:
            return ReceiptNotSigned(reason="receipt-signature-wrong")
    return ReceiptNotSigned(reason="receipt-signer-unknown")
