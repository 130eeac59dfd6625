"""Laws of the template: what programs guess at is text, and what is listed can be chosen."""

import io
from datetime import date

import openpyxl
import pytest
from hypothesis import given
from openpyxl.worksheet.worksheet import Worksheet

from creditbank.documents.spreadsheet_columns import header_key, sheet_kinds
from creditbank.documents.spreadsheet_template import write_template
from creditbank.outcomes.outcome import OUTCOME_KINDS, OutcomeKind
from tests.strategies.spreadsheet import (
    CLEAN,
    FEW,
    LISTS,
    Stated,
    kinds,
    plain_workbook,
    read,
    stated,
    template,
)

every_kind = pytest.mark.parametrize("kind", OUTCOME_KINDS)
TEXT = {"name", "citizen", "account", "code", "title"}


def sheets_of(kind: OutcomeKind) -> list[Worksheet]:
    book = openpyxl.load_workbook(io.BytesIO(template(kind)))
    return [sheet for sheet in book.worksheets if isinstance(sheet, Worksheet)]


@every_kind
def test_the_same_template_has_the_same_bytes(kind: OutcomeKind) -> None:
    assert template(kind) == template(kind)


@every_kind
def test_columns_that_programs_guess_at_are_text_to_the_last_row(kind: OutcomeKind) -> None:
    data = sheets_of(kind)[0]
    columns = [column for column in sheet_kinds()[kind].columns if column.is_in_template]
    for at, column in enumerate(columns):
        group = next(
            group
            for group in data.column_dimensions.values()
            if (group.min or 1) <= at + 1 <= (group.max or 1)
        )
        assert (group.number_format == "@") is (column.content in TEXT | {"term", "level"}), column.key
    assert data.freeze_panes == "B2"


@every_kind
def test_every_term_that_is_valid_can_be_chosen_and_is_read(kind: OutcomeKind) -> None:
    data, _, lists = sheets_of(kind)
    assert lists.sheet_state == "hidden"
    listed = {column[0].value: [cell.value for cell in column[1:] if cell.value] for column in lists.columns}
    with_lists = [column for column in sheet_kinds()[kind].columns if column.vocabularies]
    assert set(listed) == {column.key for column in with_lists}
    for column in with_lists:
        terms = [LISTS.vocabularies[name].terms_valid(on=date(2199, 12, 31)) for name in column.vocabularies]
        offered = [term.zh for some in terms for term in some]
        assert listed[column.key] == [*offered, *column.nothing[:1]]
    drop_downs = [rule for rule in data.data_validations.dataValidation if rule.type == "list"]
    assert len(drop_downs) == len(with_lists)


@every_kind
def test_the_instructions_name_every_column_in_both_languages(kind: OutcomeKind) -> None:
    guide = sheets_of(kind)[1]
    said = {str(cell.value) for row in guide.iter_rows() for cell in row if cell.value}
    for column in sheet_kinds()[kind].columns:
        if column.is_in_template:
            assert {column.zh, column.en, f"{column.hint_zh}\n{column.hint_en}"} <= said
        assert column.hint_zh
        assert column.hint_en


@every_kind
def test_the_example_would_be_read_if_it_were_someone(kind: OutcomeKind) -> None:
    columns = [column for column in sheet_kinds()[kind].columns if column.is_in_template]
    cells = {column.key: column.example for column in columns} | {
        "name": "扎西次仁",
        "citizen_number": "540302199003070027",
    }
    reading = read(plain_workbook(kind, [cells]))
    assert (reading.errors, len(reading.rows)) == ((), 1)


@every_kind
def test_every_header_of_a_kind_names_one_column(kind: OutcomeKind) -> None:
    claimed: dict[str, str] = {}
    for column in sheet_kinds()[kind].columns:
        for writing in {header_key(writing) for writing in column.writings()}:
            assert claimed.setdefault(writing, column.key) == column.key, writing


@FEW
@given(kinds.flatmap(stated))
def test_cells_that_the_template_has_no_column_for_are_never_made(row: Stated) -> None:
    assert row.cells().keys() <= {
        column.key for kind in sheet_kinds().values() for column in kind.columns if column.is_in_template
    }


def test_further_columns_stand_behind_the_templates_own() -> None:
    stream = io.BytesIO()
    write_template(
        "training",
        LISTS.vocabularies,
        stream,
        rows=[{**CLEAN.cells(), "备注": "补录"}],
        further_headers=["备注"],
    )
    reading = read(stream.getvalue())
    assert [row.outcome for row in reading.rows] == [CLEAN.outcome]
    assert ("备注",) in [doubt.warning.values.get("columns") for doubt in reading.doubts]
