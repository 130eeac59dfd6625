"""The six kinds of learning outcome, and what they share: levels, and the limits of what can be stated.

Unknown kinds are refused: a new one is a change of code. Whether a code is known is for the vocabularies
to say; here it only has to be one line of text.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, get_args

from creditbank.errors import InvalidInput

CODE_MAX = 64
TITLE_MAX = 200
HOURS_MAX = 100_000
SCORE_MAX = 10_000
REASON_MAX = 500
"""Characters of a reason. It stays in the ledger as long as the entry: it must name no person."""
FIRST_DAY = date(1900, 1, 1)
LAST_DAY = date(2199, 12, 31)
"""Outside these two days a date is a slip of the hand, whatever is recorded."""
DECIMAL_PLACES = 2
ATTRIBUTES_MAX = 20
Attributes = tuple[tuple[str, str], ...]
"""What an issuer or an examiner found besides, by name, sorted: (("overlap", "80"), ("replaces", "C12"))."""
_ATTRIBUTE_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_STATED_ELSEWHERE = frozenset({"mode", "organiser_level", "position", "rank", "study_form", "team_size"})
_CENT = Decimal(1).scaleb(-DECIMAL_PLACES)


class OutcomeInvalid(InvalidInput):
    """A learning outcome contradicts itself or leaves out what it must say."""

    code = "outcome-invalid"


OutcomeKind = Literal["diploma", "skill-certificate", "course-credit", "training", "award", "experience"]
OUTCOME_KINDS: tuple[OutcomeKind, ...] = get_args(OutcomeKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameworkLevel:
    """A level and the framework in which it is one: 中级 of 1+X is not 中级 of anything else."""

    framework: str
    level: str

    def __post_init__(self) -> None:
        require_text("framework", self.framework, max_length=CODE_MAX)
        require_text("level", self.level, max_length=CODE_MAX)


def require_text(field: str, text: str | None, *, max_length: int) -> None:
    """Make sure that a stated text is one trimmed, printable line of 1 to `max_length` characters.

    Raises:
        OutcomeInvalid: `text-blank`, `text-untrimmed`, `text-too-long` or `text-unprintable`.
    """
    if text is None:
        return
    trimmed = text.strip()
    if not trimmed:
        raise OutcomeInvalid("text-blank", field=field)
    if text != trimmed:
        raise OutcomeInvalid("text-untrimmed", field=field, value=text)
    if len(text) > max_length:
        raise OutcomeInvalid("text-too-long", field=field, length=len(text), max_length=max_length)
    if not text.isprintable():
        position = next(at for at, character in enumerate(text, start=1) if not character.isprintable())
        raise OutcomeInvalid("text-unprintable", field=field, position=position)


def require_day(field: str, day: date | None) -> None:
    """Make sure that a stated day lies between `FIRST_DAY` and `LAST_DAY`.

    Raises:
        OutcomeInvalid: `date-out-of-range`.
    """
    if day is None:
        return
    assert type(day) is date, f"{field} is a date without a time of day"
    if not FIRST_DAY <= day <= LAST_DAY:
        raise OutcomeInvalid("date-out-of-range", field=field, value=day.isoformat())


def require_number(field: str, number: Decimal | None, *, maximum: int, may_be_zero: bool = False) -> None:
    """Make sure that a stated number is above zero (or zero), at most `maximum`, to two decimal places.

    Raises:
        OutcomeInvalid: `number-out-of-range` or `number-too-precise`.
    """
    if number is None:
        return
    assert isinstance(number, Decimal), f"{field} is a Decimal"
    if not number.is_finite() or number.is_signed() or number > maximum or not (number or may_be_zero):
        raise OutcomeInvalid("number-out-of-range", field=field, value=str(number), maximum=maximum)
    if number != number.quantize(_CENT):
        raise OutcomeInvalid("number-too-precise", field=field, value=str(number), places=DECIMAL_PLACES)


def attributes_of(stated: Iterable[tuple[str, str]]) -> Attributes:
    """Return attributes in the order in which outcomes keep them."""
    return tuple(sorted(stated))


def is_attribute_name(name: str) -> bool:
    """Whether an attribute may have this name: lower-case letters, digits and underscores, a letter first."""
    return _ATTRIBUTE_NAME.fullmatch(name) is not None


def require_attributes(attributes: Attributes) -> None:
    """Make sure that attributes are few, sorted, each named once, and by names that mean nothing else.

    Raises:
        OutcomeInvalid: `attributes-too-many`, `attribute-name`, `attribute-twice`, `attribute-reserved` for a
            name that a member of some outcome has, or what `require_text` says of a value.
    """
    names = [name for name, _ in attributes]
    if len(names) > ATTRIBUTES_MAX:
        raise OutcomeInvalid("attributes-too-many", field="attributes", maximum=ATTRIBUTES_MAX)
    for name, value in attributes:
        if not is_attribute_name(name):
            raise OutcomeInvalid("attribute-name", field="attributes", value=name[:CODE_MAX])
        if name in _STATED_ELSEWHERE:
            raise OutcomeInvalid("attribute-reserved", field="attributes", value=name)
        require_text("attributes", value, max_length=CODE_MAX)
    if len(set(names)) != len(names):
        raise OutcomeInvalid("attribute-twice", field="attributes", names=sorted(names))
    assert names == sorted(names), "attributes are sorted by name"


def require_count(field: str, count: int, *, maximum: int) -> None:
    """Make sure that a stated count lies between 1 and `maximum`.

    Raises:
        OutcomeInvalid: `count-out-of-range`.
    """
    if not 1 <= count <= maximum:
        raise OutcomeInvalid("count-out-of-range", field=field, value=count, maximum=maximum)


def require_begun(*, started_on: date | None, awarded_on: date) -> None:
    """Make sure that what ended had begun, on the same day at the latest.

    Raises:
        OutcomeInvalid: `ends-before-it-starts`.
    """
    if started_on is not None and awarded_on < started_on:
        raise OutcomeInvalid(
            "ends-before-it-starts",
            field="started_on",
            started_on=started_on.isoformat(),
            awarded_on=awarded_on.isoformat(),
        )
