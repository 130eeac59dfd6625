"""Which parts of an exam a learner's outcomes help with: waived, nearly waived and what lacks, or to be sat.

The waivers are those of `decide_waivers`; here every part is looked at, and what stands in its way.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from creditbank.conversion.decision import JsonValue, Refusal, WaiverDecision, json_members
from creditbank.conversion.holding import NOBODY_IN_PARTICULAR, Applicant, Holding, Pinned
from creditbank.conversion.matching import LiveRule, rules_in_force
from creditbank.conversion.programme import Exam, Part
from creditbank.conversion.promised import Promise, keep
from creditbank.conversion.rule import RulePack
from creditbank.conversion.waivers import decide_waivers, parts_of
from creditbank.terms import ExamId, Microseconds, PartId, Wording

PartState = Literal[
    "registered",  # waived already
    "waived",  # a decision would waive it now
    "capped",  # a rule would, and a cap of the exam forbids it
    "nearly",  # one thing is missing, and some of what a rule asks for is there
    "unmet",  # no rule is near
    "not-waivable",  # it must be sat
    "no-rule",  # no rule in force waives it
]
_HELPED: frozenset[PartState] = frozenset({"registered", "waived", "capped", "nearly"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpedPart:
    """A part of an exam and how near it is to being waived; the figures count the decision's lists from 0."""

    id: PartId
    title: Wording
    state: PartState
    waiver: int | None = None
    refusals: tuple[int, ...] = ()  # the nearest first


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamHelp:
    """An exam part by part, and the decision about it."""

    exam: ExamId
    title: Wording
    parts: tuple[HelpedPart, ...]
    decision: WaiverDecision

    @property
    def helps(self) -> bool:
        """Whether any part is waived, or nearly."""
        return any(part.state in _HELPED for part in self.parts)

    def count(self, *states: PartState) -> int:
        """Return how many parts are in one of these states."""
        return sum(part.state in states for part in self.parts)

    def as_json(self) -> dict[str, JsonValue]:
        """Return it as canonical JSON values, as a decision is."""
        return json_members(self)


def help_with(
    packs: Iterable[RulePack],
    holdings: Iterable[Holding],
    exam: Exam,
    *,
    as_of: date,
    known_at: Microseconds,
    applicant: Applicant = NOBODY_IN_PARTICULAR,
    pinned: Iterable[Pinned] = (),
    promises: Iterable[Promise] = (),
) -> ExamHelp:
    """Say of every part of `exam` whether `holdings` waive it, and of those that they do not, what lacks.

    Raises:
        HoldingInvalid: `holding-twice`.
    """
    all_packs, promised = tuple(packs), tuple(promises)
    decision = decide_waivers(
        all_packs,
        holdings,
        exam,
        as_of=as_of,
        known_at=known_at,
        applicant=applicant,
        pinned=pinned,
        promises=promised,
    )
    seen, _ = keep(all_packs, promised, as_of=as_of)
    rules = rules_in_force(seen, exam, applicant=applicant, as_of=as_of, known_at=known_at)
    return ExamHelp(
        exam=exam.id,
        title=exam.title,
        parts=tuple(_part(part, decision, rules) for part in exam.parts),
        decision=decision,
    )


def _part(part: Part, decision: WaiverDecision, rules: Sequence[LiveRule]) -> HelpedPart:
    waiver = next((at for at, one in enumerate(decision.waivers) if one.part == part.id), None)
    speaking = {
        (live.pack.id, live.rule.id, live.rule.version): live for live in rules if part.id in parts_of(live)
    }
    against = [
        (at, one, speaking[one.cited.pack, one.cited.rule, one.cited.version])
        for at, one in enumerate(decision.refusals)
        if (one.cited.pack, one.cited.rule, one.cited.version) in speaking and one.target in (None, part.id)
    ]
    near = [at for at, one, live in against if _is_near(one, live)]
    far = [at for at, _, _ in against if at not in near]
    state: PartState
    if any(grant.target == part.id for grant in decision.pinned):
        state = "registered"
    elif not part.waivable:
        state = "not-waivable"
    elif waiver is not None:
        state = "waived"
    elif any(one.kind == "cap" for _, one, _ in against):
        state = "capped"
    elif near:
        state = "nearly"
    else:
        state = "unmet" if speaking else "no-rule"
    is_open = state in {"capped", "nearly", "unmet"}
    return HelpedPart(
        id=part.id,
        title=part.title,
        state=state,
        waiver=waiver if state == "waived" else None,
        refusals=(*near, *far) if is_open else (),
    )


def _is_near(refusal: Refusal, live: LiveRule) -> bool:
    """Whether one thing is missing, and it is not all that the rule asks for.

    Where a fact shuts the applicant out, what the premises would say is not known: that is not near.
    """
    if refusal.kind != "premise" or len(refusal.needs) != 1:
        return False
    return refusal.needs[0].attribute != "outcome" or len(live.rule.premises) > 1
