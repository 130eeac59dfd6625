"""Recognition (认定): what one outcome is worth to a body, by its table.

A table gives the highest of its rows that an outcome meets, so that a higher level or rank is never worth
less; then deductions come off, and the authority's own maximum holds. Of similar outcomes only one counts:
which one is for `allocation`, where it does the learner most good.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import Literal, Self

from creditbank.conversion.holding import Holding
from creditbank.conversion.meeting import is_met, number_of
from creditbank.conversion.premise import Pattern, RuleInvalid
from creditbank.conversion.rule import Scale
from creditbank.outcomes.outcome import FrameworkLevel, OutcomeKind
from creditbank.terms import Wording

_CENT = Decimal("0.01")
AMOUNT_MAX = Decimal(1_000_000)
"""More than any attribute that credits are counted by can state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorthRow:
    """Outcomes that fit the pattern are worth so many credits, or what follows from what they state.

    `hours_per_credit` divides the hours stated, to the hundredth and rounded down; with
    `is_by_issuers_hours` so does the unit that the issuer states beside them, one's 16 and another's 18.
    `of_stated` is the share, or the multiple, of the credits stated that is given. `per_credit` divides the
    number that the attribute `of_attribute` states, such as weeks of practice. An outcome that does not
    state them is worth nothing.

    Raises:
        RuleInvalid: `row-worth` (not exactly one of the five, or one that is not above nothing).
    """

    pattern: Pattern
    credits: Decimal | None = None
    hours_per_credit: Decimal | None = None
    of_stated: Decimal | None = None
    is_by_issuers_hours: bool = False
    of_attribute: str | None = None
    per_credit: Decimal | None = None

    def __post_init__(self) -> None:
        ways = (self.credits, self.hours_per_credit, self.of_stated, self.per_credit)
        given = [one for one in ways if one is not None]
        if (self.of_attribute is None) != (self.per_credit is None):
            raise RuleInvalid("row-worth", field="rows")
        if self.is_by_issuers_hours and not given:
            return
        if (
            len(given) != 1
            or self.is_by_issuers_hours
            or not given[0].is_finite()
            or given[0] < 0
            or (self.credits is None and not given[0])
        ):
            raise RuleInvalid("row-worth", field="rows")

    def worth_of(self, holding: Holding) -> Decimal:
        """Return what an outcome that fits is worth by this row."""
        if self.credits is not None:
            return self.credits
        unit = holding.hours_per_credit if self.is_by_issuers_hours else self.hours_per_credit
        if self.is_by_issuers_hours and not unit:
            return Decimal(0)
        if unit is not None:
            return ((holding.hours or Decimal(0)) / unit).quantize(_CENT, rounding=ROUND_DOWN)
        if self.per_credit is not None:
            return (self.amount_of(holding) / self.per_credit).quantize(_CENT, rounding=ROUND_DOWN)
        assert self.of_stated is not None, "a row says what it gives in one way"
        return ((holding.credits or Decimal(0)) * self.of_stated).quantize(_CENT, rounding=ROUND_DOWN)

    def unstated_by(self, holding: Holding) -> str | None:
        """Return what the row goes by and the outcome does not state as a number; None where it does."""
        if self.hours_per_credit is not None or self.is_by_issuers_hours:
            if holding.hours is None:
                return "hours"
            return "hours_per_credit" if self.is_by_issuers_hours and not holding.hours_per_credit else None
        if self.of_stated is not None:
            return "credits" if holding.credits is None else None
        if self.of_attribute is None:
            return None
        stated = holding.attribute(self.of_attribute)
        return self.of_attribute if stated is None or number_of(stated) is None else None

    def amount_of(self, holding: Holding) -> Decimal:
        """Return the number that an outcome states in the attribute the row goes by; 0 where it is none."""
        stated = None if self.of_attribute is None else holding.attribute(self.of_attribute)
        number = None if stated is None else number_of(stated)
        return Decimal(0) if number is None else min(max(number, Decimal(0)), AMOUNT_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deduction:
    """Outcomes that fit the pattern are worth less: by so many credits, or only a part of what they are.

    Never less than nothing; `part` is what is left, from 0 to 1, to the hundredth and rounded down.

    Raises:
        RuleInvalid: `deduction` (not exactly one of the two, or a part beyond 1), `table-credits`.
    """

    pattern: Pattern
    why: Wording
    credits: Decimal | None = None
    part: Decimal | None = None

    def __post_init__(self) -> None:
        if (self.credits is None) == (self.part is None) or (self.part is not None and self.part > 1):
            raise RuleInvalid("deduction", field="deductions")
        if any(one is not None and (not one.is_finite() or one < 0) for one in (self.credits, self.part)):
            raise RuleInvalid("table-credits", field="deductions")

    def leaves(self, worth: Decimal) -> Decimal:
        """Return what is left of a worth."""
        if self.part is not None:
            return (worth * self.part).quantize(_CENT, rounding=ROUND_DOWN)
        return max(Decimal(0), worth - (self.credits or Decimal(0)))


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

    With `is_once_per_code` so is every other code by itself. `within` is the table of another authority:
    nothing is worth more than that one gives, and nothing where that one gives nothing.

    Raises:
        RuleInvalid: `table-empty`, `family-twice` (a code in two families).
    """

    id: str
    title: Wording
    rows: tuple[WorthRow, ...]
    deductions: tuple[Deduction, ...] = ()
    downgrades: tuple[Downgrade, ...] = ()
    maximum: Decimal | None = None  # for any one outcome
    within: Self | None = None
    families: tuple[frozenset[str], ...] = ()
    is_once_per_code: bool = False
    cite: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.rows:
            raise RuleInvalid("table-empty", field=self.id)
        codes = [code for family in self.families for code in family]
        if len(set(codes)) != len(codes):
            raise RuleInvalid("family-twice", field=self.id)

    def asks_what_is_stated(self, kind: OutcomeKind) -> bool:
        """Whether the worth of some outcomes of a kind follows from hours or credits that they state."""
        own = any(row.credits is None and row.pattern.kind == kind for row in self.rows)
        return own or (self.within is not None and self.within.asks_what_is_stated(kind))

    def family_of(self, code: str) -> frozenset[str] | None:
        """Return the codes that are similar to this one, itself among them."""
        alone = frozenset({code}) if self.is_once_per_code else None
        return next((family for family in self.families if code in family), alone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """One step from the table to the worth: what was applied, and the credits after it."""

    applied: Literal["row", "downgrade", "deduction", "maximum", "within"]
    position: int  # of the row, deduction or downgrade in its table, from 0; 0 for what has but one
    credits: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """What an outcome is worth, and how that came out."""

    worth: Decimal
    derivation: tuple[Derivation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedUp:
    """An outcome as the rows of a table are asked about it: after the downgrades that fit, by their places.

    With `is_below` it was lowered below a scale: no row meets it, and it lacks what was lowered so far.
    """

    holding: Holding
    downgrades: tuple[int, ...] = ()
    is_below: bool = False


def recognise(
    table: RecognitionTable, holding: Holding, *, scales: Mapping[str, Scale], as_of: date
) -> Recognised | None:
    """Return what `table` gives for an outcome on the day `as_of`, None where no row meets it.

    Downgrades come first, then the highest row, then every deduction that fits the outcome as it was
    stated, then the table's maximum, then what the table of the other authority gives. Never below zero.
    """
    steps: list[Derivation] = []
    seen = looked_up(table, holding, scales=scales, as_of=as_of)
    steps.extend(Derivation(applied="downgrade", position=at, credits=Decimal(0)) for at in seen.downgrades)
    met = (
        []
        if seen.is_below
        else [
            (row.worth_of(seen.holding), -position)
            for position, row in enumerate(table.rows)
            if is_met(row.pattern, seen.holding, scales=scales, as_of=as_of)
        ]
    )
    if not met:
        return None
    worth, place = max(met)
    steps.append(Derivation(applied="row", position=-place, credits=worth))
    for position, deduction in enumerate(table.deductions):
        if is_met(deduction.pattern, holding, scales=scales, as_of=as_of):
            worth = deduction.leaves(worth)
            steps.append(Derivation(applied="deduction", position=position, credits=worth))
    if table.maximum is not None and worth > table.maximum:
        worth = table.maximum
        steps.append(Derivation(applied="maximum", position=0, credits=worth))
    if table.within is not None:
        other = recognise(table.within, holding, scales=scales, as_of=as_of)
        if other is None:
            return None
        if worth > other.worth:
            worth = other.worth
            steps.append(Derivation(applied="within", position=0, credits=worth))
    return Recognised(worth=worth, derivation=tuple(steps))


def looked_up(
    table: RecognitionTable, holding: Holding, *, scales: Mapping[str, Scale], as_of: date
) -> LookedUp:
    """Return the outcome as the table's rows are asked about it on the day `as_of`."""
    seen, applied, is_below = holding, [], False
    for position, downgrade in enumerate(table.downgrades):
        if is_met(downgrade.pattern, holding, scales=scales, as_of=as_of):
            stated = _stated(seen, downgrade)
            lower = _lower(stated, downgrade, scales=scales)
            if lower != stated:
                seen = _with(seen, downgrade, lower)
                is_below = is_below or lower is None
            applied.append(position)
    return LookedUp(holding=seen, downgrades=tuple(applied), is_below=is_below)


def _stated(holding: Holding, downgrade: Downgrade) -> str | None:
    if downgrade.attribute != "level":
        return holding.attribute(downgrade.attribute)
    level = holding.level
    return level.level if level is not None and level.framework == downgrade.scale else None


def _lower(stated: str | None, downgrade: Downgrade, *, scales: Mapping[str, Scale]) -> str | None:
    """Return a level some steps lower, None where that is below the scale; as it is where none ranks it."""
    scale = scales.get(downgrade.scale)
    rank = scale.rank(stated) if scale is not None and stated is not None else None
    if scale is None or rank is None:
        return stated
    return None if rank < downgrade.steps else scale.levels[rank - downgrade.steps][0]


def _with(holding: Holding, downgrade: Downgrade, lower: str | None) -> Holding:
    if downgrade.attribute == "level":
        level = None if lower is None else FrameworkLevel(framework=downgrade.scale, level=lower)
        return replace(holding, level=level)
    kept = {name: lower if name == downgrade.attribute else value for name, value in holding.attributes}
    attributes = tuple((name, value) for name, value in kept.items() if value is not None)
    return replace(holding, attributes=attributes)
