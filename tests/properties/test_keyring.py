"""A keyring: what is put in force is, two parts make the whole again, and none can be built wrong."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from creditbank.ledger.key_entry import NamedKey
from creditbank.samples.people import sample_issuer
from creditbank.signing.keyring_parts import joined, log_part, part_without_log_secrets
from creditbank.signing.keys import Keyring, KeysUnavailable, keyring_of, signing_key
from creditbank.terms import Microseconds
from tests.strategies.keys import keyrings, keys

ORIGIN = "bank.test"
NOW = Microseconds(2)
SCHOOL = sample_issuer("school-east")


@given(keyrings())
def test_whatever_is_put_in_force_is_in_force(keyring: Keyring) -> None:
    for key in keyring.keys:
        if key.is_prepared:
            changed = keyring.put_in_force(key.name)
            current = changed.current(key.name.purpose, key.name.institution)
            assert current == replace(key, is_prepared=False)
            assert len(changed.keys) == len(keyring.keys)
        else:
            assert keyring.put_in_force(key.name) == keyring


@given(keyrings())
def test_two_parts_make_the_keyring_again(keyring: Keyring) -> None:
    main, log = part_without_log_secrets(keyring), log_part(keyring)
    assert_same(joined(main, log), keyring)
    assert not [key for key in main.keys if key.name.purpose == "checkpoint" and key.secret]
    assert {key.name.purpose for key in log.keys} == {"checkpoint"}


@given(keyrings(), keys, st.data())
def test_a_run_that_ends_between_the_two_files_is_as_far_as_the_first_of_them(
    before: Keyring, seed: bytes, data: st.DataObject
) -> None:
    new = signing_key(before.origin, seed, is_prepared=True)
    prepared = [key for key in before.keys if key.is_prepared]
    told = [key for key in before.keys if not key.is_prepared and key.name.purpose != "index"]
    changes = [before.with_key(new) if before.find("checkpoint", new.name.id) is None else before]
    changes += [before.put_in_force(key.name) for key in prepared if key.name.purpose == "checkpoint"]
    changes += [before.retire(key.name, at=NOW) for key in told if key.name.purpose == "checkpoint"]
    after = data.draw(st.sampled_from(changes))
    assert_same(joined(part_without_log_secrets(before), log_part(after)), after)


@given(keyrings(), keyrings())
def test_parts_of_two_banks_are_not_joined(one: Keyring, other: Keyring) -> None:
    assume((one.origin, one.key_check) != (other.origin, other.key_check))
    with pytest.raises(KeysUnavailable, match="key-files-of-two-banks"):
        joined(part_without_log_secrets(one), log_part(other))


def assert_same(found: Keyring, expected: Keyring) -> None:
    """Check that two keyrings hold the same keys, of which the same are in force."""
    assert {key.name: key for key in found.keys} == {key.name: key for key in expected.keys}
    for name in {key.name for key in expected.keys}:
        assert found.current(name.purpose, name.institution) == expected.current(
            name.purpose, name.institution
        )


def test_a_key_is_named_by_what_it_is_for() -> None:
    for wrong in (
        {"purpose": "encryption", "id": ""},
        {"purpose": "encryption", "id": "Über"},
        {"purpose": "institution", "id": "00000000"},
        {"purpose": "lock", "id": "1"},
        {"purpose": "index", "id": "initial", "institution": SCHOOL},
    ):
        with pytest.raises(ValueError, match="key"):
            NamedKey(**wrong)  # type: ignore[arg-type]


@given(keys, keys, keys)
def test_a_keyring_cannot_be_built_wrong(seed: bytes, other: bytes, third: bytes) -> None:
    assume(len({seed, other, third}) == 3)
    keyring = keyring_of(origin=ORIGIN, encryption_key=seed, index_key=other, checkpoint_seed=third)
    log, encryption, index = keyring.keys
    for build in (
        lambda: replace(keyring, keys=(*keyring.keys, log)),
        lambda: replace(keyring, key_check=bytes(32)),
        lambda: replace(log, secret=seed),
        lambda: replace(log, secret=seed[:31]),
        lambda: replace(encryption, secret=None),
        lambda: replace(index, retired_at=NOW),
        lambda: replace(log, secret=None, is_prepared=True, retired_at=NOW),
    ):
        with pytest.raises(ValueError, match=r"key|halves|secret"):
            build()
