"""What verification costs beside reading and hashing leaves, salts and payloads alone, on either engine.

The peer reads with the bare driver, in the order of the chains, and hashes what it reads. Verification reads
every table, the leaf hashes twice, and hashes the tree as well. On SQLite what one core spends is measured;
PostgreSQL works beside us, so there it is the time that passes.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from statistics import median

import psycopg
import pytest
from sqlalchemy import Engine

from creditbank.account.body import Opened, Recorded, body_content, entry_kind
from creditbank.ledger.audit_report import EngineCheck, EngineChecked
from creditbank.ledger.chain import EMPTY, Head, extend, head_after
from creditbank.ledger.entry import Entry, Payload
from creditbank.samples.outcomes import story_outcomes
from creditbank.services.audit import verify_ledger
from creditbank.storage.sql_audit import audit_rows
from creditbank.storage.sql_examination import SqlExamination, examined
from creditbank.storage.sql_store import SqlStore
from creditbank.terms import IssuerId, Microseconds, SubjectId
from tests.benchmarks.table import Measure, print_measures
from tests.contract.attacks import SIGNER, keep_checkpoint
from tests.engines import opened, postgresql_url, sqlite_url
from tests.strategies.books import LOG

pytestmark = pytest.mark.benchmark

GROUP = "Verification, payloads rechecked, on one core"
ENTRIES = 100_000
ACCOUNTS = 10_000
BATCH = 4_096
ROUNDS = 5
GOAL = 0.35

READ = "SELECT leaf, salt, bytes FROM entry JOIN payload USING (subject, seq) ORDER BY subject, seq"

Rows = Iterable[tuple[bytes, bytes, bytes]]


def entries(count: int = ENTRIES) -> Iterator[Entry]:
    """Outcomes as schools state them: most from files, every fourth posted alone, with a key."""
    outcomes = [sample.outcome for sample in story_outcomes()]
    heads: dict[SubjectId, Head] = {}
    for number in range(count):
        subject = SubjectId(f"account:{number % ACCOUNTS:016d}")
        head = heads.get(subject, EMPTY)
        key = f"row-{number}" if number % 4 == 3 else None
        outcome = outcomes[number % len(outcomes)]
        body = (
            Recorded(outcome=outcome, batch=None if key else "20260901-000123") if head.length else Opened()
        )
        entry = extend(
            head,
            log=LOG,
            subject=subject,
            at=Microseconds(1_788_220_800_000_000 + number),
            kind=entry_kind(body),
            issuer=IssuerId("12540300MB0000000X"),
            payload=Payload(
                salt=sha256(b"%d" % number).digest(), content=body_content(body, idempotency_key=key)
            ),
            idempotency_key=key,
        )
        heads[subject] = head_after(entry)
        yield entry


def fill(engine: Engine, count: int = ENTRIES) -> None:
    store, posted = SqlStore(engine), entries(count)
    while batch := list(islice(posted, BATCH)):
        with store.writing() as books:
            books.ledger.append(batch)
            books.ledger.sequence(at_most=BATCH)
    keep_checkpoint(store)


def verify(examination: SqlExamination) -> None:
    report = verify_ledger(examination, verifier_keys=[SIGNER.verifier_key], clock=lambda: datetime.now(UTC))
    assert report.is_whole
    assert report.entries == report.size == ENTRIES


class Recomputing(SqlExamination):
    """Everything but what is the engine's own affair."""

    def begin_engine_check(self) -> Callable[[], EngineChecked]:
        return lambda: EngineChecked(check=EngineCheck(means="none"))


def hash_all(rows: Rows) -> None:
    for leaf, salt, content in rows:
        sha256(b"\x00" + leaf).digest()
        sha256(salt + content).digest()


def measured(
    what: str,
    engine: str,
    product: Callable[[], object],
    peer: Callable[[], object],
    clock: Callable[[], float],
) -> Measure:
    """Run both in turns and compare the medians."""

    def seconds(work: Callable[[], object]) -> float:
        start = clock()
        work()
        return clock() - start

    pairs = [(seconds(product), seconds(peer)) for _ in range(ROUNDS)]
    ours, theirs = (median(times) for times in zip(*pairs, strict=True))
    return Measure(
        group=GROUP,
        what=what,
        engine=engine,
        product=ENTRIES / ours,
        beside="reading and hashing",
        peer=ENTRIES / theirs,
        unit="entries/s",
        goal=GOAL,
        ratios=[theirs / ours for ours, theirs in pairs],
    )


def test_verification_on_sqlite(tmp_path: Path) -> None:
    with opened(sqlite_url(tmp_path)) as engine:
        fill(engine)

        def peer() -> None:
            with engine.connect() as connection:
                hash_all(connection.connection.cursor().execute(READ))

        def recompute() -> None:
            with audit_rows(engine) as rows:
                verify(Recomputing(engine, rows, None))

        def everything() -> None:
            with examined(engine) as examination:
                verify(examination)

        print_measures(
            measured("everything recomputed", "SQLite", recompute, peer, time.process_time),
            measured("the same, and integrity_check", "SQLite", everything, peer, time.process_time),
        )


def test_verification_on_postgresql() -> None:
    with postgresql_url() as url, opened(url) as engine, psycopg.connect(url) as raw:
        fill(engine)

        def peer() -> None:
            hash_all(raw.cursor().stream(READ, binary=True, size=500))

        def everything() -> None:
            with examined(engine) as examination:
                verify(examination)

        print_measures(measured("everything recomputed", "PostgreSQL", everything, peer, time.perf_counter))
