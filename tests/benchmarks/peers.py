"""The peers: the bare drivers, an ORM, and two libraries that keep what is only ever added to.

Each writes the very bytes of our entries, and its commits outlive a loss of power as ours do. The libraries
are no dependency of the tests: where one is not installed, its measure says so and is left out.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import BigInteger, Engine
from sqlalchemy.engine import make_url
from sqlmodel import Field, Session, SQLModel

from creditbank.storage.engine import durability_of, sqlite
from tests.benchmarks.rows import PEER_TABLE, PEER_TYPES, Row

Write = Callable[[Sequence[Row]], None]
"""Writes some rows in one transaction."""

_INSERT = "INSERT INTO peer VALUES (?, ?, ?, ?, ?, ?)"
_INSERT_POSTGRESQL = "INSERT INTO peer VALUES (%s, %s, %s, %s, %s, %s)"


class PeerRow(SQLModel, table=True):
    """The same six columns, as SQLModel has them."""

    __tablename__ = "peer_by_sqlmodel"

    id: int | None = Field(default=None, primary_key=True)
    subject: str
    seq: int = Field(sa_type=BigInteger)
    leaf: bytes
    leaf_hash: bytes
    salt: bytes
    bytes_: bytes


_PEER = SQLModel.metadata.tables[PeerRow.__tablename__]
SQLModel.metadata.remove(_PEER)  # it is no table of the bank's


class RawSqlite:
    """One plain table, without any index, with the bank's own durability."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401 - a driver's own class
        self._connection = connection

    def write_one(self, row: Row) -> None:
        self._connection.execute(_INSERT, row)

    def write(self, rows: Sequence[Row]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(_INSERT, rows)
        self._connection.execute("COMMIT")


@contextmanager
def raw_sqlite(folder: Path) -> Iterator[RawSqlite]:
    durability = durability_of(sqlite.sqlite_version_info)
    with closing(sqlite.connect(folder / "peer.db", isolation_level=None)) as connection:
        connection.execute(f"PRAGMA journal_mode = {durability.journal_mode}")
        connection.execute(f"PRAGMA synchronous = {durability.synchronous}")
        connection.execute(PEER_TABLE.format("BLOB"))
        yield RawSqlite(connection)


class RawPostgresql:
    """One plain table, without any index, and one connection to it."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection = connection

    def write_one(self, row: Row) -> None:
        self._connection.execute(_INSERT_POSTGRESQL, row)

    def write(self, rows: Sequence[Row]) -> None:
        copy_rows(self._connection, "peer", PEER_TYPES, rows)


@contextmanager
def raw_postgresql(url: str) -> Iterator[RawPostgresql]:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(PEER_TABLE.replace("TABLE", "TABLE IF NOT EXISTS").format("BYTEA").encode())
        yield RawPostgresql(connection)


def copy_rows(
    connection: "psycopg.Connection[Any]", table: str, types: Sequence[str], rows: Sequence[Sequence[object]]
) -> None:
    """COPY rows, in the driver's fastest form."""
    with (
        connection.transaction(),
        connection.cursor().copy(f"COPY {table} FROM STDIN (FORMAT BINARY)".encode()) as copy,
    ):
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)


def sqlmodel_add_all(engine: Engine) -> Write:
    _PEER.create(engine)

    def write(rows: Sequence[Row]) -> None:
        with Session(engine) as session:
            session.add_all(
                PeerRow(subject=subject, seq=seq, leaf=leaf, leaf_hash=leaf_hash, salt=salt, bytes_=content)
                for subject, seq, leaf, leaf_hash, salt, content in rows
            )
            session.commit()

    return write


@contextmanager
def event_store(engine: Engine, folder: Path) -> Iterator[Write]:
    """Give the recorder of the `eventsourcing` library on the engine's kind of database."""
    persistence = needed("eventsourcing.persistence")
    url = make_url(engine.url)
    if url.get_backend_name() == "sqlite":
        module = needed("eventsourcing.sqlite")
        store = module.SQLiteDatastore(str(folder / "events.db"), originator_id_type="text")
        recorder = module.SQLiteAggregateRecorder(store)
    else:
        module = needed("eventsourcing.postgres")
        store = module.PostgresDatastore(
            dbname=str(url.database),
            host=str(url.host or url.query["host"]),
            port=url.port or 5432,
            user=str(url.username),
            password=str(url.password or ""),
            originator_id_type="text",
        )
        recorder = module.PostgresAggregateRecorder(store, events_table_name="events")
    recorder.create_table()

    def write(rows: Sequence[Row]) -> None:
        recorder.insert_events(
            [
                persistence.StoredEvent(
                    originator_id=subject,
                    originator_version=seq,
                    topic="outcome.recorded",
                    state=leaf + leaf_hash + salt + content,
                )
                for subject, seq, leaf, leaf_hash, salt, content in rows
            ]
        )

    try:
        yield write
    finally:
        store.close()


@contextmanager
def merkle_tree(folder: Path) -> Iterator[Any]:
    """Give a tree of the `pymerkle` library that lies in an SQLite file."""
    with closing(needed("pymerkle").SqliteTree(str(folder / "tree.db"))) as tree:
        yield tree


@cache
def needed(module: str) -> Any:  # noqa: ANN401 - a library that may not be there
    """Import a peer's library, or leave the measure out and say why."""
    try:
        return import_module(module)
    except ImportError as error:
        pytest.skip(f"not installed: {error.name}")
