"""Near misses: what one addition would bring, computed by deciding the case again with it.

An addition is the better outcome, or the new one, that a rule asks for and nothing else. The units only
are decided again, and only for the parts of the problem that it touches.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from creditbank.conversion.decision import Need
from creditbank.conversion.fill import Nodes
from creditbank.conversion.holding import Holding
from creditbank.conversion.matching import LiveRule
from creditbank.conversion.meeting import is_met
from creditbank.conversion.rule import AttributeTest, Pattern
from creditbank.conversion.solving import Case, Solution, most_units
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.terms import IssuerId, Microseconds, OutcomeId

_NEW = OutcomeId("~")  # sorts after every id that an account gives
_FIXED = frozenset({"issuer"})
"""What no one can change about an outcome: only another outcome would do."""


@dataclass(slots=True)
class Gains:
    """Computes what additions bring to one solved case; equal additions are computed once."""

    case: Case
    solution: Solution
    nodes: Nodes
    known: dict[Holding, int | None] = field(default_factory=dict)

    def of(self, live: LiveRule, need: Need) -> int | None:
        """Return the units that supplying `need` adds.

        None where it cannot be supplied alone, or the budget ends before that is computed.
        """
        added = supplied(live, need, holdings=self.case.holdings, as_of=self.case.as_of)
        if added is None:
            return None
        if added not in self.known:
            units = most_units(self.case, self.solution, added, self.nodes)
            self.known[added] = None if units is None else max(0, units - self.solution.units)
        return self.known[added]


def supplied(live: LiveRule, need: Need, *, holdings: Sequence[Holding], as_of: date) -> Holding | None:
    """Return the outcome as the rule would need it: an edited one, or a new one; None if that cannot be."""
    if need.premise is None:
        return None
    pattern, scales = live.rule.premises[need.premise].pattern, live.pack.scales
    held = next((one for one in holdings if one.id == need.outcome), None)
    if held is None:
        made = _made(pattern, as_of)
    elif need.attribute in _FIXED:
        return None
    else:
        made = _edited(held, pattern, need.attribute, as_of=as_of)
    if made.awarded_on > as_of or not is_met(pattern, made, scales=scales, as_of=as_of):
        return None
    if live.pack.date_basis == "award" and not live.rule.is_effective(made.awarded_on):
        return None
    return made


def distance(live: LiveRule, need: Need) -> tuple[int, int]:
    """Return how far a need is: a better outcome before a new one, then the steps of its scale."""
    if need.outcome is None:
        return (1, 0)
    if need.attribute == "level" and need.premise is not None and need.have is not None:
        for level in live.rule.premises[need.premise].pattern.min_levels:
            scale = live.pack.scales.get(level.framework)
            have = None if scale is None else scale.rank(need.have)
            wanted = None if scale is None else scale.rank(level.level)
            if have is not None and wanted is not None:
                return (0, wanted - have)
    return (0, 1)


def _edited(held: Holding, pattern: Pattern, attribute: str, *, as_of: date) -> Holding:
    match attribute:
        case "level":
            return replace(held, level=_level(held, pattern))
        case "grade" if pattern.min_grade is not None:
            return replace(held, grade=pattern.min_grade.level)
        case "score":
            return replace(held, score=pattern.min_score)
        case "hours":
            return replace(held, hours=pattern.min_hours)
        case "credits":
            return replace(held, credits=pattern.min_credits)
        case "awarded_on":
            return replace(held, awarded_on=as_of)
        case "expires_on":
            return replace(held, expires_on=as_of + timedelta(days=1))
        case _:
            tests = tuple(test for test in pattern.attributes if test.attribute == attribute)
            return replace(held, attributes=_attributes(held.attributes, tests))


def _level(held: Holding, pattern: Pattern) -> FrameworkLevel:
    framework = None if held.level is None else held.level.framework
    same = [level for level in pattern.min_levels if level.framework == framework]
    return (same or list(pattern.min_levels))[0]


def _made(pattern: Pattern, as_of: date) -> Holding:
    """Return the least outcome that a pattern describes, awarded today."""
    return Holding(
        id=_NEW,
        kind=pattern.kind,
        code=min(pattern.codes, default=""),
        issuer=min(pattern.issuers, default=IssuerId("")),
        awarded_on=as_of,
        recorded_at=Microseconds(0),
        level=pattern.min_levels[0] if pattern.min_levels else None,
        grade=None if pattern.min_grade is None else pattern.min_grade.level,
        score=pattern.min_score,
        hours=pattern.min_hours,
        credits=pattern.min_credits,
        attributes=_attributes((), pattern.attributes),
    )


def _attributes(
    stated: tuple[tuple[str, str], ...], tests: tuple[AttributeTest, ...]
) -> tuple[tuple[str, str], ...]:
    found = dict(stated)
    for test in tests:
        if test.one_of:
            found[test.attribute] = test.one_of[0]
        elif test.at_least is not None:
            found[test.attribute] = test.at_least.level
        elif test.at_most is not None:
            found[test.attribute] = str(test.at_most)
        elif test.more_than is not None:
            found[test.attribute] = str(test.more_than + 1)
    return tuple(sorted(found.items()))
