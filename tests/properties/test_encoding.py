"""Laws of the one byte encoding: the bytes of RFC 8785, and nothing else is read back."""

import contextlib
import json
import tracemalloc
from typing import Any

import pytest
import rfc8785
from hypothesis import assume, given
from hypothesis import strategies as st

from creditbank.ledger.encoding import (
    INTEGER_LIMIT,
    EncodingInvalid,
    JsonValue,
    base64_text,
    canonical_bytes,
    parse_base64,
    parse_canonical,
)
from tests.strategies.ledger import json_objects, json_values, nearly_json


@given(json_values)
def test_the_bytes_are_those_of_rfc_8785(value: JsonValue) -> None:
    assert canonical_bytes(value) == rfc8785.dumps(value)


@given(json_values)
def test_a_value_is_read_back_from_its_bytes(value: JsonValue) -> None:
    assert parse_canonical(canonical_bytes(value)) == value


@given(json_objects, st.data())
def test_the_order_of_members_does_not_matter(value: dict[str, JsonValue], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(list(value.items())))
    assert canonical_bytes(dict(shuffled)) == canonical_bytes(value)


PLAIN: dict[str, Any] = {"separators": (",", ":"), "ensure_ascii": False, "sort_keys": True}
STYLES: dict[str, dict[str, Any]] = {
    "indented": {"indent": 1},
    "spaced": {"separators": (", ", ": ")},
    "escaped": {"ensure_ascii": True},
    "unsorted": {"sort_keys": False},
}


@given(json_values, st.sampled_from(sorted(STYLES)))
def test_the_same_value_in_other_bytes_is_refused(value: JsonValue, style: str) -> None:
    written = json.dumps(value, **(PLAIN | STYLES[style])).encode()
    assume(written != canonical_bytes(value))
    with pytest.raises(EncodingInvalid):
        parse_canonical(written)


@given(st.binary() | nearly_json)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        value = parse_canonical(data)
    except EncodingInvalid:
        return
    assert canonical_bytes(value) == data


@given(json_values, st.data())
def test_one_changed_byte_is_another_value_or_refused(value: JsonValue, data: st.DataObject) -> None:
    encoded = bytearray(canonical_bytes(value))
    place = data.draw(st.integers(0, len(encoded) - 1))
    encoded[place] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(EncodingInvalid):
        assert parse_canonical(bytes(encoded)) != value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (1.0, "type-not-encodable"),
        (float("nan"), "type-not-encodable"),
        (INTEGER_LIMIT, "integer-too-large"),
        (-INTEGER_LIMIT, "integer-too-large"),
        (10**30, "integer-too-large"),
        ({"键": 1}, "key-not-ascii"),
        ({1: 1}, "key-not-ascii"),
        ({None: 1}, "key-not-ascii"),
        ("\ud800", "not-encodable"),
        ({"a": ["\udfff"]}, "not-encodable"),
        ({"\ud800": 1}, "key-not-ascii"),
        (b"bytes", "type-not-encodable"),
        ((1, 2), "type-not-encodable"),
        ({1}, "type-not-encodable"),
        (object(), "type-not-encodable"),
    ],
)
def test_what_has_no_canonical_form_is_refused(value: object, reason: str) -> None:
    for wrapped in (value, [value], {"a": value}):
        with pytest.raises(EncodingInvalid) as refused:
            canonical_bytes(wrapped)  # type: ignore[arg-type]
        assert refused.value.reason == reason


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" 1",
        b"1 ",
        b"01",
        b"-0",
        b"+1",
        b"1.0",
        b"1e2",
        b"1E2",
        b"NaN",
        b"Infinity",
        b"9007199254740992",
        b"99999999999999999999999",
        b"null\n",
        b"1\x00",
        b"\xef\xbb\xbf1",
        b"[1,]",
        b'{"a":1,"a":1}',
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b"{'a':1}",
        b'"\\u0041"',
        b'"\\/"',
        b'"\\u000A"',
        b'"\\ud800"',
        b'"\xed\xa0\x80"',
        b'"\xff"',
        b"[" * 65,
        b"[" * 65 + b"]" * 65,
        b"[" * 100_000,
    ],
)
def test_bytes_that_are_almost_canonical_are_refused(data: bytes) -> None:
    with pytest.raises(EncodingInvalid):
        parse_canonical(data)


def test_a_value_may_be_nested_64_deep_and_no_deeper() -> None:
    deepest = b"[" * 64 + b"]" * 64
    assert canonical_bytes(parse_canonical(deepest)) == deepest
    circular: list[JsonValue] = []
    circular.append(circular)
    with pytest.raises(EncodingInvalid):
        canonical_bytes(circular)


@given(st.binary())
def test_base64_is_read_back_from_its_one_text(data: bytes) -> None:
    assert parse_base64(base64_text(data)) == data


@given(st.binary(min_size=1), st.data())
def test_base64_with_one_changed_character_is_other_bytes_or_refused(
    data: bytes, draw: st.DataObject
) -> None:
    text = base64_text(data)
    place = draw.draw(st.integers(0, len(text) - 1))
    changed = text[:place] + draw.draw(st.characters()) + text[place + 1 :]
    assume(changed != text)
    with contextlib.suppress(EncodingInvalid):
        assert parse_base64(changed) != data


@pytest.mark.parametrize(
    "text", ["=", "A", "AA", "AB==", "AAB=", "AA==\n", " AA==", "AA==AA==", "AA=", "-_==", "键"]
)
def test_text_that_is_almost_base64_is_refused(text: str) -> None:
    with pytest.raises(EncodingInvalid):
        parse_base64(text)


def test_kept_bytes_take_hardly_more_memory_than_they_are_long() -> None:
    """A file of 50,000 rows keeps thousands at a time; the library below us gives 4 KB to each."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        kept = [canonical_bytes({"number": number}) for number in range(1_000)]
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / len(kept) < 200
