"""What rules are told of an account: its outcomes as holdings, its grants as pinned."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any, assert_never

from creditbank.account.body import ExemptionTarget, WaiverTarget
from creditbank.account.holdings import AccountHoldings, HeldGrant, HeldOutcome
from creditbank.conversion.holding import FACTS, Applicant, Holding, Pinned, SpentElsewhere
from creditbank.conversion.premise import Premise
from creditbank.conversion.registered import KnownRules
from creditbank.conversion.rule import RulePack
from creditbank.outcomes import kind_of
from creditbank.outcomes.award import Award
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.course import CourseCredit
from creditbank.outcomes.diploma import Diploma
from creditbank.outcomes.experience import Experience
from creditbank.outcomes.outcome import attributes_of
from creditbank.outcomes.training import Training
from creditbank.terms import ExamId, Microseconds, OutcomeId, ProgrammeId

_READERS: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {
        "cohort": int,
        "enrolled_on": date.fromisoformat,
        "left_on": date.fromisoformat,
        "born_on": date.fromisoformat,
        "term_started_on": date.fromisoformat,
        "completed_percent": Decimal,
        "years_of_work": Decimal,
    }
)


def holdings_for_rules(account: AccountHoldings) -> tuple[Holding, ...]:
    """Return every outcome as rules see it, ended ones too: which count is for the decision's two dates.

    An outcome that was corrected stops being known when the correction was recorded, as if it had never
    been awarded; the one that took its place is known from then on.
    """
    return tuple(_holding(held) for held in account.outcomes)


def pinned_for_programme(
    account: AccountHoldings, programme: ProgrammeId, *, known_at: Microseconds
) -> tuple[Pinned, ...]:
    """Return the exemptions in this programme that held at `known_at`."""
    return tuple(
        _pinned(grant, grant.granted.target.target)
        for grant in account.grants
        if isinstance(grant.granted.target, ExemptionTarget)
        and grant.granted.target.programme == programme
        and _held_at(grant, known_at)
    )


def spent_elsewhere(
    account: AccountHoldings,
    programme: ProgrammeId,
    packs: Sequence[RulePack],
    *,
    known_at: Microseconds,
) -> tuple[SpentElsewhere, ...]:
    """Return what exemptions in other programmes that held at `known_at` have spent.

    `packs` are those under whose rules that was; of a rule that none of them has nothing is spent for good.
    """
    rules, steps = KnownRules(packs), {pack.id: pack.step for pack in packs}
    return tuple(
        SpentElsewhere(
            programme=grant.granted.target.programme,
            rule=grant.granted.rule,
            outcome=outcome,
            credits=grant.granted.units * (grant.granted.step or steps.get(grant.granted.pack, Decimal(1))),
            is_drawn=premise is not None and premise.use == "draw",
            for_good=premise is not None and premise.for_good,
        )
        for grant in account.grants
        if isinstance(grant.granted.target, ExemptionTarget)
        and grant.granted.target.programme != programme
        and _held_at(grant, known_at)
        for outcome, premise in _spent_under(grant, rules)
    )


def _spent_under(grant: HeldGrant, rules: KnownRules) -> Iterator[tuple[OutcomeId, Premise | None]]:
    granted = grant.granted
    rule = rules.get(granted.pack, granted.rule, granted.rule_version)
    premises = [] if rule is None else [premise for premise in rule.premises if premise.use != "hold"]
    for at, outcome in enumerate(grant.spent):
        yield outcome, premises[at] if at < len(premises) else None


def pinned_for_exam(account: AccountHoldings, exam: ExamId, *, known_at: Microseconds) -> tuple[Pinned, ...]:
    """Return the waivers in this exam that held at `known_at`."""
    return tuple(
        _pinned(grant, grant.granted.target.part)
        for grant in account.grants
        if isinstance(grant.granted.target, WaiverTarget)
        and grant.granted.target.exam == exam
        and _held_at(grant, known_at)
    )


def facts_of(applicant: Applicant) -> tuple[tuple[str, str], ...]:
    """Return what is stated about an applicant, by name, as text: so it can be kept with a grant."""
    stated = [(name, applicant.fact(name)) for name in FACTS]
    known = [(name, str(value)) for name, value in stated if value is not None]
    return tuple(sorted([*known, *applicant.declared]))


def applicant_of(facts: Iterable[tuple[str, str]]) -> Applicant:
    """Return the applicant of whom these facts were stated.

    Raises:
        HoldingInvalid: a percentage is none, or years of work are below 0.
        ValueError, ArithmeticError: a figure or a day is none.
    """
    stated = dict(facts)
    known = {name: _READERS.get(name, str)(text) for name, text in stated.items() if name in FACTS}
    declared = tuple(sorted((name, text) for name, text in stated.items() if name not in FACTS))
    return Applicant(**known, declared=declared)


def _held_at(grant: HeldGrant, known_at: Microseconds) -> bool:
    return grant.granted_at <= known_at and (grant.ended_at is None or known_at < grant.ended_at)


def _pinned(grant: HeldGrant, target: str) -> Pinned:
    granted = grant.granted
    with_credit = not isinstance(granted.target, ExemptionTarget) or granted.target.with_credit
    return Pinned(
        pack=granted.pack,
        rule=granted.rule,
        rule_version=granted.rule_version,
        target=target,
        units=granted.units,
        step=granted.step,
        with_credit=with_credit,
        spent=grant.spent,
        witnesses=grant.witnesses,
        granted_on=granted.as_of,
    )


def _holding(held: HeldOutcome) -> Holding:
    outcome = held.outcome
    match outcome:
        case Diploma():
            code, own = outcome.major_code, {"study_form": outcome.study_form}
        case SkillCertificate():
            code, own = outcome.standard, {}
        case CourseCredit():
            code, own = outcome.course_code, {"mode": outcome.mode}
        case Training():
            code, own = outcome.programme_code, {}
        case Award():
            code, own = outcome.contest_code, _award_attributes(outcome)
        case Experience():
            code, own = outcome.form, {}
        case _:
            assert_never(outcome)
    return Holding(
        id=held.id,
        kind=kind_of(outcome),
        code=code,
        issuer=outcome.issuer,
        awarded_on=outcome.awarded_on,
        recorded_at=held.recorded_at,
        level=outcome.level if isinstance(outcome, Diploma | SkillCertificate) else None,
        score=outcome.score if isinstance(outcome, SkillCertificate | CourseCredit) else None,
        grade=outcome.grade if isinstance(outcome, CourseCredit) else None,
        hours=outcome.hours if isinstance(outcome, CourseCredit | Training | Experience) else None,
        hours_per_credit=outcome.hours_per_credit if isinstance(outcome, CourseCredit) else None,
        credits=outcome.credits if isinstance(outcome, CourseCredit) else None,
        expires_on=outcome.expires_on if isinstance(outcome, SkillCertificate) else None,
        revoked_at=held.ended_at,
        revoked_from=held.revoked_from,
        attributes=attributes_of(
            (*((name, value) for name, value in own.items() if value is not None), *outcome.attributes)
        ),
    )


def _award_attributes(award: Award) -> dict[str, str | None]:
    return {
        "organiser_level": award.organiser_level,
        "rank": award.rank,
        "position": str(award.position),
        "team_size": str(award.team_size),
    }
