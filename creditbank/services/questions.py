"""What can be asked of an account: which courses of a programme, or which parts of an exam, it frees from."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Protocol, Self, TypeVar

from creditbank.account.facts import (
    holdings_for_rules,
    pinned_for_exam,
    pinned_for_programme,
    spent_elsewhere,
)
from creditbank.account.holdings import AccountHoldings
from creditbank.conversion.allocation import decide_exemptions
from creditbank.conversion.decision import (
    Decision,
    WaiverDecision,
)
from creditbank.conversion.earned import decide_beside_earned
from creditbank.conversion.holding import Applicant, Holding
from creditbank.conversion.programme import Exam, Programme
from creditbank.conversion.promised import Promise
from creditbank.conversion.published import Published
from creditbank.conversion.rule import RulePack
from creditbank.conversion.solver import Solver
from creditbank.conversion.waivers import decide_waivers
from creditbank.errors import InvalidInput
from creditbank.services.known_promises import promises_of
from creditbank.services.rule_library import RuleLibrary
from creditbank.terms import ExamId, Microseconds, ProgrammeId

D = TypeVar("D", Decision, WaiverDecision)
D_co = TypeVar("D_co", Decision, WaiverDecision, covariant=True)
Place = Programme | Exam


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked(ABC):
    """What questions have in common; `at_hand` has what is unpublished too, where `library` leaves it out.

    `solver` is asked where the search for an answer ends before it is proved.
    """

    library: RuleLibrary
    at_hand: RuleLibrary | None = None
    solver: Solver | None = None

    @property
    @abstractmethod
    def aim(self) -> ProgrammeId | ExamId:
        """What is asked about."""

    @property
    def authorities(self) -> Sequence[str]:
        """The authorities whose publications the answer goes by."""
        return self.library.authorities_for(self.aim)

    def given(self, published: Published, *, solver: Solver | None = None) -> Self:
        """Return the question to those rules alone that decisions go by, and with the bank's solver."""
        at_hand = self.at_hand or self.library
        return replace(self, library=self.library.as_known(published), at_hand=at_hand, solver=solver)

    def promises(self, account: AccountHoldings, known_at: Microseconds) -> Sequence[Promise]:
        """Return what was promised by pre-decision, as known then."""
        return promises_of(account, self.aim, self.at_hand or self.library, known_at=known_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExemptionQuestion(_Asked):
    """Which courses of a programme do an account's outcomes exempt?

    `beside_earned`: no course that is earned already, and by no outcome that earns one (`conversion.earned`).
    """

    programme: ProgrammeId
    beside_earned: bool = False

    @property
    def aim(self) -> ProgrammeId:
        """What is asked about."""
        return self.programme

    def packs(self, known_at: Microseconds) -> Sequence[RulePack]:
        """Return the packs whose rules may apply, as they were known then."""
        return self.library.packs_for_programme(self.programme, known_at=known_at)

    def place(self, as_of: date, *, known_at: Microseconds | None = None) -> Programme:
        """Return the programme as it stands on a day, by what was published then."""
        return self.library.programme(self.programme, as_of=as_of, known_at=known_at)

    def decide(
        self,
        account: AccountHoldings,
        applicant: Applicant,
        *,
        as_of: date,
        known_at: Microseconds,
        planned: Sequence[Holding] = (),
    ) -> Decision:
        """Decide; exemptions in this programme that hold already are pinned."""
        decide = decide_beside_earned if self.beside_earned else decide_exemptions
        return decide(
            self.packs(known_at),
            (*holdings_for_rules(account), *planned),
            self.place(as_of, known_at=known_at),
            applicant=applicant,
            pinned=pinned_for_programme(account, self.programme, known_at=known_at),
            elsewhere=spent_elsewhere(
                account, self.programme, (self.at_hand or self.library).packs, known_at=known_at
            ),
            promises=self.promises(account, known_at),
            as_of=as_of,
            known_at=known_at,
            solver=self.solver,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverQuestion(_Asked):
    """Which parts of an exam do an account's outcomes waive?"""

    exam: ExamId

    @property
    def aim(self) -> ExamId:
        """What is asked about."""
        return self.exam

    def packs(self, known_at: Microseconds) -> Sequence[RulePack]:
        """Return the packs whose rules may apply, as they were known then."""
        return self.library.packs_for_exam(self.exam, known_at=known_at)

    def place(self, as_of: date, *, known_at: Microseconds | None = None) -> Exam:
        """Return the exam as it stands on a day, by what was published then."""
        return self.library.exam(self.exam, as_of=as_of, known_at=known_at)

    def decide(
        self,
        account: AccountHoldings,
        applicant: Applicant,
        *,
        as_of: date,
        known_at: Microseconds,
        planned: Sequence[Holding] = (),
    ) -> WaiverDecision:
        """Decide; waivers in this exam that hold already are pinned."""
        return decide_waivers(
            self.packs(known_at),
            (*holdings_for_rules(account), *planned),
            self.place(as_of, known_at=known_at),
            applicant=applicant,
            pinned=pinned_for_exam(account, self.exam, known_at=known_at),
            promises=self.promises(account, known_at),
            as_of=as_of,
            known_at=known_at,
        )


class AimUnclear(InvalidInput):
    """A question is about one programme or about one exam."""

    code = "aim-unclear"


def question_about(library: RuleLibrary, *, programme: str | None, exam: str | None) -> "Question[Any]":
    """Return the question about a programme or about an exam, whichever is named.

    Raises:
        AimUnclear: not exactly one of them is.
    """
    if programme is not None and exam is None:
        return ExemptionQuestion(library=library, programme=ProgrammeId(programme))
    if exam is not None and programme is None:
        return WaiverQuestion(library=library, exam=ExamId(exam))
    raise AimUnclear("aim-unclear", field="programme")


class Question(Protocol[D_co]):
    """What can be asked of an account."""

    @property
    def library(self) -> RuleLibrary: ...

    @property
    def authorities(self) -> Sequence[str]: ...

    def given(self, published: Published, *, solver: Solver | None = None) -> "Question[D_co]": ...

    def packs(self, known_at: Microseconds) -> Sequence[RulePack]: ...

    def place(self, as_of: date, *, known_at: Microseconds | None = None) -> Place: ...

    def promises(self, account: AccountHoldings, known_at: Microseconds) -> Sequence[Promise]: ...

    def decide(
        self,
        account: AccountHoldings,
        applicant: Applicant,
        *,
        as_of: date,
        known_at: Microseconds,
        planned: Sequence[Holding] = (),
    ) -> D_co: ...
