"""What an answer leaves out has a true reason: each outcome, each cap, and each row of a table."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Literal

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from creditbank.conversion.allocation import NODE_BUDGET
from creditbank.conversion.decision import Decision, Refusal
from creditbank.conversion.explanation import idle
from creditbank.conversion.fill import Nodes
from creditbank.conversion.holding import Holding
from creditbank.conversion.premise import AttributeTest, Pattern, Premise
from creditbank.conversion.programme import Bucket, Cap, CapPart, Programme
from creditbank.conversion.recognition import Deduction, Downgrade, RecognitionTable, WorthRow
from creditbank.conversion.rule import ExemptionGrant, Rule, Scale
from creditbank.conversion.solving import Solution, pose_case, solve
from creditbank.locale.catalogue import LANGUAGES, catalogue
from creditbank.locale.decision_wording import decision_lines
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.terms import CourseId, IssuerId, Microseconds, OutcomeId, PackId, ProgrammeId, RuleId
from tests.strategies.conversion import (
    LEVELS,
    Question,
    TestPack,
    decide,
    granted_questions,
    level,
    questions,
    words,
)

COURSES = Pattern(kind="course-credit")
CERTIFICATES = Pattern(kind="skill-certificate")
AWARDS = Pattern(kind="award")


def outcome(number: int, **members: object) -> Holding:
    stated = {
        "kind": "course-credit",
        "code": "A",
        "issuer": IssuerId("school"),
        "awarded_on": date(2025, 5, 1),
        "recorded_at": Microseconds(0),
        **members,
    }
    return Holding(id=OutcomeId(f"k{number}"), **stated)  # type: ignore[arg-type]


def courses(count: int) -> tuple[Holding, ...]:
    return tuple(outcome(number, credits=Decimal(3)) for number in range(count))


def electives(
    *held: Holding,
    premise: Premise,
    table: RecognitionTable | None = None,
    caps: tuple[Cap, ...] = (),
    capacity: int = 20,
    **grant: object,
) -> Question:
    """One rule that fills one bucket."""
    mode: Literal["choose", "each"] = "choose" if grant else "each"
    given_ = ExemptionGrant(mode=mode, buckets=frozenset({CourseId("e")}), **grant)  # type: ignore[arg-type]
    rule = Rule(
        id=RuleId("r"),
        version=1,
        published_at=Microseconds(0),
        effective_from=date(2018, 1, 1),
        premises=(premise,),
        grant=given_,
    )
    tables = {} if table is None else {table.id: table}
    return Question(
        packs=(TestPack(id=PackId("pack"), rules=(rule,), tables=tables),),
        holdings=held,
        programme=Programme(
            id=ProgrammeId("p"),
            title=words("专业"),
            credits=Decimal(20),
            courses=(),
            buckets=(Bucket(id=CourseId("e"), title=words("任选"), capacity=Decimal(capacity)),),
            caps=caps,
        ),
    )


DRAWN = Premise(pattern=COURSES, use="draw")
SIX = Cap(id="six", title=words("至多 6 学分"), maximum=Decimal(6))
TWO = Cap(id="two", title=words("至多 2 项"), maximum=Decimal(2), measure="outcomes")


def reasons(decision: Decision) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    return [(one.kind, tuple(map(str, one.by)), tuple(one.outcomes)) for one in decision.refusals]


def idle_reasons(decision: Decision) -> list[tuple[str, str]]:
    return [(one.outcome, one.reason) for one in decision.nowhere]


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        (electives(*courses(3), premise=DRAWN, caps=(SIX,)), ("cap", ("six",), ("k2",))),
        (electives(*courses(3), premise=DRAWN, caps=(TWO,)), ("cap", ("two",), ("k2",))),
        (electives(*courses(3), premise=DRAWN, capacity=6), ("capacity", ("e",), ("k2",))),
    ],
    ids=["credits", "outcomes", "bucket"],
)
def test_what_keeps_an_outcome_out_of_a_bucket_is_said_to(
    question: Question, reason: tuple[str, tuple[str, ...], tuple[str, ...]]
) -> None:
    decision = decide(question)
    assert reasons(decision) == [reason]
    assert idle_reasons(decision) == [("k2", "cap")]
    assert [cap.binds for cap in decision.caps] == [True] * len(question.programme.caps)


def test_of_many_outcomes_that_one_cap_keeps_out_it_is_said_once() -> None:
    decision = decide(electives(*courses(9), premise=DRAWN, caps=(SIX,)))
    assert reasons(decision) == [("cap", ("six",), ("k2", "k3", "k4", "k5", "k6", "k7", "k8"))]


def test_a_cap_that_leaves_some_of_an_outcome_out_of_a_bucket_binds() -> None:
    decision = decide(electives(outcome(0, credits=Decimal(10)), premise=DRAWN, caps=(SIX,)))
    assert decision.credits == 6
    assert reasons(decision) == [("cap", ("six",), ("k0",))]
    assert idle_reasons(decision) == [("k0", "leftover")]
    assert [cap.binds for cap in decision.caps] == [True]


def test_a_cap_with_room_left_does_not_bind() -> None:
    decision = decide(electives(*courses(2), premise=DRAWN, caps=(SIX,)))
    assert not decision.refusals
    assert [cap.binds for cap in decision.caps] == [False]


def solved(question: Question) -> tuple[frozenset[OutcomeId], Solution]:
    case = pose_case(
        question.packs,
        question.holdings,
        question.programme,
        applicant=question.applicant,
        pinned=question.pinned,
        as_of=question.as_of,
        known_at=question.known_at,
    )
    solution = solve(case, Nodes(NODE_BUDGET))
    return idle(case, solution), solution


@given(questions() | granted_questions())
@example(electives(*courses(3), premise=DRAWN, caps=(SIX,)))
def test_every_outcome_that_counts_nowhere_is_named_by_each_rule_that_would_spend_it(
    question: Question,
) -> None:
    decision = decide(question)
    left, solution = solved(question)
    named = {(one.cited, outcome) for one in decision.refusals for outcome in one.outcomes}
    worthless = {one.cited for one in decision.refusals if one.kind == "no-worth"}
    for option in solution.problem.options:
        cited = option.live.cited
        for outcome_ in left.intersection(option.spent_ids):
            beside = cited in worthless and any((cited, other) in named for other in option.spent_ids)
            assert (cited, outcome_) in named or beside


@given(questions() | granted_questions())
@example(electives(*courses(3), premise=DRAWN, caps=(SIX, TWO)))
@example(electives(outcome(0, credits=Decimal(10)), premise=DRAWN, caps=(SIX,)))
def test_without_the_caps_that_a_refusal_names_there_are_more_units(question: Question) -> None:
    decision = decide(question)
    assume(decision.proved)
    assert {cap.id for cap in decision.caps if cap.binds} == {
        part.cap
        for one in decision.refusals
        if one.kind == "cap"
        for part in one.by
        if isinstance(part, CapPart)
    }
    for refusal in decision.refusals:
        course = question.programme.course_of(refusal.target or "")
        if refusal.kind == "cap" and (course is None or course.credits):
            dropped = {part.cap for part in refusal.by if isinstance(part, CapPart)}
            left = tuple(cap for cap in question.programme.caps if cap.id not in dropped)
            freed = decide(replace(question, programme=replace(question.programme, caps=left)))
            assert freed.units > decision.units


PERCENTILES = RecognitionTable(
    id="awards",
    title=words("竞赛认定表"),
    rows=(
        WorthRow(
            pattern=Pattern(
                kind="award",
                codes=frozenset({"SKILL"}),
                attributes=(AttributeTest(attribute="percentile", at_most=Decimal(10)),),
            ),
            credits=Decimal(4),
        ),
    ),
)


def award(percentile: int, code: str = "SKILL") -> Holding:
    return outcome(0, kind="award", code=code, attributes=(("percentile", str(percentile)),))


CONSUMED = Premise(pattern=AWARDS, use="consume")
DRAWING = Premise(pattern=AWARDS, use="draw", worth="awards")


def spending(held: Holding, table: RecognitionTable = PERCENTILES, *, draws: bool) -> Question:
    if draws:
        return electives(held, premise=DRAWING, table=table)
    return electives(held, premise=CONSUMED, table=table, worth="awards")


def the_refusal(decision: Decision) -> Refusal:
    (refusal,) = decision.refusals
    return refusal


@pytest.mark.parametrize("draws", [False, True])
def test_the_row_that_is_near_is_named_with_its_gain(draws: bool) -> None:  # noqa: FBT001
    refusal = the_refusal(decide(spending(award(12), draws=draws)))
    assert (refusal.kind, refusal.by, refusal.target) == ("no-worth", ("awards",), None)
    assert [(one.attribute, one.have, one.need) for one in refusal.needs] == [("percentile", "12", "≤10")]
    assert refusal.gain_credits == 4
    assert idle_reasons(decide(spending(award(12), draws=draws))) == [("k0", "no-worth")]


@pytest.mark.parametrize("draws", [False, True])
def test_an_outcome_that_the_table_does_not_list_is_told_which_codes_it_lists(draws: bool) -> None:  # noqa: FBT001
    refusal = the_refusal(decide(spending(award(5, "OTHER"), draws=draws)))
    assert (refusal.kind, refusal.by, refusal.gain) == ("no-worth", ("awards",), None)
    assert [(one.attribute, one.have, one.need) for one in refusal.needs] == [("code", "OTHER", "SKILL")]


def test_where_another_authority_gives_nothing_its_table_is_named() -> None:
    bank = RecognitionTable(
        id="bank",
        title=words("学分银行"),
        rows=(WorthRow(pattern=Pattern(kind="award", codes=frozenset({"OTHER"})), credits=Decimal(1)),),
    )
    refusal = the_refusal(decide(spending(award(5), replace(PERCENTILES, within=bank), draws=False)))
    assert (refusal.kind, refusal.by) == ("no-worth", ("bank",))


@pytest.mark.parametrize("draws", [False, True])
def test_what_deductions_eat_up_is_no_miss_of_a_row(draws: bool) -> None:  # noqa: FBT001
    less = Deduction(pattern=AWARDS, credits=Decimal(4), why=words("团队成员"))
    decision = decide(spending(award(5), replace(PERCENTILES, deductions=(less,)), draws=draws))
    refusal = the_refusal(decision)
    assert (refusal.kind, refusal.by, refusal.needs) == ("no-worth", ("awards",), ())
    said = {language: decision_lines(catalogue(language), decision).refusals[0] for language in LANGUAGES}
    assert "4 − 4（团队成员） ＝ 0 学分" in said["zh-CN"]
    assert "4 − 4 (团队成员) = 0 credits" in said["en"]


@pytest.mark.parametrize("draws", [False, True])
@pytest.mark.parametrize("stated", [None, "three"])
def test_a_figure_that_a_table_goes_by_and_nobody_stated_is_asked_for(
    stated: str | None, *, draws: bool
) -> None:
    weeks = WorthRow(pattern=AWARDS, of_attribute="weeks", per_credit=Decimal(1))
    held = outcome(0, kind="award", attributes=() if stated is None else (("weeks", stated),))
    decision = decide(spending(held, replace(PERCENTILES, rows=(weeks,)), draws=draws))
    refusal = the_refusal(decision)
    assert [(one.attribute, one.have, one.need) for one in refusal.needs] == [("weeks", stated, "*")]
    hours = replace(PERCENTILES, rows=(WorthRow(pattern=AWARDS, hours_per_credit=Decimal(16)),))
    refusal = the_refusal(decide(spending(held, hours, draws=draws)))
    assert [(one.attribute, one.have) for one in refusal.needs] == [("hours", None)]
    few = replace(held, hours=Decimal(4))
    assert the_refusal(decide(spending(few, hours, draws=draws))).needs == ()


def test_of_two_that_a_table_gives_nothing_the_first_may_lack_nothing() -> None:
    """The first is eaten up by a deduction and lacks nothing of its row, the second is not listed."""
    less = Deduction(
        pattern=Pattern(kind="award", codes=frozenset({"SKILL"})), credits=Decimal(4), why=words("减")
    )
    question = spending(award(5), replace(PERCENTILES, deductions=(less,)), draws=False)
    other = replace(award(5, code="OTHER"), id=OutcomeId("k1"))
    decision = decide(replace(question, holdings=(*question.holdings, other)))
    assert {one.kind for one in decision.refusals} == {"no-worth"}
    assert {two for one in decision.refusals for two in one.outcomes} == {"k0", "k1"}


def lowering(steps: int, row: Pattern, premise: Premise, held: Holding, *, more: int = 0) -> Question:
    """A table that looks certificates up some levels lower, for two reasons where there is `more`."""
    downgrades = tuple(
        Downgrade(pattern=CERTIFICATES, attribute="level", scale="1+X", steps=count, why=words(why))
        for count, why in ((steps, "行业协会主办"), (more, "超过三年"))
        if count
    )
    table = RecognitionTable(
        id="awards",
        title=words("认定表"),
        rows=(WorthRow(pattern=row, credits=Decimal(4)),),
        downgrades=downgrades,
    )
    return electives(held, premise=premise, table=table, worth="awards")


CERTIFIED = Premise(pattern=CERTIFICATES, use="consume")


def test_a_downgrade_that_an_edit_would_not_undo_promises_nothing() -> None:
    held = outcome(0, kind="skill-certificate", level=level("高级"))
    row = Pattern(kind="skill-certificate", min_levels=(level("高级"),))
    refusal = the_refusal(decide(lowering(1, row, CERTIFIED, held)))
    assert (refusal.kind, refusal.gain) == ("no-worth", None)


@given(st.sampled_from(LEVELS), st.sampled_from(LEVELS), st.integers(1, 2), st.integers(0, 1))
def test_a_level_that_a_table_lowers_is_told_as_it_is_held_and_why_it_counts_as_less(
    holds: str, wants: str, steps: int, more: int
) -> None:
    held = outcome(0, kind="skill-certificate", level=level(holds))
    row = Pattern(kind="skill-certificate", min_levels=(level(wants),))
    lowered = LEVELS.index(holds) - steps - more
    assume(lowered < LEVELS.index(wants))
    decision = decide(lowering(steps, row, CERTIFIED, held, more=more))
    (need,) = the_refusal(decision).needs
    assert (need.attribute, need.have, need.need) == ("level", holds, wants)
    assert need.counted_as == (LEVELS[lowered] if lowered >= 0 else "")
    assert [why.zh for why in need.lowered_by] == ["行业协会主办", "超过三年"][: 1 + bool(more)]
    for language, needed in (("zh-CN", f"需要至少{wants}"), ("en", f"needed: at least {wants}")):
        (line,) = decision_lines(catalogue(language), decision).refusals
        assert holds in line
        assert lowered < 0 or LEVELS[lowered] in line
        assert all(why.zh in line for why in need.lowered_by)
        assert needed in line


def test_what_a_table_lowers_beside_its_level_is_told_as_it_was_stated() -> None:
    stated = (("organiser_level", "1"),)
    held = outcome(0, kind="award", attributes=stated)
    scale = "organisers"
    row = Pattern(
        kind="award",
        attributes=(
            AttributeTest(attribute="organiser_level", at_least=FrameworkLevel(framework=scale, level="1")),
        ),
    )
    question = electives(
        held,
        premise=CONSUMED,
        table=RecognitionTable(
            id="awards",
            title=words("认定表"),
            rows=(WorthRow(pattern=row, credits=Decimal(4)),),
            downgrades=(
                Downgrade(
                    pattern=AWARDS,
                    attribute="organiser_level",
                    scale=scale,
                    steps=1,
                    why=words("行业协会主办"),
                ),
            ),
        ),
        worth="awards",
    )
    ranks = Scale(framework=scale, levels=(("0",), ("1",)))
    (pack,) = question.packs
    ranked = replace(question, packs=(replace(pack, scales={**pack.scales, scale: ranks}),))
    (need,) = the_refusal(decide(ranked)).needs
    assert (need.have, need.counted_as, need.need) == ("1", "0", "1")


def test_what_no_table_lowers_is_not_said_to_count_as_anything_else() -> None:
    held = outcome(0, kind="skill-certificate", level=level("初级"))
    row = Pattern(kind="skill-certificate", min_levels=(level("高级"),))
    (need,) = the_refusal(decide(lowering(0, row, CERTIFIED, held))).needs
    assert (need.have, need.counted_as, need.lowered_by) == ("初级", None, ())


def test_credits_that_nobody_stated_cannot_be_drawn_on() -> None:
    refusal = the_refusal(decide(electives(outcome(0), premise=DRAWN)))
    assert (refusal.kind, refusal.by, refusal.outcomes) == ("no-worth", (), ("k0",))


@given(questions())
def test_what_a_table_gives_nothing_brings_no_more_with_every_cap_gone(question: Question) -> None:
    decision = decide(question)
    worthless = {
        one for refusal in decision.refusals if refusal.kind == "no-worth" for one in refusal.outcomes
    }
    others = {one for refusal in decision.refusals if refusal.kind != "no-worth" for one in refusal.outcomes}
    for idling in decision.nowhere:
        if idling.outcome in worthless - others and idling.reason == "no-worth":
            bare = replace(question, programme=replace(question.programme, caps=()))
            without = replace(bare, holdings=tuple(one for one in bare.holdings if one.id != idling.outcome))
            assert decide(bare).units == decide(without).units
