"""What the rules of a pack reach: and what it says may be exempted, and no rule of it ever exempts.

A pack says so of a course by writing `exemptible = true` or `exempt_for`, of a bucket by `accepts`; a course
of which it says nothing may be exempted, and need not be. Rules of other packs are not looked at.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from creditbank.conversion.matching import LiveRule, speaks_about
from creditbank.conversion.pack import Pack
from creditbank.conversion.programme import Bucket, Course, Programme, Requirement
from creditbank.conversion.rule import ExemptionGrant, Rule
from creditbank.conversion.unmet import can_be_met

Path = tuple[str | int, ...]


def unexempted(pack: Pack) -> Iterator[tuple[str, Path, dict[str, str]]]:
    """Yield what is said to be open and is reached by no rule: what is wrong, where, and whose it is."""
    rules = [rule for rule in pack.rules if is_ever_in_force(rule, pack) and can_apply(rule, pack)]
    for at, programme in enumerate(pack.programmes):
        speaking = [rule for rule in rules if speaks_about(rule, programme)]
        for number, course in enumerate(programme.courses):
            values = {"course": course.id, "programme": programme.id}
            place = ("programme", at, "courses", number)
            if course.is_said_exemptible and not any(reaches(rule, course) for rule in speaking):
                yield "open-course-never-exempted", (*place, "exemptible"), values
            for category in () if course.exemptible else sorted(course.exempt_for):
                if not any(_reaches_as(rule, course, category) for rule in speaking):
                    yield "course-never-exempted", (*place, "exempt_for"), {**values, "category": category}
        for number, bucket in enumerate(programme.buckets):
            if bucket.accepts and not any(_fills(rule, bucket) for rule in speaking):
                of_bucket = {"bucket": bucket.id, "programme": programme.id}
                yield "bucket-never-filled", ("programme", at, "buckets", number, "accepts"), of_bucket


def uncounted(pack: Pack) -> Iterator[tuple[str, Path, dict[str, object]]]:
    """Yield what a cap counts and no rule of the pack can bring: what is wrong, where, and what there is.

    A route that is misspelt would silently take the cap away.
    """
    for at, exam in enumerate(pack.exams):
        routes = {rule.route for rule in pack.rules if speaks_about(rule, exam) and rule.route is not None}
        for number, part_cap in enumerate(exam.caps):
            if strange := sorted(part_cap.routes - routes):
                told: dict[str, object] = {
                    "cap": part_cap.id,
                    "exam": exam.id,
                    "routes": strange,
                    "known": sorted(routes) or "—",
                }
                yield "exam-cap-route-unknown", ("exam", at, "caps", number, "routes"), told
    for at, programme in enumerate(pack.programmes):
        rules = [rule for rule in pack.rules if speaks_about(rule, programme)]
        routes = {rule.route for rule in rules if rule.route is not None}
        for number, cap in enumerate(programme.caps):
            place: Path = ("programme", at, "caps", number)
            of_cap: dict[str, object] = {"cap": cap.id, "programme": programme.id}
            if strange := sorted(cap.routes - routes):
                values = {**of_cap, "routes": strange, "known": sorted(routes) or "—"}
                yield "cap-route-unknown", (*place, "routes"), values
            counted = [rule for rule in rules if not cap.routes or rule.route in cap.routes]
            spent = [one.pattern for rule in counted for one in rule.premises if one.use != "hold"]
            if not counted:
                continue
            if kinds := sorted(cap.kinds - {pattern.kind for pattern in spent}):
                yield "cap-kind-never-spent", (*place, "kinds"), {**of_cap, "kinds": kinds}
            brought = frozenset[str]().union(*(pattern.issuers for pattern in spent))
            if all(pattern.issuers for pattern in spent) and (others := sorted(cap.issuers - brought)):
                yield "cap-issuer-never-spent", (*place, "issuers"), {**of_cap, "issuers": others}


def unreachable(pack: Pack) -> Iterator[tuple[str, Path, dict[str, object]]]:
    """Yield what completing a programme takes and all of its courses and buckets do not hold."""
    for at, programme in enumerate(pack.programmes):
        for number, requirement in enumerate(programme.requirements):
            most = _most_of(requirement, programme)
            if most is not None and requirement.minimum is not None and most < requirement.minimum:
                told: dict[str, object] = {
                    "programme": programme.id,
                    "required": requirement.measure,
                    "minimum": requirement.minimum,
                    "most": round(most, 4),
                }
                yield "requirement-out-of-reach", ("programme", at, "requirements", number), told


def _most_of(requirement: Requirement, programme: Programme) -> Decimal | None:
    """Return the most that the courses and buckets hold of what is required; None for what they do not."""
    places = [one for one in programme.places if requirement.module in (None, one.module)]
    hours = sum((one.hours or Decimal(0) for one in places), Decimal(0))
    match requirement.measure:
        case "credits":
            return sum((_credits_for(one, requirement) for one in places), Decimal(0))
        case "hours":
            return hours
        case "practice-share":
            practice = sum((one.practice_hours or Decimal(0) for one in places), Decimal(0))
            return practice / hours if hours else Decimal(0)
        case _:
            return None


def _credits_for(place: Course | Bucket, requirement: Requirement) -> Decimal:
    """Return the credits of a place that outcomes of the kinds asked for may fill."""
    if isinstance(place, Course):
        return place.credits
    is_closed = place.accepts and requirement.kinds and not place.accepts & requirement.kinds
    return Decimal(0) if is_closed else place.capacity


def is_ever_in_force(rule: Rule, pack: Pack) -> bool:
    """Whether there is a day on which both the pack and the rule are in force."""
    starts_in_time = pack.effective_to is None or rule.effective_from < pack.effective_to
    return starts_in_time and (rule.effective_to is None or rule.effective_to > pack.effective_from)


def can_apply(rule: Rule, pack: Pack) -> bool:
    """Whether some outcomes would meet the rule."""
    return can_be_met(LiveRule(rule=rule, pack=pack, fact_needs=()))


def reaches(rule: Rule, course: Course) -> bool:
    """Whether the rule covers the course, by its number, module, class or nature, and may exempt it."""
    grant = rule.grant
    if not isinstance(grant, ExemptionGrant) or grant.courses is None:
        return False
    return grant.courses.covers(course) and course.is_exemptible_under(rule.scope.categories)


def reached(rule: Rule, programmes: Sequence[Programme]) -> Iterator[Course]:
    """Yield the courses of these programmes that the rule reaches."""
    for programme in programmes:
        yield from (course for course in programme.courses if reaches(rule, course))


def _reaches_as(rule: Rule, course: Course, category: str) -> bool:
    return category in rule.scope.categories and reaches(rule, course)


def _fills(rule: Rule, bucket: Bucket) -> bool:
    """Whether the rule gives of the bucket and spends nothing but what it accepts."""
    spent = {premise.pattern.kind for premise in rule.premises if premise.use != "hold"}
    grant = rule.grant
    is_meant = isinstance(grant, ExemptionGrant) and bucket.id in grant.buckets
    return is_meant and bool(spent) and spent <= bucket.accepts
