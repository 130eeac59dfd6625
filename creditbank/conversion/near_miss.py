"""Near misses: what one addition would bring, computed by deciding the case again with it.

An addition is the better outcome, or the new one, that a rule asks for and nothing else. The units only
are decided again, and only for the parts of the problem that it touches.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from creditbank.conversion.addition import most_units
from creditbank.conversion.decision import Need
from creditbank.conversion.fill import Nodes
from creditbank.conversion.holding import Holding
from creditbank.conversion.matching import LiveRule, Match, meets
from creditbank.conversion.meeting import level_rank
from creditbank.conversion.premise import AttributeTest, Pattern, Premise
from creditbank.conversion.solving import Case, Solution
from creditbank.conversion.unmet import would_be_met
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.terms import IssuerId, Microseconds, OutcomeId

_NEW = OutcomeId("~")  # sorts after every id that an account gives
_WAYS_MAX = 24
"""How many new outcomes are tried for one need."""
_SHARE = 5
"""One addition may take so much of the budget that all have: a hard one leaves the others theirs."""
_FIXED = frozenset({"issuer"})
"""What no one can change about an outcome: only another outcome would do."""


@dataclass(slots=True)
class Gains:
    """Computes what additions bring to one solved case; equal additions are computed once."""

    case: Case
    solution: Solution
    nodes: Nodes
    known: dict[Holding, int | None] = field(default_factory=dict)

    def of(self, match: Match, need: Need) -> tuple[int | None, Need]:
        """Return the units that supplying `need` adds, the most of all ways to supply it, and with what.

        None where it cannot be supplied alone, or the budget ends before that is computed.
        """
        ways = supplied(match, need, holdings=self.case.holdings, as_of=self.case.as_of)
        gains = [self.of_outcome(added) for added in ways]
        known = [gain for gain in gains if gain is not None]
        if not known or len(known) < len(gains):
            return None, need
        most = max(known)
        if need.attribute != "outcome" or not most:
            return most, need
        scales = match.live.pack.scales
        best = [one for one, gain in zip(ways, gains, strict=True) if gain == most]
        return most, replace(need, at_level=min(best, key=lambda one: level_rank(one, scales)).level)

    def of_outcome(self, added: Holding) -> int | None:
        """Return the units that an outcome adds, beside the others or in the place of one of the same id.

        None where the budget ends before that is computed.
        """
        if added not in self.known:
            left = self.nodes.budget - self.nodes.used
            share = Nodes(min(left, self.nodes.budget // _SHARE))
            units = most_units(self.case, self.solution, added, share)
            self.nodes.used += share.used
            self.known[added] = None if units is None else max(0, units - self.solution.units)
        return self.known[added]


def supplied(match: Match, need: Need, *, holdings: Sequence[Holding], as_of: date) -> tuple[Holding, ...]:
    """Return the outcomes with which the rule would apply: an edited one, or each least new one.

    Empty where nothing supplies it, or too many would, or where what it brings cannot be known.
    """
    if need.premise is None:
        return ()
    live = match.live
    premise = live.rule.premises[need.premise]
    held = next((one for one in holdings if one.id == need.outcome), None)
    if held is None:
        made = least_outcomes(live, premise, as_of=as_of)
    elif need.attribute in _FIXED:
        return ()
    else:
        made = (edited(held, premise.pattern, need.attribute, as_of=as_of),)
    return tuple(
        one
        for one in made
        if meets(live, need.premise, one, as_of=as_of) and would_be_met(match, one, premise=need.premise)
    )


def least_outcomes(live: LiveRule, premise: Premise, *, as_of: date) -> tuple[Holding, ...]:
    """Return the least new outcomes: of each code, as the premise and each row of its worth ask for them.

    None where too many would do, or what they bring depends on what their issuer will state.
    """
    pattern = premise.pattern
    if premise.use == "draw" and premise.worth is None and pattern.min_credits is None:
        return ()  # how many credits its issuer will state is anybody's guess
    if getattr(live.rule.grant, "pairing", None) is not None:
        return ()  # and so is which course it will go with
    names = {premise.worth, getattr(live.rule.grant, "worth", None)} - {None}
    tables = [live.pack.tables[name] for name in sorted(map(str, names))]
    if any(table.asks_what_is_stated(pattern.kind) for table in tables):
        return ()
    rows = [row.pattern for table in tables for row in table.rows]
    codes = sorted(pattern.codes) or sorted({code for row in rows for code in row.codes}) or [""]
    found: dict[Holding, None] = {}
    for code in codes:
        found[_made((pattern,), code, as_of)] = None
        for row in rows:
            if row.kind == pattern.kind and (not row.codes or code in row.codes):
                found[_made((pattern, row), code, as_of)] = None
    return tuple(found) if len(found) <= _WAYS_MAX else ()


def distance(live: LiveRule, need: Need) -> tuple[int, int]:
    """Return how far a need is: a better outcome before a new one, then the steps of its scale.

    What was awarded too early nobody can better: it takes a new one.
    """
    if need.outcome is None or need.attribute == "awarded_on":
        return (1, 0)
    if need.attribute == "level" and need.premise is not None and need.have is not None:
        for level in live.rule.premises[need.premise].pattern.min_levels:
            scale = live.pack.scales.get(level.framework)
            have = None if scale is None else scale.rank(need.have)
            wanted = None if scale is None else scale.rank(level.level)
            if have is not None and wanted is not None:
                return (0, wanted - have)
    return (0, 1)


def edited(held: Holding, pattern: Pattern, attribute: str, *, as_of: date) -> Holding:
    """Return the outcome with one attribute as a pattern asks for it at the least."""
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


def _made(patterns: Sequence[Pattern], code: str, as_of: date) -> Holding:
    """Return an outcome awarded today that is what each pattern asks for; the last one says the level."""
    levels = [pattern.min_levels[0] for pattern in patterns if pattern.min_levels]
    grades = [pattern.min_grade.level for pattern in patterns if pattern.min_grade is not None]
    issuers = [pattern.issuers for pattern in patterns if pattern.issuers]
    return Holding(
        id=_NEW,
        kind=patterns[0].kind,
        code=code,
        issuer=min(frozenset.intersection(*issuers), default=IssuerId("")) if issuers else IssuerId(""),
        awarded_on=as_of,
        recorded_at=Microseconds(0),
        level=levels[-1] if levels else None,
        grade=grades[-1] if grades else None,
        score=max((one.min_score for one in patterns if one.min_score is not None), default=None),
        hours=max((one.min_hours for one in patterns if one.min_hours is not None), default=None),
        credits=max((one.min_credits for one in patterns if one.min_credits is not None), default=None),
        attributes=_attributes((), tuple(test for pattern in patterns for test in pattern.attributes)),
    )


def _attributes(
    stated: tuple[tuple[str, str], ...], tests: tuple[AttributeTest, ...]
) -> tuple[tuple[str, str], ...]:
    found = dict(stated)
    for test in tests:
        value = least_value(test)
        if value is not None:
            found[test.attribute] = value
    return tuple(sorted(found.items()))


def least_value(test: AttributeTest) -> str | None:
    """Return the value of an attribute that just meets a test."""
    if test.one_of:
        return test.one_of[0]
    if test.at_least is not None:
        return test.at_least.level
    if test.at_most is not None:
        return str(test.at_most)
    if test.no_less_than is not None:
        return str(test.no_less_than)
    return None if test.more_than is None else str(test.more_than + 1)
