"""Laws of the signer: its notes open with its own published key, for exactly what was signed."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from creditbank.ledger.checkpoint import Checkpoint, NoteInvalid, open_note
from creditbank.signing.checkpoint_signer import KeyringSigner
from creditbank.signing.keys import Keyring, new_keyring
from tests.strategies.keys import keyrings, keys

sizes = st.integers(0, 2**60)


@given(keyrings, sizes, keys)
def test_anyone_with_the_published_key_can_open_the_notes(keyring: Keyring, size: int, root: bytes) -> None:
    checkpoint = Checkpoint(origin=keyring.origin, size=size, root=root)
    signer = KeyringSigner(keyring)
    note = signer.sign(checkpoint.body())
    verifier = signer.verifier_key
    assert verifier.name == keyring.origin
    assert open_note(note, [verifier]) == checkpoint
    assert note == KeyringSigner(keyring).sign(checkpoint.body())


@given(keyrings, keys, sizes, keys)
def test_a_log_of_the_same_name_with_another_key_signs_nothing_of_ours(
    keyring: Keyring, seed: bytes, size: int, root: bytes
) -> None:
    assume(seed != keyring.checkpoint_seed)
    theirs = KeyringSigner(new_keyring(origin=keyring.origin, random=lambda _: seed))
    note = theirs.sign(Checkpoint(origin=keyring.origin, size=size, root=root).body())
    ours = KeyringSigner(keyring).verifier_key
    with pytest.raises(NoteInvalid):
        open_note(note, [ours])


@given(keyrings)
def test_the_signer_prints_no_key(keyring: Keyring) -> None:
    assert keyring.checkpoint_seed.hex() not in repr(KeyringSigner(keyring))


def test_the_private_key_is_the_seed_of_rfc_8032() -> None:
    # RFC 8032, section 7.1, test 1.
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    signer = KeyringSigner(new_keyring(origin="log.example", random=lambda _: seed))
    assert signer.verifier_key.public_key.hex() == public
