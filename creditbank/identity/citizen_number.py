"""Citizen numbers (公民身份号码, GB 11643): six digits of region, eight of birth, three of order, one check.

A number that parses is well formed. Whether its region is known is asked in `regions.py`; whose it is,
and whether the person exists, is for others to find out.
"""

import unicodedata
from dataclasses import dataclass
from datetime import date

from stdnum.iso7064 import mod_11_2

from creditbank.errors import InvalidInput

LENGTH = 18
TEST_REGION = "999999"
"""The region of test and demonstration numbers: it belongs to no place, so the numbers belong to no one."""

_DIGITS = frozenset("0123456789")


class CitizenNumberInvalid(InvalidInput):
    """This is not a citizen number. Never carries the number, which would travel into logs."""

    code = "citizen-number-invalid"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CitizenNumber:
    """A well-formed citizen number; `text` is its 18 characters, normalised.

    Raises:
        CitizenNumberInvalid: `citizen-number-length`, `-characters`, `-date` or `-check`.
    """

    text: str

    def __post_init__(self) -> None:
        if len(self.text) != LENGTH:
            raise CitizenNumberInvalid(
                "citizen-number-length", field="citizen_number", length=len(self.text), wanted=LENGTH
            )
        for position, character in enumerate(self.text, start=1):
            if character not in _DIGITS and not (character == "X" and position == LENGTH):
                raise CitizenNumberInvalid(
                    "citizen-number-characters", field="citizen_number", position=position
                )
        if self._birthday() is None:
            raise CitizenNumberInvalid("citizen-number-date", field="citizen_number")
        if check_digit(self.text[:-1]) != self.text[-1]:
            raise CitizenNumberInvalid("citizen-number-check", field="citizen_number")

    @property
    def region(self) -> str:
        """The six digits of the place of registration, as it was coded then."""
        return self.text[:6]

    @property
    def born_on(self) -> date:
        born_on = self._birthday()
        assert born_on is not None, "a number without a birthday is never built"
        return born_on

    @property
    def is_test(self) -> bool:
        return self.region == TEST_REGION

    def __repr__(self) -> str:
        return "CitizenNumber(…)"

    def _birthday(self) -> date | None:
        try:
            return date(int(self.text[6:10]), int(self.text[10:12]), int(self.text[12:14]))
        except ValueError:
            return None


def parse_citizen_number(text: str, *, allow_test_numbers: bool = False) -> CitizenNumber:
    """Read a number as people type it: full width, lower case x and spaces around it are forgiven.

    Raises:
        CitizenNumberInvalid: it is not a citizen number, or (`citizen-number-test`) it is a test number
            and those are not allowed here.
    """
    number = CitizenNumber(text=unicodedata.normalize("NFKC", text).strip().upper())
    if number.is_test and not allow_test_numbers:
        raise CitizenNumberInvalid("citizen-number-test", field="citizen_number")
    return number


def check_digit(first_17: str) -> str:
    """Return the check character, `0` to `9` or `X`, for the first 17 digits (ISO 7064 MOD 11-2)."""
    digit: str = mod_11_2.calc_check_digit(first_17)
    return digit
