"""Vocabularies: code lists with names, the days on which each term holds, and where they come from.

The lists are data (`creditbank/vocabularies/`), because the state adds to them; this module only says
what a list is and how one looks a term up.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Literal

from creditbank.errors import InvalidInput

Standing = Literal["official", "partial", "from-memory", "own"]
"""Taken whole from a published source; in part; not checked against a source yet; this project's own."""

Match = Literal["same", "wider", "narrower", "related"]
"""What the target of a crosswalk is, compared with its source."""


class VocabularyInvalid(InvalidInput):
    """A vocabulary contradicts itself."""

    code = "vocabulary-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a list was found: its title, its address on the web or in print, and when it was last read.

    Without a day, the address is the one that was noted when the fact was gathered.
    """

    title: str
    address: str
    read_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """How far a list can be trusted, in words for people and with its sources."""

    standing: Standing
    statement: str
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One code and its names, valid from `valid_from` until the day before `valid_to`."""

    code: str
    zh: str
    en: str
    bo: str | None = None
    aliases: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None

    def is_valid(self, *, on: date) -> bool:
        return (self.valid_from or on) <= on < (self.valid_to or date.max)

    def writings(self) -> Iterator[str]:
        """Yield every way in which the term is written."""
        yield from (self.code, self.zh, self.en)
        yield from (self.bo,) if self.bo else ()
        yield from self.aliases


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """A list of terms; where `is_ordered`, from the lowest to the highest.

    Raises:
        VocabularyInvalid: `term-never-valid`, or `term-ambiguous`: two terms valid on one day are written
            alike.
    """

    id: str
    zh: str
    en: str
    provenance: Provenance
    terms: tuple[Term, ...]
    framework: str | None = None  # what `FrameworkLevel.framework` says of levels from this list
    is_ordered: bool = False

    def __post_init__(self) -> None:
        for term in self.terms:
            if (term.valid_from or date.min) >= (term.valid_to or date.max):
                raise VocabularyInvalid("term-never-valid", field=self.id, term=term.code)
        for writing, terms in self._by_writing.items():
            for at, term in enumerate(terms):
                if any(_overlap(term, other) for other in terms[at + 1 :]):
                    raise VocabularyInvalid("term-ambiguous", field=self.id, writing=writing)

    def term(self, code: str, *, on: date) -> Term | None:
        """Return the term that has exactly this code on that day."""
        return next((term for term in self.terms if term.code == code and term.is_valid(on=on)), None)

    def look_up(self, text: str, *, on: date) -> Term | None:
        """Return the term that `text` writes on that day: its code or a name; width, case, spaces aside."""
        found = self._by_writing.get(_folded(text), ())
        return next((term for term in found if term.is_valid(on=on)), None)

    def terms_valid(self, *, on: date) -> tuple[Term, ...]:
        """Return the terms valid on that day, in the order of the list."""
        return tuple(term for term in self.terms if term.is_valid(on=on))

    def rank(self, code: str) -> int | None:
        """Return the place of a code in an ordered list, 0 for the lowest; None where there is no order."""
        if not self.is_ordered:
            return None
        return next((place for place, term in enumerate(self.terms) if term.code == code), None)

    @cached_property
    def _by_writing(self) -> dict[str, tuple[Term, ...]]:
        by_writing: dict[str, tuple[Term, ...]] = {}
        for term in self.terms:
            for writing in dict.fromkeys(map(_folded, term.writings())):
                by_writing[writing] = (*by_writing.get(writing, ()), term)
        return by_writing


@dataclass(frozen=True, slots=True, kw_only=True)
class Correspondence:
    """One line of a crosswalk; `match` says what the target is, compared with the source."""

    source: str
    target: str
    match: Match


@dataclass(frozen=True, slots=True, kw_only=True)
class Crosswalk:
    """From the codes of one vocabulary to those of another."""

    id: str
    source: str
    target: str
    provenance: Provenance
    lines: tuple[Correspondence, ...]

    def targets_of(self, code: str) -> tuple[Correspondence, ...]:
        """Return what a code of the source vocabulary corresponds to; nothing if that is not known."""
        return tuple(line for line in self.lines if line.source == code)


def _overlap(one: Term, other: Term) -> bool:
    begin = max(one.valid_from or date.min, other.valid_from or date.min)
    return begin < min(one.valid_to or date.max, other.valid_to or date.max)


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
