"""The table that `make bench` prints: what was measured, beside what, and the goal of DESIGN §9."""

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A rate of ours beside a peer's, taken in the same run; both in the same unit, the more the better."""

    what: str
    product: float
    peer: float
    unit: str
    goal: float

    @property
    def ratio(self) -> float:
        return self.product / self.peer


def print_measures(*measures: Measure) -> None:
    """Print one row for each measure."""
    table = Table("what", "product", "peer", "unit", "ratio", "goal")
    for measure in measures:
        table.add_row(
            measure.what,
            f"{measure.product:,.0f}",
            f"{measure.peer:,.0f}",
            measure.unit,
            f"{measure.ratio:.2f}",
            f"≥ {measure.goal:.2f}",
        )
    Console(width=110).print(table)
