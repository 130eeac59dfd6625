"""What one durable append costs, alone and among others, and a batch of the sequencer, beside the engine."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from sqlite3 import Connection as Peer
from time import perf_counter

import psycopg
import pytest
from sqlalchemy import Engine

from creditbank.ledger.entry import Entry
from creditbank.services.books import Books
from creditbank.services.sequencing import sequence_pending
from creditbank.storage.engine import durability_of, sqlite
from creditbank.storage.sql_store import SqlStore
from creditbank.terms import SubjectId
from tests.benchmarks.measuring import middle, rates_of, ratios_of
from tests.benchmarks.rows import PEER_TABLE
from tests.benchmarks.table import Measure, print_measures
from tests.engines import durable_postgresql, opened, postgresql_url, sqlite_url
from tests.strategies.books import chain, entry_after, subject

pytestmark = pytest.mark.benchmark

GROUP = "Appending and sequencing"
SINGLE = 200
WRITERS = 8
PER_WRITER = 60
ACCOUNTS = 200
BATCH = 4_096
ROUNDS = 5

PEER_ROW = "INSERT INTO peer VALUES (?, ?, ?, ?, ?, ?)"
SERVER_PEER_ROW = b"INSERT INTO peer VALUES (%s, %s, %s, %s, %s, %s)"

Row = tuple[str, int, bytes, bytes, bytes, bytes]


def row_of(entry: Entry) -> Row:
    assert entry.payload is not None
    leaf, payload = entry.leaf, entry.payload
    return leaf.subject, leaf.seq, entry.leaf_bytes, entry.leaf_hash, payload.salt, payload.content


def extend(of: SubjectId) -> Callable[[Books], None]:
    """Return the action that reads where a chain ends and adds an entry."""

    def action(books: Books) -> None:
        head = books.ledger.heads_of([of])[of]
        books.ledger.append([entry_after(head, of=of)])

    return action


def rate(pieces: int, work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return pieces / (perf_counter() - start)


@pytest.fixture
def sqlite_peer(tmp_path: Path) -> Iterator[Peer]:
    """One plain table, with the bank's own durability."""
    durability = durability_of(sqlite.sqlite_version_info)
    with closing(sqlite.connect(tmp_path / "peer.db", isolation_level=None)) as connection:
        connection.execute(f"PRAGMA journal_mode = {durability.journal_mode}")
        connection.execute(f"PRAGMA synchronous = {durability.synchronous}")
        connection.execute(PEER_TABLE.format("BLOB"))
        yield connection


def report(what: str, engine: str, beside: str, rates: dict[str, list[float]], *, goal: float) -> None:
    """Print how the product's turns stand to the peer's."""
    print_measures(
        Measure(
            group=GROUP,
            what=what,
            engine=engine,
            product=middle(rates["product"]),
            beside=beside,
            peer=middle(rates["peer"]),
            unit="entries/s",
            goal=goal,
            ratios=ratios_of(rates["product"], rates["peer"]),
        )
    )


def test_single_append_on_sqlite(tmp_path: Path, sqlite_peer: Peer) -> None:
    with opened(sqlite_url(tmp_path)) as engine:
        store, rows = SqlStore(engine), [row_of(entry) for entry in chain(subject("one"), length=SINGLE)]
        of = subject("one")

        def product() -> float:
            return rate(SINGLE, lambda: [store.written(extend(of), about=of) for _ in range(SINGLE)])

        def peer() -> float:
            return rate(SINGLE, lambda: [sqlite_peer.execute(PEER_ROW, row) for row in rows])

        rates = rates_of({"product": product, "peer": peer}, rounds=ROUNDS)
    report("single durable append", "SQLite", "one-row commits", rates, goal=0.8)


@contextmanager
def server() -> Iterator[tuple[Engine, str]]:
    """Give the block a bank on PostgreSQL that waits for the disk, and a plain table beside it."""
    with durable_postgresql(), postgresql_url() as url, opened(url) as engine:
        with psycopg.connect(url) as raw:
            raw.execute(PEER_TABLE.format("BYTEA").encode())
        yield engine, url


@pytest.mark.parametrize(
    ("what", "accounts", "goal"),
    [("8 writers, 200 accounts", ACCOUNTS, 0.5), ("8 writers, one hot account", 1, 0.15)],
)
def test_eight_writers_on_postgresql(what: str, accounts: int, goal: float) -> None:
    """Threads of one process, on both sides: the product gathers them, the peer has a connection for each."""
    rows = [row_of(entry) for entry in chain(subject("raw"), length=PER_WRITER)]
    turns = count()
    with server() as (engine, url), ThreadPoolExecutor(WRITERS) as pool:
        store = SqlStore(engine)
        connections = [psycopg.connect(url, autocommit=True) for _ in range(WRITERS)]

        def write(writer: int) -> None:
            for place in range(PER_WRITER):
                of = subject((writer * PER_WRITER + place) % accounts)
                store.written(extend(of), about=of)

        def write_raw(writer: int) -> None:
            turn = next(turns)
            for row in rows:
                connections[writer].execute(SERVER_PEER_ROW, (f"{row[0]}-{turn}", *row[1:]))

        def product() -> float:
            return rate(WRITERS * PER_WRITER, lambda: list(pool.map(write, range(WRITERS))))

        def peer() -> float:
            return rate(WRITERS * PER_WRITER, lambda: list(pool.map(write_raw, range(WRITERS))))

        rates = rates_of({"product": product, "peer": peer}, rounds=ROUNDS)
        for connection in connections:
            connection.close()
    report(what, "PostgreSQL", "raw 8-connection commits", rates, goal=goal)


@pytest.mark.parametrize(("name", "beside"), [("SQLite", "executemany"), ("PostgreSQL", "COPY")])
def test_a_batch_of_the_sequencer(name: str, beside: str, tmp_path: Path, sqlite_peer: Peer) -> None:
    """The peer keeps as many rows of the same bytes as the sequencer gives places: subject, seq and hash."""
    turns = count()
    with server() if name == "PostgreSQL" else opened_on_sqlite(tmp_path) as (engine, url):
        store = SqlStore(engine)

        def product() -> float:
            of = subject(f"batch {next(turns)}")
            with store.writing() as books:
                books.ledger.append(chain(of, length=BATCH))
            return rate(BATCH, lambda: sequence_pending(store))

        rows = [row_of(entry) for entry in chain(subject("raw"), length=BATCH)]
        places = [(of, seq, leaf_hash) for of, seq, _, leaf_hash, *_ in rows]

        def peer() -> float:
            if name == "SQLite":
                return rate(BATCH, lambda: keep_on_sqlite(sqlite_peer, places))
            return rate(BATCH, lambda: keep_on_postgresql(url, places))

        rates = rates_of({"product": product, "peer": peer}, rounds=ROUNDS)
    report("sequencer, 4,096 a batch", name, beside, rates, goal=0.35)


@contextmanager
def opened_on_sqlite(folder: Path) -> Iterator[tuple[Engine, str]]:
    url = sqlite_url(folder)
    with opened(url) as engine:
        yield engine, url


def keep_on_sqlite(peer: Peer, places: list[tuple[str, int, bytes]]) -> None:
    peer.execute("BEGIN IMMEDIATE")
    peer.executemany("INSERT INTO peer (subject, seq, leaf_hash) VALUES (?, ?, ?)", places)
    peer.execute("COMMIT")


def keep_on_postgresql(url: str, places: list[tuple[str, int, bytes]]) -> None:
    with psycopg.connect(url) as connection:
        copying = connection.cursor().copy("COPY peer (subject, seq, leaf_hash) FROM STDIN (FORMAT BINARY)")
        with copying as copy:
            copy.set_types(["text", "int8", "bytea"])
            for place in places:
                copy.write_row(place)
