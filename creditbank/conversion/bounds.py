"""Everything that bounds an allocation, in one form: limits of rules, budgets, capacities, and caps.

A cap with periods becomes one bound for each stretch of time in which a spent outcome was awarded; one that
holds per issuer, code or kind becomes one for each of these.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import reduce
from typing import Literal

from creditbank.conversion.holding import Holding, Pinned
from creditbank.conversion.matching import Option
from creditbank.conversion.programme import Cap, CapPart, Each, Programme
from creditbank.conversion.registered import Registered, mask_of
from creditbank.terms import OutcomeId

_Use = tuple[Pinned, tuple[Holding, ...]]
Stretch = tuple[date | None, Each | None]
"""What a cap counts by itself: a period by its first day, and one issuer, code or kind; None: all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """At most `room` units, courses or distinct outcomes among these options at these places.

    Of the measure `leftover`: nothing at the buckets unless something at the courses among them.
    `source` is the cap, the option, the outcome or the bucket that it comes from.
    """

    kind: Literal["limit", "budget", "capacity", "cap", "leftover"]
    measure: Literal["credits", "courses", "outcomes", "leftover"]
    room: int
    maximum: int  # room before registered grants
    places: int
    options: int
    source: str
    period: date | None = None
    each: Each | None = None  # of a cap that is over each
    counted: Mapping[int, tuple[OutcomeId, ...]] | None = None  # option -> outcomes, for the measure outcomes

    @property
    def part(self) -> CapPart:
        """What of a cap it is."""
        assert self.kind == "cap", "only a cap has parts"
        return CapPart(cap=self.source, period=self.period, each=self.each)


def limits(
    options: Sequence[Option],
    covers: Sequence[int],
    fills: Sequence[int],
    *,
    programme: Programme,
    registered: Registered,
    step: Decimal,
) -> Iterator[Bound]:
    """Yield the limits that rules set to each of their applications."""
    for at, option in enumerate(options):
        grant = option.live.exemption
        credit_limits = [one for one in (grant.max_credits, option.worth) if one is not None]
        used = registered.under(option)
        if credit_limits:
            maximum = int(min(credit_limits) // step)
            room = max(0, maximum - sum(grant.units for grant in used))
            yield _bound("limit", "credits", room, maximum, covers[at] | fills[at], 1 << at, str(at))
        courses = sum(programme.course_of(one.target) is not None for one in used)
        if grant.is_leftover_only and fills[at] and not courses:
            yield _bound("leftover", "leftover", 0, 0, covers[at] | fills[at], 1 << at, str(at))
        if grant.max_courses is not None:
            room = max(0, grant.max_courses - courses)
            yield _bound("limit", "courses", room, grant.max_courses, covers[at], 1 << at, str(at))


def budgets(
    options: Sequence[Option],
    covers: Sequence[int],
    fills: Sequence[int],
    *,
    registered: Registered,
    step: Decimal,
) -> Iterator[Bound]:
    """Yield what each drawn outcome holds: the most that any of its options finds in it."""
    drawing: dict[OutcomeId, list[int]] = {}
    for at, option in enumerate(options):
        if option.drawn is not None:
            drawing.setdefault(option.drawn.id, []).append(at)
    for outcome, ats in drawing.items():
        used = sum(
            grant.units
            for grant in registered.pinned
            if outcome in grant.spent and outcome in registered.drawn
        )
        stated = {at: options[at].budget or Decimal(0) for at in ats}
        budgets = {at: int(budget // step) for at, budget in stated.items()}
        left = {at: max(Decimal(0), stated[at] - registered.drawn_elsewhere(options[at])) for at in ats}
        rooms = {at: max(0, int(left[at] // step) - used) for at in ats}
        largest, most = max(budgets.values()), max(rooms.values())
        places = reduce(int.__or__, (covers[at] | fills[at] for at in ats))
        yield _bound("budget", "credits", most, largest, places, mask_of(ats), outcome)
        for at, budget in budgets.items():
            if budget < largest or rooms[at] < most:
                yield _bound("budget", "credits", rooms[at], budget, covers[at] | fills[at], 1 << at, outcome)


def capacities(
    programme: Programme, fills: Sequence[int], units: Sequence[int], *, registered: Registered
) -> Iterator[Bound]:
    """Yield what each bucket still holds."""
    for at, bucket in enumerate(programme.buckets, start=len(programme.courses)):
        filling = mask_of(option for option, filled in enumerate(fills) if filled >> at & 1)
        used = sum(grant.units for grant in registered.pinned if grant.target == bucket.id)
        room = max(0, units[at] - used)
        yield _bound("capacity", "credits", room, units[at], 1 << at, filling, bucket.id)


def caps(
    options: Sequence[Option],
    programme: Programme,
    *,
    registered: Registered,
    step: Decimal,
    as_of: date,
) -> Iterator[Bound]:
    """Yield the programme's caps by id, those with periods once for each."""
    ids = [course.id for course in programme.courses] + [bucket.id for bucket in programme.buckets]
    place_of: dict[str, int] = {id_: at for at, id_ in enumerate(ids)}
    for cap in sorted(programme.caps, key=lambda cap: cap.id):
        places = _cap_places(cap, programme)
        always: dict[int, tuple[Holding, ...]] = {}
        covered = {} if _is_by_outcome(cap) else {_stretch(cap, as_of): always}
        for at, option in enumerate(options):
            found = _stretches(cap, option.live.rule.route, option.spent, granted_on=as_of)
            for stretch, outcomes in found.items():
                covered.setdefault(stretch, {})[at] = outcomes
        used: dict[Stretch, list[_Use]] = {}
        for grant in registered.pinned:
            at_place = place_of.get(grant.target)
            if at_place is not None and places >> at_place & 1:
                found = _stretches(
                    cap,
                    registered.route(grant),
                    registered.spent(grant),
                    granted_on=grant.granted_on or as_of,
                )
                for stretch, outcomes in found.items():
                    used.setdefault(stretch, []).append((grant, outcomes))
        for stretch in sorted({*covered, *used}, key=lambda one: (one[0] or date.min, str(one[1] or ""))):
            yield _cap_bound(
                cap,
                programme,
                covered.get(stretch, {}),
                used.get(stretch, []),
                places=places,
                maximum=cap_maximum(cap, programme, step),
                stretch=stretch,
            )


def _cap_bound(
    cap: Cap,
    programme: Programme,
    covered: Mapping[int, tuple[Holding, ...]],
    used: Sequence[_Use],
    *,
    places: int,
    maximum: int,
    stretch: Stretch,
) -> Bound:
    already = {holding.id for _, outcomes in used for holding in outcomes}
    counted = {
        at: tuple(one.id for one in outcomes if one.id not in already) for at, outcomes in covered.items()
    }
    return Bound(
        kind="cap",
        measure=cap.measure,
        room=max(0, maximum - _used(cap, programme, used)),
        maximum=maximum,
        places=places,
        options=mask_of(covered),
        source=cap.id,
        period=stretch[0],
        each=stretch[1],
        counted=counted if cap.measure == "outcomes" else None,
    )


def cap_maximum(cap: Cap, programme: Programme, step: Decimal) -> int:
    """Return a cap's limit in its own measure; a share is rounded down."""
    unit = step if cap.measure == "credits" else Decimal(1)
    if cap.maximum is not None:
        return int(cap.maximum // unit)
    assert cap.share is not None, "a cap has a maximum or a share"
    within = [course for course in programme.courses if cap.share_of_module in (None, course.module)]
    if cap.measure == "courses":
        base = Decimal(len(within))
    elif cap.share_of_module is None:
        base = programme.credits
    else:
        base = sum((course.credits for course in within), Decimal(0)) + sum(
            (bucket.capacity for bucket in programme.buckets if bucket.module == cap.share_of_module),
            Decimal(0),
        )
    return int(cap.share * base // unit)


def _used(cap: Cap, programme: Programme, used: Sequence[_Use]) -> int:
    match cap.measure:
        case "credits":
            return sum(grant.units for grant, _ in used)
        case "courses":
            return sum(programme.course_of(grant.target) is not None for grant, _ in used)
        case "outcomes":
            return len({holding.id for _, outcomes in used for holding in outcomes})


def _is_by_outcome(cap: Cap) -> bool:
    """Whether what the cap counts apart hangs on outcomes, not on the day of the grant alone."""
    return cap.per is not None or bool(cap.periods and cap.period_by == "award")


def _stretch(cap: Cap, day: date) -> Stretch:
    return (period_start(cap, day) if cap.periods else None, None)


def _stretches(
    cap: Cap, route: str | None, spent: Sequence[Holding], *, granted_on: date
) -> dict[Stretch, tuple[Holding, ...]]:
    """Return the outcomes that the cap counts, by what it counts apart; empty where it covers none."""
    if cap.routes and route not in cap.routes:
        return {}
    fitting = tuple(
        holding
        for holding in spent
        if (not cap.kinds or holding.kind in cap.kinds) and (not cap.issuers or holding.issuer in cap.issuers)
    )
    if not _is_by_outcome(cap):
        asks = bool(cap.kinds or cap.issuers)
        return {_stretch(cap, granted_on): fitting} if fitting or not asks else {}
    found: dict[Stretch, tuple[Holding, ...]] = {}
    for holding in fitting:
        start, _ = _stretch(cap, granted_on if cap.period_by == "grant" else holding.awarded_on)
        each = None if cap.per is None else Each(per=cap.per, value=str(getattr(holding, cap.per)))
        stretch = (start, each)
        found[stretch] = (*found.get(stretch, ()), holding)
    return found


def period_start(cap: Cap, day: date) -> date:
    """Return the first day of that of the cap's periods in which a day lies."""
    starts = (date(year, *start) for year in (day.year - 1, day.year) for start in cap.periods)
    return max(start for start in starts if start <= day)


def _cap_places(cap: Cap, programme: Programme) -> int:
    everywhere = cap.courses is None and cap.buckets is None
    courses = (
        at
        for at, course in enumerate(programme.courses)
        if everywhere or (cap.courses is not None and cap.courses.covers(course))
    )
    buckets = (
        at
        for at, bucket in enumerate(programme.buckets, start=len(programme.courses))
        if everywhere or (cap.buckets is not None and bucket.id in cap.buckets)
    )
    return mask_of(courses) | mask_of(buckets)


def _bound(
    kind: Literal["limit", "budget", "capacity", "leftover"],
    measure: Literal["credits", "courses", "leftover"],
    room: int,
    maximum: int,
    places: int,
    options: int,
    source: str,
) -> Bound:
    return Bound(
        kind=kind,
        measure=measure,
        room=room,
        maximum=maximum,
        places=places,
        options=options,
        source=source,
    )
