"""Awards in contests (竞赛获奖)."""

from dataclasses import dataclass
from datetime import date

from creditbank.terms import IssuerId


@dataclass(frozen=True, slots=True, kw_only=True)
class Award:
    contest_code: str
    title: str
    organiser_level: str  # as the vocabulary `organiser-level` names it: national, provincial, …
    rank: str  # as the vocabulary `award-rank` names it: first, second, third, …
    issuer: IssuerId
    awarded_on: date
    team_size: int = 1
    position: int = 1  # the learner's place in the order of authors or team members, from 1
