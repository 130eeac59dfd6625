"""The steps of a procedure in the entries of grants: what was done, on which day, and by whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from creditbank.ledger.encoding import JsonValue
from creditbank.outcomes.outcome import TITLE_MAX, require_text


@dataclass(frozen=True, slots=True, kw_only=True)
class StepMade:
    """A step of a rule's procedure: on which day it was made, by whom where that was said, and what it is."""

    id: str
    on: date
    by: str = ""
    title: str = ""  # as the rule has it, once it is registered

    def __post_init__(self) -> None:
        if self.by:
            require_text("by", self.by, max_length=TITLE_MAX)


def step_members(steps: Sequence[StepMade]) -> list[JsonValue] | None:
    """Return the JSON of steps, None where there are none."""
    return [_members(step) for step in steps] or None


def parse_steps(members: Sequence[Mapping[str, Any]]) -> tuple[StepMade, ...]:
    """Read `step_members` back.

    Raises:
        KeyError, TypeError, ValueError: it is not what is written there.
    """
    return tuple(
        StepMade(id=one["id"], on=date.fromisoformat(one["on"]), by=one.get("by", ""), title=one["title"])
        for one in members
    )


def _members(step: StepMade) -> dict[str, JsonValue]:
    by = {"by": step.by} if step.by else {}
    return {"id": step.id, "title": step.title, "on": step.on.isoformat(), **by}
