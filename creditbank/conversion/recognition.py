"""Recognition (认定): what one outcome is worth to a body, by its table.

A table gives the highest of its rows that an outcome meets, so that a higher level or rank is never worth
less; then deductions come off, and the authority's own maximum holds. Of similar outcomes only one counts:
which one is for `allocation`, where it does the learner most good.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

from creditbank.conversion.holding import Holding
from creditbank.conversion.meeting import is_met
from creditbank.conversion.rule import Pattern, RuleInvalid, Scale, Wording
from creditbank.outcomes.outcome import FrameworkLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class WorthRow:
    """Outcomes that fit the pattern are worth so many credits."""

    pattern: Pattern
    credits: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Deduction:
    """Outcomes that fit the pattern are worth so much less, never less than nothing."""

    pattern: Pattern
    credits: Decimal
    why: Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Downgrade:
    """Outcomes that fit are looked up as if their level, or an attribute, stood some steps lower."""

    pattern: Pattern
    attribute: str  # `level`, or the name of an attribute that `scale` ranks
    scale: str
    steps: int
    why: Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognitionTable:
    """What a body gives for which outcomes; `families` are codes of which only one outcome counts.

    Raises:
        RuleInvalid: `table-empty`, `table-credits`, `family-twice` (a code in two families).
    """

    id: str
    title: Wording
    rows: tuple[WorthRow, ...]
    deductions: tuple[Deduction, ...] = ()
    downgrades: tuple[Downgrade, ...] = ()
    maximum: Decimal | None = None  # for any one outcome
    families: tuple[frozenset[str], ...] = ()
    cite: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.rows:
            raise RuleInvalid("table-empty", field=self.id)
        given = [row.credits for row in self.rows] + [deduction.credits for deduction in self.deductions]
        if any(not value.is_finite() or value < 0 for value in given):
            raise RuleInvalid("table-credits", field=self.id)
        codes = [code for family in self.families for code in family]
        if len(set(codes)) != len(codes):
            raise RuleInvalid("family-twice", field=self.id)

    def family_of(self, code: str) -> frozenset[str] | None:
        """Return the codes that are similar to this one, itself among them."""
        return next((family for family in self.families if code in family), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """One step from the table to the worth: what was applied, and the credits after it."""

    applied: Literal["row", "downgrade", "deduction", "maximum"]
    position: int  # of the row, deduction or downgrade in its table, from 0; 0 for the maximum
    credits: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """What an outcome is worth, and how that came out."""

    worth: Decimal
    derivation: tuple[Derivation, ...]


def recognise(
    table: RecognitionTable, holding: Holding, *, scales: Mapping[str, Scale], as_of: date
) -> Recognised | None:
    """Return what `table` gives for an outcome on the day `as_of`, None where no row meets it.

    Downgrades come first, then the highest row, then every deduction that fits the outcome as it was
    stated, then the table's maximum. Never below zero.
    """
    steps: list[Derivation] = []
    lowered: Holding | None = holding
    for position, downgrade in enumerate(table.downgrades):
        if lowered is not None and is_met(downgrade.pattern, holding, scales=scales, as_of=as_of):
            lowered = _lowered(lowered, downgrade, scales=scales)
            steps.append(Derivation(applied="downgrade", position=position, credits=Decimal(0)))
    met = (
        []
        if lowered is None
        else [
            (row.credits, -position)
            for position, row in enumerate(table.rows)
            if is_met(row.pattern, lowered, scales=scales, as_of=as_of)
        ]
    )
    if not met:
        return None
    worth, place = max(met)
    steps.append(Derivation(applied="row", position=-place, credits=worth))
    for position, deduction in enumerate(table.deductions):
        if is_met(deduction.pattern, holding, scales=scales, as_of=as_of):
            worth = max(Decimal(0), worth - deduction.credits)
            steps.append(Derivation(applied="deduction", position=position, credits=worth))
    if table.maximum is not None and worth > table.maximum:
        worth = table.maximum
        steps.append(Derivation(applied="maximum", position=0, credits=worth))
    return Recognised(worth=worth, derivation=tuple(steps))


def _lowered(holding: Holding, downgrade: Downgrade, *, scales: Mapping[str, Scale]) -> Holding | None:
    """Return the holding with a level some steps lower, None where that is below the scale."""
    scale = scales.get(downgrade.scale)
    level = holding.level
    if downgrade.attribute == "level":
        stated = level.level if level is not None and level.framework == downgrade.scale else None
    else:
        stated = holding.attribute(downgrade.attribute)
    rank = scale.rank(stated) if scale is not None and stated is not None else None
    if scale is None or rank is None:
        return holding
    if rank < downgrade.steps:
        return None
    lower = scale.levels[rank - downgrade.steps][0]
    if downgrade.attribute == "level":
        return replace(holding, level=FrameworkLevel(framework=downgrade.scale, level=lower))
    return replace(
        holding,
        attributes=tuple(
            (name, lower if name == downgrade.attribute else value) for name, value in holding.attributes
        ),
    )
