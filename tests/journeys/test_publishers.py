"""Several publishers at once, in processes of their own, on both engines; entries come, and one is killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Engine

from creditbank.ledger.checkpoint import open_note, parse_verifier_keys
from creditbank.ledger.merkle import verify_consistency
from creditbank.ledger.tiles import consistency_proof, root
from creditbank.samples.people import sample_issuer
from creditbank.services.log import tile_reader
from creditbank.services.sequencing import sequence_pending
from creditbank.storage.sql_store import SqlStore
from tests.engines import opened, postgresql_url
from tests.journeys.conftest import DEVELOPMENT_KEY
from tests.strategies.books import chain, subject

PUBLISHERS = 3
LENGTHS = [1 + number % 7 for number in range(24)]
LAST = 5 + sum(LENGTHS)  # a bank begins with its operator and four keys
PUBLISHER = f"""
from creditbank.assembly import open_bank
from creditbank.services.publishing import publish
from creditbank.settings import Settings

bank = open_bank(Settings(), passphrase=str)
print("ready", flush=True)
for _ in range(20_000):
    size = publish(bank).checkpoint.size
    print(size, flush=True)
    if size == {LAST}:
        break
"""


@dataclass
class Place:
    """A bank on one engine, and how its processes are told where it is."""

    engine: Engine
    home: Path
    environment: dict[str, str]
    file: Path


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    home = tmp_path / "bank"
    settings = {
        "CREDITBANK_DEVELOPMENT_KEY": DEVELOPMENT_KEY,
        "CREDITBANK_CHECKPOINT_FILE": str(tmp_path / "elsewhere"),
    }
    if request.param == "sqlite":
        yield from made(home, settings, f"sqlite:///{home / 'bank.db'}")
    else:
        with postgresql_url(migrated=False) as url:
            yield from made(home, settings, url)


def made(home: Path, settings: dict[str, str], url: str) -> Iterator[Place]:
    environment = {**os.environ, **settings, "CREDITBANK_HOME": str(home), "CREDITBANK_DATABASE_URL": url}
    init = ("init", "--origin", "bank.test", "--operator", sample_issuer("bureau"), "--name", "教育局")
    subprocess.run([sys.executable, "-m", "creditbank", *init], env=environment, check=True)
    with opened(url) as engine:
        yield Place(engine, home, environment, Path(settings["CREDITBANK_CHECKPOINT_FILE"]))


def test_whoever_publishes_there_is_one_log_and_it_never_goes_back(place: Place) -> None:
    command = [sys.executable, "-c", PUBLISHER]
    with ExitStack() as running:
        publishers = [
            running.enter_context(
                subprocess.Popen(command, env=place.environment, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(PUBLISHERS)
        ]
        outputs = [publisher.stdout for publisher in publishers if publisher.stdout is not None]
        assert [output.readline() for output in outputs] == ["ready\n"] * PUBLISHERS
        store = SqlStore(place.engine)
        for number, length in enumerate(LENGTHS):
            with store.writing() as books:
                books.ledger.append(chain(subject(number), length=length))
            sequence_pending(store)
            if number == len(LENGTHS) // 2:
                publishers[0].send_signal(signal.SIGKILL)
        printed = [output.read().split() for output in outputs]
        assert [publisher.wait(60) for publisher in publishers] == [-signal.SIGKILL, 0, 0]
    for sizes in printed[1:]:
        assert int(sizes[-1]) == LAST
        assert all(int(earlier) <= int(later) for earlier, later in pairwise(sizes))
    assert_one_log(place, store)


def assert_one_log(place: Place, store: SqlStore) -> None:
    """Every checkpoint kept is one of the log as it is, and the file holds the last of them."""
    with store.reading() as books:
        keys = parse_verifier_keys((place.home / "log.vkey").read_text("utf-8"))
        notes = list(books.ledger.checkpoints())
        checkpoints = [open_note(note, keys) for note in notes]
        assert len(checkpoints) > 2
        now, read = books.ledger.root(), tile_reader(books)
        for checkpoint in checkpoints:
            proof = consistency_proof(checkpoint.size, books.ledger.size(), read)
            assert checkpoint.root == root(checkpoint.size, read)
            assert verify_consistency(checkpoint.size, checkpoint.root, books.ledger.size(), now, proof)
    assert len({checkpoint.size for checkpoint in checkpoints}) == len(checkpoints)
    assert place.file.read_bytes() == notes[-1]
