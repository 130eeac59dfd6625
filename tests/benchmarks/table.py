"""The table that `make bench` prints: what was measured, beside what, and the goal of DESIGN §9.

Every figure is a ratio taken inside one run, the product beside its peer, in turns. What passes while the
machine does other things hits both, so the ratio of each turn is taken, and of these the median.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median

from rich.console import Console
from rich.table import Table

OTHERS = "Elsewhere"
HEADINGS = ("what", "engine", "product", "beside", "peer", "unit", "ratio", "turns", "goal", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A figure of ours beside a peer's, taken in the same run, both in the same unit.

    `goal` is what the ratio must reach, or, `at_most`, must not exceed; None where none was set. `ratios` are
    those of the turns, if there were several.
    """

    what: str
    product: float
    peer: float
    unit: str
    goal: float | None
    group: str = OTHERS
    engine: str = ""
    beside: str = ""
    ratios: Sequence[float] = ()
    at_most: bool = False

    @property
    def ratio(self) -> float:
        return median(self.ratios) if self.ratios else self.product / self.peer

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is reached, None where there is none."""
        if self.goal is None:
            return None
        return self.ratio <= self.goal if self.at_most else self.ratio >= self.goal

    def cells(self) -> tuple[str, ...]:
        """Return what the table says of it, in the order of `HEADINGS`."""
        turns = f"{min(self.ratios):.2f}–{max(self.ratios):.2f}" if self.ratios else ""
        sign = "≤" if self.at_most else "≥"
        return (
            self.what,
            self.engine,
            _figure(self.product),
            self.beside,
            _figure(self.peer),
            self.unit,
            f"{self.ratio:.2f}",
            turns,
            "" if self.goal is None else f"{sign} {self.goal:.2f}",
            {True: "met", False: "missed", None: ""}[self.is_met],
        )


TAKEN: list[Measure] = []
"""Every measure of this run, in the order in which it was taken."""


def print_measures(*measures: Measure) -> None:
    """Say at once what was measured, and keep it for the table at the end."""
    for measure in measures:
        TAKEN.append(measure)
        print("  ".join(cell for cell in measure.cells() if cell), flush=True)


def print_table(measures: Iterable[Measure], *, preface: Sequence[str]) -> None:
    """Print everything that was measured, by group."""
    console = Console(width=170)
    for line in preface:
        console.print(line, highlight=False)
    table = Table(*HEADINGS)
    for group, members in _grouped(measures):
        table.add_section()
        table.add_row(f"[bold]{group}[/bold]")
        for measure in members:
            table.add_row(*measure.cells())
    console.print(table)


def markdown(measures: Iterable[Measure], *, preface: Sequence[str]) -> str:
    """Return the same as a page has it."""
    lines = [*preface, ""]
    for group, members in _grouped(measures):
        lines += [f"### {group}", "", _row(HEADINGS), _row(["---"] * len(HEADINGS))]
        lines += [*(_row(measure.cells()) for measure in members), ""]
    return "\n".join(lines)


def _grouped(measures: Iterable[Measure]) -> list[tuple[str, list[Measure]]]:
    """Return the measures by group; the groups in the order in which their first was taken."""
    taken = list(measures)
    order = list(dict.fromkeys(measure.group for measure in taken))
    taken.sort(key=lambda measure: order.index(measure.group))
    return [(group, list(members)) for group, members in groupby(taken, key=lambda measure: measure.group)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
