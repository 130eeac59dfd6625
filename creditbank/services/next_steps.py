"""The next steps of a class: which outcome more would help how many of its learners, and by how much.

Computed, not guessed: everybody is decided with each outcome that a rule asks for, each sort of learner once
and on every core. Registered grants stay as they are. Nothing is written.
"""

from collections import deque
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from creditbank.conversion.allocation import NODE_BUDGET
from creditbank.conversion.holding import NOBODY_IN_PARTICULAR
from creditbank.conversion.matching import LiveRule
from creditbank.conversion.next_steps import Addition, additions, without_additions
from creditbank.conversion.policy_diff import Side
from creditbank.conversion.programme import Programme
from creditbank.conversion.promised import Promise, keep
from creditbank.conversion.reevaluation import Learner, Reevaluation
from creditbank.conversion.rule import RulePack
from creditbank.conversion.solving import compile_rules
from creditbank.identity.account_number import AccountNumber
from creditbank.services.bank import Bank
from creditbank.services.cohort import members
from creditbank.services.policy_diff import Terms, learner_of, odd_suppositions, require_known_suppositions
from creditbank.services.reevaluation import Asked, reevaluate
from creditbank.terms import InputWarning, Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassStep:
    """An addition, how many learners would gain by it, and how much: in all, and the most for one."""

    addition: Addition
    learners: int
    gained: Decimal
    most: Decimal
    helped: tuple[AccountNumber, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassSteps:
    """The steps that help somebody, the greatest gain first; of equals the lower level, then by code.

    `unproved` results of the search may be higher. `untried` are rules of which no outcome can be tried: what
    it would bring hangs on what its issuer will state. `warnings` are about facts supposed of everybody.
    """

    learners: int
    tried: int
    steps: tuple[ClassStep, ...]
    unproved: int
    untried: tuple[str, ...] = ()
    warnings: tuple[InputWarning, ...] = ()


def next_steps_of(
    bank: Bank, cohort: Collection[AccountNumber], side: Side, terms: Terms, *, on_progress: Progress
) -> ClassSteps:
    """Find the next steps of a class in one programme; `on_progress` counts accounts.

    What the rules of a pre-decision ask for is tried too, for everybody: the class is read once more for it.

    Raises:
        AccountUnknown: no account has one of the numbers.
        HoldingInvalid: neither a list nor a rule knows a fact that is supposed.
        PackMissing: a pack under which something was promised is not at hand, or is another one now.
    """
    require_known_suppositions(bank, terms, [side])
    return _Trying(bank, side, terms).of(cohort, on_progress)


class _Trying:
    def __init__(self, bank: Bank, side: Side, terms: Terms) -> None:
        assert isinstance(side.place, Programme), "a class has next steps in a programme"
        self.bank = bank
        self.side = side
        self.terms = terms
        self.programme = side.place
        self.name = side.place.id
        self.evaluation = Reevaluation(
            side.packs,
            side.place,
            as_of=terms.as_of,
            known_at=terms.known_at,
            node_budget=NODE_BUDGET,
        )
        self.tried = self._additions(side.packs)
        self.promised: dict[Hashable, Promise] = {}
        self.waiting: deque[AccountNumber] = deque()

    def of(self, cohort: Collection[AccountNumber], on_progress: Progress) -> ClassSteps:
        first = self._found(cohort, self.tried, on_progress)
        promised = self._promised_additions()
        second = self._found(cohort, promised, lambda _: None) if promised else _Found()
        return ClassSteps(
            learners=first.learners,
            tried=len(self.tried) + len(promised),
            steps=_ordered((*self.tried, *promised), (*first.gains, *second.gains)),
            unproved=first.unproved + second.unproved,
            untried=without_additions(self._rules(self.side.packs), as_of=self.terms.as_of),
            warnings=odd_suppositions(self.terms, [self.side]),
        )

    def _found(
        self, cohort: Collection[AccountNumber], tried: Sequence[Addition], on_progress: Progress
    ) -> "_Found":
        units = reevaluate(
            self._questions(cohort, tried, on_progress),
            {self.name: self.evaluation},
            processes=self.terms.processes,
            on_progress=lambda _: None,  # the accounts are counted as they are read
        )
        found = _Found(gains=[{} for _ in tried])
        for before in units:
            number = self.waiting.popleft()
            found.learners += 1
            found.unproved += not before.proved
            for of_addition in found.gains:
                after = next(units)
                found.unproved += not after.proved
                if after.credits > before.credits:
                    of_addition[number] = after.credits - before.credits
        return found

    def _questions(
        self, cohort: Collection[AccountNumber], tried: Sequence[Addition], on_progress: Progress
    ) -> Iterator[Asked]:
        """Ask of everybody as they are, then once with each addition."""
        for member in members(self.bank, cohort):
            on_progress(1)
            if member.account is None:
                continue
            learner = learner_of(member, member.account, self.side, self.terms)
            self.promised.update((promise.terms, promise) for promise in learner.promises)
            self.waiting.append(member.number)
            yield self.name, learner
            for addition in tried:
                yield self.name, with_outcome(learner, addition)

    def _additions(self, packs: Iterable[RulePack]) -> tuple[Addition, ...]:
        return additions(self._rules(packs), as_of=self.terms.as_of)

    def _rules(self, packs: Iterable[RulePack]) -> tuple[LiveRule, ...]:
        compiled = compile_rules(
            packs,
            self.programme,
            applicant=NOBODY_IN_PARTICULAR,
            as_of=self.terms.as_of,
            known_at=self.terms.known_at,
        )
        return compiled.rules

    def _promised_additions(self) -> tuple[Addition, ...]:
        """Return what only rules ask for that are in force by promise."""
        packs, kept = keep(self.side.packs, self.promised.values(), as_of=self.terms.as_of)
        known = {addition.outcome for addition in self.tried}
        every = self._additions(packs) if kept else ()
        return tuple(addition for addition in every if addition.outcome not in known)


@dataclass(slots=True, kw_only=True)
class _Found:
    """What additions bring: by addition, and of it by learner."""

    learners: int = 0
    unproved: int = 0
    gains: list[dict[AccountNumber, Decimal]] = field(default_factory=list)


def with_outcome(learner: Learner, addition: Addition) -> Learner:
    """Return the learner who holds one outcome more."""
    return replace(learner, holdings=(*learner.holdings, addition.outcome), state=None)


def _ordered(
    tried: Sequence[Addition], gains: Sequence[dict[AccountNumber, Decimal]]
) -> tuple[ClassStep, ...]:
    found = [
        ClassStep(
            addition=addition,
            learners=len(gained),
            gained=sum(gained.values(), Decimal(0)),
            most=max(gained.values()),
            helped=tuple(gained),
        )
        for addition, gained in zip(tried, gains, strict=True)
        if gained
    ]
    return tuple(sorted(found, key=_order))


def _order(step: ClassStep) -> tuple[Decimal, int, int, str, str]:
    outcome = step.addition.outcome
    return -step.gained, -step.learners, step.addition.level, outcome.kind, outcome.code or ""
