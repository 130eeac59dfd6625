"""What in a pack is allowed and still most likely a mistake: rules that reach nothing, caps that never bind.

Only what is certain from the pack alone is said, and each is a warning.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import chain

from creditbank.conversion.matching import speaks_about
from creditbank.conversion.pack import Pack, PackFinding
from creditbank.conversion.pack_examples import ExampleRun
from creditbank.conversion.pack_marks import idle_marks
from creditbank.conversion.pack_reach import (
    can_apply,
    is_ever_in_force,
    reached,
    uncounted,
    unexempted,
    unreachable,
)
from creditbank.conversion.pack_shadows import grade_of, shadowed_rules
from creditbank.conversion.premise import Pattern
from creditbank.conversion.programme import Bucket, Cap, Exam, Programme
from creditbank.conversion.recognition import RecognitionTable
from creditbank.conversion.rule import ExemptionGrant, Rule, WaiverGrant

Path = tuple[str | int, ...]


def lint(pack: Pack, runs: Iterable[ExampleRun]) -> Iterator[PackFinding]:
    """Yield the pack's warnings; `runs` are those of its examples."""
    granted = frozenset[str]().union(*(run.granted for run in runs))
    missed = {miss.rule for example in pack.examples for miss in example.near}
    groups = Counter(rule.exclusive for rule in pack.rules)
    for index, rule in enumerate(pack.rules):
        path = ("rule", index)
        if rule.id not in granted:
            yield _warning("rule-without-granting-example", path, rule=rule.id)
        if rule.id not in missed:
            yield _warning("rule-without-missing-example", path, rule=rule.id)
        if rule.exclusive is not None and groups[rule.exclusive] == 1:
            yield _warning("exclusive-group-of-one", path, rule=rule.id, group=rule.exclusive)
        if not is_ever_in_force(rule, pack):
            yield _warning("rule-never-in-force", path, rule=rule.id)
        if not can_apply(rule, pack):
            yield _warning("rule-never-met", (*path, "premise"), rule=rule.id)
        yield from _reach(rule, path, pack)
        yield from _worth(rule, path, pack)
    for index, programme in enumerate(pack.programmes):
        yield from _of_programme(programme, ("programme", index))
    for index, exam in enumerate(pack.exams):
        yield from _of_exam(exam, ("exam", index))
    yield from _shadowed(pack)
    idle: Iterable[tuple[str, Path, Mapping[str, object]]] = chain(
        unexempted(pack), uncounted(pack), unreachable(pack), idle_marks(pack)
    )
    for code, place, values in idle:
        yield _warning(code, place, **values)
    yield from _unused(pack)


def _shadowed(pack: Pack) -> Iterator[PackFinding]:
    for index, rule, other in shadowed_rules(pack):
        if grade_of(rule) == grade_of(other):
            yield _warning("rule-shadowed", ("rule", index), rule=rule.id, other=other.id)
        else:
            yield _warning("rule-outranked", ("rule", index), rule=rule.id, other=other.id)


def _warning(code: str, path: Path, **values: object) -> PackFinding:
    return PackFinding(code=code, severity="warning", path=path, values=values)


def _reach(rule: Rule, path: Path, pack: Pack) -> Iterator[PackFinding]:
    match rule.grant:
        case ExemptionGrant() as grant:
            if not pack.programmes:
                return
            programmes = [found for found in pack.programmes if speaks_about(rule, found)]
            yield from _excluded(rule, grant, programmes, path)
            places = list(reached(rule, programmes))
            buckets = {bucket.id for found in programmes for bucket in found.buckets}
            if not places and not buckets.intersection(grant.buckets):
                yield _warning("rule-reaches-nothing", path, rule=rule.id)
        case WaiverGrant(parts=parts):
            exams = [found for found in pack.exams if speaks_about(rule, found)]
            waivable = {part.id for found in exams for part in found.parts if part.waivable}
            if pack.exams and not waivable.intersection(parts):
                yield _warning("rule-reaches-nothing", path, rule=rule.id)


def _excluded(
    rule: Rule, grant: ExemptionGrant, programmes: Sequence[Programme], path: Path
) -> Iterator[PackFinding]:
    """Name the courses that the rule lists by their number and that may not be exempted under it."""
    if grant.courses is None:
        return
    for programme in programmes:
        for course in programme.courses:
            named = course.id in grant.courses.courses
            if named and not course.is_exemptible_under(rule.scope.categories):
                values = {"rule": rule.id, "course": course.id, "programme": programme.id}
                yield _warning("excluded-course-named", (*path, "grant", "courses"), **values)


def _worth(rule: Rule, path: Path, pack: Pack) -> Iterator[PackFinding]:
    spent = [premise for premise in rule.premises if premise.use != "hold"]
    for premise in spent:
        table = None if premise.worth is None else pack.tables.get(premise.worth)
        if table is not None and not _ever_worth(table, premise.pattern):
            yield _warning("worth-always-nothing", path, rule=rule.id, table=table.id)
    if isinstance(rule.grant, ExemptionGrant) and rule.grant.worth is not None:
        table = pack.tables.get(rule.grant.worth)
        if table is not None and not any(_ever_worth(table, premise.pattern) for premise in spent):
            yield _warning("worth-always-nothing", (*path, "grant"), rule=rule.id, table=table.id)


def _ever_worth(table: RecognitionTable, pattern: Pattern) -> bool:
    return any(
        (row.credits is None or row.credits > 0)
        and row.pattern.kind == pattern.kind
        and (not row.pattern.codes or not pattern.codes or row.pattern.codes & pattern.codes)
        for row in table.rows
    )


def _of_programme(programme: Programme, path: Path) -> Iterator[PackFinding]:
    stated = sum((course.credits for course in programme.courses), Decimal(0))
    stated += sum((bucket.capacity for bucket in programme.buckets), Decimal(0))
    if stated != programme.credits:
        yield _warning(
            "programme-credits-differ", path, id=programme.id, credits=programme.credits, sum=stated
        )
    for index, cap in enumerate(programme.caps):
        most = _most_under(cap, programme)
        if most is not None and most <= _maximum(cap, programme):
            yield _warning("cap-never-binds", (*path, "caps", index), cap=cap.id, most=most)


def _most_under(cap: Cap, programme: Programme) -> Decimal | None:
    """Return the most that the cap's places can hold; None for a cap that also counts something else."""
    if cap.periods or cap.per or cap.measure == "outcomes":
        return None
    courses = [course for course in programme.courses if course.exemptible or course.exempt_for]
    everywhere = cap.courses is None and cap.buckets is None
    if not everywhere:
        courses = [course for course in courses if cap.courses is not None and cap.courses.covers(course)]
    if cap.measure == "courses":
        return Decimal(len(courses))
    buckets = [bucket for bucket in programme.buckets if everywhere or _is_covered(bucket, cap)]
    credits_of = (*(course.credits for course in courses), *(bucket.capacity for bucket in buckets))
    return sum(credits_of, Decimal(0))


def _is_covered(bucket: Bucket, cap: Cap) -> bool:
    return cap.buckets is not None and bucket.id in cap.buckets


def _maximum(cap: Cap, programme: Programme) -> Decimal:
    if cap.maximum is not None:
        return cap.maximum
    assert cap.share is not None, "a cap has a maximum or a share"
    in_base = [course for course in programme.courses if cap.share_of_module in (None, course.module)]
    if cap.measure == "courses":
        return cap.share * len(in_base)
    if cap.share_of_module is None:
        return cap.share * programme.credits
    held = [bucket.capacity for bucket in programme.buckets if bucket.module == cap.share_of_module]
    return cap.share * sum((*(course.credits for course in in_base), *held), Decimal(0))


def _of_exam(exam: Exam, path: Path) -> Iterator[PackFinding]:
    for index, cap in enumerate(exam.caps):
        parts = [part for part in exam.parts if part.waivable and (not cap.parts or part.id in cap.parts)]
        if len(parts) <= cap.maximum:
            yield _warning("cap-never-binds", (*path, "caps", index), cap=cap.id, most=len(parts))


def _unused(pack: Pack) -> Iterator[PackFinding]:
    worths = {premise.worth for rule in pack.rules for premise in rule.premises}
    worths |= {rule.grant.worth for rule in pack.rules if isinstance(rule.grant, ExemptionGrant)}
    worths |= {table.within.id for table in pack.tables.values() if table.within is not None}
    for index, table in enumerate(pack.tables):
        if table not in worths:
            yield _warning("recognition-unused", ("recognition", index), id=table)
    cited = {name for rule in pack.rules for name in rule.cite}
    cited |= {name for table in pack.tables.values() for name in table.cite}
    cited |= {name for table in pack.mark_tables.values() for name in table.cite}
    for programme in pack.programmes:
        cited |= {*programme.cite, *(name for cap in programme.caps for name in cap.cite)}
        cited |= {name for requirement in programme.requirements for name in requirement.cite}
    for exam in pack.exams:
        cited |= {*exam.cite, *(name for part_cap in exam.caps for name in part_cap.cite)}
    for index, citation in enumerate(pack.citations):
        if citation not in cited:
            yield _warning("citation-unused", ("citation", index), id=citation)
