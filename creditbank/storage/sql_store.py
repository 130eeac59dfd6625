"""The books on SQLite and PostgreSQL: `services.ports.Store`, one transaction to each opening."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

from sqlalchemy import Connection, Engine

from creditbank.errors import Conflict
from creditbank.storage.engine import BUSY_SECONDS, WRITES
from creditbank.storage.sql_errors import translated
from creditbank.storage.sql_ledger import SqlLedger
from creditbank.storage.sql_records import SqlAccounts, SqlBank, SqlBatches, SqlOutcomes, SqlTokens
from creditbank.storage.sql_sequencer import SqlSequencer


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlBooks:
    """Everything that one transaction sees and changes together."""

    ledger: SqlLedger
    accounts: SqlAccounts
    outcomes: SqlOutcomes
    batches: SqlBatches
    tokens: SqlTokens
    bank: SqlBank


class SqlStore:
    """Opens the books of one database; may be shared by threads, the books may not."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turn = Lock()

    @contextmanager
    def reading(self) -> Iterator[SqlBooks]:
        """Open one consistent view of the books.

        Raises:
            IntegrityBroken: the database is damaged.
            Misconfigured: it cannot be opened or reached.
        """
        options = (
            {} if self._is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        )
        with (
            translated(),
            self._engine.connect().execution_options(**options) as connection,
            connection.begin(),
        ):
            yield _books(connection)

    @contextmanager
    def writing(self) -> Iterator[SqlBooks]:
        """Open the books in one transaction: kept when the block ends, undone when it raises.

        Raises:
            Conflict: another writer was first, or kept the database for too long.
            IntegrityBroken: the database is damaged.
            Misconfigured: it cannot be opened or reached.
        """
        options = {WRITES: True} if self._is_sqlite else {"isolation_level": "READ COMMITTED"}
        with (
            self._one_at_a_time(),
            translated(),
            self._engine.connect().execution_options(**options) as connection,
            connection.begin(),
        ):
            # Whoever writes holds the sequencer's lock from the start: what is decided is still true when
            # it is appended.
            SqlSequencer(connection).lock()
            yield _books(connection)

    def close(self) -> None:
        """Close every connection that no block holds open."""
        self._engine.dispose()

    @property
    def _is_sqlite(self) -> bool:
        return self._engine.dialect.name == "sqlite"

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        """Queue the writers of this process: SQLite has one at a time and lets the others poll."""
        if not self._is_sqlite:
            yield
            return
        if not self._turn.acquire(timeout=BUSY_SECONDS):
            raise Conflict("database-busy")
        try:
            yield
        finally:
            self._turn.release()


def _books(connection: Connection) -> SqlBooks:
    return SqlBooks(
        ledger=SqlLedger(connection),
        accounts=SqlAccounts(connection),
        outcomes=SqlOutcomes(connection),
        batches=SqlBatches(connection),
        tokens=SqlTokens(connection),
        bank=SqlBank(connection),
    )
