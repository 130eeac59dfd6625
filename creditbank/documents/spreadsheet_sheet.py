"""The cells of one sheet of an xlsx file, row by row, without ever holding the sheet.

The stated dimension is not believed and no grid is laid out, so a sheet costs what its cells cost, wherever
they stand. Rows and cells must be in order, as every program writes them.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from creditbank.documents.spreadsheet_cells import Cell, Limits, Row, WorkbookInvalid, column_index
from creditbank.documents.spreadsheet_xml import Attributes, Elements, parse, unescaped

_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?([1-9][0-9]{0,6})")
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{0,40})?([eE][+-]?[0-9]{1,3})?|[+-]?\.[0-9]{1,40}")
_INDEX = re.compile(r"[0-9]{1,7}")
_LAST_ROW, _LAST_COLUMN = 1_048_576, 16_383
_DAYS_TO_1904 = 1462


class SheetCells(Elements):
    """Yields every row that holds something; its public attributes are complete after the last one."""

    def __init__(
        self,
        chunks: Callable[[], Iterator[bytes]],
        *,
        strings: Sequence[str],
        dates: frozenset[int],
        epoch_1904: bool,
        limits: Limits,
    ) -> None:
        self.merged: list[tuple[int, int, int, int]] = []
        self.hidden_rows = 0
        self.has_further_columns = False
        self._chunks = chunks
        self._strings = strings
        self._dates = dates
        self._days_late = _DAYS_TO_1904 if epoch_1904 else 0
        self._limits = limits
        self._rows: list[Row] = []
        self._row = 0
        self._is_hidden = False
        self._cells: dict[int, Cell] = {}
        self._column = -1
        self._type = ""
        self._style = ""
        self._pieces: list[str] = []
        self._is_value = False
        self._has_formula = False
        self._phonetic = 0

    def __iter__(self) -> Iterator[Row]:
        for _ in parse(self._chunks(), self, part="sheet", limits=self._limits):
            yield from self._rows
            self._rows.clear()

    def start(self, name: str, attributes: Attributes) -> None:
        match name:
            case "c":
                self._start_cell(attributes)
            case "v" | "t":
                self._is_value = not self._phonetic
            case "f":
                self._has_formula = True
            case "row":
                self._start_row(attributes)
            case "rPh":
                self._phonetic += 1
            case "mergeCell":
                self._merge(attributes.get("ref", ""))

    def text(self, text: str) -> None:
        if self._is_value:
            self._pieces.append(text)

    def end(self, name: str) -> None:
        match name:
            case "v" | "t":
                self._is_value = False
            case "c":
                self._end_cell()
            case "row":
                if self._cells:
                    self._rows.append((self._row, self._cells))
                    self.hidden_rows += self._is_hidden
            case "rPh":
                self._phonetic -= 1

    def _start_row(self, attributes: Attributes) -> None:
        number = attributes.get("r")
        row = self._row + 1 if number is None else _index(number)
        if not self._row < row <= _LAST_ROW:
            raise _damaged()
        self._row = row
        self._is_hidden = attributes.get("hidden") in {"1", "true"}
        self._cells = {}
        self._column = -1

    def _start_cell(self, attributes: Attributes) -> None:
        reference = attributes.get("r")
        column = self._column + 1
        if reference is not None:
            match = _REFERENCE.fullmatch(reference)
            if match is None or int(match[2]) != self._row:
                raise _damaged()
            column = column_index(match[1])
        if not self._column < column <= _LAST_COLUMN:
            raise _damaged()
        self._column = column
        self._type = attributes.get("t", "n")
        self._style = attributes.get("s", "")
        self._pieces = []
        self._has_formula = False

    def _end_cell(self) -> None:
        cell = self._cell()
        if cell is None:
            return
        if self._column < self._limits.columns:
            self._cells[self._column] = cell
        else:
            self.has_further_columns = True

    def _cell(self) -> Cell | None:
        value = "".join(self._pieces)
        if self._type == "s" and value:
            place = _index(value)
            if place >= len(self._strings):
                raise _damaged()
            value = self._strings[place]
        elif self._type in {"str", "inlineStr"}:
            value = unescaped(value)
        if not value.strip():
            return Cell("unsaved", "") if self._has_formula and self._type != "str" else None
        if self._type == "n" and _NUMBER.fullmatch(value):
            return self._number(value)
        if self._type == "b":
            return Cell("text", "TRUE" if value == "1" else "FALSE")
        return Cell("fault" if self._type == "e" else "text", value)

    def _number(self, value: str) -> Cell:
        shows_date = bool(self._style) and _index(self._style) in self._dates
        return Cell("number", value, shows_date, self._days_late)

    def _merge(self, reference: str) -> None:
        first, _, last = reference.partition(":")
        start, end = _REFERENCE.fullmatch(first), _REFERENCE.fullmatch(last)
        if start is None or end is None:
            return
        if len(self.merged) == self._limits.merged_ranges:
            raise WorkbookInvalid("workbook-too-many-merged", max_ranges=self._limits.merged_ranges)
        self.merged.append((int(start[2]), column_index(start[1]), int(end[2]), column_index(end[1])))


def _index(text: str) -> int:
    if _INDEX.fullmatch(text) is None:
        raise _damaged()
    return int(text)


def _damaged() -> WorkbookInvalid:
    return WorkbookInvalid("workbook-damaged", part="sheet")
