"""Which parts of an exam a learner's outcomes waive: the union of the rules that match, cut by the caps.

Premises only hold here (a diploma is not spent), so there is little to search: the caps take the parts in
their published order, each under a rule that leaves room for the next, of equals the first in rank. Of an
exclusive group one rule applies: the one with which most parts are waived, and of equals the first.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import product

from creditbank.conversion.decision import CapUse, Need, Refusal, Waiver, WaiverDecision
from creditbank.conversion.explanation import next_step
from creditbank.conversion.holding import NOBODY_IN_PARTICULAR, Applicant, Holding, Pinned
from creditbank.conversion.matching import (
    Index,
    LiveRule,
    Match,
    Option,
    index_of,
    matches,
    ordered,
    rules_in_force,
)
from creditbank.conversion.near_miss import supplied
from creditbank.conversion.options import options_of
from creditbank.conversion.programme import CapPart, Exam, Part, PartCap
from creditbank.conversion.promised import Promise, keep
from creditbank.conversion.registered import KnownRules
from creditbank.conversion.rule import RulePack, WaiverGrant
from creditbank.conversion.unmet import needs_of
from creditbank.conversion.void import voiding
from creditbank.terms import Microseconds, OutcomeId, PartId, RuleId


def decide_waivers(
    packs: Iterable[RulePack],
    holdings: Iterable[Holding],
    exam: Exam,
    *,
    as_of: date,
    known_at: Microseconds,
    applicant: Applicant = NOBODY_IN_PARTICULAR,
    pinned: Iterable[Pinned] = (),
    promises: Iterable[Promise] = (),
) -> WaiverDecision:
    """Decide which parts of `exam` need not be sat on the day `as_of`, going by what was known at `known_at`.

    Parts in `pinned` are waived already and count toward every cap; the rules of `promises` are in force as
    they were promised.

    Raises:
        HoldingInvalid: `holding-twice`: two holdings have the same id.
    """
    seen, kept = keep(packs, promises, as_of=as_of)
    compiled = compile_waivers(seen, exam, applicant=applicant, as_of=as_of, known_at=known_at)
    question = _question(compiled, holdings, pinned)
    return replace(_decision(question, question.answer(question.holdings)), kept=kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledWaivers:
    """The rules in force for one exam and one sort of applicant, indexed: the same for many learners."""

    exam: Exam
    rules: tuple[LiveRule, ...]
    index: Index
    known_rules: KnownRules
    as_of: date
    known_at: Microseconds


def compile_waivers(
    packs: Iterable[RulePack], exam: Exam, *, applicant: Applicant, as_of: date, known_at: Microseconds
) -> CompiledWaivers:
    """Return what of a decision about waivers does not depend on the learner's outcomes."""
    all_packs = sorted(packs, key=lambda pack: (pack.id, pack.digest))
    rules = rules_in_force(all_packs, exam, applicant=applicant, as_of=as_of, known_at=known_at)
    return CompiledWaivers(
        exam=exam,
        rules=rules,
        index=index_of(rules),
        known_rules=KnownRules(all_packs),
        as_of=as_of,
        known_at=known_at,
    )


def count_waivers(
    compiled: CompiledWaivers, holdings: Iterable[Holding], *, pinned: Iterable[Pinned] = ()
) -> int:
    """Return how many parts `decide_waivers` would waive, without saying what lacks for the others.

    Raises:
        HoldingInvalid: `holding-twice`: two holdings have the same id.
    """
    question = _question(compiled, holdings, pinned)
    return len(question.answer(question.holdings).waived)


def _question(
    compiled: CompiledWaivers, holdings: Iterable[Holding], pinned: Iterable[Pinned]
) -> "_Question":
    return _Question(
        exam=compiled.exam,
        rules=compiled.rules,
        index=compiled.index,
        known_rules=compiled.known_rules,
        holdings=ordered(holdings, known_at=compiled.known_at),
        pinned=tuple(sorted(pinned, key=lambda grant: (grant.target, grant.pack, grant.rule))),
        as_of=compiled.as_of,
        known_at=compiled.known_at,
    )


_Waived = Mapping[PartId, Option]
"""The parts that are waived, and by what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    matches: tuple[Match, ...]
    options: tuple[Option | None, ...]  # of each rule
    waived: _Waived
    excluded: Mapping[int, RuleId]  # rules kept out, and which other one of their group applies


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    exam: Exam
    rules: tuple[LiveRule, ...]
    index: Index
    known_rules: KnownRules
    holdings: tuple[Holding, ...]
    pinned: tuple[Pinned, ...]
    as_of: date
    known_at: Microseconds

    @property
    def waived_before(self) -> frozenset[str]:
        return frozenset(grant.target for grant in self.pinned)

    def answer(self, holdings: Sequence[Holding]) -> _Answer:
        found = matches(self.rules, holdings, as_of=self.as_of, known_at=self.known_at, index=self.index)
        options = tuple(
            None
            if self.void(match.live, holdings)
            else next(iter(options_of(match, as_of=self.as_of)[0]), None)
            for match in found
        )
        answers = (self._without(found, options, excluded) for excluded in self._exclusions(options))
        return max(answers, key=lambda answer: len(answer.waived))  # of equals the first

    def void(self, live: LiveRule, holdings: Sequence[Holding]) -> tuple[OutcomeId, ...]:
        """Return the outcomes that make what the rule waives void."""
        scales = live.pack.scales
        return voiding(live.rule, holdings, scales=scales, as_of=self.as_of, known_at=self.known_at)

    def _exclusions(self, options: Sequence[Option | None]) -> Iterator[dict[int, RuleId]]:
        """Yield the ways to let one rule of each exclusive group apply: which are out, and for which."""
        groups: dict[tuple[str, str], list[int]] = {}
        for at, option in enumerate(options):
            if option is not None and option.live.group is not None:
                groups.setdefault(option.live.group, []).append(at)
        before = {group: rule for grant in self.pinned for group, rule in self._group_of(grant)}
        ways = [
            [(members, before[group])]
            if group in before
            else [(members, self.rules[one].rule.id) for one in members]
            for group, members in groups.items()
        ]
        for way in product(*ways):
            yield {
                at: applies for members, applies in way for at in members if self.rules[at].rule.id != applies
            }

    def _group_of(self, grant: Pinned) -> Iterator[tuple[tuple[str, str], RuleId]]:
        rule = self.known_rules.get(grant.pack, grant.rule, grant.rule_version)
        if rule is not None and rule.exclusive is not None:
            yield (grant.pack, rule.exclusive), rule.id

    def _without(
        self, found: tuple[Match, ...], options: tuple[Option | None, ...], excluded: dict[int, RuleId]
    ) -> _Answer:
        """Return the answer in which some rules do not apply."""
        ways: list[dict[PartId, Option]] = [{}]
        for at_part, part in enumerate(self.exam.parts, start=1):
            if not part.waivable or part.id in self.waived_before:
                continue
            given = [
                one
                for at, one in enumerate(options)
                if one is not None and at not in excluded and part.id in parts_of(one.live)
            ]
            wider = [
                way | {part.id: option}
                for way in ways
                for option in given
                if not self.reached(part, option, way)
            ]
            if wider:
                ways = self._telling(wider, {one.id for one in self.exam.parts[at_part:]})
        waived = ways[0]
        applies = {one.live.rule.id for one in waived.values()} | {grant.rule for grant in self.pinned}
        kept_out = {at: rule for at, rule in excluded.items() if rule in applies}
        return _Answer(matches=found, options=options, waived=waived, excluded=kept_out)

    def _telling(
        self, ways: Sequence[dict[PartId, Option]], later: set[PartId]
    ) -> list[dict[PartId, Option]]:
        """Return the ways to waive the same parts that leave later ones other room, of equals the first."""
        caps = [cap for cap in self.exam.caps if not cap.parts or cap.parts & later]
        found: dict[tuple[int, ...], dict[PartId, Option]] = {}
        for way in ways:
            found.setdefault(tuple(self.used(cap, way) for cap in caps), way)
        return list(found.values())

    def reached(self, part: Part, option: Option, waived: _Waived) -> tuple[PartCap, ...]:
        """Return the caps that forbid an option to waive a part beside those that are waived."""
        return tuple(
            cap
            for cap in sorted(self.exam.caps, key=lambda cap: cap.id)
            if _counts(cap, part.id, option.live.rule.route) and self.used(cap, waived) >= cap.maximum
        )

    def used(self, cap: PartCap, waived: _Waived) -> int:
        now = {part for part, option in waived.items() if _counts(cap, part, option.live.rule.route)}
        before = {grant.target for grant in self.pinned if _counts(cap, grant.target, self._route(grant))}
        return len(now | {part.id for part in self.exam.parts if part.id in before})

    def _route(self, grant: Pinned) -> str | None:
        rule = self.known_rules.get(grant.pack, grant.rule, grant.rule_version)
        return None if rule is None else rule.route


def _decision(question: _Question, answer: _Answer) -> WaiverDecision:
    refused = tuple(_refusals(question, answer))
    waivers = tuple(
        Waiver(
            cited=option.live.cited,
            part=part.id,
            title=part.title,
            witnesses=tuple(holding.id for holding in option.witnesses),
        )
        for part in question.exam.parts
        if (option := answer.waived.get(part.id)) is not None
    )
    return WaiverDecision(
        exam=question.exam.id,
        exam_version=question.exam.version,
        title=question.exam.title,
        as_of=question.as_of,
        known_at=question.known_at,
        packs=tuple(sorted({(live.pack.id, live.pack.digest) for live in question.rules})),
        waivers=waivers,
        pinned=question.pinned,
        caps=_cap_uses(question, answer, refused),
        refusals=refused,
        next_step=next_step(question.rules, refused),
    )


def _counts(cap: PartCap, part: str, route: str | None) -> bool:
    """Whether a cap counts a part that is waived on a route."""
    return (not cap.parts or part in cap.parts) and (not cap.routes or route in cap.routes)


def parts_of(live: LiveRule) -> tuple[PartId, ...]:
    """Return the parts that a rule waives."""
    assert isinstance(live.rule.grant, WaiverGrant), "rules about an exam waive"
    return live.rule.grant.parts


def _refusals(question: _Question, answer: _Answer) -> Iterator[Refusal]:
    for at, (match, option) in enumerate(zip(answer.matches, answer.options, strict=True)):
        live = match.live
        if live.fact_needs:
            yield Refusal(cited=live.cited, kind="fact", needs=live.fact_needs)
        elif void := question.void(live, question.holdings):
            yield Refusal(cited=live.cited, kind="void", outcomes=void)
        elif option is None:
            yield _unmet(question, answer, match)
        elif at in answer.excluded:
            witnesses = tuple(holding.id for holding in option.witnesses)
            by = (answer.excluded[at],)
            yield Refusal(cited=live.cited, kind="exclusive", outcomes=witnesses, by=by)
        else:
            for part in question.exam.parts:
                if part.id in parts_of(live):
                    yield from _left_out(question, answer, option, part)


def _unmet(question: _Question, answer: _Answer, match: Match) -> Refusal:
    needs = needs_of(match, as_of=question.as_of)
    if needs is None:
        return Refusal(cited=match.live.cited, kind="never-met")
    assert needs, "no option was left unseen"
    gain = _gain(question, answer, match, needs[0]) if len(needs) == 1 else None
    return Refusal(
        cited=match.live.cited,
        kind="premise",
        needs=needs,
        outcomes=tuple(sorted({need.outcome for need in needs if need.outcome is not None})),
        gain=gain,
    )


def _gain(question: _Question, answer: _Answer, match: Match, need: Need) -> int | None:
    """Return how many more parts would be waived."""
    gains = []
    for added in supplied(match, need, holdings=question.holdings, as_of=question.as_of):
        others = [holding for holding in question.holdings if holding.id != added.id]
        holdings = sorted((*others, added), key=lambda holding: holding.id)
        gains.append(len(question.answer(holdings).waived) - len(answer.waived))
    return max(gains, default=None)


def _left_out(question: _Question, answer: _Answer, option: Option, part: Part) -> Iterator[Refusal]:
    cited, witnesses = option.live.cited, tuple(holding.id for holding in option.witnesses)
    waived_by = answer.waived.get(part.id)
    if not part.waivable:
        yield Refusal(cited=cited, kind="not-waivable", target=part.id, outcomes=witnesses, by=(part.id,))
    elif part.id in question.waived_before:
        by = tuple(sorted({grant.rule for grant in question.pinned if grant.target == part.id}))
        yield Refusal(cited=cited, kind="taken", target=part.id, outcomes=witnesses, by=by)
    elif waived_by is None:
        reached = tuple(CapPart(cap=cap.id) for cap in question.reached(part, option, answer.waived))
        if reached:
            yield Refusal(cited=cited, kind="cap", target=part.id, outcomes=witnesses, by=reached)
    elif waived_by is not option:
        by = (waived_by.live.rule.id,)
        yield Refusal(cited=cited, kind="taken", target=part.id, outcomes=witnesses, by=by)


def _cap_uses(question: _Question, answer: _Answer, refused: Sequence[Refusal]) -> tuple[CapUse, ...]:
    binding = {part for refusal in refused if refusal.kind == "cap" for part in refusal.by}
    return tuple(
        CapUse(
            id=cap.id,
            title=cap.title,
            measure="parts",
            used=Decimal(question.used(cap, answer.waived)),
            maximum=Decimal(cap.maximum),
            binds=CapPart(cap=cap.id) in binding,
            cite=cap.cite,
        )
        for cap in sorted(question.exam.caps, key=lambda cap: cap.id)
    )
