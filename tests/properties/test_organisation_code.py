"""Laws of unified social credit codes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from creditbank.errors import InvalidInput
from creditbank.identity.organisation_code import (
    ALPHABET,
    LENGTH,
    OrganisationCodeInvalid,
    check_character,
    parse_organisation_code,
)
from creditbank.terms import IssuerId
from tests.strategies.identity import issuers


def reason_of(text: str) -> str | None:
    try:
        parse_organisation_code(text)
    except OrganisationCodeInvalid as invalid:
        return invalid.reason
    return None


@given(issuers())
def test_a_code_is_read_however_it_is_typed(issuer: IssuerId) -> None:
    full_width = "".join(chr(ord(character) + 0xFEE0) for character in issuer)
    spaced = f" {issuer[:2]} {issuer[2:8]}-{issuer[8:]}\u3000"
    for typed in (issuer, issuer.lower(), full_width, spaced):
        assert parse_organisation_code(typed) == issuer


@given(issuers())
def test_every_single_character_error_is_caught(issuer: IssuerId) -> None:
    for position in range(LENGTH):
        for character in ALPHABET:
            typed = issuer[:position] + character + issuer[position + 1 :]
            assert (reason_of(typed) is None) == (character == issuer[position])


@given(issuers())
def test_every_transposition_of_neighbours_is_caught(issuer: IssuerId) -> None:
    for position in range(LENGTH - 1):
        here, there = issuer[position], issuer[position + 1]
        typed = issuer[:position] + there + here + issuer[position + 2 :]
        assert (reason_of(typed) is None) == (here == there)


@given(issuers())
def test_the_check_character_is_the_one_that_others_compute(issuer: IssuerId) -> None:
    assert check_character(issuer[:-1]) == uscc.calc_check_digit(issuer[:-1])
    assert uscc.is_valid(issuer) == issuer[:2].isdigit()


@given(st.text(max_size=25) | st.text(ALPHABET + "IOSVZ", min_size=17, max_size=19))
def test_whatever_is_typed_is_a_code_or_invalid_input(text: str) -> None:
    try:
        issuer = parse_organisation_code(text)
    except InvalidInput:
        return
    assert len(issuer) == LENGTH


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("91110000600037341L", None),
        ("", "organisation-code-length"),
        ("91110000600037341", "organisation-code-length"),
        ("91110000600O37341L", "organisation-code-characters"),
        ("9111A000600037341L", "organisation-code-characters"),
        ("91110000600037341M", "organisation-code-check"),
    ],
)
def test_each_refusal_has_its_reason(text: str, reason: str | None) -> None:
    assert reason_of(text) == reason
