"""One learning outcome <-> the JSON members under which an entry's payload keeps it.

Dates are ISO 8601, decimals are strings, what is not stated is left out. The form is for life: a member
may be added, none may change its meaning.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date
from decimal import Decimal
from functools import cache
from types import NoneType
from typing import Any, cast, get_args, get_type_hints

from creditbank.errors import CreditBankError, IntegrityBroken
from creditbank.ledger.encoding import JsonValue
from creditbank.outcomes import OUTCOME_TYPES, Outcome, kind_of
from creditbank.outcomes.outcome import Attributes, FrameworkLevel, OutcomeKind, attributes_of


class BodyUnreadable(IntegrityBroken):
    """An entry that we wrote ourselves does not say what its kind must say."""

    code = "body-unreadable"


def outcome_members(outcome: Outcome) -> dict[str, JsonValue]:
    """Return the outcome as JSON members, its kind among them."""
    kind = kind_of(outcome)
    members: dict[str, JsonValue] = {"kind": kind}
    for name in _names(kind):
        value = getattr(outcome, name)
        if value is not None and value != ():
            members[name] = _written(value)
    return members


def parse_outcome_members(members: JsonValue) -> Outcome:
    """Read an outcome back.

    Raises:
        BodyUnreadable: the members are not those of an outcome.
    """
    try:
        stated = dict(cast("dict[str, Any]", members))
        kind = stated.pop("kind")
        readers = _readers(kind)
        return OUTCOME_TYPES[kind](**{name: readers[name](value) for name, value in stated.items()})
    except (CreditBankError, LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise BodyUnreadable("outcome-unreadable") from error


def _written(value: object) -> JsonValue:
    match value:
        case str() | int():
            return value
        case date():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
        case tuple():
            return dict(value)
        case FrameworkLevel():
            return {"framework": value.framework, "level": value.level}
        case _:
            raise AssertionError(f"no outcome has a member of type {type(value).__name__}")


@cache
def _names(kind: OutcomeKind) -> tuple[str, ...]:
    return tuple(member.name for member in fields(cast("type[Outcome]", OUTCOME_TYPES[kind])))


@cache
def _readers(kind: OutcomeKind) -> Mapping[str, Callable[[Any], object]]:
    return {name: _reader(hint) for name, hint in get_type_hints(OUTCOME_TYPES[kind]).items()}


def _reader(hint: Any) -> Callable[[Any], object]:  # noqa: ANN401 - a type hint has no type
    if hint == Attributes:
        return _attributes
    stated = next((part for part in get_args(hint) if part is not NoneType), hint)
    readers: dict[object, Callable[[Any], object]] = {
        date: date.fromisoformat,
        Decimal: Decimal,
        FrameworkLevel: lambda members: FrameworkLevel(**members),
        int: int,
    }
    return readers.get(stated, str)


def _attributes(members: object) -> Attributes:
    if not isinstance(members, dict) or not members:
        raise ValueError("attributes are a table, left out where there are none")
    if not all(isinstance(value, str) for value in members.values()):
        raise TypeError("attributes are texts")
    return attributes_of(members.items())
