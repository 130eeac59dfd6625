"""What the places from one item on can still bring at most: cheap, never too low, and seldom too high.

Three sides are summed and the least taken: what the options may still give (each its largest reachable sum,
shared bounds over them), what the places may still take (bounds over them), and cuts between the two.
"""

from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import Protocol

from creditbank.conversion.bounds import Bound
from creditbank.conversion.layout import Choice, Layout, bits, sumset

Item = tuple[int, tuple[Choice, ...]]
_Absorb = tuple[int, int, tuple[int, ...]]
"""A bound's field (shift and width), and the summands that it holds together."""


class _Part(Protocol):
    """Some options, and what they can still come to; `mask` is all that it looks at of a state."""

    mask: int

    def sums(self, at: int, state: int) -> int:
        """Return the bitset of the units from an item on."""


class _Own:
    """What one option can still come to by itself, from each item on."""

    def __init__(self, layout: Layout, option: int, items: Sequence[Item]) -> None:
        self.any_of, self.one_of, self.poured = [1], [1], [0]
        for place, choices in reversed(items):
            units = bucket = 0
            for choice in choices:
                if choice.option == option:
                    if place < layout.problem.course_count:
                        units = choice.units
                    else:
                        bucket = layout.units[place]
            self.any_of.append(self.any_of[-1] | self.any_of[-1] << units)
            self.one_of.append(self.one_of[-1] | 1 << units)
            self.poured.append(self.poured[-1] + bucket)
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

    def __init__(self, parts: Sequence[_Part], shift: int, width: int) -> None:
        self.parts = parts
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


class Ceiling:
    """The bound for one set of options and one order of items."""

    def __init__(self, layout: Layout, chosen: int, items: Sequence[Item]) -> None:
        self.layout = layout
        self.items = items
        groups = _groups(layout, chosen)
        self.parts: list[_Part] = [
            _OneOf([_Own(layout, option, items) for option in bits(group)]) for group in groups
        ]
        self._absorb_options(groups, chosen)
        self._absorb_places(chosen)
        self.cuts = self._cuts(groups)

    def at_most(self, at: int, state: int, need: int = 0) -> int:
        """Return units that the items from `at` on cannot exceed; any figure below `need` will do."""
        taken = [later[at] for later in self.place_leaves]
        for shift, width, parts in self.by_places:
            room, value = state >> shift & width, 0
            for part in parts:
                value += taken[part]
            taken.append(min(room, value))
        least = sum(taken[part] for part in self.place_roots)
        for shift, width, outside in self.others:
            least = min(least, (state >> shift & width) + outside[at])
        if least < need:
            return least
        for later, apart in self.cuts:
            value = later[at]
            for far in apart:
                value += far.sums(at, state).bit_length() - 1
            least = min(least, value)
        given = 0
        for root in self.option_roots:
            given += root.sums(at, state).bit_length() - 1
        return min(least, given)

    def _later(self, counts: Callable[[int, int], bool]) -> list[int]:
        """Return, from each item on, the units of the places that some counting choice may get."""
        later, known = [0], 0
        for _, choices in reversed(self.items):
            fresh = 0
            for choice in choices:
                for place in choice.places:
                    if counts(choice.option, place):
                        fresh |= 1 << place
            later.append(later[-1] + self.layout.units_of(fresh & ~known))
            known |= fresh
        return later[::-1]

    def _absorb_options(self, groups: Sequence[int], chosen: int) -> None:
        layout = self.layout
        roots = dict(enumerate(groups))
        self.others: list[tuple[int, int, list[int]]] = []
        for at in layout.credit_fields:
            bound = layout.bounds[at]
            within = bound.options & chosen
            if within & (within - 1) == 0:
                continue
            shift, width = layout.shift[at], layout.width[at]
            held = tuple(part for part, mask in roots.items() if not mask & ~layout.whole[at])
            if sum(layout.units_most(roots[part]) for part in held) > layout.rooms[at]:
                roots[len(self.parts)] = sum(roots.pop(part) for part in held)
                self.parts.append(_Together([self.parts[part] for part in held], shift, width))
            if within != chosen:
                outside = self._later(partial(_is_past, bound))
                self.others.append((shift, width, outside))
        self.option_roots = tuple(self.parts[part] for part in roots)

    def _absorb_places(self, chosen: int) -> None:
        layout = self.layout
        reach = 0
        for _, choices in self.items:
            for choice in choices:
                for place in choice.places:
                    reach |= 1 << place
        self.place_leaves: list[list[int]] = []
        absorbs: list[tuple[int, int, int]] = []  # shift, width, places
        free = reach
        leaves: list[int] = []
        for at in layout.credit_fields:
            bound = layout.bounds[at]
            if chosen & ~bound.options or not bound.places & reach:
                continue
            absorbs.append((layout.shift[at], layout.width[at], bound.places))
            if bound.places & free:
                leaves.append(bound.places & free)
                free &= ~bound.places
        leaves += [free] if free else []
        self.place_leaves = [self._later(partial(_is_among, mask)) for mask in leaves]
        roots = dict(enumerate(leaves))
        self.by_places: list[_Absorb] = []
        count = len(leaves)
        for shift, width, places in absorbs:
            held = tuple(part for part, mask in roots.items() if not mask & ~places)
            if held:
                self.by_places.append((shift, width, held))
                roots[count] = sum(roots.pop(part) for part in held)
                count += 1
        self.place_roots = tuple(roots)

    def _cuts(self, groups: Sequence[int]) -> list[tuple[list[int], tuple[_Part, ...]]]:
        """Return a cut that is tighter at the start than either side: some options count by their places."""
        layout = self.layout
        inside = list(range(len(groups)))
        reach = [layout.reach_of(group) for group in groups]
        limit = [max(layout.potential[option] for option in bits(group)) for group in groups]
        for part in range(len(groups)):
            others = 0
            for other in inside:
                others |= reach[other] if other != part else 0
            if limit[part] < layout.units_of(reach[part] & ~others):
                inside.remove(part)
        if not inside or len(inside) == len(groups):
            return []
        covered = 0
        for part in inside:
            covered |= reach[part]
        later = self._later(partial(_is_among, covered))
        return [(later, tuple(self.parts[part] for part in range(len(groups)) if part not in inside))]


def _groups(layout: Layout, chosen: int) -> list[int]:
    """Return the options, those together of which only one gets a course."""
    groups = [single & chosen for single in layout.singles if single & chosen]
    alone = chosen
    for group in groups:
        alone &= ~group
    return [*groups, *(1 << option for option in bits(alone))]


def _is_past(bound: Bound, option: int, place: int) -> bool:
    """Whether an option at a place is none of the bound's business."""
    return not (bound.options >> option & 1 and bound.places >> place & 1)


def _is_among(places: int, _option: int, place: int) -> bool:
    return bool(places >> place & 1)
