"""Who would gain and who would lose under other rules, by how much and by which rule: nothing is written.

Everybody is decided for the units alone, each sort once and on every core; only of those who gain or lose is
the whole decision made, twice. By default nothing counts as registered: it is the rules that are compared.
"""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import islice

from creditbank.account.body import ExemptionTarget, Granted
from creditbank.account.facts import applicant_of, holdings_for_rules, pinned_for_exam, pinned_for_programme
from creditbank.account.holdings import AccountHoldings, holdings_of
from creditbank.conversion.allocation import NODE_BUDGET, decide_exemptions
from creditbank.conversion.decision import Decision, WaiverDecision
from creditbank.conversion.holding import Applicant, Pinned
from creditbank.conversion.policy_diff import Compared, Measure, Shift, Side, Total, shifts_between
from creditbank.conversion.programme import Programme
from creditbank.conversion.reevaluation import Asked as AskedFor
from creditbank.conversion.reevaluation import Learner, Reevaluation
from creditbank.conversion.waivers import decide_waivers
from creditbank.identity.account_number import AccountNumber, account_of
from creditbank.services.accounts import AccountRedacted, find_account
from creditbank.services.bank import Bank
from creditbank.services.books import Books
from creditbank.services.ports import Progress
from creditbank.services.reevaluation import Asked, reevaluate
from creditbank.terms import ExamId, Microseconds, ProgrammeId

_READ_AT_ONCE = 500
_ACCOUNTS = "account:"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Differing:
    """A learner who has more or less of a programme or exam; by which rules is not looked at yet."""

    number: AccountNumber
    compared: Compared
    learner: Learner
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
    """What a cohort comes to under two sets of rules, and who differs, in the order of the cohort."""

    learners: int = 0
    totals: dict[Measure, Total] = field(default_factory=lambda: {"credits": Total(), "parts": Total()})
    differing: list[Differing] = field(default_factory=list)

    def count(self, one: Differing) -> None:
        """Count a learner in one programme or exam."""
        self.totals[one.compared.measure].count(one.before, one.after, proved=one.proved)
        if one.before != one.after:
            self.differing.append(one)


def everybody(bank: Bank) -> tuple[AccountNumber, ...]:
    """Return every account in order, those that are redacted among them."""
    with bank.store.reading() as books:
        return tuple(account_of(subject) for subject in books.ledger.subjects(_ACCOUNTS))


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
    """
    return _Surveying(bank, compared, terms).of(cohort, on_progress)


def explained(found: Survey, terms: Terms, *, on_progress: Progress) -> Iterator[Difference]:
    """Yield by which rules each of those who differ has more or less; `on_progress` counts them."""
    for one in found.differing:
        compared = one.compared
        before = _decided(compared.before, one.learner, terms)
        after = _decided(compared.after, one.learner, terms)
        yield Difference(
            number=one.number,
            aim=compared.id,
            measure=compared.measure,
            before=one.before,
            after=one.after,
            proved=one.proved,
            shifts=shifts_between(before, after),
        )
        on_progress(1)


class _Surveying:
    def __init__(self, bank: Bank, compared: Sequence[Compared], terms: Terms) -> None:
        self.bank = bank
        self.compared = compared
        self.terms = terms
        self.found = Survey()
        self.waiting: deque[tuple[AccountNumber, Compared, Learner]] = deque()
        self.asked = {one.id: _asked_by(one) for one in compared if one.measure == "parts"}

    def of(self, cohort: Collection[AccountNumber], on_progress: Progress) -> Survey:
        units = reevaluate(
            self._questions(cohort, on_progress),
            self._programmes(),
            processes=self.terms.processes,
            on_progress=lambda _: None,  # the accounts are counted as they are read
        )
        for before in units:
            after = next(units)
            number, compared, learner = self.waiting.popleft()
            self.found.count(
                Differing(
                    number=number,
                    compared=compared,
                    learner=learner,
                    before=before.credits,
                    after=after.credits,
                    proved=before.proved and after.proved,
                )
            )
        return self.found

    def _programmes(self) -> Mapping[ProgrammeId, Reevaluation]:
        return {
            name: Reevaluation(
                side.packs,
                side.place,
                as_of=self.terms.as_of,
                known_at=self.terms.known_at,
                node_budget=NODE_BUDGET,
            )
            for one in self.compared
            for name, side in ((_before(one), one.before), (_after(one), one.after))
            if isinstance(side.place, Programme)
        }

    def _questions(self, cohort: Collection[AccountNumber], on_progress: Progress) -> Iterator[Asked]:
        """Ask of everybody, twice in each programme; the parts of exams are decided on the way."""
        for number, account, category in self._accounts(cohort):
            on_progress(1)
            if account is None:
                continue
            self.found.learners += 1
            for one in self.compared:
                learner = self._learner(one, account, category)
                if one.measure == "parts":
                    self.found.count(self._in_exam(number, one, learner))
                else:
                    self.waiting.append((number, one, learner))
                    yield _before(one), learner
                    yield _after(one), learner

    def _accounts(
        self, cohort: Collection[AccountNumber]
    ) -> Iterator[tuple[AccountNumber, AccountHoldings | None, str | None]]:
        numbers = iter(cohort)
        while some := list(islice(numbers, _READ_AT_ONCE)):
            with self.bank.store.reading() as books:
                read = [self._read(books, number) for number in some]
            yield from read

    def _read(
        self, books: Books, number: AccountNumber
    ) -> tuple[AccountNumber, AccountHoldings | None, str | None]:
        try:
            _, person = find_account(self.bank, books, number)
        except AccountRedacted:
            return number, None, None
        return number, holdings_of(books.ledger.entries_of(number.subject)), person.category

    def _learner(self, one: Compared, account: AccountHoldings, category: str | None) -> Learner:
        known_at = self.terms.known_at
        pinned: tuple[Pinned, ...] = ()
        if self.terms.keeps_registered and one.measure == "credits":
            pinned = pinned_for_programme(account, ProgrammeId(one.id), known_at=known_at)
        elif self.terms.keeps_registered:
            pinned = pinned_for_exam(account, ExamId(one.id), known_at=known_at)
        applicant = _applicant(one, account, category, self.terms)
        return Learner(holdings=holdings_for_rules(account), applicant=applicant, pinned=pinned)

    def _in_exam(self, number: AccountNumber, one: Compared, learner: Learner) -> Differing:
        held: set[AskedFor] = {(outcome.kind, outcome.code) for outcome in learner.holdings}
        held |= {(outcome.kind, None) for outcome in learner.holdings}
        counts = [0, 0]
        if not held.isdisjoint(self.asked[one.id]):
            decisions = [_decided(side, learner, self.terms) for side in (one.before, one.after)]
            counts = [len(made.waivers) for made in decisions if isinstance(made, WaiverDecision)]
        before, after = map(Decimal, counts)
        return Differing(
            number=number, compared=one, learner=learner, before=before, after=after, proved=True
        )


def _before(one: Compared) -> ProgrammeId:
    return ProgrammeId(f"before {one.id}")


def _after(one: Compared) -> ProgrammeId:
    return ProgrammeId(f"after {one.id}")


def _asked_by(one: Compared) -> frozenset[AskedFor]:
    """Return what any rule of either side may ask for."""
    packs = (*one.before.packs, *one.after.packs)
    patterns = [premise.pattern for pack in packs for rule in pack.rules for premise in rule.premises]
    return frozenset((pattern.kind, code) for pattern in patterns for code in pattern.codes or (None,))


def _applicant(one: Compared, account: AccountHoldings, category: str | None, terms: Terms) -> Applicant:
    """Return who a learner is to the rules: as was stated for the last grant here, and as is supposed."""
    stated: dict[str, str] = {}
    for held in account.grants:
        if _aim_of(held.granted) == one.id:
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
            as_of=terms.as_of,
            known_at=terms.known_at,
        )
    return decide_waivers(
        side.packs,
        learner.holdings,
        side.place,
        applicant=learner.applicant,
        pinned=learner.pinned,
        as_of=terms.as_of,
        known_at=terms.known_at,
    )
