"""Which sheet of a workbook is read, as which kind, and which of its rows."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.documents.spreadsheet import WorkbookInvalid, read_workbook
from creditbank.documents.spreadsheet_cells import column_letter
from creditbank.documents.spreadsheet_columns import header_keys, sheet_kinds
from creditbank.outcomes.outcome import OutcomeKind
from creditbank.outcomes.vocabulary import Term
from tests.strategies.spreadsheet import (
    ACCOUNT,
    CLEAN,
    ISSUER,
    LISTS,
    Cells,
    kinds,
    plain_workbook,
    read,
    template,
)


@given(kinds)
def test_a_kind_is_known_by_its_headers(kind: OutcomeKind) -> None:
    with pytest.raises(WorkbookInvalid) as refused:
        read(template(kind))
    assert refused.value.reason == "workbook-without-rows"


@pytest.mark.parametrize("said", ["{}（必填）", "{} [文本]", "{}\n(text)", "{} *"])
def test_what_is_said_of_a_column_in_brackets_hides_no_name(said: str) -> None:
    """Names that have brackets of their own among them."""
    for kind in sheet_kinds().values():
        for key, column in kind.by_header.items():
            found = next(form for form in header_keys(said.format(key)) if form in kind.by_header)
            assert kind.by_header[found] is column


@given(kinds, st.data())
def test_a_required_column_that_is_missing_is_named(kind: OutcomeKind, data: st.DataObject) -> None:
    columns = [column for column in sheet_kinds()[kind].columns if column.is_in_template]
    missing = data.draw(st.sampled_from([column for column in columns if column.is_required]))
    keys = [column.key for column in columns if column is not missing]
    with pytest.raises(WorkbookInvalid) as refused:
        read(plain_workbook(kind, [], keys=keys), kind)
    assert (refused.value.reason, refused.value.values["columns"]) == (
        "workbook-columns-missing",
        (missing.zh,),
    )


def test_a_column_that_stands_twice_is_named() -> None:
    keys = [*CLEAN.cells(), "again"]
    with pytest.raises(WorkbookInvalid) as refused:
        read(plain_workbook("training", [CLEAN.cells()], keys=keys, headers={"again": "学员姓名"}))
    assert refused.value.reason == "workbook-columns-repeated"
    assert refused.value.values["columns"] == (f"{column_letter(len(keys) - 1)} 学员姓名",)


def test_another_kind_than_the_one_asked_for_is_refused() -> None:
    with pytest.raises(WorkbookInvalid) as refused:
        read(plain_workbook("training", [CLEAN.cells()]), "diploma")
    assert (refused.value.reason, refused.value.values) == (
        "workbook-kind-differs",
        {"wanted": "学历证书", "found": "培训学时"},
    )


def test_rows_without_anything_in_a_known_column_are_left_out() -> None:
    keys = ["序号", *CLEAN.cells()]
    rows: list[Cells] = [{"序号": 1, **CLEAN.cells()}, {"序号": 2}, {"序号": 3, "name": "  "}]
    reading = read(plain_workbook("training", rows, keys=keys))
    assert (reading.errors, [row.row for row in reading.rows]) == ((), [2])


def test_the_example_is_left_out_and_said() -> None:
    reading = read(template("training", [CLEAN.cells()]))
    said = [doubt.warning for doubt in reading.doubts if doubt.place is None]
    assert [(warning.code, warning.values) for warning in said] == [("example-row-left-out", {"rows": (2,)})]
    assert [row.row for row in reading.rows] == [3]


def test_a_second_line_of_headers_is_no_row() -> None:
    columns = sheet_kinds()["training"]
    english = {key: columns.column(key).en for key in CLEAN.cells()}
    reading = read(plain_workbook("training", [english, CLEAN.cells()]))
    assert (reading.errors, [row.row for row in reading.rows]) == ((), [3])


def test_progress_counts_every_row_once() -> None:
    rows = [{**CLEAN.cells(), "programme_code": f"P{at}"} for at in range(1_234)]
    steps: list[int] = []
    reading = read_workbook(plain_workbook("training", rows), LISTS, issuer=ISSUER, on_progress=steps.append)
    assert (len(reading.rows), sum(steps), max(steps)) == (1_234, 1_234, 500)


@pytest.mark.parametrize(
    "header",
    ["CITIZEN NUMBER", "citizen  Number:", "ＣＩＴＩＺＥＮ　ＮＵＭＢＥＲ", "身 份 证 号", "＊身份证号＊"],
)
def test_width_case_and_spaces_of_headers_do_not_matter(header: str) -> None:
    reading = read(plain_workbook("training", [CLEAN.cells()], headers={"citizen_number": header}))
    assert [row.outcome for row in reading.rows] == [CLEAN.outcome]


def test_two_learners_may_have_done_the_same() -> None:
    another = {**CLEAN.cells(), "citizen_number": None, "account": str(ACCOUNT)}
    reading = read(plain_workbook("training", [CLEAN.cells(), another]))
    assert (reading.errors, [row.row for row in reading.rows]) == ((), [2, 3])


def test_terms_are_those_of_the_day_of_the_award() -> None:
    shipped = LISTS.vocabularies["person-category"]
    terms = (
        Term(code="before", zh="学员", en="Before", valid_to=date(2024, 1, 1)),
        Term(code="since", zh="学员", en="Since", valid_from=date(2024, 1, 1)),
    )
    vocabularies = {**LISTS.vocabularies, "person-category": replace(shipped, terms=terms)}
    lists = replace(LISTS, vocabularies=vocabularies)
    days = [date(2023, 12, 31), date(2024, 1, 1)]
    rows = [{**CLEAN.cells(), "category": "学员", "awarded_on": day} for day in days]
    reading = read_workbook(plain_workbook("training", rows), lists, issuer=ISSUER)
    assert [row.person.category for row in reading.rows] == ["before", "since"]
