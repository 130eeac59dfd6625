"""How much many learners would be exempted from, or waived: each sort of them decided once (CONVERSION §5).

Two outcomes are of one class when every rule in force takes them for the same: the premises they meet,
what tables say they are worth, the periods they count in. Learners with the same classes, as often each,
come to the same units, so what is known about one is known about all. How the work is divided is for
`services`.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from creditbank.conversion.bounds import period_start
from creditbank.conversion.fill import Nodes
from creditbank.conversion.holding import NOBODY_IN_PARTICULAR, Applicant, Holding, Pinned, SpentElsewhere
from creditbank.conversion.matching import asked_for
from creditbank.conversion.programme import Cap, Exam, Programme
from creditbank.conversion.promised import Promise, keep
from creditbank.conversion.recognition import recognise
from creditbank.conversion.rule import RulePack
from creditbank.conversion.solving import Compiled, Units, case_of, compile_rules, counting, solve_units
from creditbank.conversion.void import voiding
from creditbank.conversion.waivers import CompiledWaivers, compile_waivers, count_waivers
from creditbank.outcomes.outcome import OutcomeKind
from creditbank.terms import Microseconds

Asked = tuple[OutcomeKind, str | None]
"""A kind and a code that some premise asks for; None: any code."""
Key = Hashable
"""What learners who come to the same units have in common."""
_ONE_PART = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """What one learner holds, who they are to the rules, what is registered for them and was promised."""

    holdings: tuple[Holding, ...]
    applicant: Applicant = NOBODY_IN_PARTICULAR
    pinned: tuple[Pinned, ...] = ()
    elsewhere: tuple[SpentElsewhere, ...] = ()
    promises: tuple[Promise, ...] = ()
    state: str | None = None  # names all of the above, as the head of the account's chain does


class _Rules:
    """Some packs, and what their rules ask of applicants and of the days of outcomes."""

    def __init__(self, packs: tuple[RulePack, ...], place: Programme | Exam) -> None:
        self.packs = packs
        rules = [rule for pack in packs for rule in pack.rules]
        facts = {test.fact for rule in rules for test in rule.scope.facts}
        facts |= {fact for rule in rules for premise in rule.premises for fact in premise.facts}
        if any(pack.date_basis == "enrolment" for pack in packs):
            facts.add("enrolled_on")
        self.facts = tuple(sorted(facts))
        self.is_dated = _tables_ask_for_days(packs) or bool(_period_caps(place))
        self.dated = _dated_codes(packs)
        self.compiled: dict[Key, _Compiled] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compiled:
    """The rules for one sort of applicant, and a number that no other has."""

    number: int
    rules: _Rules
    compiled: Compiled | CompiledWaivers
    is_void_by_outcomes: bool  # some rule waives, and what it waives may be void


class Reevaluation:
    """One programme or exam under some packs, for any number of learners; what is proved of a sort is kept.

    A part that is waived is one unit, of one.
    """

    def __init__(
        self,
        packs: Iterable[RulePack],
        place: Programme | Exam,
        *,
        as_of: date,
        known_at: Microseconds,
        node_budget: int,
    ) -> None:
        self.packs = tuple(packs)
        self.place = place
        self.as_of = as_of
        self.known_at = known_at
        self.node_budget = node_budget
        self.known: dict[Key, Units] = {}
        self._rules = _Rules(self.packs, place)
        self._promised: dict[Key, _Rules] = {}
        self._sorts = 0
        self._classes: dict[Key, int | None] = {}
        self._numbers: dict[Key, int] = {}
        self._keys: dict[str, Key] = {}

    def units_of(self, learner: Learner) -> Units:
        """Return what a learner comes to, from what is known where it is.

        Raises:
            HoldingInvalid: `holding-twice`.
            ProgrammeInvalid: `credits-off-step`.
        """
        key = self.key_of(learner)
        found = self.known.get(key)
        if found is None:
            found = self.decide(learner)
            self.learn(key, found)
        return found

    def decide(self, learner: Learner) -> Units:
        """Return the same without looking at what is known.

        Raises:
            HoldingInvalid: `holding-twice`.
            ProgrammeInvalid: `credits-off-step`.
        """
        compiled = self._compiled_for(learner).compiled
        if isinstance(compiled, CompiledWaivers):
            waived = count_waivers(compiled, learner.holdings, pinned=learner.pinned)
            return Units(units=waived, upper_bound=waived, proved=True, step=_ONE_PART)
        case = case_of(compiled, learner.holdings, pinned=learner.pinned, elsewhere=learner.elsewhere)
        return solve_units(case, Nodes(self.node_budget))

    def learn(self, key: Key, units: Units) -> None:
        """Keep what is proved; a best found depends on more than the key tells, and is found anew."""
        if units.proved:
            self.known[key] = units

    def key_of(self, learner: Learner) -> Key:
        """Return what the units depend on; with registered grants that is everything.

        Of a state that was seen before the key is known, and nothing else of the learner is looked at.
        """
        if learner.state is None:
            return self._key_of(learner)
        key = self._keys.get(learner.state)
        if key is None:
            key = self._keys[learner.state] = self._key_of(learner)
        return key

    def forgetful(self) -> "Reevaluation":
        """Return the same of which nothing is known yet: little to send to another process."""
        return Reevaluation(
            self.packs,
            self.place,
            as_of=self.as_of,
            known_at=self.known_at,
            node_budget=self.node_budget,
        )

    def _key_of(self, learner: Learner) -> Key:
        found = self._compiled_for(learner)
        others: tuple[SpentElsewhere, ...] = ()
        if learner.elsewhere and isinstance(found.compiled, Compiled):
            others = counting(found.compiled, learner.elsewhere)
        if learner.pinned or others:
            return found.number, *map(frozenset, (learner.holdings, learner.pinned, others))
        asking = found.compiled.index.asking
        classes = []
        for holding in learner.holdings:
            is_asked = (holding.kind, holding.code) in asking or (holding.kind, None) in asking
            if is_asked or found.is_void_by_outcomes:
                place = self._class_of(holding, found)
                if place is not None:
                    classes.append(place)
        classes.sort()
        return found.number, *classes

    def _compiled_for(self, learner: Learner) -> _Compiled:
        rules = self._rules_with(learner.promises) if learner.promises else self._rules
        facts = tuple(learner.applicant.fact(name) for name in rules.facts)
        found = rules.compiled.get(facts)
        if found is None:
            compiled = self._compile(rules.packs, learner.applicant)
            waives = compiled.rules if isinstance(compiled, CompiledWaivers) else ()
            found = rules.compiled[facts] = _Compiled(
                number=self._sorts,
                rules=rules,
                compiled=compiled,
                is_void_by_outcomes=any(live.rule.void_if for live in waives),
            )
            self._sorts += 1
        return found

    def _compile(self, packs: Sequence[RulePack], applicant: Applicant) -> Compiled | CompiledWaivers:
        day, at = self.as_of, self.known_at
        if isinstance(self.place, Exam):
            return compile_waivers(packs, self.place, applicant=applicant, as_of=day, known_at=at)
        return compile_rules(packs, self.place, applicant=applicant, as_of=day, known_at=at)

    def _rules_with(self, promises: Sequence[Promise]) -> _Rules:
        """Return the rules in force for whoever was promised this; the same where it changes nothing."""
        terms = frozenset(one.terms for one in promises)
        found = self._promised.get(terms)
        if found is None:
            packs, kept = keep(self.packs, promises, as_of=self.as_of)
            found = self._promised[terms] = _Rules(packs, self.place) if kept else self._rules
        return found

    def _class_of(self, holding: Holding, sort: _Compiled) -> int | None:
        described = (sort.number, self._described(holding, sort.rules))
        if described not in self._classes:
            found = self._classified(holding, sort.compiled)
            place = None if found is None else self._numbers.setdefault(found, len(self._numbers))
            self._classes[described] = place
        return self._classes[described]

    def _described(self, holding: Holding, rules: _Rules) -> Key:
        """Return all that a rule may ask of an outcome; of its days no more than this programme's do."""
        is_there = (
            holding.recorded_at <= self.known_at
            and holding.awarded_on <= self.as_of
            and not holding.is_revoked(as_of=self.as_of, known_at=self.known_at)
            and (holding.expires_on is None or self.as_of < holding.expires_on)
        )
        level = None if holding.level is None else (holding.level.framework, holding.level.level)
        asked: tuple[Asked, Asked] = ((holding.kind, holding.code), (holding.kind, None))
        is_dated = rules.is_dated or not rules.dated.isdisjoint(asked)
        return (
            is_there,
            holding.awarded_on if is_dated else None,
            holding.kind,
            holding.code,
            holding.issuer,
            level,
            holding.score,
            holding.grade,
            holding.hours,
            holding.hours_per_credit,
            holding.credits,
            holding.attributes,
        )

    def _classified(self, holding: Holding, compiled: Compiled | CompiledWaivers) -> Key:
        """Return the class of an outcome, None where no rule has a use for it."""
        visible = [holding] if holding.recorded_at <= self.known_at else []
        found = asked_for(compiled.index, visible, as_of=self.as_of, known_at=self.known_at)
        met = tuple(
            (at, premise)
            for at, match in sorted(found.items())
            for premise, met_by in enumerate(match.met_by)
            if met_by
        )
        void = self._voiding(visible, compiled) if isinstance(compiled, CompiledWaivers) else ()
        if not met and not void:
            return None
        return (
            met,
            void,
            self._worths([found[at].live.pack for at, _ in met], holding),
            tuple(period_start(cap, holding.awarded_on) for cap in _period_caps(self.place)),
            holding.kind,
            holding.code,
            holding.issuer,
            holding.hours,
            holding.hours_per_credit,
            holding.credits,
            holding.attributes,
        )

    def _voiding(self, visible: Sequence[Holding], compiled: CompiledWaivers) -> tuple[int, ...]:
        """Return the rules that the outcome makes void."""
        day, known = self.as_of, self.known_at
        return tuple(
            at
            for at, live in enumerate(compiled.rules)
            if voiding(live.rule, visible, scales=live.pack.scales, as_of=day, known_at=known)
        )

    def _worths(self, packs: Sequence[RulePack], holding: Holding) -> Key:
        """Return what every table of these packs gives for the outcome."""
        worths = []
        for pack in {id(pack): pack for pack in packs}.values():
            for name in sorted(pack.tables):
                value = recognise(pack.tables[name], holding, scales=pack.scales, as_of=self.as_of)
                worths.append(None if value is None else value.worth)
        return tuple(worths)


def _period_caps(place: Programme | Exam) -> tuple[Cap, ...]:
    return tuple(cap for cap in place.caps if cap.periods) if isinstance(place, Programme) else ()


def _tables_ask_for_days(packs: Iterable[RulePack]) -> bool:
    """Whether the day of any award may matter: by a table, or since it picks the version of a rule."""
    for pack in packs:
        patterns = []
        for table in pack.tables.values():
            patterns += [row.pattern for row in table.rows]
            patterns += [deduction.pattern for deduction in table.deductions]
            patterns += [downgrade.pattern for downgrade in table.downgrades]
        if pack.date_basis == "award" or any(pattern.asks_for_days for pattern in patterns):
            return True
    return False


def _dated_codes(packs: Iterable[RulePack]) -> frozenset[Asked]:
    """Return the outcomes of which some premise asks when they were awarded."""
    return frozenset(
        (premise.pattern.kind, code)
        for pack in packs
        for rule in pack.rules
        for premise in rule.premises
        if premise.asks_for_days
        for code in (premise.pattern.codes or (None,))
    )


def asked_by_changes(before: Sequence[RulePack], after: Sequence[RulePack]) -> frozenset[Asked]:
    """Return what the rules ask for that are in one of two sets of packs only, or speak from other tables."""
    olds, news = _rules_of(before), _rules_of(after)
    found: frozenset[Asked] = frozenset()
    for said in olds.keys() ^ news.keys():
        found |= olds[said] if said in olds else news[said]
    return found


def _rules_of(packs: Sequence[RulePack]) -> Mapping[Key, frozenset[Asked]]:
    found: dict[Key, frozenset[Asked]] = {}
    for pack in packs:
        tables = tuple(sorted((name, repr(table)) for name, table in pack.tables.items()))
        scales = tuple(sorted((name, repr(scale)) for name, scale in pack.scales.items()))
        spoken = (pack.id, pack.step, pack.date_basis, tables, scales)
        for rule in pack.rules:
            asked: list[Asked] = [
                (one.pattern.kind, code) for one in rule.premises for code in one.pattern.codes or (None,)
            ]
            voids = [
                (one.pattern.kind, code) for one in rule.void_if for code in one.pattern.codes or (None,)
            ]
            found[spoken, rule] = frozenset([*(asked or [_OF_EVERYBODY]), *voids])
    return found


_OF_EVERYBODY: Asked = ("experience", "")
"""What a rule asks for that goes by facts alone: no outcome has this code, and everybody may be meant."""


class Holders:
    """Who holds what: by kind and code, the numbers of the learners."""

    def __init__(self, learners: Iterable[Learner]) -> None:
        self._by_code: dict[Asked, list[int]] = {}
        for number, learner in enumerate(learners):
            held: set[Asked] = {(one.kind, one.code) for one in learner.holdings}
            held |= {(one.kind, None) for one in learner.holdings}
            held.add(_OF_EVERYBODY)
            for asked in held:
                self._by_code.setdefault(asked, []).append(number)

    def of(self, asked: Iterable[Asked]) -> Iterator[int]:
        """Yield, in order and each once, who holds something that is asked for."""
        found: set[int] = set()
        for one in asked:
            found.update(self._by_code.get(one, ()))
        yield from sorted(found)
