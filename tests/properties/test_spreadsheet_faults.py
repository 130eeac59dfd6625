"""Laws of the workbook reader: everything that is wrong is named, where it is, and nothing else."""

import ast
from datetime import date
from inspect import signature
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from creditbank import outcomes
from creditbank.documents.spreadsheet import BadCell, Limits, read_workbook
from creditbank.documents.spreadsheet_columns import sheet_kinds
from creditbank.documents.spreadsheet_faults import TOGETHER, outcome_or_faults
from creditbank.documents.spreadsheet_template import CellValue
from creditbank.identity.citizen_number import CitizenNumber, check_digit
from creditbank.identity.names import PersonNames
from creditbank.outcomes import OUTCOME_TYPES
from creditbank.outcomes.outcome import OUTCOME_KINDS, OutcomeInvalid, OutcomeKind
from creditbank.terms import IssuerId
from tests.strategies.identity import citizen_numbers
from tests.strategies.spreadsheet import (
    ACCOUNT,
    CERTIFICATE,
    CLEAN,
    FEW,
    ISSUER,
    LISTS,
    Cells,
    Stated,
    as_read,
    kinds,
    plain_workbook,
    read,
    rows_of,
    stated,
)


def place(bad: BadCell) -> tuple[int, str, str]:
    return bad.place.row, bad.place.header, bad.code


FAULTS: list[tuple[str, CellValue, str]] = [
    ("number", None, "cell-missing"),
    ("number", 540323200501011234, "cell-number-rounded"),
    ("number", "5.40323E+17", "cell-number-rounded"),
    ("standard", 1.1, "cell-decimal-in-code"),
    ("standard", date(2024, 1, 2), "cell-turned-into-date"),
    ("title", date(2024, 1, 2), "cell-turned-into-date"),
    ("level", "特级", "cell-not-a-term"),
    ("awarded_on", None, "cell-missing"),
    ("awarded_on", "2024-02-30", "cell-date-impossible"),
    ("awarded_on", 20240230, "cell-date-impossible"),
    ("awarded_on", "06/07/24", "cell-not-a-date"),
    ("awarded_on", "2024-06/07", "cell-not-a-date"),
    ("awarded_on", "去年", "cell-not-a-date"),
    ("awarded_on", 120000, "cell-not-a-date"),
    ("awarded_on", -1, "cell-not-a-date"),
    ("awarded_on", "2024年6月", "cell-date-incomplete"),
    ("awarded_on", 202406, "cell-date-incomplete"),
    ("awarded_on", 2024, "cell-date-incomplete"),
    ("score", "八十五分", "cell-not-a-number"),
    ("score", "1,2", "cell-not-a-number"),
    ("score", "nan", "cell-not-a-number"),
    ("score", "99999", "number-out-of-range"),
    ("score", "1.234", "number-too-precise"),
    ("awarded_on", "1800-01-01", "date-out-of-range"),
    ("title", "长" * 201, "text-too-long"),
    ("standard", "X" * 65, "text-too-long"),
    ("name", "123", "name-script"),
    ("tibetan_name", "Tashi", "name-script"),
    ("romanised_name", "扎西", "name-script"),
    ("category", "其他人", "cell-not-a-term"),
]


@st.composite
def faulty(draw: st.DrawFn) -> tuple[list[Cells], list[tuple[int, str, str]]]:
    """Draw rows with known faults, at most one to a cell, and where they are."""
    rows = draw(rows_of("skill-certificate", min_size=2, max_size=5))
    planted: list[tuple[int, str, str]] = []
    cells: list[Cells] = []
    for number, row in enumerate(rows, start=2):
        faults = draw(st.lists(st.sampled_from(FAULTS), max_size=6, unique_by=lambda fault: fault[0]))
        cells.append({**row.cells(), **{key: value for key, value, _ in faults}})
        planted += [
            (number, sheet_kinds()["skill-certificate"].column(key).zh, code) for key, _, code in faults
        ]
    return cells, planted


@FEW
@given(faulty())
def test_every_bad_cell_is_named_and_no_other(case: tuple[list[Cells], list[tuple[int, str, str]]]) -> None:
    cells, planted = case
    reading = read(plain_workbook("skill-certificate", cells))
    assert sorted(map(place, reading.errors)) == sorted(planted)
    assert reading.error_count == len(planted)
    wrong = {row for row, _, _ in planted}
    assert [row.row for row in reading.rows] == [row for row in range(2, len(cells) + 2) if row not in wrong]


@FEW
@given(
    stated("diploma"),
    st.integers(10**15, 10**21),
    st.sampled_from(["number", "citizen_number", "major_code"]),
)
def test_a_number_that_excel_has_rounded_is_never_read(row: Stated, number: int, key: str) -> None:
    cells = {**row.cells(), "account": None, key: number}
    if key != "citizen_number":
        cells["citizen_number"] = "110101199003070812" if row.account else cells["citizen_number"]
    reading = read(plain_workbook("diploma", [cells]))
    assert reading.rows == ()
    assert "cell-number-rounded" in [bad.code for bad in reading.errors]


@FEW
@given(citizen_numbers())
def test_a_citizen_number_whose_last_digits_excel_lost_is_refused_for_that(number: CitizenNumber) -> None:
    rounded = number.text[:15] + "000"
    assume(check_digit(rounded[:17]) != "0")
    cells = {**CLEAN.cells(), "citizen_number": rounded}
    reading = read(plain_workbook("training", [cells]))
    assert [bad.code for bad in reading.errors] == ["cell-number-rounded"]
    assert rounded[:15] not in str(reading.errors[0])


@FEW
@given(citizen_numbers().filter(lambda number: not number.text.endswith("000")), st.integers(0, 9))
def test_no_message_tells_a_wrong_citizen_number(number: CitizenNumber, digit: int) -> None:
    wrong = f"{number.text[:-1]}{digit}"
    assume(wrong != number.text)
    assume(not wrong.endswith("000"))
    reading = read(plain_workbook("training", [{**CLEAN.cells(), "citizen_number": wrong}]))
    assert [bad.code for bad in reading.errors] == ["citizen-number-check"]
    assert wrong[6:14] not in f"{reading.errors} {reading.errors[0].error}"


def test_a_row_names_its_learner_by_one_number_and_some_name() -> None:
    cells = CLEAN.cells()
    both = read(plain_workbook("training", [{**cells, "account": str(ACCOUNT)}]))
    neither = read(plain_workbook("training", [{**cells, "citizen_number": None, "account": None}]))
    nameless = read(plain_workbook("training", [{**cells, "name": None}]))
    assert [place(bad) for bad in both.errors] == [(2, "学习账号", "cell-two-numbers")]
    assert [place(bad) for bad in neither.errors] == [(2, "身份证号", "cell-learner-missing")]
    assert [place(bad) for bad in nameless.errors] == [(2, "姓名", "name-missing")]


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("བཀྲ་ཤིས།", PersonNames(tibetan="བཀྲ་ཤིས།")),
        ("Tashi Tsering", PersonNames(romanised="Tashi Tsering")),
        ("扎西·次仁", PersonNames(chinese="扎西·次仁")),
    ],
)
def test_the_first_column_of_names_takes_every_script(name: str, names: PersonNames) -> None:
    reading = read(plain_workbook("training", [{**CLEAN.cells(), "name": name}]))
    assert [row.person.names for row in reading.rows] == [names]


@pytest.mark.parametrize("key", ["tibetan_name", "romanised_name"])
def test_no_name_is_put_in_the_place_of_another(key: str) -> None:
    given = {"tibetan_name": "བཀྲ་ཤིས།", "romanised_name": "Tashi"}
    cells = {**CLEAN.cells(), **given, "name": given[key] * 2}
    reading = read(plain_workbook("training", [cells]))
    assert [place(bad) for bad in reading.errors] == [(2, "姓名", "name-script")]


def test_test_numbers_are_read_only_where_they_are_allowed() -> None:
    book = plain_workbook("training", [{**CLEAN.cells(), "citizen_number": "999999200001010011"}])
    assert [bad.code for bad in read(book).errors] == ["citizen-number-test"]
    allowed = read_workbook(book, LISTS, issuer=ISSUER, allow_test_numbers=True)
    assert (allowed.errors, len(allowed.rows)) == ((), 1)


@FEW
@given(kinds.flatmap(lambda kind: st.tuples(st.just(kind), rows_of(kind, max_size=3))), st.data())
def test_a_row_that_repeats_another_is_named(
    case: tuple[OutcomeKind, list[Stated]], data: st.DataObject
) -> None:
    kind, rows = case
    at = data.draw(st.integers(0, len(rows) - 1))
    reading = read(plain_workbook(kind, [*(row.cells() for row in rows), rows[at].cells()]))
    assert reading.rows == as_read(rows, first_row=2)
    assert [(bad.place.row, bad.code, bad.error.values["first_row"]) for bad in reading.errors] == [
        (len(rows) + 2, "cell-repeats-row", at + 2)
    ]


@FEW
@given(stated("diploma"), stated("diploma"))
def test_a_number_that_two_learners_share_is_named(one: Stated, other: Stated) -> None:
    shared = {**other.cells(), "number": one.cells()["number"]}
    reading = read(plain_workbook("diploma", [one.cells(), shared]))
    assert [place(bad) for bad in reading.errors] == [(3, "毕业证书编号", "cell-repeats-row")]


def test_the_domain_refuses_at_the_column_that_is_to_blame() -> None:
    cells = {**CERTIFICATE.cells(), "awarded_on": date(2024, 6, 20), "valid_until": date(2024, 6, 1)}
    reading = read(plain_workbook("skill-certificate", [cells]))
    assert [place(bad) for bad in reading.errors] == [(2, "有效期至", "expires-before-it-begins")]
    reading = read(plain_workbook("skill-certificate", [{**cells, "valid_until": None, "title": "长" * 201}]))
    assert [place(bad) for bad in reading.errors] == [(2, "证书名称", "text-too-long")]


def test_two_columns_of_one_meaning_must_agree() -> None:
    cells = {**CERTIFICATE.cells(), "valid_until": date(2030, 6, 1), "expires_on": date(2030, 6, 2)}
    assert read(plain_workbook("skill-certificate", [cells])).errors == ()
    disagreeing = read(plain_workbook("skill-certificate", [{**cells, "expires_on": date(2030, 6, 1)}]))
    assert [bad.code for bad in disagreeing.errors] == ["cell-contradicts"]


def test_all_errors_are_counted_and_the_first_are_told() -> None:
    rows = [{**CLEAN.cells(), "programme_code": f"P{at}", "hours": "很多"} for at in range(30)]
    reading = read(plain_workbook("training", rows), limits=Limits(findings=10))
    assert (reading.error_count, [bad.place.row for bad in reading.errors]) == (30, list(range(2, 12)))


def test_what_two_members_say_together_is_said_beside_all_else_and_only_if_both_are_read() -> None:
    cells = {**CERTIFICATE.cells(), "awarded_on": "2024-06-20", "valid_until": "2020-01-01", "score": "99999"}
    reading = read(
        plain_workbook("skill-certificate", [cells, {**cells, "number": "S-2", "awarded_on": "去年"}])
    )
    assert [(bad.place.row, bad.code) for bad in reading.errors] == [
        (2, "number-out-of-range"),
        (2, "expires-before-it-begins"),
        (3, "cell-not-a-date"),
        (3, "number-out-of-range"),
    ]


def test_what_outcomes_refuse_is_of_one_member_or_known_to_be_of_several() -> None:
    """A reason that compares members, and is not known to, would be blamed on one alone."""
    found: dict[str, set[str]] = {}
    members = {name for kind in OUTCOME_TYPES.values() for name in signature(kind).parameters}
    for path in Path(outcomes.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.If):
                continue
            compared = {getattr(one, "attr", getattr(one, "id", "")) for one in ast.walk(node.test)}
            for raised in (one.exc for one in node.body if isinstance(one, ast.Raise)):
                if isinstance(raised, ast.Call) and getattr(raised.func, "id", "") == "OutcomeInvalid":
                    assert isinstance(raised.args[0], ast.Constant), path
                    found.setdefault(str(raised.args[0].value), set()).update(compared & members)
    assert len(found) > 10
    assert {reason: both for reason, both in found.items() if len(both) > 1} == TOGETHER


@pytest.mark.parametrize("kind", OUTCOME_KINDS)
def test_a_refusal_of_no_member_is_an_error_and_no_endless_search(kind: OutcomeKind) -> None:
    with pytest.raises(OutcomeInvalid, match="text-blank in issuer"):
        outcome_or_faults(kind, {}, issuer=IssuerId(" "), unread=frozenset())
