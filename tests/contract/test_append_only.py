"""Append-only is a property of the database: what is written stays, whoever sends the statement."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

from creditbank.account.records import BankRecord, OutcomeKey
from creditbank.ledger.chain import EMPTY
from creditbank.storage.sql_store import SqlStore
from creditbank.terms import Microseconds
from tests.engines import opened, postgresql_url, sqlite_url
from tests.strategies.books import SCHOOL, batch, entry_after, subject
from tests.strategies.ledger import Witness

TASHI = subject("tashi")
WITNESS = Witness("witness.example", bytes(32))

# The insert-only tables: what names a row of theirs, and a column that one might want to change.
TABLES = {
    "entry": ("subject, seq", "leaf"),
    "payload": ("subject, seq", "bytes"),
    "log_leaf": ("log_index", "subject"),
    "checkpoint": ("size", "note"),
    "cosignature": ("size, witness, cosigned_at", "signature"),
    "outcome_key": ("key, subject, seq", "subject"),
    "batch": ("number", "receipt"),
    "bank": ("id", "origin"),
}

# A new row for each further key by which SQLite's REPLACE would find the old one and delete it.
REPLACEMENTS = {
    "entry by place": f"entry VALUES ('{TASHI}', 0, x'00', zeroblob(32), NULL)",
    "entry by idempotency key": f"entry VALUES ('{TASHI}', 1, x'00', zeroblob(32), 'row 7')",
    "entry by rowid": "entry (rowid, subject, seq, leaf, leaf_hash) VALUES (1, 'b', 0, x'00', zeroblob(32))",
    "payload by place": f"payload VALUES ('{TASHI}', 0, zeroblob(32), x'00')",
    "payload by rowid": "payload (rowid, subject, seq, salt, bytes) VALUES (1, 'b', 0, zeroblob(32), x'00')",
    "log_leaf by index": "log_leaf VALUES (0, 'new', 0)",
    "log_leaf by place": f"log_leaf VALUES (1, '{TASHI}', 0)",
    "checkpoint by size": "checkpoint VALUES (1, x'00')",
    "cosignature by place": f"cosignature VALUES (1, '{WITNESS.key.encode()}', 7, zeroblob(64))",
    "batch by number": "batch VALUES ('1', 'new', x'00', 0, x'00')",
    "batch by file": "batch SELECT 'new', issuer, file_digest, 0, x'00' FROM batch",
    "batch by rowid": (
        "batch (rowid, number, issuer, file_digest, posted_at, receipt) VALUES (1, 2, 3, x'', 4, x'')"
    ),
    "bank by id": "bank VALUES (1, 'new', x'00', 'new', 0)",
}


# Whatever a test tries is refused and rolled back: all share one database of each engine.


@pytest.fixture(scope="module")
def sqlite_address(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = sqlite_url(tmp_path_factory.mktemp("append-only"))
    with opened(url) as engine:
        fill(engine)
    return url


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Engine]:
    with postgresql_url() as url, opened(url) as engine:
        yield fill(engine)


@pytest.fixture
def sqlite(sqlite_address: str) -> Iterator[Engine]:
    with opened(
        sqlite_address
    ) as engine:  # with connections of its own, of which a test may ask other things
        yield engine


@pytest.fixture(params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest) -> Engine:
    engine = request.getfixturevalue(request.param)
    assert isinstance(engine, Engine)
    return engine


def fill(engine: Engine) -> Engine:
    """Write one line into every table."""
    bank = BankRecord(origin="bank.example", key_check=b"check", operator=SCHOOL, created_at=Microseconds(1))
    with SqlStore(engine).writing() as books:
        books.ledger.append([entry_after(EMPTY, of=TASHI, idempotency_key="row 7")])
        books.ledger.sequence()
        books.ledger.add_checkpoint(size=1, note=b"a note")
        books.checkpoints.add_cosignatures(size=1, cosignatures=[WITNESS.cosign(b"a note", at=7)])
        books.outcomes.add([OutcomeKey(key=b"key", subject=TASHI, seq=0)])
        books.batches.add(batch("1"))
        books.bank.write(bank)
    return engine


def contents(connection: Connection) -> list[list[tuple[object, ...]]]:
    return [[tuple(row) for row in connection.execute(text(f"SELECT * FROM {table}"))] for table in TABLES]


def assert_refused(engine: Engine, statement: str, *, after: str = "SELECT 1") -> None:
    with engine.connect() as connection:
        before = contents(connection)
        assert all(before)
        connection.rollback()
        connection.execute(text(after))
        with pytest.raises(IntegrityError, match="the ledger is append-only"):
            connection.execute(text(statement))
        connection.rollback()
        assert contents(connection) == before


@pytest.mark.parametrize("table", TABLES)
def test_an_update_is_refused(filled: Engine, table: str) -> None:
    _, column = TABLES[table]
    assert_refused(filled, f"UPDATE {table} SET {column} = {column}")


@pytest.mark.parametrize("table", TABLES)
def test_a_delete_is_refused(filled: Engine, table: str) -> None:
    assert_refused(filled, f"DELETE FROM {table}")


@pytest.mark.parametrize("table", TABLES)
def test_an_insert_that_updates_instead_is_refused(filled: Engine, table: str) -> None:
    key, column = TABLES[table]
    again = f"INSERT INTO {table} SELECT * FROM {table} WHERE true"
    assert_refused(filled, f"{again} ON CONFLICT ({key}) DO UPDATE SET {column} = excluded.{column}")


@pytest.mark.parametrize("recursive", ["ON", "OFF"])
@pytest.mark.parametrize("replacement", REPLACEMENTS.values(), ids=REPLACEMENTS)
def test_sqlite_refuses_to_replace_a_row(sqlite: Engine, replacement: str, recursive: str) -> None:
    # Without recursive triggers, another program's default, REPLACE deletes without asking the trigger.
    with sqlite.connect() as connection:
        connection.connection.cursor().execute(f"PRAGMA recursive_triggers = {recursive}")
    assert_refused(sqlite, f"INSERT OR REPLACE INTO {replacement}")


@pytest.mark.parametrize("table", TABLES)
def test_postgresql_refuses_to_truncate(postgresql: Engine, table: str) -> None:
    assert_refused(postgresql, f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize("table", TABLES)
def test_postgresql_refuses_in_replica_mode_too(postgresql: Engine, table: str) -> None:
    assert_refused(postgresql, f"DELETE FROM {table}", after="SET session_replication_role = replica")


def test_sqlite_keeps_a_cell_to_its_type(sqlite: Engine) -> None:
    with (
        sqlite.connect() as connection,
        pytest.raises(IntegrityError, match="cannot store TEXT value in BLOB"),
    ):
        connection.execute(text("INSERT INTO checkpoint VALUES (2, 'text')"))
