"""How the documents of the bank spell numbers, names, wordings and levels.

TOML has real dates and numbers; JSON has ISO 8601 strings and decimals as strings. Where people may write
a plain string for a table, it is turned into the table before it is checked, so that every message is
about one form.
"""

import re
import unicodedata
from datetime import date
from decimal import Decimal
from typing import Annotated, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from creditbank.conversion.span import SPAN_PATTERN
from creditbank.outcomes.outcome import HOURS_MAX

_DECIMAL_PATTERN = r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,6})?$"
_DECIMAL = re.compile(_DECIMAL_PATTERN)
_NEGATIVE_PATTERN = r"^-(0|[1-9][0-9]{0,8})(\.[0-9]{0,5}[1-9])?$"
_NEGATIVE = re.compile(_NEGATIVE_PATTERN)
"""As canonical JSON writes one: what is written otherwise is text, and stays as it is."""
_LARGEST_EXPONENT = 8
_SMALLEST_EXPONENT = -6


def _decimal(value: object, info: ValidationInfo) -> Decimal:
    match value:
        case bool():
            pass
        case int() if 0 <= value < 10 ** (_LARGEST_EXPONENT + 1):
            return Decimal(value)
        case Decimal() if _is_plain(value):
            return value
        case str() if info.mode == "json" and _DECIMAL.match(value):
            return Decimal(value)
        case _:
            pass
    if _is_negative(value):
        raise PydanticCustomError("negative", "a number that is not negative is wanted")
    raise PydanticCustomError("decimal", "a number of at most nine digits and six decimals is wanted")


def _is_negative(value: object) -> bool:
    match value:
        case int():
            return value < 0
        case Decimal():
            return value.is_signed() and not value.is_nan()
        case _:
            return False


def _signed(value: object, info: ValidationInfo) -> Decimal:
    match value:
        case int() if value < 0:
            return -_decimal(-value, info)
        case Decimal() if _is_negative(value):
            return -_decimal(value.copy_negate(), info)
        case str() if info.mode == "json" and _NEGATIVE.match(value):
            return -_decimal(value[1:], info)
        case _:
            return _decimal(value, info)


def _is_plain(value: Decimal) -> bool:
    if not value.is_finite() or value.is_signed():
        return False
    return value.adjusted() <= _LARGEST_EXPONENT and int(value.as_tuple().exponent) >= _SMALLEST_EXPONENT


Number: TypeAlias = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "exclusiveMaximum": 10 ** (_LARGEST_EXPONENT + 1)},
                {"type": "string", "pattern": _DECIMAL_PATTERN},
            ]
        }
    ),
]
SignedNumber: TypeAlias = Annotated[
    Decimal,
    BeforeValidator(_signed),
    WithJsonSchema(
        {
            "anyOf": [
                {
                    "type": "number",
                    "exclusiveMinimum": -(10 ** (_LARGEST_EXPONENT + 1)),
                    "exclusiveMaximum": 10 ** (_LARGEST_EXPONENT + 1),
                },
                {"type": "string", "pattern": _DECIMAL_PATTERN},
                {"type": "string", "pattern": _NEGATIVE_PATTERN},
            ]
        }
    ),
]
"""A number that may be below nothing, as a fact about an applicant may."""
CREDITS_MAX = 10_000
STEP_MIN = Decimal("0.01")
Credits: TypeAlias = Annotated[Number, Field(le=CREDITS_MAX)]
"""What one course or bucket holds: in steps it is a number that the search counts up to."""
Hours: TypeAlias = Annotated[Number, Field(le=HOURS_MAX)]
"""Class hours, at most what an outcome may state."""
CreditStep: TypeAlias = Annotated[Number, Field(ge=STEP_MIN)]
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of writing: what is shown would not be what is compared."""


def _plain(text: str) -> str:
    """Refuse what no reader sees and every reader is misled by: control characters, turned writing."""
    hidden = [
        one for one in text if one in _TURNS or (unicodedata.category(one) == "Cc" and one not in "\t\n\r")
    ]
    if hidden:
        found = " ".join(f"U+{ord(one):04X}" for one in dict.fromkeys(hidden))
        raise PydanticCustomError("hidden_characters", "no control characters are allowed", {"found": found})
    return text


_Plain = AfterValidator(_plain)
Id: TypeAlias = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z][0-9A-Za-z._/-]*$")]
Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=120), _Plain]
Sentence: TypeAlias = Annotated[str, Field(min_length=1, max_length=2000), _Plain]
Blank: TypeAlias = Annotated[str, Field(max_length=120), _Plain]
"""A name that may be left out."""
Count: TypeAlias = Annotated[int, Field(ge=1, le=1_000_000)]
Day: TypeAlias = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2999, 12, 31))]
SpanText: TypeAlias = Annotated[str, Field(pattern=SPAN_PATTERN)]
"""A number and one of y, m, w, d: years, months, weeks or days."""


class Members(BaseModel):
    """What all tables of a pack have in common: nothing is guessed, nothing unknown is passed over."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class WordingText(Members):
    """Chinese first; the English may be missing."""

    zh: Sentence
    en: Annotated[str, Field(max_length=2000), _Plain] = ""


def _words(value: object) -> object:
    return {"zh": value} if isinstance(value, str) else value


Words: TypeAlias = Annotated[
    WordingText, BeforeValidator(_words, json_schema_input_type=Sentence | WordingText)
]
"""A plain string is the Chinese alone."""


class LevelText(Members):
    """A level and the framework in which it is one; without a framework, of the one scale that has it."""

    level: Name
    framework: Name | None = None


def _level(value: object) -> object:
    return {"level": value} if isinstance(value, str) else value


def _levels(value: object) -> object:
    if isinstance(value, str | dict):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


Level: TypeAlias = Annotated[LevelText, BeforeValidator(_level, json_schema_input_type=Name | LevelText)]
SomeLevels: TypeAlias = Annotated[tuple[Level, ...], Field(min_length=1)]
Levels: TypeAlias = Annotated[SomeLevels, BeforeValidator(_levels, json_schema_input_type=Level | SomeLevels)]
"""One level, or the lowest level of each framework that is accepted."""


def _equal_levels(value: object) -> object:
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


SomeNames: TypeAlias = Annotated[tuple[Name, ...], Field(min_length=1)]
EqualLevels: TypeAlias = Annotated[
    SomeNames, BeforeValidator(_equal_levels, json_schema_input_type=Name | SomeNames)
]
"""Levels that count as equal; a plain string is one alone."""


def _value(value: object) -> object:
    """Write a number or a date as the decision writes it."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    return format(value, "f") if isinstance(value, Decimal) and _is_plain(value.copy_abs()) else value


Value: TypeAlias = Annotated[
    Annotated[str, Field(max_length=120), _Plain],
    BeforeValidator(_value, json_schema_input_type=str | int | Decimal),
]
