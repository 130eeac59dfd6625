"""Packs, programmes and learners as hypothesis draws them: learners from rules, so that grants are common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import Any

from hypothesis import strategies as st

from creditbank.conversion.allocation import decide_exemptions
from creditbank.conversion.decision import Decision, Exemption
from creditbank.conversion.declared import DeclaredFact
from creditbank.conversion.holding import NOBODY_IN_PARTICULAR, Applicant, Holding, Pinned, SpentElsewhere
from creditbank.conversion.marking import MarkTable
from creditbank.conversion.premise import AttributeTest, FactTest, Pattern, Premise
from creditbank.conversion.programme import Bucket, Cap, Course, CourseFilter, Measure, Programme
from creditbank.conversion.promised import Promise
from creditbank.conversion.recognition import Deduction, RecognitionTable, WorthRow
from creditbank.conversion.rule import Citation, DateBasis, ExemptionGrant, Pairing, Rule, Scale, Scope
from creditbank.conversion.rules_by_aim import RulesByAim
from creditbank.conversion.span import parse_span, years
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.terms import CourseId, IssuerId, Microseconds, OutcomeId, PackId, ProgrammeId, RuleId, Wording
from tests.strategies.choosing import either, in_any_order, seldom, several_of, up_to

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
    mark_tables: Mapping[str, MarkTable] = field(default_factory=dict, hash=False)
    digest: str = "00"
    step: Decimal = STEP
    date_basis: DateBasis = "application"
    scales: Mapping[str, Scale] = field(default_factory=lambda: SCALES, hash=False)
    facts: Mapping[str, DeclaredFact] = field(default_factory=dict, hash=False)
    citations: Mapping[str, Citation] = field(default_factory=dict, hash=False)
    attributes: Mapping[str, Wording] = field(default_factory=dict, hash=False)
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
    elsewhere: tuple[SpentElsewhere, ...] = ()
    promises: tuple[Promise, ...] = ()
    as_of: date = AS_OF
    known_at: Microseconds = NOW


RARELY_FALSE = seldom(True, False)  # noqa: FBT003 - the values that are drawn


def words(text: str) -> Wording:
    return Wording(zh=text)


def level(name: str) -> FrameworkLevel:
    return FrameworkLevel(framework=X, level=name)


HALVES = tuple(halves * STEP for halves in range(1, 9))
"""Half a credit, one, one and a half …"""
ISSUERS = (IssuerId("school"), IssuerId("station"))
OF_ONE_ISSUER = tuple(frozenset({issuer}) for issuer in ISSUERS)
LEAST_LEVELS = tuple((level(name),) for name in LEVELS)
OVERLAP = AttributeTest(attribute="overlap", no_less_than=Decimal(70))
AGES = (None, *map(parse_span, ("7y", "80m", "6y8m1d")))
LEAST_AGES = (None, *map(parse_span, ("1y", "5m", "1y2m3d")))
credits_of_courses = either(*HALVES[:6])


@st.composite
def patterns(draw: st.DrawFn) -> Pattern:
    kind = draw(either("skill-certificate", "skill-certificate", "course-credit"))
    codes = draw(up_to(2, *CODES))
    if kind == "course-credit":
        score = draw(either(None, Decimal(60)))
        return Pattern(
            kind="course-credit", codes=codes, min_score=score, attributes=draw(seldom((), (OVERLAP,)))
        )
    return Pattern(
        kind="skill-certificate",
        codes=codes,
        min_levels=draw(either(*((),) * len(LEVELS), *LEAST_LEVELS)),
        max_age=draw(seldom(*AGES)),
        min_age=draw(seldom(*LEAST_AGES)),
        issuers=draw(either(frozenset(), frozenset(), *OF_ONE_ISSUER)),
    )


PATTERNS = patterns()


@cache
@st.composite
def premises(draw: st.DrawFn, *, first: bool, tables: tuple[str, ...]) -> Premise:
    uses = ("consume", "consume", "draw", "hold") if first else ("consume", "hold")
    use = draw(either(*uses))
    worth = draw(either(*(None,) * len(tables), *tables)) if use == "draw" and tables else None
    return Premise(
        pattern=draw(PATTERNS),
        use=use,
        worth=worth,
        awarded_since=draw(seldom(None, "enrolled_on", "trained_on", date(2025, 7, 1))),
        awarded_before=draw(seldom(None, "enrolled_on", "term_started_on")),
        for_good=use != "hold" and not draw(RARELY_FALSE),
    )


LESS = Deduction(
    pattern=Pattern(kind="skill-certificate", issuers=frozenset({IssuerId("station")})),
    credits=STEP,
    why=words("鉴定站减半分"),
)
SECOND = Deduction(
    pattern=Pattern(
        kind="course-credit", attributes=(AttributeTest(attribute="overlap", at_most=Decimal(70)),)
    ),
    part=Decimal("0.6"),
    why=words("重合少的按六成"),
)
OTHER = RecognitionTable(
    id="other",
    title=words("另一机构"),
    rows=(
        WorthRow(pattern=Pattern(kind="course-credit"), credits=4 * STEP),
        WorthRow(pattern=Pattern(kind="skill-certificate", min_levels=(level("中级"),)), credits=3 * STEP),
    ),
)


@st.composite
def tables(draw: st.DrawFn) -> RecognitionTable:
    """Worths that rise with the level, as any table's do."""
    low, more = draw(either(1, 2, 3, 4)), draw(either(0, 1, 2, 3, 4))
    rows = [
        WorthRow(pattern=Pattern(kind="skill-certificate"), credits=low * STEP),
        WorthRow(
            pattern=Pattern(kind="skill-certificate", min_levels=(level("中级"),)),
            credits=(low + more) * STEP,
        ),
        draw(
            either(
                WorthRow(pattern=Pattern(kind="course-credit"), credits=low * STEP),
                WorthRow(pattern=Pattern(kind="course-credit"), of_stated=Decimal("0.6")),
                WorthRow(pattern=Pattern(kind="course-credit"), hours_per_credit=Decimal(18)),
                WorthRow(pattern=Pattern(kind="course-credit"), is_by_issuers_hours=True),
                WorthRow(
                    pattern=Pattern(kind="course-credit"), of_attribute="overlap", per_credit=Decimal(16)
                ),
            )
        ),
    ]
    return RecognitionTable(
        id="bank",
        title=words("学分银行赋分"),
        rows=tuple(rows),
        within=draw(seldom(None, OTHER)),
        is_once_per_code=not draw(RARELY_FALSE),
        deductions=draw(either((), (LESS,), (LESS, SECOND))),
        maximum=draw(either(*(None,) * 6, *HALVES[:6])),
        families=draw(either((), (frozenset({"A", "B"}),))),
    )


TABLES = tables()


OF_VETERANS = FactTest(fact="category", one_of=("veteran",))
OF_FACTS = (
    FactTest(fact="terms", at_least=Decimal(2), at_most=Decimal(4)),
    FactTest(fact="trained_on", within=years(1)),
    FactTest(fact="track", one_of=("A", "B")),
)
"""Facts that packs declare: a number, a day, a text."""
PAIRINGS = (
    Pairing(max_above=Decimal(1)),
    Pairing(max_above=Decimal(0), max_below=Decimal(1)),
    Pairing(hours_share=Decimal("0.8")),
    Pairing(names_course="replaces"),
    Pairing(names_outcome="about"),
)


def grant(
    draw: st.DrawFn, programme: Programme, *, is_limited: bool, spends: bool, has_table: bool
) -> ExemptionGrant:
    ids = [course.id for course in programme.courses]
    listed = CourseFilter(courses=draw(up_to(4, *ids, least=1)))
    classes = sorted({course.course_class for course in programme.courses})
    by_class = [CourseFilter(classes=frozenset({one})) for one in classes]
    courses = draw(either(*[listed] * len(by_class), *by_class))
    with_credit = draw(either("with", "with", "without")) == "with"
    mode = draw(either("each", "choose", "choose", "bundle"))
    pairing = draw(seldom(None, *PAIRINGS)) if spends else None
    buckets = tuple(bucket.id for bucket in programme.buckets if draw(st.booleans()))
    leftover = bool(buckets) and draw(st.booleans())
    if mode == "bundle":
        return ExemptionGrant(mode="bundle", courses=listed, pairing=pairing, with_credit=with_credit)
    if mode == "each":
        return ExemptionGrant(
            mode="each",
            courses=courses,
            buckets=buckets if is_limited else (),
            is_leftover_only=leftover and is_limited,
            pairing=pairing,
            with_credit=with_credit,
        )
    worth = "bank" if has_table and spends and draw(st.booleans()) else None
    max_credits = draw(either(*(None,) * len(HALVES), *HALVES))
    max_courses = draw(either(None, None, 1, 2))
    if max_credits is None and worth is None and (buckets or max_courses is None):
        max_credits = 4 * STEP
    return ExemptionGrant(
        mode="choose",
        courses=courses,
        buckets=buckets,
        max_credits=max_credits,
        max_courses=max_courses,
        worth=worth,
        is_leftover_only=leftover,
        pairing=pairing,
        with_credit=with_credit,
    )


def rule(draw: st.DrawFn, number: int, programme: Programme, *, has_table: bool) -> Rule:
    names = ("bank",) if has_table else ()
    asked = [draw(premises(first=True, tables=names))]
    if draw(either(0, 1, 2, 3)) == 0:
        asked.append(draw(premises(first=False, tables=())))
    spends = any(premise.use != "hold" for premise in asked)
    facts = draw(seldom((), (OF_VETERANS,), *((test,) for test in OF_FACTS)))
    return Rule(
        id=RuleId(f"r{number}"),
        version=1,
        published_at=Microseconds(draw(seldom(0, NOW + 1))),
        effective_from=draw(seldom(date(2018, 1, 1), date(2021, 1, 1), date(2027, 1, 1))),
        premises=tuple(asked),
        grant=grant(
            draw,
            programme,
            is_limited=any(premise.use == "draw" for premise in asked),
            spends=spends,
            has_table=has_table,
        ),
        scope=Scope(facts=facts),
        priority=draw(either(0, 1)),
        exclusive=draw(either(None, None, None, "one")),
        different_codes=len(asked) > 1 and draw(st.booleans()),
        route=draw(either(None, "certificate", "online")),
        say=words("规则"),
    )


def cap(draw: st.DrawFn, number: int, programme: Programme) -> Cap:
    measures: tuple[Measure, ...] = ("credits", "credits", "credits", "courses", "outcomes")
    measure = draw(either(*measures))
    where = draw(either(0, 1, 2, 3))
    courses = CourseFilter(modules=frozenset({"M1"})) if where == 1 else None
    if where == 2:
        courses = CourseFilter(courses=frozenset(course.id for course in programme.courses[:2]))
    base = Cap(
        id=f"cap{number}",
        title=words("上限"),
        measure=measure,
        maximum=Decimal(draw(either(1, 2, 3, 4))),
        courses=courses,
        buckets=frozenset(bucket.id for bucket in programme.buckets) if where == 3 else None,
        routes=draw(either(frozenset(), frozenset({"certificate"}))),
        kinds=draw(either(frozenset(), frozenset({"skill-certificate"}))),
        issuers=draw(either(frozenset(), frozenset(), *OF_ONE_ISSUER)),
        periods=draw(either((), (), ((3, 1),), ((3, 1), (9, 1)))),
        per=draw(either(None, None, None, "issuer", "code")),
    )
    if base.periods:
        base = replace(base, period_by=draw(either("award", "award", "grant")))
    if measure != "outcomes" and draw(st.booleans()):
        share = Decimal(draw(either(*range(1, 10)))) / 10
        return replace(base, maximum=None, share=share, share_of_module=draw(either(None, "M1")))
    return base


DECLARED = (
    (("terms", "2"), ("track", "A"), ("trained_on", "2025-06-01")),
    (("terms", "4.5"), ("trained_on", "2024-12-31")),
    (("track", "C"), ("trained_on", "2025-10-01")),
)
FREE = tuple(
    (Bucket(id=CourseId("free"), title=words("任选"), capacity=halves, module="M2"),) for halves in HALVES[:4]
)


COURSE_HOURS = (None, *map(Decimal, (18, 36, 50)))


@cache
@st.composite
def programmes(draw: st.DrawFn, *, max_courses: int = 4) -> Programme:
    count = draw(either(*range(1, max_courses + 1)))
    listed = tuple(
        Course(
            id=CourseId(f"c{at}"),
            title=words(f"课程{at}"),
            credits=draw(credits_of_courses) if draw(RARELY_FALSE) else Decimal(0),
            module="M1" if at == 0 else draw(either("M1", "M2")),
            course_class=draw(either("基础课", "核心课")),
            hours=draw(either(*COURSE_HOURS)),
            exemptible=draw(RARELY_FALSE),
            exempt_for=frozenset({"veteran"}),
        )
        for at in range(count)
    )
    buckets = draw(either(*((),) * len(FREE), *FREE))
    bare = Programme(
        id=ProgrammeId("p"),
        title=words("专业"),
        credits=sum((course.credits for course in listed), Decimal(0)) + 2,
        courses=listed,
        buckets=buckets,
    )
    drawn = tuple(cap(draw, at, bare) for at in range(draw(either(0, 1, 2))))
    return replace(bare, caps=drawn)


def one_that_meets(draw: st.DrawFn, number: int, pattern: Pattern, *, surely: bool = False) -> Holding:
    """An outcome that meets the pattern; or, unless it must, misses it by an attribute now and then."""
    is_certificate = pattern.kind == "skill-certificate"
    at_least = LEVELS.index(pattern.min_levels[0].level) if pattern.min_levels else 0
    held = Holding(
        id=OutcomeId(f"{number:06}"),
        kind=pattern.kind,
        code=draw(either(*(sorted(pattern.codes) or CODES))),
        issuer=draw(either(*(sorted(pattern.issuers) or ISSUERS))),
        awarded_on=draw(either(date(2025, 5, 1), date(2025, 10, 1))),
        recorded_at=Microseconds(0),
        level=level(draw(either(*LEVELS[at_least:]))) if is_certificate else None,
        score=None if is_certificate else Decimal(draw(either(60, 90))),
        credits=None if is_certificate else draw(credits_of_courses),
        hours=None if is_certificate else Decimal(draw(either(18, 40))),
        hours_per_credit=None if is_certificate else draw(either(None, Decimal(16), Decimal(20))),
        expires_on=draw(either(None, AS_OF + timedelta(days=90))) if is_certificate else None,
        attributes=() if is_certificate else _stated(number, "80"),
    )
    if surely:
        return held
    return replace(
        held,
        level=level(draw(either(*LEVELS))) if is_certificate else None,
        score=None if is_certificate else Decimal(draw(seldom(60, 55))),
        attributes=() if is_certificate else _stated(number, draw(seldom("80", "60"))),
        awarded_on=draw(seldom(held.awarded_on, date(2019, 3, 1))),
        recorded_at=Microseconds(draw(seldom(0, NOW + 1))),
        expires_on=draw(seldom(held.expires_on, AS_OF)) if is_certificate else None,
        revoked_at=draw(seldom(None, Microseconds(5), Microseconds(NOW + 1))),
        revoked_from=draw(either(None, AS_OF + timedelta(days=1))),
    )


def _stated(number: int, overlap: str) -> tuple[tuple[str, str], ...]:
    """Return what an outcome states beside its own: another's code, an overlap, and a course."""
    return ("about", CODES[number % len(CODES)]), ("overlap", overlap), ("replaces", f"c{number % 2}")


meeting = st.composite(one_that_meets)


def learner(draw: st.DrawFn, packs: Sequence[TestPack], *, more: int) -> tuple[Holding, ...]:
    """A learner who meets the premises of one of the rules, and holds a few more outcomes."""
    every_rule = [rule for pack in packs for rule in pack.rules]
    every_pattern = [premise.pattern for rule in every_rule for premise in rule.premises]
    meant = [premise.pattern for premise in every_rule[draw(either(*range(len(every_rule))))].premises]
    others = [every_pattern[at] for at in draw(several_of(more, *range(len(every_pattern))))]
    numbers = draw(in_any_order(len(meant) + len(others)))
    return tuple(
        one_that_meets(draw, number, pattern, surely=at < len(meant))
        for at, (number, pattern) in enumerate(zip(numbers, (*meant, *others), strict=True))
    )


learners = st.composite(learner)


def packs(draw: st.DrawFn, programme: Programme, *, max_rules: int) -> tuple[TestPack, ...]:
    count = draw(either(*range(1, max_rules + 1)))
    has_table = draw(st.booleans())
    table = {"bank": draw(TABLES)} if has_table else {}
    drawn = [rule(draw, at, programme, has_table=has_table) for at in range(count)]
    cut = draw(either(*range(count + 1))) if count > 1 else 0
    basis = draw(either("application", "application", "award", "enrolment"))
    parts = [part for part in (drawn[:cut], drawn[cut:]) if part]
    return tuple(
        TestPack(id=PackId(f"pack{at}"), rules=tuple(part), tables=table, date_basis=basis)
        for at, part in enumerate(parts)
    )


packs_for = st.composite(packs)


@cache
@st.composite
def questions(draw: st.DrawFn, *, max_courses: int = 4, max_rules: int = 4, more: int = 2) -> Question:
    """Tiny questions, without registered grants."""
    programme = draw(programmes(max_courses=max_courses))
    drawn = packs(draw, programme, max_rules=max_rules)
    return Question(
        packs=drawn,
        holdings=learner(draw, drawn, more=more),
        programme=programme,
        applicant=Applicant(
            category=draw(either(None, "veteran", "student")),
            enrolled_on=date(2025, 9, 1),
            term_started_on=draw(seldom(date(2026, 2, 1), None)),
            declared=draw(either(*DECLARED)),
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
        elsewhere=asked.elsewhere,
        promises=asked.promises,
        gains=gains,
    )


GRANTED_ON = (None, AS_OF - timedelta(days=20), AS_OF - timedelta(days=300))


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


@cache
def granted_questions() -> st.SearchStrategy[Question]:
    """Tiny questions whose answer grants something."""
    return questions().filter(lambda question: decide(question).is_granted)


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
    held = [question.holdings, *(learner(draw, question.packs, more=2) for _ in range(learners_each - 1))]
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
            day = draw(either(*GRANTED_ON))
            pinned = tuple(replace(pin(one), granted_on=day) for one in kept)
            asked.append(replace(question, pinned=pinned))
    return Questions(asked)


@st.composite
def classes_elsewhere(draw: st.DrawFn) -> Questions:
    """Of several learners those who are granted something by outcomes that another programme spends too."""
    asked = []
    for question in draw(classes()):
        spent = sorted({outcome for one in decide(question).exemptions for outcome in one.spent})
        uses = tuple(
            SpentElsewhere(
                programme="other",
                rule="redeem",
                outcome=outcome,
                credits=draw(either(1, 2, 3)) * STEP / 2,
                is_drawn=draw(st.booleans()),
                for_good=draw(st.booleans()),
            )
            for outcome in (draw(several_of(2, *spent)) if spent else ())
        )
        if uses:
            asked.append(replace(question, elsewhere=uses))
    return Questions(asked)
