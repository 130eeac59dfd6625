"""Course credits (课程学分), also of online and exchange courses. Nothing converts a unit silently."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from creditbank.terms import IssuerId


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseCredit:
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
