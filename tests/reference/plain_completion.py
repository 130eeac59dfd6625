"""What completion takes, added up outcome by outcome: nothing is shared with what it is compared to.

Which outcomes earn a course, and what a decision grants, is given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from creditbank.conversion.decision import Decision
from creditbank.conversion.holding import Holding, Pinned
from creditbank.conversion.programme import Bucket, Course, Programme, Requirement
from creditbank.terms import OutcomeId
from tests.reference.plain_audit import earning

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    required: Decimal
    earned: Decimal
    exempted: Decimal
    missing: Decimal
    left: Decimal  # what could still be reached


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    programme: Programme
    holdings: Sequence[Holding]
    school: str | None
    pinned: Sequence[Pinned]
    decision: Decision

    def fits(self, requirement: Requirement, outcome: OutcomeId) -> bool:
        for holding in self.holdings:
            if holding.id == outcome:
                stated = dict(holding.attributes)
                return (
                    (not requirement.kinds or holding.kind in requirement.kinds)
                    and (not requirement.issuers or holding.issuer in requirement.issuers)
                    and all(stated.get(test.attribute) in test.one_of for test in requirement.attributes)
                )
        return False

    def own(self, place: Course | Bucket) -> list[Holding]:
        return earning(place, self.holdings, self.school, self.pinned, self.decision)

    def grants(self, place: Course | Bucket) -> list[Pinned]:
        return [grant for grant in self.pinned if grant.target == place.id]

    def is_left(self, place: Course | Bucket) -> bool:
        """Whether a course may still be taken or exempted; a bucket, whether it has room."""
        if isinstance(place, Bucket):
            return sum(self.credits_of(one) for one in self.grants(place)) < place.capacity
        return not self.own(place) and not self.grants(place)

    def credits_of(self, grant: Pinned) -> Decimal:
        return grant.units * self.decision.step if grant.with_credit else NOTHING

    def credits(self, place: Course | Bucket, requirement: Requirement) -> tuple[Decimal, Decimal]:
        earned = exempted = NOTHING
        whole = place.capacity if isinstance(place, Bucket) else place.credits
        fitting = [one for one in self.own(place) if self.fits(requirement, one.id)]
        for holding in fitting:
            earned = max(earned, min(whole, whole if holding.credits is None else holding.credits))
        for grant in self.grants(place):
            resting = grant.spent or grant.witnesses
            is_asked = bool(requirement.kinds or requirement.issuers or requirement.attributes)
            if is_asked and (not resting or not all(self.fits(requirement, one) for one in resting)):
                continue
            exempted += self.credits_of(grant)
        return earned, (min(exempted, whole - earned) if fitting else exempted)

    def hours(
        self, place: Course | Bucket, whole: Decimal | None, *, as_stated: bool
    ) -> tuple[Decimal, Decimal]:
        whole = whole or NOTHING
        grants = [one for one in self.grants(place) if one.with_credit]
        if isinstance(place, Bucket):
            if place.capacity == 0:
                return NOTHING, NOTHING
            cents = 100 * whole * sum(self.credits_of(one) for one in grants) // place.capacity
            return NOTHING, cents / 100
        earned = NOTHING
        for holding in self.own(place):
            earned = max(earned, holding.hours if as_stated and holding.hours is not None else whole)
        return earned, (max(whole - earned, NOTHING) if grants else NOTHING)

    def counted(self, place: Course | Bucket, requirement: Requirement) -> tuple[Decimal, Decimal]:
        if requirement.measure == "credits":
            return self.credits(place, requirement)
        if requirement.measure == "hours":
            return self.hours(place, place.hours, as_stated=True)
        return self.hours(place, place.practice_hours, as_stated=False)

    def left_of(self, place: Course | Bucket, requirement: Requirement) -> Decimal:
        """What of a place is left: never more than nobody has filled yet, whatever it rests on."""
        if not self.is_left(place):
            return NOTHING
        if requirement.measure == "credits":
            filled = sum(self.credits_of(one) for one in self.grants(place))
            return (place.capacity if isinstance(place, Bucket) else place.credits) - filled
        is_practice = requirement.measure == "practice-share"
        whole = (place.practice_hours if is_practice else place.hours) or NOTHING
        return whole - sum(self.hours(place, whole, as_stated=not is_practice))

    def of_bucket_or_course(self, place: Course | Bucket) -> Decimal:
        """All the hours of a course; of a bucket that nothing more goes into, those that went into it."""
        if isinstance(place, Bucket) and not self.is_left(place):
            return sum(self.hours(place, place.hours, as_stated=False), NOTHING)
        return place.hours or NOTHING

    def sums(self, requirement: Requirement) -> Sums:
        places = [one for one in self.programme.places if requirement.module in (None, one.module)]
        counted = [self.counted(place, requirement) for place in places]
        earned = sum((one for one, _ in counted), NOTHING)
        exempted = sum((one for _, one in counted), NOTHING)
        required = requirement.minimum or NOTHING
        if requirement.measure == "practice-share":
            whole = NOTHING
            for place in places:
                is_counted = self.is_left(place) or isinstance(place, Bucket) or self.own(place)
                if is_counted or any(one.with_credit for one in self.grants(place)):
                    whole += self.of_bucket_or_course(place)
            required *= whole
        left = sum((self.left_of(place, requirement) for place in places), NOTHING)
        missing = max(NOTHING, required - earned - exempted)
        return Sums(required=required, earned=earned, exempted=exempted, missing=missing, left=left)
