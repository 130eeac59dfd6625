"""Laws of account numbers."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.errors import InvalidInput
from creditbank.identity.account_number import (
    ALPHABET,
    LENGTH,
    RANDOM_BYTES,
    AccountNumber,
    AccountNumberInvalid,
    account_number_of,
    account_of,
    parse_account_number,
)
from creditbank.terms import SubjectId
from tests.strategies.identity import account_numbers


def reason_of(text: str) -> str | None:
    try:
        parse_account_number(text)
    except AccountNumberInvalid as invalid:
        return invalid.reason
    return None


@given(account_numbers())
def test_a_number_is_read_as_it_is_shown(number: AccountNumber) -> None:
    assert parse_account_number(str(number)) == number
    assert [len(group) for group in str(number).split("-")] == [4, 4, 4, 4]


@given(account_numbers(), st.sampled_from("Oo"), st.sampled_from("IiLl"))
def test_a_number_is_read_however_it_is_typed(number: AccountNumber, zero: str, one: str) -> None:
    confused = number.text.replace("0", zero).replace("1", one)
    full_width = "".join(chr(ord(character) + 0xFEE0) for character in number.text)
    for typed in (number.text.lower(), confused, full_width, " ".join(number.text), f"\t{number} "):
        assert parse_account_number(typed) == number


@given(account_numbers())
def test_every_single_character_error_is_caught(number: AccountNumber) -> None:
    for position in range(LENGTH):
        for character in ALPHABET:
            typed = number.text[:position] + character + number.text[position + 1 :]
            assert (reason_of(typed) is None) == (character == number.text[position])


def test_of_exchanged_neighbours_ninety_eight_in_a_hundred_are_caught() -> None:
    drawn = [sha256(seed.to_bytes(2)).digest()[:RANDOM_BYTES] for seed in range(400)]
    caught = [
        reason_of(text[:at] + text[at + 1] + text[at] + text[at + 2 :]) is not None
        for text in (account_number_of(random).text for random in drawn)
        for at in range(LENGTH - 1)
        if text[at] != text[at + 1]
    ]
    assert sum(caught) >= 0.98 * len(caught)


@given(account_numbers())
def test_a_number_and_its_subject_name_one_account(number: AccountNumber) -> None:
    assert number.subject == f"account:{number.text}"
    assert account_of(number.subject) == number


@pytest.mark.parametrize("subject", ["institution:91110000600037341L", "authority:changdu", "account"])
def test_subjects_that_are_no_accounts_name_none(subject: str) -> None:
    with pytest.raises(AccountNumberInvalid, match="account-number-subject"):
        account_of(SubjectId(subject))


@given(st.text(max_size=25) | st.text(ALPHABET, min_size=15, max_size=17))
def test_whatever_is_typed_is_a_number_or_invalid_input(text: str) -> None:
    try:
        number = parse_account_number(text)
    except InvalidInput:
        return
    assert len(number.text) == LENGTH


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "account-number-length"),
        ("7F3K-2M9X-QWER", "account-number-length"),
        ("7F3K-2M9X-QWE!-AB12", "account-number-characters"),
        ("7F3K-2M9X-QWEU-AB12", "account-number-characters"),
        ("0000-0000-0000-0000", "account-number-check"),
    ],
)
def test_each_refusal_has_its_reason(text: str, reason: str) -> None:
    assert reason_of(text) == reason
