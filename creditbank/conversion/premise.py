"""What a rule asks for: of outcomes, by premises and patterns, and of the applicant, by facts."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from creditbank.conversion.span import Span
from creditbank.errors import InvalidInput
from creditbank.outcomes.outcome import FrameworkLevel, OutcomeKind
from creditbank.terms import IssuerId

Use = Literal["consume", "draw", "hold"]
_ANY_DAY = date(2001, 1, 1)
"""A day from which two spans are measured: the first of a month, in a common year after a leap year."""


class RuleInvalid(InvalidInput):
    """A rule contradicts itself or asks for what cannot be."""

    code = "rule-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeTest:
    """An attribute of the outcome is one of some values, or at least a level of a scale, or a number's bound.

    Raises:
        RuleInvalid: `test-asks-nothing`, or `bounds-exclude` for two bounds between which no number is.
    """

    attribute: str
    one_of: tuple[str, ...] = ()
    at_least: FrameworkLevel | None = None
    at_most: Decimal | None = None  # of an attribute that is a number, such as `position`
    more_than: Decimal | None = None
    no_less_than: Decimal | None = None

    def __post_init__(self) -> None:
        asked = (self.at_least, self.at_most, self.more_than, self.no_less_than)
        if not self.one_of and all(bound is None for bound in asked):
            raise RuleInvalid("test-asks-nothing", field=self.attribute)
        most, over, least = self.at_most, self.more_than, self.no_less_than
        if most is not None and ((over is not None and over >= most) or (least is not None and least > most)):
            raise RuleInvalid("bounds-exclude", field="at_most", value=str(most))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """What one outcome must be; an empty member asks nothing.

    `codes` is an equivalence group. `min_levels` names the lowest level for each framework that is
    accepted: an outcome of another framework, or of none, is not met. Higher always includes lower.

    Raises:
        RuleInvalid: `pattern-framework-twice`, `pattern-bound` for a bound below nothing, or
            `bounds-exclude` for two ages between which there is none.
    """

    kind: OutcomeKind
    codes: frozenset[str] = frozenset()
    min_levels: tuple[FrameworkLevel, ...] = ()
    min_score: Decimal | None = None
    min_grade: FrameworkLevel | None = None  # of the scale of grades that it names
    min_hours: Decimal | None = None
    min_credits: Decimal | None = None
    max_age: Span | None = None  # until the day before it is over, counted from the award
    min_age: Span | None = None  # from the day on which it is over
    issuers: frozenset[IssuerId] = frozenset()
    attributes: tuple[AttributeTest, ...] = ()

    @property
    def asks_for_days(self) -> bool:
        """Whether it matters when the outcome was awarded."""
        return self.max_age is not None or self.min_age is not None

    def __post_init__(self) -> None:
        frameworks = [level.framework for level in self.min_levels]
        if len(set(frameworks)) != len(frameworks):
            raise RuleInvalid("pattern-framework-twice", field="min_levels")
        for name in ("min_score", "min_hours", "min_credits"):
            bound: Decimal | None = getattr(self, name)
            if bound is not None and (not bound.is_finite() or bound < 0):
                raise RuleInvalid("pattern-bound", field=name, value=str(bound))
        least, most = self.min_age, self.max_age
        if least is not None and most is not None and most.after(_ANY_DAY) <= least.after(_ANY_DAY):
            raise RuleInvalid("bounds-exclude", field="max_age", value=most.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Premise:
    """One outcome that the rule asks for, and whether it is spent, drawn on or only has to be there.

    What can be drawn from an outcome is its worth in the recognition table named `worth`, or the credits
    that its issuer states where none is named. `awarded_since` and `awarded_before` are days, or
    facts about the applicant that are: awarded on that day or later, or before it. What is spent `for_good`
    is spent in every programme, and nothing that another has spent will do.

    Raises:
        RuleInvalid: `worth-of-held` where a held outcome's worth is asked for, `for-good-of-held`,
            `bounds-exclude` for two days between which there is none.
    """

    pattern: Pattern
    use: Use
    worth: str | None = None  # id of a recognition table of the pack
    awarded_since: date | str | None = None
    awarded_before: date | str | None = None
    for_good: bool = False

    @property
    def asks_for_days(self) -> bool:
        """Whether it matters when the outcome was awarded."""
        bounds = (self.awarded_since, self.awarded_before)
        return self.pattern.asks_for_days or any(bound is not None for bound in bounds)

    @property
    def facts(self) -> tuple[str, ...]:
        """The facts about the applicant that it holds the award against."""
        return tuple(fact for fact in (self.awarded_since, self.awarded_before) if isinstance(fact, str))

    def __post_init__(self) -> None:
        if self.worth is not None and self.use == "hold":
            raise RuleInvalid("worth-of-held", field="worth", value=self.worth)
        if self.for_good and self.use == "hold":
            raise RuleInvalid("for-good-of-held", field="for_good")
        since, before = self.awarded_since, self.awarded_before
        if isinstance(since, date) and isinstance(before, date) and before <= since:
            raise RuleInvalid("bounds-exclude", field="awarded_before", value=before.isoformat())


@dataclass(frozen=True, slots=True, kw_only=True)
class FactTest:
    """A fact about the applicant is there, and within what the test names.

    Of a day: `within` a span since then that is not over yet, `after` one that is.

    Raises:
        RuleInvalid: `fact-range`.
    """

    fact: str
    one_of: tuple[str, ...] = ()
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    within: Span | None = None
    after: Span | None = None

    def __post_init__(self) -> None:
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise RuleInvalid(
                "fact-range", field=self.fact, at_least=str(self.at_least), at_most=str(self.at_most)
            )
