"""The samples as workbooks, as registrars send them: clean ones by issuer and kind, and a messy one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from io import BytesIO

from creditbank.documents.spreadsheet_template import CellValue, row_of, write_template
from creditbank.outcomes import kind_of
from creditbank.outcomes.outcome import OutcomeKind
from creditbank.outcomes.vocabulary import Vocabulary
from creditbank.samples.messy import messy_rows, messy_unknown_column
from creditbank.samples.outcomes import sample_outcomes
from creditbank.terms import IssuerId

Cells = Mapping[str, CellValue]
Vocabularies = Mapping[str, Vocabulary]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleWorkbook:
    """One file that an issuer posts."""

    issuer: IssuerId
    kind: OutcomeKind
    rows: int
    content: bytes


def sample_workbooks(vocabularies: Vocabularies, *, on: date) -> tuple[SampleWorkbook, ...]:
    """Return every sample outcome in filled-in templates of that day, the largest first."""
    grouped: dict[tuple[IssuerId, OutcomeKind], list[Cells]] = {}
    for sample in sample_outcomes(on=on):
        place = (sample.outcome.issuer, kind_of(sample.outcome))
        grouped.setdefault(place, []).append(row_of(sample.holder, sample.outcome, vocabularies))
    books = [
        SampleWorkbook(
            issuer=issuer, kind=kind, rows=len(rows), content=_filled(kind, rows, vocabularies, on)
        )
        for (issuer, kind), rows in grouped.items()
    ]
    return tuple(sorted(books, key=lambda book: -book.rows))


def messy_workbook(vocabularies: Vocabularies, *, on: date) -> bytes:
    """Return a workbook of skill certificates with one typical slip in each row."""
    stream = BytesIO()
    write_template(
        "skill-certificate",
        vocabularies,
        stream,
        on=on,
        rows=[row.cells for row in messy_rows()],
        further_headers=[messy_unknown_column()],
    )
    return stream.getvalue()


def _filled(kind: OutcomeKind, rows: Iterable[Cells], vocabularies: Vocabularies, on: date) -> bytes:
    stream = BytesIO()
    write_template(kind, vocabularies, stream, on=on, rows=rows)
    return stream.getvalue()
