"""A diploma audit by looking at everything, place by place: nothing is shared with what it is compared to.

What a decision grants and refuses is given; how the credits add up and what stands in the way is found anew.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from creditbank.conversion.decision import Decision, Exemption, Refusal
from creditbank.conversion.holding import Holding, Pinned
from creditbank.conversion.programme import Bucket, Course
from creditbank.conversion.rule import ExemptionGrant, Rule, RulePack
from creditbank.terms import OutcomeId
from tests.reference.conversion_oracle import is_visible

NOTHING = Decimal(0)
CAPS = {"cap", "limit", "capacity"}
ONE_THING = {"premise", "unpaired", "gap", "budget"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A course or bucket: what it is worth, how far it is reached, and what stands in the way of the rest."""

    required: Decimal
    earned: Decimal
    exempted: Decimal
    exemptable: Decimal
    missing: Decimal
    earned_by: frozenset[OutcomeId]
    blocks: frozenset[tuple[str, int | None]]


def earning(
    place: Course | Bucket,
    holdings: Iterable[Holding],
    school: str | None,
    pinned: Sequence[Pinned],
    decision: Decision,
) -> list[Holding]:
    """Return the school's own credits of a course that hold and that no registered grant has spent."""
    found: list[Holding] = []
    for holding in holdings if isinstance(place, Course) else ():
        if holding.kind != "course-credit" or holding.code != place.id or holding.issuer != school:
            continue
        if any(holding.id in grant.spent for grant in pinned):
            continue
        if is_visible(holding, as_of=decision.as_of, known_at=decision.known_at):
            found.append(holding)
    return found


def place_of(
    place: Course | Bucket,
    packs: Sequence[RulePack],
    own: Sequence[Holding],
    pinned: Sequence[Pinned],
    decision: Decision,
) -> Place:
    required = place.capacity if isinstance(place, Bucket) else place.credits
    earned = NOTHING
    for holding in own:
        worth = required if holding.credits is None else holding.credits
        earned = max(earned, min(worth, required))
    exempted = NOTHING
    for grant in pinned:
        if grant.target == place.id and grant.with_credit:
            exempted += grant.units * decision.step
    if own:
        exempted = min(exempted, required - earned)
    given = [one for one in decision.exemptions if one.target == place.id]
    exemptable = sum((one.credits for one in given if one.with_credit), NOTHING)
    missing = max(required - earned - exempted, NOTHING)
    if isinstance(place, Bucket):
        is_open = min(exemptable, missing) < missing or not (given or exempted)
    else:
        is_open = not own and not given and all(grant.target != place.id for grant in pinned)
    return Place(
        required=required,
        earned=earned,
        exempted=exempted,
        exemptable=min(exemptable, missing),
        missing=missing,
        earned_by=frozenset(holding.id for holding in own),
        blocks=blocks_of(place, packs, decision) if is_open else frozenset(),
    )


def blocks_of(
    place: Course | Bucket, packs: Sequence[RulePack], decision: Decision
) -> frozenset[tuple[str, int | None]]:
    """Return every refusal that is about a place, and what is to be said where there is none."""
    in_force = {cited_by(one) for one in decision.exemptions} | {cited_by(one) for one in decision.refusals}
    speaking = [
        (pack.id, rule.id, rule.version) for pack in packs for rule in pack.rules if may_give(rule, place)
    ]
    found: set[tuple[str, int | None]] = set()
    if isinstance(place, Course) and not place.exemptible:
        found.add(("not-exemptible", None))
    for at, refusal in enumerate(decision.refusals):
        if cited_by(refusal) in speaking and (refusal.target is None or refusal.target == place.id):
            found.add((kind_of(refusal), at))
    if found:
        return frozenset(found)
    return frozenset({("used-up" if in_force.intersection(speaking) else "no-rule", None)})


def cited_by(one: Exemption | Refusal) -> tuple[str, str, int]:
    """Return the rule version; each one in force grants or is refused."""
    return one.cited.pack, one.cited.rule, one.cited.version


def may_give(rule: Rule, place: Course | Bucket) -> bool:
    """Whether a rule names the place: in person, or by its module, class or nature."""
    grant = rule.grant
    assert isinstance(grant, ExemptionGrant)
    if isinstance(place, Bucket):
        return place.id in grant.buckets
    courses = grant.courses
    if courses is None:
        return False
    if courses.courses and place.id not in courses.courses:
        return False
    if courses.classes and place.course_class not in courses.classes:
        return False
    if courses.modules and place.module not in courses.modules:
        return False
    if courses.natures and place.nature not in courses.natures:
        return False
    if place.exemptible:
        return True
    for_whom = rule.scope.categories
    return len(for_whom) > 0 and all(category in place.exempt_for for category in for_whom)


def kind_of(refusal: Refusal) -> str:
    if refusal.kind in CAPS:
        return "cap"
    if refusal.kind in ONE_THING and len(refusal.needs) < 2:
        return "near-miss"
    if refusal.kind == "no-worth" and refusal.gain is not None:
        return "near-miss"
    if refusal.kind in {"premise", "fact"}:
        return "unmet"
    return "rule"
