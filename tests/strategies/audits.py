"""Audits of stored ledgers, with the key that signed them."""

from creditbank.ledger.audit import Finding
from creditbank.ledger.audit_report import AuditReport
from creditbank.ledger.checkpoint import Checkpoint
from creditbank.ledger.entry import Entry
from creditbank.services.audit import WHOLE_CUT, Cut, verify_ledger
from creditbank.terms import SubjectId
from tests.banks import BEGINNING
from tests.strategies.ledger import head_of, next_entry
from tests.strategies.stored_ledger import (
    SIGNER,
    StoredExamination,
    StoredLedger,
)


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


def a_chain(length: int, *, of: str = "account:A") -> list[Entry]:
    entries: list[Entry] = []
    for _ in range(length):
        entries.append(next_entry(head_of(entries), subject=SubjectId(of)))
    return entries
