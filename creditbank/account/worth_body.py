"""The worth of outcomes in the entries of grants: as it was derived on the day, in figures and reasons."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from creditbank.conversion.decision import Worth, WorthStep, decimal_text
from creditbank.ledger.encoding import JsonValue
from creditbank.terms import OutcomeId, Wording


def worth_members(worths: Sequence[Worth]) -> list[JsonValue] | None:
    """Return the JSON of derivations, None where there are none."""
    return [_members(worth) for worth in worths] or None


def parse_worths(members: Sequence[Mapping[str, Any]]) -> tuple[Worth, ...]:
    """Read `worth_members` back.

    Raises:
        KeyError, TypeError, ArithmeticError: it is not what is written there.
    """
    return tuple(
        Worth(
            outcome=OutcomeId(one["outcome"]),
            table=one["table"],
            title=_wording(one["title"]),
            credits=Decimal(one["credits"]),
            steps=tuple(map(_step, one["steps"])),
        )
        for one in members
    )


def _members(worth: Worth) -> dict[str, JsonValue]:
    return {
        "outcome": worth.outcome,
        "table": worth.table,
        "title": _words(worth.title),
        "credits": decimal_text(worth.credits),
        "steps": [
            {
                "applied": step.applied,
                "credits": decimal_text(step.credits),
                **({} if step.of is None else {"of": decimal_text(step.of)}),
                **({} if step.by is None else {"by": decimal_text(step.by)}),
                **({} if step.why is None else {"why": _words(step.why)}),
            }
            for step in worth.steps
        ],
    }


def _step(members: Mapping[str, Any]) -> WorthStep:
    return WorthStep(
        applied=members["applied"],
        credits=Decimal(members["credits"]),
        of=Decimal(members["of"]) if "of" in members else None,
        by=Decimal(members["by"]) if "by" in members else None,
        why=_wording(members["why"]) if "why" in members else None,
    )


def _words(wording: Wording) -> dict[str, JsonValue]:
    return {"zh": wording.zh, "en": wording.en}


def _wording(members: Mapping[str, Any]) -> Wording:
    return Wording(zh=members["zh"], en=members["en"])
