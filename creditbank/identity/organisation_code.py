"""Unified social credit codes (统一社会信用代码, GB 32100) of schools, stations and other institutions.

Two characters of authority and kind, six digits of region, nine characters of the body, one check
character. Whether the institution exists is for the register to say.
"""

import unicodedata
from collections.abc import Iterator

from creditbank.errors import InvalidInput
from creditbank.terms import IssuerId

LENGTH = 18
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The digits and letters of GB 32100: without I, O, S, V and Z."""
TEST_REGION = "999999"
"""The region of the invented institutions of the demonstration and the tests."""

_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_REGION = range(3, 9)


class OrganisationCodeInvalid(InvalidInput):
    """This is not a unified social credit code."""

    code = "organisation-code-invalid"


def parse_organisation_code(text: str) -> IssuerId:
    """Read a code as people type it: full width, lower case, spaces and hyphens are forgiven.

    Raises:
        OrganisationCodeInvalid: `organisation-code-length`, `-characters` or `-check`.
    """
    code = "".join(_significant(unicodedata.normalize("NFKC", text).upper()))
    if len(code) != LENGTH:
        raise OrganisationCodeInvalid(
            "organisation-code-length", field="issuer", length=len(code), wanted=LENGTH
        )
    for position, character in enumerate(code, start=1):
        if character not in (ALPHABET[:10] if position in _REGION else ALPHABET):
            raise OrganisationCodeInvalid(
                "organisation-code-characters", field="issuer", position=position, character=character
            )
    if check_character(code[:-1]) != code[-1]:
        raise OrganisationCodeInvalid("organisation-code-check", field="issuer", value=code)
    return IssuerId(code)


def check_character(first_17: str) -> str:
    """Return the check character for 17 characters of `ALPHABET` (GB 32100, modulus 31)."""
    total = sum(
        ALPHABET.index(character) * weight for character, weight in zip(first_17, _WEIGHTS, strict=True)
    )
    return ALPHABET[-total % len(ALPHABET)]


def _significant(text: str) -> Iterator[str]:
    return (character for character in text if not character.isspace() and character != "-")
