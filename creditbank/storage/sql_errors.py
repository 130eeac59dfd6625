"""What a database says when it refuses, in the bank's own words; anything else passes unchanged."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError, InvalidRequestError, PendingRollbackError

from creditbank.errors import Conflict, CreditBankError, IntegrityBroken, Misconfigured, Raced
from creditbank.storage.engine import sqlite

# Unique violation, serialization failure, deadlock, lock timeout: somebody was first.
_RACES = frozenset({"23505", "40001", "40P01", "55P03"})
_DAMAGES = frozenset({"XX001", "XX002", "42P01", "42703"})
_FORMAT = "unsupported file format"
_TELLS_DAMAGE = ("no such table", "no such column", "malformed database schema", "Could not decode to UTF-8")
_FORBIDDEN = frozenset({"25006", "42501"})
_FULL = "53100"
_GIVEN_UP = "This connection is closed"
"""What the pool says, by no class of its own, when one connection after the other was lost before its use."""


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the driver raises in the block into errors of the bank.

    Raises:
        Raced: another writer was first.
        Conflict: another writer holds the database for too long.
        IntegrityBroken: the database is damaged.
        Misconfigured: the database cannot be opened, reached or written.
    """
    try:
        yield
    except (DBAPIError, sqlite.Error, psycopg.Error) as error:
        # Bulk statements go to the driver directly, so its errors come bare as well as wrapped.
        meaning = _meaning_of(error.orig if isinstance(error, DBAPIError) else error)
        if meaning is None:
            raise
        raise meaning from error
    except InvalidRequestError as error:
        # Whatever is asked of a connection that was lost, its commit too, until its transaction is given up.
        if not isinstance(error, PendingRollbackError) and str(error) != _GIVEN_UP:
            raise
        raise Misconfigured("database-unreachable", detail="the connection was lost") from error


def _meaning_of(error: BaseException | None) -> CreditBankError | None:
    detail = next(iter(str(error).strip().splitlines()), "")
    state = getattr(error, "sqlstate", None)
    name = str(getattr(error, "sqlite_errorname", ""))
    if state in _RACES:
        return Raced("write-conflict")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return Conflict("database-busy")
    if name.startswith("SQLITE_CORRUPT") or state in _DAMAGES or detail.startswith(_TELLS_DAMAGE):
        return IntegrityBroken("database-damaged", detail=detail, cause=name or state or type(error).__name__)
    if name.startswith("SQLITE_FULL") or state == _FULL:
        return Misconfigured("database-full")
    if name.startswith("SQLITE_READONLY") or state in _FORBIDDEN:
        return Misconfigured("database-forbidden", detail=detail)
    if detail == _FORMAT or name.startswith(
        ("SQLITE_CANTOPEN", "SQLITE_NOTADB", "SQLITE_IOERR", "SQLITE_PERM")
    ):
        return Misconfigured("database-unreadable", detail=detail)
    if isinstance(error, psycopg.OperationalError):
        return Misconfigured("database-unreachable", detail=detail)
    return None
