"""Cosigning on every store: what is kept of what a witness returns, and what is evidence."""

from dataclasses import replace
from datetime import timedelta

import pytest

from creditbank.ledger.checkpoint import Checkpoint, NoteInvalid, parse_note
from creditbank.ledger.cosignature import with_cosignatures
from creditbank.ledger.proof_file import Included, check, parse_proof_file
from creditbank.services.bank import Bank
from creditbank.services.books import Store
from creditbank.services.cosigning import (
    CLOCKS_APART_SECONDS,
    CheckpointUnknown,
    CosignatureRefused,
    Cosigned,
    cosign,
)
from creditbank.services.log import (
    LogShrankOrForked,
    checkpoint_note,
    prove_entry,
)
from creditbank.services.publishing import (
    publish,
)
from tests.banks import BEGINNING
from tests.contract.growing import ONE, OTHER, TASHI, grow, growing_bank, kept_notes, signed
from tests.strategies.ledger import Signer, Witness

NOW = int(BEGINNING.timestamp())


@pytest.fixture
def bank(store: Store) -> Bank:
    return growing_bank(store)


def body_of(note: bytes) -> bytes:
    """Return all of a note but its signatures."""
    return parse_note(note).text + b"\n"


def returned(note: bytes, *witnesses: Witness, at: int = NOW) -> bytes:
    """Return a checkpoint as witnesses give it back."""
    text = parse_note(note).text
    return with_cosignatures(note, [witness.cosign(text, at=at) for witness in witnesses])


def test_cosignatures_are_kept_once_and_shown_under_the_checkpoint_and_in_receipts(bank: Bank) -> None:
    grow(bank)
    published = publish(bank)
    kept = cosign(bank, returned(published.note, OTHER))
    assert kept == Cosigned(
        checkpoint=published.checkpoint,
        cosignatures=(OTHER.cosign(published.checkpoint.body(), at=NOW),),
    )
    cosign(bank, returned(published.note, OTHER, ONE))
    cosign(bank, returned(published.note, ONE, at=NOW + 5))
    expected = with_cosignatures(
        published.note,
        [
            ONE.cosign(published.checkpoint.body(), at=NOW + 5),
            OTHER.cosign(published.checkpoint.body(), at=NOW),
        ],
    )
    assert checkpoint_note(bank) == expected
    proof = parse_proof_file(prove_entry(bank, TASHI, 0))
    assert proof.note == expected
    found = check(proof, bank.verifier_keys, witnesses=[ONE.key])
    assert isinstance(found, Included)
    assert [each.witness for each in found.cosignatures] == [ONE.key]
    assert kept_notes(bank) == [published.note]
    assert bank.publication.outside.read() == published.note


def test_a_receipt_rests_on_the_largest_cosigned_checkpoint_that_covers_it(bank: Bank) -> None:
    grow(bank, 2)
    cosigned = publish(bank)
    grow(bank)
    last = publish(bank)
    cosign(bank, returned(cosigned.note, ONE))
    assert checkpoint_note(bank) == last.note
    for seq, checkpoint in ((0, cosigned), (1, cosigned), (2, last)):
        found = check(parse_proof_file(prove_entry(bank, TASHI, seq)), bank.verifier_keys)
        assert isinstance(found, Included)
        assert found.checkpoint == checkpoint.checkpoint


def test_a_witness_may_return_its_own_line_alone_and_others_lines_are_passed_over(bank: Bank) -> None:
    published = publish(bank)
    stranger = Witness("stranger.example", bytes([2]) * 32)
    lines = returned(published.note, ONE, stranger).removeprefix(published.note)
    alone = body_of(published.note) + lines
    assert [each.witness for each in cosign(bank, alone).cosignatures] == [ONE.key]
    with pytest.raises(CosignatureRefused, match="cosignature-of-nobody-known") as refused:
        cosign(bank, returned(published.note, stranger))
    assert refused.value.values["names"] == ["stranger.example"]
    with pytest.raises(CosignatureRefused, match="cosignature-of-nobody-known"):
        cosign(bank, published.note)


def test_a_cosignature_that_does_not_hold_spoils_the_note(bank: Bank) -> None:
    published = publish(bank)
    wrong = with_cosignatures(
        published.note,
        [ONE.cosign(published.checkpoint.body(), at=NOW), OTHER.cosign(b"something else\n", at=NOW)],
    )
    with pytest.raises(NoteInvalid, match="cosignature-wrong"):
        cosign(bank, wrong)
    other = signed(bank, Checkpoint(origin=bank.record.origin, size=99, root=bytes(32)))
    with pytest.raises(NoteInvalid, match="note-signature-wrong"):
        cosign(bank, returned(body_of(published.note) + other.removeprefix(body_of(other)), ONE))
    assert checkpoint_note(bank) == published.note


@pytest.mark.parametrize("ahead", [CLOCKS_APART_SECONDS + 120, 2**62])
def test_a_cosignature_from_the_future_is_refused(bank: Bank, ahead: int) -> None:
    published = publish(bank)
    with pytest.raises(CosignatureRefused, match="cosignature-from-the-future"):
        cosign(bank, returned(published.note, ONE, at=NOW + ahead))
    cosign(bank, returned(published.note, ONE, at=NOW + CLOCKS_APART_SECONDS))
    later = replace(bank, clock=lambda: BEGINNING + timedelta(days=1))
    cosign(later, returned(published.note, OTHER, at=NOW + 80_000))


def test_a_checkpoint_of_another_log_or_of_no_size_published_is_refused(bank: Bank) -> None:
    published = publish(bank)
    elsewhere = Signer("another.example", bytes(32))
    foreign = elsewhere.sign(replace(published.checkpoint, origin=elsewhere.name).body())
    with pytest.raises(CosignatureRefused, match="checkpoint-of-another-log"):
        cosign(bank, returned(foreign, ONE))
    impostor = Signer(bank.record.origin, bytes(32))
    unknown = impostor.sign(replace(published.checkpoint, size=10**6).body())
    with pytest.raises(CheckpointUnknown, match="checkpoint-unknown"):
        cosign(bank, unknown)
    rewritten = impostor.sign(replace(published.checkpoint, root=bytes(32)).body())
    with pytest.raises(NoteInvalid, match="note-signer-unknown"):
        cosign(bank, rewritten)


def test_two_roots_of_one_size_are_evidence_whoever_signed_the_other(bank: Bank) -> None:
    published = publish(bank)
    cosign(bank, returned(published.note, ONE))
    before = checkpoint_note(bank)
    ours = signed(bank, replace(published.checkpoint, root=bytes(32)))
    impostor = Signer(bank.record.origin, bytes(32))
    theirs = impostor.sign(replace(published.checkpoint, root=bytes(32)).body())
    for note in (ours, returned(ours, ONE), returned(theirs, ONE)):
        with pytest.raises(LogShrankOrForked, match="log-signed-twice"):
            cosign(bank, note)
    grown = signed(bank, replace(published.checkpoint, size=10**6))
    for note in (grown, returned(grown, OTHER)):
        with pytest.raises(LogShrankOrForked, match="signed-but-not-kept"):
            cosign(bank, note)
    assert checkpoint_note(bank) == before
