"""A part of a problem that hangs together, laid out for the search: fields of one integer, and bounds.

Every bound that can bind is a field of one packed integer: what an application uses is subtracted from all
fields at once, and a guard bit above each tells whether one of them would go below nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, reduce
from math import gcd

from creditbank.conversion.bounds import Bound
from creditbank.conversion.presolve import exclusions, narrowed, outdone, telling
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
    fields: int  # the whole of every field that it uses


@dataclass(frozen=True, slots=True, eq=False)
class Count:
    """At most `room` distinct outcomes among these options, wherever they are used."""

    room: int
    options: int
    outcomes: Mapping[int, int]  # of each option, as a mask
    rivals: Sequence[int]  # options that exclude each option

    def outcomes_of(self, options: int) -> int:
        found = 0
        for option in bits(options & self.options):
            found |= self.outcomes[option]
        return found

    def beyond(self, options: int, taken: int) -> int:
        """Return those of the options that bring in an outcome that is not taken yet."""
        return sum(1 << option for option in bits(options & self.options) if self.outcomes[option] & ~taken)

    def alone(self, option: int) -> int:
        """Return how many outcomes the option counts that no option beside it could have counted."""
        shared = 0
        for other, outcomes in self.outcomes.items():
            if not self.rivals[option] >> other & 1 and other != option:
                shared |= outcomes
        return (self.outcomes[option] & ~shared).bit_count()


class Layout:
    """One component: options that exclude or compete with each other, and no others.

    Units are counted in `scale` steps, the most of which every course is a multiple; 1 with a bucket.
    """

    def __init__(self, problem: Problem, options: Sequence[int], bounds: Sequence[Bound]) -> None:
        self.problem = problem
        self.options = tuple(options)
        self.mask = sum(1 << option for option in options)
        self._most: dict[int, int] = {}
        self._reached: dict[int, int] = {}
        self._held: dict[int, int] = {}
        self.reach = {option: problem.covers[option] | problem.fills[option] for option in options}
        self.bounds = narrowed(bounds, self.reach)
        self.conflicts = list(problem.conflicts)
        for option, others in exclusions(self.bounds, self.reach).items():
            self.conflicts[option] |= others
        self.singles = self._singles()
        self.bounds.extend(_one_course(clique, self.reach) for clique in self.singles)
        self.bounds = telling(self.bounds)
        self.outdone = outdone(problem, self.bounds, self.reach, self.conflicts)
        self.rivals = list(self.conflicts)
        for clique in self.singles:
            for option in bits(clique):
                self.rivals[option] &= ~clique
        everywhere = reduce(int.__or__, self.reach.values())
        self.scale = 1
        if not everywhere >> problem.course_count:
            self.scale = max(1, reduce(gcd, (problem.units[place] for place in bits(everywhere)), 0))
        self.units = tuple(units // self.scale for units in problem.units)
        self.rooms = [
            bound.room // self.scale if bound.measure == "credits" else bound.room for bound in self.bounds
        ]
        self._pack()
        self.whole = [self._whole(bound) for bound in self.bounds]
        self.counts = self._counts()
        self.counted: dict[tuple[int, str], int] = {}  # the bit of each outcome that a bound counts
        self.credit_fields = sorted(
            (at for at, bound in enumerate(self.bounds) if bound.measure == "credits"),
            key=lambda at: (
                self.bounds[at].options.bit_count(),
                self.bounds[at].places.bit_count(),
                self.rooms[at],
                at,
            ),
        )
        self.own_field = {option: self._own_field(option) for option in options}
        self.course_field = {option: self._course_field(option) for option in options}
        self.course_rooms = {
            option: self.rooms[field] for option, field in self.course_field.items() if field is not None
        }
        self.sums = {option: self._sums_of(option) for option in options}
        self.potential = {option: sums.bit_length() - 1 for option, sums in self.sums.items()}

    def _singles(self) -> list[int]:
        """Return cliques of options that get one course at most.

        That they exclude each other is a bound on courses then, and nothing to choose beforehand.
        """
        single = [option for option in self.options if self._is_single(option)]
        cliques = cliques_of(single, self.conflicts)
        return [clique for clique in cliques if clique & (clique - 1)]

    def _is_single(self, option: int) -> bool:
        if self.problem.fills[option]:
            return False
        covers = self.problem.covers[option]
        return covers.bit_count() == 1 or (
            not self.problem.bundles >> option & 1
            and any(
                bound.measure == "courses" and bound.room <= 1 and not covers & ~bound.places
                for bound in self.bounds
                if bound.options >> option & 1
            )
        )

    def _counts(self) -> tuple[Count, ...]:
        """Return the bounds on outcomes that hold wherever their options are used."""
        found = []
        for at, bound in enumerate(self.bounds):
            if bound.counted is None or bound.room == 1 or self.whole[at] != bound.options:
                continue
            numbers: dict[str, int] = {}
            outcomes = {}
            for option in bits(self.whole[at]):
                for outcome in bound.counted[option]:
                    numbers.setdefault(outcome, len(numbers))
                outcomes[option] = sum(1 << numbers[outcome] for outcome in bound.counted[option])
            found.append(Count(bound.room, self.whole[at], outcomes, self.conflicts))
        return tuple(found)

    def _whole(self, bound: Bound) -> int:
        """Return the options of which the bound covers everything they may get."""
        return sum(
            1 << option
            for option in self.options
            if bound.options >> option & 1 and not self.reach[option] & ~bound.places
        )

    def _pack(self) -> None:
        self.shift: list[int] = []
        self.width: list[int] = []
        at = self.start = self.guards = 0
        bundled = 0
        for option in self.options:
            if self.problem.bundles >> option & 1:
                bundled |= self.problem.covers[option]
        self.once = {place: len(self.bounds) + n for n, place in enumerate(bits(bundled))}
        heights = [self._height(bound, room) for bound, room in zip(self.bounds, self.rooms, strict=True)]
        for room, height in zip(
            (*self.rooms, *(1 for _ in self.once)), (*heights, *(1 for _ in self.once)), strict=True
        ):
            width = max(1, height.bit_length())
            self.shift.append(at)
            self.width.append((1 << width) - 1)
            self.start |= (room | 1 << width) << at
            self.guards |= 1 << (at + width)
            at += width + 1

    def _height(self, bound: Bound, room: int) -> int:
        """Return the most that a bound's field ever holds: every course brings room for what is left."""
        if bound.measure != "leftover":
            return room
        (option,) = bits(bound.options)
        return self.left_of_one(option) * self.problem.covers[option].bit_count()

    def left_of_one(self, option: int) -> int:
        """Return how much room one course brings for what is left of it: all that its buckets hold."""
        return self.units_of(self.problem.fills[option])

    @cached_property
    def choices(self) -> Mapping[int, tuple[Choice, ...]]:
        """For each place, in the programme's order, what each option can do there, by rank."""
        found: dict[int, list[Choice]] = {}
        for option in self.options:
            own = [(at, bound) for at, bound in enumerate(self.bounds) if bound.options >> option & 1]
            covers = tuple(bits(self.problem.covers[option]))
            if covers and self.problem.bundles >> option & 1:
                found.setdefault(covers[0], []).append(self._choice(option, covers, own))
                continue
            for place in (*covers, *bits(self.problem.fills[option])):
                found.setdefault(place, []).append(self._choice(option, (place,), own))
        return {place: tuple(found[place]) for place in sorted(found)}

    def _choice(self, option: int, places: tuple[int, ...], own: Sequence[tuple[int, Bound]]) -> Choice:
        """Return what the option, under its own bounds, does at these courses; or one unit at a bucket."""
        is_bucket = places[0] >= self.problem.course_count
        brought = 1 if is_bucket else sum(self.units[place] for place in places)
        uses = mask = 0
        counts: dict[int, int] = {}
        for place in places:
            if place in self.once:
                uses += self._packed(self.once[place], 1)
                mask |= self._field(self.once[place])
        for at, bound in own:
            within = [place for place in places if bound.places >> place & 1]
            if not within or (bound.measure == "courses" and is_bucket):
                continue
            if bound.measure == "leftover":
                uses += (1 if is_bucket else -self.left_of_one(option) * len(within)) << self.shift[at]
            elif bound.counted is not None:
                for outcome in bound.counted[option]:
                    bit = self.counted.setdefault((at, outcome), len(self.counted))
                    counts[1 << bit] = self._packed(at, 1)
            elif bound.measure == "courses":
                uses += self._packed(at, len(within))
            else:
                uses += self._packed(at, 1 if is_bucket else sum(self.units[place] for place in within))
            mask |= self._field(at)
        return Choice(option, brought, uses, tuple(counts.items()), places, mask)

    def _field(self, at: int) -> int:
        return (2 * self.width[at] + 1) << self.shift[at]

    def _packed(self, field: int, amount: int) -> int:
        """Return `amount` in its field; what is too much for it becomes one more than it ever holds."""
        room = self.rooms[field] if field < len(self.bounds) else 1
        return min(amount, room + 1) << self.shift[field]

    def _own_field(self, option: int) -> int | None:
        """Return the tightest bound in credits on everything the option may get."""
        fields = ((self.rooms[at], at) for at in self.credit_fields if self.whole[at] >> option & 1)
        return min(fields, default=(0, None))[1]

    def _course_field(self, option: int) -> int | None:
        """Return the tightest bound in courses on everything the option may get."""
        fields = (
            (self.rooms[at], -bound.options.bit_count(), at)
            for at, bound in enumerate(self.bounds)
            if bound.measure == "courses" and self.whole[at] >> option & 1
        )
        return min(fields, default=(0, 0, None))[2]

    def _sums_of(self, option: int) -> int:
        """Return, as a bitset, the units that the option can come to on its own."""
        covers, fills = self.problem.covers[option], self.problem.fills[option]
        field = self.own_field[option]
        room = self.units_of(covers | fills) if field is None else self.rooms[field]
        if self.problem.bundles >> option & 1:
            sums = 1 | 1 << self.units_of(covers)
        else:
            most = self.course_rooms.get(option, covers.bit_count())
            by_count = [1] + [0] * most
            for place in bits(covers):
                for count in range(most, 0, -1):
                    by_count[count] |= by_count[count - 1] << self.units[place]
            sums = reduce(int.__or__, by_count)
        if fills:
            sums = sumset(sums, (2 << self.units_of(fills)) - 1)
        return sums & ((2 << room) - 1)

    def units_most(self, options: int) -> int:
        """Return what these options come to at most, but for what bounds several of them."""
        total = self._most.get(options)
        if total is None:
            total, left = 0, options
            for single in self.singles:
                total += max((self.potential[option] for option in bits(single & left)), default=0)
                left &= ~single
            total += sum(self.potential[option] for option in bits(left))
            self._most[options] = total
        return total

    def reach_of(self, options: int) -> int:
        """Return the places that some of these options may get."""
        reach = self._reached.get(options)
        if reach is None:
            reach = 0
            for option in bits(options):
                reach |= self.reach[option]
            self._reached[options] = reach
        return reach

    def units_of(self, places: int) -> int:
        """Return what these places hold."""
        held = self._held.get(places)
        if held is None:
            held = self._held[places] = sum([self.units[place] for place in bits(places)])
        return held


def _one_course(clique: int, reach: Mapping[int, int]) -> Bound:
    return Bound(
        kind="limit",
        measure="courses",
        room=1,
        maximum=1,
        places=reduce(int.__or__, (reach[option] for option in bits(clique))),
        options=clique,
        source="",
    )


def cliques_of(options: Sequence[int], conflicts: Sequence[int]) -> list[int]:
    """Return a partition of the options into such as all exclude each other."""
    cliques: list[int] = []
    for option in options:
        for at, clique in enumerate(cliques):
            if not clique & ~conflicts[option]:
                cliques[at] |= 1 << option
                break
        else:
            cliques.append(1 << option)
    return cliques


def in_one_of(masks: Iterable[int]) -> int:
    """Return what is in one of the masks and in no other."""
    found = again = 0
    for mask in masks:
        again |= found & mask
        found |= mask
    return found & ~again


def sumset(one: int, two: int) -> int:
    """Return the bitset of all sums of a number of the one and a number of the other."""
    if one.bit_count() > two.bit_count():
        one, two = two, one
    sums = 0
    while one:
        low = one & -one
        sums |= two << (low.bit_length() - 1)
        one ^= low
    return sums


@lru_cache(maxsize=1 << 12)
def bits(mask: int) -> tuple[int, ...]:
    """Return the numbers of the bits that are set, lowest first; the same masks come again and again."""
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return tuple(found)


def components(problem: Problem) -> tuple[list[tuple[int, ...]], list[Bound]]:
    """Return the problem's independent parts, as options, and the bounds that can bind.

    An option that may get nothing is in no part.
    """
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
    return [tuple(bits(group)) for group in sorted(groups)], bounds


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
