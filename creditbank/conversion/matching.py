"""Rules in force, indexed by code, and the options of one learner: who could use which rule with what.

An option is a rule version with distinct outcomes for what it spends and a further one for each premise
that only holds. Which options are taken is for `allocation` and `waivers`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import chain

from creditbank.conversion.decision import Need, RuleCited
from creditbank.conversion.holding import Applicant, Holding, HoldingInvalid
from creditbank.conversion.meeting import Lack, day_of, fact_need, is_subject_of, lacking
from creditbank.conversion.premise import FactTest, Premise
from creditbank.conversion.programme import Exam, Programme
from creditbank.conversion.rule import DateBasis, ExemptionGrant, Rule, RulePack, WaiverGrant
from creditbank.terms import Microseconds, OutcomeId

Family = tuple[str, str, frozenset[str]]
AwardDays = tuple[date | None, date | None]
"""The first day of an award that will do, and the first that no longer does; None: any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRule:
    """A rule version that is in force for a programme or exam, with the pack that it speaks from."""

    rule: Rule
    pack: RulePack
    fact_needs: tuple[Need, ...]
    award_days: tuple[AwardDays, ...] = ()  # of each premise, where one holds the award against a day

    @property
    def cited(self) -> RuleCited:
        return RuleCited(
            pack=self.pack.id,
            digest=self.pack.digest,
            rule=self.rule.id,
            version=self.rule.version,
            cite=self.rule.cite,
            say=self.rule.say,
            proof=self.rule.proof,
            void_if=tuple(one.say for one in self.rule.void_if),
            procedure=self.rule.procedure,
        )

    @property
    def exemption(self) -> ExemptionGrant:
        """What a rule about a programme gives."""
        assert isinstance(self.rule.grant, ExemptionGrant), "rules about a programme exempt"
        return self.rule.grant

    @property
    def pairs_by_name(self) -> bool:
        """Whether it matters which of several outcomes holds: each may name another course or outcome."""
        grant = self.rule.grant
        return isinstance(grant, ExemptionGrant) and grant.pairing is not None and grant.pairing.is_by_name

    def codes_of_rows(self, premise: Premise) -> frozenset[str]:
        """Return the codes that the tables of a premise's worth list; none where any code would do."""
        if premise.use == "hold":
            return frozenset()
        granted = None if isinstance(self.rule.grant, WaiverGrant) else self.rule.grant.worth
        names = dict.fromkeys(name for name in (premise.worth, granted) if name is not None)
        rows = [row.pattern for name in names for row in self.pack.tables[name].rows]
        own = [row.codes for row in rows if row.kind == premise.pattern.kind]
        return frozenset[str]().union(*own) if all(own) else frozenset()

    @property
    def group(self) -> tuple[str, str] | None:
        """The exclusive group, which is the pack's own."""
        return None if self.rule.exclusive is None else (self.pack.id, self.rule.exclusive)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What a learner's outcomes are to a rule: of each premise those that meet it, and others it is about."""

    live: LiveRule
    met_by: tuple[tuple[Holding, ...], ...]
    missed_by: tuple[tuple[Holding, ...], ...]

    @property
    def unmet(self) -> tuple[int, ...]:
        return tuple(premise for premise, met in enumerate(self.met_by) if not met)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A rule and the outcomes it would rest on."""

    live: LiveRule
    spent: tuple[Holding, ...]  # consumed or drawn on, in premise order
    witnesses: tuple[Holding, ...]
    drawn: Holding | None = None
    budget: Decimal | None = None  # what the drawn outcome holds
    worth: Decimal | None = None  # what the grant may not exceed, where it names a table
    families: tuple[tuple[Family, OutcomeId], ...] = ()

    @property
    def consumed(self) -> tuple[OutcomeId, ...]:
        return tuple(holding.id for holding in self.spent if holding is not self.drawn)

    @property
    def evidence(self) -> tuple[Holding, ...]:
        """What tells it from others of its rule: the outcomes spent, and those that hold and name."""
        return (*self.spent, *self.witnesses) if self.live.pairs_by_name else self.spent

    @property
    def named_ids(self) -> tuple[OutcomeId, ...]:
        """The outcomes among these that only hold."""
        return tuple(holding.id for holding in self.evidence[len(self.spent) :])

    @property
    def spent_ids(self) -> tuple[OutcomeId, ...]:
        return tuple(holding.id for holding in self.spent)


def ordered(holdings: Iterable[Holding], *, known_at: Microseconds) -> tuple[Holding, ...]:
    """Return what was recorded up to `known_at`, by id; later revocations are left out too.

    Raises:
        HoldingInvalid: `holding-twice`.
    """
    by_id: dict[OutcomeId, Holding] = {}
    for holding in holdings:
        if holding.id in by_id:
            raise HoldingInvalid("holding-twice", field="id", id=holding.id)
        by_id[holding.id] = holding
    return tuple(by_id[id_] for id_ in sorted(by_id) if by_id[id_].recorded_at <= known_at)


def rules_in_force(
    packs: Iterable[RulePack],
    aim: Programme | Exam,
    *,
    applicant: Applicant,
    as_of: date,
    known_at: Microseconds,
) -> tuple[LiveRule, ...]:
    """Return the rule versions that speak about `aim` on that day, in the order of their rank.

    Rank: the highest priority, then rule id, version and pack. A rule that the applicant's facts shut out
    is there too, and says which.
    """
    found = [
        LiveRule(rule=rule, pack=pack, fact_needs=facts, award_days=_award_days(rule, applicant))
        for pack in packs
        for rule in _naming(aim, pack)
        if speaks_about(rule, aim)
        and rule.is_published(known_at=known_at)
        and (facts := _fact_needs(rule, pack.date_basis, applicant, as_of)) is not None
    ]
    return tuple(sorted(found, key=lambda live: _rank(live.rule, live.pack)))


def _rank(rule: Rule, pack: RulePack) -> tuple[int, str, int, str]:
    return (-rule.priority, rule.id, rule.version, pack.id)


def _naming(aim: Programme | Exam, pack: RulePack) -> list[Rule]:
    return pack.by_aim.of_exam(aim) if isinstance(aim, Exam) else pack.by_aim.of_programme(aim)


def speaks_about(rule: Rule, aim: Programme | Exam) -> bool:
    """Whether the rule's scope lets it apply in a programme or to an exam."""
    scope = rule.scope
    named: frozenset[str] = scope.exams if isinstance(aim, Exam) else scope.programmes
    return (
        (not named or aim.id in named)
        and isinstance(rule.grant, WaiverGrant) == isinstance(aim, Exam)
        and (not scope.majors or aim.major in scope.majors)
        and (not scope.levels or aim.level in scope.levels)
    )


def _fact_needs(rule: Rule, basis: DateBasis, applicant: Applicant, as_of: date) -> tuple[Need, ...] | None:
    """Return which facts shut the applicant out, None where the version is not the one in force."""
    missing = [need for test in rule.scope.facts if (need := fact_need(test, applicant, as_of=as_of))]
    missing.extend(_days_missing(rule, applicant, told={need.attribute for need in missing}))
    match basis:
        case "application":
            in_force = rule.is_effective(as_of)
        case "enrolment":
            in_force = rule.is_effective(applicant.enrolled_on or as_of)
            if applicant.enrolled_on is None:
                missing.extend([need] if (need := fact_need(_ENROLLED, applicant, as_of=as_of)) else [])
        case "award":
            in_force = rule.effective_from <= as_of
    return tuple(missing) if in_force else None


def _days_missing(rule: Rule, applicant: Applicant, *, told: Collection[str]) -> Iterator[Need]:
    """Yield the days to hold an award against that are not stated as days, without those told already."""
    asked = dict.fromkeys(fact for premise in rule.premises for fact in premise.facts)
    for fact in asked:
        if fact not in told and day_of(applicant.fact(fact)) is None:
            yield Need(attribute=fact, have=None, need="*")


_ENROLLED = FactTest(fact="enrolled_on")


def _award_days(rule: Rule, applicant: Applicant) -> tuple[AwardDays, ...]:
    bounds = [(premise.awarded_since, premise.awarded_before) for premise in rule.premises]
    if all(bound == (None, None) for bound in bounds):
        return ()
    return tuple((_day_meant(since, applicant), _day_meant(before, applicant)) for since, before in bounds)


def _day_meant(bound: date | str | None, applicant: Applicant) -> date | None:
    return day_of(applicant.fact(bound)) if isinstance(bound, str) else bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """The rules in force, and the way from an outcome to the premises that are about it.

    `asking` has, by kind and code (None: any code), the rules and premises that ask for such an outcome.
    """

    asking: Mapping[tuple[str, str | None], Sequence[tuple[int, int]]]
    nothing: tuple[Match, ...]  # what each rule is to someone who has no outcome at all


def index_of(rules: Sequence[LiveRule]) -> Index:
    """Return the index by which an outcome finds the premises that are about it."""
    asking: dict[tuple[str, str | None], list[tuple[int, int]]] = {}
    nothing = []
    for at, live in enumerate(rules):
        none: tuple[tuple[()], ...] = ((),) * len(live.rule.premises)
        nothing.append(Match(live=live, met_by=none, missed_by=none))
        for premise, asked in enumerate(live.rule.premises):
            for code in asked.pattern.codes or (None,):
                asking.setdefault((asked.pattern.kind, code), []).append((at, premise))
    return Index(asking=asking, nothing=tuple(nothing))


def matches(
    rules: Sequence[LiveRule],
    holdings: Sequence[Holding],
    *,
    as_of: date,
    known_at: Microseconds,
    index: Index | None = None,
) -> tuple[Match, ...]:
    """Return, for each rule, which outcomes meet its premises and which others its premises are about."""
    index = index_of(rules) if index is None else index
    found = list(index.nothing)
    for at, match in asked_for(index, holdings, as_of=as_of, known_at=known_at).items():
        found[at] = match
    return tuple(found)


def asked_for(
    index: Index, holdings: Iterable[Holding], *, as_of: date, known_at: Microseconds
) -> dict[int, Match]:
    """Return, by its number, each rule that asks for something of the kind and code of an outcome held.

    What it costs hangs on these rules, and not on how many there are.
    """
    found: dict[int, tuple[list[list[Holding]], list[list[Holding]]]] = {}
    for holding in holdings:
        if holding.awarded_on > as_of or holding.is_revoked(as_of=as_of, known_at=known_at):
            continue
        for at, premise in _asking(index, holding):
            live = index.nothing[at].live
            if at not in found:
                found[at] = [[] for _ in live.rule.premises], [[] for _ in live.rule.premises]
            met, missed = found[at]
            (missed if _lacking(live, premise, holding, as_of) else met)[premise].append(holding)
    return {
        at: Match(
            live=index.nothing[at].live, met_by=tuple(map(tuple, met)), missed_by=tuple(map(tuple, missed))
        )
        for at, (met, missed) in found.items()
    }


def rematch(found: Sequence[Match], added: Holding, *, index: Index, as_of: date) -> dict[int, Match]:
    """Return the matches that change, by rule, when `added` stands beside or in the place of an outcome.

    Only who meets what is told, not what others lack: that is not asked of an outcome that is not there.
    """
    changed: dict[int, Match] = {}
    for at, premise in _asking(index, added):
        match = changed.get(at, found[at])
        met = [one for one in match.met_by[premise] if one.id != added.id]
        if not _lacking(match.live, premise, added, as_of):
            met.append(added)
        met_by = list(match.met_by)
        met_by[premise] = tuple(sorted(met, key=lambda one: one.id))
        changed[at] = Match(live=match.live, met_by=tuple(met_by), missed_by=match.missed_by)
    return changed


def _asking(index: Index, holding: Holding) -> Iterable[tuple[int, int]]:
    by_code = index.asking.get((holding.kind, holding.code), ())
    of_any = index.asking.get((holding.kind, None), ())
    return chain(by_code, of_any) if of_any else by_code


def meets(live: LiveRule, premise: int, holding: Holding, *, as_of: date) -> bool:
    """Whether an outcome, a new one too, is all that a premise asks on the day `as_of`."""
    return (
        holding.awarded_on <= as_of
        and is_subject_of(live.rule.premises[premise].pattern, holding)
        and not _lacking(live, premise, holding, as_of)
    )


def needs_of_outcome(live: LiveRule, premise: int, holding: Holding, *, as_of: date) -> tuple[Need, ...]:
    """Return what an outcome lacks that a premise is about."""
    return tuple(
        Need(attribute=attribute, have=have, need=need, outcome=holding.id, premise=premise)
        for attribute, have, need in _lacking(live, premise, holding, as_of)
    )


def _lacking(live: LiveRule, premise: int, holding: Holding, as_of: date) -> list[Lack]:
    found = lacking(live.rule.premises[premise].pattern, holding, live.pack.scales, as_of)
    days: list[Lack] = []
    if holding.expires_on is not None and as_of >= holding.expires_on:
        days.append(("expires_on", holding.expires_on.isoformat(), f">{as_of.isoformat()}"))
    awarded_on = holding.awarded_on
    if live.pack.date_basis == "award" and not live.rule.is_effective(awarded_on):
        days.append(("awarded_on", awarded_on.isoformat(), f"≥{live.rule.effective_from.isoformat()}"))
    if live.award_days:
        since, before = live.award_days[premise]
        if since is not None and awarded_on < since:
            days.append(("awarded_on", awarded_on.isoformat(), f"≥{since.isoformat()}"))
        if before is not None and awarded_on >= before:
            latest = date.fromordinal(max(1, before.toordinal() - 1))
            days.append(("awarded_on", awarded_on.isoformat(), f"≤{latest.isoformat()}"))
    return days + found if days else found
