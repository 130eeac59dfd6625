"""A person, as an account's encrypted identity holds one."""

import re
import unicodedata
from dataclasses import dataclass

from creditbank.errors import InvalidInput
from creditbank.identity.citizen_number import CitizenNumber
from creditbank.identity.names import PersonNames

_PHONE = re.compile(r"\+?[0-9]{5,15}", re.ASCII)
_CATEGORY = re.compile(r"[a-z][a-z0-9-]{0,63}", re.ASCII)


class PersonInvalid(InvalidInput):
    """A person is not described as one must be. Never carries the phone number."""

    code = "person-invalid"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Person:
    """Who an account belongs to.

    Raises:
        PersonInvalid: `phone-malformed` or `category-malformed`.
    """

    names: PersonNames
    citizen_number: CitizenNumber | None = None
    phone: str | None = None  # digits, at most 15 (E.164), perhaps after a plus
    category: str | None = None  # as the vocabulary `person-category` names it

    def __post_init__(self) -> None:
        if self.phone is not None and not _PHONE.fullmatch(self.phone):
            raise PersonInvalid("phone-malformed", field="phone")
        if self.category is not None and not _CATEGORY.fullmatch(self.category):
            raise PersonInvalid("category-malformed", field="category")

    def __repr__(self) -> str:
        return "Person(…)"


def parse_phone(text: str) -> str:
    """Read a phone number as people type it: width, spaces, hyphens and brackets are forgiven.

    Raises:
        PersonInvalid: it is not 5 to 15 digits, perhaps after a plus.
    """
    typed = unicodedata.normalize("NFKC", text)
    phone = "".join(character for character in typed if not character.isspace() and character not in "-()")
    if not _PHONE.fullmatch(phone):
        raise PersonInvalid("phone-malformed", field="phone")
    return phone
