"""Outcomes that are not there yet, as a person writes them down: to ask what they would bring."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from creditbank.conversion.holding import Holding
from creditbank.errors import InvalidInput
from creditbank.outcomes.outcome import (
    CODE_MAX,
    FIRST_DAY,
    LAST_DAY,
    OUTCOME_KINDS,
    FrameworkLevel,
    require_text,
)
from creditbank.terms import IssuerId, Microseconds, OutcomeId

_AT_MOST = 10**6
_FINEST = Decimal("0.000001")


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
            hours_per_credit=own.hours_per_credit,
            credits=own.credits,
            expires_on=own.expires_on,
            attributes=own.attributes,
        )


def planned_holdings(planned: Sequence[Planned], *, today: date) -> tuple[Holding, ...]:
    """Return planned outcomes as rules see them, in their order, awarded today unless they say when."""
    return tuple(one.holding(at, awarded_on=today) for at, one in enumerate(planned, start=1))


def parse_planned(text: str) -> Planned:
    """Read a planned outcome, written `kind=skill-certificate,code=X-WEB,level=1+X/中级`.

    Names: kind and code, which it must have; level (framework/level), score, grade, hours,
    hours_per_credit, credits, issuer, awarded_on, expires_on; every other name is an attribute, such as rank.

    Raises:
        PlannedInvalid: `planned-not-read`, naming the part; `planned-incomplete`; `planned-kind`;
            `planned-number`, `planned-day` or `planned-level` for the value of the member that is named.
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
            members[name] = read(name, given[name])
    attributes = tuple(sorted((name, given[name]) for name in given if name not in _READERS))
    outcome = Holding(id=OutcomeId("planned"), recorded_at=Microseconds(0), attributes=attributes, **members)
    return Planned(text=", ".join(f"{name}={value}" for name, value in given.items()), outcome=outcome)


def _level(name: str, text: str) -> FrameworkLevel:
    framework, _, level = (part.strip() for part in text.rpartition("/"))
    if not framework or not level:
        raise PlannedInvalid("planned-level", field=name, value=text)
    return FrameworkLevel(framework=framework, level=level)


def _number(name: str, text: str) -> Decimal:
    with suppress(ArithmeticError):
        number = Decimal(text)
        if number.is_finite() and 0 <= number <= _AT_MOST and number == number.quantize(_FINEST):
            return number
    raise PlannedInvalid("planned-number", field=name, value=text, maximum=_AT_MOST)


def _day(name: str, text: str) -> date:
    with suppress(ValueError):
        day = date.fromisoformat(text)
        if FIRST_DAY <= day <= LAST_DAY:
            return day
    raise PlannedInvalid("planned-day", field=name, value=text)


def _text(_name: str, text: str) -> str:
    return text


_READERS: Mapping[str, Callable[[str, str], Any]] = MappingProxyType(
    {
        "kind": _text,
        "code": _text,
        "issuer": _text,
        "level": _level,
        "score": _number,
        "grade": _text,
        "hours": _number,
        "hours_per_credit": _number,
        "credits": _number,
        "awarded_on": _day,
        "expires_on": _day,
    }
)
