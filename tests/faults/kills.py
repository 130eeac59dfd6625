"""Writers killed with signal 9 at random moments: while they open, decide, commit, sequence or sign."""

import random
import time

from tests.driver.database import Database
from tests.faults.figures import Extent, Figures
from tests.faults.keeper import Keeper, new_database
from tests.faults.processes import Driver

KILLS_PER_BANK = 24
WRITERS = 3
PACE = ("--at-once", "2", "--rest", "0.01")
"""Several of a driver's ids share a commit, and every now and then the lock is free for another driver."""
BEGINS_WITHIN_SECONDS = 90.0
_EARLY_SHARE = 0.1
_EARLY_SECONDS = 0.4
_LIFE_SECONDS = 0.08


def kill_writers(engine: str, extent: Extent) -> Figures:
    """Kill so many writers, three at work at a time; after each three, look whether all is there."""
    figures = Figures(campaign="kill -9 of writers", engine=engine, wanted=extent.faults, seed=extent.seed)
    moments = random.Random(extent.seed)
    deadline = extent.deadline()
    while figures.done < extent.faults and time.monotonic() < deadline:
        with new_database(engine) as database:
            _kill_in(database, figures, moments, min(KILLS_PER_BANK, extent.faults - figures.done), deadline)
    return figures.end()


def _kill_in(
    database: Database, figures: Figures, moments: random.Random, kills: int, deadline: float
) -> None:
    keeper = Keeper(database, figures)
    for _ in range(0, kills, WRITERS):
        writers = [keeper.driver(f"w{number}", *PACE) for number in range(WRITERS)]
        moments.shuffle(writers)
        for writer in writers:
            _live_a_little(writer, moments, figures)
            writer.kill()
            figures.done += 1
        keeper.look()
        if time.monotonic() > deadline:
            break
    keeper.end()


def _live_a_little(writer: Driver, moments: random.Random, figures: Figures) -> None:
    """Wait for the moment at which to kill: any, or as soon as an id is asked for or acknowledged."""
    if moments.random() < _EARLY_SHARE:
        time.sleep(moments.uniform(0, _EARLY_SECONDS))
        return
    if not writer.acknowledges(within=BEGINS_WITHIN_SECONDS):
        figures.stuck += 1
        return
    time.sleep(moments.uniform(0, _LIFE_SECONDS))
    if moments.random() < 0.5:  # at once after a line, in the middle of what follows it
        writer.listen(within=1.0)
        writer.listen(within=1.0)
