"""Check every chain, and that each of its entries has a place in the log, in the order of the chain."""

from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter

from creditbank.ledger.audit import Finding, LedgerRows, StoredEntry
from creditbank.ledger.chain import ChainCheck


def chain_findings(rows: LedgerRows, *, log: str) -> Iterator[Finding | None]:
    """Yield what is wrong with the chains of the log named `log`, and None after each entry looked at."""
    for subject, entries in groupby(rows.entries(), key=attrgetter("subject")):
        chain = ChainCheck(subject=subject, log=log)
        last_index = -1
        for row in entries:
            yield from chain.look_at(row)
            index = row.log_index
            if row.pending_hash is not None or type(index) is not int or index <= last_index:
                yield from _place_findings(chain, row)
            if type(index) is int:
                last_index = index
            yield None
        yield from chain.end()
    for table, subject, seq in rows.strays():
        yield Finding(code="row-without-entry", values={"table": table, "subject": subject, "seq": seq})


def _place_findings(chain: ChainCheck, row: StoredEntry) -> Iterator[Finding]:
    """Yield what is wrong with an entry that is not simply later in the log than the one before it."""
    seq = row.seq if type(row.seq) is int else chain.head.length
    if row.log_index is None:
        if row.pending_hash is None:
            yield chain.entry_finding("entry-not-in-log", seq)
        elif row.pending_hash != row.leaf_hash:
            yield chain.entry_finding("queued-hash-differs", seq)
    elif row.pending_hash is not None:
        yield chain.entry_finding("entry-queued-again", seq, log_index=row.log_index)
    else:
        yield chain.entry_finding("log-order-differs", seq, log_index=row.log_index)
