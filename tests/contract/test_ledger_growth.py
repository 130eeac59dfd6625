"""Whatever is appended, refused, undone and sequenced, in whatever batches: chains, places, tree, root agree.

Each store is driven beside a model: the entries of every chain, those that wait, and the log's order.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from creditbank.ledger import tiles
from creditbank.ledger.append import HeadMoved, IdempotencyKeyTaken, LogRange
from creditbank.ledger.chain import EMPTY, head_after
from creditbank.ledger.entry import Entry
from creditbank.services.books import Store
from creditbank.storage.memory_store import MemoryStore
from creditbank.storage.sql_store import SqlStore
from creditbank.terms import SubjectId
from tests.engines import opened, postgresql_url, sqlite_url
from tests.strategies.books import entry_after, subject

SUBJECTS = [subject(name) for name in ("a", "B", "扎西", "zz")]

# Mostly a few entries at once, sometimes enough to fill a tile of 256.
LENGTHS = st.one_of(st.integers(1, 4), st.integers(1, 4), st.integers(120, 300))
BATCHES = st.dictionaries(st.sampled_from(SUBJECTS), LENGTHS, min_size=1)


class Undone(Exception):
    """The block ends before its end."""


def root_of(leaf_hashes: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if not leaf_hashes:
        return sha256().digest()
    if len(leaf_hashes) == 1:
        return leaf_hashes[0]
    split = 1
    while split * 2 < len(leaf_hashes):
        split *= 2
    return sha256(b"\x01" + root_of(leaf_hashes[:split]) + root_of(leaf_hashes[split:])).digest()


@contextmanager
def memory_store() -> Iterator[Store]:
    yield MemoryStore()


@contextmanager
def sqlite_store() -> Iterator[Store]:
    with TemporaryDirectory() as directory, opened(sqlite_url(Path(directory))) as engine:
        yield SqlStore(engine)


@contextmanager
def postgresql_store() -> Iterator[Store]:
    with postgresql_url() as url, opened(url) as engine:
        yield SqlStore(engine)


class Growth(RuleBasedStateMachine):
    """One store beside the model."""

    opening = staticmethod(memory_store)

    def __init__(self) -> None:
        super().__init__()
        self.resources = ExitStack()
        self.store = self.resources.enter_context(self.opening())
        self.chains: dict[SubjectId, list[Entry]] = {of: [] for of in SUBJECTS}
        self.waiting: list[Entry] = []
        self.log: list[Entry] = []
        self.keys = 0

    def teardown(self) -> None:
        self.resources.close()

    def new_entries(self, batch: dict[SubjectId, int]) -> list[Entry]:
        """Make the next entries of several chains, one of each in turn."""
        heads = {of: head_after(self.chains[of][-1]) if self.chains[of] else EMPTY for of in batch}
        entries = []
        for turn in range(max(batch.values())):
            for of, length in batch.items():
                if turn < length:
                    self.keys += 1
                    key = f"key {self.keys}" if self.keys % 3 else None
                    entries.append(entry_after(heads[of], of=of, says=str(self.keys), idempotency_key=key))
                    heads[of] = head_after(entries[-1])
        return entries

    @rule(batch=BATCHES)
    def append(self, batch: dict[SubjectId, int]) -> None:
        entries = self.new_entries(batch)
        self.store.written(lambda books: books.ledger.append(entries))
        self.waiting += entries
        for entry in entries:
            self.chains[entry.leaf.subject].append(entry)

    @rule(at_most=st.sampled_from([1, 3, 255, 256, 4_096]))
    def sequence(self, at_most: int) -> None:
        with self.store.writing() as books:
            given = books.ledger.sequence(at_most=at_most)
        self.waiting.sort(key=lambda entry: (entry.leaf.subject, entry.leaf.seq))
        taken, self.waiting = self.waiting[:at_most], self.waiting[at_most:]
        assert given == LogRange(first=len(self.log), size=len(self.log) + len(taken))
        self.log += taken

    @rule(batch=BATCHES)
    def undo(self, batch: dict[SubjectId, int]) -> None:
        def write_and_stop() -> None:
            with self.store.writing() as books:
                books.ledger.append(self.new_entries(batch))
                books.ledger.sequence()
                raise Undone

        with pytest.raises(Undone):
            write_and_stop()

    @precondition(lambda self: self.log)
    @rule(batch=BATCHES, data=st.data())
    def append_to_a_moved_head(self, batch: dict[SubjectId, int], data: st.DataObject) -> None:
        behind = data.draw(st.sampled_from(self.log)).leaf
        chain = self.chains[behind.subject]
        old_head = head_after(chain[behind.seq - 1]) if behind.seq else EMPTY
        stale = entry_after(old_head, of=behind.subject, says="late")
        others = [entry for entry in self.new_entries(batch) if entry.leaf.subject != behind.subject]
        with self.store.writing() as books, pytest.raises(HeadMoved):
            books.ledger.append([*others, stale])

    @precondition(lambda self: any(entry.idempotency_key for entry in self.log))
    @rule(data=st.data())
    def reuse_a_key(self, data: st.DataObject) -> None:
        used = data.draw(st.sampled_from([entry for entry in self.log if entry.idempotency_key]))
        of = used.leaf.subject
        again = entry_after(head_after(self.chains[of][-1]), of=of, idempotency_key=used.idempotency_key)
        with self.store.writing() as books, pytest.raises(IdempotencyKeyTaken):
            books.ledger.append([again])

    @invariant()
    def the_store_is_the_model(self) -> None:
        root = root_of([entry.leaf_hash for entry in self.log])
        with self.store.reading() as books:
            ledger = books.ledger
            assert (ledger.size(), ledger.root()) == (len(self.log), root)
            assert tiles.root(len(self.log), lambda level, index: ledger.tile(level, index) or b"") == root
            heads = {of: head_after(chain[-1]) if chain else EMPTY for of, chain in self.chains.items()}
            assert ledger.heads_of(SUBJECTS) == heads
            assert list(ledger.subjects("")) == sorted(of for of, chain in self.chains.items() if chain)
            for of, chain in self.chains.items():
                assert list(ledger.entries_of(of)) == chain
            assert ledger.pending(at_most=10_000) == len(self.waiting)
            for entry in self.waiting[:20]:
                assert ledger.log_index_of(entry.leaf.subject, entry.leaf.seq) is None
            for place, entry in list(enumerate(self.log))[:: max(1, len(self.log) // 20)]:
                assert ledger.log_index_of(entry.leaf.subject, entry.leaf.seq) == place
                if entry.idempotency_key is not None:
                    assert ledger.entry_by_key(entry.leaf.subject, entry.idempotency_key) == entry


class SqliteGrowth(Growth):
    opening = staticmethod(sqlite_store)


class PostgresqlGrowth(Growth):
    opening = staticmethod(postgresql_store)


@pytest.mark.nightly
@pytest.mark.parametrize(
    "machine", [Growth, SqliteGrowth, PostgresqlGrowth], ids=["memory", "sqlite", "postgresql"]
)
def test_chains_places_tree_and_root_agree(machine: type[Growth]) -> None:
    # One example is a whole history: an eighth of what the profile draws for a single law.
    examples = settings().max_examples // 8
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=12))
