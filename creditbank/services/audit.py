"""Verify everything the bank ever wrote, from the stored bytes alone; only public keys are needed."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from creditbank.errors import IntegrityBroken
from creditbank.ledger.audit import Finding, LedgerRows
from creditbank.ledger.audit_chains import chain_findings
from creditbank.ledger.audit_tree import Recomputed, tree_findings
from creditbank.ledger.checkpoint import Checkpoint, VerifierKey, open_note
from creditbank.ledger.merkle import EMPTY_ROOT
from creditbank.services.ports import Progress

LOOKS_PER_ENTRY = 2
"""Each entry is looked at twice, in its chain and in the log: what progress is counted in."""


class Examination(Protocol):
    """A database opened for an audit: one consistent view of its rows, and what its engine says of it."""

    @property
    def rows(self) -> LedgerRows: ...

    def structure_findings(self) -> Iterator[Finding]:
        """Yield what differs from what the migrations make, and what the engine's own check finds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """The ledger recomputed: its size and root, and everything that an auditor must see.

    Where a page of the database cannot be read, that is the last finding, and nothing was recomputed.
    """

    entries: int
    root: bytes
    findings: tuple[Finding, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def verify_ledger(
    examination: Examination,
    *,
    verifier_keys: Sequence[VerifierKey],
    held: bytes | None = None,
    on_progress: Progress = lambda _: None,
) -> AuditReport:
    """Recompute structure, chains, log, tiles, checkpoints and payloads (DESIGN §3).

    `verifier_keys` are the log's public keys, retired ones too: at least one, all of one name. `held` is a
    checkpoint kept elsewhere: with it the audit also proves that nothing was cut or forked since.

    Raises:
        NoteInvalid: `held` is not a checkpoint of this log.
    """
    checkpoint = None if held is None else open_note(held, verifier_keys)
    found: list[Finding] = []
    looking = _everything(examination, verifier_keys, checkpoint)
    while True:
        try:
            finding = next(looking)
        except StopIteration as end:
            recomputed: Recomputed = end.value
            return AuditReport(entries=recomputed.size, root=recomputed.root, findings=tuple(found))
        except IntegrityBroken as error:
            found.append(Finding(code=error.reason, values=error.values))
            return AuditReport(entries=0, root=EMPTY_ROOT, findings=tuple(found))
        if finding is None:
            on_progress(1)
        else:
            found.append(finding)


def _everything(
    examination: Examination, keys: Sequence[VerifierKey], held: Checkpoint | None
) -> Generator[Finding | None, None, Recomputed]:
    """Yield every finding, and None for each look at an entry; a page that cannot be read ends it."""
    yield from examination.structure_findings()
    yield from chain_findings(examination.rows, log=keys[0].name)
    return (yield from tree_findings(examination.rows, keys=keys, held=held))
