"""Work that a process does beside its main one, again and again, until it ends."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import structlog

from creditbank.errors import CreditBankError

_log = structlog.get_logger(__name__)


@contextmanager
def periodic(name: str, work: Callable[[], object], *, every_seconds: float) -> Iterator[None]:
    """Do `work` at once and then every so many seconds, in a thread of its own, until the block ends.

    An error of the bank is logged by its codes, once until the work succeeds again, and tried anew; any other
    error is a bug and is logged by its type alone, since its message may hold anybody's name.
    """
    ending = Event()
    thread = Thread(target=_repeat, args=[name, work, every_seconds, ending], name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()


def _repeat(name: str, work: Callable[[], object], every_seconds: float, ending: Event) -> None:
    failing: tuple[str, str] | None = None
    while True:
        try:
            work()
            failed = None
        except CreditBankError as error:
            failed = (error.code, error.reason)
        except Exception as error:  # noqa: BLE001 - the server goes on without it, and says so
            failed = (type(error).__module__, type(error).__qualname__)
        if failed is not None and failed != failing:
            _log.error("periodic-work-failed", work=name, code=failed[0], reason=failed[1])
        elif failed is None and failing is not None:
            _log.info("periodic-work-resumed", work=name)
        failing = failed
        if ending.wait(every_seconds):
            return
