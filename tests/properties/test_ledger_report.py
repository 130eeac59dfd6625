"""Laws of a verification's report: it reads back as it was written, at any moment, and nothing else does."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from creditbank.documents.ledger_report import (
    LedgerReport,
    LedgerReportInvalid,
    ledger_report_schema,
    parse_ledger_report,
)
from creditbank.errors import InvalidInput
from creditbank.ledger.audit_report import AuditReport, EngineCheck
from creditbank.services.audit import Cut, verify_ledger
from tests.banks import BEGINNING
from tests.strategies.stored_ledger import (
    SIGNER,
    StoredExamination,
    StoredLedger,
    checkpoint_of,
    damaged,
    large_ledger,
    ledgers,
)

SCHEMA = Draft202012Validator(ledger_report_schema())
EXAMPLE = Path(__file__).parents[2] / "schemas" / "v1" / "examples" / "ledger-report.damaged.json"


def reports_of(ledger: StoredLedger, *, entries: int) -> list[AuditReport]:
    """Return the report after every part."""
    reports: list[AuditReport] = []
    verify_ledger(
        StoredExamination(ledger),
        verifier_keys=[SIGNER.key],
        clock=lambda: BEGINNING,
        held=SIGNER.sign(checkpoint_of(large_ledger()).body()),
        cut=Cut(entries=entries, places=256),
        on_report=reports.append,
    )
    return reports


@settings(max_examples=40)
@given(st.data())
def test_a_report_reads_back_as_it_was_written_at_any_moment(data: st.DataObject) -> None:
    ledger = data.draw(damaged(large_ledger()) | ledgers())
    for report in reports_of(ledger, entries=data.draw(st.integers(50, 400))):
        document = LedgerReport.of(report)
        for indent in (None, 2):
            assert parse_ledger_report(document.encode(indent=indent)) == document
        assert b"\n" not in document.encode(indent=None)[:-1]
        assert LedgerReport.of(document.report()) == document
        read = document.report()
        assert (read.task, read.runs, read.log) == (report.task, report.runs, report.log)
        assert (read.found, read.is_whole) == (report.found, report.is_whole)
        assert read.next_subject == report.next_subject
        SCHEMA.validate(json.loads(document.encode()))


@given(st.binary() | st.recursive(st.none() | st.integers(), st.lists).map(lambda v: json.dumps(v).encode()))
def test_other_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(LedgerReportInvalid):
        parse_ledger_report(content)


@given(st.data())
def test_a_changed_report_reads_back_or_is_refused(data: st.DataObject) -> None:
    report = data.draw(st.sampled_from(reports_of(large_ledger(), entries=300)))
    content = bytearray(LedgerReport.of(report).encode())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        parse_ledger_report(bytes(content)).report()
    except InvalidInput:
        return


def test_an_edge_that_is_not_the_logs_is_refused() -> None:
    report = next(each for each in reports_of(large_ledger(), entries=300) if each.size == 256)
    document = LedgerReport.of(report)
    assert document.report().log == report.log
    for changed in ({"size": 512}, {"root": "0" * 64}):
        with pytest.raises(LedgerReportInvalid):
            document.model_copy(update=changed).report()


def test_the_example_is_what_is_written() -> None:
    ledger = large_ledger().copy()
    ledger.row("entry", subject="account:A", seq=2)["idempotency_key"] = "forged"
    finished = reports_of(ledger, entries=300)[-1]
    example = parse_ledger_report(EXAMPLE.read_bytes())
    assert LedgerReport.of(finished).encode() == EXAMPLE.read_bytes()
    assert example.whole is False
    assert example.engine_check is not None
    assert example.report().engine_check == EngineCheck(means="memory")
