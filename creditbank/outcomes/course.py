"""Course credits (课程学分), also of online and exchange courses. Nothing converts a unit silently."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from creditbank.outcomes.outcome import (
    CODE_MAX,
    HOURS_MAX,
    SCORE_MAX,
    TITLE_MAX,
    Attributes,
    require_attributes,
    require_day,
    require_number,
    require_text,
)
from creditbank.terms import IssuerId

CREDITS_MAX = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseCredit:
    """A course and the credits it brought.

    Raises:
        OutcomeInvalid: a member is out of its limits.
    """

    course_code: str
    title: str
    credits: Decimal  # as the issuer states them
    issuer: IssuerId
    awarded_on: date
    hours: Decimal | None = None  # as the issuer states them
    hours_per_credit: Decimal | None = None  # the issuer's own unit: 16, 18, 10, 30
    score: Decimal | None = None
    grade: str | None = None
    mode: str = "campus"  # as the vocabulary `course-mode` names it
    attributes: Attributes = ()

    def __post_init__(self) -> None:
        require_text("course_code", self.course_code, max_length=CODE_MAX)
        require_text("title", self.title, max_length=TITLE_MAX)
        require_number("credits", self.credits, maximum=CREDITS_MAX)
        require_text("issuer", self.issuer, max_length=CODE_MAX)
        require_day("awarded_on", self.awarded_on)
        require_attributes(self.attributes)
        require_number("hours", self.hours, maximum=HOURS_MAX)
        require_number("hours_per_credit", self.hours_per_credit, maximum=HOURS_MAX)
        require_number("score", self.score, maximum=SCORE_MAX, may_be_zero=True)
        require_text("grade", self.grade, max_length=CODE_MAX)
        require_text("mode", self.mode, max_length=CODE_MAX)
