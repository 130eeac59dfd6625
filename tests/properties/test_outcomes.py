"""Laws of outcomes: whatever is built is sound, and whatever is unsound has its own reason."""

from collections.abc import Mapping
from dataclasses import FrozenInstanceError, fields, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.errors import InvalidInput
from creditbank.outcomes import Outcome, kind_of
from creditbank.outcomes.award import Award
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.course import CREDITS_MAX, CourseCredit
from creditbank.outcomes.diploma import Diploma
from creditbank.outcomes.experience import Experience
from creditbank.outcomes.outcome import (
    CODE_MAX,
    FIRST_DAY,
    HOURS_MAX,
    LAST_DAY,
    OUTCOME_KINDS,
    SCORE_MAX,
    TITLE_MAX,
    FrameworkLevel,
    OutcomeInvalid,
)
from creditbank.outcomes.training import Training
from creditbank.terms import IssuerId
from tests.strategies.outcomes import (
    awards,
    certificates,
    course_credits,
    days,
    diplomas,
    experiences,
    outcomes,
    trainings,
)

ISSUER = IssuerId("91110000600037341L")
DAY = date(2024, 6, 30)
LEVEL = FrameworkLevel(framework="1+X", level="中级")

SOUND: Mapping[str, Outcome] = {
    "diploma": Diploma(
        number="1", level=LEVEL, major_code="1", major="畜牧兽医", issuer=ISSUER, awarded_on=DAY
    ),
    "skill-certificate": SkillCertificate(
        number="1", standard="X", title="家畜繁殖", level=LEVEL, issuer=ISSUER, awarded_on=DAY
    ),
    "course-credit": CourseCredit(
        course_code="1", title="语文", credits=Decimal(2), issuer=ISSUER, awarded_on=DAY
    ),
    "training": Training(programme_code="1", title="养蜂", hours=Decimal(8), issuer=ISSUER, awarded_on=DAY),
    "award": Award(
        contest_code="1",
        title="技能大赛",
        organiser_level="national",
        rank="first",
        issuer=ISSUER,
        awarded_on=DAY,
    ),
    "experience": Experience(
        form="internship", title="牧场实习", started_on=DAY, awarded_on=DAY, issuer=ISSUER
    ),
}
TEXTS = {
    "number": CODE_MAX,
    "major_code": CODE_MAX,
    "major": TITLE_MAX,
    "study_form": CODE_MAX,
    "standard": CODE_MAX,
    "title": TITLE_MAX,
    "course_code": CODE_MAX,
    "grade": CODE_MAX,
    "mode": CODE_MAX,
    "programme_code": CODE_MAX,
    "contest_code": CODE_MAX,
    "organiser_level": CODE_MAX,
    "rank": CODE_MAX,
    "form": CODE_MAX,
    "issuer": CODE_MAX,
}
NUMBERS = {
    "credits": (CREDITS_MAX, False),
    "hours": (HOURS_MAX, False),
    "hours_per_credit": (HOURS_MAX, False),
    "score": (SCORE_MAX, True),
}


def changed(outcome: Outcome, **members: Any) -> Outcome:  # noqa: ANN401 - any member of any kind
    return replace(outcome, **members)


def refusal(outcome: Outcome, **members: Any) -> tuple[str, str | None] | None:  # noqa: ANN401
    """Return the reason and the field for which this change is refused."""
    try:
        changed(outcome, **members)
    except OutcomeInvalid as invalid:
        return invalid.reason, invalid.field
    return None


def members_of(outcome: Outcome, known: Mapping[str, object]) -> list[str]:
    return [member.name for member in fields(outcome) if member.name in known]


def test_every_kind_has_its_type_and_its_name() -> None:
    assert tuple(kind_of(outcome) for outcome in SOUND.values()) == tuple(SOUND) == OUTCOME_KINDS


def test_every_member_of_every_kind_is_checked() -> None:
    checked = {*TEXTS, *NUMBERS, "level", "awarded_on", "expires_on", "started_on", "team_size", "position"}
    checked |= {"attributes"}
    assert {member.name for outcome in SOUND.values() for member in fields(outcome)} == checked


@given(outcomes())
def test_a_sound_outcome_is_rebuilt_from_its_members_and_never_changes(outcome: Outcome) -> None:
    assert changed(outcome) == outcome
    assert hash(changed(outcome)) == hash(outcome)
    with pytest.raises(FrozenInstanceError):
        outcome.awarded_on = DAY  # type: ignore[misc]


@pytest.mark.parametrize("kind", OUTCOME_KINDS)
def test_each_text_is_one_trimmed_printable_line_within_its_length(kind: str) -> None:
    outcome = SOUND[kind]
    for member in members_of(outcome, TEXTS):
        longest = TEXTS[member]
        for blank in ("", " ", "\u3000"):
            assert refusal(outcome, **{member: blank}) == ("text-blank", member)
        for untrimmed in (" 畜牧", "畜牧\n", "\u3000畜牧"):
            assert refusal(outcome, **{member: untrimmed}) == ("text-untrimmed", member)
        for unprintable in ("畜\n牧", "畜\x00牧", "畜\u202e牧", "畜\u200b牧"):
            assert refusal(outcome, **{member: unprintable}) == ("text-unprintable", member)
        assert refusal(outcome, **{member: "牧" * (longest + 1)}) == ("text-too-long", member)
        assert refusal(outcome, **{member: "牧" * longest}) is None


@pytest.mark.parametrize("kind", OUTCOME_KINDS)
def test_attributes_are_few_named_once_and_mean_nothing_that_a_member_says(kind: str) -> None:
    outcome = SOUND[kind]
    assert refusal(outcome, attributes=(("overlap", "80"), ("replaces", "C12"))) is None
    for attributes, reason in (
        ((("overlap", "80"), ("overlap", "90")), "attribute-twice"),
        ((("Overlap", "80"),), "attribute-name"),
        ((("重合", "80"),), "attribute-name"),
        ((("rank", "first"),), "attribute-reserved"),
        ((("overlap", " 80"),), "text-untrimmed"),
        ((("overlap", ""),), "text-blank"),
        (tuple((f"a{number:02}", "x") for number in range(21)), "attributes-too-many"),
    ):
        assert refusal(outcome, attributes=attributes) == (reason, "attributes")


@pytest.mark.parametrize("kind", OUTCOME_KINDS)
def test_each_number_is_exact_finite_and_within_its_range(kind: str) -> None:
    outcome = SOUND[kind]
    for member in members_of(outcome, NUMBERS):
        maximum, may_be_zero = NUMBERS[member]
        for far in ("-0.01", "-0", "NaN", "sNaN", "Infinity", f"{maximum}.01", "1E+9"):
            assert refusal(outcome, **{member: Decimal(far)}) == ("number-out-of-range", member)
        for precise in ("0.001", "1.005", "1E-9"):
            assert refusal(outcome, **{member: Decimal(precise)}) == ("number-too-precise", member)
        for near in ("0.01", "2.50000", str(maximum), "1E+2"):
            assert refusal(outcome, **{member: Decimal(near)}) is None
        expected = None if may_be_zero else ("number-out-of-range", member)
        assert refusal(outcome, **{member: Decimal(0)}) == expected


@pytest.mark.parametrize("kind", OUTCOME_KINDS)
def test_no_day_lies_outside_three_centuries(kind: str) -> None:
    outcome = SOUND[kind]
    for far in (FIRST_DAY - timedelta(days=1), LAST_DAY + timedelta(days=1), date.min, date.max):
        assert refusal(outcome, awarded_on=far) == ("date-out-of-range", "awarded_on")


@given(experiences() | trainings(), days)
def test_nothing_ends_before_it_starts(outcome: Experience | Training, day: date) -> None:
    expected = ("ends-before-it-starts", "started_on") if outcome.awarded_on < day else None
    assert refusal(outcome, started_on=day) == expected


@given(certificates(), days)
def test_no_certificate_expires_before_it_begins(certificate: SkillCertificate, day: date) -> None:
    expected = ("expires-before-it-begins", "expires_on") if day <= certificate.awarded_on else None
    assert refusal(certificate, expires_on=day) == expected


@given(awards(), st.integers(-1, 1_002), st.integers(-1, 1_002))
def test_nobody_stands_outside_the_team(award: Award, team_size: int, position: int) -> None:
    refused = refusal(award, team_size=team_size, position=position)
    if not 1 <= team_size <= 1_000:
        assert refused == ("count-out-of-range", "team_size")
    elif not 1 <= position <= 1_000:
        assert refused == ("count-out-of-range", "position")
    else:
        assert refused == (("position-beyond-team", "position") if position > team_size else None)


@given(awards())
def test_the_last_of_the_team_is_in_it_and_the_next_is_not(award: Award) -> None:
    assert refusal(award, position=award.team_size) is None
    assert refusal(award, position=award.team_size + 1) is not None


@given(st.text(max_size=70), st.text(max_size=70))
def test_whatever_is_stated_as_a_level_is_a_level_or_invalid_input(framework: str, level: str) -> None:
    try:
        built = FrameworkLevel(framework=framework, level=level)
    except InvalidInput as invalid:
        assert invalid.field in {"framework", "level"}  # noqa: PT017 - both ways out are right
        return
    assert (built.framework, built.level) == (framework, level)
    assert framework.isprintable()
    assert level.isprintable()


@given(diplomas() | certificates() | course_credits(), st.text(max_size=30))
def test_whatever_is_stated_as_an_issuer_is_kept_or_invalid_input(
    outcome: Diploma | SkillCertificate | CourseCredit, text: str
) -> None:
    refused = refusal(outcome, issuer=IssuerId(text))
    assert refused is None or refused[1] == "issuer"
