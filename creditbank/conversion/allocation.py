"""Which courses a learner's outcomes exempt: many rules at once, under all caps, the one best answer.

A pure function of its arguments: their order, the clock and the machine change nothing (CONVERSION §3).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from creditbank.conversion.decision import Decision, Exemption, Marking, Refusal, decimal_text
from creditbank.conversion.explanation import cap_uses, next_step, refusals
from creditbank.conversion.fill import Nodes
from creditbank.conversion.holding import NOBODY_IN_PARTICULAR, Applicant, Holding, Pinned, SpentElsewhere
from creditbank.conversion.matching import Option
from creditbank.conversion.nowhere import nowhere
from creditbank.conversion.programme import Programme
from creditbank.conversion.promised import Promise, keep
from creditbank.conversion.rule import GradePolicy, RulePack
from creditbank.conversion.solver import Solver
from creditbank.conversion.solving import Case, Solution, pose_case, solve
from creditbank.conversion.worth import worths_of
from creditbank.terms import Microseconds

NODE_BUDGET = 50_000
"""Nodes that one decision may look at; to explain it, all together, there are a twentieth as many again."""


def decide_exemptions(
    packs: Iterable[RulePack],
    holdings: Iterable[Holding],
    programme: Programme,
    *,
    as_of: date,
    known_at: Microseconds,
    applicant: Applicant = NOBODY_IN_PARTICULAR,
    pinned: Iterable[Pinned] = (),
    elsewhere: Iterable[SpentElsewhere] = (),
    promises: Iterable[Promise] = (),
    node_budget: int = NODE_BUDGET,
    solver: Solver | None = None,
    gains: bool = True,
) -> Decision:
    """Decide what `holdings` exempt in `programme` on the day `as_of`, going by what was known at `known_at`.

    The answer is the first in the total order of CONVERSION §3: most units, least precious outcomes spent,
    fewest favours, earliest courses. Grants in `pinned` keep what they have, what is spent `elsewhere` for
    good is spent, and the rules of `promises` are in force as they were promised. Beyond `node_budget` the
    `solver` is asked, if there is one; without one, or where it cannot tell, the answer is the best found,
    `proved` is False, no allocation has more than `upper_bound`, and equal arguments still give equal
    answers. Without `gains` what an addition would bring is left open, which takes most of the time: for
    whoever does not show it.

    Raises:
        HoldingInvalid: `holding-twice`: two holdings have the same id.
        ProgrammeInvalid: `credits-off-step`: a course's credits are no multiple of the packs' step.
    """
    seen, kept = keep(packs, promises, as_of=as_of)
    case = pose_case(
        seen,
        holdings,
        programme,
        applicant=applicant,
        pinned=pinned,
        elsewhere=elsewhere,
        as_of=as_of,
        known_at=known_at,
    )
    nodes = Nodes(node_budget)
    solution = solve(case, nodes, solver)
    found = _decision(case, solution, nodes, refusals(case, solution, Nodes(node_budget // 20), gains=gains))
    return replace(found, kept=kept)


def _decision(case: Case, solution: Solution, nodes: Nodes, refused: tuple[Refusal, ...]) -> Decision:
    exemptions = tuple(_exemption(case, solution, grant) for grant in solution.grants)
    return Decision(
        programme=case.programme.id,
        programme_version=case.programme.version,
        title=case.programme.title,
        as_of=case.as_of,
        known_at=case.known_at,
        step=case.step,
        packs=tuple((pack.id, pack.digest) for pack in case.packs),
        units=solution.units,
        credits=solution.units * case.step,
        credited=sum((one.credits for one in exemptions if one.with_credit), Decimal(0)),
        proved=solution.proved,
        upper_bound=solution.upper_bound,
        nodes=nodes.used,
        exemptions=exemptions,
        pinned=case.pinned,
        caps=cap_uses(case, solution, refused),
        refusals=refused,
        next_step=next_step(case.rules, refused),
        nowhere=nowhere(case, solution, refused),
        solver=solution.solver,
    )


def _exemption(case: Case, solution: Solution, grant: tuple[int, int, int]) -> Exemption:
    at, place, units = grant
    option = solution.problem.options[at]
    target = solution.problem.places[place]
    given = option.live.exemption
    mark, marking = _mark(given.grade, option)
    return Exemption(
        cited=option.live.cited,
        target=target.id,
        title=target.title,
        is_bucket=place >= solution.problem.course_count,
        units=units,
        credits=units * case.step,
        with_credit=given.with_credit,
        grade=given.grade,
        mark=mark,
        spent=option.spent_ids,
        witnesses=tuple(holding.id for holding in option.witnesses),
        route=option.live.rule.route,
        worths=worths_of(option, as_of=case.as_of),
        marking=marking,
    )


def _mark(policy: GradePolicy, option: Option) -> tuple[str | None, Marking | None]:
    """Return the mark that the policy writes, and how where a table of the pack gives it."""
    evidence = (*option.spent, *option.witnesses)
    if policy.table is not None:
        return option.live.pack.mark_tables[policy.table].look_up(evidence)
    return _own_mark(policy, evidence), None


def _own_mark(policy: GradePolicy, evidence: Sequence[Holding]) -> str | None:
    """Return the mark, as far as it follows from the first outcome that has one."""
    scored = next((holding for holding in evidence if holding.score is not None), None)
    match policy.kind:
        case "fixed":
            return policy.value
        case "original" if scored is not None and scored.score is not None:
            return decimal_text(scored.score)
        case "original":
            return next((holding.grade for holding in evidence if holding.grade is not None), None)
        case "capped" if scored is not None and scored.score is not None and policy.ceiling is not None:
            return decimal_text(min(scored.score, policy.ceiling))
        case _:
            return None
