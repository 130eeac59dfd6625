"""From the bytes of a pack's files to one tree of plain values, and back to the place where each was written.

A pack is one TOML file with those that it includes and the CSV that its tables name, or one file of canonical
JSON. What the tree means is for `rule_pack`; here it is only read, joined and bounded.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, cast

from creditbank.conversion.pack import PackFinding
from creditbank.documents.rule_pack_csv import BYTE_ORDER_MARK, RulePackUnreadable, column_of
from creditbank.documents.rule_pack_tables import SIZE_MAX_BYTES, CsvPlace, CsvTables
from creditbank.documents.toml_lines import Path, line_of, lines_of
from creditbank.errors import InvalidInput
from creditbank.ledger.encoding import JsonValue, parse_canonical

DEPTH_MAX = 32
"""Of tables and lists in each other; no pack needs ten."""

Tree = dict[str, Any]
_ROW_DEPTH = 4
"""Of a row of a recognition table: ("recognition", 0, "rows", 7)."""
_TOML_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)")
_TWICE = re.compile(
    r"Cannot overwrite a value|Duplicate inline table key|Cannot declare .* twice|Cannot mutate immutable"
)
"""What `tomllib` says where something is written a second time."""
_DAY_WRITTEN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YEAR_DIGITS = 4
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something in a pack was written; the line is None in JSON, which nobody edits."""

    file: str
    line: int | None
    column: str | None = None
    """In CSV: the name of the column."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """The joined tree, and where each element of its arrays came from."""

    name: str
    tree: Tree
    texts: Mapping[str, str]
    origins: Mapping[Path, tuple[str, int]] = field(default_factory=dict)
    """Elements that stand elsewhere: (array, place in the tree) -> (file, place in the file)."""
    lines: Mapping[Path, CsvPlace] = field(default_factory=dict)
    """Tables that a line of CSV made, or had a part in."""
    faults: Sequence[PackFinding] = ()
    """Cells of CSV that cannot be read."""

    def place_of(self, path: Path) -> Place:
        """Return where the value at `path` was written, or the table around it, or the file's start."""
        made_by = self.lines.get(path[:_ROW_DEPTH])
        if made_by is not None:
            column = column_of(path[_ROW_DEPTH:], made_by.columns)
            return Place(file=made_by.file, line=made_by.line, column=column)
        shared = self.lines.get(path[:2])
        if shared is not None:
            column = column_of(path[2:], shared.columns, premises=shared.premises)
            if column is not None or len(path) <= 2:  # noqa: PLR2004 - the rule itself
                return Place(file=shared.file, line=shared.line, column=column)
        file, index = self.origins.get(path[:2], (self.name, None))
        local = path if index is None else (path[0], index, *path[2:])
        if file not in self._lines:
            return Place(file=file, line=None)
        return Place(file=file, line=line_of(self._lines[file], local) or 1)

    def as_written(self, path: Path) -> Path:
        """Return `path` without the steps into a table or list for which a plain value was written."""
        written: list[str | int] = []
        value: object = self.tree
        for step in path:
            match value, step:
                case dict(), str():
                    value = value.get(step)
                case tuple() | list(), int():
                    value = value[step]
                case _:
                    continue
            written.append(step)
        return tuple(written)

    def id_at(self, path: Path) -> str | None:
        """Return the id of the rule, programme or other table within which `path` lies, where it has one."""
        match path:
            case (str(), int(), *_):
                found = self._at((*path[:2], "id"))
                return found if isinstance(found, str) and _ID.fullmatch(found) else None
            case _:
                return None

    def _at(self, path: Path) -> object:
        value: object = self.tree
        for step in path:
            match value, step:
                case dict(), str():
                    value = value.get(step)
                case tuple() | list(), int() if step < len(value):
                    value = value[step]
                case _:
                    return None
        return value

    @cached_property
    def _lines(self) -> Mapping[str, Mapping[Path, int]]:
        return {file: lines_of(text) for file, text in self.texts.items()}


def read_toml(content: bytes, *, name: str, beside: Mapping[str, bytes]) -> Source:
    """Read a pack's TOML file and join to it the files that its `include` names.

    An included file holds arrays of tables only; they follow the pack's own. `beside` holds what may be
    included or named as `csv`, by the name that is given to it there.

    Raises:
        RulePackUnreadable: a file is too large, is not UTF-8, not TOML, nested too deeply or missing, or
            an included one holds something else than tables.
    """
    texts = {name: _text(content, name)}
    tree = _parsed(texts[name], name)
    origins: dict[Path, tuple[str, int]] = {}
    size = len(content)
    for included in _included_names(tree.pop("include", []), name):
        if included not in beside:
            raise RulePackUnreadable("include-missing", field="include", file=name, included=included)
        shown = str(PurePosixPath(name).parent / included)
        size += len(beside[included])
        if size > SIZE_MAX_BYTES:
            raise RulePackUnreadable("pack-too-large", file=shown, max_bytes=SIZE_MAX_BYTES)
        texts[shown] = _text(beside[included], shown)
        _join(tree, _parsed(texts[shown], shown), shown, name, origins)
    tables = CsvTables(tree=tree, name=name, beside=beside, origins=origins, size_bytes=size)
    tables.read()
    return Source(
        name=name,
        tree=cast("Tree", _tuples(tree)),
        texts=texts,
        origins=tables.origins,
        lines=tables.lines,
        faults=tables.faults,
    )


def read_json(content: bytes, *, name: str) -> Source:
    """Read a pack from its canonical JSON.

    Raises:
        RulePackUnreadable: it is too large, or not the canonical bytes of an object.
    """
    if len(content) > SIZE_MAX_BYTES:
        raise RulePackUnreadable("pack-too-large", file=name, max_bytes=SIZE_MAX_BYTES)
    try:
        tree = parse_canonical(content)
    except InvalidInput as error:
        raise RulePackUnreadable("pack-not-canonical", file=name) from error
    if not isinstance(tree, dict):
        raise RulePackUnreadable("pack-not-canonical", file=name)
    return Source(name=name, tree=tree, texts={})


def as_json(value: object) -> JsonValue:
    """Return a value of the tree in the subset that canonical JSON can hold: dates and fractions as text.

    A whole number is the same however it is written: 8 and 8.0 are one.
    """
    match value:
        case dict():
            return {name: as_json(member) for name, member in value.items()}
        case tuple() | list():
            return [as_json(item) for item in value]
        case Decimal():
            return _number(value)
        case date() | datetime() | time():
            return value.isoformat()
        case _:
            return cast("JsonValue", value)


def _number(value: Decimal) -> JsonValue:
    if value == value.to_integral_value():
        return int(value)
    return format(value, "f").rstrip("0")


def _text(content: bytes, file: str) -> str:
    if len(content) > SIZE_MAX_BYTES:
        raise RulePackUnreadable("pack-too-large", file=file, max_bytes=SIZE_MAX_BYTES)
    try:
        return content.decode("utf-8").removeprefix(BYTE_ORDER_MARK).replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise RulePackUnreadable("pack-not-utf8", file=file, byte=error.start) from error


def _parsed(text: str, file: str) -> Tree:
    try:
        tree = tomllib.loads(text, parse_float=_decimal)
    except RecursionError as error:
        raise RulePackUnreadable("pack-too-deep", file=file) from error
    except tomllib.TOMLDecodeError as error:
        raise _toml_fault(str(error), text, file) from error
    except ValueError as error:  # an integer of more digits than Python reads
        raise RulePackUnreadable("toml-value", file=file) from error
    if not _is_shallow(tree, DEPTH_MAX):
        raise RulePackUnreadable("pack-too-deep", file=file)
    return tree


def _toml_fault(said: str, text: str, file: str) -> RulePackUnreadable:
    """Return what is wrong with a text that is no TOML: two things that people do write, or anything else."""
    place = _TOML_PLACE.search(said)
    if place is None:  # at the very end
        line, rest = text.count("\n") + 1, ""
    else:
        line, column = int(place[1]), int(place[2]) - 1
        before = column if said.startswith("Invalid date") else max(0, column - _YEAR_DIGITS)
        rest = text.split("\n")[line - 1][before:]
    if _TWICE.match(said) is not None:
        return RulePackUnreadable("toml-key-twice", file=file, line=line)
    day = _DAY_WRITTEN.match(rest)
    if day is not None:
        return RulePackUnreadable("toml-no-such-day", file=file, line=line, value=day[0])
    return RulePackUnreadable("not-toml", file=file, line=line)


def _is_shallow(value: object, depth: int) -> bool:
    inside: Iterable[object] = ()
    if isinstance(value, dict):
        inside = value.values()
    elif isinstance(value, list):
        inside = value
    return depth > 0 and all(_is_shallow(item, depth - 1) for item in inside)


def _decimal(written: str) -> Decimal:
    return Decimal(written.replace("_", ""))


def _included_names(value: object, file: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise RulePackUnreadable("include-names", field="include", file=file)
    if len(set(value)) != len(value):
        raise RulePackUnreadable("include-twice", field="include", file=file)
    return value


def _join(tree: Tree, included: Tree, file: str, name: str, origins: dict[Path, tuple[str, int]]) -> None:
    for key, tables in included.items():
        own = tree.setdefault(key, [])
        if not _is_array_of_tables(tables):
            raise RulePackUnreadable("include-not-tables", field=key, file=file)
        if not isinstance(own, list):
            raise RulePackUnreadable("include-not-tables", field=key, file=name)
        for index, table in enumerate(tables):
            origins[(key, len(own))] = (file, index)
            own.append(table)


def _is_array_of_tables(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _tuples(value: object) -> object:
    """Return the tree with tuples for lists: values that nobody changes from here on."""
    match value:
        case dict():
            return {name: _tuples(member) for name, member in value.items()}
        case list():
            return tuple(_tuples(item) for item in value)
        case _:
            return value
