"""Laws of the audit of cosignatures: what was kept has no finding, and no changed cell goes unseen."""

from typing import NamedTuple

from hypothesis import assume, given
from hypothesis import strategies as st

from creditbank.ledger.audit import StoredCosignature
from creditbank.ledger.audit_cosignatures import cosignature_findings
from creditbank.ledger.checkpoint import Checkpoint
from tests.strategies.ledger import LOG, Signer, Witness, checkpoints_of, cosigning_times, witnesses
from tests.strategies.stored_ledger import other_cells

SIGNER = Signer(LOG, bytes(32))


class Case(NamedTuple):
    witness: Witness
    checkpoint: Checkpoint
    row: StoredCosignature


@st.composite
def cases(draw: st.DrawFn) -> Case:
    witness, at, checkpoint = draw(witnesses), draw(cosigning_times), draw(checkpoints_of(LOG))
    signature = witness.cosign(checkpoint.body(), at=at).signature
    note = SIGNER.sign(checkpoint.body())
    row = StoredCosignature(checkpoint.size, witness.key.encode(), at, signature, note)
    return Case(witness, checkpoint, row)


@given(st.lists(cases(), max_size=3))
def test_what_was_kept_has_no_finding(several: list[Case]) -> None:
    assert list(cosignature_findings(case.row for case in several)) == []


@given(cases(), st.sampled_from(["witness", "cosigned_at", "signature", "note"]), st.data())
def test_no_changed_cell_goes_unseen(case: Case, column: str, data: st.DataObject) -> None:
    old = getattr(case.row, column)
    new = data.draw(other_cells(old))
    # Whether the note itself is signed is for the audit of checkpoints: here its text counts.
    assume(new != old and (column != "note" or not isinstance(new, bytes)))
    (finding,) = cosignature_findings([case.row._replace(**{column: new})])
    assert finding.code == "cosignature-invalid"
    assert finding.values["size"] == case.checkpoint.size


@given(cases(), checkpoints_of(LOG))
def test_a_row_moved_to_another_checkpoint_is_seen(case: Case, other: Checkpoint) -> None:
    assume(other != case.checkpoint)
    moved = case.row._replace(size=other.size, note=SIGNER.sign(other.body()))
    assert len(list(cosignature_findings([moved]))) == 1
    (finding,) = cosignature_findings([moved._replace(note=None)])
    assert finding.values["reason"] == "checkpoint-unknown"


@given(cases(), witnesses)
def test_a_row_ascribed_to_another_key_is_seen(case: Case, other: Witness) -> None:
    assume(other.seed != case.witness.seed)  # the standard signs a witness's key, and not its name
    (finding,) = cosignature_findings([case.row._replace(witness=other.key.encode())])
    assert finding.values["reason"] == "cosignature-wrong"


anything = st.none() | st.integers() | st.text() | st.binary() | st.floats()


@given(st.builds(StoredCosignature, anything, anything, anything, anything, anything))
def test_whatever_stands_in_a_row_is_a_finding(row: StoredCosignature) -> None:
    assert len(list(cosignature_findings([row]))) == 1
