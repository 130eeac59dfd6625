"""Units that no allocation of some options exceeds: a cut of the flow from outcomes through courses.

Options that exclude each other count as one source, with the largest limit and all their places. On the
near side of the cut bounds over options hold, on the far side bounds over places.
"""

from collections.abc import Sequence
from functools import partial, reduce

from creditbank.conversion.layout import Count, Layout, bits, cliques_of, sumset

_Group = tuple[int, int, int]
"""What a clique may bring, the places it reaches, its options."""
_Sums = list[int]
"""By the number of counted outcomes: the bitset of units that they can come to."""


class Cut:
    """Bounds sets of options of one component."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        cliques = cliques_of(layout.options, layout.conflicts)
        self.cliques = {option: clique for clique in cliques for option in bits(clique)}
        fields = layout.credit_fields
        self.by_options = [
            (layout.whole[at], layout.rooms[at]) for at in fields if layout.whole[at] & (layout.whole[at] - 1)
        ]
        self.by_places = [
            (layout.bounds[at].places, layout.rooms[at])
            for at in fields
            if not layout.mask & ~layout.bounds[at].options
        ]
        self._weights: dict[int, int] = {}
        self._known: dict[int, int] = {}
        self._own: dict[tuple[int, Count | None], _Sums] = {}
        self._together: dict[tuple[int, int, Count | None], _Sums] = {}

    def ceiling(self, options: int) -> int:
        """Return units that no allocation of these options exceeds."""
        known = self._known.get(options)
        if known is None:
            known = self._known[options] = self._least(self._groups(options))
        return known

    def _groups(self, options: int) -> list[_Group]:
        groups: list[_Group] = []
        layout = self.layout
        while options:
            members = self.cliques[(options & -options).bit_length() - 1] & options
            options &= ~members
            limit = reach = 0
            for one in bits(members):
                limit = max(limit, layout.potential[one])
                reach |= layout.reach[one]
            groups.append((limit, reach, members))
        return groups

    def _least(self, groups: Sequence[_Group]) -> int:
        """Return the least of three cuts: all groups on one side, on the other, or on the tighter one."""
        inside = list(groups)
        for group in groups:
            others = 0
            for other in inside:
                if other is not group:
                    others |= other[1]
            if group[0] <= self.layout.units_of(group[1] & ~others):
                inside.remove(group)
        least = min(self._limited(groups), self._weight(_union(groups)))
        if not inside:
            return least
        outside = [group for group in groups if group not in inside]
        return min(least, self._weight(_union(inside)) + self._limited(outside))

    def _limited(self, groups: Sequence[_Group]) -> int:
        """Return what these groups may come to, as far as bounds over options allow."""
        if not groups:
            return 0
        least = self._absorbed(groups, None)
        for count in self.layout.counts:
            if sum(not members & ~count.options for _, _, members in groups) > count.room:
                least = min(least, self._absorbed(groups, count))
        return least

    def _absorbed(self, groups: Sequence[_Group], count: Count | None) -> int:
        length = 1 if count is None else count.room + 1
        items = {members: self._sums(members, count) for _, _, members in groups}
        for at, (within, room) in enumerate(self.by_options):
            held = [members for members in items if not members & ~within]
            if held and sum(_most(items[members]) for members in held) > room:
                together = [items.pop(members) for members in held]
                items[sum(held)] = self._held((at, sum(held), count), together, length, room)
        if count is None:
            return sum(map(_most, items.values()))
        return _most(reduce(partial(_joined, length=length), items.values()))

    def _held(
        self, name: tuple[int, int, Count | None], parts: Sequence[_Sums], length: int, room: int
    ) -> _Sums:
        """Return what these options come to together; which they are says how they were held before."""
        together = self._together.get(name)
        if together is None:
            together = reduce(partial(_joined, length=length), parts)
            together = self._together[name] = [sums & ((2 << room) - 1) for sums in together]
        return together

    def _sums(self, members: int, count: Count | None) -> _Sums:
        """Return what a clique can come to; of options that no count concerns, without counting."""
        known = self._own.get((members, count))
        if known is None:
            known = self._own[members, count] = self._sums_of(members, count)
        return known

    def _sums_of(self, members: int, count: Count | None) -> _Sums:
        if count is None or members & ~count.options:
            sums = 0
            for option in bits(members):
                sums |= self.layout.sums[option]
            return [sums]
        by_count = [1] + [0] * count.room
        for option in bits(members):
            counted = count.alone(option)
            if counted <= count.room:
                by_count[counted] |= self.layout.sums[option]
        return by_count

    def _weight(self, places: int) -> int:
        """Return what these places hold, as far as bounds over places allow."""
        known = self._weights.get(places)
        if known is None:
            items: dict[int, int] = {}
            free = places
            for within, room in self.by_places:
                held = [mask for mask in items if not mask & ~within]
                value = sum(items.pop(mask) for mask in held) + self.layout.units_of(free & within)
                mask = sum(held) | free & within
                free &= ~within
                if mask:
                    items[mask] = min(room, value)
            known = self._weights[places] = sum(items.values()) + self.layout.units_of(free)
        return known


def _union(groups: Sequence[_Group]) -> int:
    reach = 0
    for _, one, _ in groups:
        reach |= one
    return reach


def _most(sums: _Sums) -> int:
    return max(sums).bit_length() - 1


def _joined(one: _Sums, two: _Sums, length: int) -> _Sums:
    sums = [0] * min(length, len(one) + len(two) - 1)
    for at, left in enumerate(one):
        for other, right in enumerate(two):
            if left and right and at + other < len(sums):
                sums[at + other] |= sumset(left, right)
    return sums
