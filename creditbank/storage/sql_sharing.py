"""What lets several actions share one transaction: knowing what they wrote, holding back what they append.

An action that raises before it wrote anything need not be undone. And entries of several actions are sent
together, in three statements instead of one for each, as late as nobody can tell: when the transaction ends,
or before a statement that names a table which they go into.

Statements that go through SQLAlchemy are seen by an event of the engine; who speaks to the driver says so.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, event

_WRITES = "creditbank_writes"
_HELD_BACK = "creditbank_held_back"

_select = re.compile(r"\s*SELECT\b", re.IGNORECASE)
_of_entries = re.compile(r"\b(entry|payload|pending|log_leaf)\b")


def watch(engine: Engine) -> None:
    """Look at every statement that this engine sends from now on, before it does."""

    @event.listens_for(engine, "before_cursor_execute")
    def look(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        before_statement(connection, statement)


@contextmanager
def sharable(connection: Connection) -> Iterator[None]:
    """Let several actions share the transaction that the block is in; send what is held back as it ends."""
    info = connection.info
    try:
        yield
        let_go(connection)
    finally:
        info.pop(_HELD_BACK, None)


def before_statement(connection: Connection, statement: str) -> None:
    """Count a statement that writes, and send what is held back before one that might want to see it."""
    info = connection.info
    if _HELD_BACK in info and _of_entries.search(statement):
        let_go(connection)
    if not _select.match(statement):
        info[_WRITES] = info.get(_WRITES, 0) + 1


def note_write(connection: Connection) -> None:
    """Count one more."""
    connection.info[_WRITES] = writes_on(connection) + 1


def writes_on(connection: Connection) -> int:
    """Return how much was written on this connection so far, in steps that mean nothing."""
    count: int = connection.info.get(_WRITES, 0)
    return count


@contextmanager
def leaving_nothing(connection: Connection) -> Iterator[None]:
    """Do not count what the block writes: it takes all of it back itself."""
    before = writes_on(connection)
    yield
    connection.info[_WRITES] = before


def hold_back(connection: Connection, send: Callable[[], None]) -> None:
    """Have `send` called as late as possible; once, however often it is held back."""
    note_write(connection)
    connection.info[_HELD_BACK] = send


def let_go(connection: Connection) -> None:
    """Send what is held back, if anything is."""
    send = connection.info.pop(_HELD_BACK, None)
    if send is not None:
        send()


def goes_on(connection: Connection) -> bool:
    """Whether the transaction can go on after an action raised: a statement that fails may have ended it."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        return bool(driver.in_transaction)
    return driver.info.transaction_status in {TransactionStatus.INTRANS, TransactionStatus.IDLE}
