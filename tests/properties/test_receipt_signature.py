"""Laws of the signature beside a receipt: whoever has the public keys sees any change, offline."""

from hashlib import sha256

from hypothesis import assume, given
from hypothesis import strategies as st

from creditbank.documents.receipt_signature import (
    ReceiptNotSigned,
    ReceiptSigned,
    check_receipt_signature,
    receipt_statement,
)
from creditbank.ledger.checkpoint import Checkpoint
from creditbank.ledger.key_entry import key_name_of
from creditbank.signing.key_signer import KeySigner
from creditbank.terms import IssuerId
from tests.strategies.keys import institutions, keys, origins

NUMBER = "20260301-0A1B2C3D"
receipts = st.binary(min_size=1, max_size=60)


def signed(receipt: bytes, *, origin: str, institution: IssuerId, seed: bytes) -> tuple[bytes, KeySigner]:
    signer = KeySigner(name=key_name_of(origin, institution), seed=seed)
    return signer.sign(receipt_statement(receipt, origin=origin, number=NUMBER)), signer


@given(receipts, origins, institutions, keys, keys)
def test_a_receipt_verifies_with_a_key_that_was_in_force_whatever_came_after(
    receipt: bytes, origin: str, institution: IssuerId, seed: bytes, later: bytes
) -> None:
    note, signer = signed(receipt, origin=origin, institution=institution, seed=seed)
    newer = KeySigner(name=signer.verifier_key.name, seed=later).verifier_key
    assert check_receipt_signature(receipt, note, [newer, signer.verifier_key]) == ReceiptSigned(
        number=NUMBER, key=signer.verifier_key
    )


@given(receipts, origins, institutions, keys, st.data())
def test_no_changed_byte_goes_unseen(
    receipt: bytes, origin: str, institution: IssuerId, seed: bytes, data: st.DataObject
) -> None:
    note, signer = signed(receipt, origin=origin, institution=institution, seed=seed)
    changed = bytearray(data.draw(st.sampled_from([receipt, note])))
    is_receipt = bytes(changed) == receipt
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    tried = (bytes(changed), note) if is_receipt else (receipt, bytes(changed))
    assert isinstance(check_receipt_signature(*tried, [signer.verifier_key]), ReceiptNotSigned)


@given(receipts, receipts, origins, institutions, keys)
def test_a_signature_belongs_to_one_receipt(
    receipt: bytes, other: bytes, origin: str, institution: IssuerId, seed: bytes
) -> None:
    assume(receipt != other)
    note, signer = signed(other, origin=origin, institution=institution, seed=seed)
    assert check_receipt_signature(receipt, note, [signer.verifier_key]) == ReceiptNotSigned(
        reason="receipt-signature-of-another"
    )


@given(receipts, origins, institutions, keys, keys)
def test_nobody_else_signs(
    receipt: bytes, origin: str, institution: IssuerId, seed: bytes, other: bytes
) -> None:
    assume(seed != other)
    note, signer = signed(receipt, origin=origin, institution=institution, seed=other)
    ours = KeySigner(name=signer.verifier_key.name, seed=seed).verifier_key
    unknown = ReceiptNotSigned(reason="receipt-signer-unknown")
    assert check_receipt_signature(receipt, note, [ours]) == unknown
    assert check_receipt_signature(receipt, note, []) == unknown
    # The log's own key speaks of the log alone.
    log = KeySigner(name=origin, seed=seed)
    of_log = log.sign(receipt_statement(receipt, origin=origin, number=NUMBER))
    assert check_receipt_signature(receipt, of_log, [log.verifier_key]) == unknown


def test_what_is_signed_for_something_else_is_no_signature_of_a_receipt() -> None:
    signer = KeySigner(name="bank.example/12540300MB0000000X", seed=sha256(b"seed").digest())
    for text in (
        Checkpoint(origin="bank.example", size=1, root=bytes(32)).body(),
        b"creditbank import receipt v1\n",
        b"\n",
    ):
        answer = check_receipt_signature(b"receipt", signer.sign(text), [signer.verifier_key])
        assert answer == ReceiptNotSigned(reason="receipt-signature-of-another")


@given(st.binary(max_size=80))
def test_any_bytes_are_no_signature(note: bytes) -> None:
    assert isinstance(check_receipt_signature(b"receipt", note, []), ReceiptNotSigned)


def test_the_statement_is_four_lines() -> None:
    statement = receipt_statement(b"{}\n", origin="bank.example", number=NUMBER).decode()
    assert statement.split("\n") == [
        "creditbank import receipt v1",
        "bank.example",
        NUMBER,
        sha256(b"{}\n").hexdigest(),
        "",
    ]
