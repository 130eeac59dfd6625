"""A solver of integer programmes, asked where the budget of nodes ends: the port, and the walk it is led on.

It is asked for the most units and then, as questions with yes or no for an answer, what the search would have
asked: can that still be reached without X? Every allocation it names is checked here in integers; what it
cannot tell, or tells wrong, leaves the answer unproved.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from creditbank.conversion.fill import Grant
from creditbank.conversion.layout import Choice, Layout

Fixed = Mapping[tuple[int, int], int | None]
"""By option and place: the units it gets there, no more and no fewer; None: it does not get that place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """An allocation, and the units that the solver says none exceeds; both in the layout's units."""

    grants: tuple[Grant, ...]
    bound: int


class Posed(Protocol):
    """One component, ready to be asked about."""

    def most(
        self, options: int, fixed: Fixed, *, at_least: int = 0, prefer: tuple[int, int] | None = None
    ) -> Named | None:
        """Return an allocation of these options with the most units, and as `fixed` has it.

        With `prefer` one with at least so many units, and the most of that option at that place. A `bound`
        below `at_least`: there is none. None: the solver cannot tell.
        """


class Solver(Protocol):
    """Whatever solves integer programmes: of one question always the same answer."""

    @property
    def name(self) -> str:
        """What it is called, with its version: decisions that it settled name it."""

    def pose(self, layout: Layout) -> Posed: ...


class Unsettled(Exception):
    """The solver could not tell, or named what is not an allocation."""


class Walk:
    """Walks one component down the order of CONVERSION §3; `spends` are those of the search."""

    def __init__(self, layout: Layout, solver: Solver, *, spends: Sequence[int]) -> None:
        self.layout = layout
        self.posed = solver.pose(layout)
        self.spends = spends
        self.found: tuple[Grant, ...] = ()
        self.units = 0

    def best(self, live: int) -> tuple[Grant, ...]:
        """Return the canonical optimum of these options, in the layout's units.

        Raises:
            Unsettled: the solver could not tell.
        """
        named = self._ask(live, {}, at_least=0)
        self.found, self.units = named.grants, sum(units for _, _, units in named.grants)
        if named.bound != self.units:
            raise Unsettled
        if not self.units:
            return ()
        fixed: dict[tuple[int, int], int | None] = {}
        self._settle_places(self._settle_options(live), fixed)
        return tuple((*pair, units) for pair, units in fixed.items() if units is not None)

    def _settle_options(self, allowed: int) -> int:
        favours = [1 << option for option in reversed(self.layout.options)]
        for unwanted in (*self.spends, *favours):
            if not allowed & unwanted:
                continue
            if _used(self.found) & unwanted and not self._reaches(allowed & ~unwanted, {}):
                continue
            allowed &= ~unwanted
        return allowed

    def _settle_places(self, allowed: int, fixed: dict[tuple[int, int], int | None]) -> None:
        for place, choices in self.layout.choices.items():
            open_ = [choice for choice in choices if allowed >> choice.option & 1]
            if place >= self.layout.problem.course_count:
                for choice in open_:
                    self._pour(allowed, fixed, (choice.option, place))
                continue
            for choice in open_:
                trial = {**fixed, **_nobody(open_), **self._whole(choice)}
                if self._reaches(allowed, trial):
                    fixed.update(trial)
                    break
            else:
                fixed.update(_nobody(open_))

    def _whole(self, choice: Choice) -> Fixed:
        return {(choice.option, place): self.layout.units[place] for place in choice.places}

    def _pour(self, allowed: int, fixed: dict[tuple[int, int], int | None], pair: tuple[int, int]) -> None:
        named = self._ask(allowed, fixed, at_least=self.units, prefer=pair)
        self.found = named.grants
        fixed[pair] = next((units for *got, units in named.grants if tuple(got) == pair), None)

    def _reaches(self, allowed: int, fixed: Fixed) -> bool:
        """Whether as many units can be reached so; if they can, what was found is one such allocation."""
        if not _used(self.found) & ~allowed and _agrees(self.found, fixed):
            return True
        named = self._ask(allowed, fixed, at_least=self.units)
        if named.bound < self.units:
            return False
        if sum(units for _, _, units in named.grants) < self.units:
            raise Unsettled
        self.found = named.grants
        return True

    def _ask(
        self, allowed: int, fixed: Fixed, *, at_least: int, prefer: tuple[int, int] | None = None
    ) -> Named:
        named = self.posed.most(allowed, fixed, at_least=at_least, prefer=prefer)
        if named is None or not is_allocation(self.layout, named.grants):
            raise Unsettled
        if named.grants and not (_agrees(named.grants, fixed) and not _used(named.grants) & ~allowed):
            raise Unsettled
        return named


def is_allocation(layout: Layout, grants: Iterable[Grant]) -> bool:
    """Whether these are an allocation: every bound kept, bundles whole, no two that exclude each other."""
    given: dict[int, dict[int, int]] = {}
    for option, place, units in grants:
        if units < 0 or place in given.setdefault(option, {}):
            return False
        given[option][place] = units
    used = sum(1 << option for option in given)
    if any(layout.problem.conflicts[option] & used for option in given):
        return False
    taken = [place for places in given.values() for place in places if place < layout.problem.course_count]
    return len(taken) == len(set(taken)) and _fits(layout, given)


def _fits(layout: Layout, given: Mapping[int, Mapping[int, int]]) -> bool:
    state, seen = layout.start, 0
    chosen = {option: set(places) for option, places in given.items()}
    for place, choices in layout.choices.items():
        for choice in choices:
            asked = chosen.get(choice.option, set())
            if not asked.issuperset(choice.places):
                continue
            asked.difference_update(choice.places)
            units = given[choice.option]
            is_bucket = place >= layout.problem.course_count
            if not is_bucket and any(units[one] != layout.units[one] for one in choice.places):
                return False
            for _ in range(units[place] if is_bucket else 1):
                state -= choice.uses
                if state & layout.guards != layout.guards:
                    return False
            for bit, uses in choice.counts:
                if not seen & bit:
                    seen, state = seen | bit, state - uses
            if state & layout.guards != layout.guards:
                return False
    return not any(chosen.values())


def _nobody(choices: Iterable[Choice]) -> Fixed:
    return {(choice.option, place): None for choice in choices for place in choice.places}


def _used(grants: Iterable[Grant]) -> int:
    used = 0
    for option, _, _ in grants:
        used |= 1 << option
    return used


def _agrees(grants: Iterable[Grant], fixed: Fixed) -> bool:
    given = {(option, place): units for option, place, units in grants}
    return all(given.get(pair) == units for pair, units in fixed.items())
