"""Seeded learners of a known size, for figures: everything about them follows from one number."""

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from creditbank.conversion.holding import Holding
from creditbank.conversion.premise import Pattern, Premise, Use
from creditbank.conversion.programme import Bucket, Cap, Course, CourseFilter, Programme
from creditbank.conversion.recognition import RecognitionTable, WorthRow
from creditbank.conversion.rule import ExemptionGrant, Rule
from creditbank.outcomes.outcome import OutcomeKind
from creditbank.terms import CourseId, IssuerId, Microseconds, OutcomeId, PackId, ProgrammeId, RuleId
from tests.strategies.conversion import AS_OF, LEVELS, Question, TestPack, level, words

MODULES = ("公共基础课", "专业基础课", "专业核心课")


def small(seed: int) -> Question:
    """5 outcomes, 10 rules, 30 courses; at most half of the programme, and of one module."""
    random = Random(seed)
    programme = _programme(random, courses=30, units=(2, 3, 4, 4, 6), half=Decimal("0.5"))
    share = Cap(id="share", title=words("总学分上限"), share=Decimal("0.3"))
    module = Cap(
        id="module",
        title=words("核心课上限"),
        share=Decimal("0.5"),
        share_of_module=MODULES[2],
        courses=CourseFilter(modules=frozenset({MODULES[2]})),
    )
    codes = [f"X{number}" for number in range(6)]
    return _question(random, programme, caps=(share, module), codes=codes, outcomes=5, rules=10)


def crowded(seed: int) -> Question:
    """12 outcomes, 40 rules, 24 courses: every outcome may go many ways, under caps for year and semester."""
    random = Random(seed)
    programme = _programme(random, courses=24, units=(2, 3, 3, 3, 4), half=Decimal(1))
    caps = (
        Cap(id="year", title=words("每年"), maximum=Decimal(21), periods=((3, 1),)),
        Cap(id="semester", title=words("每学期"), maximum=Decimal(12), periods=((3, 1), (9, 1))),
        Cap(
            id="certificates",
            title=words("证书数"),
            measure="outcomes",
            maximum=Decimal(3),
            kinds=frozenset({"skill-certificate"}),
        ),
        Cap(id="total", title=words("总学分"), share=Decimal("0.75")),
    )
    codes = [f"X{number}" for number in range(14)]
    return _question(random, programme, caps=caps, codes=codes, outcomes=12, rules=40)


def yearly(seed: int) -> Question:
    """12 outcomes, 40 rules, 24 courses as K-ACBS has them: course for course, certificates by listed value.

    Caps for each year and semester, on certificates, and on certificates as free electives.
    """
    random = Random(seed)
    listed = tuple(
        Course(
            id=CourseId(f"K{at:02}"),
            title=words(f"课程{at}"),
            credits=Decimal(random.choice((2, 3, 3, 3, 3, 4))),
            module="major" if at < 14 else "general",
            course_class="major" if at < 14 else "general",
        )
        for at in range(24)
    )
    free = Bucket(id=CourseId("free"), title=words("任选"), capacity=Decimal(20), module="free")
    certificates = frozenset[OutcomeKind]({"skill-certificate"})
    programme = Programme(
        id=ProgrammeId("degree"),
        title=words("学位"),
        credits=Decimal(80),
        courses=listed,
        buckets=(free,),
        caps=(
            Cap(id="year", title=words("每年"), maximum=Decimal(14), periods=((3, 1),)),
            Cap(id="semester", title=words("每学期"), maximum=Decimal(8), periods=((3, 1), (9, 1))),
            Cap(
                id="certificates",
                title=words("证书数"),
                measure="outcomes",
                maximum=Decimal(3),
                kinds=certificates,
            ),
            Cap(
                id="free-certificates",
                title=words("任选证书数"),
                measure="outcomes",
                maximum=Decimal(1),
                kinds=certificates,
                buckets=frozenset({free.id}),
            ),
        ),
    )
    kind_of: dict[str, OutcomeKind] = {f"L{number:02}": "course-credit" for number in range(16)}
    kind_of |= {f"Z{number}": "skill-certificate" for number in range(5)}
    worth = tuple(
        WorthRow(
            pattern=Pattern(kind="skill-certificate", codes=frozenset({code})),
            credits=Decimal(random.randint(4, 20)),
        )
        for code, kind in kind_of.items()
        if kind == "skill-certificate"
    )
    table = RecognitionTable(id="bank", title=words("赋分"), rows=worth)
    pack = TestPack(
        id=PackId("k-acbs"),
        rules=tuple(_yearly_rule(random, number, listed, kind_of) for number in range(40)),
        tables={"bank": table},
        step=Decimal(1),
    )
    held = [random.choice(sorted(kind_of)[:16]) for _ in range(8)] + [f"Z{n}" for n in range(4)]
    holdings = tuple(_holding(random, number, {code: kind_of[code]}) for number, code in enumerate(held))
    return Question(packs=(pack,), holdings=holdings, programme=programme)


def _yearly_rule(
    random: Random, number: int, listed: tuple[Course, ...], kind_of: dict[str, OutcomeKind]
) -> Rule:
    code = random.choice(sorted(kind_of)) if number >= len(kind_of) else sorted(kind_of)[number]
    kind = kind_of[code]
    if kind == "course-credit":
        courses = frozenset(random.sample([course.id for course in listed], random.randint(1, 3)))
        grant = ExemptionGrant(mode="choose", courses=CourseFilter(courses=courses), max_courses=1)
    else:
        to = random.choice(("major", "general", "free"))
        grant = ExemptionGrant(
            mode="choose",
            courses=None if to == "free" else CourseFilter(classes=frozenset({to})),
            buckets=(CourseId("free"),) if to == "free" else (),
            worth="bank",
        )
    return Rule(
        id=RuleId(f"rule-{number:03}"),
        version=1,
        published_at=Microseconds(0),
        effective_from=date(2020, 1, 1),
        premises=(Premise(pattern=Pattern(kind=kind, codes=frozenset({code})), use="consume"),),
        grant=grant,
        priority=random.randint(0, 2),
        say=words("规则"),
    )


def _programme(random: Random, *, courses: int, units: tuple[int, ...], half: Decimal) -> Programme:
    listed = tuple(
        Course(
            id=CourseId(f"K{at:02}"),
            title=words(f"课程{at}"),
            credits=random.choice(units) * half * (2 if half < 1 else 1),
            module=MODULES[at % 3],
            course_class=MODULES[at % 3],
            exemptible=random.random() > 0.1,
        )
        for at in range(courses)
    )
    return Programme(
        id=ProgrammeId("profile"),
        title=words("专业"),
        credits=sum((course.credits for course in listed), Decimal(0)),
        courses=listed,
    )


def _question(
    random: Random,
    programme: Programme,
    *,
    caps: tuple[Cap, ...],
    codes: list[str],
    outcomes: int,
    rules: int,
) -> Question:
    kind_of: dict[str, OutcomeKind] = {
        code: "skill-certificate" if random.random() < 0.5 else "course-credit" for code in codes
    }
    bank = RecognitionTable(
        id="bank",
        title=words("赋分"),
        rows=tuple(
            WorthRow(
                pattern=Pattern(kind=kind, codes=frozenset({code})), credits=Decimal(random.randint(3, 12))
            )
            for code, kind in kind_of.items()
        ),
    )
    pack = TestPack(
        id=PackId("profile"),
        rules=tuple(_rule(random, number, programme, kind_of) for number in range(rules)),
        tables={"bank": bank},
    )
    holdings = tuple(_holding(random, number, kind_of) for number in range(outcomes))
    capped = Programme(
        id=programme.id,
        title=programme.title,
        credits=programme.credits,
        courses=programme.courses,
        caps=caps,
    )
    return Question(packs=(pack,), holdings=holdings, programme=capped)


def _rule(random: Random, number: int, programme: Programme, kind_of: dict[str, OutcomeKind]) -> Rule:
    codes = random.sample(sorted(kind_of), 1 if random.random() < 0.8 else 2)
    premises = [_premise(random, code, kind_of[code], "consume") for code in codes[:1]]
    if len(codes) == 2:
        premises.append(_premise(random, codes[1], kind_of[codes[1]], random.choice(("consume", "hold"))))
    if random.random() < 0.4:
        courses = CourseFilter(classes=frozenset({random.choice(MODULES)}))
    else:
        listed = random.sample([course.id for course in programme.courses], random.randint(2, 6))
        courses = CourseFilter(courses=frozenset(listed))
    return Rule(
        id=RuleId(f"rule-{number:03}"),
        version=1,
        published_at=Microseconds(0),
        effective_from=date(2020, 1, 1),
        premises=tuple(premises),
        grant=ExemptionGrant(
            mode="choose",
            courses=courses,
            max_credits=Decimal(random.randint(3, 10)),
            worth=random.choice(("bank", None)),
        ),
        priority=random.randint(0, 2),
        route="certificate",
        say=words("规则"),
    )


def _premise(random: Random, code: str, kind: OutcomeKind, use: Use) -> Premise:
    lowest = random.choice(LEVELS[:2])
    levels = (level(lowest),) if kind == "skill-certificate" else ()
    return Premise(pattern=Pattern(kind=kind, codes=frozenset({code}), min_levels=levels), use=use)


def _holding(random: Random, number: int, kind_of: dict[str, OutcomeKind]) -> Holding:
    code = random.choice(sorted(kind_of))
    is_certificate = kind_of[code] == "skill-certificate"
    return Holding(
        id=OutcomeId(f"{number:06}"),
        kind=kind_of[code],
        code=code,
        issuer=IssuerId(random.choice(("school", "station"))),
        awarded_on=AS_OF - timedelta(days=random.randint(30, 900)),
        recorded_at=Microseconds(0),
        level=level(random.choice(LEVELS)) if is_certificate else None,
        credits=None if is_certificate else Decimal(random.randint(2, 6)),
    )
