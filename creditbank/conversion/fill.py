"""Fill places from options that do not exclude each other: at least so many units, in canonical order.

The first allocation found is the first in the order of CONVERSION §3, step 4: courses in programme order,
each by its lowest-ranked option, then buckets, the most units first. Exact, and counted in nodes.
"""

from dataclasses import dataclass, replace

from creditbank.conversion.layout import Choice, Layout, bits

Grant = tuple[int, int, int]
"""An option, a place, and the units it gets there."""


class NodesSpent(Exception):
    """The node budget is used up."""


@dataclass(slots=True)
class Nodes:
    """How many nodes a decision may look at, and has."""

    budget: int
    used: int = 0

    def spend(self) -> None:
        if self.used >= self.budget:
            raise NodesSpent
        self.used += 1


@dataclass(slots=True)
class _Run:
    """What the search needs for one set of options: the places in order, and what later ones can bring."""

    items: list[tuple[int, tuple[Choice, ...]]]
    later: list[int]  # units that the places from here on hold at most
    owns: list[tuple[tuple[int, ...], list[int], int, int]]
    shared: list[tuple[int, int, list[int]]]
    alive: list[tuple[int, int]]  # fields, and outcomes counted, that later items still look at
    proven: dict[tuple[int, int, int], int]
    must: int = -1  # the item that may not be left out


class Filler:
    """Fills the places of one component; remembers what it has proved about each set of options."""

    def __init__(self, layout: Layout, nodes: Nodes) -> None:
        self.layout = layout
        self.nodes = nodes
        self._runs: dict[int, _Run] = {}

    def fill(self, chosen: int, need: int, *, forced: tuple[int, int] | None = None) -> list[Grant] | None:
        """Return the first allocation with at least `need` units that uses no other options.

        With `forced`, an option and a place, only one in which that option gets that place.

        Raises:
            NodesSpent: the budget ended first.
        """
        run = self._runs.get(chosen)
        if run is None:
            run = self._runs[chosen] = self._prepare(chosen)
        if forced is not None:
            run = _forced(run, *forced)
        path: list[Grant] = []
        return path if self._descend(run, 0, self.layout.start, 0, need, path) else None

    def at_most(self, chosen: int) -> int:
        """Return units that these options cannot exceed."""
        run = self._runs.get(chosen)
        if run is None:
            run = self._runs[chosen] = self._prepare(chosen)
        return self._ceiling(run, 0, self.layout.start)

    def _prepare(self, chosen: int) -> _Run:
        layout, problem = self.layout, self.layout.problem
        items: list[tuple[int, tuple[Choice, ...]]] = []
        for place, choices in layout.choices.items():
            kept = tuple(choice for choice in choices if chosen >> choice.option & 1)
            if not kept:
                continue
            if place < problem.course_count:
                items.append((place, kept))
            else:
                items.extend((place, (choice,)) for choice in kept)
        later = [0] * (len(items) + 1)
        reached = 0
        for at in range(len(items) - 1, -1, -1):
            place, choices = items[at]
            fresh = 0
            for choice in choices:
                for one in choice.places:
                    fresh |= 1 << one
            later[at] = later[at + 1] + layout.units_of(fresh & ~reached)
            reached |= fresh
        return _Run(
            items=items,
            later=later,
            owns=[self._own(option, items) for option in bits(chosen)],
            shared=self._shared(chosen, items),
            alive=self._alive(items),
            proven={},
        )

    def _own(
        self, option: int, items: list[tuple[int, tuple[Choice, ...]]]
    ) -> tuple[tuple[int, ...], list[int], int, int]:
        """Return, of an option, the sums of its courses and the buckets from each item on, and its field."""
        layout, problem = self.layout, self.layout.problem
        bucket_units = [0] * (len(items) + 1)
        for at in range(len(items) - 1, -1, -1):
            place, choices = items[at]
            is_filled = place >= problem.course_count and choices[0].option == option
            bucket_units[at] = bucket_units[at + 1] + (problem.units[place] if is_filled else 0)
        whole = problem.bundles >> option & 1
        sums = layout.sums[option] if not whole else ()
        first = (problem.covers[option] & -problem.covers[option]).bit_length() - 1
        by_item = tuple(
            sums[place] if sums else 1 | 1 << layout.units_of(problem.covers[option] * (place <= first))
            for place in (*(place for place, _ in items), len(problem.places))
        )
        field = layout.own_field[option]
        if field is None:
            return by_item, bucket_units, 0, 0
        return by_item, bucket_units, layout.shift[field], layout.width[field]

    def _shared(
        self, chosen: int, items: list[tuple[int, tuple[Choice, ...]]]
    ) -> list[tuple[int, int, list[int]]]:
        """Return, for each bound in credits over several options, its field and what may go past it."""
        layout = self.layout
        found = []
        for at, bound in enumerate(layout.bounds):
            within = bound.options & chosen
            if bound.measure != "credits" or within & (within - 1) == 0:
                continue
            outside = [0] * (len(items) + 1)
            free = 0
            for item in range(len(items) - 1, -1, -1):
                past = 0
                for choice in items[item][1]:
                    for one in choice.places:
                        if not (bound.options >> choice.option & 1 and bound.places >> one & 1):
                            past |= 1 << one
                outside[item] = outside[item + 1] + layout.units_of(past & ~free)
                free |= past
            found.append((layout.shift[at], layout.width[at], outside))
        return found

    def _alive(self, items: list[tuple[int, tuple[Choice, ...]]]) -> list[tuple[int, int]]:
        alive = [(0, 0)]
        for _, choices in reversed(items):
            fields, counted = alive[-1]
            for choice in choices:
                fields |= self.layout.field_mask(choice.uses)
                for bit, uses in choice.counts:
                    fields |= self.layout.field_mask(uses)
                    counted |= bit
            alive.append((fields, counted))
        return alive[::-1]

    def _ceiling(self, run: _Run, at: int, state: int) -> int:
        total = 0
        for sums, buckets, shift, width in run.owns:
            reach = sums[at]
            if width:
                room = state >> shift & width
                reach &= (2 << room) - 1
                total += min(room, reach.bit_length() - 1 + buckets[at])
            else:
                total += reach.bit_length() - 1 + buckets[at]
        total = min(total, run.later[at])
        for shift, width, outside in run.shared:
            bound = (state >> shift & width) + outside[at]
            total = min(total, bound)
        return total

    def _descend(self, run: _Run, at: int, state: int, seen: int, need: int, path: list[Grant]) -> bool:
        if at == len(run.items):
            return need <= 0
        fields, outcomes = run.alive[at]
        key = (at, state & fields, seen & outcomes)
        proven = run.proven.get(key)
        if proven is not None and proven < need:
            return False
        if need > 0:
            ceiling = self._ceiling(run, at, state)
            if ceiling < need:
                run.proven[key] = ceiling
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
        guards, units = self.layout.guards, self.layout.problem.units
        for choice in run.items[at][1]:
            after = state - choice.uses
            if after & guards != guards:
                continue
            after, counted = self._count(choice, after, seen)
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
        after, counted = self._count(choice, state, seen)
        most = self._most(choice, after) if after >= 0 else 0
        for amount in range(most, 0, -1):
            path.append((choice.option, place, amount))
            if self._descend(run, at + 1, after - amount * choice.uses, counted, need - amount, path):
                return True
            path.pop()
        return at != run.must and self._descend(run, at + 1, state, seen, need, path)

    def _count(self, choice: Choice, state: int, seen: int) -> tuple[int, int]:
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


def _forced(run: _Run, option: int, place: int) -> _Run:
    """Return the run in which that option gets that place; of a bundle, the first of its courses."""
    items = list(run.items)
    for at, (_, choices) in enumerate(items):
        for choice in choices:
            if choice.option == option and place in choice.places:
                items[at] = (items[at][0], (choice,))
                return replace(run, items=items, proven={}, must=at)
    return replace(run, items=[], later=[0], alive=[(0, 0)], proven={})
