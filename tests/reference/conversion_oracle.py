"""The best allocation by trying all of them: slow, obvious, and straight from CONVERSION §2 and §3.

Shares the data types with the product and nothing else. For tiny instances only.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import permutations, product
from math import inf
from typing import Any

from creditbank.conversion.holding import Applicant, Holding, Pinned, SpentElsewhere
from creditbank.conversion.premise import AttributeTest, FactTest, Pattern, Premise
from creditbank.conversion.programme import Bucket, Cap, Course, Programme
from creditbank.conversion.recognition import RecognitionTable, WorthRow
from creditbank.conversion.rule import ExemptionGrant, Rule, RulePack, WaiverGrant
from creditbank.conversion.span import Span
from creditbank.terms import Microseconds

Family = tuple[str, str, frozenset[str]]


@dataclass(frozen=True, kw_only=True)
class Option:
    pack: RulePack
    rule: Rule
    spent: tuple[Holding, ...]
    witnesses: tuple[Holding, ...]

    @property
    def grant(self) -> ExemptionGrant:
        assert isinstance(self.rule.grant, ExemptionGrant)
        return self.rule.grant

    @property
    def spending(self) -> list[tuple[Premise, Holding]]:
        return list(zip([p for p in self.rule.premises if p.use != "hold"], self.spent, strict=True))

    @cached_property
    def consumed(self) -> frozenset[str]:
        return frozenset(holding.id for premise, holding in self.spending if premise.use == "consume")

    @cached_property
    def drawn(self) -> frozenset[str]:
        return frozenset(holding.id for premise, holding in self.spending if premise.use == "draw")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing granted: to compare with an exemption of the product."""

    pack: str
    rule: str
    version: int
    target: str
    credits: Decimal
    spent: tuple[str, ...]
    witnesses: tuple[str, ...]


def is_by_name(rule: Rule) -> bool:
    """Whether outcomes name a course or one another: then which of them holds makes a difference."""
    pairing = None if isinstance(rule.grant, WaiverGrant) else rule.grant.pairing
    return pairing is not None and (pairing.names_course or pairing.names_outcome) is not None


def is_visible(holding: Holding, *, as_of: date, known_at: Microseconds) -> bool:
    """Whether an outcome counts on a day, going by what was known."""
    if holding.recorded_at > known_at:
        return False
    is_known = holding.revoked_at is not None and holding.revoked_at <= known_at
    if is_known and (holding.revoked_from is None or holding.revoked_from <= as_of):
        return False
    return holding.awarded_on <= as_of and (holding.expires_on is None or as_of < holding.expires_on)


def is_over(span: Span, since: date, as_of: date) -> bool:
    """Whether a span has passed, by comparing calendars: the day of the month, that many months later."""
    part = {unit: count for count, unit in span.parts}
    months = since.year * 12 + since.month + part.get("y", 0) * 12 + part.get("m", 0)
    day = as_of - timedelta(days=part.get("w", 0) * 7 + part.get("d", 0))
    return (day.year * 12 + day.month, day.day) >= (months, since.day)


def passes(pack: RulePack, test: AttributeTest, holding: Holding) -> bool:
    stated = dict(holding.attributes).get(test.attribute)
    if stated is None or (test.one_of and stated not in test.one_of):
        return False
    if test.at_least is not None:
        place = {
            name: at for at, equal in enumerate(pack.scales[test.at_least.framework].levels) for name in equal
        }
        if stated not in place or place[stated] < place[test.at_least.level]:
            return False
    bounds = (test.at_most, test.more_than, test.no_less_than)
    if all(bound is None for bound in bounds):
        return True
    number = float(stated)  # drawn attributes are small numbers
    return (
        (test.at_most is None or number <= test.at_most)
        and (test.more_than is None or number > test.more_than)
        and (test.no_less_than is None or number >= test.no_less_than)
    )


def fits(pack: RulePack, pattern: Pattern, holding: Holding, *, as_of: date) -> bool:
    """Whether an outcome is what a pattern asks for."""

    def at_least(scale: str, have: str | None, want: str) -> bool:
        place = {name: at for at, equal in enumerate(pack.scales[scale].levels) for name in equal}
        return have in place and place[have] >= place[want]

    if holding.kind != pattern.kind or (pattern.codes and holding.code not in pattern.codes):
        return False
    if pattern.min_levels:
        mine = holding.level
        if mine is None or not any(
            level.framework == mine.framework and at_least(level.framework, mine.level, level.level)
            for level in pattern.min_levels
        ):
            return False
    if pattern.min_grade is not None and not at_least(
        pattern.min_grade.framework, holding.grade, pattern.min_grade.level
    ):
        return False
    for wanted, have in (
        (pattern.min_score, holding.score),
        (pattern.min_hours, holding.hours),
        (pattern.min_credits, holding.credits),
    ):
        if wanted is not None and (have is None or have < wanted):
            return False
    if pattern.max_age is not None and is_over(pattern.max_age, holding.awarded_on, as_of):
        return False
    if pattern.min_age is not None and not is_over(pattern.min_age, holding.awarded_on, as_of):
        return False
    if not all(passes(pack, test, holding) for test in pattern.attributes):
        return False
    return not pattern.issuers or holding.issuer in pattern.issuers


class Oracle:
    def __init__(
        self,
        packs: Sequence[RulePack],
        holdings: Sequence[Holding],
        programme: Programme,
        *,
        as_of: date,
        known_at: Microseconds,
        applicant: Applicant,
        pinned: Sequence[Pinned],
        elsewhere: Sequence[SpentElsewhere],
        step: Decimal,
    ) -> None:
        self.packs = packs
        self.programme = programme
        self.as_of = as_of
        self.known_at = known_at
        self.applicant = applicant
        self.pinned = pinned
        self.elsewhere = elsewhere
        self.step = step
        self.all = {holding.id: holding for holding in holdings}
        self.visible = sorted(
            (one for one in holdings if is_visible(one, as_of=as_of, known_at=known_at)),
            key=lambda one: one.id,
        )
        self.options = sorted(self.draw_up_options(), key=self.rank)
        self.places: list[Course | Bucket] = [*programme.courses, *programme.buckets]

    # What is visible, what is in force, what is met.

    def in_force(self, rule: Rule, day: date) -> bool:
        return rule.effective_from <= day and (rule.effective_to is None or day < rule.effective_to)

    def applies(self, pack: RulePack, rule: Rule) -> bool:
        scope, programme = rule.scope, self.programme
        if not isinstance(rule.grant, ExemptionGrant) or rule.published_at > self.known_at:
            return False
        if scope.programmes and programme.id not in scope.programmes:
            return False
        if scope.majors and programme.major not in scope.majors:
            return False
        if scope.levels and programme.level not in scope.levels:
            return False
        if pack.date_basis == "application" and not self.in_force(rule, self.as_of):
            return False
        if pack.date_basis == "enrolment":
            enrolled = self.applicant.enrolled_on
            if enrolled is None or not self.in_force(rule, enrolled):
                return False
        against = [fact for premise in rule.premises for fact in premise.facts]
        return all(map(self.fact_holds, scope.facts)) and all(self.fact(one) for one in against)

    def fact_holds(self, test: FactTest) -> bool:
        value = self.fact(test.fact)
        if value is None:
            return False
        if test.one_of and str(value) not in test.one_of:
            return False
        if test.within is not None or test.after is not None:
            return (
                value <= self.as_of
                and (test.within is None or not is_over(test.within, value, self.as_of))
                and (test.after is None or is_over(test.after, value, self.as_of))
            )
        if test.at_least is not None and value < test.at_least:
            return False
        return bool(test.at_most is None or value <= test.at_most)

    def fact(self, name: str) -> Any:  # noqa: ANN401 - a fact is of any kind
        """Return a fact; what a pack declares is drawn as a day, a number, or capital letters."""
        declared = dict(self.applicant.declared).get(name)
        if declared is None or declared.isupper():
            return declared or getattr(self.applicant, name, None)
        return date.fromisoformat(declared) if "-" in declared else Decimal(declared)

    def day(self, bound: date | str) -> date:
        found: date = self.fact(bound) if isinstance(bound, str) else bound
        return found

    def meets(self, pack: RulePack, rule: Rule, premise: Premise, holding: Holding) -> bool:
        if pack.date_basis == "award" and not self.in_force(rule, holding.awarded_on):
            return False
        since, before = premise.awarded_since, premise.awarded_before
        if since is not None and holding.awarded_on < self.day(since):
            return False
        if before is not None and not holding.awarded_on < self.day(before):
            return False
        return self.fits(pack, premise.pattern, holding)

    def fits(self, pack: RulePack, pattern: Pattern, holding: Holding) -> bool:
        return fits(pack, pattern, holding, as_of=self.as_of)

    def worth(self, pack: RulePack, table: str, holding: Holding) -> Decimal:
        return self.worth_in(pack, pack.tables[table], holding)

    def worth_in(self, pack: RulePack, found: RecognitionTable, holding: Holding) -> Decimal:
        values = [self.row_worth(row, holding) for row in found.rows if self.fits(pack, row.pattern, holding)]
        if not values:
            return Decimal(0)
        value = max(values)
        for one in found.deductions:
            if self.fits(pack, one.pattern, holding):
                part = 1 if one.part is None else one.part
                value = max(Decimal(int(100 * value * part)) / 100 - (one.credits or 0), Decimal(0))
        if found.within is not None:
            value = min(value, self.worth_in(pack, found.within, holding))
        return value if found.maximum is None else min(value, found.maximum)

    def row_worth(self, row: WorthRow, holding: Holding) -> Decimal:
        if row.credits is not None:
            return row.credits
        if row.is_by_issuers_hours:
            unit = holding.hours_per_credit
            return Decimal(int(100 * (holding.hours or 0) / unit)) / 100 if unit else Decimal(0)
        if row.hours_per_credit is not None:
            return Decimal(int(100 * (holding.hours or 0) / row.hours_per_credit)) / 100
        if row.per_credit is not None:
            stated = dict(holding.attributes).get(row.of_attribute or "", "0")
            return Decimal(int(100 * Decimal(stated) / row.per_credit)) / 100
        assert row.of_stated is not None
        return Decimal(int(100 * (holding.credits or 0) * row.of_stated)) / 100

    # Options.

    def draw_up_options(self) -> Iterator[Option]:
        for pack in self.packs:
            for rule in pack.rules:
                if not self.applies(pack, rule):
                    continue
                spending = [premise for premise in rule.premises if premise.use != "hold"]
                holding = [premise for premise in rule.premises if premise.use == "hold"]
                for spent in permutations(self.visible, len(spending)):
                    if not all(map(lambda p, h: self.meets(pack, rule, p, h), spending, spent)):
                        continue
                    rest = [one for one in self.visible if one not in spent]
                    for witnesses in permutations(rest, len(holding)):
                        if rule.different_codes and has_twice(one.code for one in (*spent, *witnesses)):
                            continue
                        if all(map(lambda p, h: self.meets(pack, rule, p, h), holding, witnesses)):
                            option = Option(pack=pack, rule=rule, spent=spent, witnesses=witnesses)
                            if self.one_of_each_family(option):
                                yield option
                            if not is_by_name(rule):
                                break  # in the order of ids: the smallest

    def families(self, option: Option) -> Iterator[tuple[Family, str]]:
        for premise, holding in option.spending:
            for table in (premise.worth, option.grant.worth):
                if table is None:
                    continue
                found = option.pack.tables[table]
                families = [family for family in found.families if holding.code in family]
                if found.is_once_per_code and not families:
                    families = [frozenset({holding.code})]
                for family in families:
                    yield (option.pack.id, table, family), holding.id

    def one_of_each_family(self, option: Option) -> bool:
        found = list(self.families(option))
        return all(one == two for key, one in found for other, two in found if key == other)

    def rank(self, option: Option) -> tuple[object, ...]:
        rule = option.rule
        return (-rule.priority, rule.id, rule.version, option.pack.id, [one.id for one in option.spent])

    # Allocations.

    def may_get(self, option: Option, place: int) -> bool:
        target = self.places[place]
        if place >= len(self.programme.courses):
            bucket = self.programme.buckets[place - len(self.programme.courses)]
            kinds = {holding.kind for holding in option.spent}
            return (bucket.id in option.grant.buckets and self.is_named_well(option)) and (
                not bucket.accepts or (kinds != set() and kinds <= bucket.accepts)
            )
        course = self.programme.courses[place]
        wanted = option.grant.courses
        if wanted is None or any(grant.target == target.id for grant in self.pinned):
            return False
        categories = option.rule.scope.categories
        if not course.exemptible and not (categories and categories <= course.exempt_for):
            return False
        together = [one for one in self.programme.courses if one.id in wanted.courses]
        if not self.go_together(option, together if option.grant.mode == "bundle" else [course]):
            return False
        return (
            (not wanted.courses or course.id in wanted.courses)
            and (not wanted.modules or course.module in wanted.modules)
            and (not wanted.classes or course.course_class in wanted.classes)
            and (not wanted.natures or course.nature in wanted.natures)
        )

    def go_together(self, option: Option, courses: Sequence[Course]) -> bool:
        """Whether the courses, taken at once, are paired with the outcomes spent as the rule has it."""
        pairing = option.grant.pairing
        if pairing is None:
            return True
        ids = {course.id for course in courses}
        if not self.is_named_well(option):
            return False
        named = [
            dict(one.attributes).get(pairing.names_course or "") for one in (*option.spent, *option.witnesses)
        ]
        if pairing.names_course is not None and ids.isdisjoint(filter(None, named)):
            return False
        if pairing.is_same_code and ids.isdisjoint(one.code for one in option.spent):
            return False
        if pairing.hours_share is not None:
            asked = [course.hours for course in courses]
            stated = [one.hours for one in option.spent]
            if None in asked or all(one is None for one in stated):
                return False
            if sum(one or 0 for one in stated) < pairing.hours_share * sum(one or 0 for one in asked):
                return False
        have = sum((one.credits or Decimal(0) for one in option.spent), Decimal(0))
        if option.grant.worth is not None:
            have = sum((self.worth(option.pack, option.grant.worth, one) for one in option.spent), Decimal(0))
        more = sum((course.credits for course in courses), Decimal(0)) - have
        return (pairing.max_above is None or more <= pairing.max_above) and (
            pairing.max_below is None or -more <= pairing.max_below
        )

    def is_named_well(self, option: Option) -> bool:
        """Whether some outcome names another one's code, and none one that is not there."""
        name = None if option.grant.pairing is None else option.grant.pairing.names_outcome
        if name is None:
            return True
        evidence = (*option.spent, *option.witnesses)
        named = [(one, dict(one.attributes).get(name)) for one in evidence]
        stated = [(one, code) for one, code in named if code is not None]
        return stated != [] and all(
            any(code == other.code for other in evidence if other is not one) for one, code in stated
        )

    def units(self, credits_: Decimal) -> int:
        return int(credits_ // self.step)

    def allocations(self) -> Iterator[dict[tuple[int, int], int]]:
        """Yield every allocation, legal or not: (option, place) -> units."""
        courses = len(self.programme.courses)
        takers = [
            [None, *(at for at, option in enumerate(self.options) if self.may_get(option, place))]
            for place in range(courses)
        ]
        pairs = [
            (at, place)
            for place in range(courses, len(self.places))
            for at, option in enumerate(self.options)
            if self.may_get(option, place)
        ]
        amounts = [
            range(self.units(self.programme.buckets[place - courses].capacity) + 1) for _, place in pairs
        ]
        for taken in product(*takers):
            named = {
                (at, place): self.units(self.programme.courses[place].credits)
                for place, at in enumerate(taken)
                if at is not None
            }
            for poured in product(*amounts):
                yield named | {pair: amount for pair, amount in zip(pairs, poured, strict=True) if amount}

    def is_legal(self, allocation: dict[tuple[int, int], int]) -> bool:
        used = sorted({at for at, _ in allocation})
        return (
            all(self.is_free(self.options[at]) for at in used)
            and all(self.can_stand(self.options[a], self.options[b]) for a in used for b in used if a < b)
            and all(self.within_limits(at, allocation) for at in used)
            and self.within_budgets(used, allocation)
            and self.within_capacities(allocation)
            and all(self.within_cap(cap, allocation) for cap in self.programme.caps)
        )

    def pinned_rule(self, grant: Pinned) -> Rule | None:
        rules = (rule for pack in self.packs if pack.id == grant.pack for rule in pack.rules)
        return next((r for r in rules if (r.id, r.version) == (grant.rule, grant.rule_version)), None)

    def pinned_uses(self, grant: Pinned, use: str) -> set[str]:
        rule = self.pinned_rule(grant)
        if rule is None:
            return set(grant.spent) if use == "consume" else set()
        spending = [premise for premise in rule.premises if premise.use != "hold"]
        return {id_ for premise, id_ in zip(spending, grant.spent, strict=True) if premise.use == use}

    def is_same(self, option: Option, grant: Pinned) -> bool:
        return (
            option.pack.id == grant.pack
            and option.rule.id == grant.rule
            and {one.id for one in option.spent} == set(grant.spent)
        )

    def against(self, premise: Premise, holding: Holding) -> list[SpentElsewhere]:
        """Return what other programmes have spent of an outcome for good: then, or as the premise has it."""
        mine = [use for use in self.elsewhere if use.outcome == holding.id]
        return mine if premise.for_good else [use for use in mine if use.for_good]

    def is_free(self, option: Option) -> bool:
        """Whether registered grants leave the option open."""
        for premise, spent in option.spending:
            if any(premise.use != "draw" or not use.is_drawn for use in self.against(premise, spent)):
                return False
        for grant in self.pinned:
            if (option.consumed | option.drawn) & self.pinned_uses(grant, "consume"):
                return False
            if option.consumed & self.pinned_uses(grant, "draw"):
                return False
            rule = self.pinned_rule(grant)
            if (
                rule is not None
                and rule.exclusive is not None
                and (grant.pack, rule.exclusive) == (option.pack.id, option.rule.exclusive)
                and not self.is_same(option, grant)
            ):
                return False
            for (_, _, family), holding in self.families(option):
                for id_ in grant.spent:
                    if id_ != holding and id_ in self.all and self.all[id_].code in family:
                        return False
        return True

    def can_stand(self, one: Option, two: Option) -> bool:
        """Whether two options may be used beside each other."""
        if one.consumed & (two.consumed | two.drawn):
            return False
        if two.consumed & one.drawn:
            return False
        groups = [(option.pack.id, option.rule.exclusive) for option in (one, two)]
        if one.rule.exclusive is not None and groups[0] == groups[1]:
            return False
        return all(a == b for key, a in self.families(one) for other, b in self.families(two) if key == other)

    def within_limits(self, at: int, allocation: dict[tuple[int, int], int]) -> bool:
        option = self.options[at]
        mine = {place: units for (one, place), units in allocation.items() if one == at}
        before = [grant for grant in self.pinned if self.is_same(option, grant)]
        units = sum(mine.values()) + sum(grant.units for grant in before)
        courses = sum(place < len(self.programme.courses) for place in mine)
        courses += sum(any(c.id == grant.target for c in self.programme.courses) for grant in before)
        grant = option.grant
        if grant.max_credits is not None and units > self.units(grant.max_credits):
            return False
        if grant.worth is not None:
            worth = sum((self.worth(option.pack, grant.worth, one) for one in option.spent), Decimal(0))
            if units > self.units(worth):
                return False
        if grant.max_courses is not None and courses > grant.max_courses:
            return False
        if (
            grant.is_leftover_only
            and not courses
            and any(place >= len(self.programme.courses) for place in mine)
        ):
            return False
        if grant.mode == "bundle":
            assert grant.courses is not None
            listed = [c for c in self.programme.courses if grant.courses.covers(c)]
            known = {course.id for course in self.programme.courses}
            return len(mine) == len(listed) and grant.courses.courses <= known
        return True

    def budget(self, option: Option) -> int:
        for premise, holding in option.spending:
            if premise.use == "draw":
                gone = sum((use.credits for use in self.against(premise, holding)), Decimal(0))
                found = holding.credits or Decimal(0)
                if premise.worth is not None:
                    found = self.worth(option.pack, premise.worth, holding)
                return self.units(max(found - gone, Decimal(0)))
        raise AssertionError

    def within_budgets(self, used: Sequence[int], allocation: dict[tuple[int, int], int]) -> bool:
        for outcome in {id_ for at in used for id_ in self.options[at].drawn}:
            drawing = [at for at, option in enumerate(self.options) if outcome in option.drawn]
            before = sum(grant.units for grant in self.pinned if outcome in self.pinned_uses(grant, "draw"))
            drawn = {at: sum(units for (one, _), units in allocation.items() if one == at) for at in drawing}
            if sum(drawn.values()) + before > max(self.budget(self.options[at]) for at in drawing):
                return False
            if any(drawn[at] and drawn[at] + before > self.budget(self.options[at]) for at in drawing):
                return False
        return True

    def within_capacities(self, allocation: dict[tuple[int, int], int]) -> bool:
        for place, bucket in enumerate(self.programme.buckets, start=len(self.programme.courses)):
            filled = sum(units for (_, at), units in allocation.items() if at == place)
            before = sum(grant.units for grant in self.pinned if grant.target == bucket.id)
            if filled and filled + before > self.units(bucket.capacity):
                return False
        return True

    def within_cap(self, cap: Cap, allocation: dict[tuple[int, int], int]) -> bool:
        # (is a course, place id, units, route, outcomes spent, day, is new) of everything granted
        lines: list[tuple[bool, str, int, str | None, tuple[Holding, ...], date, bool]] = [
            (
                place < len(self.programme.courses),
                self.places[place].id,
                units,
                self.options[at].rule.route,
                self.options[at].spent,
                self.as_of,
                True,
            )
            for (at, place), units in allocation.items()
        ]
        for grant in self.pinned:
            rule = self.pinned_rule(grant)
            spent = tuple(self.all[id_] for id_ in grant.spent if id_ in self.all)
            is_course = any(course.id == grant.target for course in self.programme.courses)
            route = None if rule is None else rule.route
            day = grant.granted_on or self.as_of
            lines.append((is_course, grant.target, grant.units, route, spent, day, False))
        totals: dict[object, list[tuple[bool, int, set[str], bool]]] = {}
        for is_course, target, units, route, evidence, day, is_new in lines:
            if not self.cap_covers_place(cap, target) or (cap.routes and route not in cap.routes):
                continue
            fitting = [
                one
                for one in evidence
                if (not cap.kinds or one.kind in cap.kinds) and (not cap.issuers or one.issuer in cap.issuers)
            ]
            if (cap.kinds or cap.issuers) and not fitting:
                continue
            if cap.per is not None:
                for name, start in {
                    (str(getattr(one, cap.per)), self.period(cap, one, day)) for one in fitting
                }:
                    ids = {
                        str(one.id)
                        for one in fitting
                        if (str(getattr(one, cap.per)), self.period(cap, one, day)) == (name, start)
                    }
                    totals.setdefault((name, start), []).append((is_course, units, ids, is_new))
                continue
            if not cap.periods or cap.period_by == "grant":
                start = None if not cap.periods else self.period_of(cap, day)
                totals.setdefault(start, []).append(
                    (is_course, units, {str(one.id) for one in fitting}, is_new)
                )
                continue
            for start in {self.period(cap, one, day) for one in fitting}:
                ids = {str(one.id) for one in fitting if self.period(cap, one, day) == start}
                totals.setdefault(start, []).append((is_course, units, ids, is_new))
        maximum = self.cap_maximum(cap)
        for found in totals.values():
            if not any(is_new for *_, is_new in found):
                continue  # what was granted before is not ours to refuse
            measured = {
                "credits": sum(units for _, units, _, _ in found),
                "courses": sum(is_course for is_course, *_ in found),
                "outcomes": len(set().union(*(ids for _, _, ids, _ in found))),
            }[cap.measure]
            before = {
                "credits": sum(units for _, units, _, is_new in found if not is_new),
                "courses": sum(is_course for is_course, *_, is_new in found if not is_new),
                "outcomes": len(set().union(*(ids for _, _, ids, is_new in found if not is_new))),
            }[cap.measure]
            if measured > max(maximum, before):
                return False
        return True

    def cap_covers_place(self, cap: Cap, target: str) -> bool:
        if cap.courses is None and cap.buckets is None:
            return any(place.id == target for place in self.places)
        course = next((one for one in self.programme.courses if one.id == target), None)
        if course is not None:
            return cap.courses is not None and cap.courses.covers(course)
        return cap.buckets is not None and target in cap.buckets

    def cap_maximum(self, cap: Cap) -> int:
        if cap.maximum is not None:
            return self.units(cap.maximum) if cap.measure == "credits" else int(cap.maximum)
        assert cap.share is not None
        module = cap.share_of_module
        within = [one for one in self.programme.courses if module in (None, one.module)]
        if cap.measure == "courses":
            return int(cap.share * len(within))
        base = self.programme.credits
        if module is not None:
            base = sum((one.credits for one in within), Decimal(0))
            base += sum((b.capacity for b in self.programme.buckets if b.module == module), Decimal(0))
        return self.units(cap.share * base)

    def period(self, cap: Cap, one: Holding, granted_on: date) -> date | None:
        if not cap.periods:
            return None
        return self.period_of(cap, granted_on if cap.period_by == "grant" else one.awarded_on)

    def period_of(self, cap: Cap, day: date) -> date:
        starts = [date(year, m, d) for year in (day.year - 1, day.year) for m, d in cap.periods]
        return max(start for start in starts if start <= day)

    # The total order.

    def key(self, allocation: dict[tuple[int, int], int]) -> tuple[object, ...]:
        used = {at for at, _ in allocation}
        spent = {one.id for at in used for one in self.options[at].spent}
        precious = sorted(self.visible, key=self.preciousness, reverse=True)
        courses = range(len(self.programme.courses))
        buckets = range(len(courses), len(self.places))
        return (
            -sum(allocation.values()),
            tuple(int(holding.id in spent) for holding in precious),
            tuple(int(at in used) for at in reversed(range(len(self.options)))),
            tuple(
                next((at for at in range(len(self.options)) if (at, place) in allocation), inf)
                for place in courses
            ),
            tuple(-allocation.get((at, place), 0) for place in buckets for at in range(len(self.options))),
        )

    def preciousness(self, holding: Holding) -> tuple[int, date, str]:
        level = -1
        if holding.level is not None:
            for pack in sorted(self.packs, key=lambda one: (one.id, one.digest)):
                if holding.level.framework in pack.scales:
                    ranks = pack.scales[holding.level.framework].levels
                    level = next((at for at, equal in enumerate(ranks) if holding.level.level in equal), -1)
                    break
        return (level, holding.expires_on or date.max, holding.id)

    def best(self) -> tuple[int, list[Line]]:
        best = min((one for one in self.allocations() if self.is_legal(one)), key=self.key)
        lines = [
            Line(
                pack=self.options[at].pack.id,
                rule=self.options[at].rule.id,
                version=self.options[at].rule.version,
                target=self.places[place].id,
                credits=units * self.step,
                spent=tuple(one.id for one in self.options[at].spent),
                witnesses=tuple(one.id for one in self.options[at].witnesses),
            )
            for (at, place), units in sorted(best.items(), key=lambda one: (one[0][1], one[0][0]))
        ]
        return sum(best.values()), lines

    def tied(self) -> frozenset[tuple[str, str, int, tuple[str, ...]]]:
        """Return what gets something where the units are most: pack, rule, version, and what is spent."""
        legal = [one for one in self.allocations() if self.is_legal(one)]
        most = max(sum(one.values()) for one in legal)
        used = {at for one in legal if sum(one.values()) == most for at, _ in one}
        options = [self.options[at] for at in used]
        return frozenset(
            (one.pack.id, one.rule.id, one.rule.version, tuple(holding.id for holding in one.spent))
            for one in options
        )

    @property
    def size(self) -> int:
        """How many allocations there are to try."""
        size = 1
        for place in range(len(self.places)):
            takers = sum(self.may_get(option, place) for option in self.options)
            if place < len(self.programme.courses):
                size *= takers + 1
            else:
                capacity = self.programme.buckets[place - len(self.programme.courses)].capacity
                size *= (self.units(capacity) + 1) ** takers
        return size


def has_twice(codes: Iterable[str]) -> bool:
    listed = list(codes)
    return len(set(listed)) < len(listed)
