"""Rules, programmes and holdings refuse to be built wrong, each with its reason."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from creditbank.account.facts import applicant_of, facts_of
from creditbank.conversion.holding import FACTS, Applicant, Holding, HoldingInvalid
from creditbank.conversion.meeting import is_met
from creditbank.conversion.premise import AttributeTest, FactTest, Pattern, Premise, RuleInvalid
from creditbank.conversion.programme import (
    PLACES_MAX,
    Cap,
    Course,
    CourseFilter,
    Exam,
    Part,
    PartCap,
    Programme,
    ProgrammeInvalid,
    Requirement,
)
from creditbank.conversion.recognition import Deduction, RecognitionTable, WorthRow
from creditbank.conversion.rule import ExemptionGrant, GradePolicy, Rule, Scale
from creditbank.conversion.span import SpanInvalid, parse_span, years
from creditbank.errors import InvalidInput
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.terms import CourseId, ExamId, IssuerId, Microseconds, OutcomeId, PartId, ProgrammeId, RuleId
from tests.strategies.conversion import SCALES, level, words

ANY = Pattern(kind="skill-certificate")
SPEND = Premise(pattern=ANY, use="consume")
LISTED = CourseFilter(courses=frozenset({CourseId("c0")}))
EACH = ExemptionGrant(mode="each", courses=LISTED)


def course(name: str = "c0", credits_: str = "2") -> Course:
    return Course(id=CourseId(name), title=words(name), credits=Decimal(credits_), module="M1")


def rule(**members: object) -> Rule:
    usual: dict[str, object] = {
        "id": RuleId("r"),
        "version": 1,
        "published_at": Microseconds(0),
        "effective_from": date(2020, 1, 1),
        "premises": (SPEND,),
        "grant": EACH,
    }
    return Rule(**(usual | members))  # type: ignore[arg-type]


def programme(**members: object) -> Programme:
    usual: dict[str, object] = {
        "id": ProgrammeId("p"),
        "title": words("p"),
        "credits": Decimal(10),
        "courses": (course(),),
    }
    return Programme(**(usual | members))  # type: ignore[arg-type]


def exam(**members: object) -> Exam:
    part = Part(id=PartId("theory"), title=words("理论"))
    usual: dict[str, object] = {"id": ExamId("e"), "title": words("e"), "parts": (part,)}
    return Exam(**(usual | members))  # type: ignore[arg-type]


def cap(**members: object) -> Cap:
    return Cap(**({"id": "cap", "title": words("上限")} | members))  # type: ignore[arg-type]


def held(**members: object) -> Holding:
    usual: dict[str, object] = {
        "id": OutcomeId("000000"),
        "kind": "skill-certificate",
        "code": "A",
        "issuer": IssuerId("school"),
        "awarded_on": date(2025, 1, 1),
        "recorded_at": Microseconds(0),
    }
    return Holding(**(usual | members))  # type: ignore[arg-type]


BUCKET = (CourseId("free"),)
WRONG: list[tuple[str, type[InvalidInput], Callable[[], object]]] = [
    ("scale-empty", RuleInvalid, lambda: Scale(framework="x", levels=())),
    ("scale-level-twice", RuleInvalid, lambda: Scale(framework="x", levels=(("a",), ("a",)))),
    ("test-asks-nothing", RuleInvalid, lambda: AttributeTest(attribute="rank")),
    (
        "pattern-framework-twice",
        RuleInvalid,
        lambda: Pattern(kind="diploma", min_levels=(level("初级"), level("中级"))),
    ),
    ("pattern-bound", RuleInvalid, lambda: Pattern(kind="diploma", min_score=Decimal(-1))),
    ("span-out-of-range", SpanInvalid, lambda: years(0)),
    ("span-out-of-range", SpanInvalid, lambda: years(100)),
    (
        "bounds-exclude",
        RuleInvalid,
        lambda: Pattern(kind="award", max_age=years(1), min_age=parse_span("12m")),
    ),
    (
        "bounds-exclude",
        RuleInvalid,
        lambda: Premise(
            pattern=Pattern(kind="award"),
            use="hold",
            awarded_since=date(2025, 1, 1),
            awarded_before=date(2025, 1, 1),
        ),
    ),
    ("span-unreadable", SpanInvalid, lambda: parse_span("7 years")),
    ("worth-of-held", RuleInvalid, lambda: Premise(pattern=ANY, use="hold", worth="bank")),
    (
        "fact-range",
        RuleInvalid,
        lambda: FactTest(fact="cohort", at_least=Decimal(2026), at_most=Decimal(2025)),
    ),
    ("grade-value", RuleInvalid, lambda: GradePolicy(kind="fixed")),
    ("grade-value", RuleInvalid, lambda: GradePolicy(kind="pass", value="60")),
    ("grade-ceiling", RuleInvalid, lambda: GradePolicy(kind="capped")),
    ("grade-table", RuleInvalid, lambda: GradePolicy(kind="table")),
    ("grade-table", RuleInvalid, lambda: GradePolicy(kind="pass", table="five")),
    ("grant-empty", RuleInvalid, lambda: ExemptionGrant(mode="each")),
    ("grant-limits", RuleInvalid, lambda: ExemptionGrant(mode="choose", courses=LISTED)),
    ("grant-limits", RuleInvalid, lambda: ExemptionGrant(mode="each", courses=LISTED, max_courses=1)),
    ("grant-bound", RuleInvalid, lambda: ExemptionGrant(mode="choose", courses=LISTED, max_courses=0)),
    ("bundle-of-buckets", RuleInvalid, lambda: ExemptionGrant(mode="bundle", buckets=BUCKET)),
    ("rule-dates", RuleInvalid, lambda: rule(effective_to=date(2020, 1, 1))),
    ("rule-version", RuleInvalid, lambda: rule(version=0)),
    ("rule-version", RuleInvalid, lambda: rule(supersedes=1)),
    ("rule-without-premise", RuleInvalid, lambda: rule(premises=())),
    ("rule-draws-twice", RuleInvalid, lambda: rule(premises=(Premise(pattern=ANY, use="draw"),) * 2)),
    ("bucket-without-limit", RuleInvalid, lambda: rule(grant=ExemptionGrant(mode="each", buckets=BUCKET))),
    (
        "worth-of-held",
        RuleInvalid,
        lambda: rule(
            premises=(Premise(pattern=ANY, use="hold"),),
            grant=ExemptionGrant(mode="choose", courses=LISTED, worth="bank"),
        ),
    ),
    ("table-empty", RuleInvalid, lambda: RecognitionTable(id="t", title=words("t"), rows=())),
    (
        "table-credits",
        RuleInvalid,
        lambda: RecognitionTable(
            id="t",
            title=words("t"),
            rows=(WorthRow(pattern=ANY, credits=Decimal(1)),),
            deductions=(Deduction(pattern=ANY, credits=Decimal("NaN"), why=words("t")),),
        ),
    ),
    ("row-worth", RuleInvalid, lambda: WorthRow(pattern=ANY, credits=Decimal("NaN"))),
    ("cap-limit", ProgrammeInvalid, cap),
    ("cap-limit", ProgrammeInvalid, lambda: cap(maximum=Decimal(1), share=Decimal("0.5"))),
    ("cap-share", ProgrammeInvalid, lambda: cap(share=Decimal(2))),
    ("cap-share", ProgrammeInvalid, lambda: cap(share=Decimal("0.5"), measure="outcomes")),
    ("cap-share", ProgrammeInvalid, lambda: cap(maximum=Decimal(2), share_of_module="M1")),
    ("cap-period", ProgrammeInvalid, lambda: cap(maximum=Decimal(2), periods=((2, 29),))),
    ("programme-size", ProgrammeInvalid, lambda: programme(courses=())),
    (
        "programme-size",
        ProgrammeInvalid,
        lambda: programme(courses=tuple(course(f"c{at}") for at in range(PLACES_MAX + 1))),
    ),
    (
        "programme-dates",
        ProgrammeInvalid,
        lambda: programme(effective_from=date(2025, 1, 1), effective_to=date(2025, 1, 1)),
    ),
    ("id-twice", ProgrammeInvalid, lambda: programme(courses=(course(), course()))),
    ("credits-out-of-range", ProgrammeInvalid, lambda: programme(courses=(course(credits_="-1"),))),
    ("course-hours", ProgrammeInvalid, lambda: replace(course(), hours=Decimal(-1))),
    ("course-hours", ProgrammeInvalid, lambda: replace(course(), hours=Decimal("NaN"))),
    ("course-hours", ProgrammeInvalid, lambda: replace(course(), practice_hours=Decimal(0))),
    (
        "course-hours",
        ProgrammeInvalid,
        lambda: replace(course(), hours=Decimal(8), practice_hours=Decimal(9)),
    ),
    (
        "share-of-unknown-module",
        ProgrammeInvalid,
        lambda: programme(caps=(cap(share=Decimal("0.5"), share_of_module="M9"),)),
    ),
    (
        "requirement-of-unknown-module",
        ProgrammeInvalid,
        lambda: programme(requirements=(Requirement(module="M9", minimum=Decimal(1)),)),
    ),
    ("exam-empty", ProgrammeInvalid, lambda: exam(parts=())),
    (
        "cap-of-unknown-part",
        ProgrammeInvalid,
        lambda: exam(caps=(PartCap(id="c", title=words("c"), maximum=1, parts=frozenset({PartId("x")})),)),
    ),
    ("cap-limit", ProgrammeInvalid, lambda: exam(caps=(PartCap(id="c", title=words("c"), maximum=-1),))),
    ("holding-attributes", HoldingInvalid, lambda: held(attributes=(("b", "1"), ("a", "2")))),
    ("percent-out-of-range", HoldingInvalid, lambda: Applicant(completed_percent=Decimal(101))),
    ("years-out-of-range", HoldingInvalid, lambda: Applicant(years_of_work=Decimal(-1))),
    ("years-out-of-range", HoldingInvalid, lambda: Applicant(years_of_work=Decimal("NaN"))),
]


@pytest.mark.parametrize(("reason", "error", "build"), WRONG)
def test_what_contradicts_itself_cannot_be_built(
    reason: str, error: type[InvalidInput], build: Callable[[], object]
) -> None:
    with pytest.raises(error) as caught:
        build()
    assert caught.value.reason == reason


def test_levels_that_count_as_equal_have_one_rank() -> None:
    scale = Scale(framework="GB/T 4658", levels=(("71",), ("41", "44", "47"), ("31",)))
    assert [scale.rank(name) for name in ("71", "41", "47", "31", "99")] == [0, 1, 1, 2, None]


def test_a_level_is_compared_within_its_own_framework_only() -> None:
    eight = Scale(framework="8-level", levels=(("初级工",), ("中级工",), ("高级工",)))
    scales = {**SCALES, "8-level": eight}
    pattern = Pattern(
        kind="skill-certificate",
        min_levels=(level("中级"), FrameworkLevel(framework="8-level", level="高级工")),
    )
    met = {
        (framework, name): is_met(
            pattern,
            held(level=FrameworkLevel(framework=framework, level=name)),
            scales=scales,
            as_of=date(2026, 1, 1),
        )
        for framework, name in (
            ("1+X", "中级"),
            ("8-level", "中级工"),
            ("8-level", "高级工"),
            ("9-level", "高级工"),
        )
    }
    assert list(met.values()) == [True, False, True, False]


def test_every_fact_about_an_applicant_is_read_back_as_it_was_stated() -> None:
    stated = Applicant(
        category="student",
        study_form="full-time",
        cohort=2024,
        region="540302",
        major="410303",
        enrolled_at="school",
        enrolled_level="master",
        enrolled_on=date(2024, 9, 1),
        left_on=date(2026, 6, 30),
        born_on=date(2001, 2, 28),
        term_started_on=date(2026, 9, 1),
        completed_percent=Decimal("62.5"),
        years_of_work=Decimal(3),
    )
    facts = facts_of(stated)
    assert {name for name, _ in facts} == FACTS
    assert applicant_of(facts) == stated
