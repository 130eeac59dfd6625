"""One order of a component's places, and what can still be got from each of them on.

All sets of options that are searched in the same order share it: what one option or some that go together
can still come to does not depend on the others.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Protocol

from creditbank.conversion.layout import Choice, Layout, bits, sumset

Item = tuple[int, tuple[Choice, ...]]
"""A place, and what can be done there; of a bucket what one option can."""


class Part(Protocol):
    """Some options, and what they can still come to; `mask` is all that it looks at of a state."""

    mask: int

    def sums(self, at: int, state: int) -> int:
        """Return the bitset of the units from a position on."""


class Order:
    """The positions of one order: the programme's, or first the places with the fewest takers."""

    def __init__(self, layout: Layout, *, canonical: bool) -> None:
        self.layout = layout
        courses = layout.problem.course_count
        self.items: list[Item] = []
        for place, choices in layout.choices.items():
            if place < courses:
                self.items.append((place, choices))
            else:
                self.items.extend((place, (choice,)) for choice in choices)
        if not canonical:
            self.items.sort(key=self._scarcity)
        self.ends = self._ends()
        self.choices: dict[int, dict[int, Choice]] = {}  # of each option, by position
        for at, (_, choices) in enumerate(self.items):
            for choice in choices:
                self.choices.setdefault(choice.option, {})[at] = choice
        self._later: dict[int, list[int]] = {}
        self._own: dict[int, _Own] = {}
        self._one_of: dict[int, Part] = {}
        self._together: dict[tuple[int, int], Part] = {}

    def _scarcity(self, item: Item) -> tuple[bool, int, int, int]:
        place, choices = item
        return (place >= self.layout.problem.course_count, len(choices), -choices[0].units, place)

    def _ends(self) -> list[int]:
        """Return, by position, the places that can be got there and at no later one."""
        known, ends = 0, []
        for _, choices in reversed(self.items):
            places = 0
            for choice in choices:
                for place in choice.places:
                    places |= 1 << place
            ends.append(places & ~known)
            known |= places
        return ends[::-1]

    def later(self, places: int) -> list[int]:
        """Return, from each position on, the units of those of the places that can still be got."""
        found = self._later.get(places)
        if found is None:
            units, total = self.layout.units_of, 0
            found = [0]
            for ends in reversed(self.ends):
                total += units(ends & places)
                found.append(total)
            found.reverse()
            self._later[places] = found
        return found

    def one_of(self, options: int) -> Part:
        """Return what the options, of which one gets a course, can still come to."""
        part = self._one_of.get(options)
        if part is None:
            part = self._one_of[options] = _OneOf([self._of(option) for option in bits(options)])
        return part

    def together(self, field: int, options: int, parts: Sequence[Part]) -> Part:
        """Return what these parts, which are those options, can still come to within a field."""
        part = self._together.get((field, options))
        if part is None:
            shift, width = self.layout.shift[field], self.layout.width[field]
            part = self._together[field, options] = _Together(parts, shift, width)
        return part

    def _of(self, option: int) -> "_Own":
        own = self._own.get(option)
        if own is None:
            own = self._own[option] = _Own(self, option)
        return own


class _Own:
    """What one option can still come to by itself, from each position on."""

    def __init__(self, order: Order, option: int) -> None:
        layout, choices = order.layout, order.choices[option]
        self.any_of, self.one_of, self.poured = [1], [1], [0]
        any_of, one_of, poured = 1, 1, 0
        for at in range(len(order.items) - 1, -1, -1):
            choice = choices.get(at)
            if choice is not None and choice.places[0] < layout.problem.course_count:
                any_of |= any_of << choice.units
                one_of |= 1 << choice.units
            elif choice is not None:
                poured += layout.units[choice.places[0]]
            self.any_of.append(any_of)
            self.one_of.append(one_of)
            self.poured.append(poured)
        self.any_of.reverse()
        self.one_of.reverse()
        self.poured.reverse()
        self.limit = _field(layout, layout.own_field[option])
        self.courses = _field(layout, layout.course_field[option])
        self.mask = _mask(self.limit) | _mask(self.courses)

    def sums(self, at: int, state: int) -> int:
        """Return the bitset of the units it can come to."""
        sums = self.any_of[at]
        if self.courses is not None:
            left = state >> self.courses[0] & self.courses[1]
            if left < 2:  # noqa: PLR2004 (one course or none)
                sums = self.one_of[at] if left else 1
        if self.poured[at]:
            sums = sumset(sums, (2 << self.poured[at]) - 1)
        if self.limit is not None:
            sums &= (2 << (state >> self.limit[0] & self.limit[1])) - 1
        return sums


class _OneOf:
    """Options of which only one gets a course; what they come to is remembered by the fields it hangs on."""

    def __init__(self, owns: Sequence[_Own]) -> None:
        self.owns = owns
        self.mask = reduce(int.__or__, (own.mask for own in owns))
        self.known: dict[tuple[int, int], int] = {}

    def sums(self, at: int, state: int) -> int:
        key = (at, state & self.mask)
        sums = self.known.get(key)
        if sums is None:
            sums = 0
            for own in self.owns:
                sums |= own.sums(at, state)
            self.known[key] = sums
        return sums


class _Together:
    """Parts that one bound in credits holds together; remembered but for the bound's own room."""

    def __init__(self, parts: Sequence[Part], shift: int, width: int) -> None:
        self.parts = tuple(parts)
        self.shift, self.width = shift, width
        self.inner = reduce(int.__or__, (part.mask for part in parts))
        self.mask = self.inner | width << shift
        self.known: dict[tuple[int, int], int] = {}

    def sums(self, at: int, state: int) -> int:
        key = (at, state & self.inner)
        sums = self.known.get(key)
        if sums is None:
            sums = 1
            for part in self.parts:
                sums = sumset(sums, part.sums(at, state))
            self.known[key] = sums
        return sums & ((2 << (state >> self.shift & self.width)) - 1)


def _field(layout: Layout, at: int | None) -> tuple[int, int] | None:
    return None if at is None else (layout.shift[at], layout.width[at])


def _mask(field: tuple[int, int] | None) -> int:
    return 0 if field is None else field[1] << field[0]
