"""Pre-decisions in an account's entries: a school binds itself, up to a last day, to what it answered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from creditbank.ledger.encoding import JsonValue
from creditbank.outcomes.outcome import REASON_MAX, require_text
from creditbank.terms import (
    ExamId,
    GrantKind,
    Microseconds,
    OfficerId,
    OutcomeId,
    PackId,
    ProgrammeId,
    RuleId,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromisedPlace:
    """A course, bucket or part, and the rule version under which it will be granted."""

    target: str
    title: str
    pack: PackId
    pack_digest: str
    rule: RuleId
    rule_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """`exemption.promised` or `waiver.promised`: a pre-decision, binding the school up to and on a last day.

    `planned` describes outcomes that are not there yet and on which it was decided; `decision` is the hex
    SHA-256 of the decision's canonical bytes, with these among the learner's outcomes.
    """

    kind: GrantKind
    aim: ProgrammeId | ExamId
    places: tuple[PromisedPlace, ...]
    until: date
    planned: tuple[str, ...]
    as_of: date
    known_at: Microseconds
    decision: str
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseWithdrawn:
    """`exemption.promise-withdrawn` or `waiver.promise-withdrawn`: the school takes a pre-decision back."""

    kind: GrantKind
    promise: OutcomeId
    reason: str
    officers: tuple[OfficerId, OfficerId]

    def __post_init__(self) -> None:
        require_text("reason", self.reason, max_length=REASON_MAX)


def promised_members(body: Promised) -> dict[str, JsonValue]:
    """Return what the entry of a pre-decision says."""
    places: list[JsonValue] = [
        {
            "target": one.target,
            "title": one.title,
            "pack": one.pack,
            "pack_digest": one.pack_digest,
            "rule": one.rule,
            "rule_version": one.rule_version,
        }
        for one in body.places
    ]
    members: dict[str, JsonValue] = {
        ("programme" if body.kind == "exemption" else "exam"): body.aim,
        "places": places,
        "until": body.until.isoformat(),
        "as_of": body.as_of.isoformat(),
        "known_at": body.known_at,
        "decision": body.decision,
    }
    if body.planned:
        members["planned"] = list(body.planned)
    if body.facts:
        members["facts"] = dict(body.facts)
    return members


def withdrawal_members(body: PromiseWithdrawn) -> dict[str, JsonValue]:
    """Return what the entry of a withdrawal says."""
    return {"promise": body.promise, "reason": body.reason, "officers": list(body.officers)}


def promise_parser(kind: GrantKind) -> Callable[[Mapping[str, Any]], Promised]:
    """Return what reads the entries of one kind back."""
    return lambda members: Promised(
        kind=kind,
        aim=ProgrammeId(members["programme"]) if kind == "exemption" else ExamId(members["exam"]),
        places=tuple(
            PromisedPlace(
                target=one["target"],
                title=one["title"],
                pack=PackId(one["pack"]),
                pack_digest=one["pack_digest"],
                rule=RuleId(one["rule"]),
                rule_version=one["rule_version"],
            )
            for one in members["places"]
        ),
        until=date.fromisoformat(members["until"]),
        planned=tuple(members.get("planned", ())),
        as_of=date.fromisoformat(members["as_of"]),
        known_at=Microseconds(members["known_at"]),
        decision=members["decision"],
        facts=tuple(sorted(members.get("facts", {}).items())),
    )


def withdrawal_parser(kind: GrantKind) -> Callable[[Mapping[str, Any]], PromiseWithdrawn]:
    """Return what reads the entries of one kind back."""

    def parse(members: Mapping[str, Any]) -> PromiseWithdrawn:
        first, second = members["officers"]
        return PromiseWithdrawn(
            kind=kind,
            promise=OutcomeId(members["promise"]),
            reason=members["reason"],
            officers=(OfficerId(first), OfficerId(second)),
        )

    return parse
