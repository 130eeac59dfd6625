"""The last published checkpoint outside the database: `services.ports.OutsideCheckpoint`, as a file.

A restored backup brings its own old checkpoints along and looks whole. This file is not restored with it,
and tells the difference; so it belongs on another disk than the database, and in no backup of it.
"""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TextIO

from creditbank.durable_file import replace_file
from creditbank.errors import Conflict, Misconfigured
from creditbank.ledger.checkpoint import NOTE_MAX_BYTES

WAIT_SECONDS = 30.0

_POLL_SECONDS = 0.02


class CheckpointFile:
    """One file, and beside it `<name>.lock`, which whoever publishes holds."""

    def __init__(self, path: Path, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self._path = path
        self._wait_seconds = wait_seconds

    @property
    def place(self) -> str:
        """Where it is kept, as a message names it."""
        return str(self._path)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other publishers of this file away for the block, in this process and in others.

        Raises:
            Conflict: another one is at it, and was for half a minute.
            Misconfigured: the directory cannot be written to.
        """
        try:
            lock = self._path.with_name(f"{self._path.name}.lock").open("a", encoding="utf-8")
        except OSError as error:
            raise self._unwritable(error) from error
        with lock:  # closing it lets go
            self._acquire(lock)
            yield

    def read(self) -> bytes | None:
        """Return the signed note that is kept, None where there is none.

        Raises:
            Misconfigured: it cannot be read.
        """
        try:
            with self._path.open("rb") as stream:
                return stream.read(NOTE_MAX_BYTES + 1)
        except FileNotFoundError:
            return None
        except IsADirectoryError as error:
            raise Misconfigured("file-is-directory", path=self.place) from error
        except OSError as error:
            raise Misconfigured(
                "checkpoint-file-unreadable", path=self.place, cause=error.strerror
            ) from error

    def write(self, note: bytes) -> None:
        """Keep a signed note instead of the one before: whole and on disk when this returns.

        Raises:
            Misconfigured: it cannot be written.
        """
        try:
            replace_file(self._path, note, is_public=True)
        except OSError as error:
            raise self._unwritable(error) from error

    def _acquire(self, lock: TextIO) -> None:
        deadline = time.monotonic() + self._wait_seconds
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise Conflict("publisher-busy", path=self.place) from error
                time.sleep(_POLL_SECONDS)
            except OSError as error:
                raise self._unwritable(error) from error
            else:
                return

    def _unwritable(self, error: OSError) -> Misconfigured:
        return Misconfigured("checkpoint-file-unwritable", path=self.place, cause=error.strerror)


class MemoryCheckpoint:
    """The same promises in memory, for tests and trials: gone with the process."""

    def __init__(self) -> None:
        self._note: bytes | None = None
        self._turn = Lock()

    @property
    def place(self) -> str:
        """Where it is kept, as a message names it."""
        return "memory"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other publishers away for the block."""
        with self._turn:
            yield

    def read(self) -> bytes | None:
        """Return the signed note that is kept, None where there is none."""
        return self._note

    def write(self, note: bytes) -> None:
        """Keep a signed note instead of the one before."""
        self._note = note
