"""Account numbers (个人学习账号): random, so that they say nothing about the learner, and checked.

15 characters of Crockford's base 32 and one ISO 7064 MOD 37,36 check character, shown in groups of four.
Only numbers whose check character is one of Crockford's 32 as well are given out: in the whole number a
typed O can then only mean 0, and I or L only 1. Every mistyped character is caught, and all but some 1.5 %
of neighbours exchanged.
"""

import unicodedata
from dataclasses import dataclass

from stdnum.iso7064 import mod_37_36

from creditbank.errors import InvalidInput
from creditbank.terms import SubjectId

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: without I, L, O and U."""
LENGTH = 16
RANDOM_BYTES = 10
"""How many random bytes one number is made of; 75 of their 80 bits are used."""

_BODY = 15
_GROUP = 4
_SUBJECT_PREFIX = "account:"
_LOOKALIKES = str.maketrans("OIL", "011")


class AccountNumberInvalid(InvalidInput):
    """This is not an account number."""

    code = "account-number-invalid"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class AccountNumber:
    """A well-formed account number; `text` is its 16 characters, `str()` shows them in groups of four.

    Raises:
        AccountNumberInvalid: `account-number-length`, `-characters` or `-check`.
    """

    text: str

    def __post_init__(self) -> None:
        if len(self.text) != LENGTH:
            raise AccountNumberInvalid(
                "account-number-length", field="account", length=len(self.text), wanted=LENGTH
            )
        for position, character in enumerate(self.text, start=1):
            if character not in ALPHABET:
                raise AccountNumberInvalid(
                    "account-number-characters", field="account", position=position, character=character
                )
        if _check_character(self.text[:_BODY]) != self.text[_BODY]:
            raise AccountNumberInvalid("account-number-check", field="account", value=str(self))

    def __str__(self) -> str:
        return "-".join(self.text[start : start + _GROUP] for start in range(0, LENGTH, _GROUP))

    @property
    def subject(self) -> SubjectId:
        """The subject whose chain this account's entries form."""
        return SubjectId(_SUBJECT_PREFIX + self.text)


def parse_account_number(text: str) -> AccountNumber:
    """Read a number as people type it: lower case, full width, hyphens, spaces, and O, I or L are forgiven.

    Raises:
        AccountNumberInvalid: it is not an account number.
    """
    typed = unicodedata.normalize("NFKC", text).upper()
    plain = "".join(character for character in typed if not character.isspace() and character != "-")
    return AccountNumber(text=plain.translate(_LOOKALIKES))


def account_number_of(random: bytes) -> AccountNumber:
    """Return the number that `RANDOM_BYTES` random bytes stand for."""
    assert len(random) == RANDOM_BYTES, f"a number takes {RANDOM_BYTES} random bytes"
    drawn = int.from_bytes(random) >> 5
    body = _body_of(drawn)
    while (check := _check_character(body)) not in ALPHABET:
        drawn = (drawn + 1) % 32**_BODY
        body = _body_of(drawn)
    return AccountNumber(text=body + check)


def account_of(subject: SubjectId) -> AccountNumber:
    """Return the account whose subject this is.

    Raises:
        AccountNumberInvalid: `account-number-subject`: it is an institution's or an authority's; or what
            follows `account:` is no account number.
    """
    if not subject.startswith(_SUBJECT_PREFIX):
        raise AccountNumberInvalid("account-number-subject", field="account", subject=subject)
    return AccountNumber(text=subject.removeprefix(_SUBJECT_PREFIX))


def _body_of(drawn: int) -> str:
    return "".join(ALPHABET[drawn >> shift & 31] for shift in range(5 * (_BODY - 1), -1, -5))


def _check_character(body: str) -> str:
    character: str = mod_37_36.calc_check_digit(body)
    return character
