"""What of a component can be left out before it is searched: implied bounds, and options outdone by others.

Neither changes which allocation is the one best (CONVERSION §5): the fewer bounds and options there are to
tell states of the search apart by, the more of them are one and the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from creditbank.conversion.bounds import Bound
from creditbank.conversion.problem import Problem

Reach = Mapping[int, int]
"""The places that each option may get."""


def narrowed(bounds: Iterable[Bound], reach: Reach) -> list[Bound]:
    """Return the bounds as far as they concern these options at the places that they may get."""
    found = []
    for bound in bounds:
        options = places = 0
        for option, reached in reach.items():
            if bound.options >> option & 1 and reached & bound.places:
                options |= 1 << option
                places |= reached & bound.places
        if options:
            found.append(replace(bound, options=options, places=places))
    return found


def exclusions(bounds: Iterable[Bound], reach: Reach) -> dict[int, int]:
    """Return, by option, those that a count of one outcome, wherever used, keeps from being beside it."""
    found = dict.fromkeys(reach, 0)
    for bound in bounds:
        if bound.counted is None or bound.room != 1:
            continue
        counted = {
            option: set(outcomes)
            for option, outcomes in bound.counted.items()
            if bound.options >> option & 1 and not reach[option] & ~bound.places
        }
        for one, outcomes in counted.items():
            for other, others in counted.items():
                if one != other and len(outcomes | others) > 1:
                    found[one] |= 1 << other
    return found


def telling(bounds: Sequence[Bound]) -> list[Bound]:
    """Return the bounds that no other implies: as tight, and over all that it is over."""
    kept: list[Bound] = []
    for at, bound in enumerate(bounds):
        others = (*kept, *bounds[at + 1 :])
        if not any(_implies(other, bound) for other in others):
            kept.append(bound)
    return kept


def _implies(one: Bound, other: Bound) -> bool:
    if one.measure != other.measure or one.room > other.room:
        return False
    if other.options & ~one.options or other.places & ~one.places:
        return False
    if other.counted is None or one.counted is None:
        return True
    return all(
        set(other.counted[at]) <= set(one.counted[at]) for at in other.counted if other.options >> at & 1
    )


def outdone(problem: Problem, bounds: Sequence[Bound], reach: Reach, conflicts: Sequence[int]) -> int:
    """Return the options in whose place an earlier one of the same outcomes could always be taken.

    It may get all that they may, keeps out no other option that they do not, and uses no bound more. The one
    best allocation has none of them.
    """
    found = 0
    for rivals in _alike(problem, reach).values():
        for at, later in enumerate(rivals):
            if any(
                not found >> earlier & 1 and _outdoes(earlier, later, problem, bounds, reach, conflicts)
                for earlier in rivals[:at]
            ):
                found |= 1 << later
    return found


def _alike(problem: Problem, reach: Reach) -> dict[frozenset[str], list[int]]:
    """Return the options by the outcomes that they spend."""
    found: dict[frozenset[str], list[int]] = {}
    for option in reach:
        found.setdefault(frozenset(problem.options[option].spent_ids), []).append(option)
    return found


def _outdoes(
    one: int, other: int, problem: Problem, bounds: Sequence[Bound], reach: Reach, conflicts: Sequence[int]
) -> bool:
    if not conflicts[one] >> other & 1 or conflicts[one] & ~(conflicts[other] | 1 << other):
        return False
    if problem.bundles >> one & 1 or problem.bundles >> other & 1:
        if reach[one] != reach[other] or (problem.bundles >> one ^ problem.bundles >> other) & 1:
            return False
    elif reach[other] & ~reach[one]:
        return False
    return all(
        _is_no_tighter(bound, one, other, reach, bounds) for bound in bounds if bound.options >> one & 1
    )


def _is_no_tighter(bound: Bound, one: int, other: int, reach: Reach, bounds: Sequence[Bound]) -> bool:
    """Whether the other option is under this bound too, or under one of its own that is as tight."""
    places = bound.places & reach[other]
    if not places:
        return True
    if bound.options >> other & 1:
        return bound.counted is None or set(bound.counted[one]) <= set(bound.counted[other])
    if bound.options & (bound.options - 1) or bound.counted is not None:
        return False
    return any(
        own.options == 1 << other
        and own.measure == bound.measure
        and own.room <= bound.room
        and not places & ~own.places
        for own in bounds
    )
