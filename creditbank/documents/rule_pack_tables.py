"""The CSV files that a pack's tables name, read into its tree; and from where in them each line came."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from creditbank.conversion.pack import PackFinding
from creditbank.documents.rule_pack_csv import (
    RECOGNITION_COLUMNS,
    RULE_COLUMNS,
    BadCell,
    Columns,
    Line,
    RulePackUnreadable,
    read_lines,
    recognition_row,
    rule_of_line,
)
from creditbank.documents.toml_lines import Path

Tree = dict[str, Any]
SIZE_MAX_BYTES = 2 * 1024 * 1024
"""Of all the files of one pack together."""
_KEY = "csv"
_FROM_PREMISE = {"code": "codes", "level": "min_level", "min_score": "min_score", "issuer": "issuers"}
_FROM_GRANT = ("courses", "max_credits", "max_courses")


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvPlace:
    """The line of a CSV file that made a table, or had a part in one, and the columns that it filled in."""

    file: str
    line: int
    columns: frozenset[str]
    premises: int = 1  # of a rule, how many the line makes


@dataclass(kw_only=True)
class CsvTables:
    """Reads the files that the tables of a tree name, and puts what they say in the tables' place."""

    tree: Tree
    name: str
    beside: Mapping[str, bytes]
    origins: dict[Path, tuple[str, int]]
    size_bytes: int
    lines: dict[Path, CsvPlace] = field(default_factory=dict)
    faults: list[PackFinding] = field(default_factory=list)

    def read(self) -> None:
        """Fill the tree.

        Raises:
            RulePackUnreadable: a file is missing, in another encoding or no CSV, or the table that names it
                does not say what every line needs.
        """
        self._fill_recognitions()
        rules = self.tree.get("rule")
        if isinstance(rules, list) and any(isinstance(rule, dict) and _KEY in rule for rule in rules):
            self.tree["rule"] = self._filled_rules(rules)

    def _fill_recognitions(self) -> None:
        tables = self.tree.get("recognition")
        for index, table in enumerate(tables if isinstance(tables, list) else ()):
            if not isinstance(table, dict) or _KEY not in table:
                continue
            file, lines = self._lines_of(table.pop(_KEY), ("recognition", index), RECOGNITION_COLUMNS)
            rows = table.setdefault("rows", [])
            if not isinstance(rows, list):
                continue  # refused by the model
            for line in lines:
                self._note(("recognition", index, "rows", len(rows)), file, line)
                rows.append(recognition_row(line))

    def _filled_rules(self, rules: list[Any]) -> list[Any]:
        filled: list[Any] = []
        origins = dict(self.origins)
        for index, rule in enumerate(rules):
            origin = self.origins.get(("rule", index), (self.name, index))
            if not isinstance(rule, dict) or _KEY not in rule:
                origins["rule", len(filled)] = origin
                filled.append(rule)
                continue
            common = {key: value for key, value in rule.items() if key != _KEY}
            file, lines = self._lines_of(rule[_KEY], ("rule", index), RULE_COLUMNS)
            self._require_common(common, lines, origin)
            for line in lines:
                place: Path = ("rule", len(filled))
                origins[place] = origin
                self._note(place, file, line)
                filled.append(rule_of_line(line, common))
        self.origins = origins
        return filled

    def _lines_of(self, named: object, place: Path, columns: Columns) -> tuple[str, list[Line]]:
        file, _ = self.origins.get(place, (self.name, 0))
        if not isinstance(named, str) or named not in self.beside:
            raise RulePackUnreadable("include-missing", field=_KEY, file=file, included=str(named))
        shown = str(PurePosixPath(self.name).parent / named)
        self.size_bytes += len(self.beside[named])
        if self.size_bytes > SIZE_MAX_BYTES:
            raise RulePackUnreadable("pack-too-large", file=shown, max_bytes=SIZE_MAX_BYTES)
        lines, bad = read_lines(self.beside[named], columns, file=shown)
        self.faults += [_finding(cell, shown, place) for cell in bad]
        return shown, lines

    def _require_common(self, common: Tree, lines: list[Line], origin: tuple[str, int]) -> None:
        """Refuse a table that says too little for its lines, or what they say as well."""
        premises, grant = common.get("premise"), common.get("grant")
        is_whole = isinstance(premises, list) and premises and all(isinstance(one, dict) for one in premises)
        if "id" in common or not is_whole or not isinstance(grant, dict):
            raise RulePackUnreadable("csv-rule-common", field=f"rule[{origin[1] + 1}]", file=origin[0])
        filled = {name for line in lines for name in line.cells}
        assert isinstance(premises, list), "seen above"
        twice = [key for name, key in _FROM_PREMISE.items() if name in filled and key in premises[0]]
        twice += [key for key in _FROM_GRANT if key in filled and key in grant]
        twice += [key for key in sorted(RULE_COLUMNS.dates & filled) if key in common]
        if twice:
            raise RulePackUnreadable(
                "csv-member-twice", field=f"rule[{origin[1] + 1}]", file=origin[0], members=twice
            )

    def _note(self, place: Path, file: str, line: Line) -> None:
        parts = line.cells.get("code")
        premises = len(parts) if place[0] == "rule" and isinstance(parts, list) else 1
        self.lines[place] = CsvPlace(
            file=file, line=line.number, columns=frozenset(line.cells), premises=premises
        )


def _finding(cell: BadCell, file: str, place: Path) -> PackFinding:
    return PackFinding(
        code=cell.code,
        severity="error",
        path=(*place, _KEY),
        values=cell.values,
        file=file,
        line=cell.line,
        column=cell.column or None,
    )
