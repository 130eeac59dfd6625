"""Where writers of one chain queue on PostgreSQL, once one of them has lost a race for it.

As long as nobody meets anybody, nobody queues: that costs nothing. Where a chain is contended, running for
it again and again would leave it to luck who waits how long; PostgreSQL's own queue of locks lets everybody
in by turns. On SQLite writing itself is the queue.
"""

import time
from collections.abc import Collection, Iterable
from hashlib import sha256

from sqlalchemy import Connection

from creditbank.storage.sql_rows import for_driver, rows_from_driver
from creditbank.terms import SubjectId

REMEMBERED_SECONDS = 1.0
_REMEMBERED_MOST = 1_000

_take_turns = for_driver("SELECT pg_advisory_xact_lock(place) FROM unnest(CAST(%s AS bigint[])) AS place")


def await_turn_at(connection: Connection, subjects: Collection[SubjectId]) -> None:
    """Wait until nobody who queued before is at any of these chains; be there until the transaction ends.

    In one order everywhere, so that two who queue do not wait for each other.
    """
    if subjects and connection.dialect.name == "postgresql":
        rows_from_driver(connection, _take_turns, [sorted(map(_place, subjects))])


class Contention:
    """The chains at which this process lost a race lately: its writers queue for them from the start."""

    def __init__(self) -> None:
        self._until: dict[SubjectId, float] = {}

    def note(self, subjects: Iterable[SubjectId]) -> None:
        """Remember these chains for a second."""
        now = time.monotonic()
        if len(self._until) > _REMEMBERED_MOST:
            self._until = {subject: until for subject, until in self._until.items() if until > now}
        self._until |= dict.fromkeys(subjects, now + REMEMBERED_SECONDS)

    def among(self, subjects: Iterable[SubjectId]) -> set[SubjectId]:
        """Return those of `subjects` that are remembered."""
        if not self._until:
            return set()
        now = time.monotonic()
        return {subject for subject in subjects if self._until.get(subject, now) > now}


def _place(subject: SubjectId) -> int:
    """Return the number of a chain among PostgreSQL's advisory locks."""
    return int.from_bytes(sha256(subject.encode()).digest()[:8], signed=True)
