"""Outcomes that are not there yet, as a person writes them down: to ask what they would bring."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from creditbank.conversion.holding import Holding
from creditbank.errors import InvalidInput
from creditbank.outcomes.outcome import CODE_MAX, OUTCOME_KINDS, FrameworkLevel, require_text
from creditbank.terms import IssuerId, Microseconds, OutcomeId

_AT_MOST = 10**6


class PlannedInvalid(InvalidInput):
    """A planned outcome is not written as one must be."""

    code = "planned-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One outcome that a learner plans, and `text`, which describes it in the ledger: it names no person."""

    text: str
    outcome: Holding

    def awarded_on(self, otherwise: date) -> date:
        """Return the day on which it is awarded, `otherwise` where it does not say."""
        return otherwise if self.outcome.awarded_on == date.max else self.outcome.awarded_on

    def holding(self, number: int, *, awarded_on: date) -> Holding:
        """Return it as rules see it, awarded on a day unless it says when; ids of planned ones come last."""
        own = self.outcome
        return Holding(
            id=OutcomeId(f"planned-{number:03}"),
            kind=own.kind,
            code=own.code,
            issuer=own.issuer,
            awarded_on=self.awarded_on(awarded_on),
            recorded_at=Microseconds(0),
            level=own.level,
            score=own.score,
            grade=own.grade,
            hours=own.hours,
            credits=own.credits,
            expires_on=own.expires_on,
            attributes=own.attributes,
        )


def parse_planned(text: str) -> Planned:
    """Read a planned outcome, written `kind=skill-certificate,code=X-WEB,level=1+X/中级`.

    Names: kind and code, which it must have; level (framework/level), score, grade, hours, credits, issuer,
    awarded_on, expires_on; every other name is an attribute, such as rank.

    Raises:
        PlannedInvalid: `planned-not-read`, naming the part; `planned-incomplete`; `planned-kind`.
    """
    given: dict[str, str] = {}
    for part in text.split(","):
        name, is_written, value = (piece.strip() for piece in part.partition("="))
        if not is_written or not name or not value or name in given:
            raise PlannedInvalid("planned-not-read", field="planned", value=part.strip())
        given[name] = value
    if missing := [name for name in ("kind", "code") if name not in given]:
        raise PlannedInvalid("planned-incomplete", field="planned", value=text, names=missing)
    if given["kind"] not in OUTCOME_KINDS:
        raise PlannedInvalid("planned-kind", field="planned", value=given["kind"], known=list(OUTCOME_KINDS))
    for name, value in given.items():
        require_text(name, value, max_length=CODE_MAX)
    members: dict[str, Any] = {"awarded_on": date.max, "issuer": IssuerId("")}
    for name, read in _READERS.items():
        if name in given:
            members[name] = _read(name, given[name], read)
    attributes = tuple(sorted((name, given[name]) for name in given if name not in _READERS))
    outcome = Holding(id=OutcomeId("planned"), recorded_at=Microseconds(0), attributes=attributes, **members)
    return Planned(text=", ".join(f"{name}={value}" for name, value in given.items()), outcome=outcome)


def _read(name: str, value: str, read: Callable[[str], Any]) -> Any:  # noqa: ANN401 - a member of a holding
    try:
        return read(value)
    except (ValueError, ArithmeticError) as error:
        raise PlannedInvalid("planned-not-read", field="planned", value=f"{name}={value}") from error


def _level(text: str) -> FrameworkLevel:
    framework, is_written, level = text.rpartition("/")
    if not is_written:
        raise ValueError
    return FrameworkLevel(framework=framework, level=level)


def _number(text: str) -> Decimal:
    number = Decimal(text)
    if not 0 <= number <= _AT_MOST:  # False of what is no number at all
        raise ValueError
    return number


_READERS: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {
        "kind": str,
        "code": str,
        "issuer": IssuerId,
        "level": _level,
        "score": _number,
        "grade": str,
        "hours": _number,
        "credits": _number,
        "awarded_on": date.fromisoformat,
        "expires_on": date.fromisoformat,
    }
)
