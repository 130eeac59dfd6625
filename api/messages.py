"""The JSON that the HTTP interface takes and gives. Unknown members are refused; decimals are strings."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from api.written import DateText, DayAsked, DecimalText, Message, ShortText
from creditbank.account.body import ExemptionTarget
from creditbank.account.outcome_body import outcome_members
from creditbank.identity.citizen_number import parse_citizen_number
from creditbank.identity.names import PersonNames
from creditbank.identity.person import Person
from creditbank.outcomes import Outcome
from creditbank.outcomes.award import Award
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.course import CourseCredit
from creditbank.outcomes.diploma import Diploma
from creditbank.outcomes.experience import Experience
from creditbank.outcomes.outcome import ATTRIBUTES_MAX, FrameworkLevel, attributes_of
from creditbank.outcomes.training import Training
from creditbank.services.accounts import OpenedAccount
from creditbank.services.bank import EntryReceipt
from creditbank.services.cascade import Offer
from creditbank.services.verify_certificate import NotFoundForThisName, Verified
from creditbank.terms import IssuerId, instant


class NamesMessage(Message):
    chinese: ShortText | None = None
    tibetan: ShortText | None = None
    romanised: ShortText | None = None


class AccountRequest(Message):
    """Open an account for this person."""

    names: NamesMessage
    citizen_number: ShortText | None = None
    phone: ShortText | None = None
    category: ShortText | None = None

    def person(self, *, allow_test_numbers: bool) -> Person:
        """Return the person.

        Raises:
            InvalidInput: a name or a number is not one.
        """
        stated = self.citizen_number
        number = None
        if stated is not None:
            number = parse_citizen_number(stated, allow_test_numbers=allow_test_numbers)
        return Person(
            names=PersonNames(**self.names.model_dump()),
            citizen_number=number,
            phone=self.phone,
            category=self.category,
        )


class LevelMessage(Message):
    """A level and the framework in which it is one."""

    framework: ShortText
    level: ShortText


class OutcomeMembers(Message):
    """What may be stated of any outcome: what an examiner found, such as `{"overlap": "80"}`."""

    attributes: dict[ShortText, ShortText] = Field(default_factory=dict, max_length=ATTRIBUTES_MAX)


class DiplomaMessage(OutcomeMembers):
    kind: Literal["diploma"]
    number: ShortText
    level: LevelMessage
    major_code: ShortText
    major: ShortText
    awarded_on: DateText
    study_form: ShortText | None = None


class SkillCertificateMessage(OutcomeMembers):
    kind: Literal["skill-certificate"]
    number: ShortText
    standard: ShortText
    title: ShortText
    level: LevelMessage | None  # null: of a standard without levels
    awarded_on: DateText
    expires_on: DateText | None = None
    score: DecimalText | None = None


class CourseCreditMessage(OutcomeMembers):
    kind: Literal["course-credit"]
    course_code: ShortText
    title: ShortText
    credits: DecimalText
    awarded_on: DateText
    hours: DecimalText | None = None
    hours_per_credit: DecimalText | None = None
    score: DecimalText | None = None
    grade: ShortText | None = None
    mode: ShortText = "campus"


class TrainingMessage(OutcomeMembers):
    kind: Literal["training"]
    programme_code: ShortText
    title: ShortText
    hours: DecimalText
    awarded_on: DateText
    started_on: DateText | None = None


class AwardMessage(OutcomeMembers):
    kind: Literal["award"]
    contest_code: ShortText
    title: ShortText
    organiser_level: ShortText
    rank: ShortText
    awarded_on: DateText
    team_size: int = 1
    position: int = 1


class ExperienceMessage(OutcomeMembers):
    kind: Literal["experience"]
    form: ShortText
    title: ShortText
    started_on: DateText
    awarded_on: DateText
    hours: DecimalText | None = None


OutcomeMessage = Annotated[
    DiplomaMessage
    | SkillCertificateMessage
    | CourseCreditMessage
    | TrainingMessage
    | AwardMessage
    | ExperienceMessage,
    Field(discriminator="kind"),
]

_TYPES: Mapping[str, type[Outcome]] = {
    "diploma": Diploma,
    "skill-certificate": SkillCertificate,
    "course-credit": CourseCredit,
    "training": Training,
    "award": Award,
    "experience": Experience,
}


def outcome_stated(message: OutcomeMessage, *, issuer: IssuerId) -> Outcome:
    """Return the outcome as `issuer`, who is asking, states it.

    Raises:
        OutcomeInvalid: it contradicts itself.
    """
    members: dict[str, Any] = {name: getattr(message, name) for name in type(message).model_fields}
    kind = members.pop("kind")
    members["attributes"] = attributes_of(members["attributes"].items())
    if isinstance(members.get("level"), LevelMessage):
        members["level"] = FrameworkLevel(**members["level"].model_dump())
    return _TYPES[kind](issuer=issuer, **members)


class OutcomeRequest(Message):
    """Record this outcome in the name of the institution that is asking."""

    outcome: OutcomeMessage


class CorrectionRequest(Message):
    """Put `outcome` in the place of the one in the path."""

    outcome: OutcomeMessage
    reason: ShortText


class RevocationRequest(Message):
    """End the outcome in the path; `effective_on` makes it count from an earlier day."""

    reason: ShortText
    effective_on: DateText | None = None


class ConfirmationRequest(Message):
    """Confirm that the suspended grant in the path has ended, and why."""

    reason: ShortText


class ReceiptMessage(Message):
    """Which entry was made. `repeated`: an earlier request with the same key made it."""

    subject: str
    seq: int
    leaf_hash: str
    recorded_at: datetime
    repeated: bool

    @classmethod
    def of(cls, receipt: EntryReceipt) -> "ReceiptMessage":
        return cls(
            subject=receipt.subject,
            seq=receipt.seq,
            leaf_hash=receipt.leaf_hash.hex(),
            recorded_at=instant(receipt.recorded_at),
            repeated=receipt.repeated,
        )

    def as_repetition(self) -> Self:
        return self.model_copy(update={"repeated": True})


class OpenedMessage(Message):
    account: str
    receipt: ReceiptMessage

    @classmethod
    def of(cls, opened: OpenedAccount) -> "OpenedMessage":
        return cls(account=str(opened.number), receipt=ReceiptMessage.of(opened.receipt))

    def as_repetition(self) -> Self:
        return self.model_copy(update={"receipt": self.receipt.as_repetition()})


class OfferMessage(Message):
    """A suspended grant, and what could stand in its place; `substitute` is None where nothing can."""

    grant: str
    because: str | None
    target: str
    substitute: dict[str, Any] | None

    @classmethod
    def of(cls, offer: Offer) -> "OfferMessage":
        granted, found = offer.suspended.granted, offer.substitute
        target = granted.target
        return cls(
            grant=offer.suspended.id,
            because=offer.suspended.because,
            target=target.target if isinstance(target, ExemptionTarget) else target.part,
            substitute=None
            if found is None
            else {
                "rule": found.rule,
                "rule_version": found.rule_version,
                "pack": found.pack,
                "pack_digest": found.pack_digest,
                "evidence": list(found.evidence),
                "as_of": found.as_of.isoformat(),
            },
        )


class OffersMessage(Message):
    """Every suspended grant of an account."""

    suspended: tuple[OfferMessage, ...]

    @classmethod
    def of(cls, found: Sequence[Offer]) -> "OffersMessage":
        return cls(suspended=tuple(OfferMessage.of(offer) for offer in found))


class VerificationRequest(Message):
    """A certificate's or diploma's number and its holder's name, in any script."""

    number: ShortText
    name: ShortText
    as_of: DayAsked | None = None


class CheckMessage(Message):
    name: str
    passed: bool


class VerificationMessage(Message):
    """`found` is false for every kind of miss alike. `valid` says whether every check passed."""

    found: bool
    valid: bool
    outcome: dict[str, Any] | None = None
    issuer_name: str | None = None
    checks: tuple[CheckMessage, ...] = ()
    log_index: int | None = None
    log_size: int | None = None
    leaf_hash: str | None = None

    @classmethod
    def of(cls, answer: Verified | NotFoundForThisName) -> "VerificationMessage":
        if isinstance(answer, NotFoundForThisName):
            return cls(found=False, valid=False)
        report = answer.report
        return cls(
            found=True,
            valid=report.passed,
            outcome=outcome_members(report.outcome),
            issuer_name=answer.issuer_name,
            checks=tuple(CheckMessage(name=check.name, passed=check.passed) for check in report.checks),
            log_index=answer.log_index,
            log_size=answer.log_size,
            leaf_hash=answer.leaf_hash.hex(),
        )


class HealthMessage(Message):
    status: Literal["ok"]


class PublishingMessage(Message):
    """How publishing goes: `failing` with the codes of the last attempt's error, and since when."""

    state: Literal["on-interval", "elsewhere", "failing"]
    published_size: int | None
    code: str | None = None
    reason: str | None = None
    failed_since: datetime | None = None


class ReadinessMessage(Message):
    status: Literal["ready"]
    log_size: int
    publishing: PublishingMessage
