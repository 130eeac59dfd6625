"""Laws of the consistency file: it shows what grew out of what, and any change of it shows nothing."""

from contextlib import suppress
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.ledger.checkpoint import Checkpoint
from creditbank.ledger.consistency_file import HASHES_MAX, ConsistencyProof, parse_consistency_file
from creditbank.ledger.proof_file import FILE_MAX_BYTES, ProofFileInvalid
from tests.reference import rfc6962
from tests.strategies.ledger import LOG, Signer, hashes, leaf_hashes

SIGNER = Signer(LOG, bytes(32))


@dataclass(frozen=True)
class Case:
    """A log that grew, and the proof of it."""

    older: Checkpoint
    newer: Checkpoint
    proof: ConsistencyProof


@st.composite
def cases(draw: st.DrawFn, *, grew: bool = False) -> Case:
    size = draw(st.integers(2 if grew else 0, 40))
    old = draw(st.integers(1 if grew else 0, size - 1 if grew else size))
    leaves = leaf_hashes(40)[:size]
    older = Checkpoint(origin=LOG, size=old, root=rfc6962.root(leaves[:old]))
    newer = Checkpoint(origin=LOG, size=size, root=rfc6962.root(leaves))
    path = tuple(rfc6962.proof(old, leaves)) if old else ()
    return Case(older, newer, ConsistencyProof(old_size=old, hashes=path, note=SIGNER.sign(newer.body())))


@given(cases())
def test_a_proof_shows_growth_and_is_read_back_from_its_file(case: Case) -> None:
    assert parse_consistency_file(case.proof.encode()) == case.proof
    assert case.proof.shows(case.older, case.newer)


@given(cases(grew=True), st.data())
def test_a_changed_proof_shows_nothing(case: Case, data: st.DataObject) -> None:
    head = case.proof.encode().removesuffix(case.proof.note)
    changed = bytearray(head)
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with suppress(ProofFileInvalid):
        assert not parse_consistency_file(bytes(changed) + case.proof.note).shows(case.older, case.newer)


@given(cases(grew=True), hashes)
def test_growth_is_shown_of_the_log_that_grew_alone(case: Case, other: bytes) -> None:
    assert not case.proof.shows(replace(case.older, root=other), case.newer)
    assert not case.proof.shows(case.older, replace(case.newer, root=other))
    assert not case.proof.shows(case.newer, case.older)
    assert not replace(case.proof, old_size=case.older.size + 1).shows(case.older, case.newer)


@given(st.binary() | st.binary().map(b"old 7\n".__add__))
def test_any_bytes_are_a_consistency_file_or_refused(data: bytes) -> None:
    with suppress(ProofFileInvalid):
        assert parse_consistency_file(data).encode() == data


A_HASH = b"A" * 43 + b"=\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        b"old 1\n",
        b"old 01\n\n",
        b"old -1\n\n",
        b"old\n\n",
        b"Old 1\n\n",
        b"old 1 \n\n",
        b"old \xd9\xa1\n\n",
        b"old 1\r\n\r\n",
        b"old 1\nAAAA\n\n",
        b"old 1\n" + b"A" * 43 + b"\n\n",
        b"old " + b"1" * 5_000 + b"\n\n",
        b"old 1\n" + A_HASH * (HASHES_MAX + 1) + b"\n",
        b"old 1\n\n" + bytes(FILE_MAX_BYTES),
    ],
)
def test_bytes_that_are_almost_a_consistency_file_are_refused(data: bytes) -> None:
    with pytest.raises(ProofFileInvalid):
        parse_consistency_file(data)
    assert len(parse_consistency_file(b"old 1\n" + A_HASH * HASHES_MAX + b"\n").hashes) == HASHES_MAX
