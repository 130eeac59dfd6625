"""A rule: what it asks, what it gives, for whom and between which dates; and where it comes from.

Credits are decimals here, as published; the deciding modules turn them into integers of one step.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, Protocol

from creditbank.conversion.premise import FactTest, Premise, RuleInvalid
from creditbank.conversion.rules_by_aim import RulesByAim
from creditbank.terms import CourseId, ExamId, Microseconds, PackId, PartId, ProgrammeId, RuleId, Wording

if TYPE_CHECKING:
    from creditbank.conversion.declared import DeclaredFact
    from creditbank.conversion.marking import MarkTable
    from creditbank.conversion.procedure import Step
    from creditbank.conversion.programme import CourseFilter
    from creditbank.conversion.recognition import RecognitionTable
    from creditbank.conversion.void import VoidIf

Mode = Literal["each", "choose", "bundle"]
DateBasis = Literal["application", "enrolment", "award"]
GradeKind = Literal["exempt", "pass", "fixed", "original", "capped", "bonus", "table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """Where a rule comes from: the document, its article and its address."""

    id: str
    title: Wording
    document: str = ""  # its number, e.g. 粤职院制〔2020〕45号
    article: str = ""
    url: str = ""
    read_on: date | None = None
    is_mirror: bool = False  # read in a secondary copy


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The levels of a framework, lowest first; levels that count as equal stand together.

    Raises:
        RuleInvalid: `scale-empty` or `scale-level-twice`.
    """

    framework: str
    levels: tuple[tuple[str, ...], ...]
    _ranks: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ranks = {name: place for place, equal in enumerate(self.levels) for name in equal}
        object.__setattr__(self, "_ranks", ranks)
        names = [name for equal in self.levels for name in equal]
        if not names or not all(self.levels):
            raise RuleInvalid("scale-empty", field=self.framework)
        if len(set(names)) != len(names):
            raise RuleInvalid("scale-level-twice", field=self.framework)

    def rank(self, level: str) -> int | None:
        """Return the place of a level, 0 for the lowest; None for one that is not on the scale."""
        return self._ranks.get(level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Where a rule applies and to whom; an empty member leaves it open. Every fact test must hold."""

    programmes: frozenset[ProgrammeId] = frozenset()
    exams: frozenset[ExamId] = frozenset()
    majors: frozenset[str] = frozenset()
    levels: frozenset[str] = frozenset()  # of the programme or exam
    facts: tuple[FactTest, ...] = ()

    @property
    def categories(self) -> frozenset[str]:
        """The person categories to which the rule is addressed; empty: to everybody."""
        return frozenset(value for test in self.facts if test.fact == "category" for value in test.one_of)


_UNSAID = Wording(zh="")
DIFFERENT_MAX = 4
"""How many outcomes of different codes a rule may ask for: which of them lacks is found by trying."""
EVERYWHERE = Scope()


@dataclass(frozen=True, slots=True, kw_only=True)
class GradePolicy:
    """What is written as the grade of an exempted course.

    `exempt` 免修 · `pass` 合格 · `fixed` the `value` · `original` the outcome's own · `capped` its own, at
    most `ceiling` · `bonus` `value` points added to what the learner earns, up to `ceiling` · `table` what
    the mark table of that id makes of the outcome's own.

    Raises:
        RuleInvalid: `grade-value`, `grade-ceiling` or `grade-table` where the kind's member is missing.
    """

    kind: GradeKind = "exempt"
    value: str | None = None
    ceiling: Decimal | None = None
    table: str | None = None

    def __post_init__(self) -> None:
        if (self.value is None) == (self.kind in ("fixed", "bonus")):
            raise RuleInvalid("grade-value", field="value", kind=self.kind)
        if (self.ceiling is None) == (self.kind in ("capped", "bonus")):
            raise RuleInvalid("grade-ceiling", field="ceiling", kind=self.kind)
        if (self.table is None) == (self.kind == "table"):
            raise RuleInvalid("grade-table", field="table", kind=self.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """Which of the grant's courses go with the outcomes spent; all that is said must hold.

    `max_above` and `max_below`: a course has at most so many credits more, or fewer, than they have
    together: what they state, or their worth where the grant names a table. `is_same_code`: one of them has
    the course's own id for a code. `hours_share`: they have at least so large a share, above 0 and up to 1,
    of the course's class hours; what states none goes with nothing. `names_course` is the attribute in
    which one of them, or of those that only hold, such as an examiner's finding, names the course;
    `names_outcome` that in which one names the code of another: some must, and none may name what is not
    there. A bundle's courses are taken together.

    Raises:
        RuleInvalid: `pairing-empty`, `pairing-gap` for a gap below nothing, or `pairing-share`.
    """

    max_above: Decimal | None = None
    max_below: Decimal | None = None
    is_same_code: bool = False
    hours_share: Decimal | None = None
    names_course: str | None = None
    names_outcome: str | None = None

    @property
    def is_by_name(self) -> bool:
        """Whether outcomes say what they go with, those that only hold too."""
        return self.names_course is not None or self.names_outcome is not None

    def __post_init__(self) -> None:
        gaps = [gap for gap in (self.max_above, self.max_below) if gap is not None]
        names = [name for name in (self.names_course, self.names_outcome) if name is not None]
        if not (gaps or names or self.is_same_code or self.hours_share is not None):
            raise RuleInvalid("pairing-empty", field="pairing")
        if any(not gap.is_finite() or gap < 0 for gap in gaps):
            raise RuleInvalid("pairing-gap", field="pairing")
        if self.hours_share is not None and not 0 < self.hours_share <= 1:
            raise RuleInvalid("pairing-share", field="pairing")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExemptionGrant:
    """Courses and buckets that one application of the rule may exempt, and within what limits.

    `each` any of the listed · `choose` any subset within the limits · `bundle` all of the listed or none.
    With `worth` the units may not exceed the worth of the outcomes spent, in the recognition table of
    that id: together with `max_credits` this is min(school's cap, bank's value). With `is_leftover_only`
    buckets get nothing unless the same application exempts a course: only what is left of it.

    Raises:
        RuleInvalid: `leftover-of-nothing` (without buckets or courses), `grant-empty`, `grant-limits`
            (limits on another mode than choose, or choose without any), `grant-bound`,
            `bundle-of-buckets`, `pairing-of-buckets`.
    """

    mode: Mode
    courses: "CourseFilter | None" = None
    buckets: tuple[CourseId, ...] = ()
    max_credits: Decimal | None = None
    max_courses: int | None = None
    worth: str | None = None
    pairing: Pairing | None = None
    is_leftover_only: bool = False
    with_credit: bool = True  # False: the duty goes, the credit does not come
    grade: GradePolicy = GradePolicy()

    def __post_init__(self) -> None:
        if self.courses is None and not self.buckets:
            raise RuleInvalid("grant-empty", field="grant")
        if self.is_leftover_only and (self.courses is None or not self.buckets):
            raise RuleInvalid("leftover-of-nothing", field="leftover_only")
        limits = (self.max_credits, self.max_courses, self.worth)
        if (self.mode == "choose") == all(limit is None for limit in limits):
            raise RuleInvalid("grant-limits", field="grant", mode=self.mode)
        if any(limit is not None and limit <= 0 for limit in (self.max_credits, self.max_courses)):
            raise RuleInvalid("grant-bound", field="grant")
        if self.mode == "bundle" and self.buckets:
            raise RuleInvalid("bundle-of-buckets", field="buckets")
        if self.pairing is not None and self.courses is None:
            raise RuleInvalid("pairing-of-buckets", field="pairing")


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverGrant:
    """Parts of an exam that need not be sat. `RuleInvalid` with `grant-empty` where there are none."""

    parts: tuple[PartId, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise RuleInvalid("grant-empty", field="parts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One version of a rule: in force on a day between two dates, once it has been published.

    Raises:
        RuleInvalid: `rule-dates`, `rule-version`, `rule-draws-twice`, `step-twice`, `rule-without-premise`
            (only a waiver may go by facts alone), `different-codes-premises`, `waiver-spends`,
            `void-of-exemption`,
            `bucket-without-limit`, `worth-of-held`, `pairing-of-held` (nothing is spent that limits it).
    """

    id: RuleId
    version: int
    published_at: Microseconds
    effective_from: date
    effective_to: date | None = None  # first day on which it no longer applies
    premises: tuple[Premise, ...]
    grant: ExemptionGrant | WaiverGrant
    scope: Scope = EVERYWHERE
    priority: int = 0  # higher is preferred where all else is equal
    exclusive: str | None = None  # at most one application of all the rules in this group
    different_codes: bool = False  # each premise takes an outcome of another code
    route: str | None = None  # what caps call this way of earning credit: certificate, diploma, online, …
    supersedes: int | None = None
    cite: tuple[str, ...] = ()
    say: Wording = _UNSAID
    proof: Wording | None = None  # the document that the applicant has to show
    void_if: "tuple[VoidIf, ...]" = ()  # outcomes after which what it waives is void
    procedure: "tuple[Step, ...]" = ()  # what is done one after the other before it is registered

    def __post_init__(self) -> None:
        if self.effective_to is not None and self.effective_to <= self.effective_from:
            raise RuleInvalid("rule-dates", field=self.id)
        if self.version < 1 or (self.supersedes is not None and self.supersedes >= self.version):
            raise RuleInvalid("rule-version", field=self.id, version=self.version)
        steps = [step.id for step in self.procedure]
        if len(set(steps)) < len(steps):
            raise RuleInvalid("step-twice", field=self.id, step=max(steps, key=steps.count))
        self._require_premises()
        if isinstance(self.grant, WaiverGrant):
            if any(premise.use != "hold" for premise in self.premises):
                raise RuleInvalid("waiver-spends", field=self.id)
        elif self.void_if:
            raise RuleInvalid("void-of-exemption", field=self.id)
        elif self.grant.buckets and self.grant.mode == "each" and not self.draws:
            raise RuleInvalid("bucket-without-limit", field=self.id)
        elif all(premise.use == "hold" for premise in self.premises):
            if self.grant.worth is not None:
                raise RuleInvalid("worth-of-held", field=self.id, value=self.grant.worth)
            if self.grant.pairing is not None:
                raise RuleInvalid("pairing-of-held", field=self.id)

    def _require_premises(self) -> None:
        if not self.premises and not (isinstance(self.grant, WaiverGrant) and self.scope.facts):
            raise RuleInvalid("rule-without-premise", field=self.id)
        if self.different_codes and not 2 <= len(self.premises) <= DIFFERENT_MAX:  # noqa: PLR2004
            raise RuleInvalid("different-codes-premises", field=self.id, most=DIFFERENT_MAX)
        if sum(premise.use == "draw" for premise in self.premises) > 1:
            raise RuleInvalid("rule-draws-twice", field=self.id)

    @property
    def draws(self) -> bool:
        """Whether one of its premises spends an outcome by units."""
        return any(premise.use == "draw" for premise in self.premises)

    def is_published(self, *, known_at: Microseconds) -> bool:
        return self.published_at <= known_at

    def is_effective(self, day: date) -> bool:
        return self.effective_from <= day and (self.effective_to is None or day < self.effective_to)


class RulePack(Protocol):
    """What a decision needs of a pack: its rules, the scales they use, and what identifies it."""

    @property
    def id(self) -> PackId: ...
    @property
    def digest(self) -> str:
        """Hex SHA-256 of the pack's canonical JSON."""

    @property
    def step(self) -> Decimal: ...  # the smallest credit that the pack's authority gives
    @property
    def date_basis(self) -> DateBasis:
        """Which day picks the version of a rule: that of the application, of enrolment, or of the award."""

    @property
    def scales(self) -> Mapping[str, Scale]: ...
    @property
    def facts(self) -> "Mapping[str, DeclaredFact]":
        """Facts about an applicant that the pack declares, by name."""

    @property
    def rules(self) -> Sequence[Rule]: ...
    @property
    def by_aim(self) -> RulesByAim:
        """The same rules, by the programmes and exams that they name."""

    @property
    def tables(self) -> Mapping[str, "RecognitionTable"]: ...
    @property
    def mark_tables(self) -> Mapping[str, "MarkTable"]: ...
    @property
    def citations(self) -> Mapping[str, Citation]: ...
    @property
    def attributes(self) -> Mapping[str, Wording]: ...  # by name, and `name=value`: what they are called
