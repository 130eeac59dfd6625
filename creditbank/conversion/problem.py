"""One learner's options and one programme, as integers: what may go where, and what bounds it.

Places (courses, then buckets) and options (in rank order) are bits of a mask; every bound, whether a rule's
own limit, an outcome's budget, a bucket's capacity or a cap, is one `Bound`. Registered grants have already
taken their share of each. What to choose is for `search`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import reduce
from math import gcd

from creditbank.conversion.bounds import Bound, budgets, capacities, caps, limits
from creditbank.conversion.decision import By, RefusalKind
from creditbank.conversion.holding import Holding, Pinned, SpentElsewhere
from creditbank.conversion.matching import Family, LiveRule, Option
from creditbank.conversion.pairing import misnamed, unpaired
from creditbank.conversion.programme import Bucket, Course, Programme, ProgrammeInvalid
from creditbank.conversion.registered import KnownRules, Registered, mask_of
from creditbank.terms import OutcomeId

_MICRO = 10**6


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """All of it; `covers[o]` are the courses and `fills[o]` the buckets that option `o` may still get."""

    places: tuple[Course | Bucket, ...]
    course_count: int
    units: tuple[int, ...]  # of each place: a course's credits, a bucket's capacity
    options: tuple[Option, ...]
    wants: tuple[int, ...]  # the courses an option is about, exemptible and free or not
    covers: tuple[int, ...]
    fills: tuple[int, ...]
    bundles: int  # options that take all their courses or none
    conflicts: tuple[int, ...]
    bounds: tuple[Bound, ...]
    taken: Mapping[str, Pinned]  # courses that are exempted already
    blocked: Mapping[int, tuple[RefusalKind, By]]  # options that registered grants rule out: (why, by what)


def common_step(steps: Iterable[Decimal]) -> Decimal:
    """Return the largest credit of which every step is a multiple; 1 where there is none."""
    found = [int(step * _MICRO) for step in steps]
    return (Decimal(reduce(gcd, found)) / _MICRO).normalize() if found else Decimal(1)


def in_step(grant: Pinned, step: Decimal, *, otherwise: Decimal) -> Pinned:
    """Return a registered grant with its units in `step`, from its own step or `otherwise` that."""
    own = otherwise if grant.step is None else grant.step
    return replace(grant, units=int(grant.units * own / step), step=None)


def pose(
    options: Sequence[Option],
    programme: Programme,
    *,
    step: Decimal,
    holdings: Mapping[OutcomeId, Holding],
    pinned: Sequence[Pinned],
    rules: KnownRules,
    elsewhere: Sequence[SpentElsewhere] = (),
    as_of: date,
) -> Problem:
    """State the problem; `options` are in rank order, `rules` are all versions that packs know.

    Raises:
        ProgrammeInvalid: `credits-off-step`.
    """
    taken = {grant.target: grant for grant in pinned if programme.course_of(grant.target) is not None}
    registered = Registered(pinned, rules=rules, holdings=holdings, elsewhere=elsewhere)
    blocked = {at: why for at, option in enumerate(options) if (why := registered.blocks(option))}
    wants, covers, fills = _Places(programme, taken).of_all(options, blocked)
    units = _units(programme, step) if options else (0,) * (len(programme.courses) + len(programme.buckets))
    bounds = (
        *limits(options, covers, fills, programme=programme, registered=registered, step=step),
        *budgets(options, covers, fills, registered=registered, step=step),
        *capacities(programme, fills, units, registered=registered),
        *caps(options, programme, registered=registered, step=step, as_of=as_of),
    )
    return Problem(
        places=(*programme.courses, *programme.buckets),
        course_count=len(programme.courses),
        units=units,
        options=tuple(options),
        wants=wants,
        covers=covers,
        fills=fills,
        bundles=_bundles(options),
        conflicts=conflicts_of(options),
        bounds=bounds,
        taken=taken,
        blocked=blocked,
    )


class _Places:
    """Finds where options may lead; what depends on the rule alone is found once."""

    def __init__(self, programme: Programme, taken: Mapping[str, Pinned]) -> None:
        self.programme = programme
        self.taken = taken
        self.by_rule: dict[int, tuple[int, int, int]] = {}

    def of_all(
        self, options: Sequence[Option], blocked: Collection[int]
    ) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Return `of` of every option; one that is blocked may get nothing."""
        found = [self.of(option) for option in options]
        return (
            tuple(wanted for wanted, _, _ in found),
            tuple(0 if at in blocked else covered for at, (_, covered, _) in enumerate(found)),
            tuple(0 if at in blocked else filled for at, (_, _, filled) in enumerate(found)),
        )

    def of(self, option: Option) -> tuple[int, int, int]:
        """Return the courses the option is about, those it may get, and the buckets it may fill."""
        found = self.by_rule.get(id(option.live))
        if found is None:
            found = self.by_rule[id(option.live)] = self._of_rule(option.live)
        wanted, covered, filled = self._paired(option, *found)
        kinds = {holding.kind for holding in option.spent}
        for at, bucket in enumerate(self.programme.buckets, start=len(self.programme.courses)):
            if bucket.accepts and not (kinds and kinds <= bucket.accepts):
                filled &= ~(1 << at)
        return wanted, covered, filled

    def _paired(self, option: Option, wanted: int, covered: int, filled: int) -> tuple[int, int, int]:
        """Leave out the courses that do not go with what is spent; those of other outcomes are not wanted."""
        grant = option.live.exemption
        if grant.pairing is None:
            return wanted, covered, filled
        if misnamed(option) is not None:
            filled = 0
        courses = self.programme.courses
        at_stake = [at for at in range(len(courses)) if wanted >> at & 1]
        if grant.mode == "bundle":
            torn = unpaired(option, tuple(courses[at] for at in at_stake)) is not None
            return wanted, 0 if torn else covered, filled
        for at in at_stake:
            missing = unpaired(option, (courses[at],))
            if missing is not None:
                covered &= ~(1 << at)
                wanted &= ~(1 << at) if missing[0] == "unpaired" else -1
        return wanted, covered, filled

    def _of_rule(self, live: LiveRule) -> tuple[int, int, int]:
        grant, programme = live.exemption, self.programme
        wanted = covered = 0
        categories = live.rule.scope.categories
        for at, course in enumerate(programme.courses):
            if grant.courses is not None and grant.courses.covers(course):
                wanted |= 1 << at
                if course.id not in self.taken and course.is_exemptible_under(categories):
                    covered |= 1 << at
        if grant.mode == "bundle":
            assert grant.courses is not None, "a bundle has courses"
            known = {course.id for course in programme.courses}
            if covered != wanted or not grant.courses.courses <= known:
                covered = 0
        buckets = enumerate(programme.buckets, start=len(programme.courses))
        return wanted, covered, mask_of(at for at, bucket in buckets if bucket.id in grant.buckets)


def _units(programme: Programme, step: Decimal) -> tuple[int, ...]:
    for course in programme.courses:
        if course.credits % step:
            raise ProgrammeInvalid(
                "credits-off-step", field=course.id, credits=str(course.credits), step=str(step)
            )
    return (
        *(int(course.credits / step) for course in programme.courses),
        *(int(bucket.capacity // step) for bucket in programme.buckets),
    )


def _bundles(options: Sequence[Option]) -> int:
    return mask_of(at for at, option in enumerate(options) if option.live.exemption.mode == "bundle")


def conflicts_of(options: Sequence[Option]) -> tuple[int, ...]:
    """Return, for each option, those that cannot be taken beside it.

    Two options exclude each other when one consumes an outcome that the other spends, when they are of one
    exclusive group, or when they spend two outcomes of one family.
    """
    spending: dict[OutcomeId, int] = {}
    consuming: dict[OutcomeId, int] = {}
    grouped: dict[tuple[str, str], int] = {}
    similar: dict[Family, dict[OutcomeId, int]] = {}
    for at, option in enumerate(options):
        for outcome in option.spent_ids:
            spending[outcome] = spending.get(outcome, 0) | 1 << at
        for outcome in option.consumed:
            consuming[outcome] = consuming.get(outcome, 0) | 1 << at
        if option.live.group is not None:
            grouped[option.live.group] = grouped.get(option.live.group, 0) | 1 << at
        for family, outcome in option.families:
            of_family = similar.setdefault(family, {})
            of_family[outcome] = of_family.get(outcome, 0) | 1 << at
    found = []
    for at, option in enumerate(options):
        rivals = 0 if option.live.group is None else grouped[option.live.group]
        for outcome in option.spent_ids:
            rivals |= consuming.get(outcome, 0)
        for outcome in option.consumed:
            rivals |= spending[outcome]
        for family, outcome in option.families:
            for other, mask in similar[family].items():
                rivals |= mask if other != outcome else 0
        found.append(rivals & ~(1 << at))
    return tuple(found)
