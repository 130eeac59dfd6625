"""Fill places from options that do not exclude each other: at least so many units, if there is a way.

In canonical order the first allocation found is the first of CONVERSION §3, step 4: courses in programme
order, each by its lowest-ranked option, then buckets, the most units first. To answer yes or no the places
with the fewest takers go first. Exact, and counted in nodes.
"""

from dataclasses import dataclass, field, replace

from creditbank.conversion.ceiling import Ceiling, Item
from creditbank.conversion.layout import Choice, Layout

Grant = tuple[int, int, int]
"""An option, a place, and the units it gets there."""


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

    items: list[Item]
    ceiling: Ceiling
    alive: list[tuple[int, int]]  # fields, and outcomes counted, that later items still look at
    proven: dict[tuple[int, int, int], int] = field(default_factory=dict)
    must: int = -1  # the item that may not be left out


class Filler:
    """Fills the places of one component."""

    def __init__(self, layout: Layout, nodes: Nodes) -> None:
        self.layout = layout
        self.nodes = nodes
        self._runs: dict[tuple[int, bool], _Run] = {}

    def fill(
        self,
        chosen: int,
        need: int,
        *,
        canonical: bool = False,
        forced: tuple[int, int] | None = None,
        glance: int | None = None,
    ) -> list[Grant] | None:
        """Return an allocation with at least `need` units that uses none but these options.

        With `forced`, an option and a place, only one in which that option gets that place. With `glance`
        it gives up after so many nodes, which proves nothing. Units are the layout's; `Layout.scale` makes
        the problem's of them.

        Raises:
            NodesSpent: the budget ended first.
        """
        run = self._run(chosen, canonical=canonical)
        if forced is not None:
            run = self._forced(run, chosen, *forced)
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
            layout = self.layout
            items: list[Item] = []
            for place, choices in layout.choices.items():
                kept = tuple(choice for choice in choices if chosen >> choice.option & 1)
                if kept and place < layout.problem.course_count:
                    items.append((place, kept))
                else:
                    items.extend((place, (choice,)) for choice in kept)
            if not canonical:
                items.sort(key=self._scarcity)
            run = self._runs[chosen, canonical] = _Run(
                items=items, ceiling=Ceiling(layout, chosen, items), alive=self._alive(items)
            )
        return run

    def _forced(self, run: _Run, chosen: int, option: int, place: int) -> _Run:
        items = list(run.items)
        for at, (_, choices) in enumerate(items):
            for choice in choices:
                if choice.option == option and place in choice.places:
                    items[at] = (items[at][0], (choice,))
                    return replace(run, items=items, proven={}, must=at)
        raise AssertionError(f"option {option} of {chosen} may get {place}")

    def _scarcity(self, item: Item) -> tuple[bool, int, int, int]:
        place, choices = item
        return (place >= self.layout.problem.course_count, len(choices), -choices[0].units, place)

    def _alive(self, items: list[Item]) -> list[tuple[int, int]]:
        alive = [(0, 0)]
        for _, choices in reversed(items):
            fields, counted = alive[-1]
            for choice in choices:
                fields |= choice.fields
                for bit, _ in choice.counts:
                    counted |= bit
            alive.append((fields, counted))
        return alive[::-1]

    def _descend(self, run: _Run, at: int, state: int, seen: int, need: int, path: list[Grant]) -> bool:
        if at == len(run.items):
            return need <= 0
        fields, outcomes = run.alive[at]
        key = (at, state & fields, seen & outcomes)
        proven = run.proven.get(key)
        if proven is None and need > 0:
            proven = run.proven[key] = run.ceiling.at_most(at, state, need)
        if proven is not None and proven < need:
            return False
        self.nodes.spend()
        if run.items[at][0] >= self.layout.problem.course_count:
            done = self._pour(run, at, state, seen, need, path)
        else:
            done = self._place(run, at, state, seen, need, path)
        if not done:
            run.proven[key] = need - 1
        return done

    def _place(self, run: _Run, at: int, state: int, seen: int, need: int, path: list[Grant]) -> bool:
        guards, units = self.layout.guards, self.layout.units
        for choice in run.items[at][1]:
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
        return at != run.must and self._descend(run, at + 1, state, seen, need, path)

    def _pour(self, run: _Run, at: int, state: int, seen: int, need: int, path: list[Grant]) -> bool:
        place, (choice,) = run.items[at]
        after, counted = self.count(choice, state, seen)
        most = self._most(choice, after) if after >= 0 else 0
        for amount in range(most, 0, -1):
            path.append((choice.option, place, amount))
            if self._descend(run, at + 1, after - amount * choice.uses, counted, need - amount, path):
                return True
            path.pop()
        return at != run.must and self._descend(run, at + 1, state, seen, need, path)

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
