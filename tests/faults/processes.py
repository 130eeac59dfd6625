"""Drivers in processes of their own, which a campaign kills: imported once, then forked, so one is cheap."""

import multiprocessing
import os
import resource
import select
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from tests.driver.__main__ import main
from tests.driver.database import Database

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.faults.plan", "pytest"])

ENDS_WITHIN_SECONDS = 90.0
_READ_BYTES = 65_536


class Journal:
    """What the drivers of one database printed: what was asked for, and what was acknowledged."""

    def __init__(self) -> None:
        self.tried: set[str] = set()
        self.acknowledged: set[str] = set()
        self.errors: Counter[str] = Counter()

    @property
    def in_doubt(self) -> list[str]:
        """What was asked for and not acknowledged: it may be there or not."""
        return sorted(self.tried - self.acknowledged)

    def note(self, line: str) -> None:
        word, piece, *why = line.split(" ", 2)
        match word:
            case "TRY":
                self.tried.add(piece)
            case "ACK":
                self.acknowledged.add(piece)
            case "ERR":
                self.errors[why[0]] += 1
            case _:
                raise AssertionError(f"a driver printed {line!r}")


class Forked:
    """A function in a forked process; what it prints comes line by line, what it complains of into a log."""

    def __init__(self, work: Callable[..., int], *arguments: object, log: Path) -> None:
        self._output, theirs = _FORKS.Pipe(duplex=False)
        self._process = _FORKS.Process(target=_redirected, args=(work, arguments, theirs, log))
        self._process.start()
        theirs.close()
        self._rest = b""
        self.is_at_end = False

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        return self._process.exitcode

    def lines(self, *, within: float) -> list[str]:
        """Return the lines printed since the last call; wait so many seconds for the first of them."""
        until = time.monotonic() + within
        while not self.is_at_end:
            is_ready, _, _ = select.select([self._output], [], [], max(0.0, until - time.monotonic()))
            if not is_ready:
                return []
            read = os.read(self._output.fileno(), _READ_BYTES)
            self.is_at_end = not read
            *whole, self._rest = (self._rest + read).split(b"\n")
            if whole:
                return [line.decode() for line in whole]
        return []

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended by itself."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def ended(self) -> list[str]:
        """Wait for the end and return what was printed until then.

        Half a line is none: nobody could read an acknowledgement out of it.
        """
        printed: list[str] = []
        until = time.monotonic() + ENDS_WITHIN_SECONDS
        while not self.is_at_end:
            assert time.monotonic() < until, f"process {self.pid} does not end"
            printed += self.lines(within=1.0)
        self._process.join(ENDS_WITHIN_SECONDS)
        assert self._process.exitcode is not None, f"process {self.pid} does not end"
        self._output.close()
        return printed

    def limit_files(self, size_bytes: int) -> None:
        """Let no file that the process writes to grow beyond this, from now on."""
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY))


class Driver:
    """`python -m tests.driver write …` in a forked process; what it prints goes into the journal."""

    def __init__(self, database: Database, tag: str, *options: str, journal: Journal) -> None:
        self.tag = tag
        self._journal = journal
        arguments = ["write", database.url.removeprefix("sqlite:///"), tag, *options]
        self.log = database.home.with_suffix(f".{tag}.log")
        self.process = Forked(main, arguments, log=self.log)

    def listen(self, *, within: float) -> list[str]:
        """Note what was printed since the last call, waiting so many seconds for the first line."""
        return self._noted(self.process.lines(within=within))

    def hear(self) -> None:
        """Note all that was printed up to now."""
        while self.listen(within=0.0):
            pass

    def fails(self, *, within: float) -> bool:
        """Wait until an id is refused or has no answer; return whether one was."""
        return self._prints("ERR", within=within)

    def acknowledges(self, *, within: float) -> bool:
        """Wait until an id is acknowledged; return whether one was."""
        return self._prints("ACK", within=within)

    def kill(self) -> None:
        """End it with signal 9 and note what it still printed: that was acknowledged too."""
        self.process.signal(signal.SIGKILL)
        self.wait()

    def ask_to_stop(self) -> None:
        """Ask it to end once it has finished what it has begun."""
        self.process.signal(signal.SIGTERM)

    def wait(self) -> int | None:
        """Wait until it ends by itself; return its exit code."""
        self._noted(self.process.ended())
        return self.process.exit_code

    def _prints(self, word: str, *, within: float) -> bool:
        until = time.monotonic() + within
        while not self.process.is_at_end and time.monotonic() < until:
            if any(line.startswith(word) for line in self.listen(within=until - time.monotonic())):
                return True
        return False

    def _noted(self, lines: Iterable[str]) -> list[str]:
        noted = list(lines)
        for line in noted:
            self._journal.note(line)
        return noted


def log_of(database: Database) -> Path:
    """Return where other processes than drivers complain, which have a log each."""
    return database.home.with_suffix(".log")


def logs_of(database: Database) -> list[Path]:
    """Return every log of a database."""
    return sorted(database.home.parent.glob(f"{database.home.stem}.*log"))


def _redirected(
    work: Callable[..., int], arguments: tuple[object, ...], output: Connection, log: Path
) -> None:
    with log.open("a") as complaints:
        os.dup2(complaints.fileno(), 2)
    os.dup2(output.fileno(), 1)
    output.close()
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.exit(work(*arguments))
