"""What the tables, triggers, tree and transactions cost beside the bare database, taken in the same run."""

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from sqlite3 import Connection as Peer
from statistics import median
from time import perf_counter

import psycopg
import pytest

from creditbank.ledger.entry import Entry
from creditbank.storage.engine import durability_of, sqlite
from creditbank.storage.sql_store import SqlStore
from tests.benchmarks.table import Measure, print_measures
from tests.engines import durable_postgresql, opened, postgresql_url, sqlite_url
from tests.strategies.books import chain, subject

pytestmark = pytest.mark.benchmark

BULK = 20_000
SINGLE = 300
ROUNDS = 3

PEER_TABLE = "CREATE TABLE peer (subject TEXT, seq BIGINT, leaf {0}, leaf_hash {0}, salt {0}, bytes {0})"
PEER_ROW = "INSERT INTO peer VALUES (?, ?, ?, ?, ?, ?)"

Row = tuple[str, int, bytes, bytes, bytes, bytes]


def bulk(says: str) -> list[Entry]:
    """Two entries for each of ten thousand accounts."""
    accounts = (subject(f"{says}-{number:05}") for number in range(BULK // 2))
    return [entry for account in accounts for entry in chain(account, length=2, says=says * 40)]


def row_of(entry: Entry) -> Row:
    assert entry.payload is not None
    leaf, payload = entry.leaf, entry.payload
    return leaf.subject, leaf.seq, entry.leaf_bytes, entry.leaf_hash, payload.salt, payload.content


def seconds(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def append(store: SqlStore, entries: list[Entry]) -> None:
    with store.writing() as books:
        books.ledger.append(entries)


def measure(what: str, *, count: int, product: list[float], peer: list[float], goal: float) -> Measure:
    rates = (count / median(product), count / median(peer))
    return Measure(what=what, product=rates[0], peer=rates[1], unit="entries/s", goal=goal)


@pytest.fixture
def sqlite_peer(tmp_path: Path) -> Iterator[Peer]:
    """One plain table, with the bank's own durability."""
    durability = durability_of(sqlite.sqlite_version_info)
    with closing(sqlite.connect(tmp_path / "peer.db", isolation_level=None)) as connection:
        connection.execute(f"PRAGMA journal_mode = {durability.journal_mode}")
        connection.execute(f"PRAGMA synchronous = {durability.synchronous}")
        connection.execute(PEER_TABLE.format("BLOB"))
        yield connection


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[SqlStore]:
    with opened(sqlite_url(tmp_path)) as engine:
        yield SqlStore(engine)


def test_bulk_import_on_sqlite(sqlite_store: SqlStore, sqlite_peer: Peer) -> None:
    product, peer = [], []
    for turn in "abc"[:ROUNDS]:
        entries = bulk(turn)
        rows = [row_of(entry) for entry in entries]

        def insert(rows: list[Row] = rows) -> None:
            sqlite_peer.execute("BEGIN IMMEDIATE")
            sqlite_peer.executemany(PEER_ROW, rows)
            sqlite_peer.execute("COMMIT")

        peer.append(seconds(insert))
        product.append(seconds(partial(append, sqlite_store, entries)))
    result = measure("bulk append, SQLite / executemany", count=BULK, product=product, peer=peer, goal=0.12)
    print_measures(result)
    assert result.ratio >= result.goal


def test_single_append_on_sqlite(sqlite_store: SqlStore, sqlite_peer: Peer) -> None:
    entries = chain(subject("one"), length=SINGLE)
    product, peer = [], []
    for entry in entries:
        peer.append(seconds(partial(sqlite_peer.execute, PEER_ROW, row_of(entry))))
        product.append(seconds(partial(append, sqlite_store, [entry])))
    result = measure("single append, SQLite / one-row commit", count=1, product=product, peer=peer, goal=0.8)
    print_measures(result)


def test_bulk_import_on_postgresql() -> None:
    product, peer = [], []
    with durable_postgresql(), postgresql_url() as url, opened(url) as engine, psycopg.connect(url) as raw:
        raw.execute(PEER_TABLE.format("BYTEA").encode())
        raw.commit()
        for turn in "abc"[:ROUNDS]:
            entries = bulk(turn)
            rows = [row_of(entry) for entry in entries]

            def insert(rows: list[Row] = rows) -> None:
                with raw.cursor().copy("COPY peer FROM STDIN (FORMAT BINARY)") as copy:
                    copy.set_types(["text", "int8", "bytea", "bytea", "bytea", "bytea"])
                    for row in rows:
                        copy.write_row(row)
                raw.commit()

            peer.append(seconds(insert))
            product.append(seconds(partial(append, SqlStore(engine), entries)))
    result = measure("bulk append, PostgreSQL / COPY", count=BULK, product=product, peer=peer, goal=0.12)
    print_measures(result)
    assert result.ratio >= result.goal
