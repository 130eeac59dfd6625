"""What a learner has achieved, as its issuer states it: six kinds of outcome, and dated vocabularies."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import assert_never

from creditbank.outcomes.award import Award
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.course import CourseCredit
from creditbank.outcomes.diploma import Diploma
from creditbank.outcomes.experience import Experience
from creditbank.outcomes.outcome import OutcomeKind
from creditbank.outcomes.training import Training

__all__ = ["OUTCOME_TYPES", "Outcome", "kind_of"]

Outcome = Diploma | SkillCertificate | CourseCredit | Training | Award | Experience

OUTCOME_TYPES: Mapping[OutcomeKind, Callable[..., Outcome]] = MappingProxyType(
    {
        "diploma": Diploma,
        "skill-certificate": SkillCertificate,
        "course-credit": CourseCredit,
        "training": Training,
        "award": Award,
        "experience": Experience,
    }
)
"""What builds an outcome of each kind."""


def kind_of(outcome: Outcome) -> OutcomeKind:
    """Return the kind under which an outcome is recorded."""
    match outcome:
        case Diploma():
            return "diploma"
        case SkillCertificate():
            return "skill-certificate"
        case CourseCredit():
            return "course-credit"
        case Training():
            return "training"
        case Award():
            return "award"
        case Experience():
            return "experience"
        case _:
            assert_never(outcome)
