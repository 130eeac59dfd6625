"""Outcomes that nobody holds are named in words, with what is asked of them, never in codes."""

from datetime import date
from decimal import Decimal

import pytest

from creditbank.account.planned import parse_planned
from creditbank.conversion.holding import Holding
from creditbank.conversion.next_steps import PLANNED, Addition
from creditbank.locale.catalogue import catalogue
from creditbank.locale.what_if_wording import step_line, supposed_name
from creditbank.settings import Language
from creditbank.terms import IssuerId, Microseconds


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("zh-CN", "一项获奖 SKILL（主办单位级别 自治区级、获奖比例（前百分之几） 至多10）"),
        ("en", "an award SKILL (organiser's level Autonomous region, percentile from the top at most 10)"),
    ],
)
def test_what_to_get_next_is_said_in_words_with_its_bounds(language: Language, said: str) -> None:
    outcome = Holding(
        id=PLANNED,
        kind="award",
        code="SKILL",
        issuer=IssuerId(""),
        awarded_on=date(2026, 3, 1),
        recorded_at=Microseconds(0),
        attributes=(("organiser_level", "autonomous-region"), ("percentile", "10")),
    )
    addition = Addition(outcome=outcome, rules=("r v1",), asked=(("percentile", "≤10"),), level=-1)
    line = step_line(catalogue(language), addition, learners=1, gained=Decimal(1), most=Decimal(1))
    assert said in line


def test_a_planned_outcome_is_named_by_what_it_is() -> None:
    planned = parse_planned("kind=skill-certificate, code=AG-WORK, level=8-level/中级工")
    assert supposed_name(catalogue("zh-CN"), planned.outcome) == "一项技能证书 AG-WORK（中级工）"
