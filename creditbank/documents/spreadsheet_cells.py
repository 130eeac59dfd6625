"""What every part of the workbook reader shares: a raw cell, how much a workbook may hold, and its error."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from creditbank.errors import InvalidInput

CellForm = Literal["text", "number", "fault", "unsaved"]


class WorkbookInvalid(InvalidInput):
    """The file as a whole cannot be read; what is wrong with single cells is part of a reading."""

    code = "workbook-invalid"


class Cell(NamedTuple):
    """What a cell holds, as the file has it; an empty one is left out of its row.

    `form` is `fault` for a formula's error such as #N/A, and `unsaved` for a formula without a saved value.
    A number keeps its digits as written; `shows_date` says that its style shows it as a date, `days_late`
    by how much the workbook's calendar begins after that of 1900.
    """

    form: CellForm
    text: str
    shows_date: bool = False
    days_late: int = 0


Row = tuple[int, dict[int, Cell]]
"""A row's number, from 1, and its cells by column, from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of a workbook is read; the defaults bound its memory to a few hundred mebibytes."""

    file_bytes: int = 20 << 20
    unpacked_bytes: int = 64 << 20
    chunk_bytes: int = 1 << 18
    strings: int = 1_000_000
    elements: int = 8_000_000  # of one part: 50,000 rows of 80 cells
    rows: int = 50_000
    columns: int = 100
    header_within: int = 20
    merged_ranges: int = 10_000
    findings: int = 1_000


def column_letter(column: int) -> str:
    """Return the letters of a column, from 0: A, …, Z, AA."""
    letters = ""
    column += 1
    while column:
        column, digit = divmod(column - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


def column_index(letters: str) -> int:
    """Return the column, from 0, of its capital letters."""
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - ord("A") + 1
    return index - 1
