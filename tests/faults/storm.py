"""Eight writer processes at once, somebody who holds the lock, and readers who stay for long."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from sqlalchemy import text

from creditbank.services.bank import Bank
from creditbank.storage.engine import WRITES, open_engine
from tests.driver.database import Database, closed_after, open_or_make
from tests.faults.figures import Extent, Figures
from tests.faults.keeper import WORKS_WITHIN_SECONDS, Keeper, new_database
from tests.faults.kills import PACE
from tests.faults.processes import Driver

WRITERS = 8
_READERS = 2
_HOLDS_SECONDS = (0.05, 1.0)
_RESTS_SECONDS = (0.02, 0.3)
_READS_SECONDS = (0.3, 2.0)
_POSTGRESQL_HOLDS = (
    "LOCK TABLE entry IN EXCLUSIVE MODE",
    "LOCK TABLE pending IN SHARE ROW EXCLUSIVE MODE",
    "LOCK TABLE outcome_claim IN EXCLUSIVE MODE",
    "LOCK TABLE log_state IN ACCESS EXCLUSIVE MODE",
)


def storm(engine: str, extent: Extent) -> Figures:
    """Hold a lock so many times while everybody writes and reads; nobody may be starved."""
    figures = Figures(campaign="8 writers, lock hog", engine=engine, wanted=extent.faults, seed=extent.seed)
    with new_database(engine) as database:
        keeper = Keeper(database, figures)
        with (
            closed_after(open_or_make(database)) as bank,
            _long_readers(bank, figures, seed=extent.seed),
        ):
            writers = [keeper.driver(f"w{number}", *PACE) for number in range(WRITERS)]
            begun = [writer.acknowledges(within=WORKS_WITHIN_SECONDS) for writer in writers]
            figures.stuck += begun.count(False)
            _hog(database, writers, figures, extent)
            figures.stuck += sum(not writer.acknowledges(within=WORKS_WITHIN_SECONDS) for writer in writers)
            keeper.look(*writers)
            keeper.stop(*writers)
        keeper.end()
    return figures.end()


def _hog(database: Database, writers: list[Driver], figures: Figures, extent: Extent) -> None:
    moments = random.Random(extent.seed)
    deadline = extent.deadline()
    engine = open_engine(database.url)
    is_sqlite = engine.dialect.name == "sqlite"
    try:
        while figures.done < extent.faults and time.monotonic() < deadline:
            # On SQLite a transaction that writes holds the one lock from its beginning.
            with engine.connect().execution_options(**{WRITES: is_sqlite}) as connection, connection.begin():
                connection.execute(text("SELECT 1" if is_sqlite else moments.choice(_POSTGRESQL_HOLDS)))
                time.sleep(moments.uniform(*_HOLDS_SECONDS))
            figures.done += 1
            time.sleep(moments.uniform(*_RESTS_SECONDS))
            for writer in writers:
                writer.hear()
    finally:
        engine.dispose()


@contextmanager
def _long_readers(bank: Bank, figures: Figures, *, seed: int) -> Iterator[None]:
    """Let some read for long through the block: what they saw at first they still see at last."""
    ending = Event()

    def read(moments: random.Random) -> None:
        while not ending.is_set():
            with bank.store.reading() as books:
                seen = books.ledger.size(), books.ledger.root()
                ending.wait(moments.uniform(*_READS_SECONDS))
                figures.unseen += seen != (books.ledger.size(), books.ledger.root())
            ending.wait(0.05)

    threads = [Thread(target=read, args=[random.Random(seed + number)]) for number in range(_READERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ending.set()
        for thread in threads:
            thread.join()
