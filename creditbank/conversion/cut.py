"""Units that no allocation of some options exceeds: a cut of the flow from outcomes through courses.

Options that exclude each other count as one source, with the largest limit and all their places. On the
near side of the cut bounds over options hold, on the far side bounds over places.
"""

from collections.abc import Sequence

from creditbank.conversion.layout import Count, Layout, bits, cliques_of, in_one_of, sumset

_Group = tuple[int, int, int]
"""What a clique may bring, the places it reaches, its options."""
_Sums = tuple[int, list[int]]
"""The most units, and by the number of counted outcomes the bitset of those that can be come to."""


_NO_END = 1 << 62
"""More units than there are."""


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
        self._group_of: dict[int, _Group] = {}
        self._weights: dict[int, int] = {}
        self._known: dict[int, tuple[int, int]] = {}  # the least so far, and how many cuts it is of
        self._cuts = (self._by_places, self._limited, self._parted)
        self._own: dict[tuple[int, Count | None], _Sums] = {}
        self._together: dict[tuple[int, int, Count | None], _Sums] = {}

    def ceiling(self, options: int, need: int = 0) -> int:
        """Return units that no allocation of these options exceeds; any such figure below `need` will do."""
        known, cuts = self._known.get(options, (_NO_END, 0))
        groups = self._groups(options) if known >= need and cuts < len(self._cuts) else []
        while known >= need and cuts < len(self._cuts):
            known = min(known, self._cuts[cuts](groups))
            cuts += 1
        self._known[options] = known, cuts
        return known

    def _groups(self, options: int) -> list[_Group]:
        groups: list[_Group] = []
        while options:
            members = self.cliques[(options & -options).bit_length() - 1] & options
            options &= ~members
            groups.append(self._group(members))
        return groups

    def _group(self, members: int) -> _Group:
        group = self._group_of.get(members)
        if group is None:
            limit = max([self.layout.potential[one] for one in bits(members)])
            group = self._group_of[members] = (limit, self.layout.reach_of(members), members)
        return group

    def _by_places(self, groups: Sequence[_Group]) -> int:
        """Return the cut with all groups on the side of their places."""
        return self._weight(_union(groups))

    def _parted(self, groups: Sequence[_Group]) -> int:
        """Return the cut with each group on the side where it weighs less."""
        inside = list(groups)
        alone = in_one_of([reach for _, reach, _ in groups])
        for group in groups:
            if group[0] <= self.layout.units_of(group[1] & alone):
                inside.remove(group)
                alone = in_one_of([reach for _, reach, _ in inside])
        if not inside:
            return _NO_END
        outside = [group for group in groups if group not in inside]
        return self._weight(_union(inside)) + self._limited(outside)

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
        options = sum(items)
        for at, (whole, room) in enumerate(self.by_options):
            within = whole & options
            if not within & (within - 1):
                continue
            held, most = [], 0
            for members, sums in items.items():
                if not members & ~whole:
                    held.append(members)
                    most += sums[0]
            if most > room:
                together = [items.pop(members) for members in held]
                items[sum(held)] = self._held((at, sum(held), count), together, length, room)
        if count is None:
            return sum(most for most, _ in items.values())
        return _with_most(_joined([sums for _, sums in items.values()], length))[0]

    def _held(
        self, name: tuple[int, int, Count | None], parts: Sequence[_Sums], length: int, room: int
    ) -> _Sums:
        """Return what these options come to together; which they are says how they were held before."""
        together = self._together.get(name)
        if together is None:
            sums = _joined([by_count for _, by_count in parts], length)
            together = self._together[name] = _with_most([one & ((2 << room) - 1) for one in sums])
        return together

    def _sums(self, members: int, count: Count | None) -> _Sums:
        """Return what a clique can come to; of options that no count concerns, without counting."""
        known = self._own.get((members, count))
        if known is None:
            known = self._own[members, count] = _with_most(self._sums_of(members, count))
        return known

    def _sums_of(self, members: int, count: Count | None) -> list[int]:
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


def _with_most(by_count: list[int]) -> _Sums:
    return max(by_count).bit_length() - 1, by_count


def _joined(parts: Sequence[list[int]], length: int) -> list[int]:
    """Return what these can come to together, with fewer outcomes than `length`."""
    joined = [1]
    for part in parts:
        sums = [0] * min(length, len(joined) + len(part) - 1)
        for at, left in enumerate(joined):
            for other, right in enumerate(part[: len(sums) - at]):
                if left and right:
                    sums[at + other] |= sumset(left, right)
        joined = sums
    return joined
