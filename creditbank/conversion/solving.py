"""One case, solved: from packs, holdings and a programme to the best allocation, part by part.

What the answer says about it is for `allocation` and `explanation`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from creditbank.conversion.fill import Grant, Nodes
from creditbank.conversion.holding import Applicant, Holding, Pinned, SpentElsewhere
from creditbank.conversion.layout import Layout, components
from creditbank.conversion.matching import (
    Index,
    LiveRule,
    Match,
    Option,
    index_of,
    matches,
    ordered,
    rules_in_force,
)
from creditbank.conversion.meeting import level_rank
from creditbank.conversion.options import options_of
from creditbank.conversion.problem import Problem, common_step, in_step, pose
from creditbank.conversion.programme import Programme
from creditbank.conversion.registered import KnownRules
from creditbank.conversion.rule import RulePack, Scale
from creditbank.conversion.search import Best, Search
from creditbank.conversion.solver import Solver
from creditbank.terms import Microseconds, OutcomeId


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """The rules in force for one programme and one sort of applicant, indexed: the same for many learners."""

    packs: tuple[RulePack, ...]  # with rules in force
    programme: Programme
    as_of: date
    known_at: Microseconds
    step: Decimal  # of these packs
    rules: tuple[LiveRule, ...]
    index: Index
    known_rules: KnownRules
    scales: Mapping[str, Scale]  # by which outcomes are more or less precious


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A question, with the rules that are in force for it in the order of their rank."""

    packs: tuple[RulePack, ...]  # with rules in force
    programme: Programme
    holdings: tuple[Holding, ...]  # what was recorded by then, by id
    pinned: tuple[Pinned, ...]
    elsewhere: tuple[SpentElsewhere, ...]
    as_of: date
    known_at: Microseconds
    step: Decimal
    rules: tuple[LiveRule, ...]
    index: Index
    known_rules: KnownRules
    scales: Mapping[str, Scale]  # by which outcomes are more or less precious


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """What a case comes to, without saying how: the most units, the bound where that is not proved."""

    units: int
    upper_bound: int
    proved: bool
    step: Decimal

    @property
    def credits(self) -> Decimal:
        """The units in credits."""
        return self.units * self.step


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """What a case comes to, and how it was found."""

    matches: tuple[Match, ...]
    options: tuple[tuple[Option, ...], ...]  # of each rule
    problem: Problem
    rule_of: tuple[int, ...]  # of each option
    searches: tuple[Search, ...]
    bests: tuple[Best, ...]
    is_complete: bool  # every option was looked at

    @property
    def units(self) -> int:
        return sum(best.units for best in self.bests)

    @property
    def proved(self) -> bool:
        return self.is_complete and all(best.proved for best in self.bests)

    @property
    def solver(self) -> str | None:
        """The solver that settled some part, where one was needed."""
        return next((best.solver for best in self.bests if best.solver is not None), None)

    @property
    def upper_bound(self) -> int:
        if self.is_complete:
            return sum(best.upper_bound for best in self.bests)
        return sum(self.problem.units)

    @property
    def grants(self) -> tuple[Grant, ...]:
        """Everything that is granted, in the programme's order of places."""
        found = [grant for best in self.bests for grant in best.grants]
        return tuple(sorted(found, key=lambda grant: (grant[1], grant[0])))


def pose_case(
    packs: Iterable[RulePack],
    holdings: Iterable[Holding],
    programme: Programme,
    *,
    applicant: Applicant,
    pinned: Iterable[Pinned],
    as_of: date,
    known_at: Microseconds,
    elsewhere: Iterable[SpentElsewhere] = (),
) -> Case:
    """Return the case in the order that does not depend on that of the arguments.

    Raises:
        HoldingInvalid: `holding-twice`.
    """
    compiled = compile_rules(packs, programme, applicant=applicant, as_of=as_of, known_at=known_at)
    return case_of(compiled, holdings, pinned=pinned, elsewhere=elsewhere)


def compile_rules(
    packs: Iterable[RulePack],
    programme: Programme,
    *,
    applicant: Applicant,
    as_of: date,
    known_at: Microseconds,
) -> Compiled:
    """Return what of a case does not depend on the learner's outcomes, in the published order."""
    all_packs = sorted(packs, key=lambda pack: (pack.id, pack.digest))
    rules = rules_in_force(all_packs, programme, applicant=applicant, as_of=as_of, known_at=known_at)
    speaking = {(live.pack.id, live.pack.digest) for live in rules}
    used = tuple(pack for pack in all_packs if (pack.id, pack.digest) in speaking)
    scales: dict[str, Scale] = {}
    for pack in used:
        for framework in sorted(pack.scales):
            scales.setdefault(framework, pack.scales[framework])
    return Compiled(
        packs=used,
        programme=programme,
        as_of=as_of,
        known_at=known_at,
        step=common_step(pack.step for pack in used),
        rules=rules,
        index=index_of(rules),
        known_rules=KnownRules(all_packs),
        scales=scales,
    )


def counting(compiled: Compiled, elsewhere: Iterable[SpentElsewhere]) -> tuple[SpentElsewhere, ...]:
    """Return the uses in other programmes that may count here: of what is spent for good, then or now."""
    minds = any(premise.for_good for live in compiled.rules for premise in live.rule.premises)
    return tuple(use for use in elsewhere if use.for_good or minds)


def case_of(
    compiled: Compiled,
    holdings: Iterable[Holding],
    *,
    pinned: Iterable[Pinned],
    elsewhere: Iterable[SpentElsewhere] = (),
) -> Case:
    """Return one learner's case under compiled rules.

    Raises:
        HoldingInvalid: `holding-twice`.
    """
    grants = tuple(pinned)
    stated = [grant.step for grant in grants if grant.step is not None]
    step = common_step([pack.step for pack in compiled.packs] + stated)
    return Case(
        packs=compiled.packs,
        programme=compiled.programme,
        holdings=ordered(holdings, known_at=compiled.known_at),
        pinned=tuple(
            sorted((in_step(grant, step, otherwise=compiled.step) for grant in grants), key=_pinned_key)
        ),
        elsewhere=tuple(sorted(counting(compiled, elsewhere), key=_elsewhere_key)),
        as_of=compiled.as_of,
        known_at=compiled.known_at,
        step=step,
        rules=compiled.rules,
        index=compiled.index,
        known_rules=compiled.known_rules,
        scales=compiled.scales,
    )


def solve_units(case: Case, nodes: Nodes) -> Units:
    """Return the most units of a case, without choosing which of the best allocations it is.

    Raises:
        ProgrammeInvalid: `credits-off-step`.
    """
    found = matches(case.rules, case.holdings, as_of=case.as_of, known_at=case.known_at, index=case.index)
    drawn_up = [options_of(match, as_of=case.as_of) for match in found]
    listed = [option for of_rule, _ in drawn_up for option in of_rule]
    problem = pose_options(case, listed, case.holdings, pinned=case.pinned)
    groups, bounds = components(problem)
    bests = [Search(Layout(problem, group, bounds), nodes, spends=()).most(at_least=0) for group in groups]
    is_complete = all(are_all for _, are_all in drawn_up)
    return Units(
        units=sum(best.units for best in bests),
        upper_bound=sum(best.upper_bound for best in bests) if is_complete else sum(problem.units),
        proved=is_complete and all(best.proved for best in bests),
        step=case.step,
    )


def solve(case: Case, nodes: Nodes, solver: Solver | None = None) -> Solution:
    """Return the best allocation of a case; where the nodes are spent, by the solver if there is one.

    Raises:
        ProgrammeInvalid: `credits-off-step`.
    """
    found = matches(case.rules, case.holdings, as_of=case.as_of, known_at=case.known_at, index=case.index)
    drawn_up = [options_of(match, as_of=case.as_of) for match in found]
    options = tuple(of_rule for of_rule, _ in drawn_up)
    listed = [option for of_rule in options for option in of_rule]
    problem = pose_options(case, listed, case.holdings, pinned=case.pinned)
    rule_of = tuple(at for at, of_rule in enumerate(options) for _ in of_rule)
    spends = _spends(problem, case.holdings, case.scales)
    searches, bests = [], []
    groups, bounds = components(problem)
    for group in groups:
        layout = Layout(problem, group, bounds)
        own = [spent & layout.mask for spent in spends if spent & layout.mask]
        searches.append(Search(layout, nodes, spends=own, solver=solver))
        bests.append(searches[-1].best())
    return Solution(
        matches=found,
        options=options,
        problem=problem,
        rule_of=rule_of,
        searches=tuple(searches),
        bests=tuple(bests),
        is_complete=all(are_all for _, are_all in drawn_up),
    )


def pose_options(
    case: Case, options: Sequence[Option], holdings: Iterable[Holding], *, pinned: Sequence[Pinned]
) -> Problem:
    """Return the case's problem with these options, in rank order, these outcomes and registered grants."""
    return pose(
        options,
        case.programme,
        step=case.step,
        holdings={holding.id: holding for holding in holdings},
        pinned=pinned,
        rules=case.known_rules,
        elsewhere=case.elsewhere,
        as_of=case.as_of,
    )


Name = tuple[tuple[int, tuple[Holding, ...]], ...]


def part_name(problem: Problem, options: Sequence[int], rule_of: Sequence[int]) -> Name:
    """Return what tells a part from others of the same case: its rules and the outcomes they spend.

    The outcomes as they are, not their ids: a higher level may be worth more under the same rule.
    """
    return tuple((rule_of[at], problem.options[at].evidence) for at in options)


def _spends(problem: Problem, holdings: Sequence[Holding], scales: Mapping[str, Scale]) -> list[int]:
    """Return the options that spend each outcome, the most precious outcome first."""
    spending: dict[OutcomeId, int] = {}
    for at, option in enumerate(problem.options):
        for outcome in option.spent_ids:
            spending[outcome] = spending.get(outcome, 0) | 1 << at
    precious = sorted(
        (holding for holding in holdings if holding.id in spending),
        key=lambda holding: (level_rank(holding, scales), holding.expires_on or date.max, holding.id),
        reverse=True,
    )
    return [spending[holding.id] for holding in precious]


def _pinned_key(grant: Pinned) -> tuple[str, str, int, str, int, tuple[OutcomeId, ...]]:
    return (grant.pack, grant.rule, grant.rule_version, grant.target, grant.units, grant.spent)


def _elsewhere_key(use: SpentElsewhere) -> tuple[OutcomeId, str, str, Decimal]:
    return (use.outcome, use.programme, use.rule, use.credits)
