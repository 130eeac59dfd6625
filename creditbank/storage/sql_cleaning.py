"""Cleans what was destroyed out of what an engine keeps behind it: free pages, samples, write-ahead log.

SQLite overwrites what is deleted (`secure_delete`, set in `engine.py`); but pages written before that was
so, ANALYZE and the write-ahead log keep copies. PostgreSQL keeps the old version of every row until its table
is written anew, and every change in its write-ahead log, whose files it takes into use again as they are.
What neither can reach, `docs/operating.md` says.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from creditbank.errors import Conflict
from creditbank.storage.engine import BUSY_SECONDS
from creditbank.storage.sql_errors import translated

REWRITTEN = ("account", "batch", "entry", "kept_answer", "outcome_claim", "outcome_key", "payload")
"""The tables that may hold old versions of rows about a person."""


def clean(engine: Engine, on_step: Callable[[str], None]) -> Sequence[str]:
    """Clean the database behind everything that was deleted so far; `services.ports.Cleaner`.

    The steps are `statistics`, `rewrite` and `journal`. Returned are those that the database's role may not
    take, on PostgreSQL: the owner of the tables may rewrite them, and members of `pg_checkpoint` and
    `pg_monitor` who may execute `pg_switch_wal` may turn the log over.

    Raises:
        Conflict: readers or writers kept the database busy for too long.
        IntegrityBroken: the database is damaged.
        Misconfigured: it cannot be opened or reached, or there is no room to rewrite it.
    """
    with translated():
        return _clean_sqlite(engine, on_step) if _is_sqlite(engine) else _clean_postgresql(engine, on_step)


def _is_sqlite(engine: Engine) -> bool:
    return engine.dialect.name == "sqlite"


def _clean_sqlite(engine: Engine, on_step: Callable[[str], None]) -> Sequence[str]:
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection  # which begins no transaction
        on_step("statistics")
        _take_samples_anew(driver)
        on_step("rewrite")
        _rewrite(driver)
        on_step("journal")
        _truncate_log(driver)
    return ()


def _take_samples_anew(driver: Any) -> None:  # noqa: ANN401 - a driver's own class
    """Replace what ANALYZE kept, which may be blind keys, where it ever ran."""
    if driver.execute("SELECT 1 FROM sqlite_master WHERE name LIKE 'sqlite_stat%'").fetchone():
        driver.execute("ANALYZE")


def _rewrite(driver: Any) -> None:  # noqa: ANN401 - a driver's own class
    """Write every page anew: one written before `secure_delete` was set may hold what once moved away."""
    driver.execute("VACUUM")


def _truncate_log(driver: Any) -> None:  # noqa: ANN401 - a driver's own class
    """Bring everything home from the write-ahead log and cut it to nothing, once nobody reads it any more."""
    busy, _, _ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()  # after it waited for readers
    if busy:
        raise Conflict("database-busy")


def _clean_postgresql(engine: Engine, on_step: Callable[[str], None]) -> Sequence[str]:
    left: list[str] = []
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"SET lock_timeout = '{BUSY_SECONDS}s'"))
        on_step("rewrite")
        rewritten = [_is_rewritten(connection, table) for table in REWRITTEN]
        if not all(rewritten):
            left.append("rewrite")
        on_step("journal")
        with _noted(left, "journal"):
            if _turn_log_over(connection):
                left.append("journal-kept")
        connection.execute(text("RESET lock_timeout"))
    return tuple(left)


def _is_rewritten(connection: Connection, table: str) -> bool:
    """Write a table and its indexes anew; a role that may not is warned, and nothing happens."""
    file = text("SELECT pg_relation_filenode(CAST(:table AS regclass))")
    before = connection.execute(file, {"table": table}).scalar_one()
    connection.execute(text(f"VACUUM (FULL) {table}"))
    return bool(connection.execute(file, {"table": table}).scalar_one() != before)


def _turn_log_over(connection: Connection) -> bool:
    """Have every file of the log written over; return whether older ones are kept for somebody.

    A checkpoint removes the files before it, or renames them to be used again with what is in them. Once that
    is done to all that were written so far, each that waits to be used is used, and filled up with zeros.
    """
    for _ in range(2):  # what was being written when the first began is behind the second
        _begin_log_file(connection)
        connection.execute(text("CHECKPOINT"))
    current = str(connection.execute(text("SELECT pg_walfile_name(pg_current_wal_lsn())")).scalar_one())
    for _ in _log_files(connection, ">=", current):
        _begin_log_file(connection)
    connection.execute(text("CHECKPOINT"))
    return bool(_log_files(connection, "<", current))


def _begin_log_file(connection: Connection) -> None:
    connection.execute(text("SELECT pg_logical_emit_message(false, '', '')"))  # an empty file is not left
    connection.execute(text("SELECT pg_switch_wal()"))


def _log_files(connection: Connection, order: Literal["<", ">="], than: str) -> Sequence[str]:
    named = f"""name ~ '^[0-9A-F]{{24}}$' AND name COLLATE "C" {order} :than"""
    query = text(f"SELECT name FROM pg_ls_waldir() WHERE {named}")  # noqa: S608 - ours
    return connection.execute(query, {"than": than}).scalars().all()


@contextmanager
def _noted(left: list[str], step: str) -> Iterator[None]:
    """Note a step that the role may not take, and go on."""
    try:
        yield
    except DBAPIError as error:
        if not isinstance(error.orig, InsufficientPrivilege):
            raise
        left.append(step)
