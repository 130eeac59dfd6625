"""Laws of checking a receipt: all that is brought beside it must agree, and nothing else makes it hold."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from creditbank.ledger.checkpoint import Checkpoint
from creditbank.ledger.consistency_file import ConsistencyProof
from creditbank.ledger.cosignature import with_cosignatures
from creditbank.ledger.encoding import canonical_bytes
from creditbank.ledger.entry import Leaf, Payload, leaf_hash
from creditbank.ledger.proof_file import InclusionProof, NotProved, ProofFileInvalid
from creditbank.ledger.receipt_check import (
    Beside,
    ReceiptHolds,
    check_receipt,
    parse_payload_file,
    payload_file,
)
from tests.reference import rfc6962
from tests.strategies.ledger import (
    LOG,
    Signer,
    Witness,
    cosigning_times,
    hashes,
    json_objects,
    leaf_hashes,
    leaves,
    witnesses,
)

SIGNER = Signer(LOG, bytes(32))


@dataclass(frozen=True)
class Case:
    """A receipt, and the same log at another size, before or after."""

    leaf: Leaf
    payload: Payload
    proof: InclusionProof
    here: Checkpoint
    there: Checkpoint
    consistency: ConsistencyProof


@st.composite
def cases(draw: st.DrawFn, *, apart: bool = False) -> Case:
    payload = Payload(salt=draw(hashes), content=canonical_bytes(draw(json_objects)))
    leaf = replace(draw(leaves), log=LOG, content=payload.commitment)
    index = draw(st.integers(0, 20))
    size, other = draw(st.integers(index + 1, 40)), draw(st.integers(1, 40))
    assume(not apart or size != other)
    log = [*leaf_hashes(40)[:index], leaf_hash(leaf.encode()), *leaf_hashes(40)[index + 1 :]]
    here, there = (Checkpoint(origin=LOG, size=n, root=rfc6962.root(log[:n])) for n in (size, other))
    older, newer = sorted((here, there), key=lambda each: each.size)
    grown = tuple(rfc6962.proof(older.size, log[: newer.size]))
    return Case(
        leaf,
        payload,
        InclusionProof(
            index=index,
            hashes=tuple(rfc6962.path(index, log[:size])),
            note=SIGNER.sign(here.body()),
            leaf_bytes=leaf.encode(),
        ),
        here,
        there,
        ConsistencyProof(old_size=older.size, hashes=grown, note=SIGNER.sign(newer.body())),
    )


@given(cases(), st.sets(st.sampled_from(["checkpoint", "proof", "payload"])))
def test_a_receipt_holds_with_everything_true_that_is_brought(case: Case, brought: set[str]) -> None:
    assume("proof" in brought or "checkpoint" not in brought or case.here.size == case.there.size)
    beside = Beside(
        checkpoint=SIGNER.sign(case.there.body()) if "checkpoint" in brought else None,
        consistency=case.consistency if "proof" in brought else None,
        payload=case.payload if "payload" in brought else None,
    )
    answer = check_receipt(case.proof, [SIGNER.key], beside)
    assert isinstance(answer, ReceiptHolds)
    assert (answer.included.leaf, answer.included.checkpoint) == (case.leaf, case.here)
    newer = max(case.here, case.there, key=lambda each: each.size)
    shown = case.there if "checkpoint" in brought else newer if "proof" in brought else None
    assert answer.agrees_with == shown
    assert answer.payload == (case.payload if "payload" in brought else None)


@given(cases(apart=True), hashes)
def test_a_checkpoint_of_a_log_that_was_rewritten_never_agrees(case: Case, root: bytes) -> None:
    assume(root != case.there.root)
    forged = replace(case.there, root=root)
    for consistency in (
        case.consistency,
        replace(case.consistency, note=SIGNER.sign(max(forged, case.here, key=lambda c: c.size).body())),
        replace(case.consistency, hashes=()),
    ):
        beside = Beside(checkpoint=SIGNER.sign(forged.body()), consistency=consistency)
        answer = check_receipt(case.proof, [SIGNER.key], beside)
        assert isinstance(answer, NotProved)
        assert answer.reason == "consistency-not-shown"


@given(cases(apart=True), hashes)
def test_a_proof_shows_the_checkpoint_that_stands_under_it_and_no_other(case: Case, root: bytes) -> None:
    assume(root not in {case.here.root, case.there.root})
    stated = SIGNER.sign(replace(case.there, root=root).body())
    beside = Beside(
        checkpoint=SIGNER.sign(case.there.body()), consistency=replace(case.consistency, note=stated)
    )
    answer = check_receipt(case.proof, [SIGNER.key], beside)
    assert answer == NotProved(reason="consistency-not-shown")


@given(cases(), hashes)
def test_two_checkpoints_of_one_size_and_two_roots_are_told(case: Case, root: bytes) -> None:
    assume(root != case.here.root)
    beside = Beside(checkpoint=SIGNER.sign(replace(case.here, root=root).body()))
    assert check_receipt(case.proof, [SIGNER.key], beside) == NotProved(reason="checkpoints-disagree")


@given(cases(apart=True))
def test_checkpoints_of_two_sizes_are_not_compared_without_a_proof(case: Case) -> None:
    beside = Beside(checkpoint=SIGNER.sign(case.there.body()))
    with pytest.raises(ProofFileInvalid, match="consistency-wanted"):
        check_receipt(case.proof, [SIGNER.key], beside)


@given(cases(), hashes, st.data())
def test_a_checkpoint_brought_counts_under_a_known_key_and_name_alone(
    case: Case, seed: bytes, data: st.DataObject
) -> None:
    assume(seed != SIGNER.seed)
    stranger, elsewhere = Signer(LOG, seed), Signer("another.example/log", seed)
    beside = Beside(checkpoint=stranger.sign(case.here.body()))
    assert check_receipt(case.proof, [SIGNER.key], beside) == NotProved(reason="note-signer-unknown")
    other = replace(case.here, origin=elsewhere.name)
    beside = Beside(checkpoint=elsewhere.sign(other.body()))
    answer = check_receipt(case.proof, [SIGNER.key, elsewhere.key], beside)
    assert answer == NotProved(reason="checkpoint-of-another-log")


@given(cases(), st.data())
def test_an_entry_says_what_it_was_committed_to_and_nothing_else(case: Case, data: st.DataObject) -> None:
    content = payload_file(case.payload)
    assert parse_payload_file(content) == case.payload
    changed = bytearray(content)
    changed[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    beside = Beside(payload=parse_payload_file(bytes(changed)))
    assert check_receipt(case.proof, [SIGNER.key], beside) == NotProved(reason="payload-not-committed")


@pytest.mark.parametrize("data", [b"", b"salt", bytes(32)])
def test_what_is_too_short_for_salt_and_payload_is_refused(data: bytes) -> None:
    with pytest.raises(ProofFileInvalid, match="payload-file-malformed"):
        parse_payload_file(data)


@given(cases(), witnesses, witnesses, cosigning_times)
def test_the_witnesses_that_are_believed_are_named_and_must_hold(
    case: Case, one: Witness, other: Witness, at: int
) -> None:
    assume(one.key != other.key)
    cosignature = one.cosign(case.here.body(), at=at)
    proof = replace(case.proof, note=with_cosignatures(case.proof.note, [cosignature]))
    answer = check_receipt(proof, [SIGNER.key], Beside(witnesses=(one.key, other.key)))
    assert isinstance(answer, ReceiptHolds)
    assert answer.included.cosignatures == (cosignature,)
    answer = check_receipt(proof, [SIGNER.key], Beside(witnesses=(other.key,)))
    assert isinstance(answer, ReceiptHolds)
    assert answer.included.cosignatures == ()
    stolen = replace(case.proof, note=with_cosignatures(case.proof.note, [one.cosign(b"other\n", at=at)]))
    answer = check_receipt(stolen, [SIGNER.key], Beside(witnesses=(one.key,)))
    assert answer == NotProved(reason="cosignature-wrong")
