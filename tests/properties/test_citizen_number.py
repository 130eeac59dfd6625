"""Laws of citizen numbers: what is mistyped is caught, what is only odd is let through."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from creditbank.errors import InvalidInput
from creditbank.identity.citizen_number import (
    LENGTH,
    TEST_REGION,
    CitizenNumber,
    CitizenNumberInvalid,
    check_digit,
    parse_citizen_number,
)
from creditbank.identity.regions import RegionTable, warnings_of
from creditbank.vocabularies.library import Vocabularies
from tests.strategies.identity import changdu_regions, citizen_numbers

REGIONS: RegionTable = Vocabularies.load().regions


def reason_of(text: str) -> str | None:
    try:
        parse_citizen_number(text)
    except CitizenNumberInvalid as invalid:
        return invalid.reason
    return None


def number_of(region: str, born_on: str, order: str = "001") -> CitizenNumber:
    first_17 = region + born_on + order
    return CitizenNumber(text=first_17 + check_digit(first_17))


@given(citizen_numbers())
def test_every_single_character_error_is_caught(number: CitizenNumber) -> None:
    for position in range(LENGTH):
        for character in "0123456789X":
            typed = number.text[:position] + character + number.text[position + 1 :]
            assert (reason_of(typed) is None) == (character == number.text[position])


@given(citizen_numbers())
def test_every_transposition_of_neighbours_is_caught(number: CitizenNumber) -> None:
    for position in range(LENGTH - 1):
        here, there = number.text[position], number.text[position + 1]
        typed = number.text[:position] + there + here + number.text[position + 2 :]
        assert (reason_of(typed) is None) == (here == there)


@given(citizen_numbers(), st.sampled_from(["{}", " {}\n", "\u3000{}"]))
def test_a_number_is_read_however_it_is_typed(number: CitizenNumber, around: str) -> None:
    full_width = "".join(chr(ord(character) + 0xFEE0) for character in number.text)
    for typed in (number.text, number.text.lower(), full_width, full_width.lower()):
        assert parse_citizen_number(around.format(typed)) == number


@given(citizen_numbers())
def test_what_is_written_in_the_number_is_read_from_it(number: CitizenNumber) -> None:
    assert number.text.startswith(f"{number.region}{number.born_on:%Y%m%d}")
    assert check_digit(number.text[:-1]) == number.text[-1] == ric.calc_check_digit(number.text)


@given(st.text(max_size=25) | st.text("0123456789Xx ０Ｘ", min_size=16, max_size=20))
def test_whatever_is_typed_is_a_number_or_invalid_input(text: str) -> None:
    try:
        number = parse_citizen_number(text)
    except InvalidInput:
        return
    assert len(number.text) == LENGTH


@given(citizen_numbers())
def test_the_number_never_reaches_a_log(number: CitizenNumber) -> None:
    assert number.text not in repr(number)
    assert number.text not in str(number)
    mistyped = number.text[:-1] + ("0" if number.text[-1] != "0" else "1")
    for text in (
        mistyped,
        number.text[:-1] + "?",
        number.text + "1",
        number.text[:12] + "99" + number.text[14:],
    ):
        with pytest.raises(CitizenNumberInvalid) as caught:
            parse_citizen_number(text)
        assert number.text[6:14] not in str(caught.value)
        assert set(caught.value.values) <= {"position", "length", "wanted"}


@given(citizen_numbers(region=st.just(TEST_REGION)))
def test_a_test_number_is_refused_unless_allowed(number: CitizenNumber) -> None:
    assert reason_of(number.text) == "citizen-number-test"
    assert parse_citizen_number(number.text, allow_test_numbers=True) == number
    assert warnings_of(number, REGIONS) == ()


@given(citizen_numbers(region=changdu_regions))
def test_changdu_numbers_old_and_new_are_accepted_whatever_the_year_of_birth(number: CitizenNumber) -> None:
    assert parse_citizen_number(number.text) == number
    assert {warning.code for warning in warnings_of(number, REGIONS)} <= {"citizen-region-not-in-force"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "citizen-number-length"),
        ("5403021990010100", "citizen-number-length"),
        ("542121199001010", "citizen-number-length"),
        ("54212119900101X015", "citizen-number-characters"),
        ("٥٤٢١٢١١٩٩٠٠١٠١٠٠١٥", "citizen-number-characters"),
        ("542121199002300015", "citizen-number-date"),
        ("542121190002290015", "citizen-number-date"),
        ("542121000001010015", "citizen-number-date"),
        ("540302200001010011", "citizen-number-check"),
    ],
)
def test_each_refusal_has_its_reason(text: str, reason: str) -> None:
    assert reason_of(text) == reason


@pytest.mark.parametrize(
    ("region", "born_on", "codes"),
    [
        ("540323", "20160101", []),
        ("542124", "19850101", []),
        ("542124", "20140101", []),
        ("542136", "19900101", []),
        ("542130", "19800101", []),
        ("540323", "20050101", ["citizen-region-not-in-force"]),
        ("542124", "20160101", ["citizen-region-not-in-force"]),
        ("542136", "20000101", ["citizen-region-not-in-force"]),
        ("542136", "19820101", ["citizen-region-not-in-force"]),
        ("540399", "20160101", ["citizen-region-unknown"]),
        ("542199", "19850101", ["citizen-region-unknown"]),
        ("110105", "19850101", []),
    ],
)
def test_an_odd_region_is_a_warning_and_never_a_refusal(region: str, born_on: str, codes: list[str]) -> None:
    number = number_of(region, born_on)
    assert parse_citizen_number(number.text) == number
    assert [warning.code for warning in warnings_of(number, REGIONS)] == codes


def test_a_leap_day_is_a_birthday_in_leap_years_only() -> None:
    assert number_of("542121", "20000229").born_on == date(2000, 2, 29)
    assert reason_of("542121190002290019") == "citizen-number-date"
