"""Laws of the inclusion proof as a file: it proves what it says, and any change of it proves nothing."""

from contextlib import suppress
from dataclasses import dataclass, replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from creditbank.ledger.checkpoint import Checkpoint
from creditbank.ledger.entry import Leaf, leaf_hash
from creditbank.ledger.proof_file import (
    FILE_MAX_BYTES,
    Included,
    InclusionProof,
    NotProved,
    ProofFileInvalid,
    check,
    parse_proof_file,
)
from tests.reference import rfc6962
from tests.strategies.ledger import Signer, hashes, leaf_hashes, leaves, signers


@dataclass(frozen=True)
class Case:
    """A proof as a bank makes it, and what it is about."""

    leaf: Leaf
    signer: Signer
    checkpoint: Checkpoint
    proof: InclusionProof


@st.composite
def cases(draw: st.DrawFn) -> Case:
    signer = draw(signers)
    leaf = replace(draw(leaves), log=signer.name)
    size = draw(st.integers(1, 40))
    index = draw(st.integers(0, size - 1))
    log = [*leaf_hashes(40)[:index], leaf_hash(leaf.encode()), *leaf_hashes(40)[index + 1 : size]]
    checkpoint = Checkpoint(origin=signer.name, size=size, root=rfc6962.root(log))
    proof = InclusionProof(
        index=index,
        hashes=tuple(rfc6962.path(index, log)),
        note=signer.sign(checkpoint.body()),
        leaf_bytes=leaf.encode(),
    )
    return Case(leaf, signer, checkpoint, proof)


@given(cases())
def test_a_proof_holds_and_is_read_back_from_its_file(case: Case) -> None:
    assert parse_proof_file(case.proof.encode()) == case.proof
    included = Included(leaf=case.leaf, index=case.proof.index, checkpoint=case.checkpoint)
    assert check(case.proof, [case.signer.key]) == included


@given(cases(), st.data())
def test_a_changed_file_proves_nothing(case: Case, data: st.DataObject) -> None:
    changed = bytearray(case.proof.encode())
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
    with suppress(ProofFileInvalid):
        assert isinstance(check(parse_proof_file(bytes(changed)), [case.signer.key]), NotProved)


@given(cases(), st.data())
def test_a_file_with_other_lines_proves_nothing(case: Case, data: st.DataObject) -> None:
    lines = case.proof.encode().split(b"\n")
    place = data.draw(st.integers(0, len(lines) - 3))  # above the signature, which may stand there twice
    match data.draw(st.sampled_from(["remove", "double", "exchange", "empty"])):
        case "remove":
            changed = [*lines[:place], *lines[place + 1 :]]
        case "double":
            changed = [*lines[:place], lines[place], *lines[place:]]
        case "empty":
            changed = [*lines[:place], b"", *lines[place:]]
        case _:
            changed = [*lines[place:], *lines[:place]]
    assume(changed != lines)
    with suppress(ProofFileInvalid):
        assert isinstance(check(parse_proof_file(b"\n".join(changed)), [case.signer.key]), NotProved)


@given(cases(), signers)
def test_a_proof_counts_under_known_keys_alone(case: Case, other: Signer) -> None:
    assume(other.seed != case.signer.seed)
    answer = check(case.proof, [replace(other, name=case.signer.name).key])
    assert answer == NotProved(reason="note-signer-unknown")


@given(cases(), leaves)
def test_a_proof_counts_for_its_own_leaf_alone(case: Case, other: Leaf) -> None:
    assume(replace(other, log=case.signer.name) != case.leaf)
    moved = replace(case.proof, leaf_bytes=replace(other, log=case.signer.name).encode())
    assert check(moved, [case.signer.key]) == NotProved(reason="path-does-not-lead-to-root")


@given(cases(), leaves)
def test_the_leaf_of_another_log_is_not_proved(case: Case, other: Leaf) -> None:
    assume(other.log != case.signer.name)
    checkpoint = Checkpoint(origin=case.signer.name, size=1, root=leaf_hash(other.encode()))
    note = case.signer.sign(checkpoint.body())
    proof = InclusionProof(index=0, hashes=(), note=note, leaf_bytes=other.encode())
    assert check(proof, [case.signer.key]) == NotProved(reason="leaf-of-another-log")


@given(st.binary())
def test_what_is_not_a_leaf_is_not_proved(data: bytes) -> None:
    signer = Signer("log", bytes(32))
    checkpoint = Checkpoint(origin="log", size=1, root=leaf_hash(data))
    proof = InclusionProof(index=0, hashes=(), note=signer.sign(checkpoint.body()), leaf_bytes=data)
    assert isinstance(check(proof, [signer.key]), NotProved)


@given(st.binary() | st.binary().map(b"c2sp.org/tlog-proof@v1\nextra ".__add__))
def test_any_bytes_are_a_proof_file_or_refused(data: bytes) -> None:
    with suppress(ProofFileInvalid):
        assert parse_proof_file(data).encode() == data


@given(st.integers(0, 10**18 - 1), st.lists(hashes, max_size=5), st.binary(), st.binary())
def test_any_proof_is_read_back_from_its_file(
    index: int, path: list[bytes], note: bytes, leaf_bytes: bytes
) -> None:
    proof = InclusionProof(index=index, hashes=tuple(path), note=note, leaf_bytes=leaf_bytes)
    assert parse_proof_file(proof.encode()) == proof


HEAD = b"c2sp.org/tlog-proof@v1\nextra AAAA\nindex 0\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        HEAD,
        HEAD[:-1],
        HEAD.replace(b"@v1", b"@v2") + b"\n",
        HEAD.replace(b"AAAA", b"AAA") + b"\n",
        HEAD.replace(b"extra AAAA\n", b"") + b"\n",
        HEAD.replace(b"index 0", b"index 00") + b"\n",
        HEAD.replace(b"index 0", b"index -1") + b"\n",
        HEAD.replace(b"index 0", b"index \xd9\xa1") + b"\n",
        HEAD.replace(b"index 0", b"Index 0") + b"\n",
        HEAD.replace(b"index 0\n", b"") + b"\n",
        HEAD + b"AAAA\n\n",
        HEAD.replace(b"index 0", b"index " + b"1" * 5_000) + b"\n",
        HEAD.replace(b"\n", b"\r\n") + b"\r\n",
        b"\xff" + HEAD + b"\n",
        HEAD + b"\n" + bytes(FILE_MAX_BYTES),
    ],
)
def test_bytes_that_are_almost_a_proof_file_are_refused(data: bytes) -> None:
    with pytest.raises(ProofFileInvalid):
        parse_proof_file(data)
    assert parse_proof_file(HEAD + b"\n").leaf_bytes == bytes(3)
