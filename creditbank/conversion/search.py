"""The one best allocation of a component, by exact branch and bound in integers (CONVERSION §3 and §5).

First the most units; then, as questions "can that still be reached without X?", the least precious outcomes
and the fewest favours; then the earliest places. What has been proved about a set of options is kept, so
that the later questions are cheap. The budget is counted in nodes: beyond it the answer is the best found.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from creditbank.conversion.cut import Cut
from creditbank.conversion.fill import Filler, Grant, Nodes, NodesSpent
from creditbank.conversion.layout import Layout, bits
from creditbank.conversion.mend import Mender
from creditbank.conversion.solver import Solver, Unsettled, Walk

_GLANCE = 150
"""Nodes spent on one set of options at a first look, which proves nothing."""
_FIRST_LOOK = 2_000
"""Nodes spent on first looks at one question, before it is searched to the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The allocation found, the units that none exceeds, and whether it is the one best, by whose word."""

    grants: tuple[Grant, ...]
    units: int
    upper_bound: int
    proved: bool
    solver: str | None = None


class Search:
    """Searches one component; `spends` are the options that spend each outcome, the most precious first."""

    def __init__(
        self, layout: Layout, nodes: Nodes, *, spends: Sequence[int], solver: Solver | None = None
    ) -> None:
        self.layout = layout
        self.nodes = nodes
        self.spends = spends
        self.solver = solver
        self.filler = Filler(layout, nodes)
        self.mender = Mender(layout, self.filler)
        self.rivals = layout.rivals
        self.cut = Cut(layout)
        self.live = (
            sum(1 << option for option in layout.options if layout.potential[option]) & ~layout.outdone
        )
        self.found: tuple[Grant, ...] = ()
        self.units = 0
        self.useful = 0  # the options of all allocations found that have the most units
        self.glance: int | None = None
        self.last_look = 0

    def best(self) -> Best:
        """Return the canonical optimum; beyond the budget of nodes what the solver or the search found."""
        ceiling = self.cut.ceiling(self.live)
        try:
            self._climb_twice(ceiling)
            ceiling = self.units
            self.useful = self._used()
            self._settle(self.live)
        except NodesSpent:
            return self._solved(ceiling)
        return self._best(ceiling, proved=True)

    def _solved(self, ceiling: int) -> Best:
        """Return what the solver finds; what it cannot tell is the best found, and not proved."""
        if self.solver is not None:
            try:
                found = Walk(self.layout, self.solver, spends=self.spends).best(self.live)
            except Unsettled:
                return self._best(ceiling, proved=False)
            units = sum(granted for _, _, granted in found)
            if self.units <= units <= ceiling:
                self.found, self.units = found, units
                return replace(self._best(units, proved=True), solver=self.solver.name)
        return self._best(ceiling, proved=False)

    def most(self, *, at_least: int, at_most: int | None = None) -> Best:
        """Return the most units there are, given what can be reached and what cannot be exceeded; not how."""
        ceiling = self.cut.ceiling(self.live)
        if at_most is not None:
            ceiling = min(ceiling, at_most // self.layout.scale)
        self.units = at_least // self.layout.scale
        try:
            self._climb_twice(ceiling)
        except NodesSpent:
            return self._best(ceiling, proved=False)
        return self._best(self.units, proved=True)

    def ties(self, option: int, units: int, nodes: Nodes) -> bool:
        """Whether some allocation in which `option` gets something has at least so many units.

        Beyond the budget of nodes: no.
        """
        if not self.layout.potential[option]:
            return False
        if self.useful >> option & 1:
            return True
        need = units // self.layout.scale
        available = self.live & ~self.layout.conflicts[option] & ~(1 << option)
        if self.cut.ceiling(available | 1 << option, need) < need:
            return False
        allowed = available | 1 << option
        if any(
            self.mender.using(self.found, option, place, allowed=allowed, need=need)
            for place in bits(self.layout.reach[option])
        ):
            return True
        before, self.nodes = self.nodes, nodes
        self.filler.nodes = nodes
        try:
            return self._reach_twice(available, need, forced=option) is not None
        except NodesSpent:
            return False
        finally:
            self.nodes = self.filler.nodes = before

    def _best(self, ceiling: int, *, proved: bool) -> Best:
        scale = self.layout.scale
        return Best(
            grants=tuple((option, place, units * scale) for option, place, units in self.found),
            units=self.units * scale,
            upper_bound=ceiling * scale,
            proved=proved,
        )

    def _settle(self, allowed: int) -> None:
        """Walk down the order of CONVERSION §3, from step 2 on."""
        if not self.units:
            self.found = ()
            return
        favours = [1 << option for option in reversed(self.layout.options)]
        needed: list[int] = []  # of each of these sets some option must be taken
        for unwanted in (*self.spends, *favours):
            if not allowed & unwanted or any(not allowed & some & ~unwanted for some in needed):
                continue
            if self._used() & unwanted:
                other = self._another(allowed & ~unwanted)
                if other is None:
                    needed.append(allowed & unwanted)
                    continue
                self._take(other)
            allowed &= ~unwanted
        last = self.filler.fill(allowed, self.units, canonical=True)
        assert last is not None, "what was reached can be reached again"
        self._take(last)

    def _take(self, found: Sequence[Grant]) -> None:
        """Take another allocation, as good as the one found."""
        self.found = tuple(found)
        self.useful |= self._used()

    def _another(self, allowed: int) -> list[Grant] | None:
        """Return an allocation of these options that is as good as the one found."""
        if self.cut.ceiling(allowed, self.units) < self.units:
            return None
        mended = self.mender.without(self.found, allowed=allowed, need=self.units)
        return mended or self._reach_twice(allowed, self.units)

    def _used(self) -> int:
        used = 0
        for option, _, units in self.found:
            if units:
                used |= 1 << option
        return used

    def _climb_twice(self, ceiling: int) -> None:
        """Find the most units there are: by first looks, and unless they reach the ceiling, to the end."""
        self.glance = _GLANCE
        self.last_look = self.nodes.used + _FIRST_LOOK
        self._climb(0, self.live, ceiling)
        self.glance = None
        self._exchange(ceiling)
        self._climb(0, self.live, ceiling)

    def _exchange(self, ceiling: int) -> None:
        """Improve what was found while one thing given, and what falls out for it replaced, makes it more."""
        pairs = [(option, place) for option in bits(self.live) for place in bits(self.layout.reach[option])]
        while self.found and self.units < ceiling:
            ways = (
                self.mender.using(self.found, option, place, allowed=self.live, need=self.units + 1)
                for option, place in pairs
            )
            better = next((way for way in ways if way is not None), None)
            if better is None:
                return
            self._keep(better)

    def _climb(self, chosen: int, available: int, ceiling: int) -> None:
        available = self._affordable(chosen, available)
        if self.units >= ceiling or self.cut.ceiling(chosen | available, self.units + 1) <= self.units:
            return
        if self.glance is not None and self.nodes.used >= self.last_look:
            return
        self.nodes.spend()
        torn = self._torn(chosen, available)
        if not torn:
            self._climb_last(chosen | available, ceiling)
            return
        for option, rest in self._branches(torn, available):
            self._climb(chosen | option, rest, ceiling)

    def _climb_last(self, chosen: int, ceiling: int) -> None:
        most = min(ceiling, self.filler.at_most(chosen))
        if most <= self.units:
            return
        if self.glance is not None:
            found = self.filler.fill(chosen, most, glance=self.glance)
            if found is not None:
                self._keep(found)
        while self.units < most and (found := self.filler.fill(chosen, self.units + 1, glance=self.glance)):
            self._keep(found)

    def _keep(self, found: Sequence[Grant]) -> None:
        self.found = tuple(found)
        self.units = sum(units for _, _, units in found)

    def _reach_twice(self, available: int, need: int, *, forced: int | None = None) -> list[Grant] | None:
        chosen = 0 if forced is None else 1 << forced
        self.glance = _GLANCE
        self.last_look = self.nodes.used + _FIRST_LOOK
        found = self._reach(chosen, available, need, forced=forced)
        self.glance = None
        return found or self._reach(chosen, available, need, forced=forced)

    def _reach(
        self, chosen: int, available: int, need: int, *, forced: int | None = None
    ) -> list[Grant] | None:
        available = self._affordable(chosen, available)
        if self.cut.ceiling(chosen | available, need) < need:
            return None
        if self.glance is not None and self.nodes.used >= self.last_look:
            return None
        self.nodes.spend()
        torn = self._torn(chosen, available)
        if not torn:
            return self.filler.fill(chosen | available, need, forced=forced, glance=self.glance)
        for option, rest in self._branches(torn, available):
            found = self._reach(chosen | option, rest, need, forced=forced)
            if found is not None:
                return found
        return None

    def _affordable(self, chosen: int, available: int) -> int:
        """Return what is left of the available options where a count of outcomes is used up."""
        for count in self.layout.counts:
            taken = count.outcomes_of(chosen)
            if taken.bit_count() >= count.room:
                available &= ~count.beyond(available, taken)
        return available

    def _torn(self, chosen: int, available: int) -> int:
        """Return the options that cannot all be taken: they exclude another, or are too many for a count."""
        torn = 0
        for option in bits(available):
            if self.rivals[option] & available:
                torn |= 1 << option
        for count in self.layout.counts:
            if count.outcomes_of(chosen | available).bit_count() > count.room:
                torn |= count.beyond(available, count.outcomes_of(chosen))
        return torn

    def _branches(self, torn: int, available: int) -> list[tuple[int, int]]:
        """Return the ways to settle one clique: (the option taken, what is left); its best options first."""
        potential = self.layout.potential
        used = self._used()
        lead = max(bits(torn), key=lambda option: (used >> option & 1, potential[option], -option))
        clique = self.cut.cliques[lead] & available
        members = self._members(clique)
        members.sort(key=lambda mask: (not used & mask, -max(potential[one] for one in bits(mask)), mask))
        branches = []
        is_free = False
        for mask in members:
            rivals = 0
            for one in bits(mask):
                rivals |= self.rivals[one] & available
            branches.append((mask, available & ~clique & ~rivals))
            is_free = is_free or not (rivals & ~clique or self._is_counted(mask))
        if not is_free:
            branches.append((0, available & ~clique))
        return branches

    def _members(self, clique: int) -> list[int]:
        """Return what of a clique can be taken together: single courses whose rivals are all within it."""
        members = []
        for single in self.layout.singles:
            alike = sum(1 << one for one in bits(single & clique) if not self.rivals[one] & ~clique)
            if alike:
                members.append(alike)
                clique &= ~alike
        return [*members, *(1 << one for one in bits(clique))]

    def _is_counted(self, options: int) -> bool:
        return any(options & count.options for count in self.layout.counts)
