"""A database opened for an audit: `services.audit.Examination`, alone or with worker processes."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Engine

from creditbank.ledger.audit import Finding, Part
from creditbank.ledger.audit_report import EngineChecked
from creditbank.storage.engine import sqlite_file
from creditbank.storage.sql_audit import SqlLedgerRows, audit_rows
from creditbank.storage.sql_audit_worker import AuditWorkers, View
from creditbank.storage.sql_engine_check import EnginePart, engine_check
from creditbank.storage.sql_structure import structure_findings

T = TypeVar("T")


class SqlExamination:
    """One view of the rows, and perhaps others who have theirs."""

    def __init__(self, engine: Engine, rows: SqlLedgerRows, workers: AuditWorkers | None) -> None:
        self.rows = rows
        self.workers = workers
        self._engine = engine

    @property
    def database(self) -> str:
        """The file, or the server and the database's name on it."""
        url = self._engine.url
        if path := sqlite_file(self._engine):
            return f"sqlite:{path.absolute()}"
        host = url.host or url.query.get("host") or "localhost"
        return f"postgresql:{host}:{url.port or 5432}/{url.database}"

    def structure_findings(self) -> Iterator[Finding]:
        """Yield what differs from what the migrations make."""
        return structure_findings(self._engine)

    def begin_engine_check(self) -> Callable[[], EngineChecked]:
        """Ask the engine about its own files; return what waits for the answer."""
        if self.workers is None:
            return lambda: engine_check(self._engine)
        return self.workers.submit(EnginePart()).result

    def checked(self, parts: Iterable[Part[T]]) -> Iterator[T]:
        """Check the parts, and yield what came of each, in their order."""
        if self.workers is None:
            return (part.check(self.rows) for part in parts)
        return self.workers.checked(parts)


@contextmanager
def examined(engine: Engine, *, workers: int = 1) -> Iterator[SqlExamination]:
    """Open a database for an audit; from two `workers` on they are processes, each with its own view.

    On PostgreSQL all see the state that the first saw. On SQLite each sees the database as it was when it
    began: what was in the log by then is the same for all, since nothing in it changes.

    Raises:
        IntegrityBroken: a page of the database cannot be read; in the block too.
        Misconfigured: the database cannot be opened or reached.
    """
    with audit_rows(engine) as rows:
        if workers == 1:
            yield SqlExamination(engine, rows, None)
            return
        rows.places()  # the first look is what fixes SQLite's view: no worker's is older
        view = View(url=engine.url.render_as_string(hide_password=False), snapshot=rows.snapshot())
        with AuditWorkers(view, count=workers) as all_workers:
            yield SqlExamination(engine, rows, all_workers)
