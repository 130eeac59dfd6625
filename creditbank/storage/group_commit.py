"""Gathers what several threads want written into one transaction, and answers them after its commit.

There is no thread of its own: whoever finds nobody at work leads. The leader takes everything that waits,
runs it in one transaction and commits; meanwhile others come to wait, and the first of them leads next. So an
idle bank makes nobody wait, and a busy one writes many answers with one wait for the disk.

What shares a transaction shares nothing else. An action that raises before it wrote anything is simply left
out; one that raises after takes the transaction with it, and everything in it is done again, each by itself.
One that another process forestalled is done again in the next transaction, once its turn has come at that
chain (see `sql_queue`).
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Condition, Lock
from typing import Generic, Protocol, TypeVar, cast

from sqlalchemy import Connection

from creditbank.errors import Conflict, Raced
from creditbank.ledger.append import HeadMoved
from creditbank.storage.sql_errors import translated
from creditbank.storage.sql_queue import Contention, await_turn_at
from creditbank.storage.sql_sharing import goes_on, writes_on
from creditbank.terms import SubjectId


class Shared(Protocol):
    """The books of one transaction, which several actions share."""

    @property
    def connection(self) -> Connection: ...

    def share(self, subjects: Collection[SubjectId]) -> None:
        """Be ready for several actions, about these subjects."""


T = TypeVar("T")
B = TypeVar("B", bound=Shared)

GATHERED_AT_MOST = 256
"""How many actions one transaction holds."""
GATHERING_SECONDS = 0.002
"""How long a leader waits, at most, for those whom the group before answered to come back with more."""
ATTEMPTS = 16
"""How often an action is done before others were first too often; see `services.books.Store.written`."""


class _Entangled(Exception):
    """An action raised that had written: the transaction cannot be kept, nor what else is in it."""


class _Job(Generic[B]):
    """What one thread wants written, and in the end its answer or its error."""

    def __init__(self, action: Callable[[B], object], about: SubjectId | None) -> None:
        self.about = about or SubjectId("")
        self.lost_at: set[SubjectId] = set()
        self.is_done = False
        self.leads = False
        self._action = action
        self._answer: object = None
        self._error: BaseException | None = None
        self._bell = Lock()
        self._bell.acquire()

    def run(self, books: B) -> None:
        self._error = None
        with translated():
            self._answer = self._action(books)

    def fail(self, error: BaseException) -> None:
        self._error = error

    def lose(self, error: Raced) -> None:
        """Fail for now, and queue the next time."""
        self._error = error
        self.lost_at.add(error.subject if isinstance(error, HeadMoved) else self.about)

    def answer(self) -> object:
        if self._error is not None:
            raise self._error
        return self._answer

    def wait(self, seconds: float = -1) -> bool:
        """Wait to be answered or to be given the lead; return False where neither happened in time."""
        return self._bell.acquire(timeout=seconds)

    def ring(self) -> None:
        self._bell.release()


class GroupCommit(Generic[B]):
    """One writer at a time; `opening` begins a transaction and commits it."""

    def __init__(self, opening: Callable[[], AbstractContextManager[B]], *, wait_seconds: float) -> None:
        self._opening = opening
        self._wait_seconds = wait_seconds
        self._turn = Lock()
        self._arrival = Condition(Lock())
        self._waiting: deque[_Job[B]] = deque()
        self._is_led = False
        self._followers = 0
        self._contention = Contention()

    def written(self, action: Callable[[B], T], *, about: SubjectId | None) -> T:
        """Return what `action` returns, once it is committed, alone or with those of other threads.

        Raises:
            Conflict: the writer before took longer than all patience.
            Raced: writers of other processes were first, again and again.
        """
        job = _Job(action, about)
        with self._arrival:
            self._waiting.append(job)
            leads, self._is_led = not self._is_led, True
            if not leads:
                self._arrival.notify()
        if not leads:  # whoever is given the lead from here on has been rung, and hears it there
            self._await_answer(job)
        if not job.is_done:
            self._lead()
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

    def _await_answer(self, job: _Job[B]) -> None:
        if job.wait(self._wait_seconds):
            return
        with self._arrival:
            if job in self._waiting and not job.leads:
                self._waiting.remove(job)
                raise Conflict("database-busy")
        job.wait()  # a leader has taken it: the answer is on its way

    def _lead(self) -> None:
        with self._arrival:
            taken = [self._waiting.popleft()]  # who leads came first
        try:
            with self.turn():
                taken += self._gathered()
                # In one order of subjects everywhere, so that two processes do not wait for each other.
                self._write(sorted(taken, key=lambda job: job.about))
        except BaseException as error:
            for job in taken:
                job.fail(error)
            if not isinstance(error, Exception):
                raise
        finally:
            self._answer(taken)

    def _gathered(self) -> list[_Job[B]]:
        """Take what else waits; after a group, give those who were in it a moment to come back."""
        with self._arrival:
            if self._followers:
                self._arrival.wait_for(lambda: len(self._waiting) >= self._followers, GATHERING_SECONDS)
            self._followers = min(len(self._waiting), GATHERED_AT_MOST - 1)
            return [self._waiting.popleft() for _ in range(self._followers)]

    def _answer(self, jobs: list[_Job[B]]) -> None:
        """Let everybody go who was in the group, and whoever came first since then lead the next."""
        with self._arrival:
            heir = self._waiting[0] if self._waiting else None
            self._is_led = heir is not None
            if heir is not None:
                heir.leads = True
                heir.ring()
        for job in jobs:
            job.is_done = True
            job.ring()

    def _write(self, jobs: list[_Job[B]]) -> None:
        """Write the jobs in one transaction, then those that others forestalled in the next, and so on."""
        for attempt in range(ATTEMPTS):
            try:
                with self._opening() as books:
                    late = self._run(jobs, books)
            except _Entangled:
                self._write_apart(jobs)
                return
            except Raced as error:
                # Nothing of this transaction is kept. All go together once more, having queued this time.
                if attempt and len(jobs) > 1:
                    self._write_apart(jobs)
                    return
                late = jobs
                for job in jobs:
                    job.lose(error)
            except Exception as error:  # noqa: BLE001 - it is raised in the threads that asked
                for job in jobs:
                    job.fail(error)
                return
            if not late:
                return
            jobs = late
            self._contention.note({subject for job in jobs for subject in job.lost_at})

    def _write_apart(self, jobs: list[_Job[B]]) -> None:
        for job in jobs:
            self._write([job])

    def _run(self, jobs: list[_Job[B]], books: B) -> list[_Job[B]]:
        """Run the jobs one after the other; return those that lost a race."""
        queued = {subject for job in jobs for subject in job.lost_at}
        await_turn_at(books.connection, queued | self._contention.among(job.about for job in jobs))
        if len(jobs) == 1:
            jobs[0].run(books)
            return []
        books.share({job.about for job in jobs if job.about})
        return [job for job in jobs if not _is_settled(job, books)]


def _is_settled(job: _Job[B], books: B) -> bool:
    """Run one job among several; what it raises is its answer, unless it lost a race.

    Raises:
        _Entangled: it raised, and something of it would be kept.
    """
    before = writes_on(books.connection)
    try:
        job.run(books)
    except Exception as error:
        if writes_on(books.connection) != before or not goes_on(books.connection):
            raise _Entangled from error
        if isinstance(error, Raced):
            job.lose(error)
            return False
        job.fail(error)
    return True
