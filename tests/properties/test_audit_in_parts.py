"""However an audit is cut, and wherever it is interrupted, it comes to the same end."""

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creditbank.ledger.audit import Places
from creditbank.ledger.audit_checkpoints import SignedSizes
from creditbank.ledger.audit_report import AuditReport
from creditbank.ledger.audit_tree import LogCheck, LogState, TilesChecked
from creditbank.ledger.checkpoint import Checkpoint
from creditbank.ledger.tiles import grow
from creditbank.services.audit import Cut, ReportNotContinued, verify_ledger
from tests.banks import BEGINNING
from tests.reference import rfc6962
from tests.strategies.audits import a_chain, audit
from tests.strategies.ledger import LOG, Signer, leaf_hashes
from tests.strategies.stored_ledger import (
    SIGNER,
    Rows,
    StoredExamination,
    StoredLedger,
    checkpoint_of,
    damaged,
    large_ledger,
    ledgers,
    stored,
)

pytestmark = pytest.mark.nightly


cuts = st.builds(Cut, entries=st.integers(1, 5), places=st.just(256))


@given(st.data(), cuts)
def test_what_is_found_does_not_depend_on_how_the_work_is_cut(data: st.DataObject, cut: Cut) -> None:
    ledger = data.draw(damaged(data.draw(ledgers())))
    assert replace(audit(ledger, cut=cut), runs=()) == replace(audit(ledger), runs=())


@settings(max_examples=40)
@given(st.data(), st.integers(1, 300))
def test_what_is_found_in_many_tiles_does_not_depend_on_how_the_work_is_cut(
    data: st.DataObject, entries: int
) -> None:
    ledger = data.draw(damaged(large_ledger()))
    held = data.draw(st.none() | st.just(checkpoint_of(large_ledger())))
    cut = Cut(entries=entries, places=data.draw(st.sampled_from([256, 512])))
    assert replace(audit(ledger, held=held, cut=cut), runs=()) == replace(audit(ledger, held=held), runs=())


@settings(max_examples=40)
@given(st.data())
def test_an_interrupted_verification_goes_on_to_the_same_end(data: st.DataObject) -> None:
    ledger = data.draw(damaged(data.draw(st.sampled_from([large_ledger(), stored(a_chain(7), signed=[3])]))))
    cut = Cut(entries=data.draw(st.integers(20, 200)), places=256)
    held = data.draw(
        st.sampled_from([None, large_checkpoint(200), large_checkpoint(512), large_checkpoint(800)])
    )
    whole = audit(ledger, held=held, cut=cut)
    report = interrupted(ledger, data, held=held, cut=cut)
    while not report.is_finished:
        before, report = report, interrupted(ledger, data, held=held, cut=cut, earlier=report)
        assert report.entries >= before.entries
        assert report.size >= before.size or report.has_all_places
    assert replace(report, runs=()) == replace(whole, runs=())
    ranges = [(run.chains_from, run.chains_to) for run in report.runs if run.has_chains]
    assert ranges[0][0] is ranges[-1][1] is None
    assert all(one[1] == other[0] for one, other in itertools.pairwise(ranges))
    assert sum(run.log_to - run.log_from for run in report.runs) in {report.size, 0}


def large_checkpoint(size: int) -> Checkpoint:
    """Return what the large ledger could have signed when it was smaller."""
    leaves = [row.leaf_hash for row in large_ledger().log_leaves(Places(None, size))]
    hashes = [leaf_hash for leaf_hash in leaves if isinstance(leaf_hash, bytes)]
    return Checkpoint(origin=LOG, size=size, root=rfc6962.root(hashes))


@pytest.mark.parametrize("size", [1, 255, 256, 300, 777, 800])
@pytest.mark.parametrize("places", [256, 512, 16_384])
def test_a_checkpoint_of_any_size_is_compared_with_the_log_of_that_size(size: int, places: int) -> None:
    ledger = large_ledger().copy()
    ledger.checkpoint.clear()
    ledger.checkpoint.append({"size": size, "note": SIGNER.sign(large_checkpoint(size).body())})
    assert audit(ledger, cut=Cut(places=places)).is_whole
    assert audit(ledger, held=large_checkpoint(size), cut=Cut(places=places)).is_whole
    false = replace(large_checkpoint(size), root=bytes(32))
    assert audit(ledger, held=false, cut=Cut(places=places)).places.counts == {"log-forked": 1}
    ledger.checkpoint[0]["note"] = SIGNER.sign(false.body())
    assert audit(ledger, cut=Cut(places=places)).places.counts == {"checkpoint-root-differs": 1}


@pytest.mark.parametrize("index", [0, 255, 256, 511, 767, 768, 799])
def test_a_place_gone_at_a_cut_is_found_once(index: int) -> None:
    ledger = large_ledger().copy()
    ledger.log_leaf.remove(ledger.row("log_leaf", log_index=index))
    whole = audit(ledger)
    assert whole.places.counts.keys() <= {
        "log-place-missing",
        "log-state-size",
        "log-state-root",
        "tile-differs",
    }
    for places in (256, 512):
        assert replace(audit(ledger, cut=Cut(places=places)), runs=()) == replace(whole, runs=())


@pytest.mark.parametrize(
    ("stored_tile", "found"),
    [("true", []), ("cut", ["tile-differs"]), ("gone", ["tile-missing"])],
)
def test_the_tiles_over_full_tiles_are_compared_when_they_are_full(
    stored_tile: str, found: list[str]
) -> None:
    roots = leaf_hashes(256)
    ledger = StoredLedger()
    true = grow(0, {}, roots).tiles[0, 0]
    if stored_tile != "gone":
        hashes = true if stored_tile == "true" else true[:-1]
        ledger.tile.append({"level": 1, "tile_index": 0, "hashes": hashes})
    log = LogCheck(Rows(ledger), SignedSizes(iter(()), [], None), LogState())
    assert list(log.begin()) == []
    part = TilesChecked(first=0, end=65_536, roots=tuple(roots))
    assert [finding.code for finding in log.take_tiles(part)] == found
    assert (log.size, log.root) == (65_536, rfc6962.root(roots))


class Interrupted(Exception):
    pass


def interrupted(
    ledger: StoredLedger,
    data: st.DataObject,
    *,
    held: Checkpoint | None,
    cut: Cut,
    earlier: AuditReport | None = None,
) -> AuditReport:
    """Verify until, after some part, it is interrupted; return the last report that was made."""
    reports: list[AuditReport] = []
    stop = data.draw(st.integers(2, 6), label="reports")

    def keep(report: AuditReport) -> None:
        reports.append(report)
        if len(reports) == stop:
            raise Interrupted

    try:
        return verify_ledger(
            StoredExamination(ledger),
            verifier_keys=[SIGNER.key],
            clock=lambda: BEGINNING,
            held=None if held is None else SIGNER.sign(held.body()),
            earlier=earlier,
            cut=cut,
            on_report=keep,
        )
    except Interrupted:
        return reports[-1]


def test_a_report_goes_on_only_with_what_it_is_about() -> None:
    ledger = stored(a_chain(5), signed=[3])
    held = SIGNER.sign(checkpoint_of(stored(a_chain(3))).body())
    other = Signer(LOG, b"\x01" * 32)
    began = replace(audit(ledger), finished_at=None)
    examination = StoredExamination(ledger)
    elsewhere = StoredExamination(ledger)
    elsewhere.database = "elsewhere"

    def refusal(examination: StoredExamination, earlier: AuditReport, **more: Any) -> str:  # noqa: ANN401
        given = {"verifier_keys": [SIGNER.key], **more}
        with pytest.raises(ReportNotContinued) as refused:
            verify_ledger(examination, clock=lambda: BEGINNING, earlier=earlier, **given)
        return refused.value.reason

    assert refusal(examination, audit(ledger)) == "report-finished"
    assert refusal(elsewhere, began) == "report-of-another-database"
    assert refusal(examination, began, verifier_keys=[SIGNER.key, other.key]) == "report-of-other-keys"
    assert refusal(examination, began, held=held) == "report-of-another-checkpoint"
    for another in (stored(a_chain(4)), stored(a_chain(4) + a_chain(1, of="account:B"))):
        assert refusal(StoredExamination(another), began) == "report-of-another-log"


def test_a_log_that_grew_meanwhile_is_gone_on_with() -> None:
    cut = Cut(entries=100, places=256)
    reports: list[AuditReport] = []
    verify_ledger(
        StoredExamination(stored(a_chain(600))),
        verifier_keys=[SIGNER.key],
        clock=lambda: BEGINNING,
        cut=cut,
        on_report=reports.append,
    )
    (early,) = {report.size: report for report in reports if report.size == 512}.values()
    report = verify_ledger(
        StoredExamination(stored(a_chain(900))),
        verifier_keys=[SIGNER.key],
        clock=lambda: BEGINNING,
        earlier=early,
        cut=cut,
    )
    assert report.is_whole
    assert [(run.log_size, run.log_from, run.log_to) for run in report.runs] == [
        (600, 0, 512),
        (900, 512, 900),
    ]
    # What was checked when there was less of it stays as it was then, and says so.
    assert [(run.has_chains, run.chains_to) for run in report.runs] == [(True, None), (False, None)]
    assert report.entries == 600
