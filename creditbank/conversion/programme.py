"""What is studied toward and what is sat: programmes with their courses and caps, exams with their parts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from creditbank.conversion.premise import AttributeTest
from creditbank.errors import InvalidInput
from creditbank.outcomes.outcome import OutcomeKind
from creditbank.terms import CourseId, ExamId, IssuerId, PartId, ProgrammeId, Wording

Nature = Literal["compulsory", "elective"]
PLACES_MAX = 500
"""Courses and buckets of one programme."""
Measure = Literal["credits", "courses", "outcomes"]
RequirementMeasure = Literal["credits", "hours", "practice-share", "years"]
MONTHS_A_YEAR = 12
STUDY_YEARS_MAX = 99
PeriodBy = Literal["award", "grant"]
Per = Literal["issuer", "code", "kind"]
"""What of the outcomes spent tells apart those that a cap bounds each for themselves."""


class ProgrammeInvalid(InvalidInput):
    """A programme or an exam contradicts itself."""

    code = "programme-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseFilter:
    """Some courses of a programme: those that fit every member that is not empty."""

    courses: frozenset[CourseId] = frozenset()
    modules: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    natures: frozenset[Nature] = frozenset()

    def covers(self, course: "Course") -> bool:
        return (
            (not self.courses or course.id in self.courses)
            and (not self.modules or course.module in self.modules)
            and (not self.classes or course.course_class in self.classes)
            and (not self.natures or course.nature in self.natures)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One course of a programme.

    It may be exempted unless something else is written; `is_said_exemptible` where that itself is written. A
    course that is not exemptible may be so for some person categories (`exempt_for`): only under a rule
    that is addressed to none but these.

    Raises:
        ProgrammeInvalid: `course-hours` for a number of hours below 0, or more practice than there are hours.
    """

    id: CourseId
    title: Wording
    credits: Decimal
    module: str
    course_class: str = ""  # 专业基础课, 专业核心课, …
    nature: Nature = "compulsory"
    exemptible: bool = True
    why_not: Wording | None = None
    exempt_for: frozenset[str] = frozenset()
    is_said_exemptible: bool = False
    hours: Decimal | None = None  # class hours in all; None: not stated
    practice_hours: Decimal | None = None  # of these, practical; stated only beside `hours`

    def __post_init__(self) -> None:
        _require_hours(self.id, self.hours, self.practice_hours)

    def is_exemptible_under(self, categories: frozenset[str]) -> bool:
        """Whether a rule addressed to these person categories (empty: everybody) may exempt it."""
        return self.exemptible or (bool(categories) and categories <= self.exempt_for)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Credits of a programme that no named course has to fill: free electives, an area."""

    id: CourseId
    title: Wording
    capacity: Decimal
    module: str = ""
    accepts: frozenset[OutcomeKind] = frozenset()  # kinds that may be spent on it; empty: all
    hours: Decimal | None = None  # class hours that the whole of it stands for; None: not stated
    practice_hours: Decimal | None = None  # of these, practical; stated only beside `hours`

    def __post_init__(self) -> None:
        _require_hours(self.id, self.hours, self.practice_hours)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What completing a programme takes in one measure, over one module or all of it.

    `credits` and class `hours` are sums of what is earned and exempted; `practice-share`, from 0 to 1, is the
    share of practice in all class hours; `years` go from enrolment to graduation, in whole months. Credits
    may be asked of outcomes of some kinds, issuers and attributes alone. Where they are a `share` of the
    programme's, above 0 and up to 1, the minimum is what that comes to.

    Raises:
        ProgrammeInvalid: `requirement-minimum`, `requirement-years`, `requirement-scope`, `requirement-share`
            (of anything but credits, or of all credits whatever they rest on), or
            `requirement-years-none`, since one graduates before the most are over.
    """

    measure: RequirementMeasure = "credits"
    minimum: Decimal | None = None  # of years either may be left out; the others have a minimum alone
    maximum: Decimal | None = None
    share: Decimal | None = None
    module: str | None = None
    kinds: frozenset[OutcomeKind] = frozenset()
    issuers: frozenset[IssuerId] = frozenset()
    attributes: tuple[AttributeTest, ...] = ()
    title: Wording | None = None
    cite: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.measure == "years":
            self._require_years()
        elif self.maximum is not None or not self._has_minimum():
            raise ProgrammeInvalid("requirement-minimum", measure=self.measure)
        is_misplaced = self.measure == "years" and self.module is not None
        if is_misplaced or (self.measure != "credits" and self.asks_for_outcomes):
            raise ProgrammeInvalid("requirement-scope", measure=self.measure)
        if self.share is not None and not self._is_share_of_some(self.share):
            raise ProgrammeInvalid("requirement-share", field="share", value=str(self.share))

    @property
    def asks_for_outcomes(self) -> bool:
        """Whether only what rests on some outcomes counts."""
        return bool(self.kinds or self.issuers or self.attributes)

    @property
    def is_plain(self) -> bool:
        """Whether it asks for credits, whatever they rest on."""
        return self.measure == "credits" and not self.asks_for_outcomes

    def _is_share_of_some(self, share: Decimal) -> bool:
        counts_some = self.module is not None or self.asks_for_outcomes
        return self.measure == "credits" and counts_some and 0 < share <= 1

    def _has_minimum(self) -> bool:
        most = 1 if self.measure == "practice-share" else Decimal("Infinity")
        return self.minimum is not None and self.minimum.is_finite() and 0 <= self.minimum <= most

    def _require_years(self) -> None:
        stated = [one for one in (self.minimum, self.maximum) if one is not None]
        for years in stated:
            if not years.is_finite() or not 0 < years <= STUDY_YEARS_MAX or years * MONTHS_A_YEAR % 1:
                raise ProgrammeInvalid("requirement-years", value=str(years), maximum=STUDY_YEARS_MAX)
        if not stated:
            raise ProgrammeInvalid("requirement-minimum", measure=self.measure)
        if len(set(stated)) != len(stated) or stated[0] > stated[-1]:
            raise ProgrammeInvalid(
                "requirement-years-none", minimum=str(self.minimum), maximum=str(self.maximum)
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Each:
    """One of those that a cap is over each of: an issuer, a code or a kind of the outcomes spent."""

    per: Per
    value: str

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class CapPart:
    """What of a cap is reached: in which period, and for which issuer, code or kind, where it has such.

    A decision's JSON writes it as one text, `cap@2025-09-01@issuer`, with what there is of it.
    """

    cap: str
    period: date | None = None  # its first day
    each: Each | None = None

    def __str__(self) -> str:
        return "@".join(str(one) for one in (self.cap, self.period, self.each) if one is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """At most so many credits, courses or outcomes among the exemptions that it covers.

    It covers an exemption whose place fits (`courses`, `buckets`; both None: every place), whose rule's
    route fits, and that spends at least one outcome of the kinds and issuers named. A share is taken of
    the programme's credits, of one module's, or of the number of courses, and rounded down. With `periods`
    the cap holds for each stretch of time that starts on one of these (month, day), by the day on which a
    spent outcome was awarded, or by that of the grant (`period_by`); with `per`, for the outcomes of each
    issuer (code, kind) by themselves.

    Raises:
        ProgrammeInvalid: `cap-limit` (not exactly one limit, or a negative one), `cap-share`,
            `cap-period`, `cap-period-by` (which day counts, and no periods).
    """

    id: str
    title: Wording
    measure: Measure = "credits"
    maximum: Decimal | None = None
    share: Decimal | None = None  # 0 to 1
    share_of_module: str | None = None  # None: of the whole programme
    courses: CourseFilter | None = None
    buckets: frozenset[CourseId] | None = None
    routes: frozenset[str] = frozenset()
    kinds: frozenset[OutcomeKind] = frozenset()
    issuers: frozenset[IssuerId] = frozenset()
    periods: tuple[tuple[int, int], ...] = ()
    period_by: PeriodBy = "award"
    per: Per | None = None
    cite: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.maximum is None) == (self.share is None) or (self.maximum is not None and self.maximum < 0):
            raise ProgrammeInvalid("cap-limit", field=self.id, cap=self.id)
        if self.share is not None and (not 0 <= self.share <= 1 or self.measure == "outcomes"):
            raise ProgrammeInvalid("cap-share", field=self.id, cap=self.id, share=str(self.share))
        if self.share is None and self.share_of_module is not None:
            raise ProgrammeInvalid("cap-share", field=self.id, cap=self.id, module=self.share_of_module)
        if self.period_by == "grant" and not self.periods:
            raise ProgrammeInvalid("cap-period-by", field=self.id, cap=self.id)
        for month, day in self.periods:
            try:
                date(2001, month, day)  # a common year: a period never starts on 29 February
            except ValueError as error:
                raise ProgrammeInvalid(
                    "cap-period", field=self.id, cap=self.id, month=month, day=day
                ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """A programme in one version: what it consists of, in the order in which it is published.

    Raises:
        ProgrammeInvalid: `programme-size`, `programme-dates`, `id-twice`, `credits-out-of-range`,
            `share-of-unknown-module`, `requirement-of-unknown-module`.
    """

    id: ProgrammeId
    title: Wording
    credits: Decimal  # in all, as published: the base of shares
    courses: tuple[Course, ...]
    version: int = 1
    effective_from: date | None = None
    effective_to: date | None = None
    major: str = ""
    level: str = ""
    study_form: str = ""
    buckets: tuple[Bucket, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    caps: tuple[Cap, ...] = ()
    cite: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < len(self.courses) + len(self.buckets) <= PLACES_MAX:
            raise ProgrammeInvalid("programme-size", field=self.id, maximum=PLACES_MAX)
        _require_dates(self.id, self.effective_from, self.effective_to)
        _require_distinct(self.id, (place.id for place in self.places))
        _require_distinct(self.id, (cap.id for cap in self.caps))
        credits_of = (*(course.credits for course in self.courses), *(b.capacity for b in self.buckets))
        for value in (self.credits, *credits_of):
            if not value.is_finite() or value < 0:
                raise ProgrammeInvalid("credits-out-of-range", field=self.id, value=str(value))
        modules = {place.module for place in self.places}
        for cap in self.caps:
            if cap.share_of_module is not None and cap.share_of_module not in modules:
                raise ProgrammeInvalid(
                    "share-of-unknown-module", field=cap.id, cap=cap.id, module=cap.share_of_module
                )
        for at, requirement in enumerate(self.requirements):
            module = requirement.module
            if module is not None and module not in modules:
                raise ProgrammeInvalid(
                    "requirement-of-unknown-module", field=self.id, module=module, requirement=at
                )

    @property
    def places(self) -> "tuple[Course | Bucket, ...]":
        """Its courses, then its buckets."""
        return (*self.courses, *self.buckets)

    def course_of(self, course: str) -> Course | None:
        return next((found for found in self.courses if found.id == course), None)

    def bucket_of(self, bucket: str) -> Bucket | None:
        return next((found for found in self.buckets if found.id == bucket), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of an exam."""

    id: PartId
    title: Wording
    waivable: bool = True
    why_not: Wording | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartCap:
    """At most so many of these parts may be waived under rules of these routes; none named: of all."""

    id: str
    title: Wording
    maximum: int
    parts: frozenset[PartId] = frozenset()
    routes: frozenset[str] = frozenset()
    cite: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """An exam in one version: its parts in published order, and how many of them may be waived.

    Raises:
        ProgrammeInvalid: `exam-empty`, `programme-dates`, `id-twice`, `cap-of-unknown-part`, `cap-limit`.
    """

    id: ExamId
    title: Wording
    parts: tuple[Part, ...]
    version: int = 1
    effective_from: date | None = None
    effective_to: date | None = None
    major: str = ""
    level: str = ""
    caps: tuple[PartCap, ...] = ()
    cite: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.parts:
            raise ProgrammeInvalid("exam-empty", field=self.id)
        _require_dates(self.id, self.effective_from, self.effective_to)
        _require_distinct(self.id, (part.id for part in self.parts))
        _require_distinct(self.id, (cap.id for cap in self.caps))
        known = {part.id for part in self.parts}
        for cap in self.caps:
            if not cap.parts <= known:
                strange = sorted(cap.parts - known)
                raise ProgrammeInvalid("cap-of-unknown-part", field=cap.id, cap=cap.id, parts=strange)
            if cap.maximum < 0:
                raise ProgrammeInvalid("cap-limit", field=cap.id, cap=cap.id)


def _require_dates(name: str, effective_from: date | None, effective_to: date | None) -> None:
    if effective_from is not None and effective_to is not None and effective_to <= effective_from:
        raise ProgrammeInvalid("programme-dates", field=name)


def _require_distinct(name: str, ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for found in ids:
        if found in seen:
            raise ProgrammeInvalid("id-twice", field=name, id=found)
        seen.add(found)


def _require_hours(name: str, hours: Decimal | None, practice_hours: Decimal | None) -> None:
    """Refuse hours below nothing, and practice that is no part of them."""
    whole, practice = hours or Decimal(0), practice_hours or Decimal(0)
    are_numbers = whole.is_finite() and practice.is_finite()
    is_part = practice_hours is None or hours is not None
    if not are_numbers or not is_part or not 0 <= practice <= whole:
        stated = {"hours": hours, "practice_hours": practice_hours}
        told = {key: "—" if value is None else str(value) for key, value in stated.items()}
        raise ProgrammeInvalid("course-hours", field=name, course=name, **told)
