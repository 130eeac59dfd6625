"""Citizen numbers, organisation codes, account numbers, names and persons, as hypothesis draws them."""

from datetime import date
from functools import cache
from string import ascii_letters

from hypothesis import strategies as st

from creditbank.identity.account_number import RANDOM_BYTES, AccountNumber, account_number_of
from creditbank.identity.citizen_number import TEST_REGION, CitizenNumber, check_digit
from creditbank.identity.names import NAME_MAX, PersonNames
from creditbank.identity.organisation_code import ALPHABET, check_character
from creditbank.identity.person import Person
from creditbank.terms import IssuerId
from tests.strategies.choosing import maybe

PERSON_CATEGORIES = ("student", "teacher", "herder-farmer", "veteran", "member-of-society")

birthdays = st.dates(min_value=date(1900, 1, 1), max_value=date(2199, 12, 31))
regions = st.text("0123456789", min_size=6, max_size=6).filter(lambda region: region != TEST_REGION)
changdu_regions = st.sampled_from(
    ["540302", "540323", "540328", "542121", "542124", "542129", "542133", "542136"]
)


@cache
@st.composite
def citizen_numbers(
    draw: st.DrawFn,
    *,
    region: st.SearchStrategy[str] = regions,
    born_on: st.SearchStrategy[date] = birthdays,
) -> CitizenNumber:
    """Well-formed numbers; real regions unless asked otherwise."""
    order = draw(st.integers(0, 999))
    first_17 = f"{draw(region)}{draw(born_on):%Y%m%d}{order:03}"
    return CitizenNumber(text=first_17 + check_digit(first_17))


@cache
@st.composite
def issuers(draw: st.DrawFn) -> IssuerId:
    """Well-formed unified social credit codes, letters in the first two places included."""
    head = draw(st.text(ALPHABET, min_size=2, max_size=2))
    region = draw(st.text("0123456789", min_size=6, max_size=6))
    body = draw(st.text(ALPHABET, min_size=9, max_size=9))
    first_17 = head + region + body
    return IssuerId(first_17 + check_character(first_17))


@cache
def account_numbers() -> st.SearchStrategy[AccountNumber]:
    """Account numbers as they are given out."""
    return st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES).map(account_number_of)


chinese_parts = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=4)
tibetan_syllables = st.text(
    st.characters(min_codepoint=0x0F40, max_codepoint=0x0F6C, exclude_characters="\u0f48"),
    min_size=1,
    max_size=4,
)
romanised_parts = st.text(ascii_letters, min_size=1, max_size=10)


def written(parts: st.SearchStrategy[str], separator: str) -> st.SearchStrategy[str]:
    """Names of one to four parts, written with one separator."""
    names = st.lists(parts, min_size=1, max_size=4).map(separator.join)
    return names.filter(lambda name: len(name) <= NAME_MAX)


chinese_names = written(chinese_parts, "·")
tibetan_names = written(tibetan_syllables, "\u0f0b")
romanised_names = written(romanised_parts, " ")
_scripts = st.sets(st.sampled_from(["chinese", "tibetan", "romanised"]), min_size=1)
_phones = st.from_regex(r"\A(\+86)?1[3-9][0-9]{9}\Z")
_categories = st.sampled_from(PERSON_CATEGORIES)


@cache
@st.composite
def person_names(draw: st.DrawFn) -> PersonNames:
    """Names in one, two or all three scripts."""
    present = draw(_scripts)
    return PersonNames(
        chinese=draw(chinese_names) if "chinese" in present else None,
        tibetan=draw(tibetan_names) if "tibetan" in present else None,
        romanised=draw(romanised_names) if "romanised" in present else None,
    )


@cache
@st.composite
def persons(draw: st.DrawFn) -> Person:
    """Persons with any of the optional members left out."""
    return Person(
        names=draw(person_names()),
        citizen_number=draw(maybe(citizen_numbers())),
        phone=draw(maybe(_phones)),
        category=draw(maybe(_categories)),
    )
