"""The members of a rule pack document, for people in TOML and for machines in JSON.

An unknown key is an error everywhere. What the members mean together (references, steps, overlaps) is
checked in `rule_pack_checks`; `rule_pack_values` turns them into values.
"""

from typing import Annotated, TypeAlias

from pydantic import AwareDatetime, Field

from creditbank.conversion.declared import FactKind
from creditbank.conversion.premise import Use
from creditbank.conversion.rule import DateBasis, Mode
from creditbank.documents.atoms import (
    Count,
    CreditStep,
    Day,
    EqualLevels,
    Id,
    Level,
    Levels,
    Members,
    Name,
    Number,
    SignedNumber,
    SpanText,
    Value,
    Words,
)
from creditbank.documents.mark_models import ExpectedMark, Grade, MarkTableText
from creditbank.documents.programme_models import CourseFilterText, ExamText, ProgrammeText
from creditbank.outcomes.outcome import OutcomeKind


class CitationText(Members):
    """Where a rule comes from. `summary` is in our words, never a quotation."""

    id: Id
    title: Words
    document: Name | None = None
    article: Name | None = None
    url: Name | None = None
    read_on: Day | None = None
    mirror: bool = False
    summary: Words | None = None


class ScaleText(Members):
    """The levels of a framework, lowest first; those that count as equal stand together in a list."""

    framework: Name
    levels: Annotated[tuple[EqualLevels, ...], Field(min_length=1)]


class ValueTitleText(Members):
    value: Name
    title: Words


class AttributeTitleText(Members):
    """What an attribute that issuers or examiners state is called, and values of it."""

    name: Name
    title: Words
    values: tuple[ValueTitleText, ...] = ()


class DeclaredFactText(AttributeTitleText):
    """A fact about an applicant that rules of the pack test, beside those that the bank knows."""

    kind: FactKind


class AttributeText(Members):
    name: Name
    one_of: tuple[Name, ...] = ()
    at_least: Level | None = None
    at_most: Number | None = None
    more_than: Number | None = None
    no_less_than: Number | None = None


class PatternText(Members):
    """What one outcome must be; a missing member asks nothing."""

    kind: OutcomeKind
    codes: tuple[Name, ...] = ()
    min_level: Levels | None = None
    min_score: Number | None = None
    min_grade: Level | None = None
    min_hours: Number | None = None
    min_credits: Number | None = None
    max_age: SpanText | None = None
    min_age: SpanText | None = None
    issuers: tuple[Name, ...] = ()
    attributes: tuple[AttributeText, ...] = ()


DayMeant: TypeAlias = Annotated[Day | Name, Field(union_mode="left_to_right")]
"""A day, or the name of a fact about the applicant that is one."""


class PremiseText(PatternText):
    use: Use
    worth: Id | None = None
    awarded_since: DayMeant | None = None
    awarded_before: DayMeant | None = None
    for_good: bool = False


class WorthRowText(PatternText):
    """What fits is worth `credits`, or its hours or an attribute divided, or a share of its credits."""

    credits: Number | None = None
    hours_per_credit: Number | None = None
    hours_by_issuer: bool = False
    of_stated: Number | None = None
    of_attribute: Name | None = None
    per_credit: Number | None = None


class DeductionText(PatternText):
    """What fits is worth so many credits less, or only so large a part of what it would be."""

    credits: Number | None = None
    part: Number | None = None
    why: Words


class DowngradeText(PatternText):
    attribute: Name
    scale: Name
    steps: Count
    why: Words


class RecognitionText(Members):
    id: Id
    title: Words
    rows: Annotated[tuple[WorthRowText, ...], Field(min_length=1)]
    deductions: tuple[DeductionText, ...] = ()
    downgrades: tuple[DowngradeText, ...] = ()
    maximum: Number | None = None
    within: Id | None = None
    families: tuple[tuple[Name, ...], ...] = ()
    once_per_code: bool = False
    cite: tuple[Id, ...] = ()


class PairingText(Members):
    """Which of the courses go with the outcomes spent."""

    max_above: Number | None = None
    max_below: Number | None = None
    same_code: bool = False
    hours_share: Number | None = None
    names_course: Name | None = None
    names_outcome: Name | None = None


class GrantText(CourseFilterText):
    mode: Mode
    buckets: tuple[Id, ...] = ()
    max_credits: Number | None = None
    max_courses: Count | None = None
    worth: Id | None = None
    pairing: PairingText | None = None
    leftover_only: bool = False
    with_credit: bool = True
    grade: Grade | None = None


class WaiveText(Members):
    parts: Annotated[tuple[Id, ...], Field(min_length=1)]


class FactText(Members):
    fact: Name
    one_of: tuple[Name, ...] = ()
    at_least: SignedNumber | None = None
    at_most: SignedNumber | None = None
    within: SpanText | None = None
    after: SpanText | None = None


class ScopeText(Members):
    programmes: tuple[Id, ...] = ()
    exams: tuple[Id, ...] = ()
    majors: tuple[Name, ...] = ()
    levels: tuple[Name, ...] = ()
    facts: tuple[FactText, ...] = ()


class VoidText(Members):
    """An outcome after which what a rule waives is void, such as a check that failed."""

    kind: OutcomeKind
    codes: tuple[Name, ...] = ()
    issuers: tuple[Name, ...] = ()
    attributes: tuple[AttributeText, ...] = ()
    say: Words


class StepText(Members):
    """One step of what is done, in this order, before a grant is registered."""

    id: Id
    title: Words
    outside: bool = False


class RuleText(Members):
    """One version of a rule; dates that are missing are the pack's."""

    id: Id
    version: Count = 1
    supersedes: Count | None = None
    published_at: AwareDatetime | None = None
    effective_from: Day | None = None
    effective_to: Day | None = None
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    exclusive: Name | None = None
    different_codes: bool = False
    route: Name | None = None
    cite: Annotated[tuple[Id, ...], Field(min_length=1)]
    say: Words
    scope: ScopeText = ScopeText()
    proof: Words | None = None
    void_if: tuple[VoidText, ...] = ()
    procedure: Annotated[tuple[StepText, ...], Field(max_length=20)] = ()
    premise: tuple[PremiseText, ...] = ()
    grant: GrantText | None = None
    waive: WaiveText | None = None


class AttributeValueText(Members):
    name: Name
    value: Name


class OutcomeText(Members):
    """An invented outcome of an example; it was recorded when it was awarded unless it says otherwise."""

    id: Id
    kind: OutcomeKind
    code: Name
    level: Level | None = None
    score: Number | None = None
    grade: Name | None = None
    hours: Number | None = None
    hours_per_credit: Number | None = None
    credits: Number | None = None
    issuer: Name = "example"
    awarded_on: Day
    expires_on: Day | None = None
    recorded_at: AwareDatetime | None = None
    revoked_at: AwareDatetime | None = None
    revoked_from: Day | None = None
    attributes: tuple[AttributeValueText, ...] = ()


class ApplicantText(Members):
    category: Name | None = None
    study_form: Name | None = None
    cohort: Annotated[int, Field(ge=1900, le=2200)] | None = None
    region: Name | None = None
    major: Name | None = None
    enrolled_at: Name | None = None
    enrolled_level: Name | None = None
    enrolled_on: Day | None = None
    left_on: Day | None = None
    born_on: Day | None = None
    term_started_on: Day | None = None
    completed_percent: Number | None = None
    years_of_work: Number | None = None
    facts: dict[Name, SignedNumber | Day | Name] = Field(default_factory=dict)


class NearText(Members):
    """A near miss that the decision must name."""

    rule: Id
    attribute: Name
    have: Value | None = None
    need: Value | None = None


class ExampleText(Members):
    """A case that must come out right whenever the pack is loaded; what it does not name is not compared.

    `known_at` is, where it is missing, the end of `as_of` or the pack's publication, whichever is later.
    """

    name: Name
    as_of: Day
    known_at: AwareDatetime | None = None
    programme: Id | None = None
    exam: Id | None = None
    applicant: ApplicantText = ApplicantText()
    outcomes: tuple[OutcomeText, ...]
    credits: Number | None = None
    courses: tuple[Id, ...] | None = None
    parts: tuple[Id, ...] | None = None
    rules: tuple[Id, ...] | None = None
    marks: dict[Id, ExpectedMark] = Field(default_factory=dict)
    near: tuple[NearText, ...] = ()


class RulePackText(Members):
    """A rule pack: the rules of one authority from one date."""

    id: Id
    authority: Id
    title: Words
    about: Words
    official: bool
    published_at: AwareDatetime
    effective_from: Day
    effective_to: Day | None = None
    date_basis: DateBasis
    step: CreditStep
    citation: Annotated[tuple[CitationText, ...], Field(min_length=1)]
    scale: tuple[ScaleText, ...] = ()
    attribute: tuple[AttributeTitleText, ...] = ()
    fact: tuple[DeclaredFactText, ...] = ()
    recognition: tuple[RecognitionText, ...] = ()
    mark_table: tuple[MarkTableText, ...] = ()
    programme: tuple[ProgrammeText, ...] = ()
    exam: tuple[ExamText, ...] = ()
    rule: Annotated[tuple[RuleText, ...], Field(min_length=1)]
    example: tuple[ExampleText, ...] = ()
