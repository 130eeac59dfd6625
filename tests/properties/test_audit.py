"""Laws of the audit: a whole ledger passes, and nothing done to its rows goes unnoticed or stops it."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from creditbank.ledger.audit import Places, Subjects
from creditbank.ledger.audit_chains import ChainsPart
from creditbank.ledger.audit_report import LISTED_MAX
from creditbank.ledger.checkpoint import Checkpoint, NoteInvalid, SignedNote, parse_note
from creditbank.ledger.entry import Entry
from creditbank.services.audit import Cut, verify_ledger
from creditbank.terms import SubjectId
from tests.banks import BEGINNING
from tests.reference import rfc6962
from tests.strategies.audits import a_chain, audit, codes, findings
from tests.strategies.ledger import LOG, Signer, chains, head_of, next_entry
from tests.strategies.stored_ledger import (
    SIGNER,
    TABLES,
    Row,
    Rows,
    StoredExamination,
    StoredLedger,
    changed_cells,
    checkpoint_of,
    histories,
    large_ledger,
    ledgers,
    stored,
)

pytestmark = pytest.mark.nightly


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
