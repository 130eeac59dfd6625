"""Publishing, cosigning and proving on every store: what is signed, what refused, what not there yet."""

from dataclasses import replace
from datetime import timedelta
from typing import NoReturn

import pytest
import structlog
from sqlalchemy import Engine

from creditbank.errors import IntegrityBroken, Misconfigured
from creditbank.ledger.checkpoint import Checkpoint, NoteInvalid, open_note, parse_note
from creditbank.ledger.consistency_file import parse_consistency_file
from creditbank.ledger.cosignature import with_cosignatures
from creditbank.ledger.encoding import canonical_bytes
from creditbank.ledger.merkle import EMPTY_ROOT
from creditbank.ledger.proof_file import Included, check, parse_proof_file
from creditbank.ledger.tile_path import TileName
from creditbank.services.bank import Bank, Posting
from creditbank.services.cosigning import (
    CLOCKS_APART_SECONDS,
    CheckpointUnknown,
    CosignatureRefused,
    Cosigned,
    cosign,
)
from creditbank.services.log import (
    EntryUnknown,
    LogShrankOrForked,
    NotPublished,
    TileUnknown,
    checkpoint_note,
    prove_entry,
    prove_growth,
    tile_bytes,
)
from creditbank.services.ports import Store
from creditbank.services.publishing import (
    CheckpointFileUnusable,
    Publisher,
    begin_outside,
    publish,
    publish_now,
)
from creditbank.services.sequencing import sequence_pending
from creditbank.storage.checkpoint_file import MemoryCheckpoint
from creditbank.storage.sql_store import SqlStore
from creditbank.terms import SubjectId
from tests.banks import BEGINNING, new_bank
from tests.strategies.books import SCHOOL, subject
from tests.strategies.ledger import Signer, Witness

ONE, OTHER = Witness("one.example", bytes(32)), Witness("other.example", bytes([1]) * 32)
NOW = int(BEGINNING.timestamp())
TASHI = subject("tashi")


@pytest.fixture
def bank(store: Store) -> Bank:
    """A bank whose log has entries, all in their places, and that knows two witnesses."""
    bank = new_bank(store)
    sequence_pending(store)
    return replace(bank, publication=replace(bank.publication, witnesses=(ONE.key, OTHER.key)))


def grow(bank: Bank, count: int = 1, *, of: SubjectId = TASHI) -> None:
    """Add entries, in their places."""
    append(bank, count, of=of)
    sequence_pending(bank.store)


def append(bank: Bank, count: int = 1, *, of: SubjectId = TASHI) -> None:
    """Add entries that wait for their places."""
    with bank.store.writing() as books:
        posting = Posting(bank, books, heads=books.ledger.heads_of([of]), at=bank.now())
        for _ in range(count):
            posting.add(of, kind="outcome.recorded", issuer=SCHOOL, content=canonical_bytes({}))
        posting.post()


def signed(bank: Bank, checkpoint: Checkpoint) -> bytes:
    assert bank.signer is not None
    return bank.signer.sign(checkpoint.body())


def kept_notes(bank: Bank) -> list[bytes]:
    with bank.store.reading() as books:
        return list(books.ledger.checkpoints())


# Publishing.


def test_the_log_is_published_outside_and_inside_and_once_for_each_size(bank: Bank) -> None:
    first = publish(bank)
    with bank.store.reading() as books:
        assert (first.checkpoint.size, first.checkpoint.root) == (books.ledger.size(), books.ledger.root())
    assert publish(bank) == first
    assert kept_notes(bank) == [first.note]
    assert bank.publication.outside.read() == first.note
    assert open_note(first.note, bank.verifier_keys) == first.checkpoint
    grow(bank)
    second = publish(bank)
    assert kept_notes(bank) == [first.note, second.note]
    assert bank.publication.outside.read() == second.note


def test_entries_without_a_place_are_published_when_they_have_one(bank: Bank) -> None:
    with bank.store.reading() as books:
        size = books.ledger.size()
    append(bank, 2)
    assert publish(bank).checkpoint.size == size
    assert publish_now(bank).checkpoint.size == size + 2


def test_a_bank_begins_with_the_checkpoint_of_an_empty_log_outside(bank: Bank) -> None:
    begin_outside(bank)
    note = bank.publication.outside.read()
    empty = Checkpoint(origin=bank.record.origin, size=0, root=EMPTY_ROOT)
    assert open_note(note or b"", bank.verifier_keys) == empty
    begin_outside(bank)
    assert bank.publication.outside.read() == note
    published = publish(bank)
    assert kept_notes(bank) == [note, published.note]
    with pytest.raises(LogShrankOrForked, match="log-shrank-since-file"):
        begin_outside(bank)


@pytest.mark.parametrize("beyond", [1, 0, -1])
def test_a_log_that_does_not_continue_the_file_is_not_signed(bank: Bank, beyond: int) -> None:
    grow(bank, 2)
    before = publish(bank)
    size = before.checkpoint.size + beyond
    forged = signed(bank, replace(before.checkpoint, size=size, root=bytes(32)))
    bank.publication.outside.write(forged)
    reason = "log-shrank-since-file" if beyond > 0 else "log-forked-since-file"
    for attempt in (publish, publish_now):
        with pytest.raises(LogShrankOrForked, match=reason) as refused:
            attempt(bank)
        assert refused.value.values["path"] == bank.publication.outside.place
    assert kept_notes(bank) == [before.note]
    assert bank.publication.outside.read() == forged
    assert checkpoint_note(bank) == before.note


@pytest.mark.parametrize("beyond", [1, 0])
def test_a_log_that_does_not_continue_its_own_checkpoints_is_not_signed(bank: Bank, beyond: int) -> None:
    with bank.store.writing() as books:
        size = books.ledger.size() + beyond
        forged = Checkpoint(origin=bank.record.origin, size=size, root=bytes(32))
        books.ledger.add_checkpoint(size=size, note=signed(bank, forged))
    with pytest.raises(LogShrankOrForked, match="log-shrank" if beyond else "log-forked"):
        publish(bank)
    grow(bank, 3)
    with pytest.raises(LogShrankOrForked, match="log-forked"):
        publish(bank)
    assert bank.publication.outside.read() is None


def test_a_file_that_is_lost_is_begun_anew_only_where_that_is_said(bank: Bank) -> None:
    published = publish(bank)
    lost = replace(bank, publication=replace(bank.publication, outside=MemoryCheckpoint()))
    with pytest.raises(CheckpointFileUnusable, match="checkpoint-file-missing"):
        publish(lost)
    assert publish(lost, new_file=True) == published
    assert lost.publication.outside.read() == published.note
    with pytest.raises(CheckpointFileUnusable, match="checkpoint-file-there"):
        publish(lost, new_file=True)


@pytest.mark.parametrize("content", [b"", b"nonsense", bytes(200_000)])
def test_a_file_that_is_no_checkpoint_of_this_log_is_not_overwritten(bank: Bank, content: bytes) -> None:
    stranger = Signer("stranger.example", bytes(32))
    foreign = stranger.sign(Checkpoint(origin=stranger.name, size=0, root=EMPTY_ROOT).body())
    same_name = Signer(bank.record.origin, bytes(32))
    other_key = same_name.sign(Checkpoint(origin=same_name.name, size=0, root=EMPTY_ROOT).body())
    for note in (content, foreign, other_key):
        bank.publication.outside.write(note)
        with pytest.raises(CheckpointFileUnusable, match="checkpoint-file-invalid"):
            publish(bank)
        with pytest.raises(CheckpointFileUnusable, match="checkpoint-file-invalid"):
            begin_outside(bank)
        assert bank.publication.outside.read() == note
    assert kept_notes(bank) == []


def test_the_file_is_read_after_the_key_was_replaced(bank: Bank) -> None:
    before = publish(bank)
    fresh = new_bank()
    assert fresh.signer is not None
    rotated = replace(
        bank, signer=fresh.signer, verifier_keys=(fresh.signer.verifier_key, *bank.verifier_keys)
    )
    assert publish(rotated) == before
    grow(bank)
    after = publish(rotated)
    assert open_note(after.note, [fresh.signer.verifier_key]) == after.checkpoint
    assert rotated.publication.outside.read() == after.note
    forgetful = replace(rotated, verifier_keys=(fresh.signer.verifier_key,))
    assert publish(forgetful) == after
    with pytest.raises(CheckpointFileUnusable, match="checkpoint-file-invalid"):
        publish(replace(rotated, verifier_keys=bank.verifier_keys))


def test_a_process_without_the_key_serves_what_another_published(bank: Bank) -> None:
    without = replace(bank, signer=None)
    with pytest.raises(Misconfigured, match="checkpoint-key-elsewhere"):
        publish(without)
    assert bank.publication.outside.read() is None
    published = publish(bank)
    assert publish(without) == published
    assert checkpoint_note(without) == published.note
    grow(bank)
    with pytest.raises(Misconfigured, match="checkpoint-key-elsewhere"):
        publish(without)
    assert checkpoint_note(without) == published.note


def test_a_checkpoint_that_another_machine_was_first_to_keep_is_the_one_that_counts(bank: Bank) -> None:
    class Late(MemoryCheckpoint):
        """Another publisher, with a file of its own, comes between our file and our database."""

        def write(self, note: bytes) -> None:
            super().write(note)
            elsewhere = replace(bank.publication, outside=MemoryCheckpoint())
            first.append(
                publish(replace(bank, publication=elsewhere, signer=fresh.signer, verifier_keys=keys))
            )

    fresh = new_bank()
    assert fresh.signer is not None
    keys = (*bank.verifier_keys, fresh.signer.verifier_key)
    first: list[object] = []
    late = replace(bank, publication=replace(bank.publication, outside=Late()), verifier_keys=keys)
    assert publish(late) == first[0]
    assert len(kept_notes(bank)) == 1
    assert publish(late) == first[0]


def test_a_database_that_is_exchanged_while_it_is_signed_is_noticed(bank: Bank) -> None:
    class Exchanged(MemoryCheckpoint):
        def write(self, note: bytes) -> None:
            super().write(note)
            forged = replace(open_note(note, bank.verifier_keys), root=bytes(32))
            with bank.store.writing() as books:
                books.ledger.add_checkpoint(size=forged.size, note=signed(bank, forged))

    exchanged = replace(bank, publication=replace(bank.publication, outside=Exchanged()))
    with pytest.raises(LogShrankOrForked, match="log-signed-twice"):
        publish(exchanged)


def test_a_state_that_the_tiles_do_not_lead_to_is_not_signed(engine: Engine) -> None:
    bank = new_bank(SqlStore(engine))
    sequence_pending(bank.store)
    begin_outside(bank)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE log_state SET root = (SELECT leaf_hash FROM entry LIMIT 1)")
    with pytest.raises(IntegrityBroken, match="log-root-differs"):
        publish(bank)
    assert kept_notes(bank) == []


def test_what_a_database_keeps_as_a_checkpoint_is_believed_when_the_log_signed_it(bank: Bank) -> None:
    with bank.store.writing() as books:
        books.ledger.add_checkpoint(size=3, note=b"no note")
    for ask in (publish, checkpoint_note, lambda bank: prove_entry(bank, TASHI, 0)):
        grow(bank)
        with pytest.raises(IntegrityBroken, match="stored-checkpoint-invalid"):
            ask(bank)


def test_a_failure_is_logged_each_time_and_kept_until_it_passes(bank: Bank) -> None:
    publisher = Publisher(bank)
    publisher.attempt()
    good = publisher.failure
    note = bank.publication.outside.read() or b""
    bank.publication.outside.write(b"damaged")
    with structlog.testing.capture_logs() as logs:
        publisher.attempt()
        first = publisher.failure
        publisher.attempt()
        again = publisher.failure
        assert first is not None
        assert (first.code, first.reason) == ("checkpoint-file-unusable", "checkpoint-file-invalid")
        assert again == first
        bank.publication.outside.write(note)
        publisher.attempt()
    assert (good, publisher.failure) == (None, None)
    assert [(log["event"], log["log_level"]) for log in logs] == [
        ("publishing-failed", "error"),
        ("publishing-failed", "error"),
        ("publishing-resumed", "info"),
    ]
    assert {log.get("reason") for log in logs[:2]} == {"checkpoint-file-invalid"}


def test_a_bug_is_kept_by_its_type_and_passed_on(bank: Bank) -> None:
    class Broken(MemoryCheckpoint):
        def read(self) -> NoReturn:
            raise KeyError("Tashi")

    publisher = Publisher(replace(bank, publication=replace(bank.publication, outside=Broken())))
    with structlog.testing.capture_logs() as logs, pytest.raises(KeyError):
        publisher.attempt()
    assert publisher.failure is not None
    assert (publisher.failure.code, publisher.failure.reason) == ("unexpected", "KeyError")
    assert "Tashi" not in str(logs)


# What strangers are given.


def test_nothing_is_signed_on_request(bank: Bank) -> None:
    grow(bank)
    for ask in (
        checkpoint_note,
        lambda bank: prove_entry(bank, TASHI, 0),
        lambda bank: prove_growth(bank, since=None),
    ):
        with pytest.raises(NotPublished) as refused:
            ask(bank)
        assert refused.value.retry_after_seconds == bank.publication.every_seconds
    published = publish(bank)
    grow(bank)
    assert checkpoint_note(bank) == published.note
    with pytest.raises(NotPublished, match="entry-not-published"):
        prove_entry(bank, TASHI, 1)
    append(bank)
    with pytest.raises(NotPublished, match="entry-not-published"):
        prove_entry(bank, TASHI, 2)  # it has no place yet
    with pytest.raises(EntryUnknown):
        prove_entry(bank, TASHI, 3)
    with pytest.raises(EntryUnknown):
        prove_entry(bank, subject("nobody"), 0)
    assert kept_notes(bank) == [published.note]


def test_every_entry_covered_is_proved_under_the_published_checkpoint(bank: Bank) -> None:
    grow(bank, 5)
    published = publish(bank)
    grow(bank, 300)
    for seq in range(5):
        found = check(parse_proof_file(prove_entry(bank, TASHI, seq)), bank.verifier_keys)
        assert isinstance(found, Included)
        assert (found.leaf.subject, found.leaf.seq) == (TASHI, seq)
        assert found.checkpoint == published.checkpoint


def test_a_receipt_that_would_prove_nothing_is_not_handed_out(engine: Engine) -> None:
    bank = new_bank(SqlStore(engine))
    grow(bank, 3)
    publish(bank)
    with engine.begin() as connection:
        hashes = connection.exec_driver_sql("SELECT hashes FROM tile WHERE level = 0").scalar_one()
        place = "%s" if engine.dialect.name == "postgresql" else "?"
        changed = bytes(len(hashes))
        connection.exec_driver_sql(f"UPDATE tile SET hashes = {place} WHERE level = 0", (changed,))
    with pytest.raises(IntegrityBroken, match="proof-does-not-hold"):
        prove_entry(bank, TASHI, 2)


def test_growth_is_proved_since_any_checkpoint_of_the_log(bank: Bank) -> None:
    grow(bank, 3)
    older = publish(bank)
    grow(bank, 7)
    newer = publish(bank)
    proof = parse_consistency_file(prove_growth(bank, since=older.note))
    assert open_note(proof.note, bank.verifier_keys) == newer.checkpoint
    assert proof.shows(older.checkpoint, newer.checkpoint)
    assert parse_consistency_file(prove_growth(bank, since=None)).hashes == ()
    forked = signed(bank, replace(older.checkpoint, root=bytes(32)))
    with pytest.raises(LogShrankOrForked, match="log-forked"):
        prove_growth(bank, since=forked)
    larger = signed(bank, replace(newer.checkpoint, size=newer.checkpoint.size + 1))
    with pytest.raises(LogShrankOrForked, match="log-shrank"):
        prove_growth(bank, since=larger)
    with pytest.raises(NoteInvalid):
        prove_growth(bank, since=b"nonsense")


def test_tiles_are_served_as_far_as_the_log_is_published(bank: Bank) -> None:
    with pytest.raises(TileUnknown):
        tile_bytes(bank, TileName(level=0, index=0, width=1))
    grow(bank, 300)
    size = publish(bank).checkpoint.size
    grow(bank, 300)
    with bank.store.reading() as books:
        first, second = books.ledger.tile(0, 0), books.ledger.tile(0, 1)
    assert first is not None
    assert second is not None
    assert tile_bytes(bank, TileName(level=0, index=0)) == first[:8192]
    for width in (1, size - 256):
        assert tile_bytes(bank, TileName(level=0, index=1, width=width)) == second[: 32 * width]
    assert len(tile_bytes(bank, TileName(level=1, index=0, width=1))) == 32
    for beyond in (
        TileName(level=0, index=1, width=size - 256 + 1),
        TileName(level=0, index=1),
        TileName(level=0, index=2, width=1),
        TileName(level=1, index=0, width=2),
        TileName(level=2, index=0, width=1),
        TileName(level=63, index=0, width=1),
        TileName(level=0, index=2**63 - 1),
        TileName(level=0, index=0, width=0),
    ):
        with pytest.raises(TileUnknown, match="tile-unknown"):
            tile_bytes(bank, beyond)


# Witnesses.


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
