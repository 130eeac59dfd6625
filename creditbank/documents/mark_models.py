"""The members of a rule pack document that say which mark is written for an exempted course."""

from decimal import Decimal
from typing import Annotated, TypeAlias, cast, get_args

from pydantic import BeforeValidator, Field

from creditbank.conversion.decision import decimal_text
from creditbank.conversion.rule import GradeKind
from creditbank.documents.atoms import Blank, Id, Members, Name, Number, Words
from creditbank.outcomes.outcome import SCORE_MAX


class GradeText(Members):
    kind: GradeKind
    value: Name | None = None
    ceiling: Number | None = None
    table: Id | None = None


class GradeByTableText(Members):
    """The short form of the kind `table`."""

    table: Id


MARK_MAX = 1000
"""No mark is higher that is written as a number."""


def _mark(value: object) -> object:
    """Write a number as a mark is written."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        mark = Decimal(value)
        return decimal_text(mark) if mark.is_finite() and 0 <= mark <= MARK_MAX else value
    return value


def _grade(value: object) -> object:
    match _mark(value):
        case str(kind) if kind == value and kind in get_args(GradeKind):
            return {"kind": kind}
        case str(mark):
            return {"kind": "fixed", "value": mark}
        case {"table": _, **others} if "kind" not in others:
            return {"kind": "table", **cast("dict[str, object]", value)}
        case _:
            return value


Grade: TypeAlias = Annotated[
    GradeText, BeforeValidator(_grade, json_schema_input_type=Name | int | GradeText | GradeByTableText)
]
"""A plain string is a kind of grade where it is named like one, else that fixed mark, as a number is."""
Mark: TypeAlias = Annotated[Name, BeforeValidator(_mark, json_schema_input_type=Name | int | Decimal)]
"""A mark as it is written; a number is its own text."""
ExpectedMark: TypeAlias = Annotated[
    Blank, BeforeValidator(_mark, json_schema_input_type=Blank | int | Decimal)
]
"""The same; empty where it is expected that no mark can be told."""


class MarkBandText(Members):
    """The mark of scores from here on, up to the next band."""

    from_: Annotated[Number, Field(alias="from", le=SCORE_MAX)]
    mark: Mark


class GradeMarkText(Members):
    """The mark of one grade."""

    grade: Mark
    mark: Mark


class MarkTableText(Members):
    """How the scores and grades of elsewhere are written here."""

    id: Id
    title: Words
    bands: tuple[MarkBandText, ...] = ()
    grades: tuple[GradeMarkText, ...] = ()
    cite: tuple[Id, ...] = ()
