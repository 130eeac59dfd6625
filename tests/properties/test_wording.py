"""Laws of the sentences a learner reads: all has words in both languages, with the figures in them."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from creditbank.account.body import ExemptionTarget, Granted, WaiverTarget
from creditbank.account.holdings import HeldGrant
from creditbank.locale.catalogue import LANGUAGES, Catalogue, catalogue
from creditbank.locale.wording import grant_line, level_name, outcome_line
from creditbank.outcomes import Outcome
from creditbank.outcomes.award import Award
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.diploma import Diploma
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.terms import (
    CourseId,
    ExamId,
    IssuerId,
    Microseconds,
    OutcomeId,
    PackId,
    PartId,
    ProgrammeId,
    RuleId,
)
from tests.strategies.outcomes import outcomes

CHINESE, ENGLISH = catalogue("zh-CN"), catalogue("en")
catalogues = st.sampled_from([catalogue(language) for language in LANGUAGES])
names = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=30)
outcome_ids = st.integers(0, 999_999).map(lambda seq: OutcomeId(f"{seq:06}"))
sizes = st.decimals(min_value=Decimal("0.5"), max_value=60, places=1)


@st.composite
def grants(draw: st.DrawFn, *, is_waiver: bool = False) -> Granted:
    exempted = ExemptionTarget(
        programme=ProgrammeId("P"),
        target=CourseId("C"),
        title=draw(names),
        credits=str(draw(sizes)),
        with_credit=draw(st.booleans()),
    )
    waived = WaiverTarget(exam=ExamId(draw(names)), part=PartId("p"), title=draw(names))
    return Granted(
        target=waived if is_waiver else exempted,
        pack=PackId("pack"),
        pack_digest="00" * 32,
        rule=RuleId(draw(names)),
        rule_version=draw(st.integers(1, 99)),
        spent=tuple(draw(st.lists(outcome_ids, min_size=1, max_size=3))),
        witnesses=tuple(draw(st.lists(outcome_ids, max_size=2))),
        units=1,
        step=None,
        as_of=date(2026, 3, 1),
        known_at=Microseconds(1),
        decision="00" * 32,
    )


def held(granted: Granted, **ending: str) -> HeldGrant:
    return HeldGrant(
        id=OutcomeId("000009"),
        granted=granted,
        granted_by=IssuerId("A"),
        granted_at=Microseconds(1),
        spent=granted.spent,
        witnesses=granted.witnesses,
        status="suspended" if "because" in ending else "reversed" if ending else "active",
        because=OutcomeId(ending["because"]) if "because" in ending else None,
        reason=ending.get("reason"),
    )


@given(catalogues, outcomes())
def test_every_outcome_has_a_line_with_its_name_and_day(words: Catalogue, outcome: Outcome) -> None:
    line = outcome_line(words, outcome)
    assert (outcome.major if isinstance(outcome, Diploma) else outcome.title) in line
    assert words.date(outcome.awarded_on) in line
    if isinstance(outcome, SkillCertificate) and outcome.expires_on is not None:
        assert words.date(outcome.expires_on) in line
    assert "\n" not in line


@given(catalogues, grants() | grants(is_waiver=True))
def test_every_grant_has_a_sentence_with_its_rule_evidence_and_figure(
    words: Catalogue, granted: Granted
) -> None:
    line = grant_line(words, held(granted))
    assert granted.target.title in line
    assert f"{granted.rule} v{granted.rule_version}" in line
    assert all(f"#{outcome}" in line for outcome in granted.evidence)
    match granted.target:
        case ExemptionTarget(with_credit=True, credits=stated):
            assert words.credits(Decimal(stated)) in line
        case WaiverTarget(exam=exam):
            assert exam in line


@given(
    catalogues,
    grants() | grants(is_waiver=True),
    outcome_ids,
    st.sampled_from(["evidence-revoked", "evidence-corrected", "void"]),
)
def test_a_grant_that_fell_says_what_it_was_and_why(
    words: Catalogue, granted: Granted, because: str, reason: str
) -> None:
    line = grant_line(words, held(granted, because=because, reason=reason))
    assert grant_line(words, held(granted)) in line
    assert f"#{because}" in line
    assert reason not in line
    assert words.text(f"word.because-{reason}") in line


@given(catalogues, grants(), names)
def test_a_grant_that_was_taken_back_says_what_the_school_said(
    words: Catalogue, granted: Granted, reason: str
) -> None:
    line = grant_line(words, held(granted, reason=reason))
    assert grant_line(words, held(granted)) in line
    assert reason in line


def test_codes_of_vocabularies_are_read_as_words() -> None:
    assert level_name(CHINESE, FrameworkLevel(framework="GB/T 4658", level="41")) == "中等专科毕业"
    assert level_name(CHINESE, FrameworkLevel(framework="GB/T 4658", level="00")) == "00"
    assert level_name(ENGLISH, FrameworkLevel(framework="1+X", level="中级")) == "中级"
    award = Award(
        contest_code="C1",
        title="全国职业院校技能大赛",
        organiser_level="national",
        rank="first",
        issuer=IssuerId("A"),
        awarded_on=date(2025, 6, 1),
    )
    assert outcome_line(CHINESE, award) == "获奖：全国职业院校技能大赛，国家级一等奖，2025年6月1日"
    assert outcome_line(ENGLISH, award) == "Award: 全国职业院校技能大赛, First prize (National), 1 June 2025"
