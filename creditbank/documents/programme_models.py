"""The members of programmes and exams in a rule pack document: what is studied toward and what is sat."""

from typing import Annotated

from pydantic import Field

from creditbank.conversion.programme import Measure, Nature, Per, PeriodBy, RequirementMeasure
from creditbank.documents.atoms import Blank, Count, Credits, Day, Hours, Id, Members, Name, Number, Words
from creditbank.outcomes.outcome import OutcomeKind


class CourseFilterText(Members):
    courses: tuple[Id, ...] = ()
    modules: tuple[Name, ...] = ()
    classes: tuple[Name, ...] = ()
    natures: tuple[Nature, ...] = ()


class CourseText(Members):
    id: Id
    title: Words
    credits: Credits
    module: Name
    class_: Annotated[Blank, Field(alias="class")] = ""
    nature: Nature = "compulsory"
    exemptible: bool = True
    why_not: Words | None = None
    exempt_for: tuple[Name, ...] = ()
    hours: Hours | None = None
    practice_hours: Hours | None = None


class BucketText(Members):
    id: Id
    title: Words
    capacity: Credits
    module: Blank = ""
    accepts: tuple[OutcomeKind, ...] = ()
    hours: Hours | None = None
    practice_hours: Hours | None = None


class StatedText(Members):
    """An attribute of an outcome that must be one of some values."""

    name: Name
    one_of: Annotated[tuple[Name, ...], Field(min_length=1)]


class RequirementText(Members):
    """What completion takes: `credits`, or a `measure` with its `minimum` (of years also a `maximum`).

    `share` is so large a part of the programme's credits, rounded up to the step.
    """

    module: Name | None = None
    credits: Number | None = None
    share: Number | None = None
    measure: RequirementMeasure = "credits"
    minimum: Number | None = None
    maximum: Number | None = None
    kinds: tuple[OutcomeKind, ...] = ()
    issuers: tuple[Name, ...] = ()
    attributes: tuple[StatedText, ...] = ()
    title: Words | None = None
    cite: tuple[Id, ...] = ()


class PeriodText(Members):
    """The day on which a period of a cap starts, every year."""

    month: Annotated[int, Field(ge=1, le=12)]
    day: Annotated[int, Field(ge=1, le=31)]


class CapText(Members):
    id: Id
    title: Words
    measure: Measure = "credits"
    maximum: Number | None = None
    share: Number | None = None
    share_of_module: Name | None = None
    courses: CourseFilterText | None = None
    buckets: tuple[Id, ...] | None = None
    routes: tuple[Name, ...] = ()
    kinds: tuple[OutcomeKind, ...] = ()
    issuers: tuple[Name, ...] = ()
    periods: tuple[PeriodText, ...] = ()
    period_by: PeriodBy = "award"
    per: Per | None = None
    cite: tuple[Id, ...] = ()


class ProgrammeText(Members):
    id: Id
    version: Count = 1
    title: Words
    credits: Number
    effective_from: Day | None = None
    effective_to: Day | None = None
    major: Blank = ""
    level: Blank = ""
    study_form: Blank = ""
    courses: tuple[CourseText, ...] = ()
    buckets: tuple[BucketText, ...] = ()
    requirements: tuple[RequirementText, ...] = ()
    caps: tuple[CapText, ...] = ()
    cite: tuple[Id, ...] = ()


class PartText(Members):
    id: Id
    title: Words
    waivable: bool = True
    why_not: Words | None = None


class PartCapText(Members):
    id: Id
    title: Words
    maximum: Annotated[int, Field(ge=0, le=1000)]
    parts: tuple[Id, ...] = ()
    routes: tuple[Name, ...] = ()
    cite: tuple[Id, ...] = ()


class ExamText(Members):
    id: Id
    version: Count = 1
    title: Words
    effective_from: Day | None = None
    effective_to: Day | None = None
    major: Blank = ""
    level: Blank = ""
    parts: Annotated[tuple[PartText, ...], Field(min_length=1)]
    caps: tuple[PartCapText, ...] = ()
    cite: tuple[Id, ...] = ()
