"""The options of a rule: which distinct outcomes it could spend, and which hold beside them."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import islice

from creditbank.conversion.holding import Holding
from creditbank.conversion.matching import Family, LiveRule, Match, Option
from creditbank.conversion.premise import Premise
from creditbank.conversion.recognition import recognise
from creditbank.conversion.rule import WaiverGrant
from creditbank.terms import OutcomeId

OPTIONS_MAX = 2_000
"""How many options of one rule are looked at; a learner with more gets an answer that is not proved."""


_DIFFERENT_CODES = ""
"""In the place of a table's id: no table has it."""


def options_of(found: Match, *, as_of: date) -> tuple[tuple[Option, ...], bool]:
    """Return a rule's options, by the ids of the outcomes they rest on, and whether these are all.

    Of options that rest on the same outcomes in another order, and spend the same for good, only the first
    counts.
    """
    if found.live.fact_needs or found.unmet or _has_too_few_codes(found):
        return (), True
    picks = list(islice(_picks(found, (), 0), OPTIONS_MAX + 1))
    made = [_option(found, pick, as_of=as_of) for pick in picks[:OPTIONS_MAX]]
    options = sorted(filter(None, made), key=lambda option: (option.spent_ids, option.named_ids))
    distinct: dict[tuple[frozenset[str], frozenset[str], OutcomeId | None, frozenset[str]], Option] = {}
    for_good = [premise.for_good for premise in found.live.rule.premises if premise.use != "hold"]
    for option in options:
        drawn = None if option.drawn is None else option.drawn.id
        kept = frozenset(one for one, lasts in zip(option.spent_ids, for_good, strict=True) if lasts)
        distinct.setdefault((frozenset(option.spent_ids), frozenset(option.named_ids), drawn, kept), option)
    return tuple(distinct.values()), len(picks) <= OPTIONS_MAX


def _picks(found: Match, taken: tuple[Holding, ...], at: int) -> Iterator[tuple[Holding, ...]]:
    """Yield the ways to fill the premises that spend, or all where names are asked for, by the ids."""
    premises = found.live.rule.premises
    while at < len(premises) and premises[at].use == "hold" and not found.live.pairs_by_name:
        at += 1
    if at == len(premises):
        yield taken
        return
    for holding in found.met_by[at]:
        if _is_another(found.live, holding, taken):
            yield from _picks(found, (*taken, holding), at + 1)


def _has_too_few_codes(found: Match) -> bool:
    """Whether the outcomes that meet a rule have fewer codes than it asks for: then none need be tried."""
    codes = {holding.code for met in found.met_by for holding in met}
    return found.live.rule.different_codes and len(codes) < len(found.met_by)


def _is_another(live: LiveRule, holding: Holding, taken: Sequence[Holding]) -> bool:
    """Whether an outcome may stand beside those taken: it is none of them, nor of a code that must differ."""
    return all(holding is not other for other in taken) and not (
        live.rule.different_codes and any(holding.code == other.code for other in taken)
    )


def _option(found: Match, pick: tuple[Holding, ...], *, as_of: date) -> Option | None:
    live = found.live
    spending = [premise for premise in live.rule.premises if premise.use != "hold"]
    held = [at for at, premise in enumerate(live.rule.premises) if premise.use == "hold"]
    spent, witnesses = _sides(found, pick, held)
    if witnesses is None:
        return None
    families = _families(found.live, spending, spent)
    if families is None:
        return None
    drawn, budget = None, None
    for premise, holding in zip(spending, spent, strict=True):
        if premise.use == "draw":
            drawn = holding
            stated = holding.credits or Decimal(0)
            budget = stated if premise.worth is None else _worth(live, premise.worth, holding, as_of)
    table = None if isinstance(live.rule.grant, WaiverGrant) else live.rule.grant.worth
    worth = None if table is None else sum((_worth(live, table, one, as_of) for one in spent), Decimal(0))
    return Option(
        live=live,
        spent=spent,
        witnesses=witnesses,
        drawn=drawn,
        budget=budget,
        worth=worth,
        families=families,
    )


def _sides(
    found: Match, pick: tuple[Holding, ...], held: Sequence[int]
) -> tuple[tuple[Holding, ...], tuple[Holding, ...] | None]:
    """Return the outcomes spent and those that hold: as picked, or where it matters to nobody the first."""
    if found.live.pairs_by_name:
        spent = tuple(one for at, one in enumerate(pick) if at not in held)
        return spent, tuple(pick[at] for at in held)
    return pick, _witnesses(found.live, [found.met_by[at] for at in held], pick)


def families_of(live: LiveRule, premise: Premise, code: str) -> Iterator[Family]:
    """Yield the families of similar outcomes in which a premise spends an outcome of some code."""
    granted = None if isinstance(live.rule.grant, WaiverGrant) else live.rule.grant.worth
    if premise.use != "hold":
        for table in dict.fromkeys((premise.worth, granted)):
            similar = None if table is None else live.pack.tables[table].family_of(code)
            if table is not None and similar is not None:
                yield live.pack.id, table, similar


def _families(
    live: LiveRule, spending: Sequence[Premise], spent: Sequence[Holding]
) -> tuple[tuple[Family, OutcomeId], ...] | None:
    """Return which families of similar outcomes the spent ones stand for; None for two of one family."""
    found: dict[Family, OutcomeId] = {}
    for premise, holding in zip(spending, spent, strict=True):
        for family in families_of(live, premise, holding.code):
            if found.setdefault(family, holding.id) != holding.id:
                return None
    return tuple(found.items())


def different_code(live: LiveRule, code: str) -> Iterator[Family]:
    """Yield what no two outcomes of one application have in common, where a rule asks for different codes."""
    if live.rule.different_codes:
        yield live.pack.id, _DIFFERENT_CODES, frozenset({code})


def _witnesses(
    live: LiveRule, candidates: Sequence[tuple[Holding, ...]], taken: tuple[Holding, ...]
) -> tuple[Holding, ...] | None:
    """Return a distinct outcome for each held premise, the smallest ids first; None if there are too few."""
    if not candidates:
        return ()
    for holding in candidates[0]:
        if _is_another(live, holding, taken):
            rest = _witnesses(live, candidates[1:], (*taken, holding))
            if rest is not None:
                return (holding, *rest)
    return None


def _worth(live: LiveRule, table: str, holding: Holding, as_of: date) -> Decimal:
    recognised = recognise(live.pack.tables[table], holding, scales=live.pack.scales, as_of=as_of)
    return Decimal(0) if recognised is None else recognised.worth
