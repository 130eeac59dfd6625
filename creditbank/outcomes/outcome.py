"""The six kinds of learning outcome, and what they share.

Unknown kinds are refused: a new one is a change of code.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from creditbank.errors import InvalidInput


class OutcomeInvalid(InvalidInput):
    """A learning outcome contradicts itself or leaves out what it must say."""

    code = "outcome-invalid"


OutcomeKind = Literal["diploma", "skill-certificate", "course-credit", "training", "award", "experience"]
OUTCOME_KINDS: tuple[OutcomeKind, ...] = get_args(OutcomeKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameworkLevel:
    """A level and the framework in which it is one: 中级 of 1+X is not 中级 of anything else."""

    framework: str
    level: str
