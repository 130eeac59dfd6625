"""The one best allocation of a component, by exact branch and bound in integers (CONVERSION §3 and §5).

First the most units; then, as questions "can that still be reached without X?", the least precious outcomes
and the fewest favours; then the earliest places. What has been proved about a set of options is kept, so
that the later questions are cheap. The budget is counted in nodes: beyond it the answer is the best found.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from creditbank.conversion.fill import Filler, Grant, Nodes, NodesSpent
from creditbank.conversion.layout import Layout, bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The allocation found, the units that none exceeds, and whether it is the one best."""

    grants: tuple[Grant, ...]
    units: int
    upper_bound: int
    proved: bool


class Search:
    """Searches one component; `spends` are the options that spend each outcome, the most precious first."""

    def __init__(self, layout: Layout, nodes: Nodes, *, spends: Sequence[int]) -> None:
        self.layout = layout
        self.nodes = nodes
        self.spends = spends
        self.filler = Filler(layout, nodes)
        self.conflicts = layout.problem.conflicts
        self.cliques = self._cliques()
        self.found: tuple[Grant, ...] = ()
        self.units = 0
        self._weights: dict[int, int] = {}
        self._split_bounds()

    def best(self) -> Best:
        """Return the canonical optimum, or the best found within the budget of nodes."""
        live = sum(1 << option for option in self.layout.options if self.layout.potential[option])
        ceiling = self._ceiling(0, live)
        try:
            self._climb(0, live, ceiling)
            ceiling = self.units
            self._settle(live)
        except NodesSpent:
            return Best(grants=self.found, units=self.units, upper_bound=ceiling, proved=False)
        return Best(grants=self.found, units=self.units, upper_bound=ceiling, proved=True)

    def most(self) -> Best:
        """Return an allocation with the most units, not the canonical one."""
        live = sum(1 << option for option in self.layout.options if self.layout.potential[option])
        ceiling = self._ceiling(0, live)
        try:
            self._climb(0, live, ceiling)
        except NodesSpent:
            return Best(grants=self.found, units=self.units, upper_bound=ceiling, proved=False)
        return Best(grants=self.found, units=self.units, upper_bound=self.units, proved=True)

    def ties(self, option: int, units: int) -> bool:
        """Whether some allocation in which `option` gets something has at least so many units.

        Within what is left of the budget of nodes: beyond it, no.
        """
        live = sum(1 << other for other in self.layout.options if self.layout.potential[other])
        available = live & ~self.conflicts[option] & ~(1 << option)
        try:
            return any(
                self._reach(1 << option, available, units, forced=(option, place)) is not None
                for place in bits(self.layout.reach[option])
            )
        except NodesSpent:
            return False

    def _settle(self, allowed: int) -> None:
        """Walk down the order of CONVERSION §3, from step 2 on."""
        if not self.units:
            self.found = ()
            return
        favours = [1 << option for option in reversed(self.layout.options)]
        for unwanted in (*self.spends, *favours):
            if not allowed & unwanted:
                continue
            if self._used() & unwanted:
                other = self._reach(0, allowed & ~unwanted, self.units)
                if other is None:
                    continue
                self.found = tuple(other)
            allowed &= ~unwanted
        last = self.filler.fill(allowed, self.units)
        assert last is not None, "what was reached can be reached again"
        self.found = tuple(last)

    def _used(self) -> int:
        used = 0
        for option, _, units in self.found:
            if units:
                used |= 1 << option
        return used

    def _climb(self, chosen: int, available: int, ceiling: int) -> None:
        """Find the most units there are; stop as soon as `ceiling` is reached."""
        if self.units >= ceiling or self._ceiling(chosen, available) <= self.units:
            return
        self.nodes.spend()
        torn = self._torn(available)
        if not torn:
            most = self.filler.at_most(chosen | available)
            while self.units < most and (found := self.filler.fill(chosen | available, self.units + 1)):
                self.found = tuple(found)
                self.units = sum(units for _, _, units in found)
            return
        for option, rest in self._branches(torn, available):
            self._climb(chosen | option, rest, ceiling)

    def _reach(
        self, chosen: int, available: int, need: int, *, forced: tuple[int, int] | None = None
    ) -> list[Grant] | None:
        if self._ceiling(chosen, available) < need:
            return None
        self.nodes.spend()
        torn = self._torn(available)
        if not torn:
            return self.filler.fill(chosen | available, need, forced=forced)
        for option, rest in self._branches(torn, available):
            found = self._reach(chosen | option, rest, need, forced=forced)
            if found is not None:
                return found
        return None

    def _torn(self, available: int) -> int:
        """Return the options that exclude another one that is available."""
        return sum(1 << option for option in bits(available) if self.conflicts[option] & available)

    def _branches(self, torn: int, available: int) -> list[tuple[int, int]]:
        """Return the ways to settle one clique: (the option taken, what is left); its best options first."""
        potential = self.layout.potential
        used = self._used()
        lead = max(bits(torn), key=lambda option: (used >> option & 1, potential[option], -option))
        clique = self.cliques[lead] & available
        members = sorted(bits(clique), key=lambda one: (not used >> one & 1, -potential[one], one))
        branches = [(1 << one, available & ~clique & ~self.conflicts[one]) for one in members]
        if all(self.conflicts[one] & available & ~clique for one in members):
            branches.append((0, available & ~clique))
        return branches

    def _cliques(self) -> dict[int, int]:
        """Return, for each option, its clique in a partition of the options that exclude each other."""
        cliques: list[int] = []
        for option in self.layout.options:
            for at, clique in enumerate(cliques):
                if not clique & ~self.conflicts[option]:
                    cliques[at] |= 1 << option
                    break
            else:
                cliques.append(1 << option)
        return {option: clique for clique in cliques for option in bits(clique)}

    def _split_bounds(self) -> None:
        """Keep bounds that are disjoint by the options they limit, and such by the places they limit."""
        self.by_options: list[tuple[int, int]] = []
        self.by_places: list[tuple[int, int]] = []
        options = places = 0
        for bound in sorted(self.layout.bounds, key=lambda bound: (bound.room, bound.source)):
            if bound.measure != "credits":
                continue
            within = bound.options & self.layout.mask
            whole = all(not self.layout.reach[option] & ~bound.places for option in bits(within))
            if whole and within & (within - 1) and not within & options:
                self.by_options.append((within, bound.room))
                options |= within
            if within == self.layout.mask and not bound.places & places:
                self.by_places.append((bound.places, bound.room))
                places |= bound.places

    def _ceiling(self, chosen: int, available: int) -> int:
        """Return units that no allocation exceeds: a cut of the flow from outcomes to places."""
        groups: list[tuple[int, int, int]] = []
        left = chosen | available
        while left:
            option = (left & -left).bit_length() - 1
            members = self.cliques[option] & left
            left &= ~members
            limit = reach = 0
            for one in bits(members):
                limit = max(limit, self.layout.potential[one])
                reach |= self.layout.reach[one]
            groups.append((limit, reach, members))
        best = self._limited(groups)
        inside = groups
        for group in groups:
            kept = [other for other in inside if other is not group]
            cut = self._cut(kept, groups)
            if cut <= self._cut(inside, groups):
                inside = kept
            best = min(best, cut)
        return min(best, self._cut(groups, groups))

    def _cut(self, inside: Sequence[tuple[int, int, int]], groups: Sequence[tuple[int, int, int]]) -> int:
        reach = 0
        for _, one, _ in inside:
            reach |= one
        return self._weight(reach) + self._limited([group for group in groups if group not in inside])

    def _limited(self, groups: Sequence[tuple[int, int, int]]) -> int:
        total = 0
        apart = [group[0] for group in groups]
        for within, room in self.by_options:
            shared = 0
            for at, (limit, _, members) in enumerate(groups):
                if apart[at] and not members & ~within:
                    shared += limit
                    apart[at] = 0
            total += min(room, shared)
        return total + sum(apart)

    def _weight(self, places: int) -> int:
        """Return units that these places hold, as far as bounds on places allow."""
        known = self._weights.get(places)
        if known is None:
            left, known = places, 0
            for within, room in self.by_places:
                known += min(room, self.layout.units_of(left & within))
                left &= ~within
            known += self.layout.units_of(left)
            self._weights[places] = known
        return known
