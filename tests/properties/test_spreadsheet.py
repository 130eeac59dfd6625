"""Laws of the workbook reader: what was filled in is what is read, and what was forgiven is listed."""

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creditbank.documents.spreadsheet_cells import column_index, column_letter
from creditbank.documents.spreadsheet_columns import header_key, sheet_kinds
from creditbank.outcomes.outcome import FrameworkLevel, OutcomeKind
from tests.strategies.spreadsheet import (
    FEW,
    Stated,
    as_read,
    changed,
    filled_in,
    kinds,
    plain_workbook,
    read,
    rows_of,
    stated,
    template,
)


@st.composite
def filled(draw: st.DrawFn) -> tuple[OutcomeKind, list[Stated]]:
    kind = draw(kinds)
    return kind, draw(rows_of(kind))


# What was filled in is what is read.


@FEW
@given(filled())
def test_a_template_that_another_program_fills_in_reads_back(case: tuple[OutcomeKind, list[Stated]]) -> None:
    kind, rows = case
    reading = read(filled_in(kind, [row.cells() for row in rows]))
    assert (reading.kind, reading.errors, reading.corrections) == (kind, (), ())
    assert reading.rows == as_read(rows, first_row=3)
    assert reading.template == f"{kind} 1"


@FEW
@given(filled())
def test_a_template_that_the_bank_fills_in_reads_back(case: tuple[OutcomeKind, list[Stated]]) -> None:
    kind, rows = case
    reading = read(template(kind, [row.cells() for row in rows]))
    assert (reading.errors, reading.corrections) == ((), ())
    assert reading.rows == as_read(rows, first_row=3)


@FEW
@given(filled(), st.data())
def test_columns_may_stand_in_any_order_under_any_of_their_names_below_titles(
    case: tuple[OutcomeKind, list[Stated]], data: st.DataObject
) -> None:
    kind, rows = case
    cells = [row.cells() for row in rows]
    by_header = sheet_kinds()[kind].by_header
    needed = [
        column for column in sheet_kinds()[kind].columns if column.is_required or column.key in cells[0]
    ]
    used = {
        column.key: column for row in cells for column in sheet_kinds()[kind].columns if column.key in row
    }
    used |= {column.key: column for column in needed}
    headers = {
        key: data.draw(
            st.sampled_from([name for name in column.writings() if by_header[header_key(name)] is column])
        )
        for key, column in used.items()
    }
    headers["note"] = "备注"
    decorated = {
        key: data.draw(st.sampled_from(["{}", " {} *", "{}（必填）", "{}\n(text)"])) for key in headers
    }
    titles = data.draw(st.lists(st.sampled_from(["昌都市某校成果登记表", "填表人：", "2025 年"]), max_size=5))
    book = plain_workbook(
        kind,
        cells,
        keys=data.draw(st.permutations(list(headers))),
        titles=titles,
        headers={key: decorated[key].format(header) for key, header in headers.items()},
    )
    reading = read(book, kind)
    assert reading.errors == ()
    assert reading.rows == as_read(rows, first_row=len(titles) + 2)
    assert [doubt.warning.values["columns"] for doubt in reading.doubts if doubt.place is None] == [
        (decorated["note"].format("备注").strip(),)
    ]


@FEW
@given(filled())
def test_a_text_file_reads_like_a_workbook(case: tuple[OutcomeKind, list[Stated]]) -> None:
    kind, rows = case
    cells = [row.cells() for row in rows]
    columns = [column for column in sheet_kinds()[kind].columns if column.is_in_template]
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow([column.zh for column in columns])
    table.writerows([[row.get(column.key) for column in columns] for row in cells])
    reading = read(text.getvalue().encode("utf-8-sig"))
    assert reading.errors == ()
    assert reading.rows == as_read(rows, first_row=2)


@given(st.integers(0, 20_000))
def test_column_letters_name_one_column_each(column: int) -> None:
    assert column_index(column_letter(column)) == column


# What is forgiven, and listed.


@given(
    stated("skill-certificate"),
    st.sampled_from(
        ["%Y.%m.%d", "%Y/%m/%d", "%Y年%m月%d日", "%Y%m%d", "%Y/%m/%d 0:00:00", " %Y - %m - %d ", "%Y．%m．%d"]
    ),
)
def test_a_day_is_read_in_every_order_that_means_one_day(row: Stated, form: str) -> None:
    written = row.outcome.awarded_on.strftime(form)
    reading = read(plain_workbook("skill-certificate", [{**row.cells(), "awarded_on": written}]))
    assert reading.rows == as_read([row], first_row=2)
    assert [(found.place.header, found.read_as) for found in reading.corrections] == [
        ("发证日期", row.outcome.awarded_on.isoformat())
    ]


@FEW
@given(stated("training"), st.dates(date(1950, 1, 1), date(2190, 1, 1)))
def test_a_day_that_excel_counts_is_read_without_its_format(row: Stated, day: date) -> None:
    serial = (day - date(1899, 12, 30)).days
    reading = read(plain_workbook("training", [{**row.cells(), "started_on": None, "awarded_on": serial}]))
    assert [found.outcome.awarded_on for found in reading.rows] == [day]
    assert [found.read_as for found in reading.corrections] == [day.isoformat()]


@FEW
@given(stated("course-credit").filter(lambda row: row.person.citizen_number is not None))
def test_full_width_is_read_and_listed_without_telling_the_citizen_number(row: Stated) -> None:
    assert row.person.citizen_number is not None
    typed = row.person.citizen_number.text
    wide = "".join(chr(ord(character) + 0xFEE0) for character in typed)
    cells = {**row.cells(), "citizen_number": f"　{wide} ", "credits": "１６ 学分"}
    reading = read(plain_workbook("course-credit", [cells]))
    assert [found.person for found in reading.rows] == [row.person]
    assert [found.outcome for found in reading.rows] == [changed(row.outcome, credits=Decimal(16))]
    assert {found.place.header for found in reading.corrections} == {"身份证号", "学分"}
    assert typed not in str(reading.corrections)
    assert wide not in str(reading.corrections)


@pytest.mark.parametrize(
    ("key", "there", "read_as"),
    [
        ("level", "高级 ", "高级"),
        ("level", "五级", "初级工"),
        ("level", 3, "高级工"),
        ("title", "家庭农场\r\n畜禽养殖\u200b", "家庭农场 畜禽养殖"),
        ("number", "'DEMO-1", "DEMO-1"),
        ("number", 20240001, "20240001"),
        ("score", "1,085.5分", "1085.5"),
        ("awarded_on", 20240620, "2024-06-20"),
    ],
)
@given(row=stated("skill-certificate"))
@settings(max_examples=3)
def test_what_was_read_in_place_of_what_is_there_is_listed(
    row: Stated, key: str, there: str, read_as: str
) -> None:
    reading = read(plain_workbook("skill-certificate", [{**row.cells(), "valid_until": None, key: there}]))
    assert (reading.errors, len(reading.rows)) == ((), 1)
    listed = [(found.place.header, found.read_as) for found in reading.corrections]
    assert listed in ([], [(sheet_kinds()["skill-certificate"].column(key).zh, read_as)])
    value = getattr(reading.rows[0].outcome, key)
    written = value.level if isinstance(value, FrameworkLevel) else str(value)
    assert written == read_as


@FEW
@given(stated("course-credit"), st.sampled_from(["优秀", "合格", "A-"]))
def test_a_grade_in_the_column_of_scores_is_read_as_a_grade(row: Stated, grade: str) -> None:
    cells = {**row.cells(), "score": grade, "grade": None}
    reading = read(plain_workbook("course-credit", [cells]))
    assert [found.outcome for found in reading.rows] == [changed(row.outcome, score=None, grade=grade)]
    assert [found.note.code for found in reading.corrections] == ["read-as-grade"]


@FEW
@given(stated("skill-certificate"), st.dates(date(2160, 1, 1), date(2199, 12, 30)))
def test_a_certificate_holds_on_the_last_day_that_it_names(row: Stated, day: date) -> None:
    until = read(plain_workbook("skill-certificate", [{**row.cells(), "valid_until": day}]))
    ends = read(
        plain_workbook("skill-certificate", [{**row.cells(), "valid_until": None, "expires_on": day}])
    )
    assert [found.outcome for found in until.rows] == [
        changed(row.outcome, expires_on=day + timedelta(days=1))
    ]
    assert [found.outcome for found in ends.rows] == [changed(row.outcome, expires_on=day)]


@FEW
@given(stated("skill-certificate"), st.sampled_from(["长期", "长期有效", "终身"]))
def test_a_certificate_without_end_may_say_so(row: Stated, word: str) -> None:
    reading = read(plain_workbook("skill-certificate", [{**row.cells(), "valid_until": word}]))
    assert [found.outcome for found in reading.rows] == [changed(row.outcome, expires_on=None)]
