"""What a rule sees: the outcomes a learner holds, and the facts about the person who asks.

A holding is an outcome without whatever no rule may ask for: no names, no numbers of certificates. How a
recorded outcome becomes one is for `account`.
"""

from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal

from creditbank.errors import InvalidInput
from creditbank.outcomes.outcome import FrameworkLevel, OutcomeKind
from creditbank.terms import IssuerId, Microseconds, OutcomeId

Fact = str | int | Decimal | date
PERCENT_MAX = 100
YEARS_MAX = 150
"""Nobody works longer. Whoever asks is held to it; what was stated once is read as it was stated."""


class HoldingInvalid(InvalidInput):
    """A holding or an applicant is not described as one must be."""

    code = "holding-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One learning outcome, as rules see it.

    `code` is what names its subject: the standard of a certificate, the code of a course, a training or
    a contest, the major of a diploma, the form of an experience. `attributes` holds what only some kinds
    have: `rank`, `organiser_level`, `position`, `team_size`, `mode`, `study_form`, …, sorted by name.

    Raises:
        HoldingInvalid: `holding-attributes` for attributes that are unsorted or named twice.
    """

    id: OutcomeId
    kind: OutcomeKind
    code: str
    issuer: IssuerId
    awarded_on: date
    recorded_at: Microseconds
    level: FrameworkLevel | None = None
    score: Decimal | None = None
    grade: str | None = None
    hours: Decimal | None = None
    hours_per_credit: Decimal | None = None  # the issuer's own unit, as it is recorded
    credits: Decimal | None = None  # as the issuer states them
    expires_on: date | None = None  # first day on which it no longer holds
    revoked_at: Microseconds | None = None
    revoked_from: date | None = None  # first day on which it no longer counts; None: it never counted
    attributes: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        names = [name for name, _ in self.attributes]
        if names != sorted(set(names)):
            raise HoldingInvalid("holding-attributes", field="attributes", names=names)

    def attribute(self, name: str) -> str | None:
        """Return an attribute's value, None where the outcome has none of that name."""
        return next((value for other, value in self.attributes if other == name), None)

    def is_revoked(self, *, as_of: date, known_at: Microseconds) -> bool:
        """Whether a revocation recorded up to `known_at` takes it away on the day `as_of`."""
        if self.revoked_at is None or self.revoked_at > known_at:
            return False
        return self.revoked_from is None or as_of >= self.revoked_from


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """The person who asks: every fact may be missing, and a rule that asks for a missing one misses.

    Raises:
        HoldingInvalid: `percent-out-of-range`, `years-out-of-range` for a number below 0 or none at all, or
            `fact-twice` for declared facts that are unsorted or named twice.
    """

    category: str | None = None  # as the vocabulary `person-category` names it
    study_form: str | None = None  # as the vocabulary `study-form` names it
    cohort: int | None = None  # year of enrolment
    region: str | None = None
    major: str | None = None  # code of the major studied
    enrolled_at: str | None = None  # the institution, while enrolled
    enrolled_level: str | None = None  # what is studied there: vocational, master, …
    enrolled_on: date | None = None
    left_on: date | None = None  # the day of graduation or leaving
    born_on: date | None = None
    term_started_on: date | None = None  # the first day of the term in which the application is made
    completed_percent: Decimal | None = None  # how much of the programme is done, 0 to 100
    years_of_work: Decimal | None = None  # 0 or more
    declared: tuple[tuple[str, str], ...] = ()  # facts that packs declare, by name, as text

    def __post_init__(self) -> None:
        names = [name for name, _ in self.declared]
        if names != sorted(set(names)):
            raise HoldingInvalid("fact-twice", field="facts", names=names)
        percent, years = self.completed_percent, self.years_of_work
        if percent is not None and (percent.is_nan() or not 0 <= percent <= PERCENT_MAX):
            raise HoldingInvalid(
                "percent-out-of-range", field="completed_percent", value=str(percent), maximum=PERCENT_MAX
            )
        if years is not None and (years.is_nan() or years < 0):
            raise HoldingInvalid(
                "years-out-of-range", field="years_of_work", value=str(years), maximum=YEARS_MAX
            )

    def fact(self, name: str) -> Fact | None:
        """Return a fact by its name: one of the bank's, or as text one that a pack declares."""
        if name not in FACTS:
            return next((value for other, value in self.declared if other == name), None)
        value: Fact | None = getattr(self, name)
        return value


FACTS = frozenset(member.name for member in fields(Applicant)) - {"declared"}
"""The facts that the bank knows by itself."""
NUMBERS = frozenset({"cohort", "completed_percent", "years_of_work"})
"""Those that are numbers."""
DAYS = frozenset({"enrolled_on", "left_on", "born_on", "term_started_on"})
"""Those that are days."""
NOBODY_IN_PARTICULAR = Applicant()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpentElsewhere:
    """What a grant in another programme has spent of one outcome: all of it, or so much where it drew.

    `for_good`: so its own rule says, and it is spent here too; if not, only a rule here that spends for good
    minds.
    """

    programme: str
    rule: str
    outcome: OutcomeId
    credits: Decimal
    is_drawn: bool
    for_good: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """A grant that is already registered: it keeps its outcomes, its place and its share of every cap.

    `target` is a course or bucket of the programme, or a part of the exam. `units` are in `step`, that of
    the decision that made the grant; without one, in the step of the packs in force; of a waiver they are
    0. `spent` names the outcomes it consumed or drew on, in premise order.
    """

    pack: str
    rule: str
    rule_version: int
    target: str
    units: int = 0
    step: Decimal | None = None
    with_credit: bool = True
    spent: tuple[OutcomeId, ...] = ()
    witnesses: tuple[OutcomeId, ...] = ()
    granted_on: date | None = None  # the day as of which it was decided; None: that of this decision
