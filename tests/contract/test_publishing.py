"""Publishing on every store: what is signed and kept, and what is refused."""

from dataclasses import replace
from typing import NoReturn

import pytest
import structlog
from sqlalchemy import Engine

from creditbank.errors import IntegrityBroken, Misconfigured
from creditbank.ledger.checkpoint import Checkpoint, open_note
from creditbank.ledger.merkle import EMPTY_ROOT
from creditbank.services.bank import Bank
from creditbank.services.books import Store
from creditbank.services.log import (
    LogShrankOrForked,
    checkpoint_note,
    prove_entry,
)
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
from tests.banks import new_bank
from tests.contract.growing import TASHI, append, grow, growing_bank, kept_notes, signed
from tests.strategies.ledger import Signer


@pytest.fixture
def bank(store: Store) -> Bank:
    return growing_bank(store)


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
