"""Laws of what the ledger says of keys: it reads back, and the key in force is the last one added."""

import contextlib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from creditbank.ledger.chain import EMPTY, extend, head_after
from creditbank.ledger.encoding import canonical_bytes
from creditbank.ledger.entry import Entry, Payload
from creditbank.ledger.key_entry import (
    KEY_ADDED,
    KEY_RETIRED,
    PURPOSES,
    KeyEntryUnreadable,
    NamedKey,
    key_content,
    key_in_force,
    key_periods,
    parse_key_content,
)
from creditbank.terms import IssuerId, Microseconds, SubjectId
from tests.strategies.keys import keyrings
from tests.strategies.ledger import json_objects, without_payload

names = keyrings().flatmap(lambda keyring: st.sampled_from(keyring.keys)).map(lambda key: key.name)
SUBJECT = SubjectId("institution:12540300MB0000000X")


def chain_of(*said: tuple[str, NamedKey, int]) -> list[Entry]:
    """Make a chain of key entries: kind, key and instant of each."""
    head, entries = EMPTY, list[Entry]()
    for kind, key, at in said:
        entries.append(
            extend(
                head,
                log="bank.example",
                subject=SUBJECT,
                at=Microseconds(at),
                kind=kind,
                issuer=IssuerId("12540300MB0000000X"),
                payload=Payload(salt=bytes(32), content=key_content(key)),
            )
        )
        head = head_after(entries[-1])
    return entries


@given(names)
def test_what_an_entry_says_of_a_key_is_read_back(name: NamedKey) -> None:
    assert parse_key_content(key_content(name)) == name


@given(st.binary(max_size=60) | json_objects.map(canonical_bytes))
def test_anything_else_is_refused_and_nothing_worse(content: bytes) -> None:
    with pytest.raises(KeyEntryUnreadable):
        parse_key_content(content)


@given(names, st.data())
def test_no_other_bytes_say_the_same(name: NamedKey, data: st.DataObject) -> None:
    content = bytearray(key_content(name))
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with contextlib.suppress(KeyEntryUnreadable):
        assert parse_key_content(bytes(content)) != name


@given(st.lists(names, min_size=1, max_size=4, unique=True), st.integers(0, 100), st.data())
def test_the_key_in_force_is_the_last_one_added_by_then(
    keys: list[NamedKey], at: int, data: st.DataObject
) -> None:
    times = sorted(data.draw(st.lists(st.integers(0, 99), min_size=len(keys), max_size=len(keys))))
    periods = key_periods(chain_of(*((KEY_ADDED, key, time) for key, time in zip(keys, times, strict=True))))
    assert [(period.key, period.added_at) for period in periods] == list(zip(keys, times, strict=True))
    for purpose in PURPOSES:
        by_then = [
            key for key, time in zip(keys, times, strict=True) if time <= at and key.purpose == purpose
        ]
        expected = by_then[-1] if by_then else None
        assert key_in_force(periods, purpose, at=Microseconds(at)) == expected


@given(names, names, st.integers(1, 9), st.integers(1, 9))
def test_a_retired_key_is_in_force_until_then_and_no_older_one_comes_back(
    older: NamedKey, key: NamedKey, added: int, retired: int
) -> None:
    assume(older != key)
    periods = key_periods(
        chain_of((KEY_ADDED, older, 0), (KEY_ADDED, key, added), (KEY_RETIRED, key, added + retired))
    )
    in_force = [key_in_force(periods, key.purpose, at=Microseconds(at)) for at in range(added, added + 20)]
    assert in_force == [key] * retired + [None] * (20 - retired)


@given(names)
def test_a_key_is_added_once_and_an_entry_without_payload_says_nothing(key: NamedKey) -> None:
    entries = chain_of((KEY_ADDED, key, 1), (KEY_ADDED, key, 2), (KEY_RETIRED, key, 3))
    (period,) = key_periods(entries)
    assert (period.added_at, period.retired_at) == (1, 3)
    (period,) = key_periods([*entries[:2], without_payload(entries[2])])
    assert period.retired_at is None
    assert key_periods(map(without_payload, entries)) == ()
