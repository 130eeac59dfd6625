"""Why, why not, and what is one step away: the figures of a solved case, in codes.

The sentences are those of the packs; the words for the codes are for the edges.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from creditbank.conversion.decision import (
    CapUse,
    NextStep,
    Refusal,
    RefusalKind,
)
from creditbank.conversion.fill import Nodes
from creditbank.conversion.hindrance import Cause, Found, Hindrances, Usage, weight
from creditbank.conversion.layout import bits
from creditbank.conversion.matching import LiveRule, Match
from creditbank.conversion.near_miss import Gains, distance
from creditbank.conversion.pairing import unpaired
from creditbank.conversion.solving import Case, Solution
from creditbank.conversion.unmet import needs_of
from creditbank.conversion.worthless import Worthless, together, worthless
from creditbank.terms import OutcomeId


def refusals(case: Case, solution: Solution, nodes: Nodes, *, gains: bool = True) -> tuple[Refusal, ...]:
    """Return why each rule in force, by rank, grants nothing or leaves out some of its places.

    Without `gains` it is left open what an addition would bring.
    """
    return tuple(Refusing(case, solution, nodes, gains=gains).all())


def next_step(rules: Sequence[LiveRule], refused: Sequence[Refusal]) -> NextStep | None:
    """Return the cheapest addition that gains: a better outcome before a new one, then the largest gain.

    What nobody can change of an outcome that is there, such as the credits of a course, is no step.
    """
    live_of = {(live.pack.id, live.rule.id, live.rule.version): live for live in rules}
    found: list[tuple[tuple[int, int, int, int], NextStep]] = []
    for at, refusal in enumerate(refused):
        if refusal.gain and len(refusal.needs) == 1 and refusal.needs[0].attribute in _STEPS:
            need, cited = refusal.needs[0], refusal.cited
            near = distance(live_of[cited.pack, cited.rule, cited.version], need)
            credits_ = refusal.gain_credits or Decimal(0)
            step = NextStep(cited=cited, need=need, gain=refusal.gain, gain_credits=credits_)
            found.append(((*near, -refusal.gain, at), step))
    return min(found, key=lambda one: one[0])[1] if found else None


def cap_uses(case: Case, solution: Solution, refused: Sequence[Refusal]) -> tuple[CapUse, ...]:
    """Return how full every cap of the programme is, by id; the periods of a cap by date."""
    binding = {part for refusal in refused if refusal.kind == "cap" for part in refusal.by}
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
                binds=bound.part in binding,
                cite=cap.cite,
                period=bound.period,
                each=bound.each,
            )
        )
    return tuple(found)


_TRIED = 8
"""How many of the options that would spend an outcome are looked at to say what keeps it out."""

_STEPS = frozenset({"outcome", "level", "grade", "score", "awarded_on", "expires_on"})
"""What a learner can set out to get, or to get anew."""
_APART: Cause = ("spent-elsewhere", ("another",))
"""What keeps an idle outcome out where one that would be spent with it is spent: never said of both."""


def idle(case: Case, solution: Solution) -> frozenset[OutcomeId]:
    """Return the outcomes on which neither the answer nor a grant rests, here or for good elsewhere."""
    used = [solution.problem.options[at] for at in {at for at, _, _ in solution.grants}]
    counted = {one.id for option in used for one in (*option.spent, *option.witnesses)}
    counted.update(one for grant in case.pinned for one in (*grant.spent, *grant.witnesses))
    counted.update(use.outcome for use in case.elsewhere)
    return frozenset(holding.id for holding in case.holdings if holding.id not in counted)


class Refusing:
    """Finds what stands in the way of each rule."""

    def __init__(self, case: Case, solution: Solution, nodes: Nodes, *, gains: bool = True) -> None:
        self.case = case
        self.solution = solution
        self.problem = solution.problem
        self.gains = Gains(case, solution, nodes) if gains else None
        self.hindrances = Hindrances(case, solution, nodes)
        self.placed = {(option, place) for option, place, _ in solution.grants}
        self.idle = idle(case, solution)
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
                yield from self._left_out(self.options[rule], match)

    def _unmet(self, match: Match) -> Refusal:
        needs = needs_of(match, as_of=self.case.as_of)
        if not needs:
            return Refusal(cited=match.live.cited, kind="never-met" if needs is None else "not-searched")
        gain = None
        if self.gains is not None and len(needs) == 1:
            gain, need = self.gains.of(match, needs[0])
            needs = (need,)
        return Refusal(
            cited=match.live.cited,
            kind="premise",
            needs=needs,
            outcomes=tuple(sorted({need.outcome for need in needs if need.outcome is not None})),
            gain=gain,
            gain_credits=None if gain is None else gain * self.case.step,
        )

    def _left_out(self, options: Sequence[int], match: Match) -> Iterator[Refusal]:
        """Yield why a rule leaves out places, then why it leaves out outcomes that count nowhere."""
        step, as_of = self.case.step, self.case.as_of
        nothing = {at: worthless(self.problem.options[at], step=step, as_of=as_of) for at in options}
        worth = [at for at in options if not nothing[at]]
        found = list(self._places(worth, match)) if worth else []
        said = {one for _, refusal in found for one in refusal.outcomes}
        yield from self._idle(worth, match, found, self.idle - said)
        idle_or_all = self.idle if worth else None
        yield from self._worthless([one for at in options for one in nothing[at]], match, idle_or_all)

    def _places(self, options: Sequence[int], match: Match) -> Iterator[tuple[Cause, Refusal]]:
        """Yield the refusal of each place that the rule is about and that it grants nothing for."""
        wanted = 0
        for option in options:
            wanted |= self.hindrances.about(option)
        if not wanted:
            yield from self._pairless(options[0], match)
        grants = [option for option in options if option in self.hindrances.used]
        found = 0
        for place in bits(wanted):
            if self.hindrances.is_given(place):
                continue
            placed = [option for option in grants if (option, place) in self.placed]
            if placed:
                yield from self._rest(placed, place, match)
                continue
            nearest = self.hindrances.nearest(
                self._about(grants, place) or self._about(options, place), place
            )
            found += 1
            yield self._refused(nearest, place, match)
        if not grants and not found and wanted:
            yield self._outdone(options[0], match, wanted)

    def _about(self, options: Sequence[int], place: int) -> list[int]:
        return [one for one in options if self.hindrances.about(one) >> place & 1]

    def _refused(
        self, nearest: Found, place: int, match: Match, outcomes: Sequence[OutcomeId] = ()
    ) -> tuple[Cause, Refusal]:
        option = nearest[0]
        kind, by = self.hindrances.cause(nearest, place)
        missing = self.hindrances.missing(option, place) if kind in {"unpaired", "gap"} else None
        raw = nearest[1][0] if nearest[1] else (kind, by)
        nearer = self.problem.options[option]
        spent = nearer.spent_ids if kind != "budget" or nearer.drawn is None else (nearer.drawn.id,)
        return raw, Refusal(
            cited=match.live.cited,
            kind=kind,
            target=self.problem.places[place].id,
            outcomes=tuple(outcomes) or spent,
            by=by,
            needs=() if missing is None else (missing[1],),
        )

    def _rest(self, placed: Sequence[int], place: int, match: Match) -> Iterator[tuple[Cause, Refusal]]:
        """Yield what keeps the rest of outcomes that fill a bucket out of it, where it is not the rule."""
        for option in placed:
            causes = list(self.hindrances.full(option, [place]))
            if causes and all(kind in {"cap", "capacity"} for kind, _ in causes):
                yield self._refused((option, causes), place, match)

    def _pairless(self, option: int, match: Match) -> Iterator[tuple[Cause, Refusal]]:
        """Yield the refusal of a rule none of whose courses goes with what would be spent."""
        filter_ = match.live.exemption.courses
        for course in self.case.programme.courses:
            if filter_ is not None and filter_.covers(course):
                missing = unpaired(self.problem.options[option], (course,))
                if missing is not None:
                    yield (
                        (missing[0], ()),
                        Refusal(
                            cited=match.live.cited,
                            kind=missing[0],
                            outcomes=self.problem.options[option].spent_ids,
                            needs=(missing[1],),
                        ),
                    )
                    return

    def _outdone(self, option: int, match: Match, wanted: int) -> tuple[Cause, Refusal]:
        """Return the refusal of a rule whose every place another rule has got."""
        by = self.hindrances.rules({self.hindrances.granted_by[place] for place in bits(wanted)})
        kind: RefusalKind = "tie-break" if self.hindrances.ties(option) else "taken"
        outcomes = self.problem.options[option].spent_ids
        return ("taken", by), Refusal(cited=match.live.cited, kind=kind, outcomes=outcomes, by=by)

    def _idle(
        self,
        options: Sequence[int],
        match: Match,
        found: Sequence[tuple[Cause, Refusal]],
        outcomes: frozenset[OutcomeId],
    ) -> Iterator[Refusal]:
        """Yield the refusals found, each with the idle outcomes that the same keeps out, then the others'."""
        beside: dict[object, list[OutcomeId]] = {}
        others: dict[object, tuple[Cause, Refusal]] = {}
        known = {_sameness(raw, refusal) for raw, refusal in found}
        for outcome, own in self._spending(options, outcomes).items():
            raw, refusal = self._keeping_out(outcome, own, match)
            same = _sameness(_APART if refusal.kind == "spent-elsewhere" else raw, refusal)
            beside.setdefault(same, []).append(outcome)
            if same not in known:
                others.setdefault(same, (raw, refusal))
        for raw, refusal in found:
            more = beside.get(_sameness(raw, refusal), ())
            yield replace(refusal, outcomes=(*refusal.outcomes, *more)) if more else refusal
        for same, (_, refusal) in others.items():
            needs = refusal.needs if len(beside[same]) == 1 else ()
            yield replace(refusal, outcomes=tuple(beside[same]), needs=needs)

    def _spending(
        self, options: Sequence[int], outcomes: frozenset[OutcomeId]
    ) -> Mapping[OutcomeId, list[int]]:
        """Return the first options that would spend each of these outcomes, by outcome."""
        found: dict[OutcomeId, list[int]] = {}
        for option in options:
            for outcome in self.problem.options[option].spent_ids:
                if outcome in outcomes and len(found.setdefault(outcome, [])) < _TRIED:
                    found[outcome].append(option)
        return dict(sorted(found.items()))

    def _keeping_out(self, outcome: OutcomeId, options: Sequence[int], match: Match) -> tuple[Cause, Refusal]:
        """Return what keeps an idle outcome out of the place that it is nearest to."""
        hindrances = self.hindrances
        wanted = 0
        best: tuple[Found, int] | None = None
        for option in options:
            wanted |= hindrances.about(option)
            for place in bits(hindrances.about(option)):
                if not hindrances.is_given(place):
                    found = option, hindrances.of(option, place)
                    if best is None or weight(found) < weight(best[0]):
                        best = found, place
            if best is not None and weight(best[0])[:2] <= (1, False):
                break  # no later option is nearer
        if best is not None:
            return self._refused(best[0], best[1], match, [outcome])
        if not wanted:
            return next(self._pairless(options[0], match), _unplaced(match, outcome))
        by = hindrances.rules({hindrances.granted_by[place] for place in bits(wanted)})
        return ("taken", by), Refusal(cited=match.live.cited, kind="taken", outcomes=(outcome,), by=by)

    def _worthless(
        self, found: Iterable[Worthless], match: Match, outcomes: frozenset[OutcomeId] | None
    ) -> Iterator[Refusal]:
        """Yield the refusals of outcomes that a table gives nothing: near misses apart, the rest as one."""
        rest: dict[tuple[str, ...], dict[OutcomeId, Worthless]] = {}
        seen: set[OutcomeId] = set()
        for one in found:
            name = one.holding.id
            if name in seen or (outcomes is not None and name not in outcomes):
                continue
            seen.add(name)
            if one.better is None:
                rest.setdefault(one.table, {})[name] = one
                continue
            gain = None if self.gains is None else self.gains.of_outcome(one.better)
            yield Refusal(
                cited=match.live.cited,
                kind="no-worth",
                outcomes=(name,),
                by=one.table,
                needs=one.needs,
                gain=gain,
                gain_credits=None if gain is None else gain * self.case.step,
            )
        for table, own in rest.items():
            one, holdings = together([*own.values()])
            yield Refusal(
                cited=match.live.cited,
                kind="no-worth",
                outcomes=tuple(holding.id for holding in holdings),
                by=table,
                needs=one.needs,
                worths=() if one.worth is None else (one.worth,),
            )


def _sameness(raw: Cause, refusal: Refusal) -> object:
    """Return what refusals of one rule have in common that are said of several outcomes at once."""
    return refusal.kind, raw, refusal.target


def _unplaced(match: Match, outcome: OutcomeId) -> tuple[Cause, Refusal]:
    """Return the refusal of an outcome that no place of the rule is for, such as a bucket of other kinds."""
    return ("unpaired", ()), Refusal(cited=match.live.cited, kind="unpaired", outcomes=(outcome,))
