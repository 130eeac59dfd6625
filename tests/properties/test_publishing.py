"""The law of publishing: whatever happens to the database, all that ever left it lies on one growing log.

Entries come, backups are taken and put back, publishers die at any step and try again: as long as the file
outside the database stays, no two checkpoints contradict each other, and none is served that it did not know.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from creditbank.ledger.chain import EMPTY
from creditbank.ledger.checkpoint import Checkpoint, VerifierKey, open_note, parse_checkpoint, parse_note
from creditbank.services.bank import Bank, Publication
from creditbank.services.log import LogShrankOrForked, checkpoint_note
from creditbank.services.publishing import begin_outside, publish, publish_now
from creditbank.services.sequencing import sequence_pending
from creditbank.storage.checkpoint_file import MemoryCheckpoint
from creditbank.storage.memory_store import MemoryState, MemoryStore
from tests.banks import new_bank
from tests.reference import rfc6962
from tests.strategies.books import entry_after, subject


class Died(Exception):
    """The publisher's process ended here."""


class Mortal:
    """Everything outside the database that publishing uses; dies where it is told to, and remembers all that
    left the process. It keeps the promises of both ports.
    """

    def __init__(self, bank: Bank) -> None:
        assert bank.signer is not None
        self.signer = bank.signer
        self.kept = MemoryCheckpoint()
        self.published: list[Checkpoint] = []
        self.signatures = 0
        self.dies: str | None = None

    def step(self, name: str) -> None:
        if self.dies == name:
            self.dies = None
            raise Died

    @property
    def verifier_key(self) -> VerifierKey:
        return self.signer.verifier_key

    def sign(self, text: bytes) -> bytes:
        self.step("before signing")
        self.signatures += 1
        return self.signer.sign(text)

    @property
    def place(self) -> str:
        return self.kept.place

    @contextmanager
    def alone(self) -> Iterator[None]:
        with self.kept.alone():
            yield

    def read(self) -> bytes | None:
        return self.kept.read()

    def write(self, note: bytes) -> None:
        self.step("before the file")
        self.published.append(parse_checkpoint(parse_note(note).text))
        self.kept.write(note)
        self.step("after the file")


class Publishing(RuleBasedStateMachine):
    """One bank beside a model: the leaves of every log that was in the database when it was published."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()
        bank = new_bank(self.store)
        sequence_pending(self.store)
        self.mortal = Mortal(bank)
        self.bank = replace(bank, signer=self.mortal, publication=Publication(outside=self.mortal))
        begin_outside(self.bank)
        self.entries = 0
        self.backups: list[MemoryState] = []
        self.logs: dict[bytes, list[bytes]] = {}

    def leaves(self) -> list[bytes]:
        """Return the leaf hashes of the log in the database, which the first tile holds in small logs."""
        with self.store.reading() as books:
            tile, size = books.ledger.tile(0, 0), books.ledger.size()
        return [] if tile is None else [tile[32 * n : 32 * n + 32] for n in range(size)]

    @rule(count=st.integers(1, 5))
    def append(self, count: int) -> None:
        """Add entries, with a backup of what was before, as operators have of everything but the last."""
        self.backups.append(self.store._state.copy())
        with self.store.writing() as books:
            for _ in range(count):
                self.entries += 1
                one = entry_after(EMPTY, of=subject(self.entries), says=str(self.entries))
                books.ledger.append([one])
        sequence_pending(self.store)

    @rule(dies=st.sampled_from([None, None, "before signing", "before the file", "after the file"]))
    def publish(self, dies: str | None) -> None:
        self.mortal.dies = dies
        self.logs[rfc6962.root(self.leaves())] = self.leaves()
        with suppress(Died, LogShrankOrForked):
            published = publish(self.bank)
            assert published.checkpoint.root == rfc6962.root(self.leaves())
        self.mortal.dies = None

    @precondition(lambda self: self.backups)
    @rule(data=st.data(), then=st.integers(0, 5))
    def restore(self, data: st.DataObject, then: int) -> None:
        """Put a backup back, and go on as if nothing had been."""
        backup = data.draw(st.sampled_from(self.backups))
        self.store._state = backup.copy()
        self.append(then)
        self.publish(None)

    @invariant()
    def all_that_was_published_is_one_growing_log(self) -> None:
        with self.store.reading() as books:
            kept = [open_note(note, self.bank.verifier_keys) for note in books.ledger.checkpoints()]
        self.mortal.published += kept
        published = {checkpoint.root: checkpoint for checkpoint in self.mortal.published}
        logs = sorted((self.logs.get(root, []) for root in published), key=len)
        assert [len(log) for log in logs] == sorted(each.size for each in published.values())
        for older, newer in pairwise(logs):
            assert len(older) < len(newer)
            assert newer[: len(older)] == older

    @invariant()
    def what_is_served_is_known_outside(self) -> None:
        outside = open_note(self.mortal.kept.read() or b"", self.bank.verifier_keys)
        with self.store.reading() as books:
            assert all(
                open_note(note, self.bank.verifier_keys).size <= outside.size
                for note in books.ledger.checkpoints()
            )


def test_all_that_was_ever_published_lies_on_one_growing_log() -> None:
    run_state_machine_as_test(Publishing, settings=settings(max_examples=60, stateful_step_count=25))


def test_what_a_dead_publisher_left_behind_is_published_by_the_next() -> None:
    machine = Publishing()
    machine.mortal.dies = "after the file"
    with suppress(Died):
        publish_now(machine.bank)
    signatures = machine.mortal.signatures
    note = publish_now(machine.bank).note
    assert machine.mortal.signatures == signatures
    assert note == machine.mortal.kept.read() == checkpoint_note(machine.bank)
