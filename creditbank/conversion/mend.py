"""An allocation mended: what falls out of one that is known is replaced by what fits beside the rest.

Looks once at each choice and proves nothing; most of the questions that a search is asked are answered so.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from creditbank.conversion.fill import Filler, Grant
from creditbank.conversion.layout import Choice, Layout
from creditbank.conversion.registered import mask_of

_Candidate = tuple[Choice, int]
"""What can be done at courses, and these as a mask."""


class Mender:
    """Mends allocations of one component."""

    def __init__(self, layout: Layout, filler: Filler) -> None:
        self.layout = layout
        self.filler = filler

    def without(self, found: Sequence[Grant], *, allowed: int, need: int) -> list[Grant] | None:
        """Return an allocation of the allowed options with at least `need` units, close to the one found."""
        kept = [grant for grant in found if allowed >> grant[0] & 1]
        lost = [place for option, place, _ in found if not allowed >> option & 1]
        return self._completed(kept, lost, allowed=allowed, need=need)

    def using(
        self, found: Sequence[Grant], option: int, place: int, *, allowed: int, need: int
    ) -> list[Grant] | None:
        """Return the same, but one in which the option gets that place."""
        choice = self._choices.get((option, place))
        if choice is None or place >= self.layout.problem.course_count:
            return None
        own = sum(1 << one for one in choice.places)
        rivals = self.layout.conflicts[option]
        out = {one for one, at, _ in found if rivals >> one & 1 or (self._is_whole(one) and own >> at & 1)}
        kept = [grant for grant in found if grant[0] not in out and not own >> grant[1] & 1]
        lost = [at for one, at, _ in found if one in out and not own >> at & 1]
        first = [(option, one, self.layout.units[one]) for one in choice.places]
        return self._completed([*kept, *first], lost, allowed=allowed, need=need)

    def _completed(
        self, kept: list[Grant], lost: Sequence[int], *, allowed: int, need: int
    ) -> list[Grant] | None:
        state, seen = self.layout.start, 0
        conflicts = self.layout.conflicts
        used = taken = 0
        for option, place, units in kept:
            used |= 1 << option
            taken |= 1 << place
            need -= units
            choice = self._choices.get((option, place))
            if choice is None:
                continue  # a bundle has come whole with the first of its courses
            state, seen = self._after(choice, units, state, seen)
            if state < 0:
                return None
        found = list(kept)
        for choice, own in self._candidates(lost):
            if need <= 0:
                break
            if own & taken or not allowed >> choice.option & 1 or conflicts[choice.option] & used:
                continue
            after, counted = self._after(choice, choice.units, state, seen)
            if after < 0:
                continue
            state, seen = after, counted
            used |= 1 << choice.option
            taken |= own
            found.extend((choice.option, place, self.layout.units[place]) for place in choice.places)
            need -= choice.units
        return found if need <= 0 else None

    def _candidates(self, first: Sequence[int]) -> Iterator[_Candidate]:
        """Yield what may be done at courses: where something fell out first, then the most units."""
        for place in first:
            yield from self._at.get(place, ())
        yield from (one for one in self._all if one[0].places[0] not in first)

    def _after(self, choice: Choice, units: int, state: int, seen: int) -> tuple[int, int]:
        """Return the state after a choice, -1 where a bound has no room for it."""
        is_bucket = choice.places[0] >= self.layout.problem.course_count
        state -= choice.uses * units if is_bucket else choice.uses
        if state < 0 or state & self.layout.guards != self.layout.guards:
            return -1, seen
        return self.filler.count(choice, state, seen) if choice.counts else (state, seen)

    @cached_property
    def _choices(self) -> Mapping[tuple[int, int], Choice]:
        """What each option does at each place; a bundle at the first of its courses."""
        return {(one.option, at): one for at, own in self.layout.choices.items() for one in own}

    @cached_property
    def _at(self) -> Mapping[int, Sequence[_Candidate]]:
        """For each course, what can be done there."""
        courses = self.layout.problem.course_count
        return {
            place: [(choice, mask_of(choice.places)) for choice in choices]
            for place, choices in self.layout.choices.items()
            if place < courses
        }

    @cached_property
    def _all(self) -> Sequence[_Candidate]:
        """All of it, the most units first."""
        return sorted((one for own in self._at.values() for one in own), key=lambda one: -one[0].units)

    def _is_whole(self, option: int) -> bool:
        return bool(self.layout.problem.bundles >> option & 1)
