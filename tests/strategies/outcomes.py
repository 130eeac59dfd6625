"""Learning outcomes of every kind, as hypothesis draws them."""

from datetime import date, timedelta
from decimal import Decimal
from functools import cache

from hypothesis import strategies as st

from creditbank.outcomes import Outcome
from creditbank.outcomes.award import TEAM_MAX, Award
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.course import CourseCredit
from creditbank.outcomes.diploma import Diploma
from creditbank.outcomes.experience import Experience
from creditbank.outcomes.outcome import CODE_MAX, TITLE_MAX, FrameworkLevel, attributes_of
from creditbank.outcomes.training import Training
from tests.strategies.choosing import either, maybe
from tests.strategies.identity import issuers

LEVELS = {
    "1+X": ("初级", "中级", "高级"),
    "8-level": ("学徒工", "初级工", "中级工", "高级工", "技师", "高级技师", "特级技师", "首席技师"),
}
DIPLOMA_LEVELS = ("21", "31", "41", "44", "47", "61", "71")

days = st.dates(min_value=date(1950, 1, 1), max_value=date(2150, 12, 31))


def lines(max_size: int) -> st.SearchStrategy[str]:
    """Trimmed, printable lines, Chinese and Tibetan among them."""
    characters = st.characters(codec="utf-8", categories=["L", "M", "N", "P", "S"])
    inner = st.text(characters | st.just(" "), max_size=max(0, min(max_size, 30) - 2))
    ends = st.builds("{}{}{}".format, characters, inner, characters)
    return (ends | characters).filter(lambda line: line.isprintable() and line == line.strip())


codes = lines(CODE_MAX)
titles = lines(TITLE_MAX)
numbers = st.text("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", min_size=4, max_size=22)


@cache
def decimals(*, minimum: str = "0.01", maximum: int) -> st.SearchStrategy[Decimal]:
    """Exact decimals to two places."""
    return st.decimals(min_value=Decimal(minimum), max_value=maximum, places=2)


_lasting = st.integers(1, 3_650).map(lambda days_: timedelta(days=days_))
_short = st.integers(0, 365)
_team_sizes = st.integers(1, 10) | st.just(TEAM_MAX)
attributes = st.just(()) | st.dictionaries(
    st.sampled_from(["overlap", "replaces", "nature", "about"]),
    st.text("0123456789abcXYZ重合", min_size=1, max_size=8),
    max_size=4,
).map(lambda stated: attributes_of(stated.items()))


@cache
@st.composite
def certificate_levels(draw: st.DrawFn) -> FrameworkLevel:
    framework = draw(either(*sorted(LEVELS)))
    return FrameworkLevel(framework=framework, level=draw(either(*LEVELS[framework])))


@cache
@st.composite
def diplomas(draw: st.DrawFn) -> Diploma:
    return Diploma(
        number=draw(numbers),
        level=FrameworkLevel(framework="GB/T 4658", level=draw(either(*DIPLOMA_LEVELS))),
        major_code=draw(codes),
        major=draw(titles),
        issuer=draw(issuers()),
        awarded_on=draw(days),
        study_form=draw(maybe(either("full-time", "correspondence"))),
    )


@cache
@st.composite
def certificates(draw: st.DrawFn) -> SkillCertificate:
    awarded_on = draw(days)
    lasts = draw(maybe(_lasting))
    return SkillCertificate(
        number=draw(numbers),
        standard=draw(codes),
        title=draw(titles),
        level=draw(maybe(certificate_levels())),
        issuer=draw(issuers()),
        awarded_on=awarded_on,
        expires_on=None if lasts is None else awarded_on + lasts,
        score=draw(maybe(decimals(minimum="0", maximum=1_000))),
    )


@cache
@st.composite
def course_credits(draw: st.DrawFn) -> CourseCredit:
    return CourseCredit(
        course_code=draw(codes),
        title=draw(titles),
        credits=draw(decimals(maximum=100)),
        issuer=draw(issuers()),
        awarded_on=draw(days),
        hours=draw(maybe(decimals(maximum=1_000))),
        hours_per_credit=draw(maybe(either(Decimal(16), Decimal(18), Decimal(10)))),
        score=draw(maybe(decimals(minimum="0", maximum=100))),
        grade=draw(maybe(either("合格", "优秀", "A"))),
        mode=draw(either("campus", "online", "exchange", "enterprise")),
        attributes=draw(attributes),
    )


@cache
@st.composite
def trainings(draw: st.DrawFn) -> Training:
    awarded_on = draw(days)
    lasted = draw(maybe(_short))
    return Training(
        programme_code=draw(codes),
        title=draw(titles),
        hours=draw(decimals(maximum=2_000)),
        issuer=draw(issuers()),
        awarded_on=awarded_on,
        started_on=None if lasted is None else awarded_on - timedelta(days=lasted),
    )


@cache
@st.composite
def awards(draw: st.DrawFn) -> Award:
    team_size = draw(_team_sizes)
    return Award(
        contest_code=draw(codes),
        title=draw(titles),
        organiser_level=draw(either("national", "autonomous-region", "prefecture")),
        rank=draw(either("first", "second", "third")),
        issuer=draw(issuers()),
        awarded_on=draw(days),
        team_size=team_size,
        position=draw(st.integers(1, team_size)),
    )


@cache
@st.composite
def experiences(draw: st.DrawFn) -> Experience:
    started_on = draw(days)
    return Experience(
        form=draw(either("internship", "enterprise-practice", "military-service")),
        title=draw(titles),
        started_on=started_on,
        awarded_on=started_on + timedelta(days=draw(st.integers(0, 3_650))),
        issuer=draw(issuers()),
        hours=draw(maybe(decimals(maximum=5_000))),
    )


@cache
def outcomes() -> st.SearchStrategy[Outcome]:
    """Outcomes of all six kinds."""
    return st.one_of(diplomas(), certificates(), course_credits(), trainings(), awards(), experiences())
