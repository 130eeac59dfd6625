"""The rows of a registrar's messy workbook: every slip that schools make most, one to a row.

Cells are keyed by what they state (`citizen_number`, `name`, and the members of a skill certificate); under
which header each stands is for the template to say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from creditbank.samples.people import read_sample, sample_learners

MessyCell = str | float | date

_EXCEL_DIGITS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class MessyRow:
    """One row: what is wrong with it, whether an importer can still accept it, and its cells."""

    flaw: str
    is_acceptable: bool
    cells: Mapping[str, MessyCell]


def messy_rows() -> tuple[MessyRow, ...]:
    """Return the rows in the order of the workbook; a `float` stands for a cell that holds a number."""
    messy = read_sample("messy")
    return tuple(_row(table, base=messy["base"]) for table in messy["row"])


def messy_unknown_column() -> str:
    """Return a header that no template has; its cells are empty but for the first row."""
    column: str = read_sample("messy")["unknown_column"]
    return column


def _row(table: Mapping[str, Any], *, base: Mapping[str, MessyCell]) -> MessyRow:
    learner = sample_learners()[table["learner"]]
    assert learner.citizen_number is not None, "every sample learner has a number"
    return MessyRow(
        flaw=table["flaw"],
        is_acceptable=table["accepted"],
        cells={
            "name": learner.names.shown,
            "citizen_number": _typed(learner.citizen_number.text, table),
            **base,
            **table["cells"],
        },
    )


def _typed(number: str, table: Mapping[str, Any]) -> str | float:
    if table.get("rounded"):
        return float(number[:_EXCEL_DIGITS] + "000")
    if table.get("mistyped"):
        return number[:-1] + ("0" if number[-1] != "0" else "1")
    if table.get("shortened"):
        return number[:-1]
    if table.get("full_width"):
        return "".join(chr(ord(character) + 0xFEE0) for character in number)
    return number
