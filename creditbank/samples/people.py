"""The invented institutions and learners: the same at every call, with numbers that belong to no one."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources
from random import Random
from typing import Any, Literal, cast

from creditbank.identity.citizen_number import TEST_REGION, CitizenNumber, check_digit
from creditbank.identity.names import PersonNames
from creditbank.identity.organisation_code import check_character
from creditbank.identity.person import Person
from creditbank.terms import IssuerId

SEED = 5403
_TSHEG = "\u0f0b"

InstitutionRole = Literal["school", "appraisal-station", "education-bureau"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleInstitution:
    """An invented institution; `id` is how the other samples refer to it."""

    id: str
    issuer: IssuerId
    name: str
    english_name: str
    role: InstitutionRole


def read_sample(name: str) -> Mapping[str, Any]:
    """Return one of the data files beside this module."""
    return tomllib.loads(resources.files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))


@cache
def sample_institutions() -> tuple[SampleInstitution, ...]:
    """Return two schools, an appraisal station and the education bureau."""
    return tuple(_institution(table) for table in read_sample("institutions")["institution"])


def sample_issuer(institution: str) -> IssuerId:
    """Return the code of a sample institution by its `id`."""
    return next(sample.issuer for sample in sample_institutions() if sample.id == institution)


@cache
def sample_learners() -> tuple[Person, ...]:
    """Return the protagonist first, then the others; no two share a name or a number."""
    return (protagonist(), *_others())


@cache
def protagonist() -> Person:
    """Return the learner whose story the demonstration tells."""
    told = read_sample("learners")["protagonist"]
    return Person(
        names=PersonNames(chinese=told["chinese"], tibetan=told["tibetan"], romanised=told["romanised"]),
        citizen_number=sample_citizen_number(told["born_on"], order=told["order"]),
        category=told["category"],
    )


def sample_citizen_number(born_on: date, *, order: int) -> CitizenNumber:
    """Return a number of the test region; `order` is 0 to 999, odd for men."""
    first_17 = f"{TEST_REGION}{born_on:%Y%m%d}{order:03}"
    return CitizenNumber(text=first_17 + check_digit(first_17))


def _institution(table: Mapping[str, str]) -> SampleInstitution:
    first_17 = table["first_17"]
    return SampleInstitution(
        id=table["id"],
        issuer=IssuerId(first_17 + check_character(first_17)),
        name=table["name"],
        english_name=table["english_name"],
        role=cast("InstitutionRole", table["role"]),
    )


def _others() -> Iterator[Person]:
    random = Random(SEED)  # noqa: S311 - the same invented people at every call
    parts = read_sample("names")
    names = [
        (first, second, sex)
        for sex, seconds in (("male", parts["second_male"]), ("female", parts["second_female"]))
        for second in seconds
        for first in parts["first"]
        if f"{first['en']} {second['en']}" != protagonist().names.romanised
    ]
    random.shuffle(names)
    for group in read_sample("learners")["group"]:
        for _ in range(group["count"]):
            yield _person(random, *_names(random, names), group=group)


def _names(
    random: Random, names: list[tuple[Mapping[str, str], Mapping[str, str], str]]
) -> tuple[PersonNames, str]:
    first, second, sex = names.pop()
    # Registers write both forms; a fifth with the dot keeps the comparison of names honest.
    between = "·" if random.random() < 1 / 5 else ""
    return PersonNames(
        chinese=f"{first['zh']}{between}{second['zh']}",
        tibetan=f"{first['bo']}{_TSHEG}{second['bo']}",
        romanised=f"{first['en']} {second['en']}",
    ), sex


def _person(random: Random, names: PersonNames, sex: str, *, group: Mapping[str, Any]) -> Person:
    earliest, latest = group["born"]
    begin = date(earliest, 1, 1)
    born_on = begin + timedelta(days=random.randrange((date(latest + 1, 1, 1) - begin).days))
    order = 2 * random.randrange(500) + (sex == "male")
    return Person(
        names=names,
        citizen_number=sample_citizen_number(born_on, order=order),
        category=group["category"],
    )
