"""What the invented learners have achieved: one story, and something of every kind for the others.

The codes are those of the example pack `changdu`, so that its rules find something to say; the days follow
the day of the demonstration by whole years, so that what has to be recent is recent whenever it is given.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache, partial
from itertools import count
from random import Random
from typing import Any

from creditbank.identity.person import Person
from creditbank.outcomes import OUTCOME_TYPES, Outcome
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.samples.people import SEED, protagonist, read_sample, sample_issuer, sample_learners
from creditbank.terms import years_after

Table = Mapping[str, Any]

WRITTEN_FOR = date(2026, 12, 31)
"""The end of the year for which the days in the data file are written."""

_DECIMALS = frozenset({"credits", "hours", "hours_per_credit", "score"})
_SCHOOLS = {"畜牧兽医": "school-east", "旅游服务与管理": "school-river"}
_MAJOR_CODES = {"畜牧兽医": "CD-XM", "旅游服务与管理": "CD-LY"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleOutcome:
    """One learning outcome and the learner whose it is."""

    holder: Person
    outcome: Outcome


def story_outcomes(*, on: date = WRITTEN_FOR) -> tuple[SampleOutcome, ...]:
    """Return the protagonist's outcomes, for a demonstration on that day."""
    return _story(on.year - WRITTEN_FOR.year)


def sample_outcomes(*, on: date = WRITTEN_FOR) -> tuple[SampleOutcome, ...]:
    """Return every sample outcome, the protagonist's first; all were awarded before the year of `on`."""
    return _all(on.year - WRITTEN_FOR.year)


def outcome_of(table: Table) -> Outcome:
    """Build an outcome from a table of its members; the issuer is the `id` of a sample institution."""
    members = {name: _member(name, value) for name, value in table.items() if name != "kind"}
    return OUTCOME_TYPES[table["kind"]](**members)


@cache
def _story(years: int) -> tuple[SampleOutcome, ...]:
    return tuple(
        SampleOutcome(holder=protagonist(), outcome=outcome_of(_moved(table, years)))
        for table in read_sample("outcomes")["story"]
    )


@cache
def _all(years: int) -> tuple[SampleOutcome, ...]:
    draw = _Draw(read_sample("outcomes"), years=years)
    drawn = (
        SampleOutcome(holder=learner, outcome=outcome)
        for learner in sample_learners()[1:]
        for outcome in draw.of(learner)
    )
    return (*_story(years), *drawn)


def _moved(table: Table, years: int) -> Table:
    return {
        name: years_after(value, years) if isinstance(value, date) else value for name, value in table.items()
    }


def _member(name: str, value: Any) -> object:  # noqa: ANN401 - what TOML holds
    if name in _DECIMALS:
        return Decimal(value)
    if name == "level":
        return FrameworkLevel(**value)
    if name == "issuer":
        return sample_issuer(value)
    return value


class _Draw:
    """Draws what a learner of each category might hold from the catalogues."""

    def __init__(self, catalogues: Table, *, years: int) -> None:
        self._catalogues = catalogues
        self._years = years
        self._random = Random(SEED)  # noqa: S311 - the same invented outcomes at every call
        self._next = partial(next, count(2))  # 1 is the protagonist's
        self._by_category: Mapping[str, Callable[[str], Iterator[Table]]] = {
            "student": self._student,
            "herder-farmer": self._herder,
            "veteran": self._veteran,
            "teacher": self._teacher,
        }

    def of(self, learner: Person) -> Iterator[Outcome]:
        major = self._random.choice(tuple(_SCHOOLS))
        of_category = self._by_category.get(learner.category or "", self._trainee)
        return map(outcome_of, of_category(major))

    def _student(self, major: str) -> Iterator[Table]:
        for course in self._some("course", major=major, at_most=4):
            yield self._course(course)
        if self._chance(60):
            yield self._certificate(major)
        if self._chance(12):
            yield self._award()
        if self._chance(25):
            started_on = self._day(2025, 2)
            yield self._experience("internship", "顶岗实习", major, started_on, months=4)

    def _herder(self, _major: str) -> Iterator[Table]:
        yield from map(self._training, self._some("training", at_most=3))
        if self._chance(40):
            yield self._skill()

    def _veteran(self, major: str) -> Iterator[Table]:
        yield self._diploma(major)
        started_on = self._day(self._random.randint(2017, 2021), 9)
        yield self._experience("military-service", "服现役", major, started_on, months=24)
        if self._chance(50):
            yield self._certificate(major)

    def _teacher(self, major: str) -> Iterator[Table]:
        graduated_on = self._first_of_july(2005, 2018)
        yield {
            **self._diploma(major),
            "number": f"999991{graduated_on.year}05{self._next():06}",
            "level": {"framework": "GB/T 4658", "level": "21"},
            "awarded_on": graduated_on,
        }
        yield self._experience("enterprise-practice", "企业实践", major, self._day(2024, 7), months=2)

    def _trainee(self, major: str) -> Iterator[Table]:
        yield from map(self._training, self._some("training", at_most=2))
        if self._chance(50):
            yield self._diploma(major)
        if self._chance(40):
            yield self._skill()

    def _course(self, course: Table) -> Table:
        return {
            "kind": "course-credit",
            **{name: value for name, value in course.items() if name != "major"},
            "hours_per_credit": "18",
            "score": str(self._random.randint(60, 98)),
            "issuer": _SCHOOLS[course["major"]],
            "awarded_on": years_after(
                self._random.choice([date(2024, 7, 5), date(2025, 1, 10)]), self._years
            ),
        }

    def _certificate(self, major: str) -> Table:
        (certificate,) = self._some("certificate", major=major, at_most=1)
        awarded_on = self._day(self._random.randint(2023, 2024), self._random.choice([6, 12]))
        level = self._random.choices(certificate["levels"], weights=[4, 4, 1])[0]
        return {
            "kind": "skill-certificate",
            "number": f"DEMO-X-{awarded_on.year}-{self._next():04}",
            "standard": certificate["standard"],
            "title": certificate["title"],
            "level": {"framework": certificate["framework"], "level": level},
            "issuer": "station",
            "awarded_on": awarded_on,
            "score": str(self._random.randint(60, 98)),
        }

    def _skill(self) -> Table:
        (skill,) = self._some("skill", at_most=1)
        level, code = self._random.choice(skill["levels"])
        awarded_on = self._day(self._random.randint(2020, 2024), self._random.randint(3, 11))
        return {
            "kind": "skill-certificate",
            "number": f"S000054999999{awarded_on:%y}{code}{self._next():06}",
            "standard": skill["standard"],
            "title": skill["title"],
            "level": {"framework": "8-level", "level": level},
            "issuer": "station",
            "awarded_on": awarded_on,
        }

    def _diploma(self, major: str) -> Table:
        graduated_on = self._first_of_july(2014, 2025)
        return {
            "kind": "diploma",
            "number": f"DEMO-D-{graduated_on.year}-{self._next():04}",
            "level": {"framework": "GB/T 4658", "level": "44"},
            "major_code": _MAJOR_CODES[major],
            "major": major,
            "issuer": _SCHOOLS[major],
            "awarded_on": graduated_on,
            "study_form": "full-time",
        }

    def _training(self, training: Table) -> Table:
        started_on = self._day(self._random.randint(2021, 2024), self._random.randint(3, 11))
        days = -(-int(training["hours"]) // 8)
        return {
            "kind": "training",
            **training,
            "issuer": self._random.choice(["bureau", "school-east", "school-river"]),
            "started_on": started_on,
            "awarded_on": started_on + timedelta(days=days - 1),
        }

    def _award(self) -> Table:
        (contest,) = self._some("contest", at_most=1)
        team_size = self._random.choice([1, 1, 2, 3])
        return {
            "kind": "award",
            **_moved(contest, self._years),
            "rank": self._random.choices(["first", "second", "third"], weights=[1, 2, 3])[0],
            "issuer": "bureau",
            "team_size": team_size,
            "position": self._random.randint(1, team_size),
        }

    def _experience(self, form: str, title: str, major: str, started_on: date, *, months: int) -> Table:
        return {
            "kind": "experience",
            "form": form,
            "title": title,
            "started_on": started_on,
            "awarded_on": started_on + timedelta(days=months * 30),
            "issuer": _SCHOOLS[major],
        }

    def _some(self, catalogue: str, *, at_most: int, major: str | None = None) -> Sequence[Table]:
        listed = [item for item in self._catalogues[catalogue] if major in {None, item.get("major")}]
        return self._random.sample(listed, self._random.randint(1, min(at_most, len(listed))))

    def _day(self, year: int, month: int) -> date:
        return date(year + self._years, month, self._random.randint(1, 28))

    def _first_of_july(self, earliest: int, latest: int) -> date:
        return date(self._random.randint(earliest, latest) + self._years, 7, 1)

    def _chance(self, percent: int) -> bool:
        return self._random.randrange(100) < percent
