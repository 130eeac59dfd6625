"""A process that shares in an audit: it opens its own view of the database and checks what it is given.

The audit talks to it through its standard streams, in pickles, and it ends when they do: also when the audit
was killed. `AuditWorkers` is the other end.
"""

import json
import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from types import TracebackType
from typing import IO, Self, TypeVar, cast

from creditbank.errors import CreditBankError, Misconfigured
from creditbank.ledger.audit import LedgerRows, Part
from creditbank.storage.engine import open_engine
from creditbank.storage.sql_audit import audit_rows

T = TypeVar("T")

_AHEAD = 4  # parts that wait for each worker, so that one long part leaves the others something to do
_END_SECONDS = 10

# The modules come from where ours came from, whatever directory this is started in.
_START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]);"
    "from creditbank.storage.sql_audit_worker import main; main()"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Which database a worker opens, and which state of it: on PostgreSQL a snapshot, on SQLite its own."""

    url: str
    snapshot: str | None


class AuditWorkers:
    """Some worker processes, from when the block begins until it ends."""

    def __init__(self, view: View, *, count: int) -> None:
        self._count = count
        command = [sys.executable, "-P", "-c", _START, json.dumps(sys.path)]
        self.processes = [
            subprocess.Popen(  # noqa: S603 - ourselves
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # whoever interrupts the audit at its terminal speaks to the audit
            )
            for _ in range(count)
        ]
        self._idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        for process in self.processes:
            _send(process.stdin, view)
            self._idle.put(process)
        self._threads = ThreadPoolExecutor(max_workers=count, thread_name_prefix="audit")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Whoever still works does so for nobody: its threads end with it.
        for process in self.processes:
            process.kill()
        self._threads.shutdown(cancel_futures=True)
        for process in self.processes:
            process.communicate(timeout=_END_SECONDS)

    def submit(self, part: Part[T]) -> "Future[T]":
        """Have a part checked as soon as a worker is free.

        Raises (the future):
            CreditBankError: whatever checking it raised.
            Misconfigured: the worker is gone.
        """
        return self._threads.submit(self._checked, part)

    def checked(self, parts: Iterable[Part[T]]) -> Iterator[T]:
        """Check the parts, and yield what came of each, in their order; few are drawn ahead."""
        waiting: deque[Future[T]] = deque()
        for part in parts:
            waiting.append(self.submit(part))
            if len(waiting) > _AHEAD * self._count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _checked(self, part: Part[T]) -> T:
        process = self._idle.get()
        try:
            _send(process.stdin, part)
            answer = pickle.load(cast("IO[bytes]", process.stdout))  # noqa: S301 - from our own process
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            raise Misconfigured("worker-lost") from error
        finally:
            self._idle.put(process)
        if isinstance(answer, CreditBankError):
            raise answer
        return cast("T", answer)


def main() -> None:
    """Be a worker: read a view and then parts from standard input until it ends, answer each."""
    parts, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints, prints no answer
    view = pickle.load(parts)  # noqa: S301 - from the audit
    engine = open_engine(view.url)
    try:
        with audit_rows(engine, snapshot=view.snapshot) as rows:
            rows.places()  # the first look is what fixes SQLite's view
            _answer(parts, answers, rows)
    except CreditBankError as error:
        _send(answers, error)
    finally:
        engine.dispose()


def _answer(parts: IO[bytes], answers: IO[bytes], rows: LedgerRows) -> None:
    while True:
        try:
            part = pickle.load(parts)  # noqa: S301 - from the audit
        except EOFError:
            return
        try:
            answer = part.check(rows)
        except CreditBankError as error:
            answer = error
        _send(answers, answer)


def _send(stream: IO[bytes] | None, message: object) -> None:
    assert stream is not None, "a pipe was asked for"
    pickle.dump(message, stream)
    stream.flush()
