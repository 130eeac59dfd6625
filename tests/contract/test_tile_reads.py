"""A proof from a log of 100,000 entries reads at most four tiles, also in a process that has read none."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine, text

from creditbank.ledger.consistency_file import parse_consistency_file
from creditbank.ledger.proof_file import Included, check, parse_proof_file
from creditbank.ledger.tiles import grow
from creditbank.services.bank import Bank
from creditbank.services.log import Published, prove_entry, prove_growth
from creditbank.services.publishing import publish, publish_now
from creditbank.services.sequencing import sequence_pending
from creditbank.storage.sql_ledger import SqlLedger
from creditbank.storage.sql_store import SqlStore
from tests.banks import new_account, new_bank
from tests.strategies.ledger import leaf_hashes

SIZE = 100_000


def fill(engine: Engine, bank: Bank) -> None:
    """Let the log grow to 100,000 places around one account's entry, without the entries of the others.

    Proofs read the tiles; who stands in the other places is all the same to them.
    """
    with bank.store.reading() as books:
        size, tile = books.ledger.size(), books.ledger.tile(0, 0)
    assert tile is not None
    grown = grow(size, {(0, 0): tile}, leaf_hashes(SIZE)[: SIZE - 1 - size])
    tiles = [
        {"level": level, "tile_index": index, "hashes": hashes}
        for (level, index), hashes in grown.tiles.items()
    ]
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM tile"))
        connection.execute(text("INSERT INTO tile VALUES (:level, :tile_index, :hashes)"), tiles)
        state = {"size": grown.size, "root": grown.root}
        connection.execute(text("UPDATE log_state SET size = :size, root = :root"), state)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Every tile that is read from the database."""
    seen: list[tuple[int, int]] = []
    read = SqlLedger.tile

    def noted(ledger: SqlLedger, level: int, index: int) -> bytes | None:
        seen.append((level, index))
        return read(ledger, level, index)

    monkeypatch.setattr(SqlLedger, "tile", noted)
    return seen


def test_a_proof_of_100_000_entries_reads_at_most_four_tiles(
    engine: Engine, reads: list[tuple[int, int]]
) -> None:
    bank = new_bank(SqlStore(engine))
    first = new_account(bank)
    sequence_pending(bank.store)
    older = publish(bank)
    fill(engine, bank)
    last = new_account(bank)
    published = publish_now(bank)
    assert published.checkpoint.size == SIZE
    for account in (first, last):
        reads.clear()
        fresh = replace(bank, store=SqlStore(engine))
        proof = parse_proof_file(prove_entry(fresh, account.subject, 0))
        assert 1 <= len(reads) <= 4
        assert isinstance(check(proof, bank.verifier_keys), Included)
    reads.clear()
    assert_grown(bank, older, published)
    assert len(reads) <= 4


def assert_grown(bank: Bank, older: Published, newer: Published) -> None:
    proof = parse_consistency_file(prove_growth(bank, since=older.note))
    assert proof.shows(older.checkpoint, newer.checkpoint)
