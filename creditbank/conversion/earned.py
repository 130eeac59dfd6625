"""Courses that a learner has earned where they belong, and decisions that leave these alone."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from creditbank.conversion.allocation import NODE_BUDGET, decide_exemptions
from creditbank.conversion.decision import Decision
from creditbank.conversion.holding import NOBODY_IN_PARTICULAR, Applicant, Holding, Pinned, SpentElsewhere
from creditbank.conversion.programme import Programme
from creditbank.conversion.promised import Promise
from creditbank.conversion.rule import RulePack
from creditbank.conversion.solver import Solver
from creditbank.conversion.standing import only_places
from creditbank.terms import CourseId, Microseconds


def decide_beside_earned(
    packs: Iterable[RulePack],
    holdings: Iterable[Holding],
    programme: Programme,
    *,
    as_of: date,
    known_at: Microseconds,
    applicant: Applicant = NOBODY_IN_PARTICULAR,
    pinned: Iterable[Pinned] = (),
    elsewhere: Iterable[SpentElsewhere] = (),
    promises: Iterable[Promise] = (),
    node_budget: int = NODE_BUDGET,
    solver: Solver | None = None,
) -> Decision:
    """Decide as `decide_exemptions` does; exempt no course that is earned, spend no outcome that earns one.

    Where nothing is earned the answer is the same, byte for byte.

    Raises:
        HoldingInvalid: `holding-twice`.
        ProgrammeInvalid: `credits-off-step`.
    """
    all_packs, held, grants, promised = tuple(packs), tuple(holdings), tuple(pinned), tuple(promises)
    others = tuple(elsewhere)
    earned = earned_in(programme, held, applicant.enrolled_at, grants, as_of=as_of, known_at=known_at)
    places = {place.id for place in programme.places}
    left = only_places(programme, places - earned.keys()) if earned else programme

    def decided(counting: Sequence[Holding]) -> Decision:
        return decide_exemptions(
            all_packs,
            counting,
            left,
            as_of=as_of,
            known_at=known_at,
            applicant=applicant,
            pinned=grants,
            elsewhere=others,
            promises=promised,
            node_budget=node_budget,
            solver=solver,
        )

    decision = decided(held)
    earning = {one.id for own in earned.values() for one in own}
    if any(not earning.isdisjoint(exemption.spent) for exemption in decision.exemptions):
        return decided([one for one in held if one.id not in earning])
    return decision


def earned_in(
    programme: Programme,
    holdings: Iterable[Holding],
    school: str | None,
    pinned: Iterable[Pinned],
    *,
    as_of: date,
    known_at: Microseconds,
) -> Mapping[CourseId, tuple[Holding, ...]]:
    """Return the courses that the school's own course credits have earned, each with these, by id.

    An outcome that a registered grant has spent earns nothing more.
    """
    spent = {outcome for grant in pinned for outcome in grant.spent}
    found: dict[CourseId, list[Holding]] = {}
    for holding in sorted(holdings, key=lambda one: one.id):
        course = programme.course_of(holding.code)
        if (
            course is not None
            and holding.kind == "course-credit"
            and holding.issuer == school
            and holding.id not in spent
            and _counts(holding, as_of=as_of, known_at=known_at)
        ):
            found.setdefault(course.id, []).append(holding)
    return {course: tuple(own) for course, own in found.items()}


def _counts(holding: Holding, *, as_of: date, known_at: Microseconds) -> bool:
    return (
        holding.recorded_at <= known_at
        and holding.awarded_on <= as_of
        and not holding.is_revoked(as_of=as_of, known_at=known_at)
        and (holding.expires_on is None or as_of < holding.expires_on)
    )
