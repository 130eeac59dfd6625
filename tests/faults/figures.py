"""What a campaign found, and the table that `make nightly` prints."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table


@dataclass(slots=True, kw_only=True)
class Figures:
    """One row: how many faults were done of how many wanted, and what must stay at nothing."""

    campaign: str
    engine: str
    wanted: int
    seed: int
    done: int = 0
    acknowledged: int = 0
    lost: int = 0
    """Acknowledged, and not in the database."""
    doubled: int = 0
    """In the database more than once, or without having been asked for."""
    unseen: int = 0
    """Damage that verification did not see, or that it saw where none was done."""
    stuck: int = 0
    """Times that the bank did not go on working."""
    nameless: int = 0
    """Errors that the bank has no word for: each is a bug."""
    notes: Counter[str] = field(default_factory=Counter)
    """What else there is to know: errors by their names, how often."""
    started_at: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    @property
    def is_reached(self) -> bool:
        """Whether every goal of DESIGN §9 is reached."""
        return self.done >= self.wanted and not any(self.harm.values())

    @property
    def harm(self) -> Mapping[str, int]:
        """What must stay at nothing, by name."""
        return {
            "lost": self.lost,
            "doubled": self.doubled,
            "unseen": self.unseen,
            "stuck": self.stuck,
            "nameless": self.nameless,
        }

    def end(self) -> "Figures":
        """Take the time, and return this."""
        self.seconds = time.monotonic() - self.started_at
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How far a campaign goes: so many faults, drawn from a seed, and no longer than so many seconds."""

    faults: int
    seed: int
    seconds: float = 600.0

    def deadline(self) -> float:
        """Return the instant of the monotonic clock at which to stop, faults or no faults."""
        return time.monotonic() + self.seconds


def table_of(rows: list[Figures]) -> Table:
    """Return one row for each campaign."""
    names = list(rows[0].harm) if rows else []
    heads = ("campaign", "engine", "faults", "acknowledged", *names, "seconds", "seed", "goal")
    table = Table(*heads, title="faults")
    for row in rows:
        figures = (row.acknowledged, *row.harm.values())
        table.add_row(
            row.campaign,
            row.engine,
            f"{row.done:,} of {row.wanted:,}",
            *(f"{figure:,}" for figure in figures),
            f"{row.seconds:.0f}",
            str(row.seed),
            "reached" if row.is_reached else "MISSED",
        )
    return table


def print_table(rows: list[Figures]) -> None:
    """Print the table, wide enough for a file too."""
    Console(width=140).print(table_of(rows))


def print_row(row: Figures) -> None:
    """Print one campaign's line as soon as it is done."""
    notes = ", ".join(f"{name} × {times}" for name, times in sorted(row.notes.items()))
    harm = ", ".join(f"{times} {name}" for name, times in row.harm.items())
    print(
        f"{'✓' if row.is_reached else '✗'} {row.campaign} on {row.engine}:"
        f" {row.done:,} of {row.wanted:,} faults, {row.acknowledged:,} acknowledged, {harm},"
        f" {row.seconds:.0f} s, seed {row.seed}{f' ({notes})' if notes else ''}",
        flush=True,
    )
