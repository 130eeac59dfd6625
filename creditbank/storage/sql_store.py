"""The books on SQLite and PostgreSQL: `services.books.Store`, one transaction to each opening."""

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TypeVar
from weakref import WeakMethod

from sqlalchemy import Connection, Engine, event

from creditbank.storage.backlog import Backlog
from creditbank.storage.engine import BUSY_SECONDS, WRITES, described
from creditbank.storage.group_commit import GroupCommit
from creditbank.storage.sql_checkpoints import SqlCheckpoints
from creditbank.storage.sql_errors import translated
from creditbank.storage.sql_ledger import SqlLedger
from creditbank.storage.sql_records import (
    SqlAccounts,
    SqlAnswers,
    SqlBank,
    SqlBatches,
    SqlOutcomes,
    SqlTokens,
)
from creditbank.storage.sql_redaction import SqlOfficers, SqlRedactions
from creditbank.storage.sql_sharing import sharable, watch
from creditbank.terms import SubjectId

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlBooks:
    """Everything that one transaction sees and changes together."""

    connection: Connection
    ledger: SqlLedger
    checkpoints: SqlCheckpoints
    accounts: SqlAccounts
    outcomes: SqlOutcomes
    batches: SqlBatches
    answers: SqlAnswers
    tokens: SqlTokens
    bank: SqlBank
    officers: SqlOfficers
    redactions: SqlRedactions

    def share(self, subjects: Collection[SubjectId]) -> None:
        """Be ready for several actions, about these subjects."""
        self.ledger.share(subjects)


class SqlStore:
    """Opens the books of one database; may be shared by threads, the books may not.

    `backlog_limit` is how many entries may wait for their places in the log before no more are taken.
    """

    def __init__(self, engine: Engine, *, backlog_limit: int = 200_000) -> None:
        self._engine = engine
        self._writing_engine = engine.execution_options(**{WRITES: True})
        watch(self._writing_engine)
        self._kept: Connection | None = None
        let_go = WeakMethod(self._let_go)  # the engine is not to keep its store alive
        event.listen(engine, "engine_disposed", lambda of: (call := let_go()) and call(of))
        self._group = GroupCommit(self._transaction, wait_seconds=BUSY_SECONDS)
        self._backlog = Backlog(self._pending, limit=backlog_limit)

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
            Raced: another writer was first.
            Conflict: another writer kept the database for too long.
            IntegrityBroken: the database is damaged.
            Misconfigured: it cannot be opened or reached.
        """
        # SQLite has one writer at a time and lets the others poll: those of this process queue instead.
        turn = self._group.turn() if self._is_sqlite else nullcontext()
        with turn, self._transaction() as books:
            yield books

    def written(self, action: Callable[[SqlBooks], T], *, about: SubjectId | None = None) -> T:
        """Return what `action` returns, once what it wrote is committed (see `group_commit`).

        Raises:
            LogBehind: too many entries wait for their places in the log.
        """
        self._backlog.require_room()
        return self._group.written(action, about=about)

    def durability(self) -> dict[str, str]:
        """Return what keeps a commit here: the engine, its version, and on SQLite the settings in force.

        Raises:
            Misconfigured: the database cannot be opened or reached.
        """
        with translated():
            return described(self._engine)

    @property
    def waiting(self) -> int:
        """How many actions of this process wait for their transaction."""
        return self._group.waiting

    def close(self) -> None:
        """Close every connection that no block holds open."""
        self._engine.dispose()

    @property
    def _is_sqlite(self) -> bool:
        return self._engine.dialect.name == "sqlite"

    @contextmanager
    def _transaction(self) -> Iterator[SqlBooks]:
        with translated(), self._connected() as connection, connection.begin(), sharable(connection):
            yield _books(connection)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """Connect; on SQLite, which has one writer, that one keeps its connection while all is well."""
        connection, self._kept = self._kept or self._writing_engine.connect(), None
        with ExitStack() as on_failure:
            on_failure.enter_context(connection)
            yield connection
            if self._is_sqlite:
                self._kept = connection
                on_failure.pop_all()

    def _let_go(self, _engine: Engine) -> None:
        """End the kept connection with its engine: the pool knows nothing of one that is out."""
        connection, self._kept = self._kept, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    def _pending(self, at_most: int) -> int:
        with self.reading() as books:
            return books.ledger.pending(at_most=at_most)


def _books(connection: Connection) -> SqlBooks:
    return SqlBooks(
        connection=connection,
        ledger=SqlLedger(connection),
        checkpoints=SqlCheckpoints(connection),
        accounts=SqlAccounts(connection),
        outcomes=SqlOutcomes(connection),
        batches=SqlBatches(connection),
        answers=SqlAnswers(connection),
        tokens=SqlTokens(connection),
        bank=SqlBank(connection),
        officers=SqlOfficers(connection),
        redactions=SqlRedactions(connection),
    )
