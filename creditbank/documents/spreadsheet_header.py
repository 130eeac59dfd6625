"""Which sheet of a workbook holds the rows, of which kind they are, and which column is which.

Headers are found by name, in any order, below whatever titles stand above them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from creditbank.documents.spreadsheet_cells import Cell, Limits, WorkbookInvalid, column_letter
from creditbank.documents.spreadsheet_columns import (
    NAME_KEYS,
    NUMBER_KEYS,
    Column,
    SheetKind,
    header_keys,
    sheet_kinds,
)
from creditbank.documents.spreadsheet_file import Sheet, Workbook
from creditbank.outcomes.outcome import OutcomeKind

_FEWEST_HEADERS = 3
"""A line of titles may by chance hold one or two words that are headers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A header line: in which row, of which kind, and what stands where."""

    kind: SheetKind
    row: int
    columns: Mapping[int, Column]
    headers: Mapping[int, str]
    missing: tuple[str, ...]
    duplicated: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        return not self.missing

    @property
    def unknown(self) -> tuple[str, ...]:
        """The headers that mean nothing here, as they stand."""
        return tuple(header for at, header in self.headers.items() if at not in self.columns)

    def place_of(self, key: str) -> int | None:
        """Return the column that fills a member, if there is one."""
        return next((at for at, column in self.columns.items() if column.key == key), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The sheet that is read, and the names of others that could have been."""

    sheet: Sheet
    layout: Layout
    others: tuple[str, ...]


def find_sheet(workbook: Workbook, *, kind: OutcomeKind | None, limits: Limits) -> Found:
    """Return the first visible sheet that has every column its kind needs.

    Raises:
        WorkbookInvalid: there is none, and what the nearest one lacks; or the kind is not the one wanted.
    """
    layouts = [(sheet, _layout_of(sheet, kind, limits)) for sheet in workbook.sheets]
    readable = [(sheet, layout) for sheet, layout in layouts if layout is not None]
    visible = [(sheet, layout) for sheet, layout in readable if not sheet.is_hidden]
    complete = [(sheet, layout) for sheet, layout in visible if layout.is_complete]
    wanted = [(sheet, layout) for sheet, layout in complete if kind in {None, layout.kind.kind}]
    if not wanted:
        _refuse([layout for _, layout in visible], kind)
    sheet, layout = wanted[0]
    if layout.duplicated:
        raise WorkbookInvalid("workbook-columns-repeated", sheet=sheet.name, columns=layout.duplicated)
    others = tuple(other.name for other, its in readable if other is not sheet and its.is_complete)
    return Found(sheet=sheet, layout=layout, others=others)


def repeats_header(cells: Mapping[int, Cell], layout: Layout) -> bool:
    """Whether a row only says again, perhaps in another language, which column is which."""
    by_header = layout.kind.by_header
    return all(
        any(by_header.get(key) is layout.columns.get(at) for key in header_keys(cell.text))
        for at, cell in cells.items()
        if at in layout.columns
    )


def _layout_of(sheet: Sheet, kind: OutcomeKind | None, limits: Limits) -> Layout | None:
    """Return the line near the top that reads most like headers.

    Raises:
        WorkbookInvalid: `workbook-kind-unclear`: it reads as much like one kind as like another.
    """
    found: list[Layout] = []
    for row, cells in sheet.cells():
        if row > limits.header_within:
            break
        texts = {at: cell.text.strip() for at, cell in cells.items() if cell.form == "text"}
        candidates = [_layout(listed, row, texts) for listed in sheet_kinds().values()]
        asked = [layout for layout in candidates if layout.kind.kind == kind and layout.is_complete]
        found.append(asked[0] if asked else _best(candidates))
    best = max(found, key=_likeness, default=None)
    return best if best is not None and len(best.columns) >= _FEWEST_HEADERS else None


def _best(candidates: Sequence[Layout]) -> Layout:
    best = max(candidates, key=_likeness)
    alike = [layout.kind.zh for layout in candidates if _likeness(layout) == _likeness(best)]
    if best.is_complete and len(alike) > 1:
        raise WorkbookInvalid("workbook-kind-unclear", kinds=tuple(alike))
    return best


def _likeness(layout: Layout) -> tuple[bool, int, int]:
    return layout.is_complete, len(layout.columns), -len(layout.missing)


def _layout(kind: SheetKind, row: int, texts: Mapping[int, str]) -> Layout:
    by_header = kind.by_header
    columns: dict[int, Column] = {}
    duplicated: list[str] = []
    for at, text in texts.items():
        column = next((by_header[key] for key in header_keys(text) if key in by_header), None)
        if column is None:
            continue
        if column in columns.values():
            duplicated.append(f"{column_letter(at)} {text}")
        columns[at] = column
    return Layout(
        kind=kind,
        row=row,
        columns=columns,
        headers=texts,
        missing=_missing(kind, {column.key for column in columns.values()}),
        duplicated=tuple(duplicated),
    )


def _missing(kind: SheetKind, present: set[str]) -> tuple[str, ...]:
    missing = [column.zh for column in kind.columns if column.is_required and column.key not in present]
    for keys in (NUMBER_KEYS, NAME_KEYS):
        if present.isdisjoint(keys):
            missing.insert(0, kind.column(keys[0]).zh)
    return tuple(missing)


def _refuse(layouts: Sequence[Layout], kind: OutcomeKind | None) -> None:
    """Say what the most likely header line lacks."""
    other = next((layout for layout in layouts if layout.is_complete), None)
    if kind is not None and other is not None:
        raise WorkbookInvalid("workbook-kind-differs", wanted=sheet_kinds()[kind].zh, found=other.kind.zh)
    nearest: Iterable[Layout] = layouts
    if kind is not None:
        nearest = (_layout(sheet_kinds()[kind], layout.row, layout.headers) for layout in layouts)
    best = max(nearest, key=_likeness, default=None)
    if best is None:
        raise WorkbookInvalid("workbook-headers-missing")
    raise WorkbookInvalid("workbook-columns-missing", kind=best.kind.zh, row=best.row, columns=best.missing)
