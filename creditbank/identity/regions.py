"""Region codes (GB/T 2260) by the years in which they were in force.

A number keeps the code of its first registration, so former codes are as good as present ones, and a
code younger than the birth it stands with only means a late registration. What is odd is said, never
refused. The table itself is data, in `vocabularies/`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from creditbank.identity.citizen_number import CitizenNumber
from creditbank.terms import InputWarning


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One code's name while it was in force; the years are inclusive, None where open."""

    code: str
    name: str
    first_year: int | None = None
    last_year: int | None = None

    def is_in_force(self, year: int) -> bool:
        return (self.first_year or year) <= year <= (self.last_year or year)


class RegionTable:
    """The regions we know, and the prefixes under which we know them all."""

    def __init__(self, regions: Iterable[Region], *, complete_prefixes: Iterable[str]) -> None:
        self._regions: dict[str, list[Region]] = {}
        for region in regions:
            self._regions.setdefault(region.code, []).append(region)
        self._complete_prefixes = tuple(complete_prefixes)

    def find(self, code: str) -> tuple[Region, ...]:
        """Return what `code` has named over the years; nothing if we do not know it."""
        return tuple(self._regions.get(code, ()))

    def covers(self, code: str) -> bool:
        """Whether we know every code that starts like this one, so that a missing one is odd."""
        return code.startswith(self._complete_prefixes)


def warnings_of(number: CitizenNumber, regions: RegionTable) -> tuple[InputWarning, ...]:
    """Return what is odd about the number's region: unknown, or not in force in the year of birth."""
    if number.is_test:
        return ()
    known = regions.find(number.region)
    if not known:
        if not regions.covers(number.region):
            return ()
        return (InputWarning(code="citizen-region-unknown", field="citizen_number"),)
    if any(region.is_in_force(number.born_on.year) for region in known):
        return ()
    return (
        InputWarning(
            code="citizen-region-not-in-force",
            field="citizen_number",
            values={"region_name": known[-1].name},
        ),
    )
