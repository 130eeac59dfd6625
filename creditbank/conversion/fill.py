"""Fill places from options that do not exclude each other: at least so many units, if there is a way.

In canonical order the first allocation found is the first of CONVERSION §3, step 4: courses in programme
order, each by its lowest-ranked option, then buckets, the most units first. To answer yes or no the places
with the fewest takers go first. Exact, and counted in nodes.
"""

from dataclasses import dataclass, field, replace

from creditbank.conversion.ceiling import Ceiling
from creditbank.conversion.layout import Choice, Layout
from creditbank.conversion.order import Order

Grant = tuple[int, int, int]
"""An option, a place, and the units it gets there."""
_Item = tuple[int, int, tuple[Choice, ...]]
"""A position of the order, the place there, and what these options can do with it."""


class NodesSpent(Exception):
    """The node budget is used up."""


@dataclass(slots=True)
class Nodes:
    """How many nodes a decision may look at, and has."""

    budget: int
    used: int = 0
    pause: int | None = None

    def spend(self) -> None:
        if self.used >= (self.budget if self.pause is None else self.pause):
            raise NodesSpent
        self.used += 1


@dataclass(slots=True, kw_only=True)
class _Run:
    """One set of options in one order of places, and what has been proved about it."""

    items: list[_Item]
    ceiling: Ceiling
    alive: list[tuple[int, int]]  # fields, and outcomes counted, that later items still look at
    proven: dict[tuple[int, int, int], int] = field(default_factory=dict)
    must: tuple[int, int] | None = None  # (item, bit): after that item the bit is to be among what is counted


class Filler:
    """Fills the places of one component."""

    def __init__(self, layout: Layout, nodes: Nodes) -> None:
        self.layout = layout
        self.nodes = nodes
        self._orders: dict[bool, Order] = {}
        self._runs: dict[tuple[int, bool], _Run] = {}
        self._forced_runs: dict[tuple[int, int], _Run] = {}

    def fill(
        self,
        chosen: int,
        need: int,
        *,
        canonical: bool = False,
        forced: int | None = None,
        glance: int | None = None,
    ) -> list[Grant] | None:
        """Return an allocation with at least `need` units that uses none but these options.

        With `forced`, an option, only one in which that option gets something. With `glance` it gives up
        after so many nodes, which proves nothing. Units are the layout's; `Layout.scale` makes the
        problem's of them.

        Raises:
            NodesSpent: the budget ended first.
        """
        run = self._run(chosen, canonical=canonical) if forced is None else self._forced(chosen, forced)
        path: list[Grant] = []
        if glance is not None:
            self.nodes.pause = min(self.nodes.budget, self.nodes.used + glance)
        try:
            return path if self._descend(run, 0, self.layout.start, 0, need, path) else None
        except NodesSpent:
            if glance is None or self.nodes.used >= self.nodes.budget:
                raise
            return None
        finally:
            self.nodes.pause = None

    def at_most(self, chosen: int) -> int:
        """Return units that these options cannot exceed."""
        run = self._run(chosen, canonical=False)
        return run.ceiling.at_most(0, self.layout.start)

    def _run(self, chosen: int, *, canonical: bool) -> _Run:
        run = self._runs.get((chosen, canonical))
        if run is None:
            order = self._orders.get(canonical)
            if order is None:
                order = self._orders[canonical] = Order(self.layout, canonical=canonical)
            items: list[_Item] = []
            for at, (place, choices) in enumerate(order.items):
                kept = tuple(choice for choice in choices if chosen >> choice.option & 1)
                if kept:
                    items.append((at, place, kept))
            run = self._runs[chosen, canonical] = _Run(
                items=items, ceiling=Ceiling(order, chosen), alive=self._alive(items)
            )
        return run

    def _forced(self, chosen: int, option: int) -> _Run:
        """Return the run in which an option must get something: that it has is one more thing counted."""
        run = self._forced_runs.get((chosen, option))
        if run is None:
            free = self._run(chosen, canonical=False)
            bit = 1 << len(self.layout.counted)
            items, alive, last = list(free.items), list(free.alive), 0
            for at, (position, place, choices) in enumerate(items):
                own = [
                    replace(one, counts=(*one.counts, (bit, 0))) for one in choices if one.option == option
                ]
                if own:
                    items[at] = (position, place, (*own, *(one for one in choices if one.option != option)))
                    last = at
            for at in range(last + 1):
                alive[at] = (alive[at][0], alive[at][1] | bit)
            run = replace(free, items=items, alive=alive, proven={}, must=(last, bit))
            self._forced_runs[chosen, option] = run
        return run

    def _alive(self, items: list[_Item]) -> list[tuple[int, int]]:
        alive = [(0, 0)]
        for _, _, choices in reversed(items):
            fields, counted = alive[-1]
            for choice in choices:
                fields |= choice.fields
                for bit, _ in choice.counts:
                    counted |= bit
            alive.append((fields, counted))
        return alive[::-1]

    def _descend(self, run: _Run, at: int, state: int, seen: int, need: int, path: list[Grant]) -> bool:
        if run.must is not None and at > run.must[0] and not seen & run.must[1]:
            return False
        if at == len(run.items):
            return need <= 0
        fields, outcomes = run.alive[at]
        key = (at, state & fields, seen & outcomes)
        proven = run.proven.get(key)
        if proven is None and need > 0:
            proven = run.proven[key] = run.ceiling.at_most(run.items[at][0], state, need)
        if proven is not None and proven < need:
            return False
        self.nodes.spend()
        if run.items[at][1] >= self.layout.problem.course_count:
            done = self._pour(run, at, state, seen, need, path)
        else:
            done = self._place(run, at, state, seen, need, path)
        if not done:
            run.proven[key] = need - 1
        return done

    def _place(self, run: _Run, at: int, state: int, seen: int, need: int, path: list[Grant]) -> bool:
        guards, units = self.layout.guards, self.layout.units
        for choice in run.items[at][2]:
            after, counted = state - choice.uses, seen
            if after & guards != guards:
                continue
            if choice.counts:
                after, counted = self.count(choice, after, seen)
                if after < 0:
                    continue
            length = len(path)
            path.extend((choice.option, one, units[one]) for one in choice.places)
            if self._descend(run, at + 1, after, counted, need - choice.units, path):
                return True
            del path[length:]
        return self._descend(run, at + 1, state, seen, need, path)

    def _pour(self, run: _Run, at: int, state: int, seen: int, need: int, path: list[Grant]) -> bool:
        _, place, (choice,) = run.items[at]
        after, counted = self.count(choice, state, seen)
        most = self._most(choice, after) if after >= 0 else 0
        for amount in range(most, 0, -1):
            path.append((choice.option, place, amount))
            if self._descend(run, at + 1, after - amount * choice.uses, counted, need - amount, path):
                return True
            path.pop()
        return self._descend(run, at + 1, state, seen, need, path)

    def count(self, choice: Choice, state: int, seen: int) -> tuple[int, int]:
        """Count the outcomes that a choice brings in for the first time; -1 where one is too many."""
        for bit, uses in choice.counts:
            if not seen & bit:
                seen |= bit
                state -= uses
                if state & self.layout.guards != self.layout.guards:
                    return -1, seen
        return state, seen

    def _most(self, choice: Choice, state: int) -> int:
        """Return how many units of a bucket every field allows."""
        layout = self.layout
        fields = zip(layout.shift, layout.width, strict=True)
        return min(state >> shift & width for shift, width in fields if choice.uses >> shift & width)
