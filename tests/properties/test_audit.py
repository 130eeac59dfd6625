"""Laws of the audit: a whole ledger passes, and nothing done to its rows goes unnoticed or stops it."""

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from creditbank.ledger.audit import Finding, Places, Subjects
from creditbank.ledger.audit_chains import ChainsPart
from creditbank.ledger.audit_checkpoints import SignedSizes
from creditbank.ledger.audit_report import LISTED_MAX, AuditReport
from creditbank.ledger.audit_tree import LogCheck, LogState, TilesChecked
from creditbank.ledger.checkpoint import Checkpoint, NoteInvalid, SignedNote, parse_note
from creditbank.ledger.entry import Entry
from creditbank.ledger.tiles import grow
from creditbank.services.audit import WHOLE_CUT, Cut, ReportNotContinued, verify_ledger
from creditbank.terms import SubjectId
from tests.banks import BEGINNING
from tests.reference import rfc6962
from tests.strategies.ledger import LOG, Signer, chains, head_of, leaf_hashes, next_entry
from tests.strategies.stored_ledger import (
    SIGNER,
    TABLES,
    Row,
    Rows,
    StoredExamination,
    StoredLedger,
    changed_cells,
    checkpoint_of,
    damaged,
    histories,
    large_ledger,
    ledgers,
    stored,
)

pytestmark = pytest.mark.nightly


def audit(ledger: StoredLedger, *, held: Checkpoint | None = None, cut: Cut = WHOLE_CUT) -> AuditReport:
    return verify_ledger(
        StoredExamination(ledger),
        verifier_keys=[SIGNER.key],
        clock=lambda: BEGINNING,
        held=None if held is None else SIGNER.sign(held.body()),
        cut=cut,
    )


def findings(ledger: StoredLedger, *, held: Checkpoint | None = None) -> tuple[Finding, ...]:
    return audit(ledger, held=held).findings


def codes(ledger: StoredLedger, *, held: Checkpoint | None = None) -> list[str]:
    return [finding.code for finding in findings(ledger, held=held)]


@given(ledgers())
def test_a_whole_ledger_passes(ledger: StoredLedger) -> None:
    report = audit(ledger)
    assert report.findings == ()
    assert report.is_whole
    hashes = (row.leaf_hash for row in ledger.log_leaves(Places()))
    leaves = [leaf_hash for leaf_hash in hashes if isinstance(leaf_hash, bytes)]
    assert (report.size, report.root) == (len(leaves), rfc6962.root(leaves))
    assert (report.entries, report.waiting) == (len(ledger.entry), len(ledger.pending))


def test_a_whole_ledger_over_many_tiles_passes() -> None:
    assert findings(large_ledger()) == ()


def test_a_new_ledger_passes() -> None:
    assert findings(stored([])) == ()
    assert findings(stored([], signed=[0])) == ()


@given(ledgers(), st.integers(1, 4))
def test_progress_counts_every_entry_once_for_its_two_looks(ledger: StoredLedger, entries: int) -> None:
    steps: list[int] = []
    verify_ledger(
        StoredExamination(ledger),
        verifier_keys=[SIGNER.key],
        clock=lambda: BEGINNING,
        cut=Cut(entries=entries, places=256),
        on_progress=steps.append,
    )
    assert sum(steps) == (len(ledger.entry) + len(ledger.log_leaf)) // 2


@given(st.data())
def test_no_changed_cell_goes_unnoticed(data: st.DataObject) -> None:
    table, column, row, changed = data.draw(changed_cells(data.draw(ledgers())))
    found = findings(changed)
    assert found
    if table in {"entry", "payload", "pending"} and column not in {"subject", "seq"}:
        assert (row["subject"], row["seq"]) in {(finding.subject, finding.seq) for finding in found}


@given(st.data())
def test_no_changed_cell_of_a_large_ledger_goes_unnoticed(data: st.DataObject) -> None:
    *_, changed = data.draw(changed_cells(large_ledger()))
    assert findings(changed)


@given(st.data())
def test_no_row_disappears_unnoticed(data: st.DataObject) -> None:
    ledger = data.draw(ledgers())
    table = data.draw(st.sampled_from(["entry", "payload", "pending", "log_leaf", "tile", "log_state"]))
    assume(ledger.table(table))
    gone = ledger.table(table).pop(data.draw(st.integers(0, len(ledger.table(table)) - 1)))
    if table == "payload":
        assume(not is_excused(ledger, gone))
    assert findings(ledger)


@given(st.data())
def test_no_row_is_put_in_unnoticed(data: st.DataObject) -> None:
    ledger = data.draw(ledgers())
    table = data.draw(st.sampled_from([name for name in TABLES if ledger.table(name)]))
    copied = dict(data.draw(st.sampled_from(ledger.table(table))))
    if data.draw(st.booleans()):
        key, *_ = copied
        copied[key] = data.draw(st.sampled_from([copied[key], "account:Z", 10**15, 7, -1, None]))
    ledger.table(table).insert(data.draw(st.integers(0, len(ledger.table(table)))), copied)
    assert findings(ledger)


@given(st.data())
def test_no_two_rows_change_places_unnoticed(data: st.DataObject) -> None:
    ledger = stored(data.draw(histories(min_size=2)))
    table, *columns = data.draw(
        st.sampled_from(
            [("entry", "subject", "seq"), ("log_leaf", "log_index"), ("payload", "subject", "seq")]
        )
    )
    assume(len(ledger.table(table)) > 1)
    places = st.integers(0, len(ledger.table(table)) - 1)
    one, other = data.draw(st.lists(places, min_size=2, max_size=2, unique=True))
    for column in columns:
        first, second = ledger.table(table)[one], ledger.table(table)[other]
        first[column], second[column] = second[column], first[column]
    assert findings(ledger)


@given(histories(min_size=2), st.data())
def test_a_log_that_was_cut_is_noticed_by_what_is_held_elsewhere(
    history: list[Entry], data: st.DataObject
) -> None:
    held = checkpoint_of(stored(history))
    cut = data.draw(st.integers(0, len(history) - 1))
    found = codes(stored(history[:cut]), held=held)
    assert found[-1] == "log-shrank"
    assert set(found[:-1]) <= {"payload-missing"}  # where the redaction itself was cut


@given(histories(min_size=2), st.data())
def test_a_log_that_was_cut_is_noticed_by_its_own_checkpoints(
    history: list[Entry], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(history) - 1))
    ledger = stored(history[:cut])
    ledger.checkpoint = stored(history, signed=[len(history)]).checkpoint
    assert codes(ledger)[-1] == "log-shrank"


@given(histories(), histories(), st.data())
def test_a_log_that_was_written_anew_is_noticed_by_what_is_held_elsewhere(
    history: list[Entry], other: list[Entry], data: st.DataObject
) -> None:
    size = data.draw(st.integers(1, len(history)))
    hashes = [entry.leaf_hash for entry in history[:size]]
    assume([entry.leaf_hash for entry in other[:size]] != hashes)
    held = checkpoint_of(stored(history[:size]))
    expected = "log-shrank" if len(other) < size else "log-forked"
    assert expected in codes(stored(other, signed=[len(other)]), held=held)


@given(histories(), st.data())
def test_a_log_that_grew_from_what_is_held_passes(history: list[Entry], data: st.DataObject) -> None:
    size = data.draw(st.integers(0, len(history)))
    held = checkpoint_of(stored(history[:size]))
    assert findings(stored(history, signed=[size]), held=held) == ()
    assert codes(stored(history), held=held) == ["checkpoint-not-kept"]


@given(histories(), st.data())
def test_a_checkpoint_of_another_log_size_or_key_is_noticed(
    history: list[Entry], data: st.DataObject
) -> None:
    ledger = stored(history, signed=[len(history)])
    true = checkpoint_of(ledger)
    false, signer = data.draw(
        st.sampled_from(
            [
                (Checkpoint(origin="another/log", size=true.size, root=true.root), SIGNER),
                (Checkpoint(origin=LOG, size=true.size + 1, root=true.root), SIGNER),
                (Checkpoint(origin=LOG, size=true.size, root=bytes(32)), SIGNER),
                (true, Signer(LOG, bytes([1]) * 32)),
                (true, Signer("another/log", bytes(32))),
            ]
        )
    )
    ledger.checkpoint[0]["note"] = signer.sign(false.body())
    assert findings(ledger)


def test_a_stored_note_holds_nothing_but_our_line() -> None:
    ledger = stored(a_chain(2), signed=[2])
    note = parse_note(SIGNER.sign(checkpoint_of(ledger).body()))
    witness = parse_note(Signer("witness", bytes(32)).sign(note.text)).signatures
    for lines in (note.signatures + witness, note.signatures * 2):
        ledger.checkpoint[0]["note"] = SignedNote(text=note.text, signatures=lines).encode()
        (found,) = findings(ledger)
        assert (found.code, found.values["reason"]) == ("checkpoint-invalid", "note-has-strange-signature")


@given(chains(min_size=1), st.text().filter(LOG.__ne__))
def test_entries_of_another_log_are_noticed(entries: list[Entry], log: str) -> None:
    checked = ChainsPart(log=log, subjects=Subjects()).check(Rows(stored(entries)))
    assert sum(each.code == "leaf-of-another-log" for each in checked.findings) == len(entries)


A2 = {"subject": "account:A", "seq": 2}

# What is done to the large ledger, and the codes of all that is found, with the entry that they name.
FAULTS: dict[str, tuple[str, Row, Row | None, list[tuple[str, str | None, int | None]]]] = {
    "leaf": ("entry", A2, {"leaf": b"{}"}, [
        ("leaf-hash-differs", "account:A", 2), ("leaf-unreadable", "account:A", 2)]),
    "leaf's type": ("entry", A2, {"leaf": None}, [("leaf-unreadable", "account:A", 2)]),
    "key": ("entry", A2, {"idempotency_key": "x"}, [("idempotency-key-differs", "account:A", 2)]),
    "entry gone": ("entry", A2, None, [
        ("entry-missing", "account:A", 2),
        ("row-without-entry", None, None), ("log-leaf-without-entry", "account:A", 2)]),
    "salt": ("payload", A2, {"salt": bytes(32)}, [("payload-differs", "account:A", 2)]),
    "salt's length": ("payload", A2, {"salt": bytes(31)}, [("payload-malformed", "account:A", 2)]),
    "payload gone": ("payload", A2, None, [("payload-missing", "account:A", 2)]),
    "place gone": ("log_leaf", A2, None, [
        ("entry-not-in-log", "account:A", 2), ("log-place-missing", None, None)]),
    "place moved to the end": ("log_leaf", A2, {"log_index": 10**15}, [
        ("log-order-differs", "account:A", 3), ("log-place-missing", None, None),
        ("log-place-missing", None, None), ("log-not-recomputed", None, None)]),
    "inner tile": ("tile", {"level": 0, "tile_index": 1}, {"hashes": bytes(510 * 32)}, [
        ("tile-differs", None, None)]),
    "tile gone": ("tile", {"level": 1, "tile_index": 0}, None, [("tile-missing", None, None)]),
    "tile too many": ("tile", {"level": 1, "tile_index": 0}, {"tile_index": 1}, [
        ("tile-missing", None, None), ("tile-unexpected", None, None)]),
    "size": ("log_state", {"size": 800}, {"size": 799}, [("log-state-size", None, None)]),
    "root": ("log_state", {"size": 800}, {"root": bytes(32)}, [("log-state-root", None, None)]),
    "state gone": ("log_state", {"size": 800}, None, [("log-state-rows", None, None)]),
    "note": ("checkpoint", {"size": 256}, {"note": b""}, [("checkpoint-invalid", None, None)]),
    "checkpoint moved": ("checkpoint", {"size": 256}, {"size": 9_999}, [
        ("checkpoint-misplaced", None, None)]),
    "checkpoint doubled": ("checkpoint", {"size": 256}, {"size": 777}, [
        ("checkpoint-misplaced", None, None), ("checkpoint-repeated", None, None)]),
}  # fmt: skip


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_fault_is_said_once_and_named(fault: str) -> None:
    table, which, change, expected = FAULTS[fault]
    ledger = large_ledger().copy()
    row = ledger.row(table, **which)
    if change is None:
        ledger.table(table).remove(row)
    else:
        row |= change
    found = [(each.code, each.subject, each.seq) for each in findings(ledger)]
    if fault == "inner tile":
        found = [(code, None, None) for code, _, _ in found]
    assert sorted(found, key=str) == sorted(expected, key=str)


@pytest.mark.parametrize("index", [0, 1, 255, 256, 511, 767, 768, 799])
def test_a_tile_that_lost_a_leaf_names_its_entry(index: int) -> None:
    ledger = large_ledger().copy()
    tile, place = divmod(index, 256)
    row = ledger.row("tile", level=0, tile_index=tile)
    hashes = row["hashes"]
    assert isinstance(hashes, bytes)
    row["hashes"] = hashes[: place * 32] + bytes(32) + hashes[(place + 1) * 32 :]
    leaf = ledger.row("log_leaf", log_index=index)
    (found,) = findings(ledger)
    assert (found.code, found.subject, found.seq) == ("tile-differs", leaf["subject"], leaf["seq"])


def test_an_entry_rewritten_with_its_hash_is_named_in_chain_and_tree() -> None:
    ledger = large_ledger().copy()
    forged = next_entry(head_of([]), subject=SubjectId("account:A"), says="something else")
    row = ledger.row("entry", subject="account:A", seq=0)
    row |= {"leaf": forged.leaf_bytes, "leaf_hash": forged.leaf_hash}
    named = {(each.code, each.subject, each.seq) for each in findings(ledger) if each.subject}
    assert named == {
        ("payload-differs", "account:A", 0),
        ("chain-broken", "account:A", 1),
        ("tile-differs", "account:A", 0),
    }
    assert {"checkpoint-root-differs", "log-state-root"} <= set(codes(ledger))


def test_an_entry_that_waits_for_its_place_passes_and_one_that_is_forgotten_does_not() -> None:
    entries = a_chain(3)
    ledger = stored(entries[:2], queued=entries[2:])
    assert findings(ledger) == ()
    ledger.pending[0]["leaf_hash"] = bytes(32)
    assert codes(ledger) == ["queued-hash-differs"]
    ledger.pending.clear()
    assert codes(ledger) == ["entry-not-in-log"]


def a_chain(length: int, *, of: str = "account:A") -> list[Entry]:
    entries: list[Entry] = []
    for _ in range(length):
        entries.append(next_entry(head_of(entries), subject=SubjectId(of)))
    return entries


def is_excused(ledger: StoredLedger, gone: Row) -> bool:
    """Whether a later entry of the same chain redacts what this payload's entry said."""
    return any(
        row["subject"] == gone["subject"]
        and str(row["seq"]) > str(gone["seq"])
        and b"redacted" in bytes_of(row)
        for row in ledger.entry
    )


def bytes_of(row: Row) -> bytes:
    leaf = row["leaf"]
    assert isinstance(leaf, bytes)
    return leaf


# However the work is cut, and wherever it is interrupted.

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


def test_of_very_many_findings_the_first_are_listed_and_all_are_counted() -> None:
    ledger = stored(a_chain(LISTED_MAX + 50))
    for row in ledger.entry:
        row["leaf"] = b"{}"
    report = audit(ledger)
    assert len(report.chains.listed) == LISTED_MAX
    assert report.chains.counts == {
        "leaf-hash-differs": LISTED_MAX + 50,
        "leaf-unreadable": LISTED_MAX + 50,
    }
    assert report.found == 2 * LISTED_MAX + 100


def test_a_checkpoint_held_elsewhere_is_one_of_this_log() -> None:
    note = SIGNER.sign(Checkpoint(origin="another/log", size=0, root=bytes(32)).body())
    with pytest.raises(NoteInvalid):
        verify_ledger(
            StoredExamination(stored([])), verifier_keys=[SIGNER.key], clock=lambda: BEGINNING, held=note
        )


def test_checkpoints_of_any_of_the_keys_are_fine() -> None:
    retired = Signer(LOG, b"\x02" * 32)
    ledger = stored(a_chain(4), signed=[2, 4])
    old = ledger.row("checkpoint", size=2)
    old["note"] = retired.sign(checkpoint_of(stored(a_chain(2))).body())
    examination = StoredExamination(ledger)
    keys = [SIGNER.key, retired.key]
    assert verify_ledger(examination, verifier_keys=keys, clock=lambda: BEGINNING).is_whole
    assert codes(ledger) == ["checkpoint-invalid"]
