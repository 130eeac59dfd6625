"""The one byte encoding that is hashed and signed: canonical JSON (RFC 8785) in a subset without surprises.

Keys are ASCII, numbers are integers below 2^53, text holds no lone surrogates. In that subset sorted JSON
gives the same bytes as RFC 8785, whose package is the reference in the tests.
"""

import binascii
from base64 import b64decode, b64encode
from typing import Any, TypeAlias, cast

import orjson

from creditbank.errors import InvalidInput

JsonValue: TypeAlias = "dict[str, JsonValue] | list[JsonValue] | str | int | bool | None"

INTEGER_LIMIT = 2**53
DEPTH_MAX = 64


class EncodingInvalid(InvalidInput):
    """This value, or these bytes, have no canonical form here."""

    code = "encoding-invalid"


def canonical_bytes(value: JsonValue) -> bytes:
    """Return the canonical bytes of `value`.

    Raises:
        EncodingInvalid: it holds a float, an integer of 2^53 or beyond, a key that is not ASCII text, text
            with a lone surrogate, another type, or is nested deeper than 64.
    """
    _check(value, DEPTH_MAX)
    return sorted_bytes(value)


def sorted_bytes(value: JsonValue) -> bytes:
    """Return the canonical bytes of a value, for who knows its keys, the types in it and their ranges.

    Raises:
        EncodingInvalid: it holds text with a lone surrogate.
    """
    try:
        # orjson gives 4 KB to the shortest text: what is kept is a copy, as long as it is.
        return bytes(memoryview(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)))
    except TypeError as error:
        raise EncodingInvalid("not-encodable") from error


def parse_canonical(data: bytes) -> JsonValue:
    """Read a value back from its canonical bytes.

    Raises:
        EncodingInvalid: these are not the canonical bytes of any value.
    """
    value = parse_sorted(data)
    _check(value, DEPTH_MAX)
    return value


def parse_sorted(data: bytes) -> JsonValue:
    """Read a value from bytes of canonical form, for who checks the types in it himself, or need not.

    It may hold floats, integers of 2^53 and beyond, keys that are not ASCII; else it is as `parse_canonical`.

    Raises:
        EncodingInvalid: these are not JSON, or not its shortest form with its keys in order.
    """
    try:
        value: Any = orjson.loads(data)
        if orjson.dumps(value, option=orjson.OPT_SORT_KEYS) == data:
            return cast("JsonValue", value)
    except (orjson.JSONDecodeError, RecursionError, TypeError) as error:
        raise EncodingInvalid("not-json") from error
    raise EncodingInvalid("not-canonical")


def base64_text(data: bytes) -> str:
    """Return `data` in base64 (RFC 4648, section 4)."""
    return b64encode(data).decode("ascii")


def parse_base64(text: str) -> bytes:
    """Read bytes back from the one base64 text that `base64_text` gives them.

    Raises:
        EncodingInvalid: it is another text: line breaks, missing padding, stray bits after the end.
    """
    try:
        data = b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise EncodingInvalid("not-base64") from error
    if base64_text(data) != text:
        raise EncodingInvalid("not-base64")
    return data


def _check(value: object, depth: int) -> None:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return
    if kind is int:
        if not -INTEGER_LIMIT < cast("int", value) < INTEGER_LIMIT:
            raise EncodingInvalid("integer-too-large")
    elif depth == 0:
        raise EncodingInvalid("nested-too-deeply", max_depth=DEPTH_MAX)
    elif kind is dict:
        for key, member in cast("dict[object, object]", value).items():
            if type(key) is not str or not key.isascii():
                raise EncodingInvalid("key-not-ascii")
            if type(member) is not str:  # most are, and a call for each would take longer than the look
                _check(member, depth - 1)
    elif kind is list:
        for member in cast("list[object]", value):
            _check(member, depth - 1)
    else:
        raise EncodingInvalid("type-not-encodable", type=kind.__name__)
