"""Of a class counts what its members were promised, as it does when each of them is decided alone.

Seen to fail with promises left out of what is asked of a class, with every rule in force for whoever was
promised anything, and with what only a promised rule asks for not tried.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from creditbank.account.planned import parse_planned
from creditbank.conversion.holding import Applicant, Holding
from creditbank.conversion.policy_diff import Shift
from creditbank.identity.account_number import AccountNumber
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.diploma import Diploma
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.rulepacks.comparison import Comparison
from creditbank.rulepacks.library import Library
from creditbank.services.bank import Bank
from creditbank.services.conversions import decide_for
from creditbank.services.next_steps import next_steps_of
from creditbank.services.outcomes import record_outcome
from creditbank.services.policy_diff import EXPLAINED_AT_ONCE, Terms, explained, survey
from creditbank.services.pre_decisions import give_pre_decision
from creditbank.services.questions import ExemptionQuestion, WaiverQuestion
from creditbank.services.what_if import (
    NOTHING_SUPPOSED,
    Supposition,
    compared_under,
    library_of,
    what_if_exempted,
    what_if_waived,
)
from creditbank.terms import ExamId, ProgrammeId
from tests.banks import BEGINNING, EAST, new_account, new_bank
from tests.strategies.small_packs import EXAMPLES, PROGRAMME, RULE, WAIVER, head, write

WEB, EXAM = ProgrammeId("web"), ExamId("e")
LEVELS = ("初级", "中级", "高级")
TODAY = BEGINNING.date()
UNTIL = TODAY + timedelta(days=100)
NOBODY = Applicant()
SECOND = RULE.replace('id = "r"', 'id = "s"').replace('["X"]', '["Y"]').replace("0101", "0102")
SECOND = SECOND.replace("max_credits = 4", "max_credits = 6")
PLACES = PROGRAMME.replace(", exemptible = false", "")
EXAMINED = WAIVER.format(caps="", part="p")
SOUND = head() + PLACES + RULE + SECOND + EXAMPLES + EXAMINED
STRICTER = (
    head("later", published="2026-02-01", effective="2026-03-01")
    + PLACES
    + (RULE + SECOND).replace("中级", "高级")
    + EXAMINED.replace('"D"', '"E"')
)


@dataclass(frozen=True)
class Drawn:
    """A learner as drawn: certificates and diplomas held, and what was promised on which plan."""

    held: tuple[tuple[str, str], ...]
    promised: tuple[str, ...]
    until: date = UNTIL


@cache
def library(*packs: str) -> Library:
    with TemporaryDirectory() as folder:
        return Library.load(write(Path(folder), *packs), shipped=False, check=False)


BEFORE, AFTER = library(SOUND), library(SOUND, STRICTER)

PLANS = {
    "X": "kind=skill-certificate,code=X,level=1+X/中级",
    "Y": "kind=skill-certificate,code=Y,level=1+X/高级",
    "D": "kind=diploma,code=D",
}


@st.composite
def learners(draw: st.DrawFn) -> Drawn:
    held = st.tuples(st.sampled_from(("X", "Y")), st.sampled_from(LEVELS)) | st.sampled_from(
        (("D", ""), ("E", ""))
    )
    return Drawn(
        held=tuple(draw(st.lists(held, max_size=2, unique_by=lambda one: one[0]))),
        promised=tuple(draw(st.lists(st.sampled_from(sorted(PLANS)), max_size=2, unique=True))),
        until=draw(st.sampled_from((UNTIL, UNTIL, TODAY + timedelta(days=10)))),
    )


def record(bank: Bank, number: AccountNumber, what: str, code: str, level: str) -> None:
    if code in {"D", "E"}:
        diploma = Diploma(
            number=what,
            level=FrameworkLevel(framework="GB/T 4658", level="31"),
            major_code=code,
            major="畜牧兽医",
            issuer=EAST.issuer,
            awarded_on=date(2025, 6, 1),
        )
        record_outcome(bank, EAST, number, diploma)
        return
    certificate = SkillCertificate(
        number=what,
        standard=code,
        title="网页",
        level=FrameworkLevel(framework="1+X", level=level),
        issuer=EAST.issuer,
        awarded_on=date(2025, 6, 1),
    )
    record_outcome(bank, EAST, number, certificate)


def promise(bank: Bank, number: AccountNumber, plan: str, *, until: date) -> None:
    on = [parse_planned(PLANS[plan])]
    if plan == "D":
        in_exam = WaiverQuestion(library=BEFORE, exam=EXAM)
        give_pre_decision(bank, EAST, number, in_exam, applicant=NOBODY, until=until, planned=on)
    else:
        asked = ExemptionQuestion(library=BEFORE, programme=WEB)
        give_pre_decision(bank, EAST, number, asked, applicant=NOBODY, until=until, planned=on)


def alone(
    bank: Bank, number: AccountNumber, supposed: Supposition, terms: Terms, *, is_exam: bool
) -> tuple[list[Decimal], tuple[Shift, ...]]:
    """What one learner has before and after, in credits or parts, and what shifts."""
    day, at = terms.as_of, terms.known_at
    if is_exam:
        question = WaiverQuestion(library=AFTER, exam=EXAM)
        waived = what_if_waived(bank, number, question, supposed, applicant=NOBODY, as_of=day, known_at=at)
        sides = [Decimal(len(one.decision.waivers)) for one in (waived.before, waived.after)]
        return sides, waived.shifts
    asked = ExemptionQuestion(library=AFTER, programme=WEB)
    found = what_if_exempted(bank, number, asked, supposed, applicant=NOBODY, as_of=day, known_at=at)
    return [found.before.decision.credits, found.after.decision.credits], found.shifts


def class_of(drawn: Sequence[Drawn]) -> tuple[Bank, tuple[AccountNumber, ...]]:
    """The promises are given under the rules as they were, on what is planned and what is held by then."""
    bank = new_bank()
    numbers = tuple(new_account(bank) for _ in drawn)
    for at, (number, one) in enumerate(zip(numbers, drawn, strict=True)):
        for plan in one.promised:
            promise(bank, number, plan, until=one.until)
        for place, (code, level) in enumerate(one.held):
            record(bank, number, f"S{at}-{place}", code, level)
    return bank, numbers


def terms_of(bank: Bank, day: date) -> tuple[Library, Terms]:
    rules, at = library_of(bank, AFTER, {WEB, EXAM})
    assert isinstance(rules, Library)
    return rules, Terms(as_of=day, known_at=at, keeps_registered=True, at_hand=AFTER)


def planned(code: str, level: str) -> Holding:
    return parse_planned(f"kind=skill-certificate,code={code},level=1+X/{level}").holding(
        1, awarded_on=date(2025, 6, 1)
    )


DAYS = st.sampled_from((TODAY, TODAY + timedelta(days=30), UNTIL, UNTIL + timedelta(days=1)))
SUPPOSED = st.sampled_from(
    (
        Supposition(outcomes=(planned("X", "中级"),)),
        Supposition(outcomes=(planned("Y", "高级"),)),
        Supposition(as_of=UNTIL),
        Supposition(as_of=UNTIL + timedelta(days=1)),
    )
)


@settings(max_examples=25)
@given(st.lists(learners(), min_size=1, max_size=3), SUPPOSED, DAYS, st.booleans())
def test_a_class_keeps_what_its_learners_were_promised(
    drawn: list[Drawn],
    supposed: Supposition,
    day: date,
    is_exam: bool,  # noqa: FBT001
) -> None:
    bank, numbers = class_of(drawn)
    rules, terms = terms_of(bank, day)
    compared = compared_under(rules, EXAM if is_exam else WEB, supposed, terms, is_exam=is_exam)
    found = survey(bank, numbers, [compared], terms, on_progress=lambda _: None)
    changes = {one.number: one for one in explained(found, terms, on_progress=lambda _: None)}
    before = after = Decimal(0)
    for number in numbers:
        sides, shifts = alone(bank, number, supposed, terms, is_exam=is_exam)
        before, after = before + sides[0], after + sides[1]
        assert (number in changes) == (sides[0] != sides[1])
        if number in changes:
            assert changes[number].shifts == shifts
            assert (changes[number].before, changes[number].after) == tuple(sides)
    total = found.totals["parts" if is_exam else "credits"]
    assert (total.before, total.after) == (before, after)


@settings(max_examples=20)
@given(st.lists(learners(), min_size=1, max_size=3), DAYS)
def test_a_step_counts_what_was_promised(drawn: list[Drawn], day: date) -> None:
    bank, numbers = class_of(drawn)
    rules, terms = terms_of(bank, day)
    side = compared_under(rules, WEB, NOTHING_SUPPOSED, terms, is_exam=False).before
    found = next_steps_of(bank, numbers, side, terms, on_progress=lambda _: None)
    gained = {
        (step.addition.outcome.code, step.addition.outcome.level): set(step.helped) for step in found.steps
    }
    for code in ("X", "Y"):
        for level in ("中级", "高级"):
            helped = set()
            for number in numbers:
                supposed = Supposition(outcomes=(planned(code, level),))
                (now, then), _ = alone(bank, number, supposed, terms, is_exam=False)
                if then > now:
                    helped.add(number)
            told = gained.get((code, FrameworkLevel(framework="1+X", level=level)))
            is_asked_for = level == "高级" or any(code in one.promised and day <= one.until for one in drawn)
            assert (told or set()) == (helped if is_asked_for else set())
    assert found.learners == len(numbers)


def granted(
    bank: Bank, number: AccountNumber, rules: Library, day: date, aim: ProgrammeId | ExamId
) -> Decimal:
    if aim == EXAM:
        in_exam = WaiverQuestion(library=rules, exam=EXAM)
        return Decimal(len(decide_for(bank, number, in_exam, applicant=NOBODY, as_of=day).decision.waivers))
    asked = ExemptionQuestion(library=rules, programme=WEB)
    return decide_for(bank, number, asked, applicant=NOBODY, as_of=day).decision.credits


@settings(max_examples=20)
@given(st.lists(learners(), min_size=1, max_size=3), DAYS)
def test_nobody_loses_by_a_change_of_rules_what_was_promised(drawn: list[Drawn], day: date) -> None:
    bank, numbers = class_of(drawn)
    compared = Comparison(old=BEFORE, new=library(STRICTER)).compared(as_of=day)
    terms = Terms(as_of=day, known_at=bank.now(), at_hand=AFTER)
    found = survey(bank, numbers, compared, terms, on_progress=lambda _: None)
    changes = {(one.number, one.aim): one for one in explained(found, terms, on_progress=lambda _: None)}
    for number in numbers:
        for aim in (WEB, EXAM):
            sides = [granted(bank, number, rules, day, aim) for rules in (BEFORE, AFTER)]
            change = changes.get((number, aim))
            assert (change is not None) == (sides[0] != sides[1])
            if change is not None:
                assert (change.before, change.after) == tuple(sides)


def test_nothing_is_kept_where_the_place_is_not_defined() -> None:
    bank, (number,) = class_of([Drawn(held=(("X", "中级"),), promised=("X",))])
    other = library(SOUND.replace('"web"', '"other"').replace('id = "small"', 'id = "other"'))
    terms = Terms(as_of=TODAY, known_at=bank.now(), at_hand=AFTER)
    compared = Comparison(old=BEFORE, new=other).compared(as_of=TODAY)
    found = survey(bank, [number], compared, terms, on_progress=lambda _: None)
    assert {(one.compared.id, one.before, one.after) for one in found.differing} == {
        (ProgrammeId("web"), Decimal(4), Decimal(0)),
        (ProgrammeId("other"), Decimal(0), Decimal(4)),
    }


def test_what_is_said_of_a_change_does_not_depend_on_how_many_processes_say_it() -> None:
    """Every learner differs from the next: promised or not, in the programme and in the exam."""
    held = [(("X", level),) for level in LEVELS] + [(("Y", level), ("D", "")) for level in LEVELS]
    drawn = [
        Drawn(held=held[at % 6], promised=("X",) if at % 5 == 0 else ("D",) if at % 7 == 0 else ())
        for at in range(400)
    ]
    bank, numbers = class_of(drawn)
    compared = Comparison(old=BEFORE, new=library(STRICTER)).compared(as_of=UNTIL)
    at = bank.now()

    def said(processes: int) -> tuple[object, ...]:
        terms = Terms(as_of=UNTIL, known_at=at, at_hand=AFTER, processes=processes)
        read: list[int] = []
        told: list[int] = []
        found = survey(bank, numbers, compared, terms, on_progress=read.append)
        differences = tuple(explained(found, terms, on_progress=told.append))
        assert sum(read) == len(numbers)
        assert sum(told) == len(differences) == len(found.differing)
        return found.learners, found.totals, differences

    one = said(1)
    assert len(one[2]) > EXPLAINED_AT_ONCE  # type: ignore[arg-type]
    assert {difference.measure for difference in one[2]} == {"credits", "parts"}  # type: ignore[attr-defined]
    assert said(2) == one
    assert said(3) == one
