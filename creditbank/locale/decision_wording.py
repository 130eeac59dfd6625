"""A decision in words: what is granted, what every cap says, what was refused and what would help.

Short sentences for a phone, with the figures in them, in the decision's own order. Sentences are in the
catalogues' section `say`; names of courses, caps and rules come from the packs.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from creditbank.account.holdings import AccountHoldings
from creditbank.conversion.decision import (
    CapUse,
    Decision,
    Exemption,
    Kept,
    Need,
    NextStep,
    Nowhere,
    Refusal,
    RuleCited,
    Waiver,
    WaiverDecision,
)
from creditbank.conversion.holding import FACTS
from creditbank.conversion.meeting import ANY_OF
from creditbank.conversion.programme import Course, Exam, Part, Programme
from creditbank.conversion.rule import Citation, GradePolicy, RulePack, Wording
from creditbank.locale.catalogue import Catalogue
from creditbank.locale.wording import level_name, named, outcome_name
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.terms import OutcomeId

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_SPAN = re.compile(r"(\d+)([ymwd])")
_AGO: Mapping[str, str] = {"≥": "say.at-least-ago", "<": "say.less-than-ago"}
_BOUND = re.compile(r"([≥≤><])(.+)")
_SIGNS: Mapping[str, tuple[str, str]] = {
    "≥": ("say.at-least", "say.at-least-day"),
    "≤": ("say.at-most", "say.at-most-day"),
    ">": ("say.more-than", "say.more-than-day"),
}
_MINIMA = frozenset({"awarded_on", "credits", "grade", "hours", "level", "score"})
_NAMING_COURSES = frozenset({"outcome", "replaces"})
_PERCENTAGES = frozenset({"completed_percent", "overlap"})
_VOCABULARIES: Mapping[str, str] = {
    "category": "word.person-category-",
    "form": "word.experience-form-",
    "level": "word.education-level-",
    "mode": "word.course-mode-",
    "outcome": "word.kind-",
    "organiser_level": "word.organiser-level-",
    "rank": "word.award-rank-",
    "study_form": "word.study-form-",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the ids in a decision are called; an id without a name is shown as it is."""

    outcomes: Mapping[OutcomeId, str] = field(default_factory=dict)
    places: Mapping[str, Wording] = field(default_factory=dict)
    """Courses, buckets and parts."""
    why_not: Mapping[str, Wording] = field(default_factory=dict)
    """Why a course may not be exempted, or a part not waived."""
    citations: Mapping[tuple[str, str], Citation] = field(default_factory=dict)
    """By the digest of the pack and the id within it: two packs may use one id."""
    levels: Mapping[tuple[str, str, int, int], tuple[FrameworkLevel, ...]] = field(default_factory=dict)
    """What a premise asks for at least: by the digest of the pack, rule, version and premise."""
    begins_on: date | None = None
    """The first day on which any rule of the packs is in force."""


NAMELESS = Names()


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


def names_of(
    words: Catalogue, place: Programme | Exam, account: AccountHoldings, packs: Iterable[RulePack]
) -> Names:
    """Return the names of everything that a decision on this programme or exam may mention."""
    places: Iterable[Course | Part] = place.courses if isinstance(place, Programme) else place.parts
    titles = {str(one.id): one.title for one in places}
    all_packs = tuple(packs)
    buckets = place.buckets if isinstance(place, Programme) else ()
    return Names(
        outcomes={held.id: outcome_name(words, held.outcome) for held in account.outcomes},
        places=titles | {str(bucket.id): bucket.title for bucket in buckets},
        why_not={str(one.id): one.why_not for one in places if one.why_not is not None},
        citations={
            (pack.digest, name): citation for pack in all_packs for name, citation in pack.citations.items()
        },
        levels={
            (pack.digest, rule.id, rule.version, at): premise.pattern.min_levels
            for pack in all_packs
            for rule in pack.rules
            for at, premise in enumerate(rule.premises)
        },
        begins_on=min((rule.effective_from for pack in all_packs for rule in pack.rules), default=None),
    )


def decision_lines(
    words: Catalogue, decision: Decision | WaiverDecision, names: Names = NAMELESS
) -> DecisionWords:
    """Put a decision into words."""
    speaker = _Speaker(words=words, names=names, caps={cap.id: cap.title for cap in decision.caps})
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
        kept=tuple(speaker.kept(one) for one in decision.kept),
    )


def shown(words: Catalogue, wording: Wording) -> str:
    """Return what a pack says in the reader's language, in Chinese where it says nothing else."""
    return wording.en if words.language == "en" and wording.en else wording.zh


@dataclass(frozen=True, slots=True, kw_only=True)
class _Speaker:
    words: Catalogue
    names: Names
    caps: Mapping[str, Wording]

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
        begins_on = self.names.begins_on
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
        grade = self._grade(exemption.grade, exemption.mark)
        return self.words.text(key, title=title, credits=earned, grade=grade, basis=basis)

    def waiver(self, waiver: Waiver) -> str:
        basis = self._basis(waiver.cited, waiver.witnesses)
        return self.words.text("say.part-waived", title=shown(self.words, waiver.title), basis=basis)

    def cap(self, cap: CapUse) -> str:
        title = shown(self.words, cap.title)
        if cap.period is not None:
            title = self.words.text("say.cap-from", title=title, day=cap.period)
        if cap.each is not None:
            title = self.words.text("say.cap-each", title=title, each=cap.each)
        return self.words.text(
            "say.cap-binds" if cap.binds else "say.cap",
            title=title,
            used=cap.used,
            maximum=cap.maximum,
            measure=named(self.words, "word.measure-", cap.measure),
        )

    def refusal(self, refusal: Refusal, *, of_parts: bool) -> str:
        target = "" if refusal.target is None else self._place(refusal.target)
        said = self.words.text(
            "say.refused-for" if target else "say.refused",
            rule=self._rule(refusal.cited),
            target=target,
            why=self._why(refusal),
        )
        return self.words.sentences([said, *self._gain(refusal, of_parts=of_parts)])

    def next_step(self, step: NextStep | None, *, of_parts: bool) -> str | None:
        if step is None:
            return None
        return self.words.text(
            "say.next-step-at-most" if step.need.attribute == "outcome" else "say.next-step",
            need=self._need(step.need, step.cited),
            gain=self._gained(step.gain, step.gain_credits, of_parts=of_parts),
            rule=self._rule(step.cited),
        )

    def nowhere(self, nowhere: Nowhere) -> str:
        outcome = self._outcome(nowhere.outcome)
        if nowhere.reason == "leftover":
            left = self.words.credits(nowhere.credits or Decimal(0))
            return self.words.text("say.leftover", outcome=outcome, credits=left)
        return self.words.text(
            "say.nowhere-wanted" if nowhere.rules else "say.nowhere",
            outcome=outcome,
            reason=self.words.text(f"say.nowhere-{nowhere.reason}"),
            rules=self.words.text("say.rules", rules=self.words.listed(nowhere.rules)),
        )

    def kept(self, kept: Kept) -> str:
        rule = f"{kept.rule} v{kept.version}"
        return self.words.text("say.kept", rule=rule, promise=kept.pre_decision, day=kept.until)

    def _why(self, refusal: Refusal) -> str:
        place = next(iter(refusal.by), None) if refusal.kind == "not-exemptible" else None
        why_not = self.names.why_not.get(place or refusal.target or "")
        is_explained = why_not is not None and refusal.kind in {"not-exemptible", "not-waivable"}
        return self.words.text(
            f"say.refused-{refusal.kind}" + ("-because" if is_explained else ""),
            needs=self.words.clauses(self._need(need, refusal.cited) for need in refusal.needs),
            by=self._by(refusal),
            outcomes=self.words.listed(map(self._outcome, refusal.outcomes))
            or self.words.text("word.its-outcome"),
            reason="" if why_not is None else shown(self.words, why_not),
        )

    def _by(self, refusal: Refusal) -> str:
        match refusal.kind:
            case "cap":
                return self.words.listed(map(self._cap, refusal.by))
            case "similar":
                return self.words.listed(self._outcome(OutcomeId(outcome)) for outcome in refusal.by)
            case _ if refusal.by:
                return self.words.text("say.rules", rules=self.words.listed(refusal.by))
            case _:
                return self.words.text("word.another-rule")

    def _gain(self, refusal: Refusal, *, of_parts: bool) -> Iterator[str]:
        if refusal.gain is not None and refusal.gain > 0:
            gained = self._gained(refusal.gain, refusal.gain_credits, of_parts=of_parts)
            is_any = any(need.attribute == "outcome" for need in refusal.needs)
            yield self.words.text("say.gain-at-most" if is_any else "say.gain", gain=gained)
        elif refusal.gain is not None:
            yield self.words.text("say.no-gain")

    def _gained(self, gain: int, gain_credits: Decimal | None, *, of_parts: bool) -> str:
        if of_parts or gain_credits is None:
            return self.words.text("say.parts", count=gain)
        return self.words.credits(gain_credits)

    def _need(self, need: Need, cited: RuleCited) -> str:
        wanted = self._wanted(need.attribute, need.need)
        if need.attribute == "outcome":
            levels = self.names.levels.get((cited.digest, cited.rule, cited.version, need.premise or 0), ())
            if levels:
                least = self._bound(
                    "≥", "", shown_as=" / ".join(level_name(self.words, one) for one in levels)
                )
                wanted = self.words.text("say.outcome-with-detail", title=wanted, detail=least)
            return self.words.text("say.need-outcome", need=wanted)
        is_fact = need.outcome is None and need.attribute in FACTS
        if need.have is None:
            key = "say.need-fact-missing" if is_fact else "say.need-attribute-missing"
        else:
            key = "say.need-fact" if is_fact else "say.need-attribute"
        return self.words.text(
            key,
            outcome="" if need.outcome is None else self._outcome(need.outcome),
            attribute=self.words.field(need.attribute),
            have=self._value(need.attribute, need.have or ""),
            need=wanted,
        )

    def _wanted(self, attribute: str, text: str) -> str:
        """Put what a rule asks for into words: `a|b`, `≥n ≤m`, `>day`, `3y`, `≥1y`, `*` or a value."""
        if _SPAN.fullmatch(text):
            return self.words.text("say.within", span=self._span(text))
        if text == "*":
            return self.words.text("say.anything")
        bounds = [_BOUND.fullmatch(part) for part in text.split(" ")]
        if all(bounds):
            said = (
                self._bound(bound[1], bound[2], shown_as=_percent(attribute, bound[2]))
                for bound in bounds
                if bound
            )
            return self.words.clauses(said)
        values = " / ".join(self._value(attribute, value) for value in text.split(ANY_OF))
        return self._bound("≥", text, shown_as=values) if attribute in _MINIMA else values

    def _bound(self, sign: str, text: str, *, shown_as: str | None = None) -> str:
        if sign in _AGO and _SPAN.fullmatch(text):
            return self.words.text(_AGO[sign], span=self._span(text))
        figure, day = _SIGNS[sign]
        key = day if _DAY.fullmatch(text) else figure
        return self.words.text(key, value=shown_as or self._value("", text))

    def _span(self, text: str) -> str:
        return self.words.text(f"say.span-{text[-1]}", count=text[:-1])

    def _value(self, attribute: str, text: str) -> str:
        if (day := _day(text)) is not None:
            return self.words.date(day)
        if attribute in _NAMING_COURSES and text in self.names.places:
            return self.words.text("say.outcome-with-detail", title=self._place(text), detail=text)
        if attribute in _VOCABULARIES:
            return named(self.words, _VOCABULARIES[attribute], text)
        return _percent(attribute, text) or text

    def _basis(self, cited: RuleCited, evidence: tuple[OutcomeId, ...]) -> str:
        return self.words.sentences(self._basis_parts(cited, evidence))

    def _basis_parts(self, cited: RuleCited, evidence: tuple[OutcomeId, ...]) -> Iterator[str]:
        if evidence:
            yield self.words.text("say.evidence", evidence=self.words.listed(map(self._outcome, evidence)))
        else:
            yield self.words.text("say.evidence-facts")
        if cited.proof is not None:
            yield self.words.text("say.proof", proof=shown(self.words, cited.proof).rstrip("。."))
        if says := shown(self.words, cited.say).rstrip("。."):
            yield self.words.text("say.rule-says", rule=self._rule(cited), says=says)
        else:
            yield self.words.text("say.rule", rule=self._rule(cited))
        if cited.cite:
            sources = self.words.listed(self._citation(cited, name) for name in cited.cite)
            yield self.words.text("say.sources", sources=sources)

    def _citation(self, cited: RuleCited, name: str) -> str:
        citation = self.names.citations.get((cited.digest, name))
        if citation is None:
            return name
        title, article = shown(self.words, citation.title), citation.article
        is_apart = self.words.language == "en" or article[:1].isascii()
        return f"{title} {article}".rstrip() if is_apart else f"{title}{article}"

    def _rule(self, cited: RuleCited) -> str:
        return f"{cited.rule} v{cited.version}"

    def _grade(self, grade: GradePolicy, mark: str | None) -> str:
        if mark is not None:
            return mark
        return self.words.text(
            f"say.grade-{grade.kind}", value=grade.value or "", ceiling=grade.ceiling or ""
        )

    def _outcome(self, outcome: OutcomeId) -> str:
        return self.names.outcomes.get(outcome, f"#{outcome}")

    def _place(self, target: str) -> str:
        title = self.names.places.get(target)
        return target if title is None else shown(self.words, title)

    def _cap(self, name: str) -> str:
        cap, *parts = name.split("@", maxsplit=2)
        title = shown(self.words, self.caps[cap]) if cap in self.caps else cap
        for part in parts:
            key = "say.cap-each" if _day(part) is None else "say.cap-from"
            title = self.words.text(key, title=title, day=self._value("", part), each=part)
        return title


def _percent(attribute: str, text: str) -> str | None:
    return f"{text}%" if attribute in _PERCENTAGES and text else None


def _day(text: str) -> date | None:
    """Return the day that a text is, None for every other text: a stated category may look like one."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None
