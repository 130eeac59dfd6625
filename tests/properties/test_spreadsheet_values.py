"""Laws of single cells: whatever stands there is read or refused, and what is read means one thing."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.documents.spreadsheet_cells import Cell
from creditbank.documents.spreadsheet_values import (
    SHOWN_MAX,
    CellInvalid,
    code,
    count,
    day,
    expiry,
    figure,
    shown,
    term,
    title,
)
from creditbank.documents.spreadsheet_xml import shows_day, unescaped
from tests.strategies.spreadsheet import LISTS

LEVELS = [LISTS.vocabularies[name] for name in ("certificate-level", "skill-level")]
READERS: list[Callable[[Cell], object]] = [
    title,
    code,
    figure,
    count,
    day,
    expiry,
    lambda cell: term(cell, LEVELS, on=date(2024, 1, 1)),
]
numbers = st.from_regex(r"-?[0-9]{1,20}(\.[0-9]{1,10})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)
pieces = st.sampled_from(
    ["2024", "年", "6", "月", "日", "-", "/", ".", ",", "E+17", "％", "０", " ", "\u200b", "分", "'"]
)
texts = st.text(max_size=80) | st.lists(pieces, max_size=8).map("".join)
cells = st.one_of(
    st.builds(Cell, st.just("text"), texts),
    st.builds(Cell, st.just("number"), numbers, st.booleans(), st.sampled_from([0, 1462])),
    st.sampled_from([Cell("fault", "#N/A"), Cell("unsaved", "")]),
)
days = st.dates(date(1900, 3, 1), date(2199, 12, 31))


@given(st.sampled_from(READERS), cells)
def test_every_cell_is_read_or_refused(reader: Callable[[Cell], object], cell: Cell) -> None:
    with suppress(CellInvalid):
        reader(cell)


@given(cells)
def test_what_is_shown_of_a_cell_is_one_short_line(cell: Cell) -> None:
    assert len(shown(cell)) <= SHOWN_MAX
    assert len(shown(cell).splitlines()) <= 1


@given(st.sampled_from([title, code]), cells)
def test_text_is_trimmed_and_on_one_line(reader: Callable[[Cell], tuple[str, object]], cell: Cell) -> None:
    try:
        text, note = reader(cell)
    except CellInvalid:
        return
    assert text == text.strip()
    assert not any(character.isspace() and character != " " for character in text)
    assert (note is None) is (cell.form == "text" and text == cell.text)


@given(days, st.sampled_from(["%Y-%m-%d", "%Y.%m.%d", "%Y/%m/%d", "%Y年%m月%d日", "%Y%m%d"]))
def test_a_day_in_words_is_the_day_that_was_written(written: date, form: str) -> None:
    found, _ = day(Cell("text", written.strftime(form)))
    assert found == written


@given(st.dates(date(1950, 1, 1), date(2199, 12, 31)), st.sampled_from([0, 1462]))
def test_a_day_that_excel_shows_is_the_day_that_it_shows(shown_day: date, days_late: int) -> None:
    serial = (shown_day - date(1899, 12, 30)).days - days_late
    assert day(Cell("number", str(serial), shows_date=True, days_late=days_late)) == (shown_day, None)


@given(st.integers(1900, 2099), st.booleans())
def test_a_year_alone_is_never_taken_for_a_day_of_1905(year: int, shows_date: bool) -> None:  # noqa: FBT001
    with pytest.raises(CellInvalid) as refused:
        day(Cell("number", str(year), shows_date=shows_date))
    assert refused.value.reason in {"cell-date-incomplete", "cell-not-a-date"}


def test_the_day_that_excel_invented_is_no_day() -> None:
    with pytest.raises(CellInvalid) as refused:
        day(Cell("number", "60", shows_date=True))
    assert refused.value.reason == "cell-date-impossible"
    assert day(Cell("number", "59", shows_date=True))[0] == date(1900, 2, 28)
    assert day(Cell("number", "61", shows_date=True))[0] == date(1900, 3, 1)


@given(st.decimals(0, 100_000, places=2))
def test_a_decimal_comes_through_binary_fractions_unharmed(number: Decimal) -> None:
    assert figure(Cell("number", repr(float(number))))[0] == number
    assert figure(Cell("number", f"{float(number):.17g}"))[0] == number
    assert figure(Cell("text", f"{number:,}"))[0] == number


@pytest.mark.parametrize(
    ("format_code", "is_day"),
    [
        ("General", False),
        ("G/通用格式", False),
        ("0.00", False),
        ("@", False),
        ("0.00E+00", False),
        ('"day" 0', False),
        ("[Red]0", False),
        ("h:mm:ss", False),
        ("[h]:mm", False),
        ("yyyy-mm-dd", True),
        ('yyyy"年"m"月"d"日"', True),
        ("[$-404]e/m/d", True),
        ("d-mmm-yy", True),
        ("m/d/yyyy h:mm", True),
    ],
)
def test_formats_that_show_a_day_are_known(format_code: str, is_day: bool) -> None:  # noqa: FBT001
    assert shows_day(format_code) is is_day


def test_escapes_of_the_format_are_undone_and_no_others() -> None:
    assert unescaped("a_x000D_b") == "a\rb"
    assert unescaped("_x005F_x000D_") == "_x000D_"
    assert unescaped("a_b_x_c") == "a_b_x_c"
