"""Training (培训学时)."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from creditbank.outcomes.outcome import (
    CODE_MAX,
    HOURS_MAX,
    TITLE_MAX,
    Attributes,
    require_attributes,
    require_begun,
    require_day,
    require_number,
    require_text,
)
from creditbank.terms import IssuerId


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """A completed training and its hours.

    Raises:
        OutcomeInvalid: a member is out of its limits, or it ends before it starts.
    """

    programme_code: str
    title: str
    hours: Decimal
    issuer: IssuerId
    awarded_on: date  # the day on which it was completed
    started_on: date | None = None
    attributes: Attributes = ()

    def __post_init__(self) -> None:
        require_text("programme_code", self.programme_code, max_length=CODE_MAX)
        require_text("title", self.title, max_length=TITLE_MAX)
        require_number("hours", self.hours, maximum=HOURS_MAX)
        require_text("issuer", self.issuer, max_length=CODE_MAX)
        require_day("awarded_on", self.awarded_on)
        require_attributes(self.attributes)
        require_day("started_on", self.started_on)
        require_begun(started_on=self.started_on, awarded_on=self.awarded_on)
