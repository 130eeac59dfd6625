"""The guide's examples of key entries and receipt signatures are the bytes that are written."""

from hashlib import sha256

from creditbank.documents.receipt_signature import (
    ReceiptSigned,
    check_receipt_signature,
    receipt_statement,
)
from creditbank.ledger.key_entry import key_content, key_name_of, signing_key_named
from creditbank.signing.key_signer import KeySigner
from creditbank.terms import IssuerId
from tests.golden.ledger_vectors import LOG
from tests.golden.test_formats import GUIDE

INSTITUTION = IssuerId("12540300MB0000000X")
SIGNER = KeySigner(name=key_name_of(LOG, INSTITUTION), seed=sha256(b"an example, and nobody's key").digest())
RECEIPT, NUMBER = b"{}\n", "20260301-0A1B2C3D"


def test_the_guide_shows_a_key_entry_as_it_is_written() -> None:
    name = signing_key_named("institution", SIGNER.verifier_key, institution=INSTITUTION)
    assert key_content(name).decode() in GUIDE


def test_the_guide_shows_a_receipts_signature_that_holds() -> None:
    note = SIGNER.sign(receipt_statement(RECEIPT, origin=LOG, number=NUMBER))
    assert f"```\n{note.decode()}```" in GUIDE
    assert check_receipt_signature(RECEIPT, note, [SIGNER.verifier_key]) == ReceiptSigned(
        number=NUMBER, key=SIGNER.verifier_key
    )
