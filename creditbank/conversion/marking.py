"""Marks by a table: the score or the grade that an outcome states becomes the mark that is written here.

Which rule writes its marks by which table, its grade policy says; other ways to a mark are for `allocation`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from creditbank.conversion.decision import Marking, decimal_text
from creditbank.conversion.holding import Holding
from creditbank.conversion.premise import RuleInvalid
from creditbank.terms import Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkBand:
    """The mark of scores from `least` on, up to the next band of the table."""

    least: Decimal
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeMark:
    """The mark of exactly one grade."""

    grade: str
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkTable:
    """How scores and grades of elsewhere are written here; in which order the rows stand changes nothing.

    Raises:
        RuleInvalid: `mark-table-empty`, or `mark-row-twice` where one score or grade would have two marks.
    """

    id: str
    title: Wording
    bands: tuple[MarkBand, ...] = ()
    grades: tuple[GradeMark, ...] = ()
    cite: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.bands and not self.grades:
            raise RuleInvalid("mark-table-empty", field=self.id)
        rows: tuple[tuple[Literal["bands", "grades"], list[str]], ...] = (
            ("bands", [decimal_text(band.least) for band in self.bands]),
            ("grades", [row.grade for row in self.grades]),
        )
        for key, named in rows:
            if len(set(named)) < len(named):
                raise RuleInvalid("mark-row-twice", field=key, id=self.id, row=max(named, key=named.count))

    def look_up(self, evidence: Sequence[Holding]) -> tuple[str | None, Marking]:
        """Return the mark that follows from outcomes in their order, None where none does, and how it came.

        A table with bands goes by the first outcome that states a score; where none does, or the table has no
        bands, by the first that states a grade, if the table has grades.
        """
        scored = next((one for one in evidence if one.score is not None), None) if self.bands else None
        if scored is not None and scored.score is not None:
            return self._by_score(scored, scored.score)
        graded = next((one for one in evidence if one.grade is not None), None) if self.grades else None
        if graded is None:
            return None, Marking(table=self.id, title=self.title)
        mark = next((row.mark for row in self.grades if row.grade == graded.grade), None)
        by_grade = Marking(
            table=self.id, title=self.title, by="grade", outcome=graded.id, stated=graded.grade
        )
        return mark, by_grade

    def _by_score(self, holding: Holding, score: Decimal) -> tuple[str | None, Marking]:
        reached = max(
            (band for band in self.bands if band.least <= score), key=lambda band: band.least, default=None
        )
        lowest = min(band.least for band in self.bands)
        marking = Marking(
            table=self.id,
            title=self.title,
            by="score",
            outcome=holding.id,
            stated=decimal_text(score),
            least=lowest if reached is None else reached.least,
        )
        return (None if reached is None else reached.mark), marking
