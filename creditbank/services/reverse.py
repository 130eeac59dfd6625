"""Reverse questions: where idle outcomes of an account would count, and which exams its outcomes help with.

Every other programme, or every exam, of the library is decided. Nothing is written.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from creditbank.account.facts import holdings_for_rules, pinned_for_exam
from creditbank.account.holdings import AccountHoldings
from creditbank.conversion.decision import Decision, Nowhere, WaiverDecision
from creditbank.conversion.exam_help import ExamHelp, help_with
from creditbank.conversion.holding import Applicant, Holding
from creditbank.conversion.programme import Exam, Programme
from creditbank.conversion.rule import RulePack
from creditbank.errors import NotFound
from creditbank.identity.account_number import AccountNumber
from creditbank.services.applicants import unheard_of
from creditbank.services.bank import Bank
from creditbank.services.conversions import Answer, answer_to, stated_by
from creditbank.services.known import Known, KnownAt, known_in
from creditbank.services.mentioned import institutions_in
from creditbank.services.questions import ExemptionQuestion, WaiverQuestion
from creditbank.services.rule_library import RuleLibrary
from creditbank.terms import ExamId, InputWarning, OutcomeId, ProgrammeId, Wording


class HeldOutcomeUnknown(NotFound):
    """The account holds no outcome with this id."""

    code = "held-outcome-unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountsIn:
    """What an outcome would give in another programme, under one rule, alone or with others.

    `credits` are those of all the places that rest on it, shared with whatever else the rule asks for.
    """

    programme: ProgrammeId
    title: Wording
    pack: str
    rule: str
    version: int
    places: tuple[Wording, ...]
    credits: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class WaivesIn:
    """Which parts of an exam rest on an outcome, under one rule, registered already or waived if asked."""

    exam: ExamId
    title: Wording
    pack: str
    rule: str
    version: int
    parts: tuple[Wording, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """An outcome that counts for nothing here, or what is left of one, and where it would count."""

    nowhere: Nowhere
    counts_in: tuple[CountsIn, ...]
    waives_in: tuple[WaivesIn, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleAnswer:
    """The answer about one programme, and every idle outcome.

    `tried` counts the other programmes, `exams` the exams that were looked at.

    `warnings` are about facts that rules ask for, here or there, and none names.
    """

    answer: Answer[Decision]
    idle: tuple[Idle, ...]
    tried: int
    exams: int
    warnings: tuple[InputWarning, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamAnswer:
    """One exam and what it takes to put it into words; `warnings` as in a decision's answer."""

    help: ExamHelp
    account: AccountHoldings
    place: Exam
    packs: Sequence[RulePack]
    institutions: Mapping[str, Wording] = field(default_factory=dict)
    warnings: tuple[InputWarning, ...] = ()


def idle_outcomes(
    bank: Bank,
    number: AccountNumber,
    library: RuleLibrary,
    programme: ProgrammeId,
    *,
    applicant: Applicant,
    as_of: date | None = None,
    known_at: KnownAt | None = None,
) -> IdleAnswer:
    """Find what counts for nothing in a programme, and where else it would: in which programmes and exams.

    Each of them is decided as a whole.

    Raises:
        AccountUnknown, ProgrammeUnknown: one of them is not known here.
        AccountRedacted, HoldingInvalid, LogSizeInvalid, PackChanged, PackMissing: as `decide_for`.
    """
    day = as_of or bank.today()
    places = [one.id for one in library.programmes_on(day)]
    exams = [one.id for one in library.exams_on(day)]
    known, stated = _known(bank, number, library, {*places, programme, *exams}, applicant, known_at)
    question = ExemptionQuestion(library=library, programme=programme)
    answer = answer_to(question, known, stated, as_of=day, solver=bank.solver)
    asked = library.as_known(known.published)
    others = [one for one in asked.programmes_on(day, known_at=known.at) if one.id != programme]
    decided, packs = [], [*answer.packs]
    for other in others if answer.decision.nowhere else ():
        elsewhere = ExemptionQuestion(library=asked, programme=other.id, at_hand=library, solver=bank.solver)
        decision = elsewhere.decide(known.account, stated, as_of=day, known_at=known.at)
        decided.append((other, decision))
        packs.extend(elsewhere.packs(known.at))
    sat = asked.exams_on(day, known_at=known.at) if answer.decision.nowhere else ()
    waiving = []
    for exam in sat:
        waivers = WaiverQuestion(library=asked, exam=exam.id, at_hand=library)
        waiving.append((exam, waivers.decide(known.account, stated, as_of=day, known_at=known.at)))
    return IdleAnswer(
        answer=replace(answer, institutions=institutions_in(bank, answer.decision)),
        idle=tuple(_idle(one, decided, waiving) for one in answer.decision.nowhere),
        tried=len(others),
        exams=len(sat),
        warnings=unheard_of(packs, stated),
    )


def _idle(
    nowhere: Nowhere,
    decided: Sequence[tuple[Programme, Decision]],
    waiving: Sequence[tuple[Exam, WaiverDecision]],
) -> Idle:
    outcome = nowhere.outcome
    return Idle(
        nowhere=nowhere,
        counts_in=tuple(
            found for other, decision in decided for found in _counting(other, decision, outcome)
        ),
        waives_in=tuple(found for exam, decision in waiving for found in _waiving(exam, decision, outcome)),
    )


def exams_helped(
    bank: Bank,
    number: AccountNumber,
    library: RuleLibrary,
    *,
    applicant: Applicant,
    only: OutcomeId | None = None,
    supposed: tuple[Holding, ...] = (),
    as_of: date | None = None,
    known_at: KnownAt | None = None,
) -> tuple[ExamAnswer, ...]:
    """Say of every exam what an account's outcomes, or `only` one of them, waive: the most waived first.

    `supposed` outcomes count as if they stood in the account.

    Raises:
        AccountUnknown: no account has this number.
        HeldOutcomeUnknown: the account holds no outcome `only`.
        AccountRedacted, HoldingInvalid, LogSizeInvalid, PackChanged, PackMissing: as `decide_for`.
    """
    day = as_of or bank.today()
    exams = [one.id for one in library.exams_on(day)]
    known, stated = _known(bank, number, library, exams, applicant, known_at)
    if only is not None and known.account.outcome(only) is None:
        raise HeldOutcomeUnknown("held-outcome-unknown", outcome=only)
    held = [one for one in holdings_for_rules(known.account) if only is None or one.id == only]
    asked = library.as_known(known.published)
    found = []
    for exam in asked.exams_on(day, known_at=known.at):
        question = WaiverQuestion(library=asked, exam=exam.id, at_hand=library)
        packs = question.packs(known.at)
        helped = help_with(
            packs,
            (*held, *supposed),
            exam,
            as_of=day,
            known_at=known.at,
            applicant=stated,
            pinned=pinned_for_exam(known.account, exam.id, known_at=known.at),
            promises=question.promises(known.account, known.at),
        )
        found.append(
            ExamAnswer(
                help=helped,
                account=known.account,
                place=exam,
                packs=packs,
                institutions=institutions_in(bank, helped.decision),
                warnings=unheard_of(packs, stated),
            )
        )
    return tuple(sorted(found, key=lambda one: _rank(one.help)))


def _known(
    bank: Bank,
    number: AccountNumber,
    library: RuleLibrary,
    aims: Collection[ProgrammeId | ExamId],
    applicant: Applicant,
    known_at: KnownAt | None,
) -> tuple[Known, Applicant]:
    authorities = {authority for aim in aims for authority in library.authorities_for(aim)}
    with bank.store.reading() as books:
        stated = stated_by(bank, books, number, applicant, library, known_at=known_at)
        return known_in(bank, books, number, authorities, known_at=known_at), stated


def _counting(programme: Programme, decision: Decision, outcome: OutcomeId) -> list[CountsIn]:
    found: dict[tuple[str, str, int], list[int]] = {}
    for at, one in enumerate(decision.exemptions):
        if outcome in (*one.spent, *one.witnesses):
            found.setdefault((one.cited.pack, one.cited.rule, one.cited.version), []).append(at)
    return [
        CountsIn(
            programme=programme.id,
            title=programme.title,
            pack=pack,
            rule=rule,
            version=version,
            places=tuple(decision.exemptions[at].title for at in places),
            credits=sum((decision.exemptions[at].credits for at in places), Decimal(0)),
        )
        for (pack, rule, version), places in found.items()
    ]


def _waiving(exam: Exam, decision: WaiverDecision, outcome: OutcomeId) -> list[WaivesIn]:
    titles = {str(part.id): part.title for part in exam.parts}
    found: dict[tuple[str, str, int], list[str]] = {}
    for one in decision.waivers:
        if outcome in one.witnesses:
            found.setdefault((one.cited.pack, one.cited.rule, one.cited.version), []).append(one.part)
    for grant in decision.pinned:
        if outcome in grant.witnesses and grant.target in titles:
            found.setdefault((grant.pack, grant.rule, grant.rule_version), []).append(grant.target)
    return [
        WaivesIn(
            exam=exam.id,
            title=exam.title,
            pack=pack,
            rule=rule,
            version=version,
            parts=tuple(titles[part] for part in parts),
        )
        for (pack, rule, version), parts in found.items()
    ]


def _rank(found: ExamHelp) -> tuple[int, int, str]:
    return (-found.count("registered", "waived", "capped"), -found.count("nearly"), found.exam)
