"""`creditbank`, but the process kills itself right after its second commit, before the answer."""

import os
import signal
from itertools import count
from typing import Any

from creditbank.cli import app
from creditbank.storage.sql_store import SqlStore

_written = SqlStore.written
_numbers = count(1)


def written_and_die(self: SqlStore, action: Any, **more: Any) -> Any:  # noqa: ANN401
    answer = _written(self, action, **more)
    if next(_numbers) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return answer


if __name__ == "__main__":
    SqlStore.written = written_and_die  # type: ignore[method-assign]
    app()
