"""The next steps of a class: which outcome more would help how many of its learners, and by how much.

Computed, not guessed: everybody is decided with each outcome that a rule asks for, each sort of learner once
and on every core. Registered grants stay as they are. Nothing is written.
"""

from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from creditbank.conversion.allocation import NODE_BUDGET
from creditbank.conversion.holding import NOBODY_IN_PARTICULAR
from creditbank.conversion.next_steps import Addition, additions
from creditbank.conversion.policy_diff import Side
from creditbank.conversion.programme import Programme
from creditbank.conversion.reevaluation import Learner, Reevaluation
from creditbank.conversion.solving import compile_rules
from creditbank.identity.account_number import AccountNumber
from creditbank.services.bank import Bank
from creditbank.services.cohort import members
from creditbank.services.policy_diff import Terms, learner_of
from creditbank.services.ports import Progress
from creditbank.services.reevaluation import Asked, reevaluate


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

    `unproved` results of the search may be higher.
    """

    learners: int
    tried: int
    steps: tuple[ClassStep, ...]
    unproved: int


def next_steps_of(
    bank: Bank, cohort: Collection[AccountNumber], side: Side, terms: Terms, *, on_progress: Progress
) -> ClassSteps:
    """Find the next steps of a class in one programme; `on_progress` counts accounts.

    Raises:
        AccountUnknown: no account has one of the numbers.
    """
    return _Trying(bank, side, terms).of(cohort, on_progress)


class _Trying:
    def __init__(self, bank: Bank, side: Side, terms: Terms) -> None:
        assert isinstance(side.place, Programme), "a class has next steps in a programme"
        self.bank = bank
        self.side = side
        self.terms = terms
        self.name = side.place.id
        self.evaluation = Reevaluation(
            side.packs,
            side.place,
            as_of=terms.as_of,
            known_at=terms.known_at,
            node_budget=NODE_BUDGET,
        )
        compiled = compile_rules(
            side.packs,
            side.place,
            applicant=NOBODY_IN_PARTICULAR,
            as_of=terms.as_of,
            known_at=terms.known_at,
        )
        self.tried = additions(compiled.rules, as_of=terms.as_of)
        self.waiting: deque[AccountNumber] = deque()

    def of(self, cohort: Collection[AccountNumber], on_progress: Progress) -> ClassSteps:
        found = reevaluate(
            self._questions(cohort, on_progress),
            {self.name: self.evaluation},
            processes=self.terms.processes,
            on_progress=lambda _: None,  # the accounts are counted as they are read
        )
        gains: list[dict[AccountNumber, Decimal]] = [{} for _ in self.tried]
        learners = unproved = 0
        for before in found:
            number = self.waiting.popleft()
            learners += 1
            unproved += not before.proved
            for of_addition in gains:
                after = next(found)
                unproved += not after.proved
                if after.credits > before.credits:
                    of_addition[number] = after.credits - before.credits
        return ClassSteps(
            learners=learners,
            tried=len(self.tried),
            steps=_ordered(self.tried, gains),
            unproved=unproved,
        )

    def _questions(self, cohort: Collection[AccountNumber], on_progress: Progress) -> Iterator[Asked]:
        """Ask of everybody as they are, then once with each addition."""
        for member in members(self.bank, cohort):
            on_progress(1)
            if member.account is None:
                continue
            learner = learner_of(member, member.account, self.side, self.terms)
            self.waiting.append(member.number)
            yield self.name, learner
            for addition in self.tried:
                yield self.name, with_outcome(learner, addition)


def with_outcome(learner: Learner, addition: Addition) -> Learner:
    """Return the learner who holds one outcome more."""
    return replace(learner, holdings=(*learner.holdings, addition.outcome), state=None)


def _ordered(tried: tuple[Addition, ...], gains: list[dict[AccountNumber, Decimal]]) -> tuple[ClassStep, ...]:
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
    return tuple(sorted(found, key=lambda step: (-step.gained, -step.learners, step.addition.level)))
