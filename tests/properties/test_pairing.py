"""What outcomes say they go with: a course, or another outcome; and what only holds may say it too."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.conversion.holding import Holding
from creditbank.conversion.matching import LiveRule
from creditbank.conversion.next_steps import additions, without_additions
from creditbank.conversion.premise import Pattern, Premise, Use
from creditbank.conversion.programme import CourseFilter
from creditbank.conversion.rule import ExemptionGrant, Pairing, Rule
from creditbank.terms import PackId
from tests.properties.test_conversion_shapes import PROGRAMME, ask, of_class, outcome, rule, targets
from tests.strategies.conversion import AS_OF, TestPack

COURSE = Pattern(kind="course-credit")
FINDING = Premise(pattern=Pattern(kind="training", codes=frozenset({"FINDING"})), use="hold")
LEARNT = outcome(1, "course-credit", "X", credits=Decimal(4))
either = pytest.mark.parametrize("use", ["hold", "consume"])


def with_finding(pairing: Pairing, use: Use) -> Rule:
    """A rule that asks for a course and a finding, of which one names what the pairing asks for."""
    grant = ExemptionGrant(mode="choose", courses=of_class("核心课"), max_courses=1, pairing=pairing)
    asked = rule("found", grant, COURSE)
    return replace(asked, premises=(*asked.premises, replace(FINDING, use=use)))


def finding(number: int, **stated: str) -> Holding:
    return replace(outcome(number, "training", "FINDING"), attributes=tuple(sorted(stated.items())))


@either
@pytest.mark.parametrize(
    ("findings", "is_granted"),
    [
        ([{"about": "X"}], True),
        ([{"about": "Y"}], False),
        ([{}], False),
        ([{"about": "Y"}, {"about": "X"}], True),
        ([{"about": "FINDING"}], False),  # itself
    ],
)
def test_a_finding_is_about_an_outcome_that_is_there(
    use: Use, findings: list[dict[str, str]], *, is_granted: bool
) -> None:
    asked = with_finding(Pairing(names_outcome="about"), use)
    held = (LEARNT, *(finding(at, **stated) for at, stated in enumerate(findings, start=2)))
    assert bool(targets(ask(asked, held=held))) == is_granted


@either
@pytest.mark.parametrize("findings", [["C2"], ["C1", "C2"], ["B1", "C2"]])
def test_a_finding_names_the_course(use: Use, findings: list[str]) -> None:
    asked = with_finding(Pairing(names_course="course"), use)
    held = (LEARNT, *(finding(at, course=course) for at, course in enumerate(findings, start=2)))
    decision = ask(asked, held=held)
    assert len(targets(decision)) == 1
    assert targets(decision)[0] in findings
    (granted,) = decision.exemptions
    rests_on = {*granted.spent, *granted.witnesses} - {LEARNT.id}
    named = {finding.id: dict(finding.attributes)["course"] for finding in held[1:]}
    assert [named[one] for one in rests_on] == targets(decision)


def test_a_bucket_is_filled_only_where_the_names_are_right() -> None:
    (bucket,) = PROGRAMME.buckets
    grant = ExemptionGrant(
        mode="choose",
        courses=of_class("核心课"),
        buckets=(bucket.id,),
        max_credits=Decimal(2),
        pairing=Pairing(names_outcome="about"),
    )
    asked = rule("found", grant, COURSE)
    asked = replace(asked, premises=(*asked.premises, FINDING))
    assert targets(ask(asked, held=(LEARNT, finding(2, about="X")))) == [bucket.id]
    assert targets(ask(asked, held=(LEARNT, finding(2, about="Y")))) == []


def test_what_cannot_be_tried_beforehand_is_named() -> None:
    named = with_finding(Pairing(names_course="course"), "hold")
    plain = rule("plain", ExemptionGrant(mode="each", courses=of_class("核心课")), COURSE)
    live = [
        LiveRule(rule=one, pack=TestPack(id=PackId("pack"), rules=(one,)), fact_needs=())
        for one in (named, plain)
    ]
    assert without_additions(live, as_of=AS_OF) == ("found v1",)
    assert {rule for one in additions(live, as_of=AS_OF) for rule in one.rules} == {"plain v1"}


@given(
    asked=st.none() | st.decimals(min_value=0, max_value=90, places=1),
    stated=st.none() | st.decimals(min_value=0, max_value=90, places=1),
    share=st.decimals(min_value="0.01", max_value=1, places=2),
)
def test_a_course_goes_with_what_has_enough_of_its_hours(
    asked: Decimal | None, stated: Decimal | None, share: Decimal
) -> None:
    course = replace(next(one for one in PROGRAMME.courses if one.exemptible), hours=asked)
    pairing = Pairing(hours_share=share)
    filter_ = CourseFilter(courses=frozenset({course.id}))
    one = rule("long", ExemptionGrant(mode="choose", courses=filter_, max_courses=1, pairing=pairing), COURSE)
    programme = replace(PROGRAMME, courses=(course,), caps=())
    decision = ask(one, held=(replace(LEARNT, hours=stated),), programme=programme)
    is_long_enough = asked is not None and stated is not None and stated >= share * asked
    assert decision.is_granted == is_long_enough
    if not is_long_enough:
        (refusal,) = decision.refusals
        (need,) = refusal.needs
        assert (refusal.kind, need.attribute) == ("gap", "hours")
        assert (need.have is None) == (stated is None)
        assert (need.need == "*") == (asked is None)
