"""Packs, programmes and learners as hypothesis draws them: learners from rules, so that grants are common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from hypothesis import strategies as st

from creditbank.conversion.allocation import decide_exemptions
from creditbank.conversion.decision import Decision, Exemption
from creditbank.conversion.holding import NOBODY_IN_PARTICULAR, Applicant, Holding, Pinned
from creditbank.conversion.programme import Bucket, Cap, Course, CourseFilter, Measure, Programme
from creditbank.conversion.promised import Promise
from creditbank.conversion.recognition import Deduction, RecognitionTable, WorthRow
from creditbank.conversion.rule import (
    AttributeTest,
    Citation,
    DateBasis,
    ExemptionGrant,
    FactTest,
    Pairing,
    Pattern,
    Premise,
    Rule,
    Scale,
    Scope,
    Wording,
)
from creditbank.conversion.rules_by_aim import RulesByAim
from creditbank.conversion.span import Span
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.terms import CourseId, IssuerId, Microseconds, OutcomeId, PackId, ProgrammeId, RuleId

X = "1+X"
LEVELS = ("初级", "中级", "高级")
SCALES: Mapping[str, Scale] = MappingProxyType(
    {X: Scale(framework=X, levels=tuple((level,) for level in LEVELS))}
)
CODES = ("A", "B", "C")
AS_OF = date(2026, 9, 1)
NOW = Microseconds(1_000_000)
STEP = Decimal("0.5")


@dataclass(frozen=True, slots=True, kw_only=True)
class TestPack:
    """A pack without the paper: what a decision needs of one."""

    __test__ = False

    id: PackId
    rules: tuple[Rule, ...]
    tables: Mapping[str, RecognitionTable] = field(default_factory=dict, hash=False)
    digest: str = "00"
    step: Decimal = STEP
    date_basis: DateBasis = "application"
    scales: Mapping[str, Scale] = field(default_factory=lambda: SCALES, hash=False)
    citations: Mapping[str, Citation] = field(default_factory=dict, hash=False)
    by_aim: RulesByAim = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_aim", RulesByAim(self.rules))


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One whole question about exemptions."""

    packs: tuple[TestPack, ...]
    holdings: tuple[Holding, ...]
    programme: Programme
    applicant: Applicant = NOBODY_IN_PARTICULAR
    pinned: tuple[Pinned, ...] = ()
    promises: tuple[Promise, ...] = ()
    as_of: date = AS_OF
    known_at: Microseconds = NOW


RARELY_FALSE = st.sampled_from((True,) * 9 + (False,))


def seldom(usual: object, *others: object) -> st.SearchStrategy[Any]:
    """The usual value nine times in ten."""
    return st.sampled_from((usual,) * (9 * len(others)) + others)


def words(text: str) -> Wording:
    return Wording(zh=text)


def level(name: str) -> FrameworkLevel:
    return FrameworkLevel(framework=X, level=name)


credits_of_courses = st.integers(1, 6).map(lambda halves: halves * STEP)
issuers = st.sampled_from((IssuerId("school"), IssuerId("station")))


@st.composite
def patterns(draw: st.DrawFn) -> Pattern:
    kind = draw(st.sampled_from(("skill-certificate", "skill-certificate", "course-credit")))
    codes = draw(st.frozensets(st.sampled_from(CODES), max_size=2))
    if kind == "course-credit":
        score = draw(st.none() | st.just(Decimal(60)))
        overlap = AttributeTest(attribute="overlap", no_less_than=Decimal(70))
        return Pattern(
            kind="course-credit", codes=codes, min_score=score, attributes=draw(seldom((), (overlap,)))
        )
    return Pattern(
        kind="skill-certificate",
        codes=codes,
        min_levels=draw(st.just(()) | st.sampled_from(LEVELS).map(lambda one: (level(one),))),
        max_age=draw(seldom(None, Span(count=7, unit="y"), Span(count=80, unit="m"))),
        issuers=draw(st.just(frozenset()) | issuers.map(lambda one: frozenset({one}))),
    )


@st.composite
def premises(draw: st.DrawFn, *, first: bool, tables: Sequence[str]) -> Premise:
    uses = ("consume", "consume", "draw", "hold") if first else ("consume", "hold")
    use = draw(st.sampled_from(uses))
    worth = draw(st.none() | st.sampled_from(tables)) if use == "draw" and tables else None
    return Premise(pattern=draw(patterns()), use=use, worth=worth)  # type: ignore[arg-type]


@st.composite
def tables(draw: st.DrawFn) -> RecognitionTable:
    """Worths that rise with the level, as any table's do."""
    low, more = draw(st.integers(1, 4)), draw(st.integers(0, 4))
    rows = [
        WorthRow(pattern=Pattern(kind="skill-certificate"), credits=low * STEP),
        WorthRow(
            pattern=Pattern(kind="skill-certificate", min_levels=(level("中级"),)),
            credits=(low + more) * STEP,
        ),
        draw(
            st.sampled_from(
                (
                    WorthRow(pattern=Pattern(kind="course-credit"), credits=low * STEP),
                    WorthRow(pattern=Pattern(kind="course-credit"), of_stated=Decimal("0.6")),
                    WorthRow(pattern=Pattern(kind="course-credit"), hours_per_credit=Decimal(18)),
                )
            )
        ),
    ]
    less = Deduction(
        pattern=Pattern(kind="skill-certificate", issuers=frozenset({IssuerId("station")})),
        credits=STEP,
        why=words("鉴定站减半分"),
    )
    other = RecognitionTable(
        id="other",
        title=words("另一机构"),
        rows=(
            WorthRow(pattern=Pattern(kind="course-credit"), credits=4 * STEP),
            WorthRow(
                pattern=Pattern(kind="skill-certificate", min_levels=(level("中级"),)), credits=3 * STEP
            ),
        ),
    )
    return RecognitionTable(
        id="bank",
        title=words("学分银行赋分"),
        rows=tuple(rows),
        within=draw(seldom(None, other)),
        is_once_per_code=not draw(RARELY_FALSE),
        deductions=draw(st.just(()) | st.just((less,))),
        maximum=draw(st.none() | st.integers(1, 6).map(lambda halves: halves * STEP)),
        families=draw(st.just(()) | st.just((frozenset({"A", "B"}),))),
    )


PAIRINGS = (
    Pairing(max_above=Decimal(1)),
    Pairing(max_above=Decimal(0), max_below=Decimal(1)),
    Pairing(names_course="replaces"),
    Pairing(names_outcome="about"),
)


@st.composite
def grants(
    draw: st.DrawFn, programme: Programme, *, is_limited: bool, spends: bool, has_table: bool
) -> ExemptionGrant:
    ids = [course.id for course in programme.courses]
    listed = CourseFilter(courses=draw(st.frozensets(st.sampled_from(ids), min_size=1, max_size=4)))
    classes = sorted({course.course_class for course in programme.courses})
    courses = draw(
        st.just(listed) | st.sampled_from(classes).map(lambda one: CourseFilter(classes=frozenset({one})))
    )
    with_credit = draw(st.sampled_from((True, True, False)))
    mode = draw(st.sampled_from(("each", "choose", "choose", "bundle")))
    pairing = draw(seldom(None, *PAIRINGS)) if spends else None
    buckets = tuple(bucket.id for bucket in programme.buckets if draw(st.booleans()))
    if mode == "bundle":
        return ExemptionGrant(mode="bundle", courses=listed, pairing=pairing, with_credit=with_credit)
    if mode == "each":
        return ExemptionGrant(
            mode="each",
            courses=courses,
            buckets=buckets if is_limited else (),
            pairing=pairing,
            with_credit=with_credit,
        )
    worth = "bank" if has_table and spends and draw(st.booleans()) else None
    max_credits = draw(st.none() | st.integers(1, 8).map(lambda halves: halves * STEP))
    max_courses = draw(st.none() | st.integers(1, 2))
    if max_credits is None and worth is None and (buckets or max_courses is None):
        max_credits = 4 * STEP
    return ExemptionGrant(
        mode="choose",
        courses=courses,
        buckets=buckets,
        max_credits=max_credits,
        max_courses=max_courses,
        worth=worth,
        pairing=pairing,
        with_credit=with_credit,
    )


@st.composite
def rules(draw: st.DrawFn, number: int, programme: Programme, *, has_table: bool) -> Rule:
    names = ("bank",) if has_table else ()
    asked = [draw(premises(first=True, tables=names))]
    if draw(st.integers(0, 3)) == 0:
        asked.append(draw(premises(first=False, tables=())))
    spends = any(premise.use != "hold" for premise in asked)
    facts = draw(seldom((), (FactTest(fact="category", one_of=("veteran",)),)))
    return Rule(
        id=RuleId(f"r{number}"),
        version=1,
        published_at=Microseconds(draw(seldom(0, NOW + 1))),
        effective_from=draw(seldom(date(2018, 1, 1), date(2021, 1, 1), date(2027, 1, 1))),
        premises=tuple(asked),
        grant=draw(
            grants(
                programme,
                is_limited=any(premise.use == "draw" for premise in asked),
                spends=spends,
                has_table=has_table,
            )
        ),
        scope=Scope(facts=facts),
        priority=draw(st.integers(0, 1)),
        exclusive=draw(st.sampled_from((None, None, None, "one"))),
        route=draw(st.sampled_from((None, "certificate", "online"))),
        say=words("规则"),
    )


@st.composite
def caps(draw: st.DrawFn, number: int, programme: Programme) -> Cap:
    measures: tuple[Measure, ...] = ("credits", "credits", "credits", "courses", "outcomes")
    measure = draw(st.sampled_from(measures))
    where = draw(st.integers(0, 3))
    courses = CourseFilter(modules=frozenset({"M1"})) if where == 1 else None
    if where == 2:
        courses = CourseFilter(courses=frozenset(course.id for course in programme.courses[:2]))
    base = Cap(
        id=f"cap{number}",
        title=words("上限"),
        measure=measure,
        maximum=Decimal(draw(st.integers(1, 4))),
        courses=courses,
        buckets=frozenset(bucket.id for bucket in programme.buckets) if where == 3 else None,
        routes=draw(st.just(frozenset()) | st.just(frozenset({"certificate"}))),
        kinds=draw(st.just(frozenset()) | st.just(frozenset({"skill-certificate"}))),
        issuers=draw(st.just(frozenset()) | issuers.map(lambda one: frozenset({one}))),
        periods=draw(st.sampled_from(((), (), ((3, 1),), ((3, 1), (9, 1))))),
    )
    if measure != "outcomes" and draw(st.booleans()):
        share = Decimal(draw(st.integers(1, 9))) / 10
        return replace(base, maximum=None, share=share, share_of_module=draw(st.sampled_from((None, "M1"))))
    return base


@st.composite
def programmes(draw: st.DrawFn, *, max_courses: int = 4) -> Programme:
    count = draw(st.integers(1, max_courses))
    listed = tuple(
        Course(
            id=CourseId(f"c{at}"),
            title=words(f"课程{at}"),
            credits=draw(credits_of_courses if draw(RARELY_FALSE) else st.just(Decimal(0))),
            module="M1" if at == 0 else draw(st.sampled_from(("M1", "M2"))),
            course_class=draw(st.sampled_from(("基础课", "核心课"))),
            exemptible=draw(RARELY_FALSE),
            exempt_for=frozenset({"veteran"}),
        )
        for at in range(count)
    )
    buckets = draw(
        st.just(())
        | st.integers(1, 4).map(
            lambda halves: (
                Bucket(id=CourseId("free"), title=words("任选"), capacity=halves * STEP, module="M2"),
            )
        )
    )
    bare = Programme(
        id=ProgrammeId("p"),
        title=words("专业"),
        credits=sum((course.credits for course in listed), Decimal(0)) + 2,
        courses=listed,
        buckets=buckets,
    )
    drawn = tuple(draw(caps(at, bare)) for at in range(draw(st.integers(0, 2))))
    return replace(bare, caps=drawn)


@st.composite
def meeting(draw: st.DrawFn, number: int, pattern: Pattern, *, surely: bool = False) -> Holding:
    """An outcome that meets the pattern; or, unless it must, misses it by an attribute now and then."""
    is_certificate = pattern.kind == "skill-certificate"
    at_least = LEVELS.index(pattern.min_levels[0].level) if pattern.min_levels else 0
    held = Holding(
        id=OutcomeId(f"{number:06}"),
        kind=pattern.kind,
        code=draw(st.sampled_from(sorted(pattern.codes) or CODES)),
        issuer=draw(issuers if not pattern.issuers else st.sampled_from(sorted(pattern.issuers))),
        awarded_on=draw(st.sampled_from((date(2025, 5, 1), date(2025, 10, 1)))),
        recorded_at=Microseconds(0),
        level=level(draw(st.sampled_from(LEVELS[at_least:]))) if is_certificate else None,
        score=None if is_certificate else Decimal(draw(st.sampled_from((60, 90)))),
        credits=None if is_certificate else draw(credits_of_courses),
        hours=None if is_certificate else Decimal(draw(st.sampled_from((18, 40)))),
        expires_on=draw(st.none() | st.just(AS_OF + timedelta(days=90))) if is_certificate else None,
        attributes=() if is_certificate else _stated(number, "80"),
    )
    if surely:
        return held
    return replace(
        held,
        level=level(draw(st.sampled_from(LEVELS))) if is_certificate else None,
        score=None if is_certificate else Decimal(draw(seldom(60, 55))),
        attributes=() if is_certificate else _stated(number, draw(seldom("80", "60"))),
        awarded_on=draw(seldom(held.awarded_on, date(2019, 3, 1))),
        recorded_at=Microseconds(draw(seldom(0, NOW + 1))),
        expires_on=draw(seldom(held.expires_on, AS_OF)) if is_certificate else None,
        revoked_at=draw(seldom(None, Microseconds(5), Microseconds(NOW + 1))),
        revoked_from=draw(st.none() | st.just(AS_OF + timedelta(days=1))),
    )


def _stated(number: int, overlap: str) -> tuple[tuple[str, str], ...]:
    """Return what an outcome states beside its own: another's code, an overlap, and a course."""
    return ("about", CODES[number % len(CODES)]), ("overlap", overlap), ("replaces", f"c{number % 2}")


@st.composite
def learners(draw: st.DrawFn, packs: Sequence[TestPack], *, more: int) -> tuple[Holding, ...]:
    """A learner who meets the premises of one of the rules, and holds a few more outcomes."""
    every_rule = [rule for pack in packs for rule in pack.rules]
    every_pattern = [premise.pattern for rule in every_rule for premise in rule.premises]
    meant = [premise.pattern for premise in draw(st.sampled_from(every_rule)).premises]
    others = draw(st.lists(st.sampled_from(every_pattern), max_size=more))
    numbers = draw(st.permutations(range(len(meant) + len(others))))
    return tuple(
        draw(meeting(number, pattern, surely=at < len(meant)))
        for at, (number, pattern) in enumerate(zip(numbers, (*meant, *others), strict=True))
    )


@st.composite
def packs_for(draw: st.DrawFn, programme: Programme, *, max_rules: int) -> tuple[TestPack, ...]:
    count = draw(st.integers(1, max_rules))
    has_table = draw(st.booleans())
    table = {"bank": draw(tables())} if has_table else {}
    drawn = [draw(rules(at, programme, has_table=has_table)) for at in range(count)]
    cut = draw(st.integers(0, count)) if count > 1 else 0
    basis = draw(st.sampled_from(("application", "application", "award", "enrolment")))
    parts = [part for part in (drawn[:cut], drawn[cut:]) if part]
    return tuple(
        TestPack(id=PackId(f"pack{at}"), rules=tuple(part), tables=table, date_basis=basis)  # type: ignore[arg-type]
        for at, part in enumerate(parts)
    )


@st.composite
def questions(draw: st.DrawFn, *, max_courses: int = 4, max_rules: int = 4, more: int = 2) -> Question:
    """Tiny questions, without registered grants."""
    programme = draw(programmes(max_courses=max_courses))
    packs = draw(packs_for(programme, max_rules=max_rules))
    return Question(
        packs=packs,
        holdings=draw(learners(packs, more=more)),
        programme=programme,
        applicant=Applicant(
            category=draw(st.sampled_from((None, "veteran", "student"))), enrolled_on=date(2025, 9, 1)
        ),
    )


def decide(question: Question, *, gains: bool = True, **changes: Any) -> Decision:  # noqa: ANN401 (any member)
    """Decide a question, or one that differs from it in the members named."""
    asked = replace(question, **changes)
    return decide_exemptions(
        asked.packs,
        asked.holdings,
        asked.programme,
        as_of=asked.as_of,
        known_at=asked.known_at,
        applicant=asked.applicant,
        pinned=asked.pinned,
        promises=asked.promises,
        gains=gains,
    )


def pin(exemption: Exemption) -> Pinned:
    """The exemption, registered."""
    return Pinned(
        pack=exemption.cited.pack,
        rule=exemption.cited.rule,
        rule_version=exemption.cited.version,
        target=exemption.target,
        units=exemption.units,
        with_credit=exemption.with_credit,
        spent=exemption.spent,
        witnesses=exemption.witnesses,
    )


@st.composite
def granted_questions(draw: st.DrawFn) -> Question:
    """Tiny questions whose answer grants something."""
    return draw(questions().filter(lambda question: decide(question).is_granted))


@st.composite
def pinned_questions(draw: st.DrawFn) -> Question:
    """Tiny questions of which part of the answer is registered already."""
    question = draw(granted_questions())
    granted = decide(question).exemptions
    kept = draw(
        st.lists(st.sampled_from(granted), min_size=1, unique_by=lambda one: (one.target, one.cited.rule))
    )
    return replace(question, pinned=tuple(pin(one) for one in kept))


class Questions(tuple[Question, ...]):
    """Questions that are told apart by whoever compares them: all of them printed are too long to read."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} questions>"


@st.composite
def classes(draw: st.DrawFn, *, learners_each: int = 4) -> Questions:
    """Tiny questions of several learners, no two alike, about the same rules and the same programme."""
    question = draw(questions())
    held = [question.holdings, *(draw(learners(question.packs, more=2)) for _ in range(learners_each - 1))]
    return Questions(replace(question, holdings=one) for one in dict.fromkeys(held))


@st.composite
def pinned_classes(draw: st.DrawFn) -> Questions:
    """Of several learners those who are granted something, of which a part is registered already."""
    asked = []
    for question in draw(classes()):
        granted = decide(question).exemptions
        if granted:
            first = draw(st.integers(0, len(granted) - 1))
            kept = granted[first : first + draw(st.integers(1, 2))]
            asked.append(replace(question, pinned=tuple(pin(one) for one in kept)))
    return Questions(asked)
