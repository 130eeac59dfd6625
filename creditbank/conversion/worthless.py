"""Options that come to nothing since a table gives nothing for what they spend; and the row that is near."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from creditbank.conversion.decision import Need, Worth
from creditbank.conversion.holding import Holding
from creditbank.conversion.matching import LiveRule, Option
from creditbank.conversion.meeting import ANY_OF, is_met, is_subject_of, needs
from creditbank.conversion.near_miss import edited
from creditbank.conversion.premise import Pattern
from creditbank.conversion.recognition import LookedUp, RecognitionTable, looked_up, recognise
from creditbank.conversion.worth import worth_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Worthless:
    """An outcome for which a table gives less than one step, and what the nearest of its rows asks beside.

    `table` is empty where the outcome itself states no credits to draw on. `better` is the outcome with the
    one thing that is needed, where that is all and would be worth something. `worth` is how a row that is
    met comes to less than one step.
    """

    holding: Holding
    premise: int
    table: tuple[str, ...]
    needs: tuple[Need, ...] = ()
    better: Holding | None = None
    worth: Worth | None = None


def worthless(option: Option, *, step: Decimal, as_of: date) -> tuple[Worthless, ...]:
    """Return, by premise, the outcomes that make the option come to nothing; none where it has a worth."""
    live = option.live
    spending = [at for at, premise in enumerate(live.rule.premises) if premise.use != "hold"]
    if option.drawn is not None and option.budget is not None and option.budget < step:
        at = next(at for at in spending if live.rule.premises[at].use == "draw")
        table = live.rule.premises[at].worth
        if table is None:
            return (Worthless(holding=option.drawn, premise=at, table=()),)
        return (_nothing(live, table, option.drawn, at, step=step, as_of=as_of),)
    if option.worth is not None and option.worth < step and live.exemption.worth is not None:
        table = live.exemption.worth
        return tuple(
            _nothing(live, table, one, at, step=step, as_of=as_of)
            for at, one in zip(spending, option.spent, strict=True)
        )
    return ()


def _nothing(
    live: LiveRule, name: str, holding: Holding, premise: int, *, step: Decimal, as_of: date
) -> Worthless:
    table = live.pack.tables[name]
    names, row, missing = _nearest(table, live, holding, premise, as_of=as_of)
    better = None
    if row is not None and len(missing) == 1:
        made = edited(holding, row, missing[0].attribute, as_of=as_of)
        given = recognise(table, made, scales=live.pack.scales, as_of=as_of)
        asked = live.rule.premises[premise].pattern
        if (
            given is not None
            and given.worth >= step
            and is_met(asked, made, scales=live.pack.scales, as_of=as_of)
        ):
            better = made
    worth = None if missing else worth_of(live, name, holding, as_of=as_of)
    return Worthless(holding=holding, premise=premise, table=names, needs=missing, better=better, worth=worth)


def _nearest(
    table: RecognitionTable, live: LiveRule, holding: Holding, premise: int, *, as_of: date
) -> tuple[tuple[str, ...], Pattern | None, tuple[Need, ...]]:
    """Return the table that gives nothing, its row that lacks least, and what that lacks."""
    seen = looked_up(table, holding, scales=live.pack.scales, as_of=as_of)
    own = [row.pattern for row in table.rows if row.pattern.kind == holding.kind]
    about = [row for row in own if is_subject_of(row, holding)]
    if about:
        lacking = [needs(row, seen.holding, live.pack.scales, as_of, premise) for row in about]
        least = min(range(len(about)), key=lambda at: len(lacking[at]))
        if lacking[least]:
            said = tuple(_as_stated(need, table, holding, seen) for need in lacking[least])
            return (table.id,), about[least], said
        if (
            table.within is not None
            and not seen.is_below
            and recognise(table, holding, scales=live.pack.scales, as_of=as_of) is None
        ):
            return _nearest(table.within, live, holding, premise, as_of=as_of)
        return (table.id,), None, _unstated(table, live, seen.holding, premise, as_of=as_of)
    codes = sorted({code for row in own for code in row.codes})
    if about or not codes:
        return (table.id,), None, ()
    need = Need(
        attribute="code", have=holding.code, need=ANY_OF.join(codes), outcome=holding.id, premise=premise
    )
    return (table.id,), None, (need,)


def _unstated(
    table: RecognitionTable, live: LiveRule, holding: Holding, premise: int, *, as_of: date
) -> tuple[Need, ...]:
    """Return what rows that an outcome meets go by, where it states that for none of them."""
    met = [row for row in table.rows if is_met(row.pattern, holding, scales=live.pack.scales, as_of=as_of)]
    names = [row.unstated_by(holding) for row in met]
    if None in names:
        return ()
    return tuple(
        Need(attribute=name, have=holding.attribute(name), need="*", outcome=holding.id, premise=premise)
        for name in dict.fromkeys(filter(None, names))
    )


def _as_stated(need: Need, table: RecognitionTable, holding: Holding, seen: LookedUp) -> Need:
    """Return a need with what the outcome states, what it is counted as instead, and why."""
    stated, counted = (_value(one, need.attribute) for one in (holding, seen.holding))
    if stated == counted:
        return need
    why = tuple(
        table.downgrades[at].why for at in seen.downgrades if table.downgrades[at].attribute == need.attribute
    )
    return replace(need, have=stated, counted_as=counted or "", lowered_by=why)


def _value(holding: Holding, attribute: str) -> str | None:
    if attribute != "level":
        return holding.attribute(attribute)
    return None if holding.level is None else holding.level.level


def together(found: Sequence[Worthless]) -> tuple[Worthless, tuple[Holding, ...]]:
    """Return several of one table as one; what one of them lacks is then said of none in particular."""
    first = found[0]
    if len(found) > 1:
        same = {(need.attribute, need.need) for one in found for need in one.needs}
        kept = first.needs if first.needs and len(same) == 1 and first.needs[0].attribute == "code" else ()
        kept = tuple(replace(need, have=None, outcome=None) for need in kept)
        first = replace(first, needs=kept, worth=None)
    return first, tuple(one.holding for one in found)
