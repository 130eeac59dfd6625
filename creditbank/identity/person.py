"""A person, as an account's encrypted identity holds one."""

from dataclasses import dataclass

from creditbank.identity.citizen_number import CitizenNumber
from creditbank.identity.names import PersonNames


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    names: PersonNames
    citizen_number: CitizenNumber | None = None
    phone: str | None = None
    category: str | None = None  # as the vocabulary `person-category` names it
