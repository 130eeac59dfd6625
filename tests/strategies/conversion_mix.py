"""A seeded mix of very many learners, for figures: the national bank's number of rules, drawn one by one.

Most learners hold one to four outcomes, a few up to eight; popular codes are held by many.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from creditbank.conversion.holding import Holding
from creditbank.conversion.premise import Pattern, Premise
from creditbank.conversion.programme import Cap, Course, CourseFilter, Programme
from creditbank.conversion.reevaluation import Learner
from creditbank.conversion.rule import ExemptionGrant, Rule, Scale, Scope
from creditbank.conversion.span import years
from creditbank.terms import CourseId, IssuerId, Microseconds, OutcomeId, PackId, ProgrammeId, RuleId
from tests.strategies.conversion import AS_OF, LEVELS, NOW, TestPack, X, level, words

RULES, PROGRAMMES = 4_278, 200
CODES = 40
"""Codes of each programme, shared by its certificates and its courses."""
_HELD = (1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """Learners that follow from one number; each time they are asked for they are drawn again."""

    seed: int
    learners: int
    programmes: tuple[Programme, ...]
    as_of: date = AS_OF
    known_at: Microseconds = NOW

    def __iter__(self) -> Iterator[tuple[ProgrammeId, Learner]]:
        random = Random(self.seed)
        for learner in range(self.learners):
            number = int(random.random() ** 2 * len(self.programmes))
            held = random.choice(_HELD)
            holdings = tuple(_holding(random, number, at) for at in range(held))
            yield self.programmes[number].id, Learner(holdings=holdings, state=f"{learner:064x}")


def mixed(
    seed: int, *, learners: int, programmes: int = PROGRAMMES, rules: int = RULES
) -> tuple[tuple[TestPack, ...], tuple[Programme, ...], Mix]:
    """Return the packs, the programmes and the learners of a mix."""
    random = Random(seed)
    listed = tuple(_programme(random, number) for number in range(programmes))
    pack = TestPack(
        id=PackId("mix"),
        rules=tuple(_rule(random, number, listed[number % programmes]) for number in range(rules)),
        scales={X: Scale(framework=X, levels=tuple((one,) for one in LEVELS))},
    )
    return (pack,), listed, Mix(seed=seed, learners=learners, programmes=listed)


def _programme(random: Random, number: int) -> Programme:
    courses = tuple(
        Course(
            id=CourseId(f"P{number:03}-{at:02}"),
            title=words(f"课程{at}"),
            credits=Decimal(random.choice((2, 3, 4, 4, 6))),
            module="专业核心课" if at % 3 == 0 else "专业基础课",
            exemptible=random.random() > 0.1,
        )
        for at in range(30)
    )
    return Programme(
        id=ProgrammeId(f"P{number:03}"),
        title=words(f"专业{number}"),
        credits=sum((course.credits for course in courses), Decimal(0)),
        courses=courses,
        caps=(
            Cap(id="share", title=words("总学分上限"), share=Decimal("0.3")),
            Cap(
                id="core",
                title=words("核心课上限"),
                share=Decimal("0.5"),
                share_of_module="专业核心课",
                courses=CourseFilter(modules=frozenset({"专业核心课"})),
            ),
        ),
    )


def _rule(random: Random, number: int, programme: Programme) -> Rule:
    place = int(programme.id[1:])
    code = f"{place:03}-{random.randrange(CODES):02}"
    is_certificate = random.random() < 0.6
    pattern = Pattern(
        kind="skill-certificate" if is_certificate else "course-credit",
        codes=frozenset({code}),
        min_levels=(level(random.choice(LEVELS[:2])),) if is_certificate else (),
        min_score=None if is_certificate else Decimal(60),
        max_age=years(7) if is_certificate and random.random() < 0.3 else None,
    )
    listed = random.sample([course.id for course in programme.courses], random.randint(1, 5))
    return Rule(
        id=RuleId(f"rule-{number:05}"),
        version=1,
        published_at=Microseconds(0),
        effective_from=date(2020, 1, 1),
        scope=Scope(programmes=frozenset({programme.id})),
        premises=(Premise(pattern=pattern, use="consume"),),
        grant=ExemptionGrant(
            mode="choose",
            courses=CourseFilter(courses=frozenset(listed)),
            max_credits=Decimal(random.randint(3, 10)),
        ),
        priority=random.randint(0, 2),
        say=words("规则"),
    )


def _holding(random: Random, place: int, at: int) -> Holding:
    is_certificate = random.random() < 0.6
    return Holding(
        id=OutcomeId(f"{at:06}"),
        kind="skill-certificate" if is_certificate else "course-credit",
        code=f"{place:03}-{int(random.random() ** 2 * CODES):02}",
        issuer=IssuerId(random.choice(("school", "station"))),
        awarded_on=AS_OF - timedelta(days=random.randint(30, 3_600)),
        recorded_at=Microseconds(0),
        level=level(random.choice(LEVELS)) if is_certificate else None,
        score=None if is_certificate else Decimal(random.randint(45, 100)),
        credits=None if is_certificate else Decimal(random.randint(2, 6)),
    )
