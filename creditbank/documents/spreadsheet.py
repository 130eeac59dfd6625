"""Read a school's workbook: every row that is right, and everything that is wrong, in one go.

What each row's outcome means to the bank (whose account, recorded already) is for the services; this says
what stands in the file.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from creditbank.account.outcome_name import name_of
from creditbank.documents.spreadsheet_cells import Cell, Limits, WorkbookInvalid, column_letter
from creditbank.documents.spreadsheet_columns import TEMPLATE_NAME
from creditbank.documents.spreadsheet_file import TextCells, open_workbook, workbook_bytes
from creditbank.documents.spreadsheet_header import Layout, find_sheet, repeats_header
from creditbank.documents.spreadsheet_row import (
    BadCell,
    Correction,
    Doubt,
    Lists,
    Place,
    ReadRow,
    RowReader,
)
from creditbank.documents.spreadsheet_sheet import SheetCells
from creditbank.documents.spreadsheet_values import CellInvalid
from creditbank.outcomes.outcome import OutcomeKind
from creditbank.terms import InputWarning, IssuerId, Progress

__all__ = [
    "BadCell",
    "CellInvalid",
    "Correction",
    "Doubt",
    "Limits",
    "Lists",
    "Place",
    "ReadRow",
    "Reading",
    "WorkbookInvalid",
    "read_workbook",
    "workbook_bytes",
]

_STEP = 500
_HEADER_LINES = 1  # a second line of headers, in another language
_NAMING = {
    "diploma": "number",
    "skill-certificate": "number",
    "course-credit": "course_code",
    "training": "programme_code",
    "award": "contest_code",
    "experience": "form",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a workbook says. Nothing of it may be posted while there are errors.

    The lists of errors, corrections and doubts end at the limit; their counts do not.
    """

    kind: OutcomeKind
    sheet: str
    header_row: int
    template: str | None  # the template that the file was made from, as it says itself
    rows: tuple[ReadRow, ...]
    errors: tuple[BadCell, ...]
    corrections: tuple[Correction, ...]
    doubts: tuple[Doubt, ...]
    error_count: int
    correction_count: int
    doubt_count: int


def read_workbook(
    data: bytes,
    lists: Lists,
    *,
    issuer: IssuerId,
    kind: OutcomeKind | None = None,
    allow_test_numbers: bool = False,
    limits: Limits | None = None,
    on_progress: Progress = lambda _: None,
) -> Reading:
    """Read every row of the first sheet whose headers are those of a kind (of `kind`, where it is given).

    `on_progress` is called with how many more rows were read.

    Raises:
        WorkbookInvalid: there is nothing that could be read as such a workbook; the reason says why.
    """
    limits = limits or Limits()
    workbook = open_workbook(data, limits=limits)
    found = find_sheet(workbook, kind=kind, limits=limits)
    reader = RowReader(
        found.layout, lists, issuer=issuer, allow_test_numbers=allow_test_numbers, limits=limits
    )
    if found.others:
        warning = InputWarning(
            code="sheets-not-read", values={"sheet": found.sheet.name, "others": found.others}
        )
        reader.doubts.add(Doubt(place=None, warning=warning))
    rows = _Body(found.layout, reader, limits).read(found.sheet.cells(), on_progress)
    return Reading(
        kind=found.layout.kind.kind,
        sheet=found.sheet.name,
        header_row=found.layout.row,
        template=workbook.names.get(TEMPLATE_NAME),
        rows=rows,
        errors=tuple(sorted(reader.errors.kept, key=lambda bad: bad.place.row)),
        corrections=tuple(reader.corrections.kept),
        doubts=tuple(reader.doubts.kept),
        error_count=reader.errors.count,
        correction_count=reader.corrections.count,
        doubt_count=reader.doubts.count,
    )


class _Body:
    """The rows below the header line, as they are read."""

    def __init__(self, layout: Layout, reader: RowReader, limits: Limits) -> None:
        self._layout = layout
        self._reader = reader
        self._limits = limits
        self._name_at = layout.place_of("name")
        self._example = layout.kind.column("name").example
        self._rows: list[ReadRow] = []
        self._filled: list[int] = []
        self._examples: list[int] = []
        self._named: dict[str, int] = {}

    def read(self, cells: SheetCells | TextCells, on_progress: Progress) -> tuple[ReadRow, ...]:
        """Read to the end of the sheet."""
        waiting = 0
        for row, found in cells:
            if row <= self._layout.row or not self._is_filled(row, found):
                continue
            self._filled.append(row)
            if len(self._filled) > self._limits.rows:
                raise WorkbookInvalid("workbook-too-many-rows", max_rows=self._limits.rows)
            read = self._reader.read(row, found)
            if read is not None and not self._is_repeated(read):
                self._rows.append(read)
            waiting += 1
            if waiting == _STEP:
                on_progress(waiting)
                waiting = 0
        on_progress(waiting)
        self._refuse_merged(cells.merged)
        self._say_left_out(cells)
        if not self._filled:
            raise WorkbookInvalid("workbook-without-rows", header_row=self._layout.row)
        return tuple(self._rows)

    def _is_filled(self, row: int, cells: Mapping[int, Cell]) -> bool:
        """Whether a row states something: prepared row numbers and the template's example do not."""
        known = {at: cell for at, cell in cells.items() if at in self._layout.columns}
        if not known:
            return False
        name = None if self._name_at is None else cells.get(self._name_at)
        if name is not None and name.text.strip() == self._example:
            self._examples.append(row)
            return False
        return not (row <= self._layout.row + _HEADER_LINES and repeats_header(known, self._layout))

    def _is_repeated(self, read: ReadRow) -> bool:
        name = name_of(read.outcome)
        key = f"{read.learner.text} {name.text}" if name.is_personal else name.text
        first = self._named.setdefault(key, read.row)
        if first != read.row:
            repeated = CellInvalid("cell-repeats-row", first_row=first)
            self._reader.refuse(read.row, _NAMING[name.kind], repeated, there=name.text.rpartition(" ")[2])
        return first != read.row

    def _refuse_merged(self, merged: Sequence[tuple[int, int, int, int]]) -> None:
        """Refuse merged cells among the rows: only the first of them holds the value that all show."""
        for top, left, bottom, right in merged:
            first = bisect_left(self._filled, top)
            is_among_rows = first < len(self._filled) and self._filled[first] <= bottom
            keys = [column.key for at, column in self._layout.columns.items() if left <= at <= right]
            if is_among_rows and keys:
                area = f"{column_letter(left)}{top}:{column_letter(right)}{bottom}"
                self._reader.refuse(self._filled[first], keys[0], CellInvalid("cell-merged", area=area))

    def _say_left_out(self, cells: SheetCells | TextCells) -> None:
        if self._examples:
            self._doubt(InputWarning(code="example-row-left-out", values={"rows": tuple(self._examples)}))
        if self._layout.unknown:
            self._doubt(InputWarning(code="columns-not-read", values={"columns": self._layout.unknown}))
        if cells.has_further_columns:
            last = column_letter(self._limits.columns - 1)
            self._doubt(InputWarning(code="columns-beyond-limit", values={"column": last}))
        if cells.hidden_rows:
            self._doubt(InputWarning(code="hidden-rows-read", values={"count": cells.hidden_rows}))

    def _doubt(self, warning: InputWarning) -> None:
        self._reader.doubts.add(Doubt(place=None, warning=warning))
