"""What names an outcome: so it is not recorded twice, and a certificate is found by its number."""

import unicodedata
from dataclasses import dataclass
from typing import assert_never

from creditbank.outcomes import Outcome
from creditbank.outcomes.award import Award
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.course import CourseCredit
from creditbank.outcomes.diploma import Diploma
from creditbank.outcomes.experience import Experience
from creditbank.outcomes.outcome import OutcomeKind
from creditbank.outcomes.training import Training


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeName:
    """A name among those of one kind; `is_personal` where it names an outcome only within its account."""

    kind: OutcomeKind
    text: str
    is_personal: bool


def name_of(outcome: Outcome) -> OutcomeName:
    """Return a certificate's or diploma's number, else issuer, code and day."""
    match outcome:
        case Diploma():
            return numbered("diploma", outcome.number)
        case SkillCertificate():
            return numbered("skill-certificate", outcome.number)
        case CourseCredit():
            return _within_account("course-credit", outcome, outcome.course_code)
        case Training():
            return _within_account("training", outcome, outcome.programme_code)
        case Award():
            return _within_account("award", outcome, outcome.contest_code)
        case Experience():
            return _within_account("experience", outcome, outcome.form)
        case _:
            assert_never(outcome)


def numbered(kind: OutcomeKind, number: str) -> OutcomeName:
    """Return the name that a number gives; width, case and spaces do not distinguish numbers."""
    plain = "".join(unicodedata.normalize("NFKC", number).upper().split())
    return OutcomeName(kind=kind, text=plain, is_personal=False)


def _within_account(
    kind: OutcomeKind, outcome: CourseCredit | Training | Award | Experience, code: str
) -> OutcomeName:
    text = f"{outcome.issuer} {outcome.awarded_on.isoformat()} {code}"
    return OutcomeName(kind=kind, text=text, is_personal=True)
