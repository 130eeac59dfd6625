"""Recognition (认定): what one outcome is worth to a body, by its table.

A table gives the highest of its rows that an outcome meets, so that a higher level or rank is never worth
less; then deductions come off, and the authority's own maximum holds. Of similar outcomes only one counts:
which one is for `allocation`, where it does the learner most good.
"""

from dataclasses import dataclass
from decimal import Decimal

from creditbank.conversion.rule import Pattern, RuleInvalid, Wording


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
