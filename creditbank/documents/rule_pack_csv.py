"""Bulk tables of a rule pack as CSV: each line becomes the table that one would have written in TOML.

Two tables may name a file beside the pack as `csv`: a `[[recognition]]`, whose rows it lists, and a
`[[rule]]` without an id, of which every line makes one rule. From then on nothing tells a line from its
TOML: the digest is that of the same rows written by hand.
"""

import csv
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from creditbank.conversion.pack import PackFinding
from creditbank.errors import InvalidInput

Tree = dict[str, Any]
_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,6})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_BETWEEN = re.compile(r"[\s;,、；，]+")
BYTE_ORDER_MARK = "\ufeff"
"""What Windows editors write before a text in UTF-8; it is no part of it."""


class RulePackUnreadable(InvalidInput):
    """The files of a pack cannot be read as what they are to be."""

    code = "rule-pack-unreadable"

    @property
    def finding(self) -> PackFinding:
        """The same as what is found in a pack: an error in that file, on that line where one is known."""
        file, line = self.values.get("file"), self.values.get("line")
        return PackFinding(
            code=self.reason,
            severity="error",
            path=() if self.field is None else (self.field,),
            values=self.values,
            file=None if file is None else str(file),
            line=line if isinstance(line, int) else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The columns that a file may have: those it must, and those whose cells are no plain texts.

    A cell of `parts` is a list of lists: what stands between signs `+` is asked for together.
    """

    needed: frozenset[str]
    texts: frozenset[str]
    numbers: frozenset[str]
    lists: frozenset[str]
    dates: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """All of them."""
        return self.needed | self.texts | self.numbers | self.lists | self.dates


RECOGNITION_COLUMNS = Columns(
    needed=frozenset({"kind"}),
    texts=frozenset({"kind", "framework", "level"}),
    numbers=frozenset({"min_score", "min_hours", "min_credits", "credits", "hours_per_credit", "of_stated"}),
    lists=frozenset({"code", "rank", "organiser_level"}),
)
RULE_COLUMNS = Columns(
    needed=frozenset({"rule", "code", "courses"}),
    texts=frozenset({"rule", "framework", "level", "say", "say_en"}),
    numbers=frozenset({"min_score", "max_credits", "max_courses"}),
    lists=frozenset({"courses", "issuer"}),
    dates=frozenset({"effective_from", "effective_to"}),
    parts=frozenset({"code"}),
)
_COLUMN_OF: Mapping[str, str] = MappingProxyType(
    {"codes": "code", "min_level": "level", "id": "rule", "issuers": "issuer"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BadCell:
    """A cell that cannot be read: the reason's code, the line from 1, the column."""

    code: str
    line: int
    column: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a file: its number from 1, and what its cells say, blank ones left out."""

    number: int
    cells: Mapping[str, Any]


def read_lines(content: bytes, columns: Columns, *, file: str) -> tuple[list[Line], list[BadCell]]:
    """Return the lines of a CSV file in UTF-8, with or without a byte order mark, and its bad cells.

    Raises:
        RulePackUnreadable: `csv-gb18030` or `csv-not-utf8` for another encoding, `csv-malformed`, `csv-empty`
            for a file without lines, `csv-columns-wrong` for columns that are unknown or there twice,
            `csv-columns-missing`, or `csv-header` for both.
    """
    rows = list(_rows(_text(content, file), file))
    if not rows:
        raise RulePackUnreadable("csv-empty", file=file, line=1)
    (at, header), *rest = rows
    _require_header(header, columns, file=file, line=at)
    if not rest:
        raise RulePackUnreadable("csv-empty", file=file, line=at)
    lines: list[Line] = []
    bad: list[BadCell] = []
    for number, cells in rest:
        stated = {name: cell for name, cell in zip(header, cells, strict=False) if cell}
        values: dict[str, Any] = {}
        bad += _faults(header, cells, stated, columns, number)
        for name, cell in stated.items():
            values[name] = _value(name, cell, columns)
        lines.append(Line(number=number, cells=values))
    return lines, bad


def recognition_row(line: Line) -> Tree:
    """Return a line as one of the `rows` of a `[[recognition]]`."""
    cells = dict(line.cells)
    row: Tree = {"kind": cells.pop("kind", "")}
    if "code" in cells:
        row["codes"] = cells.pop("code")
    tests = [
        {"name": name, "one_of": cells.pop(name)} for name in ("organiser_level", "rank") if name in cells
    ]
    if tests:
        row["attributes"] = tests
    return row | _level(cells) | cells


def rule_of_line(line: Line, common: Tree) -> Tree:
    """Return a line as a `[[rule]]`: its own members, and those that all lines have in common.

    `common` has a `premise`, whose first table gets the codes, level, score and issuers, once for each part
    of the codes, and a `grant`.
    """
    cells = dict(line.cells)
    first, *others = common["premise"]
    parts = cells.pop("code", [[]])
    asked = _level(cells)
    for column, member in (("min_score", "min_score"), ("issuer", "issuers")):
        if column in cells:
            asked[member] = cells.pop(column)
    premises = [{**first, "codes": codes, **asked} for codes in parts]
    rule: Tree = {**common, "id": cells.pop("rule", ""), "premise": [*premises, *others]}
    for column in RULE_COLUMNS.dates & cells.keys():
        rule[column] = cells.pop(column)
    say = {"zh": cells.pop("say", None), "en": cells.pop("say_en", None)}
    if say["zh"] is not None:
        rule["say"] = say if say["en"] is not None else say["zh"]
    rule["grant"] = {**common["grant"], **cells}
    return rule


def column_of(path: Sequence[str | int], filled: Collection[str], *, premises: int = 1) -> str | None:
    """Return the column, of those filled in, that says the value at a path within a line's table.

    `premises` is how many of a rule's premises the line makes.
    """
    match path:
        case ("premise", int(number), *_) if number >= premises:
            return None
    for step in reversed(path):
        name = _COLUMN_OF.get(str(step), str(step))
        if name in filled:
            return name
    return None


def _level(cells: Tree) -> Tree:
    level, framework = cells.pop("level", None), cells.pop("framework", None)
    if level is None:
        return {}
    return {"min_level": level if framework is None else {"framework": framework, "level": level}}


def _text(content: bytes, file: str) -> str:
    try:
        return content.decode("utf-8").removeprefix(BYTE_ORDER_MARK)
    except UnicodeDecodeError as error:
        raise RulePackUnreadable(_encoding_fault(content), file=file, byte=error.start) from error


def _encoding_fault(content: bytes) -> str:
    """Nothing is guessed: what looks like GB18030, as Excel writes it, is only named."""
    try:
        content.decode("gb18030")
    except UnicodeDecodeError:
        return "csv-not-utf8"
    return "csv-not-utf8" if b"\x00" in content else "csv-gb18030"


def _rows(text: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """Yield every line that is not blank, its cells without the spaces around them."""
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    before = 0
    try:
        for row in reader:
            if reader.line_num != before + 1:
                raise RulePackUnreadable("csv-line-break", file=file, line=before + 1)
            before = reader.line_num
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield before, cells
    except csv.Error as error:
        raise RulePackUnreadable("csv-malformed", file=file, line=max(reader.line_num, 1)) from error


def _require_header(header: Sequence[str], columns: Columns, *, file: str, line: int) -> None:
    unknown = [name for name in header if name not in columns.names]
    twice = sorted({name for name in header if header.count(name) > 1})
    missing = sorted(columns.needed - set(header))
    if unknown or twice or missing:
        wrong = [*dict.fromkeys(name or "—" for name in (*unknown, *twice))]
        known = sorted(columns.names)
        if not missing:
            raise RulePackUnreadable("csv-columns-wrong", file=file, line=line, wrong=wrong, known=known)
        if not wrong:
            raise RulePackUnreadable("csv-columns-missing", file=file, line=line, missing=missing)
        raise RulePackUnreadable(
            "csv-header", file=file, line=line, wrong=wrong, missing=missing, known=known
        )


def _faults(
    header: Sequence[str], cells: Sequence[str], stated: Mapping[str, str], columns: Columns, line: int
) -> Iterator[BadCell]:
    for cell in cells[len(header) :]:
        if cell:
            yield BadCell(code="csv-cell-beyond", line=line, column="", values={"value": cell})
    for name in sorted(columns.needed - stated.keys()):
        yield BadCell(code="csv-cell-blank", line=line, column=name, values={"column": name})
    if "framework" in stated and "level" not in stated:
        yield BadCell(code="csv-cell-blank", line=line, column="level", values={"column": "level"})
    for name in header:
        if name in columns.numbers and name in stated and _NUMBER.fullmatch(stated[name]) is None:
            values = {"column": name, "value": stated[name]}
            yield BadCell(code="csv-number", line=line, column=name, values=values)
        if name in columns.parts and name in stated and not all(map(str.strip, stated[name].split("+"))):
            yield BadCell(code="csv-part-blank", line=line, column=name, values={"column": name})
        if name in columns.dates and name in stated and _day(stated[name]) is None:
            values = {"column": name, "value": stated[name]}
            yield BadCell(code="csv-date", line=line, column=name, values=values)


def _value(name: str, cell: str, columns: Columns) -> Any:  # noqa: ANN401 - as TOML would have it
    if name in columns.numbers:
        return _number(cell)
    if name in columns.dates:
        return _day(cell) or cell  # refused already
    if name in columns.parts:
        return [_BETWEEN.split(part.strip()) for part in cell.split("+")]
    return _BETWEEN.split(cell) if name in columns.lists else cell


def _day(cell: str) -> date | None:
    try:
        return date.fromisoformat(cell) if _DATE.fullmatch(cell) else None
    except ValueError:
        return None


def _number(cell: str) -> int | Decimal | str:
    if _NUMBER.fullmatch(cell) is None:
        return cell  # refused already
    return Decimal(cell) if "." in cell else int(cell)
