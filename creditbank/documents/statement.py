"""The statement of an account as JSON, for the command line and the HTTP interface alike."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from creditbank.account.body import ExemptionTarget, Granted, WaiverTarget
from creditbank.account.holdings import HeldGrant, HeldOutcome, HeldPromise
from creditbank.account.outcome_body import outcome_members
from creditbank.account.statement import EntryLine, Statement
from creditbank.conversion.decision import Worth, WorthApplied, WorthStep, decimal_text
from creditbank.terms import Microseconds, instant


class Document(BaseModel):
    """What every part of the statement has in common."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NamesDocument(Document):
    chinese: str | None
    tibetan: str | None
    romanised: str | None


class OutcomeDocument(Document):
    """One outcome; `ended_at` is set once it is revoked or replaced."""

    id: str
    outcome: dict[str, Any]
    recorded_by: str
    recorded_at: datetime
    corrects: str | None = None
    ended_at: datetime | None = None
    corrected_by: str | None = None
    revoked_from: str | None = None
    reason: str | None = None

    @classmethod
    def of(cls, held: HeldOutcome) -> "OutcomeDocument":
        return cls(
            id=held.id,
            outcome=outcome_members(held.outcome),
            recorded_by=held.recorded_by,
            recorded_at=instant(held.recorded_at),
            corrects=held.corrects,
            ended_at=_instant(held.ended_at),
            corrected_by=held.corrected_by,
            revoked_from=held.revoked_from.isoformat() if held.revoked_from else None,
            reason=held.reason,
        )


class WorthStepDocument(Document):
    """One step from a table to a worth: what was applied, to what, and the credits after it."""

    applied: WorthApplied
    credits: str
    of: str | None = None
    by: str | None = None
    why: str | None = None

    @classmethod
    def of_step(cls, step: WorthStep) -> "WorthStepDocument":
        return cls(
            applied=step.applied,
            credits=decimal_text(step.credits),
            of=None if step.of is None else decimal_text(step.of),
            by=None if step.by is None else decimal_text(step.by),
            why=None if step.why is None else step.why.zh,
        )


class WorthDocument(Document):
    """What an outcome was worth by a table on the day of the grant, and how that came out."""

    outcome: str
    table: str
    title: str
    credits: str
    steps: tuple[WorthStepDocument, ...]

    @classmethod
    def of(cls, worth: Worth) -> "WorthDocument":
        return cls(
            outcome=worth.outcome,
            table=worth.table,
            title=worth.title.zh,
            credits=decimal_text(worth.credits),
            steps=tuple(map(WorthStepDocument.of_step, worth.steps)),
        )


class StepDocument(Document):
    """A step of the rule's procedure that was made before the grant was registered."""

    id: str
    title: str
    on: date
    by: str | None = None


class GrantDocument(Document):
    """One exemption (`programme`, `target`) or waiver (`exam`, `target`), and what it rests on."""

    id: str
    kind: Literal["exemption", "waiver"]
    status: Literal["active", "suspended", "reversed", "substituted"]
    programme: str | None = None
    exam: str | None = None
    target: str
    title: str
    credits: str | None = None
    grade: str | None = None
    pack: str
    pack_digest: str
    rule: str
    rule_version: int
    evidence: tuple[str, ...]
    granted_by: str
    granted_at: datetime
    because: str | None = None
    ended_at: datetime | None = None
    reason: str | None = None
    substitute: str | None = None
    worths: tuple[WorthDocument, ...] = ()
    procedure: tuple[StepDocument, ...] = ()

    @classmethod
    def of(cls, held: HeldGrant) -> "GrantDocument":
        granted = held.granted
        return cls(
            id=held.id,
            status=held.status,
            pack=granted.pack,
            pack_digest=granted.pack_digest,
            rule=granted.rule,
            rule_version=granted.rule_version,
            evidence=held.evidence,
            granted_by=held.granted_by,
            granted_at=instant(held.granted_at),
            because=held.because,
            ended_at=_instant(held.ended_at),
            reason=held.reason,
            substitute=held.substitute,
            worths=tuple(map(WorthDocument.of, granted.worths)),
            procedure=tuple(
                StepDocument(id=step.id, title=step.title, on=step.on, by=step.by or None)
                for step in granted.procedure
            ),
            **_target_members(granted),
        )


class PromisedPlaceDocument(Document):
    """A course, bucket or part, and the rule version under which it will be granted."""

    target: str
    title: str
    pack: str
    pack_digest: str
    rule: str
    rule_version: int


class PreDecisionDocument(Document):
    """A pre-decision about a programme or an exam; `ended_at` is set once it is withdrawn."""

    id: str
    kind: Literal["exemption", "waiver"]
    aim: str
    until: date
    places: tuple[PromisedPlaceDocument, ...]
    planned: tuple[str, ...]
    given_by: str
    given_at: datetime
    ended_at: datetime | None = None
    reason: str | None = None

    @classmethod
    def of(cls, held: HeldPromise) -> "PreDecisionDocument":
        promised = held.promised
        return cls(
            id=held.id,
            kind=promised.kind,
            aim=promised.aim,
            until=promised.until,
            places=tuple(PromisedPlaceDocument(**asdict(one)) for one in promised.places),
            planned=promised.planned,
            given_by=held.given_by,
            given_at=instant(held.given_at),
            ended_at=_instant(held.ended_at),
            reason=held.reason,
        )


class EntryDocument(Document):
    """One entry of the account's chain."""

    seq: int
    kind: str
    at: datetime
    issuer: str
    leaf_hash: str
    redacted: bool

    @classmethod
    def of(cls, line: EntryLine) -> "EntryDocument":
        return cls(
            seq=line.seq,
            kind=line.kind,
            at=instant(line.at),
            issuer=line.issuer,
            leaf_hash=line.leaf_hash.hex(),
            redacted=line.is_redacted,
        )


class StatementDocument(Document):
    """A whole account. The citizen number is not in it: whoever reads the account knows the learner."""

    account: str
    names: NamesDocument
    category: str | None
    opened_at: datetime
    course_credits: str
    outcomes: tuple[OutcomeDocument, ...]
    grants: tuple[GrantDocument, ...]
    pre_decisions: tuple[PreDecisionDocument, ...] = ()
    entries: tuple[EntryDocument, ...]
    issuers: dict[str, str]

    @classmethod
    def of(cls, statement: Statement) -> "StatementDocument":
        names = statement.person.names
        return cls(
            account=str(statement.number),
            names=NamesDocument(chinese=names.chinese, tibetan=names.tibetan, romanised=names.romanised),
            category=statement.person.category,
            opened_at=instant(statement.opened_at),
            course_credits=format(statement.course_credits, "f"),
            outcomes=tuple(OutcomeDocument.of(held) for held in statement.holdings.outcomes),
            grants=tuple(GrantDocument.of(held) for held in statement.holdings.grants),
            pre_decisions=tuple(PreDecisionDocument.of(held) for held in statement.holdings.promises),
            entries=tuple(EntryDocument.of(line) for line in statement.entries),
            issuers=dict(statement.issuer_names),
        )


def _target_members(granted: Granted) -> dict[str, Any]:
    match granted.target:
        case ExemptionTarget() as target:
            return {
                "kind": "exemption",
                "programme": target.programme,
                "target": target.target,
                "title": target.title,
                "credits": target.credits,
                "grade": target.grade,
            }
        case WaiverTarget() as target:
            return {"kind": "waiver", "exam": target.exam, "target": target.part, "title": target.title}


def _instant(stored: Microseconds | None) -> datetime | None:
    return None if stored is None else instant(stored)
