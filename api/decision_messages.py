"""The JSON of questions to the rules and of their answers: values for programs, sentences for people."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from pydantic import Field

from api.written import DateText, DayAsked, DecimalText, InstantAsked, Message, ShortText
from creditbank.account.planned import Planned, planned_holdings
from creditbank.account.step_body import StepMade
from creditbank.conversion.holding import FACTS, Applicant, Holding
from creditbank.errors import InvalidInput
from creditbank.locale.catalogue import Catalogue
from creditbank.locale.decision_wording import decision_lines
from creditbank.locale.naming import names_of
from creditbank.locale.what_if_wording import with_supposed
from creditbank.locale.wording import waiting_line
from creditbank.services import questions
from creditbank.services.conversions import Answer
from creditbank.services.known import KnownAt, LogSize
from creditbank.services.questions import D, ExemptionQuestion, WaiverQuestion, question_about
from creditbank.services.rule_library import RuleLibrary
from creditbank.terms import ExamId, ProgrammeId, microseconds

FACTS_MAX = 50
"""Facts of packs' own that one question may state."""


class KnownAtWithGrants(InvalidInput):
    """Grants are registered on what is known now, never on what was known once."""

    code = "known-at-with-grants"


class KnownAtTwice(InvalidInput):
    """A decision goes by an instant or by a size of the log, not by both."""

    code = "known-at-twice"


class KnownFacts(Message):
    """Facts about the person who asks that the bank knows; a rule that asks for a missing one says so.

    A category or form of study is a code of the bank's lists or named by a rule; a school is registered, or
    named by one.
    """

    category: ShortText | None = None
    study_form: ShortText | None = None
    cohort: Annotated[int, Field(ge=1900, le=2199)] | None = None
    region: ShortText | None = None
    major: ShortText | None = None
    enrolled_at: ShortText | None = None
    enrolled_level: ShortText | None = None
    enrolled_on: DateText | None = None
    left_on: DateText | None = None
    born_on: DateText | None = None
    term_started_on: DateText | None = None
    completed_percent: DecimalText | None = None
    years_of_work: DecimalText | None = None

    def beside(self, declared: Iterable[tuple[str, str]]) -> Applicant:
        """Return the applicant of whom facts that packs declare are stated too, by name.

        Raises:
            HoldingInvalid: a percentage is none, years of work are below 0, or a fact is declared twice.
        """
        known = {name: getattr(self, name) for name in FACTS}
        return Applicant(**known, declared=tuple(sorted(declared)))


class ApplicantMessage(KnownFacts):
    """The person who asks; `facts` are those that rule packs declare, by name: numbers and days as text."""

    facts: Annotated[dict[ShortText, ShortText], Field(max_length=FACTS_MAX)] = Field(default_factory=dict)

    def stated(self) -> Applicant:
        """Return the applicant.

        Raises:
            HoldingInvalid: a percentage is none, or years of work are below 0.
        """
        return self.beside(self.facts.items())


class StepsWithoutGrants(InvalidInput):
    """Steps are stated where nothing is registered."""

    code = "question-invalid"


class Moment(Message):
    """As of which day, by what was recorded up to which instant or, exactly, in a log of which size."""

    as_of: DayAsked | None = None
    known_at: InstantAsked | None = None
    at_size: Annotated[int, Field(ge=1, lt=2**53)] | None = None

    def known(self) -> KnownAt | None:
        """Return the instant or the size of the log asked for, None for now.

        Raises:
            KnownAtTwice: both are given.
        """
        if self.at_size is None:
            return None if self.known_at is None else microseconds(self.known_at)
        if self.known_at is not None:
            raise KnownAtTwice("known-at-twice", field="at_size")
        return LogSize(entries=self.at_size)


class Question(Moment):
    applicant: ApplicantMessage = ApplicantMessage()

    def must_not_look_back(self) -> None:
        """Refuse to register grants on what was known at another time than now.

        Raises:
            KnownAtWithGrants: `known_at` or `at_size` is given.
        """
        if self.known_at is not None or self.at_size is not None:
            raise KnownAtWithGrants("known-at-with-grants", field="known_at")


class StepMessage(Message):
    """A step of a rule's procedure that was made before the grant is registered, and by whom."""

    id: ShortText
    on: DayAsked
    by: Annotated[str, Field(max_length=200)] = ""


class GrantRequest(Question):
    """`steps` of the procedures of the rules that grant are stated where grants are registered."""

    steps: Annotated[tuple[StepMessage, ...], Field(max_length=100)] = ()

    def must_not_register(self) -> None:
        """Refuse steps in a question, which registers nothing.

        Raises:
            StepsWithoutGrants: steps are stated.
        """
        if self.steps:
            raise StepsWithoutGrants("step-without-apply", field="steps")

    def made(self) -> tuple[StepMade, ...]:
        """Return the steps as the bank keeps them."""
        return tuple(StepMade(id=step.id, on=step.on, by=step.by) for step in self.steps)


class ExemptionRequest(GrantRequest):
    """`beside_earned`: exempt no course that a course credit of the school `enrolled_at` has earned."""

    programme: ShortText
    beside_earned: bool = False

    def question(self, rules: RuleLibrary) -> ExemptionQuestion:
        """Return what is asked of the account, by these rules."""
        return ExemptionQuestion(
            library=rules, programme=ProgrammeId(self.programme), beside_earned=self.beside_earned
        )


class WaiverRequest(GrantRequest):
    exam: ShortText

    def question(self, rules: RuleLibrary) -> WaiverQuestion:
        """Return what is asked of the account, by these rules."""
        return WaiverQuestion(library=rules, exam=ExamId(self.exam))


class PreDecisionRequest(Message):
    """What a school binds itself to: an answer about a programme or an exam, up to and on a last day.

    `planned` are outcomes that are not there yet, such as `kind=skill-certificate,code=X-WEB,level=1+X/中级`.
    """

    programme: ShortText | None = None
    exam: ShortText | None = None
    until: DayAsked
    planned: Annotated[tuple[ShortText, ...], Field(max_length=20)] = ()
    applicant: ApplicantMessage = ApplicantMessage()

    def question(self, rules: RuleLibrary) -> questions.Question[Any]:
        """Return what is asked of the account, by these rules.

        Raises:
            AimUnclear: not exactly one of programme and exam is named.
        """
        return question_about(rules, programme=self.programme, exam=self.exam)


class DecisionMessage(Message):
    """The decision whole, and the same in sentences of the reader's language.

    `unpublished` are the rule packs it goes by that the ledger did not hold then; `kept` the rules that a
    pre-decision keeps in force; `worths` how what tables give for the outcomes spent came out; `warnings`
    what was odd about the facts of the applicant.
    """

    decision: dict[str, Any]
    headline: str
    grants: tuple[str, ...]
    caps: tuple[str, ...]
    refusals: tuple[str, ...]
    next_step: str | None
    nowhere: tuple[str, ...]
    unpublished: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    worths: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, answer: Answer[D], words: Catalogue, *, supposed: Sequence[Holding] = ()
    ) -> "DecisionMessage":
        """Put an answer into words; `supposed` outcomes are named as what they are."""
        decision = answer.decision
        names = names_of(words, answer.place, answer.account, answer.packs, answer.institutions)
        said = decision_lines(words, decision, with_supposed(words, names, supposed))
        return cls(
            decision=decision.as_json(),
            headline=said.headline,
            grants=said.grants,
            caps=said.caps,
            refusals=said.refusals,
            next_step=said.next_step,
            nowhere=said.nowhere,
            unpublished=answer.unpublished,
            kept=said.kept,
            worths=said.worths,
            warnings=tuple(map(words.warning, answer.warnings)),
        )


class WaitingMessage(Message):
    """What a rule grants that is not registered yet: `step` is the first of its procedure that lacks."""

    rule: str
    rule_version: int
    step: str
    line: str


class GrantsMessage(Message):
    """The decision, and the ids under which its grants now stand in the account, without those that wait.

    `promised_already` are pre-decisions that bind on the same places already, where another one was given.
    """

    answer: DecisionMessage
    registered: tuple[str, ...]
    promised_already: tuple[str, ...] = ()
    waiting: tuple[WaitingMessage, ...] = ()

    @classmethod
    def of(cls, answer: Answer[D], words: Catalogue, *, planned: Sequence[Planned] = ()) -> "GrantsMessage":
        supposed = planned_holdings(planned, today=answer.decision.as_of)
        return cls(
            answer=DecisionMessage.of(answer, words, supposed=supposed),
            registered=answer.registered,
            promised_already=answer.promised_already,
            waiting=tuple(
                WaitingMessage(
                    rule=one.cited.rule,
                    rule_version=one.cited.version,
                    step=one.step.id,
                    line=waiting_line(words, one.cited, one.step, one.titles),
                )
                for one in answer.waiting
            ),
        )
