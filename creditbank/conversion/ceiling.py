"""What the places from one position on can still bring at most: cheap, never too low, and seldom too high.

Three sides are summed and the least taken: what the options may still give (each its largest reachable sum,
shared bounds over them), what the places may still take (bounds over them), and cuts between the two.
"""

from collections.abc import Sequence

from creditbank.conversion.layout import Layout, bits, in_one_of
from creditbank.conversion.order import Order, Part

_Absorb = tuple[int, int, tuple[int, ...]]
"""A bound's field (shift and width), and the summands that it holds together."""


class Ceiling:
    """The bound for one set of options and one order of places."""

    def __init__(self, order: Order, chosen: int) -> None:
        self.order = order
        self.layout = order.layout
        self.chosen = chosen
        self.reach = self.layout.reach_of(chosen)
        groups = _groups(self.layout, chosen)
        parts = [order.one_of(group) for group in groups]
        self.option_roots = self._absorb_options(groups, parts)
        self.others = self._others()
        self._absorb_places()
        self.cuts = self._cuts(groups, parts)

    def at_most(self, at: int, state: int, need: int = 0) -> int:
        """Return units that the places from `at` on cannot exceed; any figure below `need` will do."""
        least = 0
        for root in self.option_roots:
            least += root.sums(at, state).bit_length() - 1
        if least < need:
            return least
        taken = [later[at] for later in self.place_leaves]
        for shift, width, parts in self.by_places:
            room, value = state >> shift & width, 0
            for part in parts:
                value += taken[part]
            taken.append(min(room, value))
        value = 0
        for part in self.place_roots:
            value += taken[part]
        least = min(least, value)
        for shift, width, outside in self.others:
            value = (state >> shift & width) + outside[at]
            least = min(least, value)
        if least < need:
            return least
        for later, apart in self.cuts:
            value = later[at]
            for far in apart:
                value += far.sums(at, state).bit_length() - 1
            least = min(least, value)
        return least

    def _absorb_options(self, groups: Sequence[int], parts: Sequence[Part]) -> tuple[Part, ...]:
        layout = self.layout
        roots = dict(zip(groups, parts, strict=True))
        for at in layout.credit_fields:
            within = layout.whole[at] & self.chosen
            if not within & (within - 1):
                continue
            held = [options for options in roots if not options & ~within]
            if len(held) > 1 and sum(map(layout.units_most, held)) > layout.rooms[at]:
                together = [roots.pop(options) for options in held]
                roots[sum(held)] = self.order.together(at, sum(held), together)
        return tuple(roots.values())

    def _others(self) -> list[tuple[int, int, list[int]]]:
        """Return, for each bound in credits, its field and what the places bring that it is not over."""
        layout = self.layout
        found = []
        for at in layout.credit_fields:
            bound = layout.bounds[at]
            within = bound.options & self.chosen
            if within & (within - 1) and within != self.chosen:
                past = layout.reach_of(self.chosen & ~within) | layout.reach_of(within) & ~bound.places
                found.append((layout.shift[at], layout.width[at], self.order.later(past)))
        return found

    def _absorb_places(self) -> None:
        layout = self.layout
        absorbs: list[tuple[int, int, int]] = []  # shift, width, places
        free = self.reach
        leaves: list[int] = []
        for at in layout.credit_fields:
            bound = layout.bounds[at]
            if self.chosen & ~bound.options or not bound.places & self.reach:
                continue
            absorbs.append((layout.shift[at], layout.width[at], bound.places))
            if bound.places & free:
                leaves.append(bound.places & free)
                free &= ~bound.places
        leaves += [free] if free else []
        self.place_leaves = [self.order.later(places) for places in leaves]
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

    def _cuts(self, groups: Sequence[int], parts: Sequence[Part]) -> list[tuple[list[int], tuple[Part, ...]]]:
        """Return a cut that is tighter at the start than either side: some options count by their places."""
        layout = self.layout
        inside = list(range(len(groups)))
        reach = [layout.reach_of(group) for group in groups]
        limit = [max(layout.potential[option] for option in bits(group)) for group in groups]
        alone = in_one_of(reach)
        for part in range(len(groups)):
            if limit[part] < layout.units_of(reach[part] & alone):
                inside.remove(part)
                alone = in_one_of([reach[other] for other in inside])
        if not inside or len(inside) == len(groups):
            return []
        covered = 0
        for part in inside:
            covered |= reach[part]
        later = self.order.later(covered)
        return [(later, tuple(part for at, part in enumerate(parts) if at not in inside))]


def _groups(layout: Layout, chosen: int) -> list[int]:
    """Return the options, those together of which only one gets a course."""
    groups = [single & chosen for single in layout.singles if single & chosen]
    alone = chosen
    for group in groups:
        alone &= ~group
    return [*groups, *(1 << option for option in bits(alone))]
