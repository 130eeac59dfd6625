"""Skill certificates: 1+X 职业技能等级证书, 职业资格证书, and 技能等级 of the eight-level system."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from creditbank.outcomes.outcome import (
    CODE_MAX,
    SCORE_MAX,
    TITLE_MAX,
    Attributes,
    FrameworkLevel,
    OutcomeInvalid,
    require_attributes,
    require_day,
    require_number,
    require_text,
)
from creditbank.terms import IssuerId


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillCertificate:
    """A certificate of a skill, at a level where its standard has levels.

    Raises:
        OutcomeInvalid: a member is out of its limits, or (`expires-before-it-begins`) it never held.
    """

    number: str
    standard: str  # code of the occupation or certificate standard, e.g. "X-WEB"
    title: str
    level: FrameworkLevel | None = None  # None: of a standard without levels, such as CET-4
    issuer: IssuerId
    awarded_on: date
    expires_on: date | None = None  # first day on which it no longer holds; None: valid for life
    score: Decimal | None = None
    attributes: Attributes = ()

    def __post_init__(self) -> None:
        require_text("number", self.number, max_length=CODE_MAX)
        require_text("standard", self.standard, max_length=CODE_MAX)
        require_text("title", self.title, max_length=TITLE_MAX)
        require_text("issuer", self.issuer, max_length=CODE_MAX)
        require_day("awarded_on", self.awarded_on)
        require_attributes(self.attributes)
        require_day("expires_on", self.expires_on)
        require_number("score", self.score, maximum=SCORE_MAX, may_be_zero=True)
        if self.expires_on is not None and self.expires_on <= self.awarded_on:
            raise OutcomeInvalid(
                "expires-before-it-begins",
                field="expires_on",
                awarded_on=self.awarded_on.isoformat(),
                expires_on=self.expires_on.isoformat(),
            )
