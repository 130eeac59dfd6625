"""A rule pack: the rules of one authority from one date, and the examples that must come out right.

A pack is data with an identity, the digest of its canonical JSON. How it is written down is for
`documents`, which of several is in force for `rulepacks`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal, TypeVar

from creditbank.conversion.declared import DeclaredFact
from creditbank.conversion.holding import NOBODY_IN_PARTICULAR, Applicant, Holding
from creditbank.conversion.marking import MarkTable
from creditbank.conversion.programme import Exam, Programme
from creditbank.conversion.recognition import RecognitionTable
from creditbank.conversion.rule import Citation, DateBasis, Rule, Scale
from creditbank.conversion.rules_by_aim import RulesByAim
from creditbank.errors import InvalidInput
from creditbank.terms import CourseId, ExamId, Microseconds, PackId, PartId, ProgrammeId, RuleId, Wording

Severity = Literal["error", "warning"]


class PackInvalid(InvalidInput):
    """A pack, or an example in it, contradicts itself."""

    code = "pack-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackFinding:
    """One thing that whoever keeps a pack must see. Errors keep a pack from being used, warnings do not.

    `path` leads through the pack's tables: ("rule", 2, "premise", 0, "min_level"), counted from 0. `file` and
    `line`, from 1, are filled in where the pack was read from a file, `column` in a table in CSV, `id` where
    the first of the tables, such as the rule, has one.
    """

    code: str
    severity: Severity
    path: tuple[str | int, ...]
    values: Mapping[str, object]
    id: str | None = None
    file: str | None = None
    line: int | None = None
    column: str | None = None

    @property
    def place(self) -> str:
        """The path as people write it: rule[3].premise[1].min_level, counted from 1."""
        return _written(self.path, None)

    @property
    def called(self) -> str:
        """The same, with the id where there is one: rule[3 cet].premise[1].min_level."""
        return _written(self.path, self.id)

    @property
    def where(self) -> str:
        """File, line and column as editors write them: changdu/2020-05-21.toml:42; empty where not known."""
        if self.file is None:
            return ""
        return ":".join(map(str, filter(None, (self.file, self.line, self.column))))


def _written(path: tuple[str | int, ...], name: str | None) -> str:
    text = ""
    for at, step in enumerate(path):
        if isinstance(step, int):
            text += f"[{step + 1}]" if name is None or at > 1 else f"[{step + 1} {name}]"
        else:
            text += f".{step}" if text else step
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedMiss:
    """A near miss that a decision must name; a value of None is not compared."""

    rule: RuleId
    attribute: str
    have: str | None = None
    need: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A case with its answer: what a member of None leaves open is not compared.

    Raises:
        PackInvalid: `example-target` where it is not about exactly one programme or exam,
            `example-expects` where it expects of an exam what only a programme has, or the reverse.
    """

    name: str
    as_of: date
    known_at: Microseconds
    holdings: tuple[Holding, ...]
    programme: ProgrammeId | None = None
    exam: ExamId | None = None
    applicant: Applicant = NOBODY_IN_PARTICULAR
    credits: Decimal | None = None
    courses: frozenset[CourseId] | None = None
    parts: frozenset[PartId] | None = None
    rules: frozenset[RuleId] | None = None
    marks: tuple[tuple[CourseId, str], ...] = ()  # by course; empty: it is exempted and no mark can be told
    near: tuple[ExpectedMiss, ...] = ()

    def __post_init__(self) -> None:
        if (self.programme is None) == (self.exam is None):
            raise PackInvalid("example-target", field=self.name)
        of_programme = self.credits is not None or self.courses is not None or bool(self.marks)
        if (self.exam is not None and of_programme) or (
            self.programme is not None and self.parts is not None
        ):
            raise PackInvalid("example-expects", field=self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """The rules of one authority from one date.

    Raises:
        PackInvalid: `pack-dates`, or `pack-step` for a step that is not above nothing.
    """

    id: PackId
    digest: str  # hex SHA-256 of the canonical JSON
    authority: str
    title: Wording
    about: Wording  # what in it is official and what is an example
    is_official: bool
    published_at: Microseconds
    effective_from: date
    effective_to: date | None = None  # first day on which it no longer applies
    date_basis: DateBasis
    step: Decimal
    citations: Mapping[str, Citation]
    scales: Mapping[str, Scale]
    attributes: Mapping[str, Wording]  # what attributes are called, by name; their values by `name=value`
    facts: Mapping[str, DeclaredFact]
    tables: Mapping[str, RecognitionTable]
    mark_tables: Mapping[str, MarkTable]
    programmes: tuple[Programme, ...]
    exams: tuple[Exam, ...]
    rules: tuple[Rule, ...]
    examples: tuple[Example, ...]
    by_aim: RulesByAim = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_aim", RulesByAim(self.rules))
        if self.effective_to is not None and self.effective_to <= self.effective_from:
            raise PackInvalid("pack-dates", field=self.id)
        if self.step <= 0:
            raise PackInvalid("pack-step", field=self.id, value=str(self.step))

    def is_published(self, *, known_at: Microseconds) -> bool:
        return self.published_at <= known_at

    def is_effective(self, day: date) -> bool:
        return self.effective_from <= day and (self.effective_to is None or day < self.effective_to)

    def programme(self, programme: ProgrammeId, *, as_of: date) -> Programme | None:
        """Return the newest version, of those that hold on a day, of a programme that the pack defines."""
        return newest([(self, found) for found in self.programmes if found.id == programme], as_of=as_of)

    def exam(self, exam: ExamId, *, as_of: date) -> Exam | None:
        """Return the newest version, of those that hold on a day, of an exam that the pack defines."""
        return newest([(self, found) for found in self.exams if found.id == exam], as_of=as_of)


Aim = TypeVar("Aim", Programme, Exam)


def newest(versions: Iterable[tuple[Pack, Aim]], *, as_of: date) -> Aim | None:
    """Return the newest of some versions of one programme or exam that holds on a day; each with its pack."""
    in_force = [found for pack, found in versions if holds(found, pack, as_of=as_of)]
    return max(in_force, key=lambda found: found.version, default=None)


def earliest(versions: Iterable[tuple[Pack, Aim]]) -> Aim | None:
    """Return the version of one programme or exam that begins first; each with its pack."""
    begun = [(found.effective_from or pack.effective_from, found.version, found) for pack, found in versions]
    return min(begun, key=lambda one: one[:2], default=(None, None, None))[2]


def holds(aim: Programme | Exam, pack: Pack, *, as_of: date) -> bool:
    """Whether a version of a programme or exam holds on a day: dates that it lacks are those of its pack.

    What a pack ends that goes by the day of the award or of enrolment is still granted later on, and so its
    programmes do not end with it.
    """
    begins = aim.effective_from or pack.effective_from
    ends = aim.effective_to or (pack.effective_to if pack.date_basis == "application" else None)
    return begins <= as_of and (ends is None or as_of < ends)
