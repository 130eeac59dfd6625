"""Records one id after the other until it is told to stop, and says what came of each: TRY, ACK, ERR."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice
from threading import Event, Lock, Thread
from typing import TextIO

from tests.driver.recording import NotRecorded, Recorder

_ASKED_AT_MOST = 10
_PAUSE_SECONDS = 0.05
_PAUSE_MAX_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What to write: under which tag, which ids first, how many, how fast, and when to give up."""

    tag: str
    first: Sequence[str] = ()
    at_most: int | None = None
    at_once: int = 1
    rest_seconds: float = 0.0
    gives_up_after: int = 100

    def pieces(self) -> Iterator[str]:
        """Return the ids, which no other run of this tag has."""
        run = secrets.token_hex(4)
        return islice(chain(self.first, (f"{self.tag}.{run}.{number}" for number in count(1))), self.at_most)


class Writing:
    """One task at work, in as many threads as it asks for, until it is done, stopped, or gives up."""

    def __init__(self, recorder: Recorder, task: Task, *, out: TextIO, stop: Event) -> None:
        self._recorder = recorder
        self._pieces = task.pieces()
        self._gives_up_after = task.gives_up_after
        self._at_once = task.at_once
        self._rest_seconds = task.rest_seconds
        self._out = out
        self._stop = stop
        self._lock = Lock()
        self._errors_in_a_row = 0

    def run(self) -> bool:
        """Write; return whether it did not give up."""
        threads = [Thread(target=self._write) for _ in range(self._at_once)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self._errors_in_a_row < self._gives_up_after

    def _write(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                piece = next(self._pieces, None)
            if piece is None:
                return
            self._say(f"TRY {piece}")
            try:
                self._record(piece)
            except NotRecorded as refusal:
                self._say(f"ERR {piece} {refusal}")
                self._note_error()
            else:
                self._errors_in_a_row = 0
                self._say(f"ACK {piece}")
                self._stop.wait(self._rest_seconds)

    def _record(self, piece: str) -> None:
        """Record an id; where others are merely first, or too much is waiting, ask again, a few times."""
        for asked in count(1):
            try:
                self._recorder.record(piece)
            except NotRecorded as refusal:
                if not refusal.is_passing or asked == _ASKED_AT_MOST or self._stop.is_set():
                    raise
                self._stop.wait(_pause_after(asked))
            else:
                return

    def _note_error(self) -> None:
        with self._lock:
            self._errors_in_a_row += 1
            in_a_row = self._errors_in_a_row
        if in_a_row >= self._gives_up_after:
            self._stop.set()
        self._stop.wait(_pause_after(in_a_row))

    def _say(self, line: str) -> None:
        with self._lock:
            try:
                self._out.write(f"{line}\n")
                self._out.flush()
            except BrokenPipeError:
                self._stop.set()  # nobody listens any more


def _pause_after(times: int) -> float:
    return float(min(_PAUSE_MAX_SECONDS, _PAUSE_SECONDS * 2 ** min(times - 1, 10)))
