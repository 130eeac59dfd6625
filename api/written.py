"""How members are written in JSON: decimals, dates and instants are strings, since a number would be rounded
or taken for seconds, and nothing that is not ours is accepted. How a message becomes an answer.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Self

from fastapi import Response
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticKnownError

from creditbank.outcomes.outcome import FIRST_DAY, LAST_DAY

_TEXT_MAX = 500
_DECIMAL = r"^-?[0-9]{1,9}(\.[0-9]{1,6})?$"
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_INSTANT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:.]{5,15}([Zz]|[+-][0-9]{2}:[0-9]{2})$"  # RFC 3339
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_END = datetime(2200, 1, 1, tzinfo=UTC)


class Message(BaseModel):
    """What every message has in common."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def as_repetition(self) -> Self:
        """Return the message that a repetition of its request is answered with."""
        return self


def json_answer(
    said: BaseModel | bytes, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return an answer whose body is a message, or a message's JSON; it is not checked a second time."""
    content = said if isinstance(said, bytes) else said.model_dump_json()
    return Response(content, status_code=status, headers=headers, media_type="application/json")


def _written_as(pattern: str) -> Callable[[Any], str]:
    def check(value: object) -> str:
        if not isinstance(value, str):
            raise PydanticKnownError("string_type")
        if re.fullmatch(pattern, value) is None:
            raise PydanticKnownError("string_pattern_mismatch", {"pattern": pattern})
        return value

    return check


ShortText = Annotated[str, Field(min_length=1, max_length=_TEXT_MAX)]
DecimalText = Annotated[
    Decimal, BeforeValidator(_written_as(_DECIMAL)), WithJsonSchema({"type": "string", "pattern": _DECIMAL})
]
DateText = Annotated[date, BeforeValidator(_written_as(_DATE))]
DayAsked = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY), BeforeValidator(_written_as(_DATE))]
InstantAsked = Annotated[AwareDatetime, Field(ge=_EPOCH, le=_END), BeforeValidator(_written_as(_INSTANT))]
