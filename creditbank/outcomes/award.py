"""Awards in contests (竞赛获奖)."""

from dataclasses import dataclass
from datetime import date

from creditbank.outcomes.outcome import (
    CODE_MAX,
    TITLE_MAX,
    Attributes,
    OutcomeInvalid,
    require_attributes,
    require_count,
    require_day,
    require_text,
)
from creditbank.terms import IssuerId

TEAM_MAX = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Award:
    """A place in a contest.

    Raises:
        OutcomeInvalid: a member is out of its limits, or (`position-beyond-team`) the place in the team is.
    """

    contest_code: str
    title: str
    organiser_level: str  # as the vocabulary `organiser-level` names it: national, autonomous-region, …
    rank: str  # as the vocabulary `award-rank` names it: first, second, third, …
    issuer: IssuerId
    awarded_on: date
    team_size: int = 1
    position: int = 1  # the learner's place in the order of authors or team members, from 1
    attributes: Attributes = ()

    def __post_init__(self) -> None:
        require_text("contest_code", self.contest_code, max_length=CODE_MAX)
        require_text("title", self.title, max_length=TITLE_MAX)
        require_text("organiser_level", self.organiser_level, max_length=CODE_MAX)
        require_text("rank", self.rank, max_length=CODE_MAX)
        require_text("issuer", self.issuer, max_length=CODE_MAX)
        require_day("awarded_on", self.awarded_on)
        require_attributes(self.attributes)
        require_count("team_size", self.team_size, maximum=TEAM_MAX)
        require_count("position", self.position, maximum=TEAM_MAX)
        if self.position > self.team_size:
            raise OutcomeInvalid(
                "position-beyond-team", field="position", value=self.position, team_size=self.team_size
            )
