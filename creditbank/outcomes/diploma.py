"""Diplomas (学历证书)."""

from dataclasses import dataclass
from datetime import date

from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.terms import IssuerId


@dataclass(frozen=True, slots=True, kw_only=True)
class Diploma:
    number: str
    level: FrameworkLevel  # GB/T 4658 code
    major_code: str
    major: str
    issuer: IssuerId
    awarded_on: date
    study_form: str | None = None  # as the vocabulary `study-form` names it
