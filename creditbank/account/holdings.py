"""Fold an account's entries into what its learner holds: outcomes and grants, each with its whole story."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, assert_never

from creditbank.account.body import (
    Body,
    Corrected,
    Granted,
    Opened,
    Recorded,
    Reversed,
    Revoked,
    Suspended,
    outcome_id,
    parse_body,
)
from creditbank.account.outcome_body import BodyUnreadable
from creditbank.account.promise_body import Promised, PromiseWithdrawn
from creditbank.account.redaction import Redacted
from creditbank.ledger.entry import Entry
from creditbank.outcomes import Outcome
from creditbank.terms import IssuerId, Microseconds, OutcomeId

_ENDING_OUTCOMES = frozenset({"outcome.corrected", "outcome.revoked"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutcome:
    """One outcome as recorded, and how it ended if it did: revoked, or replaced by a correction."""

    id: OutcomeId
    outcome: Outcome
    recorded_by: IssuerId
    recorded_at: Microseconds
    corrects: OutcomeId | None = None
    ended_at: Microseconds | None = None
    revoked_from: date | None = None  # revoked, it counted before this day; None: never
    corrected_by: OutcomeId | None = None
    reason: str | None = None

    @property
    def is_current(self) -> bool:
        """Whether it has been neither revoked nor replaced."""
        return self.ended_at is None

    def is_revoked(self, *, as_of: date) -> bool:
        """Whether a revocation keeps it from counting on a day: from `revoked_from` on, or ever."""
        if self.ended_at is None or self.corrected_by is not None:
            return False
        return self.revoked_from is None or self.revoked_from <= as_of


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldGrant:
    """One exemption or waiver, and whether it still holds.

    `spent` and `witnesses` are what it rests on today: where an outcome was corrected and the grant held on,
    the outcome that took its place. `granted` has what it was granted on.
    """

    id: OutcomeId
    granted: Granted
    granted_by: IssuerId
    granted_at: Microseconds
    spent: tuple[OutcomeId, ...]
    witnesses: tuple[OutcomeId, ...]
    status: Literal["active", "suspended", "reversed", "substituted"] = "active"
    because: OutcomeId | None = None
    ended_at: Microseconds | None = None
    reason: str | None = None
    substitute: OutcomeId | None = None  # the grant that took its place

    @property
    def evidence(self) -> tuple[OutcomeId, ...]:
        """Every outcome that it rests on today."""
        return (*self.spent, *self.witnesses)

    def with_evidence(self, old: OutcomeId, new: OutcomeId) -> "HeldGrant":
        """Return the grant as it rests on `new` in the place of `old`."""
        return replace(
            self,
            spent=tuple(new if one == old else one for one in self.spent),
            witnesses=tuple(new if one == old else one for one in self.witnesses),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPromise:
    """One pre-decision, and whether it was withdrawn; past its last day it binds nobody."""

    id: OutcomeId
    promised: Promised
    given_by: IssuerId
    given_at: Microseconds
    ended_at: Microseconds | None = None
    reason: str | None = None

    def is_binding(self, day: date) -> bool:
        """Whether it holds on a day, as far as is known today."""
        return self.ended_at is None and day <= self.promised.until


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHoldings:
    """Everything an account's entries say, in the order in which they say it."""

    outcomes: tuple[HeldOutcome, ...] = ()
    grants: tuple[HeldGrant, ...] = ()
    promises: tuple[HeldPromise, ...] = ()

    @property
    def active_grants(self) -> tuple[HeldGrant, ...]:
        """The grants that still hold."""
        return tuple(grant for grant in self.grants if grant.status == "active")

    @property
    def suspended_grants(self) -> tuple[HeldGrant, ...]:
        """The grants that wait for the school to take them back or to put others in their place."""
        return tuple(grant for grant in self.grants if grant.status == "suspended")

    def grant(self, wanted: OutcomeId) -> HeldGrant | None:
        """Return the grant of this id, whatever became of it."""
        return next((held for held in self.grants if held.id == wanted), None)

    def promise(self, wanted: OutcomeId) -> HeldPromise | None:
        """Return the pre-decision of this id, withdrawn or not."""
        return next((held for held in self.promises if held.id == wanted), None)

    def outcome(self, wanted: OutcomeId) -> HeldOutcome | None:
        """Return the outcome of this id, current or not."""
        return next((held for held in self.outcomes if held.id == wanted), None)


def holdings_of(entries: Iterable[Entry]) -> AccountHoldings:
    """Fold the entries of one account, in chain order; a redacted entry says nothing any more.

    Raises:
        BodyUnreadable: an entry of ours does not say what its kind must say.
    """
    outcomes: dict[OutcomeId, HeldOutcome] = {}
    grants: dict[OutcomeId, HeldGrant] = {}
    promises: dict[OutcomeId, HeldPromise] = {}
    redacted: set[OutcomeId] = set()
    for entry in entries:
        if entry.payload is None:
            redacted.add(outcome_id(entry.leaf.seq))
            continue
        body = parse_body(entry.leaf.kind, entry.payload.content)
        ended = _ended_by(body)
        if ended in redacted:
            continue
        if ended is not None and not any(ended in held for held in (outcomes, grants, promises)):
            raise BodyUnreadable("body-names-nothing", kind=entry.leaf.kind)
        if isinstance(body, Promised | PromiseWithdrawn):
            _fold_promise(body, entry, promises)
        else:
            _fold(body, entry, outcomes, grants)
    return AccountHoldings(
        outcomes=tuple(outcomes.values()),
        grants=tuple(grants.values()),
        promises=tuple(promises.values()),
    )


def outcome_of(entries: Iterable[Entry], wanted: OutcomeId) -> HeldOutcome | None:
    """Return one outcome of an account as `holdings_of` has it.

    Of the entries those alone are read that recorded it or may have ended it.

    Raises:
        BodyUnreadable: one of these does not say what its kind must say.
    """
    held: HeldOutcome | None = None
    redacted: set[OutcomeId] = set()
    for entry in entries:
        here = outcome_id(entry.leaf.seq)
        if entry.payload is None:
            redacted.add(here)
        elif here == wanted or entry.leaf.kind in _ENDING_OUTCOMES:
            body = parse_body(entry.leaf.kind, entry.payload.content)
            ended = _ended_by(body)
            if here == wanted and isinstance(body, Recorded | Corrected) and ended not in redacted:
                held = _held(body, entry)
            elif held is not None and isinstance(body, Corrected | Revoked) and ended == wanted:
                held = _ended(held, body, entry)
    return held


def _ended_by(body: Body) -> OutcomeId | None:
    """Return the outcome, grant or pre-decision that a body ends, if it ends one."""
    match body:
        case Corrected():
            return body.corrects
        case Revoked():
            return body.revokes
        case Suspended() | Reversed():
            return body.grant
        case Granted():
            return body.replaces
        case PromiseWithdrawn():
            return body.promise
        case Opened() | Recorded() | Promised() | Redacted():
            return None
        case _:
            assert_never(body)


def _fold_promise(
    body: Promised | PromiseWithdrawn, entry: Entry, promises: dict[OutcomeId, HeldPromise]
) -> None:
    if isinstance(body, PromiseWithdrawn):
        promises[body.promise] = replace(promises[body.promise], ended_at=entry.leaf.at, reason=body.reason)
        return
    here = outcome_id(entry.leaf.seq)
    promises[here] = HeldPromise(id=here, promised=body, given_by=entry.leaf.issuer, given_at=entry.leaf.at)


def _fold(
    body: Opened | Recorded | Corrected | Revoked | Granted | Suspended | Reversed | Redacted,
    entry: Entry,
    outcomes: dict[OutcomeId, HeldOutcome],
    grants: dict[OutcomeId, HeldGrant],
) -> None:
    here, at = outcome_id(entry.leaf.seq), entry.leaf.at
    match body:
        case Opened() | Redacted():
            pass
        case Recorded():
            outcomes[here] = _held(body, entry)
        case Corrected():
            outcomes[body.corrects] = _ended(outcomes[body.corrects], body, entry)
            outcomes[here] = _held(body, entry)
            # Those that do not hold on are suspended by the entries that follow.
            for grant in [grant for grant in grants.values() if grant.status == "active"]:
                grants[grant.id] = grant.with_evidence(body.corrects, here)
        case Revoked():
            outcomes[body.revokes] = _ended(outcomes[body.revokes], body, entry)
        case Granted():
            grants[here] = HeldGrant(
                id=here,
                granted=body,
                granted_by=entry.leaf.issuer,
                granted_at=at,
                spent=body.spent,
                witnesses=body.witnesses,
            )
            if body.replaces is not None:
                grants[body.replaces] = replace(
                    grants[body.replaces], status="substituted", ended_at=at, substitute=here
                )
        case Suspended():
            ended = outcomes.get(body.because)
            rested = grants[body.grant]
            if ended is not None and ended.corrected_by is not None:
                rested = rested.with_evidence(ended.corrected_by, body.because)
            grants[body.grant] = replace(
                rested, status="suspended", because=body.because, ended_at=at, reason=body.reason
            )
        case Reversed():
            grants[body.grant] = replace(
                grants[body.grant], status="reversed", ended_at=at, reason=body.reason
            )
        case _:
            assert_never(body)


def _held(body: Recorded | Corrected, entry: Entry) -> HeldOutcome:
    return HeldOutcome(
        id=outcome_id(entry.leaf.seq),
        outcome=body.outcome,
        recorded_by=entry.leaf.issuer,
        recorded_at=entry.leaf.at,
        corrects=body.corrects if isinstance(body, Corrected) else None,
    )


def _ended(held: HeldOutcome, body: Corrected | Revoked, entry: Entry) -> HeldOutcome:
    if isinstance(body, Corrected):
        here = outcome_id(entry.leaf.seq)
        return replace(held, ended_at=entry.leaf.at, corrected_by=here, reason=body.reason)
    return replace(held, ended_at=entry.leaf.at, revoked_from=body.effective_on, reason=body.reason)
