"""Training (培训学时)."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from creditbank.terms import IssuerId


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    programme_code: str
    title: str
    hours: Decimal
    issuer: IssuerId
    awarded_on: date  # the day on which it was completed
    started_on: date | None = None
