"""Which outcomes a rule of a programme asks for at the least: what somebody could set out to get next.

How much each would bring to whom is computed by deciding again with it, which is for `services.next_steps`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from creditbank.conversion.holding import Holding
from creditbank.conversion.matching import LiveRule
from creditbank.conversion.meeting import level_rank
from creditbank.conversion.near_miss import least_outcomes
from creditbank.terms import OutcomeId

PLANNED = OutcomeId("planned-001")
"""The id of an outcome that nobody holds; it sorts after every id that an account gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """An outcome that could be added, and the rules that ask for one like it, as `rule v1`, in order."""

    outcome: Holding
    rules: tuple[str, ...]
    level: int
    """The rank of its level, 0 for the lowest; of what has no level on a scale -1."""


def additions(rules: Iterable[LiveRule], *, as_of: date) -> tuple[Addition, ...]:
    """Return the least outcomes that premises of these rules ask for, each once, by kind, code and level."""
    asking: dict[Holding, dict[str, Literal[True]]] = {}
    live_rules = tuple(rules)
    scales = {name: scale for live in live_rules for name, scale in live.pack.scales.items()}
    for live in live_rules:
        for premise in live.rule.premises:
            for outcome in least_outcomes(live, premise, as_of=as_of):
                named = asking.setdefault(replace(outcome, id=PLANNED), {})
                named[f"{live.rule.id} v{live.rule.version}"] = True
    found = [
        Addition(outcome=outcome, rules=tuple(sorted(named)), level=level_rank(outcome, scales))
        for outcome, named in asking.items()
    ]
    return tuple(sorted(found, key=_order))


def without_additions(rules: Iterable[LiveRule], *, as_of: date) -> tuple[str, ...]:
    """Return the rules, as `rule v1`, that ask for an outcome whose effect nobody knows before it is there.

    It hangs on what its issuer will state: which course it goes with, or how many credits it has.
    """
    return tuple(
        f"{live.rule.id} v{live.rule.version}"
        for live in rules
        if not all(least_outcomes(live, premise, as_of=as_of) for premise in live.rule.premises)
    )


def _order(addition: Addition) -> tuple[str, str, int, str]:
    outcome = addition.outcome
    return outcome.kind, outcome.code, addition.level, repr(outcome)
