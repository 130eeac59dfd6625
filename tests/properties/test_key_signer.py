"""Laws of the file signer: its notes verify with its public key, and with no other."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from creditbank.ledger.checkpoint import Checkpoint, NoteInvalid, open_note
from creditbank.signing.key_signer import KeySigner
from tests.strategies.keys import keys, origins

sizes = st.integers(0, 2**63 - 1)


@given(origins, keys, sizes, keys)
def test_anyone_with_the_published_key_can_open_the_notes(
    origin: str, seed: bytes, size: int, root: bytes
) -> None:
    checkpoint = Checkpoint(origin=origin, size=size, root=root)
    signer = KeySigner(name=origin, seed=seed)
    note = signer.sign(checkpoint.body())
    assert signer.verifier_key.name == origin
    assert open_note(note, [signer.verifier_key]) == checkpoint
    assert note == KeySigner(name=origin, seed=seed).sign(checkpoint.body())


@given(origins, keys, keys, sizes, keys)
def test_no_other_key_opens_them(origin: str, seed: bytes, other: bytes, size: int, root: bytes) -> None:
    assume(seed != other)
    note = KeySigner(name=origin, seed=other).sign(Checkpoint(origin=origin, size=size, root=root).body())
    with pytest.raises(NoteInvalid):
        open_note(note, [KeySigner(name=origin, seed=seed).verifier_key])


@given(origins, keys)
def test_the_signer_prints_no_key(origin: str, seed: bytes) -> None:
    assert seed.hex() not in repr(KeySigner(name=origin, seed=seed))
    assert repr(seed) not in repr(KeySigner(name=origin, seed=seed))


def test_the_private_key_is_the_seed_of_rfc_8032() -> None:
    # RFC 8032, section 7.1, test 1.
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert KeySigner(name="log.example", seed=seed).verifier_key.public_key.hex() == public
