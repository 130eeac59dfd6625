"""What the ids, codes and bounds in a decision are called, and what is needed, in the reader's language.

The sentences around them are for `decision_wording`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import reduce
from types import MappingProxyType

from creditbank.account.facts import holdings_for_rules
from creditbank.account.holdings import AccountHoldings
from creditbank.conversion.decision import Need, RuleCited
from creditbank.conversion.holding import FACTS
from creditbank.conversion.meeting import ANY_OF
from creditbank.conversion.programme import Course, Each, Exam, Part, Programme
from creditbank.conversion.recognition import RecognitionTable
from creditbank.conversion.rule import Citation, RulePack
from creditbank.locale.catalogue import Catalogue
from creditbank.locale.pack_wording import shown
from creditbank.locale.wording import level_name, named, outcome_name
from creditbank.outcomes import Outcome
from creditbank.outcomes.diploma import Diploma
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.terms import OutcomeId, Wording

VALUES_SHOWN = 8
"""How many of the values of which one is needed are spelt out; the others are counted."""
OUTCOMES_SHOWN = 3
"""How many of the outcomes that one thing keeps out are named; the others are counted."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_SPAN = re.compile(r"(\d+[ymwd])+")
_PUNCTUATION = re.compile(r"[,;:，、；：]")
_PART = re.compile(r"(\d+)([ymwd])")
_AGO: Mapping[str, str] = {"≥": "say.at-least-ago", "<": "say.less-than-ago"}
_BOUND = re.compile(r"([≥≤><])(.+)")
_SIGNS: Mapping[str, tuple[str, str]] = {
    "≥": ("say.at-least", "say.at-least-day"),
    "≤": ("say.at-most", "say.at-most-day"),
    ">": ("say.more-than", "say.more-than-day"),
}
_MINIMA = frozenset({"awarded_on", "credits", "grade", "hours", "level", "score"})
_NAMING_COURSES = frozenset({"outcome", "replaces"})
_INSTITUTIONS = frozenset({"enrolled_at", "issuer"})
_PERCENTAGES = frozenset({"completed_percent", "overlap"})
_VOCABULARIES: Mapping[str, str] = {
    "category": "word.person-category-",
    "form": "word.experience-form-",
    "level": "word.education-level-",
    "mode": "word.course-mode-",
    "nature": "word.course-nature-",
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
    differing: frozenset[tuple[str, str, int]] = frozenset()
    """Rules that ask for outcomes of different codes: by the digest of the pack, rule and version."""
    tables: Mapping[tuple[str, str], Wording] = field(default_factory=dict)
    """Tables, and those of other authorities within them: by the digest of the pack and their id."""
    institutions: Mapping[str, Wording] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    """What is called so by the outcomes that are held: courses, certificates, contests."""
    attributes: Mapping[tuple[str, str], Wording] = field(default_factory=dict)
    """By the digest of the pack and the name, or `name=value`: what the pack calls what."""
    texts: frozenset[tuple[str, str]] = frozenset()
    """Facts that are text, by the digest of the pack that declares them and their name."""
    begins_on: date | None = None
    """The first day on which any rule of the packs is in force."""


NAMELESS = Names()
_NOBODY: Mapping[str, Wording] = MappingProxyType({})


def names_of(
    words: Catalogue,
    place: Programme | Exam,
    account: AccountHoldings,
    packs: Iterable[RulePack],
    institutions: Mapping[str, Wording] = _NOBODY,
) -> Names:
    """Return the names of everything that a decision on this programme or exam may mention."""
    places: Iterable[Course | Part] = place.courses if isinstance(place, Programme) else place.parts
    titles = {str(one.id): one.title for one in places}
    all_packs = tuple(packs)
    titles_held = {held.id: _title(held.outcome) for held in account.outcomes}
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
        differing=frozenset(
            (pack.digest, rule.id, rule.version)
            for pack in all_packs
            for rule in pack.rules
            if rule.different_codes
        ),
        tables={
            (pack.digest, table.id): table.title
            for pack in all_packs
            for outer in pack.tables.values()
            for table in _with_inner(outer)
        },
        attributes={
            (pack.digest, name): title for pack in all_packs for name, title in pack.attributes.items()
        },
        texts=frozenset(
            (pack.digest, fact.name)
            for pack in all_packs
            for fact in pack.facts.values()
            if fact.kind == "text"
        ),
        institutions=institutions,
        codes={one.code: titles_held[one.id] for one in holdings_for_rules(account)},
        begins_on=min((rule.effective_from for pack in all_packs for rule in pack.rules), default=None),
    )


def _title(outcome: Outcome) -> str:
    return outcome.major if isinstance(outcome, Diploma) else outcome.title


def _with_inner(table: RecognitionTable | None) -> Iterator[RecognitionTable]:
    while table is not None:
        yield table
        table = table.within


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """Calls things by their names in one language."""

    words: Catalogue
    names: Names

    def need(self, need: Need, cited: RuleCited) -> str:
        wanted = self.wanted(need.attribute, need.need, cited)
        if need.attribute == "outcome":
            asked = self.names.levels.get((cited.digest, cited.rule, cited.version, need.premise or 0), ())
            levels = asked if need.at_level is None else (need.at_level,)
            if levels:
                least = self.bound(
                    "≥", "", shown_as=" / ".join(level_name(self.words, one) for one in levels)
                )
                wanted = self.words.text("say.outcome-with-detail", title=wanted, detail=least)
            if (cited.digest, cited.rule, cited.version) in self.names.differing:
                wanted = self.words.text("say.of-another-code", need=wanted)
            return self.words.text("say.need-outcome", need=wanted)
        if need.attribute == "code":
            return self.words.text("say.need-code", need=wanted)
        is_declared = need.premise is None and (cited.digest, need.attribute) in self.names.attributes
        is_fact = need.outcome is None and (need.attribute in FACTS or is_declared)
        if need.counted_as is not None:
            key = "say.need-attribute-lowered" if need.counted_as else "say.need-attribute-below"
        elif need.have is None:
            key = "say.need-fact-missing" if is_fact else "say.need-attribute-missing"
        else:
            key = "say.need-fact" if is_fact else "say.need-attribute"
        return self.words.text(
            key,
            outcome="" if need.outcome is None else self.outcome(need.outcome),
            attribute=self.attribute(need.attribute, cited),
            have=self.value(need.attribute, need.have or "", cited),
            counted=self.value(need.attribute, need.counted_as or "", cited),
            why=self.words.listed(shown(self.words, why) for why in need.lowered_by),
            need=wanted,
        )

    def wanted(self, attribute: str, text: str, cited: RuleCited | None = None) -> str:
        """Put what a rule asks for into words: `a|b`, `≥n ≤m`, `>day`, `3y`, `≥1y`, `*` or a value."""
        if text == "*":
            return self.words.text("say.anything")
        is_text = cited is not None and (cited.digest, attribute) in self.names.texts
        if _SPAN.fullmatch(text) and not is_text:
            return self.words.text("say.within", span=self._span(text))
        bounds = [_BOUND.fullmatch(part) for part in text.split(" ")]
        if all(bounds) and not is_text:
            said = (
                self.bound(bound[1], bound[2], shown_as=_percent(attribute, bound[2]))
                for bound in bounds
                if bound
            )
            return self.words.clauses(said)
        every = text.split(ANY_OF)
        values = " / ".join(self.value(attribute, value, cited) for value in every[:VALUES_SHOWN])
        if len(every) > VALUES_SHOWN:
            values = self.words.text("say.of-so-many", listed=values, count=len(every))
        return self.bound("≥", text, shown_as=values) if attribute in _MINIMA else values

    def bound(self, sign: str, text: str, *, shown_as: str | None = None) -> str:
        if sign in _AGO and _SPAN.fullmatch(text):
            return self.words.text(_AGO[sign], span=self._span(text))
        if sign not in _SIGNS:
            return f"{sign}{text}"
        figure, day = _SIGNS[sign]
        key = day if _DAY.fullmatch(text) else figure
        return self.words.text(key, value=shown_as or self.value("", text))

    def _span(self, text: str) -> str:
        parts = []
        for count, unit in _PART.findall(text):
            key = f"say.span-{unit}"
            parts.append(self.words.text(f"{key}-one" if count == "1" else key, count=count))
        return reduce(lambda one, more: self.words.text("say.span-and", one=one, more=more), parts)

    def value(self, attribute: str, text: str, cited: RuleCited | None = None) -> str:
        """Return a value as people say it; `cited` is whose pack may have words for it."""
        if (called := self._called(f"{attribute}={text}", cited)) is not None:
            return self._set_apart(called)
        if (day := day_of(text)) is not None:
            return self.words.date(day)
        if attribute in _NAMING_COURSES and text in self.names.places:
            return self.words.text("say.outcome-with-detail", title=self.place(text), detail=text)
        if attribute in _INSTITUTIONS and text in self.names.institutions:
            return shown(self.words, self.names.institutions[text])
        if attribute in _VOCABULARIES:
            return named(self.words, _VOCABULARIES[attribute], text)
        return _percent(attribute, text) or self._set_apart(text)

    def _set_apart(self, text: str) -> str:
        """Return a value so that its own punctuation is not taken for the sentence's."""
        return self.words.text("say.outcome", title=text) if _PUNCTUATION.search(text) else text

    def each(self, each: Each) -> str:
        """Return what an issuer, a code or a kind is called of those that a cap is over each of."""
        match each.per:
            case "kind":
                return self.value("outcome", each.value)
            case "issuer":
                known = self.names.institutions.get(each.value)
                return each.value if known is None else shown(self.words, known)
            case "code":
                return self.words.text("say.outcome", title=self.names.codes.get(each.value, each.value))

    def attribute(self, name: str, cited: RuleCited | None = None) -> str:
        """Return what a field of an outcome is called, or what an issuer states of it beside its fields.

        What neither the pack of the rule `cited` nor the catalogue has words for is quoted.
        """
        if (called := self._called(name, cited)) is not None:
            return called
        if name in self.words.sections["field"]:
            return self.words.field(name)
        key = f"word.attribute-{name}"
        return self.words.text(key) if self.words.has(key) else self.words.text("say.outcome", title=name)

    def _called(self, name: str, cited: RuleCited | None) -> str | None:
        title = None if cited is None else self.names.attributes.get((cited.digest, name))
        return None if title is None else shown(self.words, title)

    def outcome(self, outcome: OutcomeId) -> str:
        return self.names.outcomes.get(outcome, f"#{outcome}")

    def outcomes(self, outcomes: Sequence[OutcomeId]) -> str:
        """Return outcomes by their names, of many the first and how many they are."""
        listed = self.words.listed(map(self.outcome, outcomes[:OUTCOMES_SHOWN]))
        if len(outcomes) <= OUTCOMES_SHOWN:
            return listed
        return self.words.text("say.of-so-many", listed=listed, count=len(outcomes))

    def table(self, cited: RuleCited, name: str) -> str:
        title = self.names.tables.get((cited.digest, name))
        return name if title is None else shown(self.words, title)

    def place(self, target: str) -> str:
        title = self.names.places.get(target)
        return target if title is None else shown(self.words, title)


def _percent(attribute: str, text: str) -> str | None:
    return f"{text}%" if attribute in _PERCENTAGES and text else None


def day_of(text: str) -> date | None:
    """Return the day that a text is, None for every other text: a stated category may look like one."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None
