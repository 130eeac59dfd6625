"""Give the entries that wait their places in the log: any process may, one at a time, beside all writers."""

from creditbank.ledger.append import SEQUENCED_AT_ONCE
from creditbank.services.books import Store
from creditbank.terms import Progress

SEQUENCE_EVERY_SECONDS = 0.25


def sequence_pending(store: Store, *, on_progress: Progress = lambda _: None) -> int:
    """Sequence batch after batch until fewer wait than fill one; return how many entries got their places.

    Where another process is at it, it is left to do the rest.
    """
    done = 0
    while True:
        with store.writing() as books:
            given = books.ledger.sequence()
        if given is None:
            return done
        done += given.count
        on_progress(given.count)
        if given.count < SEQUENCED_AT_ONCE:
            return done
