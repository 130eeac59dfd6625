"""What a rule lacks: the cheapest way to meet all its premises at once, each by an outcome of its own.

Of outcomes that a table of the rule counts as similar only one may be spent: a rule is not told to lack
an outcome beside which it would still not apply.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from creditbank.conversion.decision import Need
from creditbank.conversion.holding import Holding
from creditbank.conversion.matching import Family, LiveRule, Match, needs_of_outcome
from creditbank.conversion.meeting import ANY_OF
from creditbank.conversion.options import different_code, families_of

_NEW_OUTCOME = 1_000
"""What a new outcome costs, beside one for each thing that an outcome held lacks: always more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """One outcome that could stand for a premise: it does, it lacks something, or it would be a new one."""

    outcome: str
    families: frozenset[Family]
    cost: int = 0
    needs: tuple[Need, ...] = ()

    def clashes(self, other: "_Way") -> bool:
        return self.outcome == other.outcome or not self.families.isdisjoint(other.families)


def needs_of(match: Match, *, as_of: date) -> tuple[Need, ...] | None:
    """Return what a rule lacks, by premise: as few new outcomes as will do, then as few things missing.

    None where no outcomes whatever would meet it: two that it asks for are always similar, or of one code.
    """
    premises = range(len(match.met_by))
    ways = _cheapest([[*_held(match, at, as_of), *_new(match.live, at)] for at in premises])
    if ways is None:
        return None
    found: list[Need] = []
    said = {
        at: way.families if way.cost < _NEW_OUTCOME else _of_tables(way.families)
        for at, way in enumerate(ways)
    }
    for at, way in enumerate(ways):
        if way.cost < _NEW_OUTCOME:
            found.extend(way.needs)
            continue
        beside = frozenset[Family]().union(*(said[other] for other in premises if other != at))
        need, said[at] = _new_outcome(match.live, at, beside)
        found.append(need)
    return tuple(found)


def can_be_met(live: LiveRule) -> bool:
    """Whether some outcomes would meet the rule; if not, two are always similar, or of one code."""
    return _cheapest([tuple(_new(live, at)) for at in range(len(live.rule.premises))]) is not None


def would_be_met(match: Match, added: Holding, *, premise: int) -> bool:
    """Whether the rule would apply if `added` met a premise: the others have outcomes to stand beside it."""
    slots = [_meeting(match, at) for at in range(len(match.met_by))]
    slots[premise] = [_Way(outcome=added.id, families=_families(match.live, premise, added.code))]
    return _cheapest(slots) is not None


def _cheapest(slots: Sequence[Sequence[_Way]], beside: tuple[_Way, ...] = ()) -> tuple[_Way, ...] | None:
    """Return a way for each premise, none of which clash: the first of those that together cost least."""
    if not slots:
        return ()
    best: tuple[_Way, ...] | None = None
    least = 0
    for way in slots[0]:
        if best is not None and way.cost >= least:
            break  # the ways come by cost, and the rest costs something or nothing
        if any(way.clashes(other) for other in beside):
            continue
        rest = _cheapest(slots[1:], (*beside, way))
        if rest is not None:
            cost = way.cost + sum(one.cost for one in rest)
            if best is None or cost < least:
                best, least = (way, *rest), cost
    return best


def _held(match: Match, premise: int, as_of: date) -> list[_Way]:
    """Return the outcomes that meet a premise, then the others by how much they lack.

    Of equals, as many as there are premises will do: the other premises leave one of them.
    """
    lacking = [
        _Way(
            outcome=holding.id,
            families=_families(match.live, premise, holding.code),
            cost=len(missing),
            needs=missing,
        )
        for holding in match.missed_by[premise]
        for missing in (needs_of_outcome(match.live, premise, holding, as_of=as_of),)
    ]
    lacking.sort(key=lambda way: (way.cost, way.outcome))
    return [*_meeting(match, premise), *_first_of_each(lacking, len(match.met_by))]


def _meeting(match: Match, premise: int) -> list[_Way]:
    ways = [
        _Way(outcome=one.id, families=_families(match.live, premise, one.code))
        for one in match.met_by[premise]
    ]
    return _first_of_each(ways, len(match.met_by))


def _first_of_each(ways: Sequence[_Way], enough: int) -> list[_Way]:
    """Return as many ways of each family as there are premises; where codes have to differ, one of a code."""
    counts: dict[frozenset[Family], int] = {}
    seen: set[frozenset[Family]] = set()
    kept = []
    for way in ways:
        similar = _of_tables(way.families)
        if similar != way.families and way.families in seen:
            continue
        seen.add(way.families)
        counts[similar] = counts.get(similar, 0) + 1
        if counts[similar] <= enough:
            kept.append(way)
    return kept


def _new(live: LiveRule, premise: int) -> Iterator[_Way]:
    """Yield a new outcome for each sort of code that a premise accepts; any code will be in no family.

    Of as many codes as there are premises one is always left: it need not be said which.
    """
    codes = sorted(live.rule.premises[premise].pattern.codes)
    own = [_families(live, premise, code) for code in codes]
    if len(codes) >= len(live.rule.premises):
        own = [_of_tables(families) for families in own]
    sorts = dict.fromkeys(own) or (frozenset[Family](),)
    for families in sorts:
        yield _Way(outcome=f"~{premise}", families=families, cost=_NEW_OUTCOME)


def _families(live: LiveRule, premise: int, code: str) -> frozenset[Family]:
    similar = families_of(live, live.rule.premises[premise], code)
    return frozenset((*similar, *different_code(live, code)))


def _of_tables(families: frozenset[Family]) -> frozenset[Family]:
    """Return the families but for the code itself, of which a new outcome may still be any."""
    return frozenset(family for family in families if family[1])


def _new_outcome(live: LiveRule, premise: int, beside: frozenset[Family]) -> tuple[Need, frozenset[Family]]:
    """Return the need for an outcome of those codes that can stand beside the others, and their families."""
    asked = live.rule.premises[premise]
    pattern = asked.pattern
    codes = pattern.codes or live.codes_of_rows(asked)
    families = {code: _families(live, premise, code) for code in sorted(codes)}
    fitting = [code for code, own in families.items() if own.isdisjoint(beside)]
    need = Need(attribute="outcome", have=None, need=ANY_OF.join(fitting) or pattern.kind, premise=premise)
    own = frozenset[Family]().union(*(families[code] for code in fitting))
    return need, own if len(fitting) == 1 else _of_tables(own)
