"""A decision in words: what is granted, what every cap says, what was refused and what would help.

Short sentences for a phone, with the figures in them, in the decision's own order. Sentences are in the
catalogues' section `say`; names of courses, caps and rules come from the packs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from creditbank.conversion.decision import (
    By,
    CapUse,
    Decision,
    Exemption,
    Kept,
    NextStep,
    Nowhere,
    Refusal,
    RuleCited,
    RuleElsewhere,
    Waiver,
    WaiverDecision,
)
from creditbank.conversion.procedure import Step
from creditbank.conversion.programme import CapPart
from creditbank.locale.catalogue import Catalogue
from creditbank.locale.mark_wording import mark_text
from creditbank.locale.naming import NAMELESS, Names, Naming
from creditbank.locale.pack_wording import shown
from creditbank.locale.wording import named
from creditbank.locale.worth_wording import derivation_line, worth_line
from creditbank.terms import OutcomeId, Wording

REFUSALS_SHOWN = 30
"""How many reasons are spelt out to people before they ask for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionWords:
    """A decision in words; each tuple has one sentence for each of the decision's own, in its order."""

    headline: str
    grants: tuple[str, ...]
    caps: tuple[str, ...]
    refusals: tuple[str, ...]
    next_step: str | None
    nowhere: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    worths: tuple[str, ...] = ()
    """How what tables give for the outcomes spent came out: each outcome and table once."""


def decision_lines(
    words: Catalogue, decision: Decision | WaiverDecision, names: Names = NAMELESS
) -> DecisionWords:
    """Put a decision into words."""
    speaker = _Speaker(
        words=words,
        naming=Naming(words=words, names=names),
        caps={cap.id: cap.title for cap in decision.caps},
        exemptions=decision.exemptions if isinstance(decision, Decision) else (),
        idle=frozenset(
            one.outcome
            for one in (decision.nowhere if isinstance(decision, Decision) else ())
            if one.reason != "leftover"
        ),
    )
    if isinstance(decision, WaiverDecision):
        return DecisionWords(
            headline=words.sentences([speaker.waiver_headline(decision), *speaker.notes(decision)]),
            grants=tuple(speaker.waiver(waiver) for waiver in decision.waivers),
            caps=tuple(speaker.cap(cap) for cap in decision.caps),
            refusals=tuple(speaker.refusal(refusal, of_parts=True) for refusal in decision.refusals),
            next_step=speaker.next_step(decision.next_step, of_parts=True),
            kept=tuple(speaker.kept(one) for one in decision.kept),
        )
    return DecisionWords(
        headline=words.sentences([speaker.exemption_headline(decision), *speaker.notes(decision)]),
        grants=tuple(speaker.exemption(exemption) for exemption in decision.exemptions),
        caps=tuple(speaker.cap(cap) for cap in decision.caps),
        refusals=tuple(speaker.refusal(refusal, of_parts=False) for refusal in decision.refusals),
        next_step=speaker.next_step(decision.next_step, of_parts=False),
        nowhere=tuple(speaker.nowhere(one) for one in decision.nowhere),
        worths=tuple(speaker.worths(decision.exemptions)),
        kept=tuple(speaker.kept(one) for one in decision.kept),
    )


def refusals_first(refusals: Sequence[Refusal]) -> tuple[int, ...]:
    """Return which refusals concern a learner most, counted from 0, at most so many.

    First what lacks little of an outcome that is there and would gain, then what else is said of outcomes,
    facts and places, then new outcomes that would gain. The others are of rules that ask for what the learner
    has nothing of, and would bring nothing more.
    """
    ranked: list[list[int]] = [[], [], []]
    for at, one in enumerate(refusals):
        if one.outcomes or one.kind not in {"premise", "never-met"}:
            ranked[0 if one.gain else 1].append(at)
        elif one.gain:
            ranked[2].append(at)
    return tuple(at for rank in ranked for at in rank)[:REFUSALS_SHOWN]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Speaker:
    words: Catalogue
    naming: Naming
    caps: Mapping[str, Wording]
    exemptions: Sequence[Exemption]
    idle: frozenset[OutcomeId]  # outcomes that count nowhere

    def exemption_headline(self, decision: Decision) -> str:
        title, day = shown(self.words, decision.title), decision.as_of
        if not decision.is_granted:
            return self.words.text("say.no-exemption", title=title, day=day)
        is_whole = decision.credited == decision.credits
        return self.words.text(
            "say.exemptions" if is_whole else "say.exemptions-partly-credited",
            title=title,
            day=day,
            count=len(decision.exemptions),
            credits=self.words.credits(decision.credits),
            credited=self.words.credits(decision.credited),
        )

    def waiver_headline(self, decision: WaiverDecision) -> str:
        title, day = shown(self.words, decision.title), decision.as_of
        if not decision.is_granted:
            return self.words.text("say.no-waiver", title=title, day=day)
        return self.words.text("say.waivers", title=title, day=day, count=len(decision.waivers))

    def notes(self, decision: Decision | WaiverDecision) -> Iterator[str]:
        begins_on = self.naming.names.begins_on
        if begins_on is not None and decision.as_of < begins_on:
            yield self.words.text("say.before-first-day", day=decision.as_of, first=begins_on)
        if decision.pinned:
            yield self.words.text("say.pinned", count=len(decision.pinned))
        if isinstance(decision, Decision) and not decision.proved:
            bound = self.words.credits(decision.upper_bound * decision.step)
            yield self.words.text("say.unproved", credits=bound)
        if isinstance(decision, Decision) and decision.solver is not None:
            yield self.words.text("say.solved", name=decision.solver)

    def exemption(self, exemption: Exemption) -> str:
        title, earned = shown(self.words, exemption.title), self.words.credits(exemption.credits)
        basis = self._basis(exemption.cited, (*exemption.spent, *exemption.witnesses))
        if exemption.is_bucket:
            return self.words.text("say.bucket-filled", title=title, credits=earned, basis=basis)
        key = "say.course-exempted" if exemption.with_credit else "say.course-exempted-without-credit"
        grade = self._grade(exemption)
        return self.words.text(key, title=title, credits=earned, grade=grade, basis=basis)

    def worths(self, exemptions: Sequence[Exemption]) -> Iterator[str]:
        known = {
            (one.cited.digest, worth.outcome, worth.table): worth
            for one in exemptions
            for worth in one.worths
        }
        for worth in known.values():
            yield worth_line(self.words, worth, self.naming.outcome(worth.outcome))

    def waiver(self, waiver: Waiver) -> str:
        basis = self._basis(waiver.cited, waiver.witnesses)
        return self.words.text("say.part-waived", title=shown(self.words, waiver.title), basis=basis)

    def cap(self, cap: CapUse) -> str:
        return self.words.text(
            "say.cap-binds" if cap.binds else "say.cap",
            title=self._part(
                shown(self.words, cap.title), CapPart(cap=cap.id, period=cap.period, each=cap.each)
            ),
            used=cap.used,
            maximum=cap.maximum,
            measure=named(self.words, "word.measure-", cap.measure),
        )

    def refusal(self, refusal: Refusal, *, of_parts: bool) -> str:
        said = self.words.text(
            self._refused(refusal),
            rule=self._rule(refusal.cited),
            target="" if refusal.target is None else self.naming.place(refusal.target),
            outcomes=self.naming.outcomes(refusal.outcomes),
            why=self._why(refusal),
        )
        return self.words.sentences([said, *self._gain(refusal, of_parts=of_parts)])

    def next_step(self, step: NextStep | None, *, of_parts: bool) -> str | None:
        if step is None:
            return None
        return self.words.text(
            "say.next-step-at-most" if step.need.attribute == "outcome" else "say.next-step",
            need=self.naming.need(step.need, step.cited),
            gain=self._gained(step.gain, step.gain_credits, of_parts=of_parts),
            rule=self._rule(step.cited),
        )

    def nowhere(self, nowhere: Nowhere) -> str:
        outcome = self.naming.outcome(nowhere.outcome)
        if nowhere.reason == "leftover":
            left = self.words.credits(nowhere.credits or Decimal(0))
            return self.words.text("say.leftover", outcome=outcome, credits=left)
        return self.words.text(
            "say.nowhere-wanted" if nowhere.rules else "say.nowhere",
            outcome=outcome,
            reason=self.words.text(f"say.nowhere-{nowhere.reason}"),
            rules=self._rules(nowhere.rules),
        )

    def kept(self, kept: Kept) -> str:
        rule = f"{kept.rule} v{kept.version}"
        return self.words.text("say.kept", rule=rule, promise=kept.pre_decision, day=kept.until)

    def _refused(self, refusal: Refusal) -> str:
        """Return the sentence that fits: a rule, a place of it, an outcome, or what is left of one."""
        given = [one for one in self.exemptions if one.cited == refusal.cited]
        there = [one for one in given if one.target == refusal.target and one.is_bucket]
        is_of_outcomes = bool(refusal.outcomes) and not self._names_outcomes(refusal)
        if refusal.target is None:
            is_of_outcomes = is_of_outcomes and (bool(given) or refusal.kind == "no-worth")
            return "say.refused-outcomes" if is_of_outcomes else "say.refused"
        if not there or not is_of_outcomes:
            return "say.refused-for"
        is_rest = any(not set(one.spent).isdisjoint(refusal.outcomes) for one in there)
        return "say.refused-rest" if is_rest else "say.refused-outcomes-for"

    def _names_outcomes(self, refusal: Refusal) -> bool:
        """Whether the reason itself names the outcomes."""
        return refusal.kind == "budget" or (
            refusal.kind == "spent-elsewhere" and not self._is_beside(refusal)
        )

    def _is_beside(self, refusal: Refusal) -> bool:
        """Whether it is not these outcomes that are spent, but one that would be spent with them."""
        return bool(refusal.outcomes) and self.idle.issuperset(refusal.outcomes)

    def _why(self, refusal: Refusal) -> str:
        place = next(map(str, refusal.by), None) if refusal.kind == "not-exemptible" else None
        why_not = self.naming.names.why_not.get(place or refusal.target or "")
        is_explained = why_not is not None and refusal.kind in {"not-exemptible", "not-waivable"}
        key = f"say.refused-{refusal.kind}" + ("-because" if is_explained else self._variant(refusal))
        return self.words.text(
            key,
            needs=self.words.clauses(self.naming.need(need, refusal.cited) for need in refusal.needs),
            by=self._by(refusal),
            outcomes=self.naming.outcomes(refusal.outcomes) or self.words.text("word.its-outcome"),
            reason="" if why_not is None else shown(self.words, why_not),
            derivation=self.words.clauses(derivation_line(self.words, one.steps) for one in refusal.worths),
        )

    def _variant(self, refusal: Refusal) -> str:
        """Return the ending of the sentence where what it speaks of is not there."""
        match refusal.kind:
            case "budget" if len(refusal.outcomes) > 1:
                return "-each"
            case "no-worth" if not refusal.by:
                return "-stated"
            case "no-worth" if refusal.worths:
                return "-worked-out"
            case "spent-elsewhere" if self._is_beside(refusal):
                return "-beside"
            case "no-worth" | "unpaired" | "gap" if not refusal.needs:
                return "-at-all"
            case "gap" if refusal.needs[0].attribute == "hours":
                return "-hours" if refusal.needs[0].need != "*" else "-hours-not-stated"
            case "taken" if refusal.target is None:
                return "-at-all"
            case _:
                return ""

    def _by(self, refusal: Refusal) -> str:
        match refusal.kind:
            case "cap":
                return self.words.listed(self._cap(one) for one in refusal.by if isinstance(one, CapPart))
            case "no-worth":
                return self.words.listed(self.naming.table(refusal.cited, str(name)) for name in refusal.by)
            case "similar":
                return self.words.listed(self.naming.outcome(OutcomeId(str(one))) for one in refusal.by)
            case _ if refusal.by:
                return self._rules(refusal.by)
            case _:
                return self.words.text("word.another-rule")

    def _rules(self, by: Sequence[By]) -> str:
        here = [str(one) for one in by if not isinstance(one, RuleElsewhere)]
        quoted = self.words.listed(self.words.text("say.outcome", title=one) for one in here)
        said = [self.words.text("say.rules", rules=quoted)] if here else []
        said.extend(
            self.words.text("say.rule-elsewhere", rule=one.rule, programme=one.programme)
            for one in by
            if isinstance(one, RuleElsewhere)
        )
        return self.words.listed(said)

    def _gain(self, refusal: Refusal, *, of_parts: bool) -> Iterator[str]:
        if refusal.gain is not None and refusal.gain > 0:
            gained = self._gained(refusal.gain, refusal.gain_credits, of_parts=of_parts)
            is_any = any(need.attribute == "outcome" for need in refusal.needs)
            yield self.words.text("say.gain-at-most" if is_any else "say.gain", gain=gained)
        elif refusal.gain is not None:
            yield self.words.text("say.no-gain")

    def _gained(self, gain: int, gain_credits: Decimal | None, *, of_parts: bool) -> str:
        if of_parts or gain_credits is None:
            return self.words.text("say.parts-one" if gain == 1 else "say.parts", count=gain)
        return self.words.credits(gain_credits)

    def _step(self, step: Step) -> str:
        name = "say.step-outside" if step.is_outside else "say.step"
        return self.words.text(name, title=shown(self.words, step.title), step=step.id)

    def _basis(self, cited: RuleCited, evidence: tuple[OutcomeId, ...]) -> str:
        return self.words.sentences(self._basis_parts(cited, evidence))

    def _basis_parts(self, cited: RuleCited, evidence: tuple[OutcomeId, ...]) -> Iterator[str]:
        if evidence:
            listed = self.words.listed(map(self.naming.outcome, evidence))
            yield self.words.text("say.evidence", evidence=listed)
        else:
            yield self.words.text("say.evidence-facts")
        if cited.proof is not None:
            yield self.words.text("say.proof", proof=shown(self.words, cited.proof).rstrip("。."))
        for one in cited.void_if:
            yield self.words.text("say.void-if", event=shown(self.words, one).rstrip("。."))
        if cited.procedure:
            steps = (self._step(step) for step in cited.procedure)
            yield self.words.text("say.procedure", steps=" → ".join(steps))
        if says := shown(self.words, cited.say).rstrip("。."):
            yield self.words.text("say.rule-says", rule=self._rule(cited), says=says)
        else:
            yield self.words.text("say.rule", rule=self._rule(cited))
        if cited.cite:
            sources = self.words.listed(self._citation(cited, name) for name in cited.cite)
            yield self.words.text("say.sources", sources=sources)

    def _citation(self, cited: RuleCited, name: str) -> str:
        citation = self.naming.names.citations.get((cited.digest, name))
        if citation is None:
            return name
        title, article = shown(self.words, citation.title), citation.article
        is_apart = self.words.language == "en" or article[:1].isascii()
        return f"{title} {article}".rstrip() if is_apart else f"{title}{article}"

    def _rule(self, cited: RuleCited) -> str:
        return f"{cited.rule} v{cited.version}"

    def _grade(self, exemption: Exemption) -> str:
        grade, mark = exemption.grade, exemption.mark
        if exemption.marking is not None:
            return mark_text(self.words, exemption.marking, mark)
        if mark is not None:
            return mark
        return self.words.text(
            f"say.grade-{grade.kind}", value=grade.value or "", ceiling=grade.ceiling or ""
        )

    def _cap(self, part: CapPart) -> str:
        title = shown(self.words, self.caps[part.cap]) if part.cap in self.caps else part.cap
        return self._part(title, part)

    def _part(self, title: str, part: CapPart) -> str:
        """Return what a part of the cap that is called so is called."""
        if part.period is not None:
            title = self.words.text("say.cap-from", title=title, day=part.period)
        if part.each is not None:
            title = self.words.text("say.cap-each", title=title, each=self.naming.each(part.each))
        return title
