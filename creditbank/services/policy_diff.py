"""Who would gain and who would lose under other rules, by how much and by which rule: nothing is written.

Everybody is decided for the units alone, each sort once and on every core; only of those who gain or lose is
the whole decision made, twice. By default nothing counts as registered: it is the rules that are compared.
What was promised by pre-decision counts on both sides: it is kept whatever becomes of the rules.
"""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from itertools import islice

from creditbank.account.body import ExemptionTarget, Granted
from creditbank.account.facts import (
    applicant_of,
    holdings_for_rules,
    pinned_for_exam,
    pinned_for_programme,
    spent_elsewhere,
)
from creditbank.account.holdings import AccountHoldings
from creditbank.conversion.allocation import NODE_BUDGET, decide_exemptions
from creditbank.conversion.decision import Decision, WaiverDecision
from creditbank.conversion.holding import Applicant, Pinned, SpentElsewhere
from creditbank.conversion.policy_diff import Compared, Measure, Shift, Side, Total, shifts_between
from creditbank.conversion.programme import Programme
from creditbank.conversion.promised import Promise
from creditbank.conversion.reevaluation import Learner, Reevaluation
from creditbank.conversion.waivers import decide_waivers
from creditbank.identity.account_number import AccountNumber
from creditbank.services.applicants import require_known_facts, unheard_of
from creditbank.services.bank import Bank
from creditbank.services.cohort import Member, members
from creditbank.services.known_promises import promises_of
from creditbank.services.reevaluation import Aim, Asked, reevaluate
from creditbank.services.rule_library import RuleLibrary
from creditbank.services.workers import Workers
from creditbank.terms import ExamId, InputWarning, Microseconds, ProgrammeId, Progress

EXPLAINED_AT_ONCE = 256
"""Learners who differ, of whom it is said by which rules before the next: a second's work of one process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """As of which day, by what was known when, and what is taken for granted."""

    as_of: date
    known_at: Microseconds
    facts: tuple[tuple[str, str], ...] = ()
    """Facts that are supposed of everybody; they go before what an account says."""
    keeps_registered: bool = False
    """Whether grants that are registered stay as they are, and only the rest is decided."""
    processes: int = 1
    at_hand: RuleLibrary | None = None
    """Where packs are looked up under which something was promised; None: promises do not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Differing:
    """A learner who has more or less of a programme or exam; by which rules is not looked at yet."""

    number: AccountNumber
    compared: Compared
    learners: tuple[Learner, Learner]
    """As they are before and as they are after."""
    before: Decimal
    after: Decimal
    proved: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A learner who has more or less of a programme or exam, and by which rules."""

    number: AccountNumber
    aim: ProgrammeId | ExamId
    measure: Measure
    before: Decimal
    after: Decimal
    proved: bool
    shifts: tuple[Shift, ...]

    @property
    def change(self) -> Decimal:
        """How much more than before."""
        return self.after - self.before


@dataclass(slots=True, kw_only=True)
class Survey:
    """What a cohort comes to under two sets of rules, and who differs, in the order of the cohort.

    `warnings` are about facts supposed of everybody that rules of either side ask for and none names.
    """

    learners: int = 0
    totals: dict[Measure, Total] = field(default_factory=lambda: {"credits": Total(), "parts": Total()})
    differing: list[Differing] = field(default_factory=list)
    warnings: tuple[InputWarning, ...] = ()

    def count(self, one: Differing) -> None:
        """Count a learner in one programme or exam."""
        self.totals[one.compared.measure].count(one.before, one.after, proved=one.proved)
        if one.before != one.after:
            self.differing.append(one)


def survey(
    bank: Bank,
    cohort: Collection[AccountNumber],
    compared: Sequence[Compared],
    terms: Terms,
    *,
    on_progress: Progress,
) -> Survey:
    """Decide a cohort under two sets of rules; `on_progress` counts accounts. Who is redacted is left out.

    Raises:
        AccountUnknown: no account has one of the numbers.
        HoldingInvalid: neither a list nor a rule knows a fact that is supposed.
        PackMissing: a pack under which something was promised is not at hand, or is another one now.
    """
    sides = [side for one in compared for side in (one.before, one.after)]
    require_known_suppositions(bank, terms, sides)
    found = _Surveying(bank, compared, terms).of(cohort, on_progress)
    found.warnings = odd_suppositions(terms, sides)
    return found


def require_known_suppositions(bank: Bank, terms: Terms, sides: Sequence[Side]) -> None:
    """Make sure that the facts supposed of everybody are in the lists, or named by a rule.

    Raises:
        HoldingInvalid: they are not.
    """
    at_hand = () if terms.at_hand is None else terms.at_hand.packs
    packs = [*at_hand, *(pack for side in sides for pack in side.packs)]
    with bank.store.reading() as books:
        require_known_facts(bank, books, packs, applicant_of(terms.facts))


def odd_suppositions(terms: Terms, sides: Sequence[Side]) -> tuple[InputWarning, ...]:
    """Return what is odd about the facts supposed of everybody: once, whoever the class is."""
    return unheard_of([pack for side in sides for pack in side.packs], applicant_of(terms.facts))


def explained(found: Survey, terms: Terms, *, on_progress: Progress) -> Iterator[Difference]:
    """Yield by which rules each of those who differ has more or less; `on_progress` counts them."""
    explaining = _Explaining(
        compared={_name(one.compared): one.compared for one in found.differing},
        terms=replace(terms, at_hand=None),
    )
    differing = iter(found.differing)
    with Workers(
        explaining, lambda: explaining, processes=terms.processes, worth_sharing=EXPLAINED_AT_ONCE
    ) as workers:
        while some := list(islice(differing, EXPLAINED_AT_ONCE)):
            asked = [(_name(one.compared), one.learners) for one in some]
            for one, shifts in zip(some, workers.answers(asked), strict=True):
                on_progress(1)
                yield _difference(one, shifts)


_Name = tuple[Measure, ProgrammeId | ExamId]
_Explained = tuple[_Name, tuple[Learner, Learner]]


def _name(compared: Compared) -> _Name:
    return compared.measure, compared.id


@dataclass(frozen=True, slots=True, kw_only=True)
class _Explaining:
    """Decides a learner as before and as after, and says what shifts."""

    compared: Mapping[_Name, Compared]
    terms: Terms

    def __call__(self, asked: _Explained) -> tuple[Shift, ...]:
        name, (was, becomes) = asked
        one = self.compared[name]
        before = _decided(one.before, was, self.terms)
        return shifts_between(before, _decided(one.after, becomes, self.terms))


def _difference(one: Differing, shifts: tuple[Shift, ...]) -> Difference:
    return Difference(
        number=one.number,
        aim=one.compared.id,
        measure=one.compared.measure,
        before=one.before,
        after=one.after,
        proved=one.proved,
        shifts=shifts,
    )


class _Surveying:
    def __init__(self, bank: Bank, compared: Sequence[Compared], terms: Terms) -> None:
        self.bank = bank
        self.compared = compared
        self.terms = terms
        self.found = Survey()
        self.waiting: deque[tuple[AccountNumber, Compared, tuple[Learner, Learner]]] = deque()

    def of(self, cohort: Collection[AccountNumber], on_progress: Progress) -> Survey:
        units = reevaluate(
            self._questions(cohort, on_progress),
            self._sides(),
            processes=self.terms.processes,
            on_progress=lambda _: None,  # the accounts are counted as they are read
        )
        for before in units:
            after = next(units)
            number, compared, learners = self.waiting.popleft()
            self.found.count(
                Differing(
                    number=number,
                    compared=compared,
                    learners=learners,
                    before=before.credits,
                    after=after.credits,
                    proved=before.proved and after.proved,
                )
            )
        return self.found

    def _sides(self) -> Mapping[Aim, Reevaluation]:
        return {
            name: Reevaluation(
                side.packs,
                side.place,
                as_of=_day(side, self.terms),
                known_at=self.terms.known_at,
                node_budget=NODE_BUDGET,
            )
            for one in self.compared
            for name, side in ((_before(one), one.before), (_after(one), one.after))
        }

    def _questions(self, cohort: Collection[AccountNumber], on_progress: Progress) -> Iterator[Asked]:
        """Ask of everybody, twice in each programme and exam."""
        for member in members(self.bank, cohort):
            on_progress(1)
            if member.account is None:
                continue
            self.found.learners += 1
            for one in self.compared:
                both = (
                    learner_of(member, member.account, one.before, self.terms),
                    learner_of(member, member.account, one.after, self.terms),
                )
                self.waiting.append((member.number, one, both))
                yield _before(one), both[0]
                yield _after(one), both[1]


def learner_of(member: Member, account: AccountHoldings, side: Side, terms: Terms) -> Learner:
    """Return a member of a cohort as the rules of one side see them.

    Raises:
        PackMissing: a pack under which something was promised is not at hand, or is another one now.
    """
    known_at, aim = terms.known_at, side.place.id
    pinned: tuple[Pinned, ...] = ()
    elsewhere: tuple[SpentElsewhere, ...] = ()
    if terms.keeps_registered and isinstance(side.place, Programme):
        pinned = pinned_for_programme(account, side.place.id, known_at=known_at)
        packs = side.packs if terms.at_hand is None else (*terms.at_hand.packs, *side.packs)
        elsewhere = spent_elsewhere(account, side.place.id, packs, known_at=known_at)
    elif terms.keeps_registered:
        pinned = pinned_for_exam(account, ExamId(aim), known_at=known_at)
    return Learner(
        holdings=(*holdings_for_rules(account), *side.supposed),
        applicant=_applicant(aim, account, member.category, terms),
        pinned=pinned,
        elsewhere=elsewhere,
        promises=_promises(account, side, terms),
    )


def _promises(account: AccountHoldings, side: Side, terms: Terms) -> tuple[Promise, ...]:
    if terms.at_hand is None or not side.is_defined:
        return ()
    return promises_of(account, side.place.id, terms.at_hand, known_at=terms.known_at)


def _before(one: Compared) -> Aim:
    return Aim(f"before {one.measure} {one.id}")


def _after(one: Compared) -> Aim:
    return Aim(f"after {one.measure} {one.id}")


def _applicant(
    aim: ProgrammeId | ExamId, account: AccountHoldings, category: str | None, terms: Terms
) -> Applicant:
    """Return who a learner is to the rules: as was stated for the last grant here, and as is supposed."""
    stated: dict[str, str] = {}
    for held in account.grants:
        if _aim_of(held.granted) == aim:
            stated = dict(held.granted.facts)
    if category is not None:
        stated["category"] = category
    return applicant_of({**stated, **dict(terms.facts)}.items())


def _aim_of(granted: Granted) -> ProgrammeId | ExamId:
    target = granted.target
    return target.programme if isinstance(target, ExemptionTarget) else target.exam


def _decided(side: Side, learner: Learner, terms: Terms) -> Decision | WaiverDecision:
    if isinstance(side.place, Programme):
        return decide_exemptions(
            side.packs,
            learner.holdings,
            side.place,
            applicant=learner.applicant,
            pinned=learner.pinned,
            elsewhere=learner.elsewhere,
            promises=learner.promises,
            as_of=_day(side, terms),
            known_at=terms.known_at,
            gains=False,
        )
    return decide_waivers(
        side.packs,
        learner.holdings,
        side.place,
        applicant=learner.applicant,
        pinned=learner.pinned,
        promises=learner.promises,
        as_of=_day(side, terms),
        known_at=terms.known_at,
    )


def _day(side: Side, terms: Terms) -> date:
    return terms.as_of if side.as_of is None else side.as_of
