"""Identifiers, units and a few small types that every part of the bank shares."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as member
from datetime import UTC, date, datetime, timedelta
from typing import Literal, NewType

SubjectId = NewType("SubjectId", str)
"""Whose chain: `account:<number>`, `institution:<organisation code>` or `authority:<name>`."""

IssuerId = NewType("IssuerId", str)
"""An institution, by its unified social credit code (GB 32100)."""

OutcomeId = NewType("OutcomeId", str)
"""One learning outcome within its account: the six digits of the entry that recorded it."""

OfficerId = NewType("OfficerId", str)
"""Someone who acts for the bank, by a number that says nothing about who it is: `officer:<10 hex digits>`."""

PackId = NewType("PackId", str)
RuleId = NewType("RuleId", str)
ProgrammeId = NewType("ProgrammeId", str)
ExamId = NewType("ExamId", str)
CourseId = NewType("CourseId", str)
PartId = NewType("PartId", str)

GrantKind = Literal["exemption", "waiver"]

Microseconds = NewType("Microseconds", int)
"""An instant: microseconds since 1970-01-01T00:00:00Z, as stored and hashed."""

Progress = Callable[[int], None]
"""Called with how many more units of work are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputWarning:
    """Something odd about what was entered, for a person to look at; it refuses nothing.

    Codes and values like an error's: the catalogues in `locale/` have the sentence.
    """

    code: str
    field: str | None = None
    values: Mapping[str, object] = member(default_factory=dict)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(instant: datetime) -> Microseconds:
    """Return `instant`, which must know its time zone, as stored microseconds."""
    assert instant.tzinfo is not None, "an instant without a time zone is ambiguous"
    return Microseconds((instant - _EPOCH) // timedelta(microseconds=1))


def instant(stored: Microseconds) -> datetime:
    """Return stored microseconds as an aware UTC datetime."""
    return _EPOCH + timedelta(microseconds=stored)


def years_after(day: date, years: int) -> date:
    """Return the anniversary of `day`; 29 February's is 1 March where the year has none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What a pack says in its own words, Chinese first; the English may be missing."""

    zh: str
    en: str = ""
