"""What keeps one option from one place beside a solved answer: conflicts, and bounds without room."""

from collections.abc import Iterator, Sequence

from creditbank.conversion.bounds import Bound
from creditbank.conversion.decision import By, RefusalKind, RuleElsewhere
from creditbank.conversion.fill import Nodes
from creditbank.conversion.layout import bits
from creditbank.conversion.pairing import Unpaired, unpaired
from creditbank.conversion.programme import Bucket
from creditbank.conversion.solving import Case, Solution
from creditbank.terms import RuleId

Cause = tuple[RefusalKind, tuple[By, ...]]
Found = tuple[int, list[Cause]]
"""An option, and what stands in its way."""

_BY_OTHERS: frozenset[RefusalKind] = frozenset({"spent-elsewhere", "exclusive", "similar"})


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


class Hindrances:
    """Finds what stands between the options of a solved case and its places."""

    def __init__(self, case: Case, solution: Solution, nodes: Nodes) -> None:
        self.case = case
        self.solution = solution
        self.nodes = nodes
        self.problem = solution.problem
        self.grants = solution.grants
        self.granted_by = {place: option for option, place, _ in self.grants}
        self.used = {option for option, _, _ in self.grants}
        self.tied: dict[int, bool] = {}
        usage = Usage(solution)
        self.slack: list[list[tuple[Bound, int]]] = [[] for _ in self.problem.options]
        for bound in self.problem.bounds:
            left = bound.room - usage.of(bound)
            for option in bits(bound.options):
                self.slack[option].append((bound, left))

    def about(self, option: int) -> int:
        """Return the courses and buckets that an option is about, those included that it may not get."""
        return self.problem.wants[option] | self.problem.fills[option]

    def is_given(self, place: int) -> bool:
        """Whether the answer exempts a course: a bucket takes more from others."""
        return place < self.problem.course_count and place in self.granted_by

    def missing(self, option: int, place: int) -> Unpaired | None:
        """Return what keeps a course, or the bundle it is of, from going with what would be spent."""
        problem, programme = self.problem, self.case.programme
        places = bits(problem.wants[option]) if problem.bundles >> option & 1 else (place,)
        return unpaired(problem.options[option], tuple(programme.courses[at] for at in places))

    def rules(self, options: set[int]) -> tuple[RuleId, ...]:
        """Return the rules of these options."""
        return tuple(sorted({self.problem.options[option].live.rule.id for option in options}))

    def ties(self, option: int) -> bool:
        """Whether another allocation with as many units would have used this option."""
        if option not in self.tied:
            self.tied[option] = any(
                search.ties(option, best.units, self.nodes)
                for search, best in zip(self.solution.searches, self.solution.bests, strict=True)
                if search.layout.mask >> option & 1
            )
        return self.tied[option]

    def nearest(self, options: Sequence[int], place: int) -> Found:
        """Return, of some options of a rule, the one with the fewest things between it and a place.

        That an outcome is spent is the cause only where no other outcome would do but for something else.
        """
        found = [(option, self.of(option, place)) for option in options]
        return min(found, key=weight)

    def cause(self, found: Found, place: int) -> Cause:
        """Return what to say of it: its first cause, with all that are of that kind; or that it is a tie."""
        option, causes = found
        if not causes:
            is_void = place < self.problem.course_count and not self.problem.units[place]
            return ("tie-break" if is_void else "not-searched", ())
        kind = causes[0][0]
        by = tuple(dict.fromkeys(name for other, names in causes if other == kind for name in names))
        return ("tie-break" if kind in _BY_OTHERS and self.ties(option) else kind, by)

    def of(self, option: int, place: int) -> list[Cause]:
        """Return everything that keeps an option from a place."""
        problem = self.problem
        target = problem.places[place]
        if not isinstance(target, Bucket):
            taken = problem.taken.get(target.id)
            if taken is not None:
                return [("taken", (taken.rule,))]
            categories = problem.options[option].live.rule.scope.categories
            if not target.is_exemptible_under(categories):
                return [("not-exemptible", (target.id,))]
            missing = self.missing(option, place)
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
        causes.extend(self.full(option, places))
        return causes

    def full(self, option: int, places: Sequence[int]) -> Iterator[Cause]:
        """Yield the bounds that have no room for an option at these places, or in a bucket for one step."""
        for bound, slack in self.slack[option]:
            within = [place for place in places if bound.places >> place & 1]
            if within and self._asked(bound, option, within) > slack:
                match bound.kind:
                    case "limit":
                        yield "limit", ()
                    case "budget":
                        by = self._drawing(bound)
                        yield ("spent-elsewhere" if by else "budget"), by
                    case "capacity":
                        yield "capacity", (bound.source,)
                    case "cap":
                        yield "cap", (bound.part,)
                    case "leftover":
                        yield "leftover", ()

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
                yield "taken", self.rules({self.granted_by[place]})

    def _conflict(self, option: int, other: int) -> Cause:
        one, two = self.problem.options[option], self.problem.options[other]
        if set(one.consumed) & set(two.spent_ids) or set(two.consumed) & set(one.spent_ids):
            return "spent-elsewhere", (two.live.rule.id,)
        if one.live.group is not None and one.live.group == two.live.group:
            return "exclusive", (two.live.rule.id,)
        return "similar", two.spent_ids

    def _drawing(self, bound: Bound) -> tuple[By, ...]:
        """Return the rules that draw on the outcome that a budget is of, in this answer or as registered."""
        here = self.rules({other for other in self.used if bound.options >> other & 1})
        before = {RuleId(grant.rule) for grant in self.case.pinned if bound.source in grant.spent}
        there = {
            RuleElsewhere(programme=use.programme, rule=use.rule)
            for use in self.case.elsewhere
            if use.outcome == bound.source
        }
        return (*sorted({*here, *before}), *sorted(there, key=str))

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


def weight(found: Found) -> tuple[int, bool, int]:
    """Return how far an option is from its place: by how many things, and of these one that is spent last."""
    option, causes = found
    return len(causes), bool(causes) and causes[0][0] == "spent-elsewhere", option
