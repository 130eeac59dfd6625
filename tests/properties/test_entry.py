"""Laws of the leaf: read back from exactly its bytes, and bound to every one of them."""

import contextlib
import json
from hashlib import sha256

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from creditbank.ledger.encoding import canonical_bytes, parse_canonical
from creditbank.ledger.entry import (
    LEAF_MAX_BYTES,
    Leaf,
    LeafInvalid,
    Payload,
    leaf_hash,
    leaf_members,
    parse_leaf,
)
from creditbank.terms import IssuerId, Microseconds, SubjectId
from tests.strategies.ledger import json_values, leaves, nearly_json


@given(leaves)
def test_a_leaf_is_read_back_from_its_bytes(leaf: Leaf) -> None:
    assert parse_leaf(leaf.encode()) == leaf


@given(leaves)
def test_a_leaf_is_hashed_as_rfc_6962_says(leaf: Leaf) -> None:
    assert leaf_hash(leaf.encode()) == sha256(b"\x00" + leaf.encode()).digest()


@given(leaves, st.data())
def test_one_changed_byte_is_another_leaf_or_refused(leaf: Leaf, data: st.DataObject) -> None:
    encoded = bytearray(leaf.encode())
    place = data.draw(st.integers(0, len(encoded) - 1))
    encoded[place] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(LeafInvalid):
        assert parse_leaf(bytes(encoded)) != leaf


@given(leaves, st.data())
def test_a_leaf_with_another_member_or_value_is_read_back_or_refused(leaf: Leaf, data: st.DataObject) -> None:
    members = parse_canonical(leaf.encode())
    assert isinstance(members, dict)
    name = data.draw(st.sampled_from([*members, "credential", "", "x"]))
    members[name] = data.draw(json_values | st.just("ab" * 32) | st.just("AB" * 32) | st.just(" " * 64))
    encoded = canonical_bytes(members)
    with contextlib.suppress(LeafInvalid):
        assert parse_leaf(encoded).encode() == encoded


@given(leaves, st.data())
def test_a_leaf_lacks_no_member(leaf: Leaf, data: st.DataObject) -> None:
    members = parse_canonical(leaf.encode())
    assert isinstance(members, dict)
    del members[data.draw(st.sampled_from(sorted(members.keys() - {"credential"})))]
    with pytest.raises(LeafInvalid):
        parse_leaf(canonical_bytes(members))


@given(st.binary() | nearly_json | json_values.map(canonical_bytes))
def test_any_bytes_are_a_leaf_or_refused(data: bytes) -> None:
    with pytest.raises(LeafInvalid):
        parse_leaf(data)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("v", 2, "leaf-version"),
        ("v", True, "leaf-member-type"),
        ("seq", True, "leaf-member-type"),
        ("seq", -1, "leaf-member-range"),
        ("at", 2**53, "leaf-member-range"),
        ("at", 2**70, "leaf-not-canonical"),
        ("at", 1.0, "leaf-member-type"),
        ("at", None, "leaf-member-type"),
        ("subject", 7, "leaf-member-type"),
        ("prev", "0" * 63, "leaf-member-hash"),
        ("prev", "0" * 64 + "\n", "leaf-member-hash"),
        ("content", "A" * 64, "leaf-member-hash"),
        ("credential", "", "leaf-member-hash"),
        ("credential", None, "leaf-member-type"),
        ("extra", 1, "leaf-members"),
    ],
)
def test_a_member_of_the_wrong_kind_is_named(name: str, value: object, reason: str) -> None:
    members = json.loads(a_leaf().encode())
    written = json.dumps(members | {name: value}, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(LeafInvalid) as refused:
        leaf_members(written)
    assert refused.value.reason == reason


def test_a_leaf_may_have_65535_bytes_and_no_more() -> None:
    room = LEAF_MAX_BYTES - len(a_leaf().encode())
    longest = a_leaf(kind="k" * room).encode()
    assert len(longest) == LEAF_MAX_BYTES
    assert parse_leaf(longest).kind == "k" * room
    too_long = a_leaf(kind="k" * (room + 1))
    with pytest.raises(LeafInvalid):
        too_long.encode()
    with pytest.raises(LeafInvalid):
        parse_leaf(longest.replace(b'"kind":"', b'"kind":"k'))


@given(st.binary(min_size=32, max_size=32), st.binary(), st.binary(min_size=32, max_size=32), st.binary())
def test_a_commitment_binds_salt_and_content(
    salt: bytes, content: bytes, salt_2: bytes, content_2: bytes
) -> None:
    assume((salt, content) != (salt_2, content_2))
    one, other = Payload(salt=salt, content=content), Payload(salt=salt_2, content=content_2)
    assert one.commitment == sha256(salt + content).digest() != other.commitment


def a_leaf(*, kind: str = "") -> Leaf:
    return Leaf(
        log="log",
        subject=SubjectId("account:1"),
        seq=0,
        prev=bytes(32),
        at=Microseconds(0),
        kind=kind,
        issuer=IssuerId("issuer"),
        content=bytes(32),
    )
