"""Pre-decisions: what a school will grant under a rule as it was, whatever becomes of the rules.

A promise keeps one version of a rule in force for one learner, for the places promised alone, up to its last
day (CONVERSION §1.3). Premises, caps and the programme hold as for everybody. A promise only adds: it takes
nothing from what the rules of the day give.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from creditbank.conversion.decision import Kept
from creditbank.conversion.programme import CourseFilter
from creditbank.conversion.rule import Rule, RulePack, WaiverGrant
from creditbank.conversion.standing import PackView
from creditbank.terms import CourseId, OutcomeId, RuleId


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One rule version, in `pack` as it was promised, for some courses, buckets or parts, to a last day."""

    pre_decision: OutcomeId
    pack: RulePack
    rule: RuleId
    version: int
    places: frozenset[str]
    until: date

    @property
    def promised(self) -> Rule:
        """The rule as the pack has it."""
        return next(rule for rule in self.pack.rules if self.is_of(self.pack, rule))

    @property
    def terms(self) -> Hashable:
        """What is promised, whoever promised it in which pre-decision: of the same terms the same follows."""
        return self.pack.id, self.pack.digest, self.rule, self.version, self.places, self.until

    def is_of(self, pack: RulePack, rule: Rule) -> bool:
        """Whether exactly this version, of exactly this pack, was promised."""
        own = (self.pack.id, self.pack.digest, self.rule, self.version)
        return (pack.id, pack.digest, rule.id, rule.version) == own


def keep(
    packs: Iterable[RulePack], promises: Iterable[Promise], *, as_of: date
) -> tuple[tuple[RulePack, ...], tuple[Kept, ...]]:
    """Return the packs with the promised rules in force among them, and which are so by promise alone.

    A promise that has run out, or whose rule is in force anyway, changes nothing. Where the day of the award
    picks the version, an outcome awarded up to the last day counts; and where the rule still holds for
    earlier awards, so it does in all of its places: a promise takes nothing away.
    """
    packs_now = tuple(packs)
    seen: list[RulePack] = list(packs_now)
    due = [promise for promise in promises if as_of <= promise.until]
    due = [promise for promise in due if not any(_holds(pack, promise, as_of) for pack in seen)]
    for promise in due:
        at = next((at for at, pack in enumerate(seen) if _is_same(pack, promise.pack)), len(seen))
        own = seen[at : at + 1]
        others = [rule for pack in own for rule in pack.rules if not promise.is_of(pack, rule)]
        is_left = promise.pack.date_basis == "award" and any(
            promise.is_of(pack, rule) for pack in packs_now for rule in pack.rules
        )
        kept = _in_force_until(promise, due) if is_left else _as_promised(promise, due)
        seen[at : at + 1] = [PackView.of(promise.pack, (*others, kept))]
    return tuple(seen), tuple(sorted(map(_kept, due), key=lambda one: (one.pre_decision, one.rule)))


def _is_same(one: RulePack, other: RulePack) -> bool:
    return (one.id, one.digest) == (other.id, other.digest)


def _holds(pack: RulePack, promise: Promise, as_of: date) -> bool:
    return any(promise.is_of(pack, rule) and _is_effective(pack, rule, as_of) for rule in pack.rules)


def _is_effective(pack: RulePack, rule: Rule, as_of: date) -> bool:
    return pack.date_basis == "enrolment" or rule.is_effective(as_of)


def _as_promised(promise: Promise, due: Sequence[Promise]) -> Rule:
    """Return the rule for the places of every promise of it, in force until the last day of the last."""
    places = frozenset[str]().union(*(one.places for one in _same(promise, due)))
    rule = _in_force_until(promise, due)
    if isinstance(rule.grant, WaiverGrant):
        return replace(rule, grant=WaiverGrant(parts=tuple(one for one in rule.grant.parts if one in places)))
    courses = rule.grant.courses
    if courses is not None:
        named = frozenset(map(CourseId, places - set(rule.grant.buckets)))
        courses = CourseFilter(courses=named) if named else None
    buckets = tuple(bucket for bucket in rule.grant.buckets if bucket in places)
    pairing = None if courses is None else rule.grant.pairing
    is_left = rule.grant.is_leftover_only and courses is not None and bool(buckets)
    own = replace(rule.grant, courses=courses, buckets=buckets, pairing=pairing, is_leftover_only=is_left)
    return replace(rule, grant=own)


def _in_force_until(promise: Promise, due: Sequence[Promise]) -> Rule:
    last = max(one.until for one in _same(promise, due))
    return replace(promise.promised, effective_to=last + timedelta(days=1))


def _same(promise: Promise, due: Sequence[Promise]) -> list[Promise]:
    return [one for one in due if one.is_of(promise.pack, promise.promised)]


def _kept(promise: Promise) -> Kept:
    return Kept(
        pre_decision=promise.pre_decision,
        pack=promise.pack.id,
        rule=promise.rule,
        version=promise.version,
        until=promise.until,
    )
