"""Diplomas (学历证书)."""

from dataclasses import dataclass
from datetime import date

from creditbank.outcomes.outcome import (
    CODE_MAX,
    TITLE_MAX,
    Attributes,
    FrameworkLevel,
    require_attributes,
    require_day,
    require_text,
)
from creditbank.terms import IssuerId


@dataclass(frozen=True, slots=True, kw_only=True)
class Diploma:
    """A completed education.

    Raises:
        OutcomeInvalid: a member is out of its limits.
    """

    number: str
    level: FrameworkLevel  # GB/T 4658 code
    major_code: str
    major: str
    issuer: IssuerId
    awarded_on: date
    study_form: str | None = None  # as the vocabulary `study-form` names it
    attributes: Attributes = ()

    def __post_init__(self) -> None:
        require_text("number", self.number, max_length=CODE_MAX)
        require_text("major_code", self.major_code, max_length=CODE_MAX)
        require_text("major", self.major, max_length=TITLE_MAX)
        require_text("issuer", self.issuer, max_length=CODE_MAX)
        require_day("awarded_on", self.awarded_on)
        require_attributes(self.attributes)
        require_text("study_form", self.study_form, max_length=CODE_MAX)
