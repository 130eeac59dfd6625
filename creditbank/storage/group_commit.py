"""Gathers what several threads want written into one transaction, and answers them after its commit.

There is no thread of its own: whoever finds nobody at work leads. The leader takes everything that waits,
runs it in one transaction and commits; meanwhile others come to wait, and the next leader takes those. So an
idle bank makes nobody wait, and a busy one writes many answers with one wait for the disk.

What shares a transaction stays apart by savepoints: an action that raises is undone alone.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from random import uniform
from threading import Lock
from typing import TypeVar, cast

from sqlalchemy import Connection

from creditbank.errors import Conflict, Raced
from creditbank.storage.sql_errors import translated
from creditbank.terms import SubjectId

T = TypeVar("T")

GATHERED_AT_MOST = 256
"""How many actions one transaction holds."""
_ATTEMPTS = 64
_AT_ONCE_ATTEMPTS = 3
_PAUSE_MAX_SECONDS = 0.05


class _Job:
    """What one thread wants written, and in the end its answer or its error."""

    def __init__(self, action: Callable[[Connection], object], about: SubjectId | None) -> None:
        self.about = about or ""
        self.is_done = False
        self._action = action
        self._answer: object = None
        self._error: BaseException | None = None

    def run(self, connection: Connection) -> None:
        self._error = None
        with translated():
            self._answer = self._action(connection)

    def fail(self, error: BaseException) -> None:
        self._error = error

    def answer(self) -> object:
        if self._error is not None:
            raise self._error
        return self._answer


class GroupCommit:
    """One writer at a time in this process; `opening` begins a transaction and commits it."""

    def __init__(
        self, opening: Callable[[], AbstractContextManager[Connection]], *, wait_seconds: float
    ) -> None:
        self._opening = opening
        self._wait_seconds = wait_seconds
        self._turn = Lock()
        self._waiting: deque[_Job] = deque()

    def written(self, action: Callable[[Connection], T], *, about: SubjectId | None) -> T:
        """Return what `action` returns, once it is committed, alone or with those of other threads.

        Raises:
            Conflict: the writer before took longer than all patience.
            Raced: writers of other processes were first, again and again.
        """
        job = _Job(action, about)
        self._waiting.append(job)
        self._await_turn(job)
        try:
            if not job.is_done:
                self._lead()
        finally:
            self._turn.release()
        return cast("T", job.answer())

    @property
    def waiting(self) -> int:
        """How many actions wait for a leader."""
        return len(self._waiting)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Keep every other writer of this process out of the block.

        Raises:
            Conflict: the writer before took longer than all patience.
        """
        if not self._turn.acquire(timeout=self._wait_seconds):
            raise Conflict("database-busy")
        try:
            yield
        finally:
            self._turn.release()

    def _await_turn(self, job: _Job) -> None:
        if self._turn.acquire(timeout=self._wait_seconds):
            return
        try:
            self._waiting.remove(job)
        except ValueError:
            self._turn.acquire()  # a leader has taken it: the answer is on its way
        else:
            raise Conflict("database-busy")

    def _lead(self) -> None:
        taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), GATHERED_AT_MOST))]
        try:
            # In one order of subjects everywhere, so that two processes do not wait for each other.
            self._write(sorted(taken, key=lambda job: job.about))
        except BaseException as error:
            for job in taken:
                job.fail(error)
            raise
        finally:
            for job in taken:
                job.is_done = True

    def _write(self, jobs: list[_Job]) -> None:
        if len(jobs) > 1:
            try:
                with self._opening() as connection:
                    for job in jobs:
                        _run_apart(job, connection)
            except Raced:
                pass  # the transaction as a whole lost a race: each goes by itself
            else:
                return
        for job in jobs:
            self._write_alone(job)

    def _write_alone(self, job: _Job) -> None:
        for attempt in range(_ATTEMPTS):
            try:
                with self._opening() as connection:
                    job.run(connection)
            except Raced as error:
                job.fail(error)
                _pause(attempt)
            except Exception as error:  # noqa: BLE001 - it is raised in the thread that asked
                job.fail(error)
                return
            else:
                return


def _run_apart(job: _Job, connection: Connection) -> None:
    """Run a job in a savepoint, again while others are first; what it raises is its own."""
    for attempt in range(_ATTEMPTS):
        savepoint = connection.begin_nested()
        try:
            job.run(connection)
        except Raced as error:
            savepoint.rollback()
            job.fail(error)
            _pause(attempt)
        except Exception as error:  # noqa: BLE001 - it is raised in the thread that asked
            savepoint.rollback()
            job.fail(error)
            return
        else:
            savepoint.commit()
            return


def _pause(attempt: int) -> None:
    """Leave a chain that many extend at once to the others for a moment, a different one each time."""
    if attempt >= _AT_ONCE_ATTEMPTS:
        time.sleep(uniform(0, min(_PAUSE_MAX_SECONDS, 0.001 * 2**attempt)))  # noqa: S311 - no secret
