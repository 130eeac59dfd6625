"""What the outcomes of an option are worth by the tables of its rule, step by step."""

from datetime import date
from decimal import Decimal

from creditbank.conversion.decision import Worth, WorthApplied, WorthStep
from creditbank.conversion.holding import Holding
from creditbank.conversion.matching import LiveRule, Option
from creditbank.conversion.recognition import Derivation, RecognitionTable, WorthRow, recognise


def worths_of(option: Option, *, as_of: date) -> tuple[Worth, ...]:
    """Return the worth of each outcome that a table bounds what is given for, in premise order."""
    live = option.live
    granted = live.exemption.worth
    spending = [premise for premise in live.rule.premises if premise.use != "hold"]
    found: dict[tuple[str, str], Worth] = {}
    for premise, holding in zip(spending, option.spent, strict=True):
        for table in (premise.worth, granted):
            if table is not None and (worth := worth_of(live, table, holding, as_of=as_of)) is not None:
                found.setdefault((holding.id, table), worth)
    return tuple(found.values())


def worth_of(live: LiveRule, name: str, holding: Holding, *, as_of: date) -> Worth | None:
    """Return the worth of an outcome by a table of the rule's pack, None where no row meets it."""
    table = live.pack.tables[name]
    recognised = recognise(table, holding, scales=live.pack.scales, as_of=as_of)
    if recognised is None:
        return None
    return Worth(
        outcome=holding.id,
        table=table.id,
        title=table.title,
        credits=recognised.worth,
        steps=tuple(_step(table, step, holding) for step in recognised.derivation),
    )


def _step(table: RecognitionTable, step: Derivation, holding: Holding) -> WorthStep:
    match step.applied:
        case "row":
            return _of_row(table.rows[step.position], step.credits, holding)
        case "downgrade":
            downgrade = table.downgrades[step.position]
            return WorthStep(
                applied="downgrade", by=Decimal(downgrade.steps), why=downgrade.why, credits=step.credits
            )
        case "deduction":
            deduction = table.deductions[step.position]
            applied: WorthApplied = "deduction" if deduction.part is None else "part"
            by = deduction.credits if deduction.part is None else deduction.part
            return WorthStep(applied=applied, by=by, why=deduction.why, credits=step.credits)
        case "maximum":
            return WorthStep(applied="maximum", credits=step.credits)
        case "within":
            assert table.within is not None, "a table bounds another where it is there"
            return WorthStep(applied="within", why=table.within.title, credits=step.credits)


def _of_row(row: WorthRow, credits_: Decimal, holding: Holding) -> WorthStep:
    if row.hours_per_credit is not None:
        hours = holding.hours or Decimal(0)
        return WorthStep(applied="hours", of=hours, by=row.hours_per_credit, credits=credits_)
    if row.is_by_issuers_hours:
        by = holding.hours_per_credit
        return WorthStep(applied="hours", of=holding.hours or Decimal(0), by=by, credits=credits_)
    if row.per_credit is not None:
        return WorthStep(applied="amount", of=row.amount_of(holding), by=row.per_credit, credits=credits_)
    if row.of_stated is not None:
        stated = holding.credits or Decimal(0)
        return WorthStep(applied="share", of=stated, by=row.of_stated, credits=credits_)
    return WorthStep(applied="row", credits=credits_)
