"""A clock that goes backwards: the instants of a chain never do."""

from itertools import pairwise

from tests.faults.figures import Extent, Figures
from tests.faults.keeper import Keeper, new_database

_WRITERS = 2


def turn_clocks(engine: str, extent: Extent) -> Figures:
    """Let two writers, whose clocks jump up to 400 days to and fro at every look, write so many entries."""
    figures = Figures(campaign="clock backwards", engine=engine, wanted=extent.faults, seed=extent.seed)
    with new_database(engine) as database:
        keeper = Keeper(database, figures)
        count = str(-(-extent.faults // _WRITERS))
        writers = [
            keeper.driver(f"w{number}", "--jumping-clock", str(extent.seed + number), "--count", count)
            for number in range(_WRITERS)
        ]
        for writer in writers:
            figures.stuck += writer.wait() != 0
        figures.done = len(keeper.journal.acknowledged)
        keeper.look()
        figures.unseen += _steps_back(keeper)
        keeper.end()
    return figures.end()


def _steps_back(keeper: Keeper) -> int:
    """Count the entries whose instant lies before that of the entry they follow."""
    with keeper.bank() as bank, bank.store.reading() as books:
        return sum(
            after.leaf.at < before.leaf.at
            for subject in books.ledger.subjects("account:")
            for before, after in pairwise(books.ledger.entries_of(subject))
        )
