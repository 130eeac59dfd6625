"""Marks by a table, in words: how one came out, and what a table says."""

from creditbank.conversion.decision import Marking, decimal_text
from creditbank.conversion.marking import MarkTable
from creditbank.locale.catalogue import Catalogue
from creditbank.locale.pack_wording import shown


def mark_text(words: Catalogue, marking: Marking, mark: str | None) -> str:
    """Return a mark with what it goes by, or why there is none."""
    match marking.by:
        case "score":
            key = "say.mark-too-low" if mark is None else "say.mark-by-score"
        case "grade":
            key = "say.mark-unlisted" if mark is None else "say.mark-by-grade"
        case None:
            key = "say.mark-unstated"
    return words.text(
        key,
        mark=mark or "",
        table=shown(words, marking.title),
        stated=marking.stated or "",
        least="" if marking.least is None else words.number(marking.least),
    )


def mark_table_line(words: Catalogue, table: MarkTable) -> str:
    """Return a table of marks on one line, the highest band first."""
    bands = sorted(table.bands, key=lambda band: band.least, reverse=True)
    rows = [f"≥ {decimal_text(band.least)} → {band.mark}" for band in bands]
    rows += [f"{row.grade} → {row.mark}" for row in table.grades]
    colon = "：" if words.language == "zh-CN" else ": "
    return f"{words.text('word.mark-table')} {table.id} {shown(words, table.title)}{colon}{' · '.join(rows)}"
