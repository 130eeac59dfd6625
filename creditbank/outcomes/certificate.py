"""Skill certificates: 1+X 职业技能等级证书, 职业资格证书, and 技能等级 of the eight-level system."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.terms import IssuerId


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillCertificate:
    number: str
    standard: str  # code of the occupation or certificate standard, e.g. "X-WEB"
    title: str
    level: FrameworkLevel
    issuer: IssuerId
    awarded_on: date
    expires_on: date | None = None  # first day on which it no longer holds; None: valid for life
    score: Decimal | None = None
