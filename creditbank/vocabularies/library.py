"""Finds and reads the vocabularies: the data files beside this module.

An unknown member in a file is an error, so that a slip of the pen in a date or a name is never passed
over. What a vocabulary means is said in `outcomes/vocabulary.py`.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any, cast, get_args

from creditbank.identity.regions import Region, RegionTable
from creditbank.outcomes.number_pattern import NumberPattern
from creditbank.outcomes.vocabulary import (
    Correspondence,
    Crosswalk,
    Match,
    Provenance,
    Source,
    Standing,
    Term,
    Vocabulary,
    VocabularyInvalid,
)

VOCABULARIES = (
    "award-rank",
    "certificate-level",
    "course-mode",
    "education-level",
    "experience-form",
    "major-group-2010",
    "major-group-2021",
    "organiser-level",
    "person-category",
    "redaction-ground",
    "skill-level",
    "study-form",
)
CROSSWALKS = ("major-group-2010-to-2021",)

Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabularies:
    """Every list that is shipped: vocabularies and crosswalks by their id, regions, number patterns."""

    vocabularies: Mapping[str, Vocabulary]
    crosswalks: Mapping[str, Crosswalk]
    regions: RegionTable
    regions_provenance: Provenance
    number_patterns: tuple[NumberPattern, ...]

    @classmethod
    @cache
    def load(cls) -> "Vocabularies":
        """Read the shipped files, once.

        Raises:
            VocabularyInvalid: a file does not say what it must say.
        """
        regions = _shipped("regions")
        return cls(
            vocabularies={name: parse_vocabulary(_shipped(name)) for name in VOCABULARIES},
            crosswalks={name: parse_crosswalk(_shipped(name)) for name in CROSSWALKS},
            regions=parse_regions(regions),
            regions_provenance=_provenance(regions),
            number_patterns=parse_number_patterns(_shipped("number-patterns")),
        )

    def levels_of(self, framework: str) -> Vocabulary | None:
        """Return the vocabulary whose terms are the levels of a framework."""
        found = (listed for listed in self.vocabularies.values() if listed.framework == framework)
        return next(found, None)


def parse_vocabulary(table: Table) -> Vocabulary:
    """Read a vocabulary from a file's tables.

    Raises:
        VocabularyInvalid: it contradicts itself, lacks a member or has an unknown one.
    """
    _check_members(
        table,
        required={"id", "zh", "en", "ordered", *_PROVENANCE, "term"},
        optional={"framework"},
    )
    return Vocabulary(
        id=table["id"],
        zh=table["zh"],
        en=table["en"],
        provenance=_provenance(table),
        terms=tuple(_term(term) for term in table["term"]),
        framework=table.get("framework"),
        is_ordered=table["ordered"],
    )


def parse_crosswalk(table: Table) -> Crosswalk:
    """Read a crosswalk from a file's tables.

    Raises:
        VocabularyInvalid: it lacks a member or has an unknown one.
    """
    _check_members(table, required={"id", "source_vocabulary", "target_vocabulary", *_PROVENANCE, "line"})
    return Crosswalk(
        id=table["id"],
        source=table["source_vocabulary"],
        target=table["target_vocabulary"],
        provenance=_provenance(table),
        lines=tuple(_correspondence(line) for line in table["line"]),
    )


def parse_regions(table: Table) -> RegionTable:
    """Read the region codes from a file's tables.

    Raises:
        VocabularyInvalid: a member is lacking or unknown.
    """
    _check_members(table, required={"id", "zh", "en", "complete_prefixes", *_PROVENANCE, "region"})
    for region in table["region"]:
        _check_members(region, required={"code", "name"}, optional={"first_year", "last_year"})
    return RegionTable(
        (Region(**region) for region in table["region"]), complete_prefixes=table["complete_prefixes"]
    )


def parse_number_patterns(table: Table) -> tuple[NumberPattern, ...]:
    """Read the patterns of certificate and diploma numbers from a file's tables.

    Raises:
        VocabularyInvalid: a member is lacking or unknown, or a pattern is no regular expression.
    """
    _check_members(table, required={"pattern"})
    return tuple(_number_pattern(pattern) for pattern in table["pattern"])


_PROVENANCE = ("standing", "statement", "source")
_NAMES = ("code", "zh", "en")


def _shipped(name: str) -> Table:
    text = resources.files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    assert table.get("id", name) == name, f"{name}.toml calls itself {table['id']}"
    return table


def _provenance(table: Table) -> Provenance:
    sources = table["source"] if isinstance(table["source"], list) else [table["source"]]
    for source in sources:
        _check_members(source, required={"title", "address"}, optional={"read_on"})
        _check_days(source, "read_on")
    if table["standing"] not in get_args(Standing) or not sources:
        raise VocabularyInvalid("provenance-incomplete", field=str(table.get("id", table.get("code"))))
    return Provenance(
        standing=cast("Standing", table["standing"]),
        statement=table["statement"],
        sources=tuple(Source(**source) for source in sources),
    )


def _term(table: Table) -> Term:
    _check_members(table, required=_NAMES, optional={"bo", "aliases", "valid_from", "valid_to"})
    _check_days(table, "valid_from", "valid_to")
    return Term(**{**table, "aliases": tuple(table.get("aliases", ()))})


def _correspondence(table: Table) -> Correspondence:
    _check_members(table, required={"source", "target", "match"})
    if table["match"] not in get_args(Match):
        raise VocabularyInvalid("crosswalk-match-unknown", field="match", value=table["match"])
    return Correspondence(**table)


def _number_pattern(table: Table) -> NumberPattern:
    _check_members(
        table,
        required={*_NAMES, "framework", "shape", *_PROVENANCE},
        optional={"levels", "level_codes", "valid_from", "valid_to"},
    )
    _check_days(table, "valid_from", "valid_to")
    members = {name: value for name, value in table.items() if name not in _PROVENANCE}
    members["levels"] = frozenset(table.get("levels", ()))
    return NumberPattern(provenance=_provenance(table), **members)


def _check_members(table: Table, *, required: Iterable[str], optional: Iterable[str] = ()) -> None:
    where = str(table.get("id", table.get("code", "")))
    for member in sorted({*required} - table.keys()):
        raise VocabularyInvalid("vocabulary-member-missing", field=where, member=member)
    for member in sorted(table.keys() - {*required, *optional}):
        raise VocabularyInvalid("vocabulary-member-unknown", field=where, member=member)


def _check_days(table: Table, *members: str) -> None:
    for member in members:
        if member in table and type(table[member]) is not date:
            raise VocabularyInvalid("vocabulary-member-no-date", field=member, value=str(table[member]))
