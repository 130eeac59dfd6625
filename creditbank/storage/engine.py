"""Opens a database so that what was committed stays committed, on SQLite and on PostgreSQL.

Opening never creates a database: `schema.create_or_upgrade` does, once, when the bank is made.
"""

import select
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.pool import StaticPool

from creditbank.errors import Misconfigured

try:
    from pysqlite3 import dbapi2 as _binding
except ImportError:  # no wheel for this platform
    import sqlite3 as _binding

sqlite: ModuleType = _binding
"""The SQLite binding: the wheel where the platform has one, else Python's own."""
BUSY_SECONDS = 30
CONNECT_SECONDS = 10
WRITES = "creditbank_writes"
"""The execution option of a connection whose transactions write: on SQLite they begin by taking the lock."""

_WAL_IS_SOUND_FROM = (3, 51, 3)
_SYNCHRONOUS = ("OFF", "NORMAL", "FULL", "EXTRA")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Durability:
    """How SQLite keeps a commit when the power fails."""

    journal_mode: str
    synchronous: str


def durability_of(version: tuple[int, ...]) -> Durability:
    """Return the settings that are safe with this SQLite: before 3.51.3 WAL can lose a commit."""
    if version >= _WAL_IS_SOUND_FROM:
        return Durability(journal_mode="wal", synchronous="FULL")
    return Durability(journal_mode="delete", synchronous="EXTRA")


def open_engine(url: str) -> Engine:
    """Return an engine for a `sqlite:///` or `postgresql://` URL; it connects when it is first used.

    Raises:
        Misconfigured: the URL names no database of these two kinds.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise Misconfigured("database-url") from error
    backend = parsed.drivername.partition("+")[0]
    if backend == "sqlite" and parsed.database and parsed.database != ":memory:":
        return _sqlite_file_engine(Path(parsed.database))
    if backend in {"postgresql", "postgres"}:
        return _postgresql_engine(parsed.set(drivername="postgresql+psycopg"))
    raise Misconfigured("database-url")


def described(engine: Engine) -> dict[str, str]:
    """Return what keeps a commit in this database: engine, version, and on SQLite the settings in force."""
    with engine.connect() as connection:
        if engine.dialect.name != "sqlite":
            return {"engine": "postgresql", "version": str(connection.scalar(text("SHOW server_version")))}
        return {
            "engine": "sqlite",
            "version": sqlite.sqlite_version,
            "journal_mode": str(connection.scalar(text("PRAGMA journal_mode"))),
            "synchronous": _SYNCHRONOUS[connection.scalar(text("PRAGMA synchronous")) or 0],
        }


def memory_engine() -> Engine:
    """Return an engine for an empty SQLite database in memory, gone with the engine."""
    return _sqlite_engine(URL.create("sqlite"), ":memory:", poolclass=StaticPool)


def sqlite_file(engine: Engine) -> Path | None:
    """Return the database file of an SQLite engine, None for any other."""
    name = engine.url.database
    return Path(name) if engine.dialect.name == "sqlite" and name else None


def _postgresql_engine(url: URL) -> Engine:
    engine = create_engine(
        url,
        isolation_level="READ COMMITTED",
        hide_parameters=True,
        max_overflow=30,
        pool_use_lifo=True,  # the connection that was used last has its statements at hand
        connect_args={"connect_timeout": CONNECT_SECONDS, "application_name": "creditbank"},
    )

    @event.listens_for(engine, "checkout")
    def be_there(connection: Any, *_: object) -> None:  # noqa: ANN401 - a driver's own class
        # A server that was asked nothing says nothing, until it goes away: looking needs no round trip.
        line = select.poll()
        line.register(connection.fileno(), select.POLLIN)
        if line.poll(0):
            raise DisconnectionError

    return engine


def _sqlite_file_engine(path: Path) -> Engine:
    durability = durability_of(sqlite.sqlite_version_info)
    if durability.journal_mode != "wal":
        _log.warning(
            "sqlite-too-old-for-wal", library=sqlite.sqlite_version, journal_mode=durability.journal_mode
        )
    engine = _sqlite_engine(
        URL.create("sqlite", database=str(path)),
        f"{path.absolute().as_uri()}?mode=rw",
        max_overflow=30,
    )

    @event.listens_for(engine, "connect")
    def make_durable(connection: Any, _record: object) -> None:  # noqa: ANN401 - a driver's own class
        try:
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        except UnicodeDecodeError as error:
            # The schema is damaged so that the driver cannot even quote it.
            raise sqlite.DatabaseError("malformed database schema") from error
        if mode != durability.journal_mode:
            connection.execute(f"PRAGMA journal_mode = {durability.journal_mode}")
        connection.execute(f"PRAGMA synchronous = {durability.synchronous}")

    return engine


def _sqlite_engine(url: URL, database: str, **pool: Any) -> Engine:  # noqa: ANN401 - create_engine's own
    def connect() -> Any:  # noqa: ANN401 - a driver's own class
        # isolation_level None: the driver begins nothing by itself, `begin` below decides.
        return sqlite.connect(
            database, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )

    engine = create_engine(url, module=sqlite, creator=connect, hide_parameters=True, **pool)

    @event.listens_for(engine, "connect")
    def make_strict(connection: Any, _record: object) -> None:  # noqa: ANN401 - a driver's own class
        # secure_delete: what is deleted, moved or split off is overwritten, so that no page keeps a copy.
        for pragma in ("foreign_keys", "recursive_triggers", "cell_size_check", "secure_delete"):
            connection.execute(f"PRAGMA {pragma} = ON")
        connection.execute("PRAGMA trusted_schema = OFF")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES, False)
        driver: Any = connection.connection.driver_connection
        driver.execute("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
