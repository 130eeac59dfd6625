"""What is in the database now: which ids, what is known of one, and whether all of it is whole."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from creditbank.assembly import now, verifier_key_file
from creditbank.cli.session import Session
from creditbank.cli.verify_report import print_report
from creditbank.errors import CreditBankError
from creditbank.ledger.audit_report import AuditReport
from creditbank.ledger.checkpoint import VerifierKey, parse_verifier_keys
from creditbank.services.audit import verify_ledger
from creditbank.services.bank import Bank
from creditbank.storage.engine import open_engine
from creditbank.storage.schema import require_current
from creditbank.storage.sql_examination import SqlExamination
from creditbank.storage.sql_examination import examined as examined_database
from creditbank.terms import instant
from tests.driver.database import Database, open_made
from tests.driver.pieces import FoundPiece, found_pieces

WHOLE, DAMAGED, MISUSED = 0, 1, 2

_NOTHING_TO_VERIFY = frozenset({"database-missing", "database-unreachable", "database-url"})


def report_on(database: Database, *, held: bytes | None = None) -> AuditReport:
    """Verify as `creditbank ledger verify` does, and leave no connection open.

    Raises:
        CreditBankError: the database cannot even be taken for a bank's.
    """
    with examined(database) as examination:
        return verify_ledger(examination, verifier_keys=keys_of(database), clock=now, held=held)


@contextmanager
def examined(database: Database) -> Iterator[SqlExamination]:
    engine = open_engine(database.url)
    try:
        require_current(engine)
        with examined_database(engine, workers=1) as opened:
            yield opened
    finally:
        engine.dispose()


def keys_of(database: Database) -> tuple[VerifierKey, ...]:
    """Return the log's public keys, from the bank's own directory or, if that is elsewhere, from the bank."""
    file = verifier_key_file(database.settings)
    if file.exists():
        return tuple(parse_verifier_keys(file.read_text(encoding="utf-8")))
    return open_made(database).verifier_keys


def print_verification(database: Database, *, held: bytes | None) -> int:
    """Print every finding; return 0 where all is whole, 1 where something is damaged."""
    try:
        report = report_on(database, held=held)
    except CreditBankError as error:
        print(f"✗ {error}", flush=True)
        return MISUSED if error.reason in _NOTHING_TO_VERIFY else DAMAGED
    print_report(Session(settings=database.settings).words, report)
    sys.stdout.flush()
    return WHOLE if report.is_whole else DAMAGED


def print_ids(bank: Bank) -> int:
    """Print the id of every entry that a driver made, one a line: twice what was made twice."""
    for found in found_pieces(bank):
        print(found.id)
    return WHOLE


def print_one(bank: Bank, piece: str) -> int:
    """Print what is known of an id; return 0 where it is in the database once, else 1."""
    found = [each for each in found_pieces(bank) if each.id == piece]
    for each in found:
        print(_described(bank, each))
    if not found:
        print(f"{piece} is not in the database")
    return WHOLE if len(found) == 1 else DAMAGED


def _described(bank: Bank, found: FoundPiece) -> str:
    leaf = found.entry.leaf
    with bank.store.reading() as books:
        place = books.ledger.log_index_of(leaf.subject, leaf.seq)
    return (
        f"{found.id} account={found.account.text} seq={leaf.seq} at={instant(leaf.at).isoformat()}"
        f" leaf_hash={found.entry.leaf_hash.hex()} key={found.entry.idempotency_key!r}"
        f" log_index={'waiting' if place is None else place}"
    )
