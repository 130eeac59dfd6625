"""Keyrings, passphrases and random bytes, as hypothesis draws them."""

from collections.abc import Callable
from dataclasses import replace

from hypothesis import strategies as st

from creditbank.signing.keys import (
    KEY_BYTES,
    Keyring,
    encryption_key,
    is_origin,
    keyring_of,
    signing_key,
)
from creditbank.terms import IssuerId, Microseconds
from tests.strategies.ledger import instants

keys = st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES)

origins = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40).filter(is_origin)

passphrases = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)

institutions = st.sampled_from(["12540300MB0000000X", "12540300MB0000001A", "12999999DEMX000016"]).map(
    IssuerId
)


@st.composite
def keyrings(draw: st.DrawFn) -> Keyring:
    """Draw a bank's keys as some changes leave them: any may be prepared, replaced or retired."""
    keyring = keyring_of(
        origin=draw(origins),
        encryption_key=draw(keys),
        index_key=draw(keys),
        checkpoint_seed=draw(keys),
        made_at=draw(st.none() | instants),
    )
    for seed in draw(st.lists(keys, max_size=5, unique=True)):
        change = draw(st.sampled_from(_ADDITIONS))
        keyring = change(keyring, seed, draw(instants), draw(institutions))
        if draw(st.booleans()):
            keyring = keyring.put_in_force(keyring.keys[-1].name)
    for key in draw(st.lists(st.sampled_from(keyring.keys), max_size=3)):
        if key.name.purpose != "index" and not key.is_prepared:
            keyring = keyring.retire(key.name, at=draw(instants))
    return keyring


def _with_encryption_key(keyring: Keyring, seed: bytes, at: Microseconds, _: IssuerId) -> Keyring:
    return keyring.with_key(encryption_key(seed, key_id=seed[:8].hex(), made_at=at))


def _with_log_key(keyring: Keyring, seed: bytes, at: Microseconds, _: IssuerId) -> Keyring:
    return keyring.with_key(signing_key(keyring.origin, seed, made_at=at, is_prepared=True))


def _with_adopted_key(keyring: Keyring, seed: bytes, at: Microseconds, _: IssuerId) -> Keyring:
    key = signing_key(keyring.origin, seed, made_at=at, is_prepared=True)
    return keyring.with_key(replace(key, secret=None))


def _with_institution_key(keyring: Keyring, seed: bytes, at: Microseconds, institution: IssuerId) -> Keyring:
    return keyring.with_key(
        signing_key(keyring.origin, seed, institution=institution, made_at=at, is_prepared=True)
    )


_ADDITIONS: list[Callable[[Keyring, bytes, Microseconds, IssuerId], Keyring]] = [
    _with_encryption_key,
    _with_log_key,
    _with_adopted_key,
    _with_institution_key,
]
