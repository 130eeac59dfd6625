"""The JSON of suppositions and of next steps: what would be, for one learner or for a class."""

from datetime import date
from typing import Annotated, Any

from pydantic import Field

from api.decision_messages import ApplicantMessage, DecisionMessage, Question
from api.written import DayAsked, Message, ShortText
from creditbank.account.facts import facts_of
from creditbank.account.planned import parse_planned
from creditbank.conversion.decision import decimal_text, json_members
from creditbank.conversion.policy_diff import Measure, name_of
from creditbank.errors import InvalidInput
from creditbank.identity.account_number import AccountNumber, parse_account_number
from creditbank.locale.catalogue import Catalogue
from creditbank.locale.naming import names_of
from creditbank.locale.what_if_wording import shift_line, step_line, with_supposed
from creditbank.services.next_steps import ClassSteps
from creditbank.services.policy_diff import Difference, Survey, Terms
from creditbank.services.questions import AimUnclear, D
from creditbank.services.rule_library import RuleLibrary
from creditbank.services.what_if import NOTHING_SUPPOSED, Supposition, WhatIf
from creditbank.terms import ExamId, Microseconds, ProgrammeId

_CLASS_MAX = 1_000
_PLANNED_MAX = 20


class QuestionUnclear(InvalidInput):
    """Nothing is supposed."""

    code = "question-unclear"


class Supposing(Message):
    """What is supposed of a programme or an exam: outcomes more, another one instead, another day.

    `planned` outcomes are written as for a pre-decision: `kind=skill-certificate,code=X-WEB,level=1+X/中级`.
    """

    programme: ShortText | None = None
    exam: ShortText | None = None
    planned: Annotated[tuple[ShortText, ...], Field(max_length=_PLANNED_MAX)] = ()
    instead: ShortText | None = None
    instead_as_of: DayAsked | None = None

    @property
    def aim(self) -> ProgrammeId | ExamId:
        """The programme or exam asked about.

        Raises:
            AimUnclear: not exactly one is given.
        """
        if (self.programme is None) == (self.exam is None):
            raise AimUnclear("aim-unclear", field="programme")
        return ProgrammeId(self.programme) if self.programme is not None else ExamId(self.exam or "")

    def supposed(self, *, on: date) -> Supposition:
        """Return what is supposed.

        Raises:
            QuestionUnclear: nothing is.
            PlannedInvalid: an outcome is not written as one must be.
        """
        day = self.instead_as_of or on
        found = Supposition(
            outcomes=tuple(
                parse_planned(text).holding(at, awarded_on=day)
                for at, text in enumerate(self.planned, start=1)
            ),
            aim=None if self.instead is None else ProgrammeId(self.instead),
            as_of=self.instead_as_of,
        )
        if found == NOTHING_SUPPOSED:
            raise QuestionUnclear("supposed-nothing", field="planned")
        return found


class WhatIfRequest(Supposing, Question):
    """A supposition about one learner."""


class ShiftMessage(Message):
    """A course, bucket or part of which there would be more or less, or by another rule."""

    target: str
    change: str
    before: str | None
    after: str | None


class WhatIfMessage(Message):
    """Both decisions, and what shifts from which rule to which, also in sentences.

    `warnings` are about facts that rules of either decision ask for and rules of neither name.
    """

    before: DecisionMessage
    after: DecisionMessage
    shifts: tuple[ShiftMessage, ...]
    changes: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, found: WhatIf[D], supposed: Supposition, words: Catalogue, *, measure: Measure
    ) -> "WhatIfMessage":
        names = [
            names_of(words, answer.place, answer.account, answer.packs, answer.institutions)
            for answer in (found.before, found.after)
        ]
        both = with_supposed(words, names[1], supposed.outcomes)
        lines = tuple(
            shift_line(words, shift, measure, names[0] if shift.target in names[0].places else both)
            for shift in found.shifts
        )
        return cls(
            before=DecisionMessage.of(found.before, words),
            after=DecisionMessage.of(found.after, words, supposed=supposed.outcomes),
            shifts=tuple(
                ShiftMessage(
                    target=shift.target,
                    change=decimal_text(shift.change),
                    before=name_of(shift.before) or None,
                    after=name_of(shift.after) or None,
                )
                for shift in found.shifts
            ),
            changes=lines,
            warnings=tuple(map(words.warning, found.warnings)),
        )


class ClassQuestion(Message):
    """A class and what is taken for granted of it; grants that are registered stay, unless `from_nothing`."""

    accounts: Annotated[tuple[ShortText, ...], Field(min_length=1, max_length=_CLASS_MAX)]
    as_of: DayAsked | None = None
    applicant: ApplicantMessage = ApplicantMessage()
    from_nothing: bool = False

    def numbers(self) -> tuple[AccountNumber, ...]:
        """Return the accounts, each once.

        Raises:
            AccountNumberInvalid: one is no account number.
        """
        return tuple(dict.fromkeys(map(parse_account_number, self.accounts)))

    def terms(self, *, today: date, known_at: Microseconds, at_hand: RuleLibrary) -> Terms:
        """Return by what the class is decided.

        Raises:
            HoldingInvalid: a figure of the applicant's is out of its range.
        """
        return Terms(
            as_of=self.as_of or today,
            known_at=known_at,
            facts=facts_of(self.applicant.stated()),
            keeps_registered=not self.from_nothing,
            at_hand=at_hand,
        )


class ClassWhatIfRequest(Supposing, ClassQuestion):
    """A supposition about every learner of a class."""


class LearnerChange(Message):
    """A learner who would have more or less, and by which rules."""

    account: str
    before: str
    after: str
    proved: bool
    shifts: tuple[ShiftMessage, ...]


class ClassWhatIfMessage(Message):
    """What a class comes to as it is and as supposed; who stays the same is not listed.

    `warnings` what was odd about the facts supposed of everybody.
    """

    learners: int
    measure: Measure
    before: str
    after: str
    gaining: int
    losing: int
    unproved: int
    changes: tuple[LearnerChange, ...]
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, found: Survey, differences: tuple[Difference, ...], measure: Measure, words: Catalogue
    ) -> "ClassWhatIfMessage":
        total = found.totals[measure]
        return cls(
            learners=found.learners,
            measure=measure,
            before=decimal_text(total.before),
            after=decimal_text(total.after),
            gaining=total.gaining,
            losing=total.losing,
            unproved=total.unproved,
            changes=tuple(
                LearnerChange(
                    account=str(one.number),
                    before=decimal_text(one.before),
                    after=decimal_text(one.after),
                    proved=one.proved,
                    shifts=tuple(
                        ShiftMessage(
                            target=shift.target,
                            change=decimal_text(shift.change),
                            before=name_of(shift.before) or None,
                            after=name_of(shift.after) or None,
                        )
                        for shift in one.shifts
                    ),
                )
                for one in differences
            ),
            warnings=tuple(map(words.warning, found.warnings)),
        )


class NextStepsRequest(ClassQuestion):
    """Which outcome more would help a class in a programme."""

    programme: ShortText


class StepMessage(Message):
    """An outcome to get: whom it would help, how much in all and at most for one, by which rules."""

    outcome: dict[str, Any]
    rules: tuple[str, ...]
    learners: int
    gained: str
    most: str
    helped: tuple[str, ...]
    line: str


class NextStepsMessage(Message):
    """The steps that help somebody, the greatest gain first; `warnings` as about a class in a what-if."""

    learners: int
    tried: int
    unproved: int
    untried: tuple[str, ...] = ()
    steps: tuple[StepMessage, ...]
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, found: ClassSteps, words: Catalogue) -> "NextStepsMessage":
        return cls(
            learners=found.learners,
            tried=found.tried,
            unproved=found.unproved,
            untried=found.untried,
            warnings=tuple(map(words.warning, found.warnings)),
            steps=tuple(
                StepMessage(
                    outcome=json_members(step.addition.outcome),
                    rules=step.addition.rules,
                    learners=step.learners,
                    gained=decimal_text(step.gained),
                    most=decimal_text(step.most),
                    helped=tuple(map(str, step.helped)),
                    line=step_line(
                        words,
                        step.addition,
                        learners=step.learners,
                        gained=step.gained,
                        most=step.most,
                    ),
                )
                for step in found.steps
            ),
        )
