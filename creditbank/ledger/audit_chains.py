"""Check whole chains, and that each of their entries has a place in the log, in the order of the chain."""

from collections.abc import Iterator
from dataclasses import dataclass

from creditbank.ledger.audit import Finding, LedgerRows, StoredEntry, Subjects
from creditbank.ledger.chain_check import ChainCheck

ENTRIES_AT_ONCE = 16_384
"""About how many entries make a part: a tenth of a second's work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainsChecked:
    """What some chains hold, and what is wrong with them and beside them."""

    subjects: Subjects
    entries: int
    waiting: int
    findings: tuple[Finding, ...]
    strays: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainsPart:
    """The chains of some subjects of the log named `log`, to be checked."""

    log: str
    subjects: Subjects

    def check(self, rows: LedgerRows) -> ChainsChecked:
        """Look at every entry of these chains, and for payloads and queued rows that belong to none."""
        chain = ChainCheck(log=self.log)
        found: list[Finding] = []
        entries = 0
        for some in rows.entries(self.subjects):
            entries += len(some)
            for cells in some:
                if cells[0] != chain.subject:
                    found.extend(chain.end())
                    chain.begin(cells[0])
                if not chain.takes(cells):
                    row = StoredEntry._make(cells)
                    found.extend(chain.look_at(row))
                    found.extend(chain.look_at_place(row))
        found.extend(chain.end())
        # Where every row was met beside its entry, there is none left to look for.
        is_sound = not found and rows.counts(self.subjects) == (chain.payloads, chain.waiting)
        strays = () if is_sound else rows.strays(self.subjects)
        return ChainsChecked(
            subjects=self.subjects,
            entries=entries,
            waiting=chain.waiting,
            findings=tuple(found),
            strays=tuple(_stray(*each) for each in strays),
        )


def chain_parts(
    rows: LedgerRows, *, log: str, first: str | None = None, entries: int = ENTRIES_AT_ONCE
) -> Iterator[ChainsPart]:
    """Cut the chains, from the subject `first` on, into parts of about so many entries."""
    while True:
        end = rows.subject_after(first, entries)
        yield ChainsPart(log=log, subjects=Subjects(first, end))
        if end is None:
            return
        first = end


def _stray(table: str, subject: object, seq: object) -> Finding:
    return Finding(code="row-without-entry", values={"table": table, "subject": subject, "seq": seq})
