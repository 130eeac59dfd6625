"""What the tables of a rule pack document must say together: every name leads somewhere, no credit is
finer than the step, no two versions of a rule hold on one day.

One table alone is checked by its model; what the values refuse, by the values.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import Any, TypeVar

from pydantic import BaseModel

from creditbank.conversion.declared import FactKind, reads, stated_text
from creditbank.conversion.holding import DAYS, FACTS, NUMBERS
from creditbank.conversion.pack import PackFinding
from creditbank.documents.atoms import LevelText
from creditbank.documents.mark_models import MarkTableText
from creditbank.documents.programme_models import (
    CapText,
    CourseFilterText,
    ExamText,
    ProgrammeText,
)
from creditbank.documents.rule_pack_models import (
    ExampleText,
    RecognitionText,
    RulePackText,
    RuleText,
)
from creditbank.documents.rule_pack_values import target_of
from creditbank.documents.toml_lines import Path

Found = TypeVar("Found")
Member = tuple[Path, Any]


def reference_findings(text: RulePackText) -> Iterator[PackFinding]:
    """Yield every contradiction between the document's tables, all of them errors."""
    yield from _duplicates(text)
    yield from _overlaps(text)
    members = tuple(_walk(text, ()))
    yield from _named_twice(text, members)
    yield from _citations(text, members)
    yield from _levels(text, members)
    if text.step > 0:
        yield from _steps(text, members)
    names = _Names.of(text)
    for index, table in enumerate(text.recognition):
        yield from _of_recognition(table, ("recognition", index), names)
    for index, marks in enumerate(text.mark_table):
        yield from _of_marks(marks, ("mark_table", index))
    for index, programme in enumerate(text.programme):
        yield from _of_programme(programme, ("programme", index))
    for index, rule in enumerate(text.rule):
        yield from _of_rule(rule, ("rule", index), names)
    for index, example in enumerate(text.example):
        yield from _of_example(example, ("example", index), text, names)


def _finding(code: str, path: Path, **values: object) -> PackFinding:
    return PackFinding(code=code, severity="error", path=path, values=values)


@dataclass(frozen=True)
class _Names:
    """What the pack defines and its other tables may name."""

    programmes: Mapping[str, Sequence[ProgrammeText]]
    exams: Mapping[str, Sequence[ExamText]]
    tables: frozenset[str]
    mark_tables: frozenset[str]
    within: Mapping[str, str | None]  # of each table, the one that bounds it
    rules: frozenset[str]
    scales: frozenset[str]
    facts: Mapping[str, FactKind]  # that the pack declares

    @classmethod
    def of(cls, text: RulePackText) -> "_Names":
        return cls(
            programmes={
                found.id: [other for other in text.programme if other.id == found.id]
                for found in text.programme
            },
            exams={found.id: [other for other in text.exam if other.id == found.id] for found in text.exam},
            tables=frozenset(table.id for table in text.recognition),
            mark_tables=frozenset(table.id for table in text.mark_table),
            within={table.id: table.within for table in text.recognition},
            rules=frozenset(rule.id for rule in text.rule),
            scales=frozenset(scale.framework for scale in text.scale),
            facts={fact.name: fact.kind for fact in text.fact},
        )


def _duplicates(text: RulePackText) -> Iterator[PackFinding]:
    named: Mapping[str, list[object]] = {
        "citation": [cited.id for cited in text.citation],
        "scale": [scale.framework for scale in text.scale],
        "attribute": [attribute.name for attribute in text.attribute],
        "fact": [fact.name for fact in text.fact],
        "recognition": [table.id for table in text.recognition],
        "mark_table": [table.id for table in text.mark_table],
        "programme": [(found.id, found.version) for found in text.programme],
        "exam": [(found.id, found.version) for found in text.exam],
        "rule": [(rule.id, rule.version) for rule in text.rule],
        "example": [example.name for example in text.example],
    }
    for key, names in named.items():
        seen: dict[object, int] = {}
        for index, name in enumerate(names):
            if name in seen:
                written = " ".join(map(str, name)) if isinstance(name, tuple) else name
                yield _finding("pack-id-twice", (key, index), id=written, first=(key, seen[name]))
            seen.setdefault(name, index)
    for index, attribute in enumerate(text.attribute):
        values = [one.value for one in attribute.values]
        for at, value in enumerate(values):
            if (first := values.index(value)) < at:
                path = ("attribute", index, "values")
                yield _finding("pack-id-twice", (*path, at), id=value, first=(*path, first))


def _named_twice(text: RulePackText, members: Iterable[Member]) -> Iterator[PackFinding]:
    """Name the facts that have the name of an attribute: a sentence could not tell which is meant."""
    attributes: dict[str, Path] = {one.name: ("attribute", at) for at, one in enumerate(text.attribute)}
    for path, value in members:
        if path[-1] == "of_attribute" or ("attributes" in path[:-1] and path[-1] == "name"):
            attributes.setdefault(value, path)
    for index, fact in enumerate(text.fact):
        if fact.name in attributes:
            yield _finding("pack-id-twice", ("fact", index), id=fact.name, first=attributes[fact.name])


def _overlaps(text: RulePackText) -> Iterator[PackFinding]:
    versions: dict[str, list[tuple[int, RuleText]]] = {}
    for index, rule in enumerate(text.rule):
        versions.setdefault(rule.id, []).append((index, rule))
    for same in versions.values():
        for (_, earlier), (index, later) in combinations(same, 2):
            first, second = _days(earlier, text), _days(later, text)
            if earlier.version != later.version and first[0] < second[1] and second[0] < first[1]:
                values = {"id": later.id, "version": later.version, "other": earlier.version}
                yield _finding("rule-versions-overlap", ("rule", index), **values)


def _days(rule: RuleText, text: RulePackText) -> tuple[date, date]:
    return (
        rule.effective_from or text.effective_from,
        rule.effective_to or text.effective_to or date.max,
    )


def _citations(text: RulePackText, members: Iterable[Member]) -> Iterator[PackFinding]:
    known = {cited.id for cited in text.citation}
    for path, value in members:
        if path[-1] == "cite":
            for index, cited in enumerate(value):
                if cited not in known:
                    yield _finding("citation-unknown", (*path, index), id=cited)


def _levels(text: RulePackText, members: Iterable[Member]) -> Iterator[PackFinding]:
    frameworks: dict[str, list[str]] = {}
    for scale in text.scale:
        for level in (name for equal in scale.levels for name in equal):
            frameworks.setdefault(level, []).append(scale.framework)
    for path, value in members:
        if not isinstance(value, LevelText):
            continue
        having = frameworks.get(value.level, [])
        if value.framework is None and len(having) > 1:
            yield _finding("level-ambiguous", path, level=value.level, frameworks=having)
        elif value.framework is None and not having:
            yield _finding("level-unknown", path, level=value.level)
        elif value.framework is not None and value.framework not in having and "outcomes" not in path:
            yield _finding("level-unknown", path, level=value.level, framework=value.framework)


_CREDIT_KEYS = frozenset({"credits", "capacity", "maximum", "max_credits"})


def _steps(text: RulePackText, members: Iterable[Member]) -> Iterator[PackFinding]:
    for path, value in members:
        if not isinstance(value, Decimal) or "outcomes" in path:
            continue
        step = _step_of(text, path)
        if step is not None and value % step:
            yield _finding("credits-not-in-steps", path, value=value, step=step)


def _step_of(text: RulePackText, path: Path) -> Decimal | None:
    """Return what the number at `path` is a multiple of: of credits the step, of what is counted 1."""
    match path:
        case ("programme", int(programme), "caps", int(cap), "maximum"):
            is_credits = text.programme[programme].caps[cap].measure == "credits"
            return text.step if is_credits else Decimal(1)
        case ("programme", int(programme), "requirements", int(at), "minimum" | "maximum"):
            is_credits = text.programme[programme].requirements[at].measure == "credits"
            return text.step if is_credits else None
        case _:
            return text.step if path[-1] in _CREDIT_KEYS else None


def _of_recognition(table: RecognitionText, path: Path, names: _Names) -> Iterator[PackFinding]:
    if table.within is not None:
        yield from _unknown("recognition-unknown", (*path, "within"), (table.within,), names.within)
        if _leads_back(table.id, names.within):
            yield _finding("recognition-within-itself", (*path, "within"), id=table.id)
    for index, downgrade in enumerate(table.downgrades):
        if downgrade.scale not in names.scales:
            yield _finding("scale-unknown", (*path, "downgrades", index, "scale"), id=downgrade.scale)


def _of_marks(table: MarkTableText, path: Path) -> Iterator[PackFinding]:
    """Name the rows by which a score or a grade would have two marks."""
    rows: Mapping[str, list[object]] = {
        "bands": [band.from_ for band in table.bands],
        "grades": [row.grade for row in table.grades],
    }
    for key, named in rows.items():
        for at, row in enumerate(named):
            if named.index(row) < at:
                yield _finding("mark-row-twice", (*path, key, at), id=table.id, row=row)


def _leads_back(table: str, within: Mapping[str, str | None]) -> bool:
    """Whether the tables within which a table lies lead back to it."""
    passed: set[str] = set()
    at = within.get(table)
    while at is not None and at not in passed and at != table:
        passed.add(at)
        at = within.get(at)
    return at == table


def _of_programme(programme: ProgrammeText, path: Path) -> Iterator[PackFinding]:
    for index, cap in enumerate(programme.caps):
        yield from _of_cap(cap, programme, (*path, "caps", index))


def _of_cap(cap: CapText, programme: ProgrammeText, path: Path) -> Iterator[PackFinding]:
    if cap.courses is not None:
        yield from _filter_findings(cap.courses, [programme], (*path, "courses"))
    known = {bucket.id for bucket in programme.buckets}
    yield from _unknown("bucket-unknown", (*path, "buckets"), cap.buckets or (), known)


def _filter_findings(
    wanted: CourseFilterText, programmes: Iterable[ProgrammeText], path: Path
) -> Iterator[PackFinding]:
    courses = [course for programme in programmes for course in programme.courses]
    yield from _unknown("course-unknown", (*path, "courses"), wanted.courses, {c.id for c in courses})
    yield from _unknown("module-unknown", (*path, "modules"), wanted.modules, {c.module for c in courses})
    yield from _unknown(
        "course-class-unknown", (*path, "classes"), wanted.classes, {c.class_ for c in courses}
    )


def _left_out(
    wanted: CourseFilterText, programmes: Iterable[ProgrammeText], path: Path
) -> Iterator[PackFinding]:
    """Name the courses that a bundle lists and another key of it leaves out: the bundle would shrink."""
    courses = [c for programme in programmes for c in programme.courses if c.id in wanted.courses]
    keys: tuple[tuple[str, Container[str], list[str]], ...] = (
        ("modules", wanted.modules, [course.module for course in courses]),
        ("classes", wanted.classes, [course.class_ for course in courses]),
        ("natures", wanted.natures, [course.nature for course in courses]),
    )
    for key, named, values in keys:
        outside = {c.id for c, value in zip(courses, values, strict=True) if named and value not in named}
        if outside:
            yield _finding("bundle-leaves-out", (*path, key), courses=sorted(outside), key=key)


def _of_rule(rule: RuleText, path: Path, names: _Names) -> Iterator[PackFinding]:
    if (rule.grant is None) == (rule.waive is None):
        yield _finding("rule-grants-or-waives", path, id=rule.id)
    scope = rule.scope
    yield from _unknown(
        "programme-unknown", (*path, "scope", "programmes"), scope.programmes, names.programmes
    )
    yield from _unknown("exam-unknown", (*path, "scope", "exams"), scope.exams, names.exams)
    yield from _of_facts(rule, path, names)
    worths = [((*path, "premise", index), premise.worth) for index, premise in enumerate(rule.premise)]
    if rule.grant is not None:
        worths.append(((*path, "grant"), rule.grant.worth))
    for place, worth in worths:
        if worth is not None and worth not in names.tables:
            yield _finding("recognition-unknown", (*place, "worth"), id=worth)
    grade = None if rule.grant is None else rule.grant.grade
    if grade is not None and grade.table is not None:
        place = (*path, "grant", "grade", "table")
        yield from _unknown("mark-table-unknown", place, (grade.table,), names.mark_tables)
    if rule.grant is not None and names.programmes:
        programmes = _in_scope(scope.programmes, names.programmes)
        yield from _filter_findings(rule.grant, programmes, (*path, "grant"))
        if rule.grant.mode == "bundle":
            yield from _left_out(rule.grant, programmes, (*path, "grant"))
        buckets = {bucket.id for programme in programmes for bucket in programme.buckets}
        yield from _unknown("bucket-unknown", (*path, "grant", "buckets"), rule.grant.buckets, buckets)
    if rule.waive is not None and names.exams:
        parts = {part.id for exam in _in_scope(scope.exams, names.exams) for part in exam.parts}
        yield from _unknown("part-unknown", (*path, "waive", "parts"), rule.waive.parts, parts)


def _kind_of(fact: str) -> FactKind | None:
    """Return what a fact that the bank knows by itself is; None where it knows none of that name."""
    if fact not in FACTS:
        return None
    return "date" if fact in DAYS else "number" if fact in NUMBERS else "text"


def _of_facts(rule: RuleText, path: Path, names: _Names) -> Iterator[PackFinding]:
    """Name the facts that nobody knows, and those that are tested for what they are not."""
    for index, test in enumerate(rule.scope.facts):
        place = (*path, "scope", "facts", index)
        if test.fact not in FACTS and test.fact not in names.facts:
            yield _finding("fact-unknown", (*place, "fact"), value=test.fact)
        kind = names.facts.get(test.fact) or _kind_of(test.fact)
        asked: Mapping[str, tuple[FactKind, object]] = {
            "one_of": ("text", test.one_of),
            "at_least": ("number", test.at_least),
            "at_most": ("number", test.at_most),
            "within": ("date", test.within),
            "after": ("date", test.after),
        }
        for key, (wanted, bound) in asked.items():
            is_listed = key == "one_of" and test.fact in FACTS
            if kind not in (None, wanted) and bound not in (None, ()) and not is_listed:
                yield _finding("fact-test-kind", (*place, key), fact=test.fact, key=key, wanted=kind)
    for index, premise in enumerate(rule.premise):
        for key, fact in (
            ("awarded_since", premise.awarded_since),
            ("awarded_before", premise.awarded_before),
        ):
            if isinstance(fact, str) and fact not in DAYS and names.facts.get(fact) != "date":
                yield _finding("fact-no-day", (*path, "premise", index, key), value=fact)


def _in_scope(wanted: Sequence[str], known: Mapping[str, Sequence[Found]]) -> list[Found]:
    return [found for name, versions in known.items() if not wanted or name in wanted for found in versions]


def _of_example(example: ExampleText, path: Path, text: RulePackText, names: _Names) -> Iterator[PackFinding]:
    programme, exam = target_of(example, text)
    if programme is None and exam is None:
        yield _finding("example-target", path, name=example.name)
    if programme is not None:
        yield from _unknown("programme-unknown", (*path, "programme"), (programme,), names.programmes)
        courses = {c.id for found in names.programmes.get(programme, ()) for c in found.courses}
        for course in example.marks:
            yield from _unknown("course-unknown", (*path, "marks", course), (course,), courses)
        courses |= {b.id for found in names.programmes.get(programme, ()) for b in found.buckets}
        yield from _unknown("course-unknown", (*path, "courses"), example.courses or (), courses)
    if exam is not None:
        yield from _unknown("exam-unknown", (*path, "exam"), (exam,), names.exams)
        parts = {part.id for found in names.exams.get(exam, ()) for part in found.parts}
        yield from _unknown("part-unknown", (*path, "parts"), example.parts or (), parts)
    yield from _unknown("rule-unknown", (*path, "rules"), example.rules or (), names.rules)
    for index, miss in enumerate(example.near):
        yield from _unknown("rule-unknown", (*path, "near", index, "rule"), (miss.rule,), names.rules)
    kinds = {fact.name: fact for fact in text.fact}
    for name, value in example.applicant.facts.items():
        place = (*path, "applicant", "facts", name)
        if name not in kinds:
            yield _finding("fact-unknown", place, value=name)
        elif not reads(kinds[name].kind, stated_text(value)):
            yield _finding("fact-value", place, fact=name, wanted=kinds[name].kind, value=stated_text(value))
    seen: dict[str, int] = {}
    for index, outcome in enumerate(example.outcomes):
        if outcome.id in seen:
            first = (*path, "outcomes", seen[outcome.id])
            yield _finding("pack-id-twice", (*path, "outcomes", index), id=outcome.id, first=first)
        seen.setdefault(outcome.id, index)


def _unknown(
    code: str, path: Path, wanted: Iterable[str], known: Mapping[str, object] | set[str] | frozenset[str]
) -> Iterator[PackFinding]:
    for name in wanted:
        if name not in known:
            yield _finding(code, path, id=name)


def _walk(value: object, path: Path) -> Iterator[Member]:
    """Yield every member of the document with the path at which it is written."""
    if isinstance(value, BaseModel):
        for name, info in type(value).model_fields.items():
            yield from _walk(getattr(value, name), (*path, info.alias or name))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _walk(item, (*path, index))
    if path:
        yield path, value
