"""Copies a whole SQLite database, with everything committed so far, while the bank goes on working."""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from creditbank.errors import Misconfigured
from creditbank.storage.engine import sqlite
from creditbank.storage.sql_errors import translated


def copy_sqlite(engine: Engine, target: Path) -> None:
    """Write a consistent copy to a new file, by the engine's own online backup.

    Raises:
        Misconfigured: the database is not an SQLite file: PostgreSQL has tools of its own for this.
    """
    if engine.dialect.name != "sqlite":
        raise Misconfigured("copy-of-sqlite-only")
    target.unlink(missing_ok=True)
    with translated(), engine.connect() as connection:
        source: Any = connection.connection.driver_connection
        copy = sqlite.connect(str(target))
        try:
            source.backup(copy)
        finally:
            copy.close()
