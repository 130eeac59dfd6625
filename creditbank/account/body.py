"""What an account's entries say: the body of every entry kind, and its canonical payload.

A body names outcomes and grants by their entry in the same account. Names, citizen numbers and phones
are never in a body: they live encrypted beside the ledger and can be erased.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any, assert_never

from creditbank.account.outcome_body import BodyUnreadable, outcome_members, parse_outcome_members
from creditbank.account.promise_body import (
    Promised,
    PromiseWithdrawn,
    promise_parser,
    promised_members,
    withdrawal_members,
    withdrawal_parser,
)
from creditbank.account.redaction import Redacted, parse_redacted, redacted_members
from creditbank.account.step_body import StepMade, parse_steps, step_members
from creditbank.account.worth_body import parse_worths, worth_members
from creditbank.conversion.decision import Worth
from creditbank.errors import InvalidInput
from creditbank.ledger.encoding import JsonValue, canonical_bytes, parse_canonical
from creditbank.ledger.entry import REDACTION
from creditbank.outcomes import Outcome
from creditbank.outcomes.outcome import REASON_MAX, require_text
from creditbank.terms import (
    CourseId,
    ExamId,
    GrantKind,
    Microseconds,
    OfficerId,
    OutcomeId,
    PackId,
    PartId,
    ProgrammeId,
    RuleId,
)

_OUTCOME_ID_DIGITS = 6


def outcome_id(seq: int) -> OutcomeId:
    """Return the id of the outcome (or grant) that entry `seq` of an account records."""
    assert 0 <= seq < 10**_OUTCOME_ID_DIGITS, "an account has fewer than a million entries"
    return OutcomeId(f"{seq:0{_OUTCOME_ID_DIGITS}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """`account.opened`: whose account it is, is not in the ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """`outcome.recorded`: an issuer states an outcome; `batch` is the posted file it came in."""

    outcome: Outcome
    batch: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """`outcome.corrected`: from now on `outcome` stands in the place of the one that `corrects` names."""

    corrects: OutcomeId
    outcome: Outcome
    reason: str

    def __post_init__(self) -> None:
        require_text("reason", self.reason, max_length=REASON_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """`outcome.revoked`: it no longer counts from `effective_on`; without it, it never did."""

    revokes: OutcomeId
    reason: str
    effective_on: date | None = None

    def __post_init__(self) -> None:
        require_text("reason", self.reason, max_length=REASON_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExemptionTarget:
    """A course, or a bucket, of one programme; credits as text in the programme's own unit."""

    programme: ProgrammeId
    target: CourseId
    title: str
    credits: str
    with_credit: bool = True
    grade: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverTarget:
    """A part of one exam."""

    exam: ExamId
    part: PartId
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """`exemption.granted` or `waiver.granted`: under which rule, on what evidence, decided when."""

    target: ExemptionTarget | WaiverTarget
    pack: PackId
    pack_digest: str
    rule: RuleId
    rule_version: int
    spent: tuple[OutcomeId, ...]
    witnesses: tuple[OutcomeId, ...]
    units: int
    step: Decimal | None  # in which `units` are; None of a waiver
    as_of: date
    known_at: Microseconds
    decision: str  # hex SHA-256 of the decision's canonical bytes
    facts: tuple[tuple[str, str], ...] = ()  # what was stated about the applicant, by name (`account.facts`)
    replaces: OutcomeId | None = None  # the suspended grant in whose place it stands
    worths: tuple[Worth, ...] = ()  # of what is spent, as tables gave it on the day
    procedure: tuple[StepMade, ...] = ()  # the steps of its rule, in their order

    @property
    def evidence(self) -> tuple[OutcomeId, ...]:
        """Every outcome that the grant rests on."""
        return (*self.spent, *self.witnesses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspended:
    """`exemption.suspended` or `waiver.suspended`: `because` names the outcome that no longer counts."""

    kind: GrantKind
    grant: OutcomeId
    because: OutcomeId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversed:
    """`exemption.reversed` or `waiver.reversed`: the school takes the grant back, by two persons."""

    kind: GrantKind
    grant: OutcomeId
    reason: str
    officers: tuple[OfficerId, OfficerId] | None = None  # None in entries from before it took two

    def __post_init__(self) -> None:
        require_text("reason", self.reason, max_length=REASON_MAX)


Body = (
    Opened
    | Recorded
    | Corrected
    | Revoked
    | Granted
    | Suspended
    | Reversed
    | Promised
    | PromiseWithdrawn
    | Redacted
)


def entry_kind(body: Body) -> str:
    """Return the entry kind (DESIGN §4) under which this body is written."""
    match body:
        case Opened():
            return "account.opened"
        case Recorded():
            return "outcome.recorded"
        case Corrected():
            return "outcome.corrected"
        case Revoked():
            return "outcome.revoked"
        case Granted(target=ExemptionTarget()):
            return "exemption.granted"
        case Granted():
            return "waiver.granted"
        case Suspended():
            return f"{body.kind}.suspended"
        case Reversed():
            return f"{body.kind}.reversed"
        case Promised():
            return f"{body.kind}.promised"
        case PromiseWithdrawn():
            return f"{body.kind}.promise-withdrawn"
        case Redacted():
            return REDACTION
        case _:
            assert_never(body)


def body_content(body: Body, *, idempotency_key: str | None = None) -> bytes:
    """Return the canonical payload content; the key is part of it, so that its column can be checked."""
    members = _members(body)
    if idempotency_key is not None:
        members["idempotency_key"] = idempotency_key
    return canonical_bytes(members)


def parse_body(kind: str, content: bytes) -> Body:
    """Read a body back from an entry's kind and payload content.

    Raises:
        BodyUnreadable: they are not what the bank writes under this kind.
    """
    try:
        members = parse_canonical(content)
        if not isinstance(members, dict):
            raise BodyUnreadable("body-unreadable", kind=kind)
        return _PARSERS[kind](members)
    except (InvalidInput, LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise BodyUnreadable("body-unreadable", kind=kind) from error


def _members(body: Body) -> dict[str, JsonValue]:
    match body:
        case Opened():
            return {}
        case Recorded():
            return _stated(outcome=outcome_members(body.outcome), batch=body.batch)
        case Corrected():
            return _stated(corrects=body.corrects, outcome=outcome_members(body.outcome), reason=body.reason)
        case Revoked():
            effective_on = body.effective_on.isoformat() if body.effective_on else None
            return _stated(revokes=body.revokes, reason=body.reason, effective_on=effective_on)
        case Granted():
            return _granted_members(body)
        case Suspended():
            return _stated(grant=body.grant, because=body.because, reason=body.reason)
        case Reversed():
            officers: list[JsonValue] | None = list(body.officers) if body.officers else None
            return _stated(grant=body.grant, reason=body.reason, officers=officers)
        case Promised():
            return promised_members(body)
        case PromiseWithdrawn():
            return withdrawal_members(body)
        case Redacted():
            return redacted_members(body)
        case _:
            assert_never(body)


def _stated(**members: JsonValue) -> dict[str, JsonValue]:
    return {name: value for name, value in members.items() if value is not None}


def _granted_members(body: Granted) -> dict[str, JsonValue]:
    match body.target:
        case ExemptionTarget() as target:
            aimed_at = _stated(
                programme=target.programme,
                course=target.target,
                title=target.title,
                credits=target.credits,
                with_credit=target.with_credit,
                grade=target.grade,
            )
        case WaiverTarget() as target:
            aimed_at = _stated(exam=target.exam, part=target.part, title=target.title)
        case _:
            assert_never(body.target)
    return {
        **aimed_at,
        "pack": body.pack,
        "pack_digest": body.pack_digest,
        "rule": body.rule,
        "rule_version": body.rule_version,
        "spent": list(body.spent),
        "witnesses": list(body.witnesses),
        "units": body.units,
        **_stated(step=None if body.step is None else format(body.step, "f")),
        "as_of": body.as_of.isoformat(),
        "known_at": body.known_at,
        "decision": body.decision,
        **_stated(facts=dict(body.facts) or None, replaces=body.replaces, worths=worth_members(body.worths)),
        **_stated(procedure=step_members(body.procedure)),
    }


def _parse_recorded(members: Mapping[str, Any]) -> Recorded:
    return Recorded(outcome=parse_outcome_members(members["outcome"]), batch=members.get("batch"))


def _parse_corrected(members: Mapping[str, Any]) -> Corrected:
    return Corrected(
        corrects=OutcomeId(members["corrects"]),
        outcome=parse_outcome_members(members["outcome"]),
        reason=members["reason"],
    )


def _parse_revoked(members: Mapping[str, Any]) -> Revoked:
    effective_on = members.get("effective_on")
    return Revoked(
        revokes=OutcomeId(members["revokes"]),
        reason=members["reason"],
        effective_on=date.fromisoformat(effective_on) if effective_on is not None else None,
    )


def _parse_exemption(members: Mapping[str, Any]) -> Granted:
    return _parse_granted(
        members,
        ExemptionTarget(
            programme=ProgrammeId(members["programme"]),
            target=CourseId(members["course"]),
            title=members["title"],
            credits=members["credits"],
            with_credit=members["with_credit"],
            grade=members.get("grade"),
        ),
    )


def _parse_waiver(members: Mapping[str, Any]) -> Granted:
    return _parse_granted(
        members,
        WaiverTarget(exam=ExamId(members["exam"]), part=PartId(members["part"]), title=members["title"]),
    )


def _parse_granted(members: Mapping[str, Any], target: ExemptionTarget | WaiverTarget) -> Granted:
    return Granted(
        target=target,
        pack=PackId(members["pack"]),
        pack_digest=members["pack_digest"],
        rule=RuleId(members["rule"]),
        rule_version=members["rule_version"],
        spent=tuple(map(OutcomeId, members["spent"])),
        witnesses=tuple(map(OutcomeId, members["witnesses"])),
        units=members["units"],
        step=Decimal(members["step"]) if "step" in members else None,
        as_of=date.fromisoformat(members["as_of"]),
        known_at=Microseconds(members["known_at"]),
        decision=members["decision"],
        facts=tuple(sorted(members.get("facts", {}).items())),
        replaces=OutcomeId(members["replaces"]) if "replaces" in members else None,
        worths=parse_worths(members.get("worths", ())),
        procedure=parse_steps(members.get("procedure", ())),
    )


def _suspension_parser(kind: GrantKind) -> Callable[[Mapping[str, Any]], Suspended]:
    return lambda members: Suspended(
        kind=kind,
        grant=OutcomeId(members["grant"]),
        because=OutcomeId(members["because"]),
        reason=members["reason"],
    )


def _reversal_parser(kind: GrantKind) -> Callable[[Mapping[str, Any]], Reversed]:
    def parse(members: Mapping[str, Any]) -> Reversed:
        officers = None
        if "officers" in members:
            first, second = members["officers"]
            officers = (OfficerId(first), OfficerId(second))
        return Reversed(
            kind=kind, grant=OutcomeId(members["grant"]), reason=members["reason"], officers=officers
        )

    return parse


_PARSERS: Mapping[str, Callable[[Mapping[str, Any]], Body]] = MappingProxyType(
    {
        "account.opened": lambda _: Opened(),
        "outcome.recorded": _parse_recorded,
        "outcome.corrected": _parse_corrected,
        "outcome.revoked": _parse_revoked,
        "exemption.granted": _parse_exemption,
        "waiver.granted": _parse_waiver,
        "exemption.suspended": _suspension_parser("exemption"),
        "waiver.suspended": _suspension_parser("waiver"),
        "exemption.reversed": _reversal_parser("exemption"),
        "waiver.reversed": _reversal_parser("waiver"),
        "exemption.promised": promise_parser("exemption"),
        "waiver.promised": promise_parser("waiver"),
        "exemption.promise-withdrawn": withdrawal_parser("exemption"),
        "waiver.promise-withdrawn": withdrawal_parser("waiver"),
        REDACTION: parse_redacted,
    }
)
