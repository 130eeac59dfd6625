"""What is most likely a mistake in a pack's tables of marks: unused, or with rows that no rule ever comes to.

Only what is certain from the pack alone is said. What records can state is for `pack_terms`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from creditbank.conversion.decision import decimal_text
from creditbank.conversion.marking import MarkTable
from creditbank.conversion.pack import Pack
from creditbank.conversion.pack_terms import STATED
from creditbank.conversion.rule import ExemptionGrant, Rule

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """What the outcomes of a rule may bring to a table of marks.

    `least` is the least score that the first of them to state one can state; None: none ever does.
    """

    least: Decimal | None
    is_scored: bool  # some outcome is sure to state a score
    is_graded: bool  # some outcome may state a grade


def idle_marks(pack: Pack) -> Iterator[tuple[str, Path, dict[str, object]]]:
    """Yield what no mark ever comes from: what is wrong, where, and what it is called."""
    users: dict[str, list[_Looked]] = {name: [] for name in pack.mark_tables}
    for index, rule in enumerate(pack.rules):
        if not isinstance(rule.grant, ExemptionGrant) or (name := rule.grant.grade.table) is None:
            continue
        table, looked = pack.mark_tables[name], _looked(rule)
        if (table.bands and looked.least is not None) or (table.grades and looked.is_graded):
            users[name].append(looked)
        else:
            yield "mark-never-stated", ("rule", index, "grant", "grade"), {"rule": rule.id, "table": name}
    used = {rule.grant.grade.table for rule in pack.rules if isinstance(rule.grant, ExemptionGrant)}
    for at, table in enumerate(pack.mark_tables.values()):
        if table.id not in used:
            yield "mark-table-unused", ("mark_table", at), {"id": table.id}
        elif users[table.id]:
            for place, row in _unreached(table, users[table.id]):
                yield "mark-row-unreached", ("mark_table", at, *place), {"id": table.id, "row": row}


def _looked(rule: Rule) -> _Looked:
    """Look at the premises in the order in which their outcomes are looked at: those spent first."""
    in_order = [
        *(one.pattern for one in rule.premises if one.use != "hold"),
        *(one.pattern for one in rule.premises if one.use == "hold"),
    ]
    scores: list[Decimal] = []
    is_scored = False
    for pattern in in_order:
        if "score" in STATED[pattern.kind]:
            scores.append(pattern.min_score or Decimal(0))
        if is_scored := pattern.min_score is not None:
            break
    is_graded = any("grade" in STATED[pattern.kind] for pattern in in_order)
    return _Looked(least=min(scores, default=None), is_scored=is_scored, is_graded=is_graded)


def _unreached(table: MarkTable, users: Sequence[_Looked]) -> Iterator[tuple[Path, str]]:
    """Yield the rows that no rule comes to: the next band begins no higher than what all of them ask for."""
    least = min((one.least for one in users if one.least is not None), default=None)
    for at, band in enumerate(table.bands):
        above = min((other.least for other in table.bands if other.least > band.least), default=None)
        if least is None or (above is not None and above <= least):
            yield ("bands", at), decimal_text(band.least)
    if not any(one.is_graded and not (table.bands and one.is_scored) for one in users):
        yield from ((("grades", at), row.grade) for at, row in enumerate(table.grades))
