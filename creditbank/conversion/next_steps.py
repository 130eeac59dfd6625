"""Which outcomes a rule of a programme asks for at the least: what somebody could set out to get next.

How much each would bring to whom is computed by deciding again with it, which is for `services.next_steps`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from creditbank.conversion.holding import Holding
from creditbank.conversion.matching import LiveRule
from creditbank.conversion.meeting import asked_of, level_rank
from creditbank.conversion.near_miss import least_outcomes, least_value
from creditbank.conversion.premise import Premise
from creditbank.terms import OutcomeId

PLANNED = OutcomeId("planned-001")
"""The id of an outcome that nobody holds; it sorts after every id that an account gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """An outcome that could be added, and the rules that ask for one like it, as `rule v1`, in order."""

    outcome: Holding
    rules: tuple[str, ...]
    asked: tuple[tuple[str, str], ...]
    """What is asked of its attributes where that is a bound: `percentile`, `≤10`."""
    level: int
    """The rank of its level, 0 for the lowest; of what has no level on a scale -1."""


def additions(rules: Iterable[LiveRule], *, as_of: date) -> tuple[Addition, ...]:
    """Return the least outcomes that premises of these rules ask for, each once, by kind, code and level."""
    asking: dict[Holding, dict[str, Literal[True]]] = {}
    bounds: dict[Holding, dict[str, str]] = {}
    live_rules = tuple(rules)
    scales = {name: scale for live in live_rules for name, scale in live.pack.scales.items()}
    for live in live_rules:
        for premise in live.rule.premises:
            for outcome in least_outcomes(live, premise, as_of=as_of):
                named = asking.setdefault(replace(outcome, id=PLANNED), {})
                named[f"{live.rule.id} v{live.rule.version}"] = True
                bounds.setdefault(replace(outcome, id=PLANNED), {}).update(_bounds(live, premise, outcome))
    found = [
        Addition(
            outcome=outcome,
            rules=tuple(sorted(named)),
            asked=tuple(sorted(bounds[outcome].items())),
            level=level_rank(outcome, scales),
        )
        for outcome, named in asking.items()
    ]
    return tuple(sorted(found, key=_order))


def _bounds(live: LiveRule, premise: Premise, outcome: Holding) -> Iterator[tuple[str, str]]:
    """Yield the bounds that the attributes of a least outcome just meet."""
    names = {premise.worth, getattr(live.rule.grant, "worth", None)} - {None}
    patterns = [row.pattern for name in sorted(map(str, names)) for row in live.pack.tables[name].rows]
    for test in (test for pattern in (premise.pattern, *patterns) for test in pattern.attributes):
        is_bound = not test.one_of and test.at_least is None
        if is_bound and outcome.attribute(test.attribute) == least_value(test):
            yield test.attribute, asked_of(test)


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
