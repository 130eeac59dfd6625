"""How far what a programme's completion takes is reached: credits, class hours, a share of practice, years.

Every sum is made place by place, and each place stands beside it with the outcomes that count there. Of a
course the hours are those that the outcome states by which it is earned, else the course's own; of practice
always the course's own. A bucket's count by as much of it as is filled. What is open may still be reached:
its course is missing or exemptable.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Literal

from creditbank.conversion.decision import Exemption
from creditbank.conversion.holding import Holding, Pinned
from creditbank.conversion.meeting import is_met
from creditbank.conversion.premise import AttributeTest, Pattern
from creditbank.conversion.programme import MONTHS_A_YEAR, Bucket, Course, Requirement, RequirementMeasure
from creditbank.conversion.span import Span
from creditbank.outcomes.outcome import OutcomeKind
from creditbank.terms import CourseId, IssuerId, OutcomeId, Wording

State = Literal["earned", "exempted", "exempted-without-credit", "exemptable", "missing"]
RequirementState = Literal[
    "reached",
    "short",  # what is open can bring what is missing
    "out-of-reach",  # not even all that is open can
    "unknown",  # it goes by what was not stated: the day of enrolment, any hours at all
    "too-early",  # the least length of study is not over
    "too-late",  # the most is
]
Fits = Callable[[OutcomeId], bool]
_NOTHING = Decimal(0)
_HUNDREDTH = Decimal("0.01")
_OPEN: frozenset[State] = frozenset({"exemptable", "missing"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Sums: earned + exempted + missing = required + surplus; what is exemptable is part of missing.

    In credits, or of a requirement in its own measure.
    """

    required: Decimal
    earned: Decimal
    exempted: Decimal  # registered, with credit
    exemptable: Decimal  # what a decision would give now, no more than is missing
    missing: Decimal
    surplus: Decimal  # beyond what is required

    @classmethod
    def of(cls, required: Decimal, *, earned: Decimal, exempted: Decimal, exemptable: Decimal) -> "Figures":
        """Return the figures with what is missing, or surplus, worked out."""
        left = required - earned - exempted
        missing = max(left, _NOTHING)
        return cls(
            required=required,
            earned=earned,
            exempted=exempted,
            exemptable=min(missing, exemptable),
            missing=missing,
            surplus=max(-left, _NOTHING),
        )

    @classmethod
    def sum_of(cls, figures: Iterable["Figures"]) -> "Figures":
        """Return the sums; the surplus of one does not make up for what another is missing."""
        every = list(figures)
        return cls(
            required=sum((one.required for one in every), _NOTHING),
            earned=sum((one.earned for one in every), _NOTHING),
            exempted=sum((one.exempted for one in every), _NOTHING),
            exemptable=sum((one.exemptable for one in every), _NOTHING),
            missing=sum((one.missing for one in every), _NOTHING),
            surplus=sum((one.surplus for one in every), _NOTHING),
        )

    @classmethod
    def reaching(cls, required: Decimal, parts: Iterable["Figures"]) -> "Figures":
        """Return how far the parts together reach; here the surplus of one does make up for another."""
        every = cls.sum_of(parts)
        return cls.of(required, earned=every.earned, exempted=every.exempted, exemptable=every.exemptable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What has reached a place: outcomes that earned it, registered grants, what a decision would give."""

    place: Course | Bucket
    own: tuple[Holding, ...]
    grants: tuple[Pinned, ...]
    given: tuple[Exemption, ...]
    step: Decimal  # of grants that state none

    def credits(self) -> Figures:
        exempted = sum((self._credits_of(grant) for grant in self.grants), _NOTHING)
        exemptable = sum((one.credits for one in self.given if one.with_credit), _NOTHING)
        if isinstance(self.place, Bucket):
            whole = self.place.capacity
            return Figures.of(whole, earned=_NOTHING, exempted=exempted, exemptable=exemptable)
        whole = self.place.credits
        stated = (whole if one.credits is None else one.credits for one in self.own)
        earned = min(whole, max(stated, default=_NOTHING))
        left = whole - earned if self.own else exempted
        return Figures.of(whole, earned=earned, exempted=min(exempted, left), exemptable=exemptable)

    def hours(self) -> Figures:
        """Class hours: what an outcome that earned the course states counts whole, more or fewer."""
        whole = self.place.hours or _NOTHING
        if isinstance(self.place, Bucket):
            return self._share_of(whole, self.place.capacity)
        stated = (whole if one.hours is None else one.hours for one in self.own)
        return self._of_course(whole, earned=max(stated, default=_NOTHING))

    def planned(self, whole: Decimal | None) -> Figures:
        """Hours as the programme states them, whatever an outcome states: none says how many are practice."""
        stated = whole or _NOTHING
        if isinstance(self.place, Bucket):
            return self._share_of(stated, self.place.capacity)
        return self._of_course(stated, earned=stated if self.own else _NOTHING)

    def resting_on(self, fits: Fits) -> "Reached":
        """Return the same of the outcomes that fit alone: a grant's all have to."""
        return replace(
            self,
            own=tuple(one for one in self.own if fits(one.id)),
            grants=tuple(one for one in self.grants if _all_fit(one, fits)),
            given=tuple(one for one in self.given if _all_fit(one, fits)),
        )

    @property
    def outcomes(self) -> tuple[OutcomeId, ...]:
        """What it rests on that counts already, each once: what a decision would give does not."""
        resting = (outcome for one in self.grants if one.with_credit for outcome in _rests_on(one))
        return tuple(dict.fromkeys((*(one.id for one in self.own), *resting)))

    def _credits_of(self, grant: Pinned) -> Decimal:
        step = self.step if grant.step is None else grant.step
        return grant.units * step if grant.with_credit else _NOTHING

    def _of_course(self, whole: Decimal, *, earned: Decimal) -> Figures:
        """Return a course's figures in hours: it is exempted whole, but for what is earned."""
        left = max(whole - earned, _NOTHING)
        exempted = left if any(grant.with_credit for grant in self.grants) else _NOTHING
        exemptable = whole if any(one.with_credit for one in self.given) else _NOTHING
        return Figures.of(whole, earned=earned, exempted=exempted, exemptable=exemptable)

    def _share_of(self, whole: Decimal, capacity: Decimal) -> Figures:
        """Return a bucket's figures in hours, by the credits in it, down to the hundredth."""
        credits_ = self.credits()

        def part(filled: Decimal) -> Decimal:
            return (whole * filled / capacity).quantize(_HUNDREDTH, ROUND_DOWN) if capacity else _NOTHING

        exempted = part(credits_.exempted)
        exemptable = part(credits_.exempted + credits_.exemptable) - exempted
        return Figures.of(whole, earned=_NOTHING, exempted=exempted, exemptable=exemptable)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredPlace:
    """A course or bucket in the measure of a requirement; `open` is what of it may still be reached."""

    id: CourseId
    title: Wording
    state: State
    figures: Figures
    open: Decimal
    hours: Decimal | None  # beside hours of practice: the class hours that count or are open
    outcomes: tuple[OutcomeId, ...]  # those that count

    @property
    def is_anything(self) -> bool:
        """Whether there is anything of it in this measure."""
        own = self.figures
        return any((own.earned, own.exempted, own.exemptable, self.open, self.hours))


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedRequirement:
    """One thing that completion takes, and how far it is reached.

    Of a share of practice the figures are hours of practice, and what is required of these is the share
    of `hours`, all that count and all that are open. Of years there are no figures, but two days.
    """

    measure: RequirementMeasure
    minimum: Decimal | None
    maximum: Decimal | None
    module: str | None
    kinds: tuple[OutcomeKind, ...]
    issuers: tuple[IssuerId, ...]
    attributes: tuple[AttributeTest, ...]
    title: Wording | None
    cite: tuple[str, ...]
    state: RequirementState
    figures: Figures | None = None
    hours: Decimal | None = None
    beyond: Decimal = _NOTHING  # of what is missing, what not even all that is open brings
    places: tuple[RequiredPlace, ...] = ()
    share: Decimal | None = None  # of the programme's credits; not in the JSON where it is none
    earliest: date | None = None  # first day on which the least length of study is over
    latest: date | None = None  # last day before the most is


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A learner in a programme: every place with its state, and what requirements go by besides."""

    places: Sequence[tuple[Reached, State]]
    holdings: Mapping[OutcomeId, Holding]
    as_of: date
    enrolled_on: date | None


def audited_requirement(requirement: Requirement, standing: Standing) -> AuditedRequirement:
    """Return how far a requirement is reached."""
    bare = AuditedRequirement(
        measure=requirement.measure,
        minimum=requirement.minimum,
        maximum=requirement.maximum,
        share=requirement.share,
        module=requirement.module,
        kinds=tuple(sorted(requirement.kinds)),
        issuers=tuple(sorted(requirement.issuers)),
        attributes=requirement.attributes,
        title=requirement.title,
        cite=requirement.cite,
        state="unknown",
    )
    if requirement.measure == "years":
        return _of_years(bare, standing)
    return _of_sums(bare, requirement, standing)


def _of_years(bare: AuditedRequirement, standing: Standing) -> AuditedRequirement:
    begun = standing.enrolled_on
    if begun is None:
        return bare
    earliest = None if bare.minimum is None else _years(bare.minimum).after(begun)
    latest = None if bare.maximum is None else _years(bare.maximum).after(begun) - timedelta(days=1)
    state: RequirementState = "reached"
    if earliest is not None and standing.as_of < earliest:
        state = "too-early"
    elif latest is not None and latest < standing.as_of:
        state = "too-late"
    return replace(bare, state=state, earliest=earliest, latest=latest)


def _years(count: Decimal) -> Span:
    return Span(parts=((int(count * MONTHS_A_YEAR), "m"),))


def _of_sums(bare: AuditedRequirement, requirement: Requirement, standing: Standing) -> AuditedRequirement:
    assert requirement.minimum is not None, "what sums has a minimum"
    fits = _fits(requirement, standing)
    looked_at = [
        (reached, reached.resting_on(fits) if requirement.asks_for_outcomes else reached, state)
        for reached, state in standing.places
        if requirement.module in (None, reached.place.module)
    ]
    places = tuple(_place(*each, measure=requirement.measure) for each in looked_at)
    required, hours = requirement.minimum, None
    if requirement.measure == "practice-share":
        hours = sum((place.hours or _NOTHING for place in places), _NOTHING)
        required *= hours
    figures = Figures.reaching(required, (place.figures for place in places))
    beyond = max(figures.missing - sum((place.open for place in places), _NOTHING), _NOTHING)
    state: RequirementState = "short" if figures.missing else "reached"
    if beyond:
        state = "out-of-reach"
    elif hours is not None and not hours:
        state = "unknown"
    return replace(
        bare,
        state=state,
        figures=figures,
        hours=hours,
        beyond=beyond,
        places=tuple(place for place in places if place.is_anything),
    )


def _place(reached: Reached, counted: Reached, state: State, *, measure: RequirementMeasure) -> RequiredPlace:
    """Return a place in a measure; `counted` is as much of what reached it as counts."""
    is_open, hours = state in _OPEN, None
    match measure:
        case "hours":
            whole = figures = reached.hours()
        case "practice-share":
            whole = figures = reached.planned(reached.place.practice_hours)
            own = reached.planned(reached.place.hours)
            hours = own.earned + own.exempted + (own.missing if is_open else _NOTHING)
        case _:
            whole, figures = reached.credits(), counted.credits()
    return RequiredPlace(
        id=reached.place.id,
        title=reached.place.title,
        state=state,
        figures=figures,
        open=min(figures.missing, whole.missing) if is_open else _NOTHING,
        hours=hours,
        outcomes=counted.outcomes,
    )


def _fits(requirement: Requirement, standing: Standing) -> Fits:
    def fits(outcome: OutcomeId) -> bool:
        holding = standing.holdings.get(outcome)
        if holding is None or (requirement.kinds and holding.kind not in requirement.kinds):
            return False
        asked = Pattern(kind=holding.kind, issuers=requirement.issuers, attributes=requirement.attributes)
        return is_met(asked, holding, scales={}, as_of=standing.as_of)

    return fits


def _rests_on(grant: Pinned | Exemption) -> tuple[OutcomeId, ...]:
    """Return what a grant spends; where it spends nothing, what it only asked for."""
    return grant.spent or grant.witnesses


def _all_fit(grant: Pinned | Exemption, fits: Fits) -> bool:
    resting = _rests_on(grant)
    return bool(resting) and all(map(fits, resting))
