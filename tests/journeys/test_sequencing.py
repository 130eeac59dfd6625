"""Entries get their places in the log beside whoever writes them, once or again and again."""

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue

import pytest
from structlog.testing import capture_logs

from creditbank.cli.periodic import periodic
from creditbank.errors import Conflict
from creditbank.samples.people import sample_issuer, sample_learners
from tests.commands import Commands

ISSUER = sample_issuer("school-east")

PATIENCE = 20


def test_the_command_gives_every_waiting_entry_its_place_once(commands: Commands) -> None:
    commands.run("ledger", "sequence")  # whatever making the bank left waiting
    for learner in sample_learners()[:3]:
        assert learner.citizen_number is not None
        opening = ("account", "open", "--name", learner.names.shown, "--issuer", ISSUER)
        commands.run(*opening, "--citizen-number", learner.citizen_number.text)
    assert "3" in commands.run("ledger", "sequence").out
    assert "0" in commands.run("ledger", "sequence").out
    assert commands.run("ledger", "verify", "--json").json["findings"] == []


class Work:
    """Does as it is told, each time it is called: succeeds, or raises."""

    def __init__(self, *tellings: Exception | None) -> None:
        self._tellings = list(tellings)
        self.done: Queue[int] = Queue()

    def __call__(self) -> None:
        telling = self._tellings.pop(0) if self._tellings else None
        self.done.put(1)
        if telling is not None:
            raise telling

    def await_times(self, times: int) -> None:
        for _ in range(times):
            self.done.get(timeout=PATIENCE)


@contextmanager
def logged_while(work: Work, *, times: int) -> Iterator[list[tuple[str, object, object]]]:
    logs: list[tuple[str, object, object]] = []
    with capture_logs() as captured:
        with periodic("test", work, every_seconds=0.001):
            work.await_times(times)
        logs += [(log["event"], log.get("code"), log.get("reason")) for log in captured]
    yield logs


def test_work_is_done_at_once_and_again_until_the_block_ends() -> None:
    work = Work()
    with logged_while(work, times=5) as logs:
        assert logs == []
    left = work.done.qsize()
    assert left <= 1_000  # it has ended: nothing is added any more
    assert work.done.qsize() == left


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Conflict("database-busy"), ("conflict", "database-busy")),
        (KeyError("Tashi"), ("builtins", "KeyError")),
    ],
)
def test_work_that_fails_is_said_once_and_tried_again(error: Exception, said: tuple[str, str]) -> None:
    with logged_while(Work(None, error, error, None), times=6) as logs:
        assert logs == [("periodic-work-failed", *said), ("periodic-work-resumed", None, None)]
