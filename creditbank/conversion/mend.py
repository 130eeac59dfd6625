"""An allocation mended: what falls out of one that is known is replaced by what fits beside the rest.

Looks once at each choice and proves nothing; most of the questions that a search is asked are answered so.
"""

from collections.abc import Iterable, Iterator, Sequence

from creditbank.conversion.fill import Filler, Grant
from creditbank.conversion.layout import Choice, Layout


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
        choice = self._choice(option, place)
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
        used = taken = 0
        for option, place, units in kept:
            used |= 1 << option
            taken |= 1 << place
            choice = self._choice(option, place)
            if choice is None:
                continue  # a bundle has come whole with the first of its courses
            state, seen = self._after(choice, units, state, seen)
            if state < 0:
                return None
        found = list(kept)
        need -= sum(units for _, _, units in kept)
        for choice in self._candidates(lost):
            if need <= 0:
                break
            if not allowed >> choice.option & 1 or self.layout.conflicts[choice.option] & used:
                continue
            if any(taken >> place & 1 for place in choice.places):
                continue
            after, counted = self._after(choice, choice.units, state, seen)
            if after < 0:
                continue
            state, seen = after, counted
            used |= 1 << choice.option
            for place in choice.places:
                taken |= 1 << place
                found.append((choice.option, place, self.layout.units[place]))
            need -= choice.units
        return found if need <= 0 else None

    def _candidates(self, first: Sequence[int]) -> Iterator[Choice]:
        """Yield what may be done at courses: where something fell out first, then the most units."""
        choices = self.layout.choices
        courses = self.layout.problem.course_count
        for place in first:
            if place < courses:
                yield from choices.get(place, ())
        yield from sorted(self._elsewhere(set(first), courses), key=lambda choice: -choice.units)

    def _elsewhere(self, first: Iterable[int], courses: int) -> Iterator[Choice]:
        for place, choices in self.layout.choices.items():
            if place < courses and place not in first:
                yield from choices

    def _after(self, choice: Choice, units: int, state: int, seen: int) -> tuple[int, int]:
        """Return the state after a choice, -1 where a bound has no room for it."""
        is_bucket = choice.places[0] >= self.layout.problem.course_count
        state -= choice.uses * units if is_bucket else choice.uses
        if state < 0 or state & self.layout.guards != self.layout.guards:
            return -1, seen
        return self.filler.count(choice, state, seen) if choice.counts else (state, seen)

    def _choice(self, option: int, place: int) -> Choice | None:
        return next(
            (choice for choice in self.layout.choices.get(place, ()) if choice.option == option), None
        )

    def _is_whole(self, option: int) -> bool:
        return bool(self.layout.problem.bundles >> option & 1)
