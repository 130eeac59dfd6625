"""Back-pressure: no more entries are taken while too many wait for their places in the log."""

import time
from collections.abc import Callable

from creditbank.ledger.append import LogBehind

LOOKED_AT_EVERY_SECONDS = 0.25


class Backlog:
    """Knows, never older than a quarter of a second, whether more than `limit` entries wait.

    `count` counts them, up to the figure it is given.
    """

    def __init__(self, count: Callable[[int], int], *, limit: int) -> None:
        self._count = count
        self._limit = limit
        self._is_over = False
        self._looked_at = float("-inf")

    def require_room(self) -> None:
        """Let a writer go on.

        Raises:
            LogBehind: more than `limit` entries wait.
        """
        now = time.monotonic()
        if now - self._looked_at >= LOOKED_AT_EVERY_SECONDS:
            self._looked_at = now
            self._is_over = self._count(self._limit + 1) > self._limit
        if self._is_over:
            raise LogBehind("log-behind", limit=self._limit)
