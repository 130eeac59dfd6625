"""Makes a database the bank's, brings it up to this version, and says what a database is.

The migrations are run from the installed package, without a configuration file. The table that names the
last one is our own, so that a database of another program is never taken for ours. Alembic, which runs them,
is imported when there is something to run: what a database is can be read off that table and the names of
the migrations.
"""

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from sqlalchemy import Connection, Engine, inspect, text

import migrations
from creditbank.errors import Misconfigured
from creditbank.storage.engine import WRITES, sqlite_file
from creditbank.storage.sql_errors import translated

if TYPE_CHECKING:
    from alembic.config import Config

VERSION_TABLE = "creditbank_version"


class SchemaState(StrEnum):
    """What a database is to this version of the bank."""

    CURRENT = "current"
    MISSING = "missing"
    EMPTY = "empty"
    OLDER = "older"
    NEWER = "newer"
    NOT_OURS = "not-ours"


def schema_state(engine: Engine) -> SchemaState:
    """Say what the database is.

    Raises:
        Misconfigured: it cannot be read or reached: not a database, no permission, no server.
    """
    path = sqlite_file(engine)
    if path is not None and not path.exists():
        return SchemaState.MISSING
    with translated(), engine.connect() as connection:
        return _state_of(connection)


def require_current(engine: Engine) -> None:
    """Make sure that the bank can work on this database.

    Raises:
        Misconfigured: it cannot; the reason says what to do.
    """
    match schema_state(engine):
        case SchemaState.CURRENT:
            return
        case SchemaState.MISSING:
            raise Misconfigured("database-missing", database=_name(engine))
        case SchemaState.EMPTY:
            raise Misconfigured("database-empty", database=_name(engine))
        case SchemaState.OLDER:
            raise Misconfigured("database-older", database=_name(engine))
        case SchemaState.NEWER:
            raise Misconfigured("database-newer", database=_name(engine))
        case SchemaState.NOT_OURS:
            raise Misconfigured("database-not-ours", database=_name(engine))
        case other:
            assert_never(other)


def create_or_upgrade(engine: Engine) -> SchemaState:
    """Make the tables where there are none, or bring an older database up to this version.

    All of it or nothing. Returns what the database was before.

    Raises:
        Misconfigured: the database is of a newer version, another program's, or unreadable.
    """
    before = schema_state(engine)
    if before in {SchemaState.NEWER, SchemaState.NOT_OURS}:
        require_current(engine)
    path = sqlite_file(engine)
    if path is not None and before is SchemaState.MISSING:
        _make_file(path)
    with translated(), engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        migrate(connection)
    return before


def upgrade(engine: Engine) -> None:
    """Bring an older database up to this version; a current one is left as it is.

    Raises:
        Misconfigured: there is no bank to upgrade, or it is of a newer version.
    """
    if schema_state(engine) is not SchemaState.OLDER:
        require_current(engine)
    create_or_upgrade(engine)


def migrate(connection: Connection) -> None:
    """Run every migration that the connection's database has not seen, in its open transaction."""
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _state_of(connection: Connection) -> SchemaState:
    tables = set(inspect(connection).get_table_names())
    if not tables:
        return SchemaState.EMPTY
    known = known_versions()
    found = _versions_in(connection) if VERSION_TABLE in tables else []
    match found:
        case []:
            return SchemaState.NOT_OURS
        case [version] if version == known[-1]:
            return SchemaState.CURRENT
        case _:
            return SchemaState.OLDER if set(found) <= set(known) else SchemaState.NEWER


def known_versions() -> tuple[str, ...]:
    """Return the migrations' own numbers, the oldest first: each is what its file's name begins with."""
    files = Path(migrations.__path__[0], "versions").glob("[0-9]*_*.py")
    return tuple(sorted(file.name.partition("_")[0] for file in files))


def _versions_in(connection: Connection) -> list[str]:
    return list(connection.scalars(text(f"SELECT version_num FROM {VERSION_TABLE}")))  # noqa: S608 - our own name


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    # The parser behind it reads % as the start of a reference.
    config.set_main_option("script_location", str(Path(migrations.__path__[0])).replace("%", "%%"))
    config.attributes["version_table"] = VERSION_TABLE
    return config


def _make_file(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise Misconfigured("database-unreadable", detail=error.strerror or str(error)) from error


def _name(engine: Engine) -> str:
    return engine.url.database or engine.url.render_as_string(hide_password=True)
