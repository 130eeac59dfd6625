"""Write the workbook that a school fills in: one sheet of rows, its lists, and a sheet of instructions.

Everything that programs like to guess at (long numbers, codes with leading zeros) stands in columns that are
text from the start, so that nothing is lost while typing. The same bytes come out for the same input.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import BinaryIO

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from creditbank.documents.spreadsheet_cells import column_letter
from creditbank.documents.spreadsheet_columns import TEMPLATE_NAME, Column, sheet_kinds
from creditbank.documents.spreadsheet_guide import Looks, write_guide
from creditbank.identity.account_number import AccountNumber
from creditbank.identity.person import Person
from creditbank.outcomes import Outcome, kind_of
from creditbank.outcomes.outcome import FIRST_DAY, LAST_DAY, FrameworkLevel, OutcomeKind
from creditbank.outcomes.vocabulary import Vocabulary

TEMPLATE_VERSION = 1

CellValue = str | float | date | Decimal | None
"""What a cell is filled with; a text that stands in a number's or a date's place is kept as text."""

_PREPARED_ROWS = 2_000  # with formats, lists and date checks; rows below them are read all the same
_WIDTHS: Mapping[str, int] = {
    "name": 18, "citizen": 22, "account": 24, "code": 22, "title": 26, "figure": 11, "count": 11,
    "day": 14, "expiry": 14, "term": 14, "level": 20, "attributes": 30,
}  # fmt: skip
_ALWAYS_SAME = datetime(2020, 1, 1)  # noqa: DTZ001 - the file's own metadata has no time zone
_HEADER_HEIGHT = 36
_GUIDE, _LISTS = "说明 Guide", "选项 Lists"


def write_template(
    kind: OutcomeKind,
    vocabularies: Mapping[str, Vocabulary],
    stream: BinaryIO,
    *,
    on: date = LAST_DAY,
    rows: Iterable[Mapping[str, CellValue]] = (),
    further_headers: Sequence[str] = (),
) -> None:
    """Write the workbook of a kind, with the terms that are valid on that day (or without end), to `stream`.

    `rows` are filled in below the example, keyed by the columns' keys or by `further_headers`, which stand
    behind the template's own columns.
    """
    sheet_kind = sheet_kinds()[kind]
    filled = list(rows)
    used = {key for row in filled for key in row}
    columns = [column for column in sheet_kind.columns if column.is_in_template or column.key in used]
    version = f"{kind} {TEMPLATE_VERSION}"
    workbook = xlsxwriter.Workbook(stream, {"in_memory": True, "strings_to_urls": False})
    workbook.set_properties(
        {"title": f"{sheet_kind.zh} {sheet_kind.en}", "created": _ALWAYS_SAME, "comments": version}
    )
    workbook.define_name(TEMPLATE_NAME, f'="{version}"')
    looks = Looks(workbook)
    sheet = workbook.add_worksheet(sheet_kind.zh)
    guide = workbook.add_worksheet(_GUIDE)
    lists = workbook.add_worksheet(_LISTS)
    ranges = _write_lists(lists, columns, vocabularies, on=on)
    _write_headers(sheet, looks, columns, further_headers)
    _prepare_columns(sheet, looks, columns, ranges)
    keys = (*(column.key for column in columns), *further_headers)
    for number, row in enumerate([{column.key: column.example for column in columns}, *filled], start=1):
        for at, key in enumerate(keys):
            look = looks.example if number == 1 else looks.of(columns[at] if at < len(columns) else None)
            _write_cell(sheet, number, at, row.get(key), look)
    write_guide(guide, looks, sheet_kind, columns)
    lists.hide()
    sheet.activate()
    workbook.close()


def row_of(
    person: Person,
    outcome: Outcome,
    vocabularies: Mapping[str, Vocabulary],
    *,
    account: AccountNumber | None = None,
) -> Mapping[str, CellValue]:
    """Return the cells with which a template states a learner's outcome, as `write_template` takes them."""
    row: dict[str, CellValue] = {
        "name": person.names.chinese,
        "tibetan_name": person.names.tibetan,
        "romanised_name": person.names.romanised,
        "citizen_number": person.citizen_number.text if person.citizen_number and not account else None,
        "account": str(account) if account else None,
    }
    for column in sheet_kinds()[kind_of(outcome)].columns:
        if column.key not in row and (column.is_in_template or column.content == "attributes"):
            value = person.category if column.key == "category" else getattr(outcome, _member(column))
            row[column.key] = _cell_value(column, value, vocabularies, on=outcome.awarded_on)
    return {key: value for key, value in row.items() if value is not None}


def _member(column: Column) -> str:
    return "expires_on" if column.content == "expiry" else column.key


def _cell_value(
    column: Column, value: object, vocabularies: Mapping[str, Vocabulary], *, on: date
) -> CellValue:
    listed = [vocabularies[name] for name in column.vocabularies]
    match value:
        case date() if column.content == "expiry":
            return value - timedelta(days=1)
        case FrameworkLevel():
            levels = next(vocabulary for vocabulary in listed if vocabulary.framework == value.framework)
            return _name(levels, value.level, on=on)
        case str() if listed:
            return _name(listed[0], value, on=on)
        case None if column.nothing:
            return column.nothing[0]
        case tuple():
            return "; ".join(f"{name}={stated}" for name, stated in value) or None
        case None | str() | int() | date() | Decimal():
            return value
        case _:
            raise AssertionError(f"no outcome has a member of type {type(value).__name__}")


def _name(vocabulary: Vocabulary, code: str, *, on: date) -> str:
    term = vocabulary.term(code, on=on)
    return code if term is None else term.zh


def _write_headers(
    sheet: Worksheet, looks: Looks, columns: Sequence[Column], further_headers: Sequence[str]
) -> None:
    for at, column in enumerate(columns):
        mark = " *" if column.is_required else ""
        sheet.write_string(0, at, f"{column.zh}{mark}\n{column.en}", looks.header)
    for at, header in enumerate(further_headers, start=len(columns)):
        sheet.write_string(0, at, header, looks.header)
    sheet.set_row(0, _HEADER_HEIGHT)
    sheet.freeze_panes(1, 1)


def _prepare_columns(
    sheet: Worksheet, looks: Looks, columns: Sequence[Column], ranges: Mapping[str, str]
) -> None:
    for at, column in enumerate(columns):
        sheet.set_column(at, at, _WIDTHS[column.content], looks.of(column))
        validation: dict[str, object] = {"validate": "any"}
        if column.content in {"day", "expiry"}:
            validation = {
                "validate": "date",
                "criteria": "between",
                "minimum": FIRST_DAY,
                "maximum": LAST_DAY,
                "error_title": "日期有误",
                "error_message": "请填写年-月-日，例如 2024-06-20。",
            }
        elif column.key in ranges:
            validation = {
                "validate": "list",
                "source": ranges[column.key],
                "error_title": "不在列表中",
                "error_message": "请从下拉列表中选择。",
            }
        validation["input_title"] = column.zh
        validation["input_message"] = f"{column.hint_zh}\n{column.hint_en}"
        sheet.data_validation(1, at, _PREPARED_ROWS, at, validation)


def _write_lists(
    sheet: Worksheet, columns: Sequence[Column], vocabularies: Mapping[str, Vocabulary], *, on: date
) -> Mapping[str, str]:
    """Write each column's terms below its key; return where they stand, for the drop-downs."""
    ranges: dict[str, str] = {}
    for at, column in enumerate(column for column in columns if column.vocabularies):
        terms = [term.zh for name in column.vocabularies for term in vocabularies[name].terms_valid(on=on)]
        terms.extend(column.nothing[:1])
        sheet.write_column(0, at, [column.key, *terms])
        letter = column_letter(at)
        ranges[column.key] = f"='{_LISTS}'!${letter}$2:${letter}${len(terms) + 1}"
    return ranges


def _write_cell(sheet: Worksheet, row: int, at: int, value: CellValue, look: Format) -> None:
    match value:
        case None | "":
            pass
        case str():
            sheet.write_string(row, at, value, look)
        case date():
            sheet.write_datetime(row, at, value, look)
        case _:
            sheet.write_number(row, at, float(value), look)
