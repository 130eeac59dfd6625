"""One row of a workbook: from its cells to a learner and an outcome, or to all that is wrong with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Generic, Protocol, TypeVar, assert_never

from creditbank.documents.spreadsheet_cells import Cell, Limits, column_letter
from creditbank.documents.spreadsheet_columns import LEARNER_KEYS, NAME_KEYS, NUMBER_KEYS, Column
from creditbank.documents.spreadsheet_faults import names_or_faults, outcome_or_faults
from creditbank.documents.spreadsheet_header import Layout
from creditbank.documents.spreadsheet_values import (
    CellInvalid,
    attributes,
    code,
    count,
    day,
    expiry,
    figure,
    shown,
    term,
    title,
)
from creditbank.errors import InvalidInput
from creditbank.identity.account_number import AccountNumber, parse_account_number
from creditbank.identity.citizen_number import CitizenNumber, parse_citizen_number
from creditbank.identity.person import Person
from creditbank.identity.regions import RegionTable, warnings_of
from creditbank.outcomes import Outcome
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.diploma import Diploma
from creditbank.outcomes.number_pattern import NumberPattern, number_warnings
from creditbank.outcomes.outcome import LAST_DAY, FrameworkLevel
from creditbank.outcomes.vocabulary import Vocabulary
from creditbank.terms import InputWarning, IssuerId

_NAME_FIELDS = {"chinese": "name", "tibetan": "tibetan_name", "romanised": "romanised_name", "names": "name"}
_GRADES = frozenset(
    {
        "优秀", "优", "良好", "良", "中等", "中", "及格", "合格", "通过",
        "不及格", "不合格", "未通过", "缺考", "免修",
        "A+", "A", "A-", "B+", "B", "B-", "C+", "C", "C-", "D", "E", "F",
    }
)  # fmt: skip
_ROUNDED = "000"  # the last three of eighteen digits, of which Excel keeps fifteen
_MASKED_FROM = 12
_READERS: Mapping[str, Callable[[Cell], tuple[Any, InputWarning | None]]] = {
    "count": count,
    "day": day,
    "attributes": attributes,
}


T = TypeVar("T")


class Lists(Protocol):
    """What rows are held against: `vocabularies.library.Vocabularies`."""

    @property
    def vocabularies(self) -> Mapping[str, Vocabulary]: ...
    @property
    def regions(self) -> RegionTable: ...
    @property
    def number_patterns(self) -> tuple[NumberPattern, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something stands: the row from 1, the column's letters and its header."""

    row: int
    column: str = ""
    header: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRow:
    """One row as read: whose outcome it is, by citizen number or by account number, and the outcome."""

    row: int
    person: Person
    outcome: Outcome
    account: AccountNumber | None = None

    @property
    def learner(self) -> CitizenNumber | AccountNumber:
        """The number that names the learner."""
        number = self.account or self.person.citizen_number
        assert number is not None, "a row names its learner by one of two numbers"
        return number


@dataclass(frozen=True, slots=True, kw_only=True)
class BadCell:
    """What cannot be read, where, and why: `error` has the reason, and the values that its sentence needs."""

    place: Place
    there: str
    error: InvalidInput

    @property
    def code(self) -> str:
        return self.error.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What was read although it was not written as it should be; `note` has both forms as values."""

    place: Place
    there: str
    read_as: str
    note: InputWarning


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Something odd about a row, or about the file, for a person to look at; it refuses nothing."""

    place: Place | None
    warning: InputWarning


class Capped(Generic[T]):
    """The first so many of what is found, and how much was found."""

    def __init__(self, most: int) -> None:
        self.kept: list[T] = []
        self.count = 0
        self._most = most

    def add(self, found: T) -> None:
        self.count += 1
        if len(self.kept) < self._most:
            self.kept.append(found)


class RowReader:
    """Reads the rows under one header line; what it finds besides their values gathers in its lists."""

    def __init__(
        self, layout: Layout, lists: Lists, *, issuer: IssuerId, allow_test_numbers: bool, limits: Limits
    ) -> None:
        self._layout = layout
        self._lists = lists
        self._issuer = issuer
        self._allow_test_numbers = allow_test_numbers
        self._place = {column.key: at for at, column in layout.columns.items()}
        # The day of the award first: which terms there are depends on it.
        self._order = sorted(layout.columns.items(), key=lambda item: item[1].key != "awarded_on")
        self._bad: set[str] = set()
        self.errors = Capped[BadCell](limits.findings)
        self.corrections = Capped[Correction](limits.findings)
        self.doubts = Capped[Doubt](limits.findings)

    def read(self, row: int, cells: Mapping[int, Cell]) -> ReadRow | None:
        """Return the row's values; None where something is wrong, all of which is now among the errors."""
        self._bad = set()
        values = self._values(row, cells)
        person = self._person(row, values)
        outcome = self._outcome(row, values)
        if self._bad or person is None or outcome is None:
            return None
        self._doubt(row, person, outcome)
        return ReadRow(row=row, person=person, outcome=outcome, account=values.get("account"))

    def place_of(self, row: int, key: str | None) -> Place:
        """Return where a member stands in a row; the row alone for one that has no column."""
        at = self._place.get(key or "")
        if at is None:
            return Place(row=row)
        return Place(
            row=row, column=column_letter(at), header=self._layout.headers[at].splitlines()[0].rstrip(" *＊")
        )

    def refuse(self, row: int, key: str | None, error: InvalidInput, *, there: str = "") -> None:
        """Add an error to the list."""
        self._bad.add(key or "")
        self.errors.add(BadCell(place=self.place_of(row, key), there=there, error=error))

    def _values(self, row: int, cells: Mapping[int, Cell]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for at, column in self._order:
            cell = cells.get(at)
            if cell is None:
                if column.is_required:
                    self.refuse(row, column.key, CellInvalid("cell-missing", field=column.key))
                continue
            try:
                key, value, note = self._read(column, cell, on=values.get("awarded_on", LAST_DAY))
                if values.setdefault(key, value) != value:
                    raise CellInvalid("cell-contradicts", field=column.key)
            except InvalidInput as error:
                self.refuse(row, column.key, error, there=_told(column, shown(cell)))
                continue
            if note is not None:
                self._correct(row, column, note)
        return values

    def _read(self, column: Column, cell: Cell, *, on: date) -> tuple[str, Any, InputWarning | None]:
        """Return the member that the cell fills, its value, and what was forgiven."""
        key = column.key
        match column.content:
            case "name" | "title":
                return key, *title(cell)
            case "code":
                return key, *code(cell)
            case "citizen":
                return key, *self._citizen_number(cell)
            case "account":
                text, note = code(cell)
                return key, parse_account_number(text), note
            case "figure" if key == "score" and shown(cell) in _GRADES and self._layout.kind.has("grade"):
                values = {"there": shown(cell), "read_as": shown(cell)}
                return "grade", shown(cell), InputWarning(code="read-as-grade", values=values)
            case "figure":
                return key, *figure(cell)
            case "count" | "day" | "attributes":
                return key, *_READERS[column.content](cell)
            case "expiry":
                return "expires_on", *expiry(cell)
            case "level" if title(cell)[0].casefold() in column.nothing:
                return key, None, None
            case "term" | "level":
                vocabularies = [self._lists.vocabularies[name] for name in column.vocabularies]
                (vocabulary, listed), note = term(cell, vocabularies, on=on)
                if column.content == "term":
                    return key, listed.code, note
                assert vocabulary.framework is not None, "levels come from a framework"
                return key, FrameworkLevel(framework=vocabulary.framework, level=listed.code), note
            case _:
                assert_never(column.content)

    def _citizen_number(self, cell: Cell) -> tuple[CitizenNumber, InputWarning | None]:
        text, note = code(cell)
        try:
            return parse_citizen_number(text, allow_test_numbers=self._allow_test_numbers), note
        except InvalidInput as error:
            if error.reason == "citizen-number-check" and text.endswith(_ROUNDED):
                raise CellInvalid("cell-number-rounded") from error
            raise

    def _person(self, row: int, values: Mapping[str, Any]) -> Person | None:
        given = [key for key in NUMBER_KEYS if key in values]
        if not given and self._bad.isdisjoint(NUMBER_KEYS):
            key = next(key for key in NUMBER_KEYS if key in self._place)
            self.refuse(row, key, CellInvalid("cell-learner-missing", field=key))
        if len(given) > 1:
            self.refuse(row, "account", CellInvalid("cell-two-numbers", field="account"))
        has_unread_name = not self._bad.isdisjoint(NAME_KEYS)
        names, faults = names_or_faults(*(values.get(key) for key in NAME_KEYS))
        for error in faults:
            if error.reason != "name-missing" or not has_unread_name:
                key = _NAME_FIELDS[error.field or ""]
                self.refuse(row, key if key in self._place else "name", error, there=values.get(key, ""))
        if names is None:
            return None
        citizen_number = values.get("citizen_number")
        return Person(names=names, citizen_number=citizen_number, category=values.get("category"))

    def _outcome(self, row: int, values: Mapping[str, Any]) -> Outcome | None:
        members = {key: value for key, value in values.items() if key not in LEARNER_KEYS}
        outcome, faults = outcome_or_faults(
            self._layout.kind.kind, members, issuer=self._issuer, unread=frozenset(self._bad)
        )
        for error in faults:
            key = error.field
            if key == "expires_on" and key not in self._place:
                key = "valid_until"
            self.refuse(row, key, error, there=_written(members.get(error.field or "")))
        return outcome

    def _correct(self, row: int, column: Column, note: InputWarning) -> None:
        there, read_as = (_told(column, str(note.values[name])) for name in ("there", "read_as"))
        self.corrections.add(
            Correction(
                place=self.place_of(row, column.key),
                there=there,
                read_as=read_as,
                note=replace(note, values={"there": there, "read_as": read_as}),
            )
        )

    def _doubt(self, row: int, person: Person, outcome: Outcome) -> None:
        if person.citizen_number is not None:
            for warning in warnings_of(person.citizen_number, self._lists.regions):
                self.doubts.add(Doubt(place=self.place_of(row, warning.field), warning=warning))
        if isinstance(outcome, Diploma | SkillCertificate):
            for warning in number_warnings(outcome, self._lists.number_patterns):
                self.doubts.add(Doubt(place=self.place_of(row, warning.field), warning=warning))


def _told(column: Column, text: str) -> str:
    return _masked(text) if column.content == "citizen" else text


def _masked(number: str) -> str:
    """Return a citizen number so that its owner's clerk finds it and nobody else learns it."""
    if len(number) < _MASKED_FROM:
        return number
    return f"{number[:6]}{'*' * (len(number) - 10)}{number[-4:]}"


def _written(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else "" if value is None else str(value)
