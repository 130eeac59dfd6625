"""A part of a problem that hangs together, laid out for the search: fields of one integer, and bounds.

Every bound that can bind is a field of one packed integer: what an application uses is subtracted from all
fields at once, and a guard bit above each tells whether one of them would go below nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from creditbank.conversion.bounds import Bound
from creditbank.conversion.problem import Problem


@dataclass(frozen=True, slots=True)
class Choice:
    """One option at one place: the units it brings, and what it uses of the fields.

    A bundle brings all its courses at the first of them. `counts` are outcomes that some bound counts once:
    (bit in the set of those already counted, what counting it uses).
    """

    option: int
    units: int
    uses: int
    counts: tuple[tuple[int, int], ...]
    places: tuple[int, ...]


class Layout:
    """One component: options that exclude or compete with each other, and no others."""

    def __init__(self, problem: Problem, options: Sequence[int], bounds: Sequence[Bound]) -> None:
        self.problem = problem
        self.options = tuple(options)
        self.mask = sum(1 << option for option in options)
        self.reach = {option: problem.covers[option] | problem.fills[option] for option in options}
        self.bounds = [bound for bound in bounds if bound.options & self.mask]
        self._pack()
        self.choices = self._choices()
        self.own_field = {option: self._own_field(option) for option in options}
        self.potential = {option: self._potential(option) for option in options}

    def _pack(self) -> None:
        self.shift: list[int] = []
        self.width: list[int] = []
        at = self.start = self.guards = 0
        bundled = 0
        for option in self.options:
            if self.problem.bundles >> option & 1:
                bundled |= self.problem.covers[option]
        self.once = {place: len(self.bounds) + n for n, place in enumerate(bits(bundled))}
        for room in (*(bound.room for bound in self.bounds), *(1 for _ in self.once)):
            width = max(1, room.bit_length())
            self.shift.append(at)
            self.width.append((1 << width) - 1)
            self.start |= (room | 1 << width) << at
            self.guards |= 1 << (at + width)
            at += width + 1

    def _choices(self) -> Mapping[int, tuple[Choice, ...]]:
        found: dict[int, list[Choice]] = {}
        self._counted: dict[tuple[int, str], int] = {}
        for option in self.options:
            covers = tuple(bits(self.problem.covers[option]))
            if covers and self.problem.bundles >> option & 1:
                found.setdefault(covers[0], []).append(self._choice(option, covers))
                continue
            for place in (*covers, *bits(self.problem.fills[option])):
                found.setdefault(place, []).append(self._choice(option, (place,)))
        return {place: tuple(found[place]) for place in sorted(found)}

    def _choice(self, option: int, places: tuple[int, ...]) -> Choice:
        """Return what the option does at these courses; at a bucket, what one unit does."""
        is_bucket = places[0] >= self.problem.course_count
        amounts = [1] if is_bucket else [self.problem.units[place] for place in places]
        uses: dict[int, int] = {}
        counts: dict[int, int] = {}
        for place, amount in zip(places, amounts, strict=True):
            if place in self.once:
                uses[self.once[place]] = 1
            for at, bound in enumerate(self.bounds):
                if not (bound.options >> option & 1 and bound.places >> place & 1):
                    continue
                if bound.measure == "credits":
                    uses[at] = uses.get(at, 0) + amount
                elif bound.measure == "courses" and not is_bucket:
                    uses[at] = uses.get(at, 0) + 1
                elif bound.counted is not None:
                    for outcome in bound.counted[option]:
                        bit = self._counted.setdefault((at, outcome), len(self._counted))
                        counts[1 << bit] = self._packed(at, 1)
        packed = sum(self._packed(field, amount) for field, amount in uses.items())
        return Choice(option, sum(amounts), packed, tuple(counts.items()), places)

    def _packed(self, field: int, amount: int) -> int:
        """Return `amount` in its field; what is too much for it becomes one more than it ever holds."""
        room = self.bounds[field].room if field < len(self.bounds) else 1
        return min(amount, room + 1) << self.shift[field]

    def _own_field(self, option: int) -> int | None:
        """Return the tightest bound in credits on everything the option may get."""
        fields = (
            (bound.room, at)
            for at, bound in enumerate(self.bounds)
            if bound.measure == "credits"
            and bound.options >> option & 1
            and not self.reach[option] & ~bound.places
        )
        return min(fields, default=(0, None))[1]

    def field_mask(self, uses: int) -> int:
        """Return the whole of each field of which `uses` uses something."""
        mask = 0
        for shift, width in zip(self.shift, self.width, strict=True):
            if uses >> shift & width:
                mask |= (2 * width + 1) << shift
        return mask

    def _potential(self, option: int) -> int:
        """Return units that the option cannot exceed on its own."""
        covers = self.problem.covers[option]
        if self.problem.bundles >> option & 1:
            return self.units_of(covers)
        field = self.own_field[option]
        room = self.units_of(self.reach[option])
        if field is not None:
            room = min(room, self.bounds[field].room)
        if self.problem.fills[option]:
            return room
        for bound in self.bounds:
            if bound.measure == "courses" and bound.options >> option & 1 and not covers & ~bound.places:
                units = sorted((self.problem.units[place] for place in bits(covers)), reverse=True)
                room = min(room, sum(units[: bound.room]))
        return (self.sums[option][0] & ((2 << room) - 1)).bit_length() - 1

    @cached_property
    def sums(self) -> Mapping[int, tuple[int, ...]]:
        """For each option and place: the sums that its courses from there on can make, as a bitset."""
        count = len(self.problem.places)
        found = {}
        for option in self.options:
            sums, covers = [1] * (count + 1), self.problem.covers[option]
            for place in range(count - 1, -1, -1):
                later = sums[place + 1]
                sums[place] = later | later << self.problem.units[place] if covers >> place & 1 else later
            found[option] = tuple(sums)
        return found

    def units_of(self, places: int) -> int:
        return sum(self.problem.units[place] for place in bits(places))


def bits(mask: int) -> Iterator[int]:
    """Yield the numbers of the bits that are set, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def components(problem: Problem) -> list[Layout]:
    """Return the problem's independent parts; an option that may get nothing is in none of them."""
    live = 0
    takers: dict[int, int] = {}
    for option, (covers, fills) in enumerate(zip(problem.covers, problem.fills, strict=True)):
        if covers | fills:
            live |= 1 << option
        for place in bits(covers):
            takers[place] = takers.get(place, 0) | 1 << option
    bounds = [bound for bound in problem.bounds if _can_bind(bound, problem, live)]
    links = [problem.conflicts[option] | 1 << option for option in bits(live)]
    groups: list[int] = []
    for link in (*links, *takers.values(), *(bound.options for bound in bounds)):
        merged, apart = link & live, []
        for group in groups:
            if group & merged:
                merged |= group
            else:
                apart.append(group)
        groups = [*apart, merged] if merged else apart
    return [Layout(problem, tuple(bits(group)), bounds) for group in sorted(groups)]


def _can_bind(bound: Bound, problem: Problem, live: int) -> bool:
    """Whether the options could ever ask for more; a bucket's capacity is what the others go by."""
    concerned = tuple(bits(bound.options & live))
    if bound.kind == "capacity":
        return bool(concerned)
    if bound.counted is not None:
        counted = bound.counted
        return len({outcome for option in concerned for outcome in counted[option]}) > bound.room
    reached = 0
    for option in concerned:
        reached |= (problem.covers[option] | problem.fills[option]) & bound.places
    if bound.measure == "courses":
        return (reached & ((1 << problem.course_count) - 1)).bit_count() > bound.room
    return sum(problem.units[place] for place in bits(reached)) > bound.room
