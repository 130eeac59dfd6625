"""One learner's options and one programme, as integers: what may go where, and what bounds it.

Places (courses, then buckets) and options (in rank order) are bits of a mask; every bound, whether a rule's
own limit, an outcome's budget, a bucket's capacity or a cap, is one `Bound`. Registered grants have already
taken their share of each. What to choose is for `search`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from math import gcd

from creditbank.conversion.bounds import Bound, budgets, capacities, caps, limits
from creditbank.conversion.decision import RefusalKind
from creditbank.conversion.holding import Holding, Pinned
from creditbank.conversion.matching import Option
from creditbank.conversion.programme import Bucket, Course, Programme, ProgrammeInvalid
from creditbank.conversion.registered import Registered, mask_of
from creditbank.conversion.rule import Rule, RulePack
from creditbank.terms import OutcomeId

_MICRO = 10**6


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """All of it; `covers[o]` are the courses and `fills[o]` the buckets that option `o` may still get."""

    step: Decimal
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
    blocked: Mapping[int, tuple[RefusalKind, str]]  # options that registered grants rule out: (why, by what)


def common_step(packs: Iterable[RulePack]) -> Decimal:
    """Return the largest credit of which every pack's step is a multiple; 1 where there is no pack."""
    steps = [int(pack.step * _MICRO) for pack in packs]
    return (Decimal(reduce(gcd, steps)) / _MICRO).normalize() if steps else Decimal(1)


def pose(
    options: Sequence[Option],
    programme: Programme,
    *,
    step: Decimal,
    holdings: Mapping[OutcomeId, Holding],
    pinned: Sequence[Pinned],
    rules: Mapping[tuple[str, str, int], Rule],
) -> Problem:
    """State the problem; `options` are in rank order, `rules` are all versions that packs know.

    Raises:
        ProgrammeInvalid: `credits-off-step`.
    """
    places: tuple[Course | Bucket, ...] = (*programme.courses, *programme.buckets)
    taken = {grant.target: grant for grant in pinned if programme.course_of(grant.target) is not None}
    registered = Registered(pinned, rules=rules, holdings=holdings)
    blocked = {at: why for at, option in enumerate(options) if (why := registered.blocks(option))}
    wants, covers, fills = [], [], []
    for at, option in enumerate(options):
        wanted, covered, filled = _reach(option, programme, taken)
        wants.append(wanted)
        covers.append(0 if at in blocked else covered)
        fills.append(0 if at in blocked else filled)
    units = _units(programme, step) if options else (0,) * len(places)
    bounds = (
        *limits(options, covers, fills, programme=programme, registered=registered, step=step),
        *budgets(options, covers, fills, registered=registered, step=step),
        *capacities(programme, fills, units, registered=registered),
        *caps(options, programme, registered=registered, step=step),
    )
    return Problem(
        step=step,
        places=places,
        course_count=len(programme.courses),
        units=units,
        options=tuple(options),
        wants=tuple(wants),
        covers=tuple(covers),
        fills=tuple(fills),
        bundles=mask_of(at for at, option in enumerate(options) if option.live.exemption.mode == "bundle"),
        conflicts=_conflicts(options),
        bounds=bounds,
        taken=taken,
        blocked=blocked,
    )


def _reach(option: Option, programme: Programme, taken: Mapping[str, Pinned]) -> tuple[int, int, int]:
    """Return the courses the option is about, those it may get, and the buckets it may fill."""
    grant = option.live.exemption
    wanted = covered = filled = 0
    categories = option.live.rule.scope.categories
    for at, course in enumerate(programme.courses):
        if grant.courses is not None and grant.courses.covers(course):
            wanted |= 1 << at
            if course.id not in taken and course.is_exemptible_under(categories):
                covered |= 1 << at
    if grant.mode == "bundle":
        assert grant.courses is not None, "a bundle has courses"
        known = {course.id for course in programme.courses}
        if covered != wanted or not grant.courses.courses <= known:
            covered = 0
    kinds = {holding.kind for holding in option.spent}
    for at, bucket in enumerate(programme.buckets, start=len(programme.courses)):
        if bucket.id in grant.buckets and (not bucket.accepts or (kinds and kinds <= bucket.accepts)):
            filled |= 1 << at
    return wanted, covered, filled


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


def _conflicts(options: Sequence[Option]) -> tuple[int, ...]:
    """Return, for each option, those that cannot be taken beside it."""
    return tuple(
        mask_of(at for at, other in enumerate(options) if at != here and are_exclusive(option, other))
        for here, option in enumerate(options)
    )


def are_exclusive(one: Option, other: Option) -> bool:
    """Whether two options want one outcome for themselves, one exclusive group, or two similar outcomes."""
    if set(one.consumed) & set(other.spent_ids) or set(other.consumed) & set(one.spent_ids):
        return True
    if one.live.group is not None and one.live.group == other.live.group:
        return True
    similar = dict(one.families)
    return any(similar.get(family, outcome) != outcome for family, outcome in other.families)
