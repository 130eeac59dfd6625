"""What one addition would bring is computed, and is what deciding again with it brings."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import combinations, product

from hypothesis import example, given
from hypothesis import strategies as st

from creditbank.conversion.decision import Decision, Need, Refusal
from creditbank.conversion.holding import Holding
from creditbank.conversion.matching import LiveRule, Match, matches
from creditbank.conversion.near_miss import supplied
from creditbank.conversion.premise import Pattern, Premise
from creditbank.conversion.programme import CapPart, Course, CourseFilter, Programme
from creditbank.conversion.recognition import RecognitionTable, WorthRow
from creditbank.conversion.rule import ExemptionGrant, Rule
from creditbank.terms import CourseId, IssuerId, Microseconds, OutcomeId, PackId, ProgrammeId, RuleId
from tests.reference.conversion_oracle import is_visible
from tests.strategies.conversion import (
    CODES,
    Question,
    TestPack,
    decide,
    level,
    meeting,
    premises,
    questions,
    tables,
    words,
)

STEPS = {"outcome", "level", "grade", "score", "awarded_on", "expires_on"}
GIVES = ExemptionGrant(mode="each", courses=CourseFilter(courses=frozenset({CourseId("c0")})))
SIMILAR = frozenset({"A", "B"})


@st.composite
def missing(draw: st.DrawFn) -> Question:
    """Questions in which a rule lacks one thing: a level, a score, or an outcome."""
    question = draw(questions())
    pack = question.packs[0]
    rule = draw(st.sampled_from(pack.rules))
    certificate = next((p.pattern for p in rule.premises if p.pattern.min_levels), None)
    if certificate is None:
        return replace(question, holdings=question.holdings[1:])
    held = draw(meeting(77, certificate, surely=True))
    lowest = replace(held, level=replace(certificate.min_levels[0], level="初级"))
    return replace(question, holdings=(*question.holdings[1:], lowest))


def asking(*asked: Sequence[str], held: str) -> Question:
    """A rule that spends one outcome of some codes for each premise; of A and B only one counts."""
    rule = Rule(
        id=RuleId("r0"),
        version=1,
        published_at=Microseconds(0),
        effective_from=date(2018, 1, 1),
        premises=tuple(
            Premise(pattern=Pattern(kind="skill-certificate", codes=frozenset(codes)), use="consume")
            for codes in asked
        ),
        grant=ExemptionGrant(
            mode="choose", courses=CourseFilter(courses=frozenset({CourseId("c0")})), worth="bank"
        ),
    )
    bank = RecognitionTable(
        id="bank",
        title=words("赋分"),
        rows=(WorthRow(pattern=Pattern(kind="skill-certificate"), credits=Decimal("0.5")),),
        families=(SIMILAR,),
    )
    return Question(
        packs=(TestPack(id=PackId("pack0"), rules=(rule,), tables={"bank": bank}),),
        holdings=tuple(
            Holding(
                id=OutcomeId(f"{number:06}"),
                kind="skill-certificate",
                code=code,
                issuer=IssuerId("school"),
                awarded_on=date(2025, 5, 1),
                recorded_at=Microseconds(0),
            )
            for number, code in enumerate(held)
        ),
        programme=Programme(
            id=ProgrammeId("p"),
            title=words("专业"),
            credits=Decimal("0.5"),
            courses=(Course(id=CourseId("c0"), title=words("课程"), credits=Decimal("0.5"), module="M1"),),
        ),
    )


@st.composite
def similar(draw: st.DrawFn) -> Question:
    """Questions about a rule that asks for two or three outcomes, where of A and B only one counts."""
    count = draw(st.integers(2, 3))
    asked = [draw(premises(first=at == 0, tables=("bank",))) for at in range(count)]
    bank = replace(draw(tables()), families=(SIMILAR,))
    question = asking(*CODES, held="")
    (pack,) = question.packs
    (rule,) = pack.rules
    spends = any(premise.use != "hold" for premise in asked)
    assert isinstance(rule.grant, ExemptionGrant)
    grant = replace(rule.grant, max_credits=Decimal(2), worth="bank" if spends else None)
    rule = replace(rule, premises=tuple(asked), grant=grant)
    held = draw(st.lists(st.sampled_from(asked), max_size=count))
    return replace(
        question,
        packs=(replace(pack, rules=(rule,), tables={"bank": bank}),),
        holdings=tuple(
            draw(meeting(number, premise.pattern, surely=draw(st.booleans())))
            for number, premise in enumerate(held)
        ),
    )


def worth_more_at_a_higher_level() -> Question:
    """One rule misses a level; another applies already, and gives more for that level."""
    question = asking("A", held="A")
    (pack,) = question.packs
    (rule,) = pack.rules
    pattern = Pattern(kind="skill-certificate", min_levels=(level("中级"),))
    (premise,) = rule.premises
    assert isinstance(rule.grant, ExemptionGrant)
    misses = replace(
        rule,
        id=RuleId("r1"),
        premises=(replace(premise, pattern=pattern),),
        grant=replace(rule.grant, courses=CourseFilter(courses=frozenset({CourseId("c9")}))),
    )
    applies = replace(rule, grant=replace(rule.grant, courses=CourseFilter()))
    bank = pack.tables["bank"]
    rows = (*bank.rows, WorthRow(pattern=pattern, credits=Decimal(1)))
    (course,) = question.programme.courses
    return replace(
        question,
        packs=(
            replace(pack, rules=(applies, misses), tables={"bank": replace(bank, rows=rows, families=())}),
        ),
        holdings=(replace(question.holdings[0], level=level("初级")),),
        programme=replace(
            question.programme, credits=Decimal(1), courses=(course, replace(course, id=CourseId("c1")))
        ),
    )


def worth_by_level() -> Question:
    """A rule whose table lists one code, and gives more for the highest level of it; nothing is held."""
    question = asking("A", held="")
    (pack,) = question.packs
    (rule,) = pack.rules
    (course,) = question.programme.courses
    any_code = replace(rule.premises[0], pattern=Pattern(kind="skill-certificate"))
    of_a = Pattern(kind="skill-certificate", codes=frozenset("A"))
    bank = replace(
        pack.tables["bank"],
        families=(),
        rows=(
            WorthRow(pattern=replace(of_a, min_levels=(level("初级"),)), credits=Decimal(1)),
            WorthRow(pattern=replace(of_a, min_levels=(level("高级"),)), credits=Decimal(4)),
        ),
    )
    grant = ExemptionGrant(mode="choose", courses=CourseFilter(), worth="bank")
    return replace(
        question,
        packs=(
            replace(pack, rules=(replace(rule, premises=(any_code,), grant=grant),), tables={"bank": bank}),
        ),
        programme=replace(
            question.programme,
            credits=Decimal(4),
            courses=tuple(
                replace(course, id=CourseId(f"c{number}"), credits=Decimal(1)) for number in range(4)
            ),
        ),
    )


def match_of(question: Question, refusal: Refusal) -> Match:
    pack = next(pack for pack in question.packs if pack.id == refusal.cited.pack)
    rule = next(
        rule for rule in pack.rules if (rule.id, rule.version) == (refusal.cited.rule, refusal.cited.version)
    )
    live = LiveRule(rule=rule, pack=pack, fact_needs=())
    (found,) = matches([live], known_of(question), as_of=question.as_of, known_at=question.known_at)
    return found


def known_of(question: Question) -> list[Holding]:
    return [one for one in question.holdings if one.recorded_at <= question.known_at]


def with_supplied(question: Question, refusal: Refusal) -> list[Question]:
    """The question with the one thing needed, in each way to supply it."""
    (need,) = refusal.needs
    ways = supplied(match_of(question, refusal), need, holdings=known_of(question), as_of=question.as_of)
    assert ways
    return [
        replace(question, holdings=(*(one for one in question.holdings if one.id != added.id), added))
        for added in ways
    ]


def near(decision: Decision) -> list[Refusal]:
    """The refusals of rules that lack one thing: what the row of a table lacks is another law's."""
    return [one for one in decision.refusals if one.gain is not None and one.kind == "premise"]


def unmet(decision: Decision) -> list[Refusal]:
    """The refusals of rules that do not apply at all."""
    kinds = {"premise", "never-met", "not-searched"}
    return [one for one in decision.refusals if one.kind in kinds and one.target is None]


@given(missing() | similar())
@example(asking("A", "A", held="A"))
@example(asking("AC", "AC", held="AA"))
@example(asking("A", "BC", held="B"))
def test_the_near_miss_supplied_makes_the_rule_apply(question: Question) -> None:
    before = decide(question)
    for refusal in near(before):
        for improved in with_supplied(question, refusal):
            after = decide(improved)
            assert after.units >= before.units
            assert not any(other.cited == refusal.cited for other in unmet(after))


@given(missing())
@example(asking("A", held=""))
def test_without_gains_nothing_else_is_left_open(question: Question) -> None:
    whole = decide(question)
    refused = tuple(
        replace(
            one,
            gain=None,
            gain_credits=None,
            needs=tuple(replace(need, at_level=None) for need in one.needs),
        )
        for one in whole.refusals
    )
    assert decide(question, gains=False) == replace(whole, refusals=refused, next_step=None)


@given(similar())
@example(asking("A", "A", held="A"))
@example(asking("A", "B", "C", held=""))
@example(asking("AC", "B", held="AB"))
def test_a_rule_that_no_outcomes_meet_asks_for_none(question: Question) -> None:
    rule = question.packs[0].rules[0]
    spending = [premise for premise in rule.premises if premise.use != "hold"]
    picks = product(*(premise.pattern.codes or {*CODES, "Z"} for premise in spending))
    is_once = question.packs[0].tables["bank"].is_once_per_code
    can_be_met = any(
        not any({one, two} <= SIMILAR or (is_once and one == two) for one, two in combinations(pick, 2))
        for pick in picks
    )
    for refusal in unmet(decide(question)):
        assert (refusal.kind == "never-met") == (not can_be_met)
        assert (refusal.kind == "never-met") == (not refusal.needs)


def needed(decision: Decision) -> list[tuple[str, str | None, str]]:
    (refusal,) = decision.refusals
    return [(need.attribute, need.have, need.need) for need in refusal.needs]


def test_an_outcome_is_not_asked_for_beside_a_similar_one() -> None:
    assert needed(decide(asking("AC", "AC", held="AA"))) == [("outcome", None, "C")]
    assert needed(decide(asking("AC", "AC", held=""))) == [("outcome", None, "A/C"), ("outcome", None, "C")]
    assert needed(decide(asking("A", "BC", held="B"))) == [("outcome", None, "A"), ("outcome", None, "C")]
    assert needed(decide(asking("AB", "AC", held="B"))) == [("outcome", None, "C")]


@given(missing() | similar())
@example(worth_more_at_a_higher_level())
def test_a_gain_is_what_deciding_again_brings(question: Question) -> None:
    before = decide(question)
    for refusal in near(before):
        gains = [decide(improved).units - before.units for improved in with_supplied(question, refusal)]
        assert refusal.gain == max(gains)
        assert refusal.gain_credits == max(gains) * before.step


@given(missing() | similar())
@example(worth_by_level())
def test_the_level_that_is_named_for_a_new_outcome_brings_all_of_the_gain(question: Question) -> None:
    before = decide(question)
    for refusal in near(before):
        (need,) = refusal.needs
        if need.at_level is not None:
            ways = supplied(
                match_of(question, refusal), need, holdings=known_of(question), as_of=question.as_of
            )
            own = [one for one in ways if one.level == need.at_level]
            gains = [
                decide(replace(question, holdings=(*question.holdings, one))).units - before.units
                for one in own
            ]
            assert max(gains) == refusal.gain


def test_a_new_outcome_is_asked_for_by_the_codes_that_the_table_lists() -> None:
    (refusal,) = decide(worth_by_level()).refusals
    (need,) = refusal.needs
    assert (need.attribute, need.need, need.at_level) == ("outcome", "A", level("高级"))
    assert refusal.gain_credits == 4


def test_what_nobody_can_change_of_an_outcome_is_no_next_step() -> None:
    question = asking("A", held="")
    (pack,) = question.packs
    (rule,) = pack.rules
    pattern = Pattern(kind="course-credit", min_credits=Decimal(6))
    asks = replace(rule, premises=(replace(rule.premises[0], pattern=pattern),), grant=GIVES)
    held = Holding(
        id=OutcomeId("000000"),
        kind="course-credit",
        code="A",
        issuer=IssuerId("school"),
        awarded_on=date(2025, 5, 1),
        recorded_at=Microseconds(0),
        credits=Decimal(4),
    )
    decision = decide(replace(question, packs=(replace(pack, rules=(asks,)),), holdings=(held,)))
    (refusal,) = decision.refusals
    assert (refusal.needs[0].attribute, bool(refusal.gain)) == ("credits", True)
    assert decision.next_step is None


def is_edit(need: Need) -> bool:
    """Whether an outcome that is there would do, were it better; an award made too early takes a new one."""
    return need.outcome is not None and need.attribute != "awarded_on"


@given(missing())
def test_the_next_step_gains_and_none_that_gains_is_cheaper(question: Question) -> None:
    decision = decide(question)
    gaining = [one for one in near(decision) if one.gain and one.needs[0].attribute in STEPS]
    step = decision.next_step
    assert (step is None) == (not gaining)
    if step is not None:
        assert step.gain > 0
        assert step.gain_credits == step.gain * decision.step
        assert is_edit(step.need) or not any(is_edit(refusal.needs[0]) for refusal in gaining)


@given(missing())
def test_every_rule_in_force_that_grants_nothing_says_why(question: Question) -> None:
    decision = decide(question)
    granting = {one.cited for one in decision.exemptions}
    refused = {refusal.cited for refusal in decision.refusals}
    for pack in question.packs:
        for rule in pack.rules:
            if rule.published_at > question.known_at or not wants_something(question, rule):
                continue
            day = question.applicant.enrolled_on if pack.date_basis == "enrolment" else question.as_of
            assert day is not None
            if pack.date_basis != "award" and not rule.is_effective(day):
                continue
            if pack.date_basis == "award" and rule.effective_from > day:
                continue
            cited = {(one.pack, one.rule, one.version) for one in granting | refused}
            assert (pack.id, rule.id, rule.version) in cited


def wants_something(question: Question, rule: Rule) -> bool:
    grant = rule.grant
    courses = getattr(grant, "courses", None)
    covers = courses is not None and any(courses.covers(course) for course in question.programme.courses)
    return covers or bool(getattr(grant, "buckets", ()))


@given(questions())
def test_every_outcome_counts_or_is_said_to_count_nowhere(question: Question) -> None:
    decision = decide(question)
    counted = {id_ for one in decision.exemptions for id_ in (*one.spent, *one.witnesses)}
    said = {one.outcome: one.reason for one in decision.nowhere if one.reason != "leftover"}
    known = {one.id for one in question.holdings if one.recorded_at <= question.known_at}
    assert counted | said.keys() == known
    assert not counted & said.keys()
    by_id = {one.id: one for one in question.holdings}
    for outcome, reason in said.items():
        held = by_id[outcome]
        visible = is_visible(held, as_of=question.as_of, known_at=question.known_at)
        assert visible == (reason not in {"expired", "not-yet", "revoked"})


@given(questions())
def test_what_a_cap_refuses_it_has_no_room_for(question: Question) -> None:
    decision = decide(question)
    caps = {CapPart(cap=use.id, period=use.period, each=use.each): use for use in decision.caps}
    binding = {name for refusal in decision.refusals if refusal.kind == "cap" for name in refusal.by}
    assert binding == {name for name, use in caps.items() if use.binds}
    for refusal in decision.refusals:
        if refusal.kind == "cap" and refusal.target is not None:
            course = question.programme.course_of(refusal.target)
            if course is not None:
                for name in refusal.by:
                    assert isinstance(name, CapPart)
                    use = caps[name]
                    asked = course.credits if use.measure == "credits" else Decimal(1)
                    assert use.measure == "outcomes" or use.used + asked > use.maximum or has_bundle(question)


def has_bundle(question: Question) -> bool:
    return any(getattr(rule.grant, "mode", "") == "bundle" for pack in question.packs for rule in pack.rules)
