"""What the database's engine finds when it looks at its own files: pages, indexes, references.

SQLite always can. PostgreSQL needs its extension amcheck: where that is not installed, it is installed in a
transaction that is rolled back, if server and role allow it. If they do not, that is said.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine, TextClause, text
from sqlalchemy.exc import DBAPIError

from creditbank.errors import IntegrityBroken
from creditbank.ledger.audit import Finding, LedgerRows
from creditbank.ledger.audit_report import EngineCheck, EngineChecked
from creditbank.storage.sql_audit import SqlLedgerRows
from creditbank.storage.sql_errors import translated

SQLITE_MEANS = "PRAGMA integrity_check"
POSTGRESQL_MEANS = "amcheck"

_SCRATCH = "creditbank_engine_check"
_DAMAGED = ("XX001", "XX002")

_available = text("SELECT count(*) FROM pg_available_extensions WHERE name = 'amcheck'")
_home = text(
    "SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace"
    " WHERE extname = 'amcheck'"
)
_relations = text(
    "SELECT CAST(CAST(pg_class.oid AS regclass) AS text), relkind FROM pg_class"
    " LEFT JOIN pg_am ON pg_am.oid = relam"
    " WHERE relnamespace = to_regnamespace(current_schema())"
    " AND (relkind = 'r' OR relkind = 'i' AND amname = 'btree') ORDER BY relkind, relname"
)


@dataclass(frozen=True, slots=True)
class EnginePart:
    """The question to the engine, as a part of the work."""

    def check(self, rows: LedgerRows) -> EngineChecked:
        """Ask it, over a connection of its own."""
        assert isinstance(rows, SqlLedgerRows), "only a database has an engine"
        return engine_check(rows.engine)


def engine_check(engine: Engine) -> EngineChecked:
    """Let the engine look at its files, and say by which means, or why it could not.

    Raises:
        Misconfigured: the database cannot be opened or reached.
    """
    if engine.dialect.name == "sqlite":
        return EngineChecked(check=EngineCheck(means=SQLITE_MEANS), findings=tuple(_sqlite_findings(engine)))
    with translated(), engine.connect() as connection, connection.begin() as transaction:
        try:
            return _with_amcheck(connection)
        finally:
            transaction.rollback()


def _sqlite_findings(engine: Engine) -> Iterator[Finding]:
    try:
        with translated(), engine.connect() as connection:
            for (message,) in connection.exec_driver_sql("PRAGMA integrity_check"):
                if message != "ok":
                    yield Finding(code="database-damaged", values={"detail": message})
            for table, row, *_ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
                yield Finding(code="reference-broken", values={"table": table, "row": row})
    except IntegrityBroken as error:
        yield Finding(code="database-damaged", values=error.values)
    except DBAPIError as error:
        # Nothing here depends on what was asked: what SQLite cannot answer lies in the file.
        yield Finding(code="database-damaged", values={"detail": str(error.orig)})


def _with_amcheck(connection: Connection) -> EngineChecked:
    if not connection.execute(_available).scalar_one():
        return EngineChecked(check=EngineCheck(means=POSTGRESQL_MEANS, refusal="amcheck-missing"))
    check, findings = EngineCheck(means=POSTGRESQL_MEANS), list[Finding]()
    try:
        findings.extend(_postgresql_findings(connection))
    except DBAPIError as error:
        # It is there, and we may not use it: no reason to call the database damaged, and none to be silent.
        check = replace(check, refusal="amcheck-refused", detail=_first_line(error))
    return EngineChecked(check=check, findings=tuple(findings))


def _postgresql_findings(connection: Connection) -> Iterator[Finding]:
    relations = connection.execute(_relations).all()
    amcheck = connection.execute(_home).scalar_one_or_none()
    if amcheck is None:
        connection.execute(text(f"CREATE SCHEMA {_SCRATCH}"))
        connection.execute(text(f"CREATE EXTENSION amcheck SCHEMA {_SCRATCH}"))
        amcheck = _SCRATCH
    index = text(f"SELECT {amcheck}.bt_index_check(CAST(:name AS regclass), true)")
    table = text(f"SELECT msg FROM {amcheck}.verify_heapam(CAST(:name AS regclass))")  # noqa: S608 - quoted
    for name, kind in relations:
        for message in _damages(connection, index if kind == "i" else table, name):
            yield Finding(code="database-damaged", values={"detail": f"{name}: {message}"})


def _damages(connection: Connection, question: TextClause, name: str) -> list[str]:
    """Return what amcheck says of a relation: of a table in rows, of an index by raising."""
    try:
        with connection.begin_nested():
            return [message for (message,) in connection.execute(question, {"name": name}) if message]
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) not in _DAMAGED:
            raise
        return [_first_line(error)]


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0]
