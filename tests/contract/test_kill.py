"""A process killed while it writes loses nothing that it acknowledged and leaves nothing half-written."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from creditbank.ledger import tiles
from creditbank.ledger.chain import head_after
from creditbank.storage.sql_store import SqlStore
from tests.contract.writer import WRITER
from tests.engines import opened, postgresql_url, sqlite_url
from tests.strategies.books import chain


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield sqlite_url(tmp_path)
    else:
        with postgresql_url() as database:
            yield database


def killed_writer(url: str, *, on: str, stop_after: int | None = None) -> int:
    """Run a writer until it prints the line `on`, kill it, and return how many entries it acknowledged."""
    command = [sys.executable, "-m", "tests.contract.writer", url]
    if stop_after is not None:
        command += ["--stop-after", str(stop_after)]
    acknowledged = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("kept"):
                acknowledged = int(line.split()[1])
            if line.strip() == on:
                process.kill()
        # What it still printed before it died was acknowledged too.
        process.wait(timeout=30)
    return acknowledged


def assert_whole(url: str) -> int:
    """Check that chain, log and tree agree and that the chain goes on; return how many entries there were."""
    with opened(url) as engine:
        store = SqlStore(engine)
        with store.reading() as books:
            entries, size = list(books.ledger.entries_of(WRITER)), books.ledger.size()
            assert books.ledger.pending(at_most=1_000) == len(entries) - size
        with store.writing() as books:
            books.ledger.sequence()
        with store.reading() as books:
            ledger = books.ledger
            size, root = ledger.size(), ledger.root()
            assert entries == chain(WRITER, length=size)
            assert [ledger.log_index_of(WRITER, seq) for seq in range(size)] == list(range(size))
            assert root == tiles.grow(0, {}, [entry.leaf_hash for entry in entries]).root
            assert tiles.root(size, lambda level, index: ledger.tile(level, index) or b"") == root
        with engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM pending")).scalar_one() == 0
            assert connection.execute(text("SELECT count(*) FROM payload")).scalar_one() == size
        with store.writing() as books:
            books.ledger.append(chain(WRITER, length=1, head=head_after(entries[-1])))
    return size


def test_a_transaction_cut_short_leaves_nothing(url: str) -> None:
    assert killed_writer(url, on="open", stop_after=3) == 3
    assert assert_whole(url) == 3


@pytest.mark.parametrize("on", ["kept 1", "kept 7", "kept 30"])
def test_what_was_acknowledged_outlives_a_kill(url: str, on: str) -> None:
    acknowledged = killed_writer(url, on=on)
    # The last commit may have come through without its acknowledgement.
    assert assert_whole(url) in {acknowledged, acknowledged + 1}
