"""What stands between a learner and a diploma, course by course: what it is reached by, or what blocks it.

A course is earned by a course credit of its own code that the learner's school states, with what credits it
states up to the course's; the school is the fact `enrolled_at`, and where it is not stated nothing is taken
for earned. Otherwise a course may be exempted by a registered grant, or be exemptable: a decision would give
it now. Figures are sums over the courses beside them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from creditbank.conversion.allocation import NODE_BUDGET
from creditbank.conversion.completion import (
    AuditedRequirement,
    Figures,
    Reached,
    Standing,
    State,
    audited_requirement,
)
from creditbank.conversion.decision import Decision, JsonValue, Refusal, json_members
from creditbank.conversion.earned import decide_beside_earned, earned_in
from creditbank.conversion.holding import NOBODY_IN_PARTICULAR, Applicant, Holding, Pinned, SpentElsewhere
from creditbank.conversion.matching import LiveRule
from creditbank.conversion.problem import common_step
from creditbank.conversion.programme import Bucket, Course, Programme
from creditbank.conversion.promised import Promise, keep
from creditbank.conversion.rule import RulePack
from creditbank.conversion.solver import Solver
from creditbank.conversion.solving import compile_rules
from creditbank.terms import CourseId, Microseconds, OutcomeId, ProgrammeId, Wording

BlockKind = Literal[
    "not-exemptible",  # the course must be taken
    "near-miss",  # one thing is missing
    "unmet",  # more than one thing is missing, or a fact about the applicant
    "cap",  # a cap, the rule's own limit or the bucket's capacity is reached
    "rule",  # something else stands in the way, as the refusal says
    "used-up",  # rules have given what they could, and no outcome is left for more
    "no-rule",  # no rule in force is about it
]
_ORDER: tuple[BlockKind, ...] = ("not-exemptible", "near-miss", "cap", "rule", "unmet", "used-up", "no-rule")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a course was earned, exempted or can be exempted by; no rule: by the outcomes as they are."""

    outcomes: tuple[OutcomeId, ...]
    pack: str | None = None
    rule: str | None = None
    version: int | None = None
    exemption: int | None = None  # which of the decision's, counted from 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Why a course, or the rest of a bucket, is not exemptable; `refusal` counts the decision's from 0."""

    kind: BlockKind
    refusal: int | None = None
    why: Wording | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedPlace:
    """A course or a bucket, how it stands and why; the sources that make it so come first."""

    id: CourseId
    title: Wording
    is_bucket: bool
    state: State
    figures: Figures
    sources: tuple[Source, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedModule:
    """A module with its courses and buckets.

    Where the programme states how many credits it must reach, that is required; otherwise all of its places.
    """

    module: str
    is_stated: bool
    figures: Figures
    places: tuple[AuditedPlace, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiplomaAudit:
    """Where a learner stands in a programme; `decision` is what can be exempted beside what is earned."""

    programme: ProgrammeId
    programme_version: int
    title: Wording
    as_of: date
    known_at: Microseconds
    school: str | None  # whose course credits count as the programme's own; None: nobody said
    total: Figures
    modules: tuple[AuditedModule, ...]
    requirements: tuple[AuditedRequirement, ...]  # those that the programme states, in its order
    elsewhere: tuple[Source, ...]  # registered grants whose place this version of the programme lacks
    decision: Decision

    @property
    def is_complete(self) -> bool:
        """Whether no credits are missing, and whatever else is required is reached."""
        return self.are_credits_there and all(one.state == "reached" for one in self.requirements)

    @property
    def are_credits_there(self) -> bool:
        """Whether no credits are missing, in any module or in all."""
        return not self.total.missing and not any(module.figures.missing for module in self.modules)

    @property
    def places(self) -> tuple[AuditedPlace, ...]:
        """Every course and bucket, module by module."""
        return tuple(place for module in self.modules for place in module.places)

    def as_json(self) -> dict[str, JsonValue]:
        """Return the audit as canonical JSON values, as a decision is."""
        return json_members(self)


def audit_diploma(
    packs: Iterable[RulePack],
    holdings: Iterable[Holding],
    programme: Programme,
    *,
    as_of: date,
    known_at: Microseconds,
    applicant: Applicant = NOBODY_IN_PARTICULAR,
    pinned: Iterable[Pinned] = (),
    elsewhere: Iterable[SpentElsewhere] = (),
    promises: Iterable[Promise] = (),
    node_budget: int = NODE_BUDGET,
    solver: Solver | None = None,
) -> DiplomaAudit:
    """Audit what `holdings` and registered grants have reached of `programme`.

    Pure; equal arguments give equal bytes. One more outcome never makes more credits missing.

    Raises:
        HoldingInvalid: `holding-twice`.
        ProgrammeInvalid: `credits-off-step`.
    """
    held, grants, promised = tuple(holdings), tuple(pinned), tuple(promises)
    all_packs = tuple(packs)
    decision = decide_beside_earned(
        all_packs,
        held,
        programme,
        as_of=as_of,
        known_at=known_at,
        applicant=applicant,
        pinned=grants,
        elsewhere=elsewhere,
        promises=promised,
        node_budget=node_budget,
        solver=solver,
    )
    seen, _ = keep(all_packs, promised, as_of=as_of)
    rules = compile_rules(seen, programme, applicant=applicant, as_of=as_of, known_at=known_at)
    earned = earned_in(programme, held, applicant.enrolled_at, grants, as_of=as_of, known_at=known_at)
    step = common_step(pack.step for pack in rules.packs)
    return _Auditing(programme, decision, rules.rules, earned, grants, step).audit(applicant, held)


class _Auditing:
    """Looks at every place of one programme for one learner."""

    def __init__(
        self,
        programme: Programme,
        decision: Decision,
        rules: Sequence[LiveRule],
        earned: Mapping[CourseId, tuple[Holding, ...]],
        pinned: Sequence[Pinned],
        step: Decimal,
    ) -> None:
        self.programme = programme
        self.decision = decision
        self.earned = earned
        self.step = step
        self.reached: list[tuple[Reached, State]] = []
        self.rules = {(live.pack.id, live.rule.id, live.rule.version): live for live in rules}
        self.grants: dict[str, list[Pinned]] = {}
        for grant in sorted(pinned, key=lambda one: (one.pack, one.rule, one.rule_version, one.spent)):
            self.grants.setdefault(grant.target, []).append(grant)

    def audit(self, applicant: Applicant, holdings: Iterable[Holding]) -> DiplomaAudit:
        programme = self.programme
        of_module: dict[str, list[AuditedPlace]] = {}
        for place in programme.places:
            of_module.setdefault(place.module, []).append(self._place(place))
        plain = [one for one in programme.requirements if one.is_plain]
        stated = {one.module: one.minimum for one in plain if one.minimum is not None}
        modules = tuple(_module(name, places, stated.get(name)) for name, places in of_module.items())
        known = {place.id for module in modules for place in module.places}
        standing = Standing(
            places=self.reached,
            holdings={one.id: one for one in holdings},
            as_of=self.decision.as_of,
            enrolled_on=applicant.enrolled_on,
        )
        return DiplomaAudit(
            programme=programme.id,
            programme_version=programme.version,
            title=programme.title,
            as_of=self.decision.as_of,
            known_at=self.decision.known_at,
            school=applicant.enrolled_at,
            total=Figures.reaching(
                stated.get(None, programme.credits), [module.figures for module in modules]
            ),
            modules=modules,
            requirements=tuple(audited_requirement(one, standing) for one in programme.requirements),
            elsewhere=tuple(
                _registered(grant)
                for target, grants in sorted(self.grants.items())
                if target not in known
                for grant in grants
            ),
            decision=self.decision,
        )

    def _place(self, place: Course | Bucket) -> AuditedPlace:
        own = self.earned.get(place.id, ())
        grants = self.grants.get(place.id, [])
        given = [at for at, one in enumerate(self.decision.exemptions) if one.target == place.id]
        reached = Reached(
            place=place,
            own=own,
            grants=tuple(grants),
            given=tuple(self.decision.exemptions[at] for at in given),
            step=self.step,
        )
        figures = reached.credits()
        state = self._state(place, figures, is_earned=bool(own), given=given)
        self.reached.append((reached, state))
        is_open = state == "missing" or (isinstance(place, Bucket) and figures.exemptable < figures.missing)
        return AuditedPlace(
            id=place.id,
            title=place.title,
            is_bucket=isinstance(place, Bucket),
            state=state,
            figures=figures,
            sources=(
                *([Source(outcomes=tuple(one.id for one in own))] if own else []),
                *(_registered(grant) for grant in grants),
                *(self._decided(at) for at in given),
            ),
            blocks=tuple(self._blocks(place)) if is_open else (),
        )

    def _state(
        self, place: Course | Bucket, figures: Figures, *, is_earned: bool, given: Sequence[int]
    ) -> State:
        if is_earned:
            return "earned"
        if place.id in self.grants and (not isinstance(place, Bucket) or not figures.missing):
            is_credited = any(grant.with_credit for grant in self.grants[place.id])
            return "exempted" if is_credited else "exempted-without-credit"
        if given:
            return "exemptable"
        return "missing"

    def _decided(self, at: int) -> Source:
        exemption = self.decision.exemptions[at]
        return Source(
            outcomes=(*exemption.spent, *exemption.witnesses),
            pack=exemption.cited.pack,
            rule=exemption.cited.rule,
            version=exemption.cited.version,
            exemption=at,
        )

    def _blocks(self, place: Course | Bucket) -> list[Block]:
        """Return everything that stands in the way, the nearest first."""
        found: list[tuple[tuple[int, int, int], Block]] = []
        if isinstance(place, Course) and not place.exemptible:
            found.append(((0, 0, 0), Block(kind="not-exemptible", why=place.why_not)))
        speaking = [live for live in self.rules.values() if _is_about(live, place)]
        for at, refusal in enumerate(self.decision.refusals):
            cited = refusal.cited
            live = self.rules[cited.pack, cited.rule, cited.version]
            if refusal.target in (None, place.id) and _is_about(live, place):
                kind = _kind(refusal)
                found.append(((_ORDER.index(kind), -(refusal.gain or 0), at), Block(kind=kind, refusal=at)))
        if not found:
            found.append(((0, 0, 0), Block(kind="used-up" if speaking else "no-rule")))
        return [block for _, block in sorted(found, key=lambda one: one[0])]


def _is_about(live: LiveRule, place: Course | Bucket) -> bool:
    """Whether a rule could exempt the course, or fill the bucket, if all it asks for were there."""
    grant = live.exemption
    if isinstance(place, Bucket):
        return place.id in grant.buckets
    is_meant = grant.courses is not None and grant.courses.covers(place)
    return is_meant and place.is_exemptible_under(live.rule.scope.categories)


def _kind(refusal: Refusal) -> BlockKind:
    match refusal.kind:
        case "premise" | "unpaired" | "gap" | "budget" if len(refusal.needs) <= 1:
            return "near-miss"
        case "premise" | "fact":
            return "unmet"
        case "no-worth" if refusal.gain is not None:
            return "near-miss"
        case "cap" | "limit" | "capacity":
            return "cap"
        case _:
            return "rule"


def _registered(grant: Pinned) -> Source:
    return Source(
        outcomes=(*grant.spent, *grant.witnesses),
        pack=grant.pack,
        rule=grant.rule,
        version=grant.rule_version,
    )


def _module(name: str, places: Sequence[AuditedPlace], stated: Decimal | None) -> AuditedModule:
    own = [place.figures for place in places]
    figures = Figures.sum_of(own) if stated is None else Figures.reaching(stated, own)
    return AuditedModule(module=name, is_stated=stated is not None, figures=figures, places=tuple(places))
