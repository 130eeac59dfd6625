"""What strangers are given, on every store: nothing signed on request, nothing that proves nothing."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from creditbank.errors import IntegrityBroken
from creditbank.ledger.checkpoint import NoteInvalid, open_note
from creditbank.ledger.consistency_file import parse_consistency_file
from creditbank.ledger.proof_file import Included, check, parse_proof_file
from creditbank.ledger.tile_path import TileName
from creditbank.services.bank import Bank
from creditbank.services.books import Store
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
from creditbank.services.publishing import (
    publish,
)
from creditbank.storage.sql_store import SqlStore
from tests.banks import new_bank
from tests.contract.growing import TASHI, append, grow, growing_bank, kept_notes, signed
from tests.strategies.books import subject


@pytest.fixture
def bank(store: Store) -> Bank:
    return growing_bank(store)


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
