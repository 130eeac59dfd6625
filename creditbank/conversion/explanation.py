"""Why, why not, and what is one step away: the figures of a solved case, in codes.

The sentences are those of the packs; the words for the codes are for the edges.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from creditbank.conversion.bounds import Bound
from creditbank.conversion.decision import (
    CapUse,
    NextStep,
    Refusal,
    RefusalKind,
)
from creditbank.conversion.fill import Nodes
from creditbank.conversion.layout import bits
from creditbank.conversion.matching import LiveRule, Match
from creditbank.conversion.near_miss import Gains, distance
from creditbank.conversion.pairing import Unpaired, unpaired
from creditbank.conversion.programme import Bucket
from creditbank.conversion.solving import Case, Solution
from creditbank.conversion.unmet import needs_of
from creditbank.terms import RuleId


def refusals(case: Case, solution: Solution, nodes: Nodes, *, gains: bool = True) -> tuple[Refusal, ...]:
    """Return why each rule in force, by rank, grants nothing or leaves out some of its places.

    Without `gains` it is left open what an addition would bring.
    """
    return tuple(Refusing(case, solution, nodes, gains=gains).all())


def next_step(rules: Sequence[LiveRule], refused: Sequence[Refusal]) -> NextStep | None:
    """Return the cheapest addition that gains: a better outcome before a new one, then the largest gain."""
    live_of = {(live.pack.id, live.rule.id, live.rule.version): live for live in rules}
    found: list[tuple[tuple[int, int, int, int], NextStep]] = []
    for at, refusal in enumerate(refused):
        if refusal.gain and len(refusal.needs) == 1:
            need, cited = refusal.needs[0], refusal.cited
            near = distance(live_of[cited.pack, cited.rule, cited.version], need)
            credits_ = refusal.gain_credits or Decimal(0)
            step = NextStep(cited=cited, need=need, gain=refusal.gain, gain_credits=credits_)
            found.append(((*near, -refusal.gain, at), step))
    return min(found, key=lambda one: one[0])[1] if found else None


def cap_uses(case: Case, solution: Solution, refused: Sequence[Refusal]) -> tuple[CapUse, ...]:
    """Return how full every cap of the programme is, by id; the periods of a cap by date."""
    binding = {cap for refusal in refused if refusal.kind == "cap" for cap in refusal.by}
    caps = {cap.id: cap for cap in case.programme.caps}
    usage = Usage(solution)
    found = []
    for bound in solution.problem.bounds:
        if bound.kind != "cap":
            continue
        cap = caps[bound.source]
        unit = case.step if bound.measure == "credits" else Decimal(1)
        found.append(
            CapUse(
                id=cap.id,
                title=cap.title,
                measure=cap.measure,
                used=(bound.maximum - bound.room + usage.of(bound)) * unit,
                maximum=bound.maximum * unit,
                binds=cap_name(bound) in binding,
                cite=cap.cite,
                period=bound.period,
                each=bound.each,
            )
        )
    return tuple(found)


def cap_name(bound: Bound) -> str:
    """Return what a refusal calls a cap: its id, the first day of its period, and what it bounds each of."""
    period = None if bound.period is None else bound.period.isoformat()
    return "@".join(filter(None, (bound.source, period, bound.each)))


class Usage:
    """What an answer uses of each bound."""

    def __init__(self, solution: Solution) -> None:
        self.problem = solution.problem
        self.grants = solution.grants

    def of(self, bound: Bound) -> int:
        within = [
            (option, place, units)
            for option, place, units in self.grants
            if bound.options >> option & 1 and bound.places >> place & 1
        ]
        if bound.counted is not None:
            counted = bound.counted
            return len({outcome for option, _, _ in within for outcome in counted[option]})
        courses = sum(place < self.problem.course_count for _, place, _ in within)
        if bound.measure == "courses":
            return courses
        if bound.measure == "leftover":
            return -sum(self.problem.units) if courses else 0
        return sum(units for _, _, units in within)


Cause = tuple[RefusalKind, tuple[str, ...]]


class Refusing:
    """Finds what stands in the way of each rule."""

    def __init__(self, case: Case, solution: Solution, nodes: Nodes, *, gains: bool = True) -> None:
        self.case = case
        self.solution = solution
        self.nodes = nodes
        self.problem = solution.problem
        self.gains = Gains(case, solution, nodes) if gains else None
        self.grants = solution.grants
        self.granted_by = {place: option for option, place, _ in self.grants}
        self.placed = {(option, place) for option, place, _ in self.grants}
        self.used = {option for option, _, _ in self.grants}
        usage = Usage(solution)
        slack = [(bound, bound.room - usage.of(bound)) for bound in self.problem.bounds]
        self.slack = [
            [one for one in slack if one[0].options >> option & 1]
            for option in range(len(self.problem.options))
        ]
        self.tied: dict[int, bool] = {}
        self.options: list[list[int]] = [[] for _ in case.rules]
        for option, rule in enumerate(solution.rule_of):
            self.options[rule].append(option)

    def all(self) -> Iterator[Refusal]:
        for rule, match in enumerate(self.solution.matches):
            if match.live.fact_needs:
                yield Refusal(cited=match.live.cited, kind="fact", needs=match.live.fact_needs)
            elif not self.options[rule]:
                yield self._unmet(match)
            else:
                yield from self._left_out(rule, match)

    def _unmet(self, match: Match) -> Refusal:
        needs = needs_of(match)
        if not needs:
            return Refusal(cited=match.live.cited, kind="never-met" if needs is None else "not-searched")
        gain = self.gains.of(match, needs[0]) if self.gains is not None and len(needs) == 1 else None
        return Refusal(
            cited=match.live.cited,
            kind="premise",
            needs=needs,
            outcomes=tuple(sorted({need.outcome for need in needs if need.outcome is not None})),
            gain=gain,
            gain_credits=None if gain is None else gain * self.case.step,
        )

    def _left_out(self, rule: int, match: Match) -> Iterator[Refusal]:
        options = self.options[rule]
        grants = [option for option in options if option in self.used]
        tried = grants or options
        wanted = 0
        for option in options:
            wanted |= self._about(option)
        if not wanted:
            yield from self._pairless(options[0], match)
        found = 0
        for place in bits(wanted):
            if place < self.problem.course_count and place in self.granted_by:
                continue
            if any((option, place) in self.placed for option in grants):
                continue
            meant = [one for one in tried if self._about(one) >> place & 1]
            option, (kind, by) = self._cause(meant or self._meaning(options, place), place)
            missing = self._missing(option, place) if kind in {"unpaired", "gap"} else None
            found += 1
            yield Refusal(
                cited=match.live.cited,
                kind=kind,
                target=self.problem.places[place].id,
                outcomes=self.problem.options[option].spent_ids,
                by=by,
                needs=() if missing is None else (missing[1],),
            )
        if not grants and not found and wanted:
            yield self._outdone(options[0], match, wanted)

    def _about(self, option: int) -> int:
        """Return the courses and buckets that an option is about, those included that it may not get."""
        return self.problem.wants[option] | self.problem.fills[option]

    def _meaning(self, options: Sequence[int], place: int) -> list[int]:
        return [one for one in options if self._about(one) >> place & 1]

    def _pairless(self, option: int, match: Match) -> Iterator[Refusal]:
        """Yield the refusal of a rule none of whose courses goes with what would be spent."""
        filter_ = match.live.exemption.courses
        for course in self.case.programme.courses:
            if filter_ is not None and filter_.covers(course):
                missing = unpaired(self.problem.options[option], (course,))
                if missing is not None:
                    yield Refusal(
                        cited=match.live.cited,
                        kind=missing[0],
                        outcomes=self.problem.options[option].spent_ids,
                        needs=(missing[1],),
                    )
                    return

    def _missing(self, option: int, place: int) -> Unpaired | None:
        """Return what keeps a course, or the bundle it is of, from going with what would be spent."""
        problem, programme = self.problem, self.case.programme
        places = bits(problem.wants[option]) if problem.bundles >> option & 1 else (place,)
        return unpaired(problem.options[option], tuple(programme.courses[at] for at in places))

    def _outdone(self, option: int, match: Match, wanted: int) -> Refusal:
        """Return the refusal of a rule whose every place another rule has got."""
        others = {self.granted_by[place] for place in bits(wanted)}
        kind: RefusalKind = "tie-break" if self._ties(option) else "taken"
        return Refusal(
            cited=match.live.cited,
            kind=kind,
            outcomes=self.problem.options[option].spent_ids,
            by=self._rules(others),
        )

    def _ties(self, option: int) -> bool:
        """Whether another allocation with as many units would have used this option."""
        if option not in self.tied:
            self.tied[option] = any(
                search.ties(option, best.units, self.nodes)
                for search, best in zip(self.solution.searches, self.solution.bests, strict=True)
                if search.layout.mask >> option & 1
            )
        return self.tied[option]

    def _cause(self, options: Sequence[int], place: int) -> tuple[int, Cause]:
        """Return what keeps a rule from a place: of its options, the one with the fewest causes.

        That an outcome is spent is the cause only where no other outcome would do but for something else.
        """
        found = [(option, self._causes(option, place)) for option in options]
        option, causes = min(found, key=lambda one: (len(one[1]), _is_spent(one[1]), one[0]))
        if not causes:
            is_void = place < self.problem.course_count and not self.problem.units[place]
            return option, ("tie-break" if is_void else "not-searched", ())
        kind = causes[0][0]
        by = tuple(dict.fromkeys(name for other, names in causes if other == kind for name in names))
        if kind in {"spent-elsewhere", "exclusive", "similar"} and self._ties(option):
            kind = "tie-break"
        return option, (kind, by)

    def _causes(self, option: int, place: int) -> list[Cause]:
        problem = self.problem
        target = problem.places[place]
        if not isinstance(target, Bucket):
            taken = problem.taken.get(target.id)
            if taken is not None:
                return [("taken", (taken.rule,))]
            categories = problem.options[option].live.rule.scope.categories
            if not target.is_exemptible_under(categories):
                return [("not-exemptible", (target.id,))]
            missing = self._missing(option, place)
            if missing is not None:
                return [(missing[0], ())]
        if option in problem.blocked:
            kind, by = problem.blocked[option]
            return [(kind, (by,))]
        rivals = problem.conflicts[option]
        causes = [self._conflict(option, other) for other in sorted(self.used) if rivals >> other & 1]
        places = [place]
        if problem.bundles >> option & 1:
            causes.extend(self._torn_bundle(option))
            places = list(bits(problem.wants[option]))
        causes.extend(self._full(option, places))
        return causes

    def _torn_bundle(self, option: int) -> Iterator[Cause]:
        for place in bits(self.problem.wants[option]):
            target = self.problem.places[place]
            assert not isinstance(target, Bucket), "a bundle has no buckets"
            taken = self.problem.taken.get(target.id)
            if taken is not None:
                yield "taken", (taken.rule,)
            elif not self.problem.covers[option]:
                if not target.is_exemptible_under(self.problem.options[option].live.rule.scope.categories):
                    yield "not-exemptible", (target.id,)
            elif place in self.granted_by:
                yield "taken", self._rules({self.granted_by[place]})

    def _conflict(self, option: int, other: int) -> Cause:
        one, two = self.problem.options[option], self.problem.options[other]
        if set(one.consumed) & set(two.spent_ids) or set(two.consumed) & set(one.spent_ids):
            return "spent-elsewhere", (two.live.rule.id,)
        if one.live.group is not None and one.live.group == two.live.group:
            return "exclusive", (two.live.rule.id,)
        return "similar", two.spent_ids

    def _full(self, option: int, places: Sequence[int]) -> Iterator[Cause]:
        for bound, slack in self.slack[option]:
            within = [place for place in places if bound.places >> place & 1]
            if not within:
                continue
            if self._asked(bound, option, within) > slack:
                match bound.kind:
                    case "limit":
                        yield "limit", ()
                    case "budget":
                        by = self._drawing(bound)
                        yield ("spent-elsewhere" if by else "budget"), by
                    case "capacity":
                        yield "capacity", (bound.source,)
                    case "cap":
                        yield "cap", (cap_name(bound),)
                    case "leftover":
                        yield "leftover", ()

    def _drawing(self, bound: Bound) -> tuple[RuleId, ...]:
        """Return the rules that draw on the outcome that a budget is of, in this answer or as registered."""
        here = self._rules({other for other in self.used if bound.options >> other & 1})
        before = {RuleId(grant.rule) for grant in self.case.pinned if bound.source in grant.spent}
        return tuple(sorted({*here, *before}))

    def _asked(self, bound: Bound, option: int, places: Sequence[int]) -> int:
        courses = [place for place in places if place < self.problem.course_count]
        if bound.counted is not None:
            counted = bound.counted
            already = {
                outcome
                for other, place, _ in self.grants
                if bound.options >> other & 1 and bound.places >> place & 1
                for outcome in counted[other]
            }
            return len(set(counted[option]) - already)
        if bound.measure == "courses":
            return len(courses)
        if bound.measure == "leftover":
            return 0 if courses else 1
        return sum(self.problem.units[place] for place in courses) or (1 if len(courses) < len(places) else 0)

    def _rules(self, options: set[int]) -> tuple[RuleId, ...]:
        return tuple(sorted({self.problem.options[option].live.rule.id for option in options}))


def _is_spent(causes: Sequence[Cause]) -> bool:
    return bool(causes) and causes[0][0] == "spent-elsewhere"
