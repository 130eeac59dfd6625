"""What the numbers of certificates and diplomas look like, as far as that is published.

Several patterns hold at one time and none is complete, so a number that fits none is worth a look and
never refused. Of certificates for which no pattern is known, nothing is said.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.diploma import Diploma
from creditbank.outcomes.vocabulary import Provenance, VocabularyInvalid
from creditbank.terms import InputWarning


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberPattern:
    """How one body writes its numbers, between two days of award.

    `shape` is a regular expression for the whole number; its groups `year` and `level`, where it has
    them, are compared with what the outcome states, the level through `level_codes`.

    Raises:
        VocabularyInvalid: `pattern-malformed`.
    """

    code: str
    zh: str
    en: str
    framework: str
    shape: str
    provenance: Provenance
    levels: frozenset[str] = frozenset()  # of the framework, to which it applies; empty: to all
    level_codes: Mapping[str, str] = field(default_factory=dict)
    valid_from: date | None = None
    valid_to: date | None = None

    def __post_init__(self) -> None:
        try:
            re.compile(self.shape)
        except re.error as error:
            raise VocabularyInvalid("pattern-malformed", field=self.code) from error

    def applies_to(self, outcome: Diploma | SkillCertificate) -> bool:
        """Whether such an outcome, awarded when it was, can bear a number of this pattern."""
        level = outcome.level
        return (
            level is not None
            and level.framework == self.framework
            and (not self.levels or level.level in self.levels)
            and (self.valid_from or date.min) <= outcome.awarded_on < (self.valid_to or date.max)
        )


def number_warnings(
    outcome: Diploma | SkillCertificate, patterns: Iterable[NumberPattern]
) -> tuple[InputWarning, ...]:
    """Return what is odd about an outcome's number: it fits no pattern, or says another year or level.

    A number that fits several patterns is held against the one that agrees best.
    """
    applicable = [pattern for pattern in patterns if pattern.applies_to(outcome)]
    number = "".join(unicodedata.normalize("NFKC", outcome.number).upper().split())
    fits = [(pattern, found) for pattern in applicable if (found := re.fullmatch(pattern.shape, number))]
    if applicable and not fits:
        return (
            InputWarning(code="number-pattern-unknown", field="number", values={"number": outcome.number}),
        )
    differences = [tuple(_differences(outcome, pattern, found)) for pattern, found in fits]
    return min(differences, key=len, default=())


def _differences(
    outcome: Diploma | SkillCertificate, pattern: NumberPattern, found: re.Match[str]
) -> Iterator[InputWarning]:
    says = found.groupdict()
    year = says.get("year")
    if year is not None and not str(outcome.awarded_on.year).endswith(year):
        yield InputWarning(
            code="number-year-differs",
            field="number",
            values={"in_number": year, "stated": outcome.awarded_on.year},
        )
    level = pattern.level_codes.get(says.get("level") or "")
    if level is not None and outcome.level is not None and level != outcome.level.level:
        yield InputWarning(
            code="number-level-differs",
            field="number",
            values={"in_number": level, "stated": outcome.level.level},
        )
