"""Is the database still built as the migrations build it, triggers and all?

What the migrations make is not written down a second time: they are run again, on SQLite in memory, on
PostgreSQL in a schema that is rolled back, and the two descriptions are compared object by object.
"""

from collections.abc import Iterator, Mapping
from functools import cache

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from creditbank.errors import IntegrityBroken
from creditbank.ledger.audit import Finding
from creditbank.storage.engine import memory_engine
from creditbank.storage.schema import known_versions, migrate
from creditbank.storage.sql_errors import translated

Description = Mapping[str, str]
"""Every object of a database, by kind and name, and its definition."""

_SCRATCH = "creditbank_as_migrated"

_DESCRIBE_SQLITE = text(
    """
    SELECT CAST(type || ' ' || name AS TEXT), CAST(tbl_name || ' ' || coalesce(sql, '') AS TEXT)
    FROM sqlite_master WHERE name NOT IN ('sqlite_stat1', 'sqlite_stat4')
    """
)  # what ANALYZE leaves behind speaks only of speed

# Without what belongs to amcheck, which the engine's own check needs (see `sql_engine_check`).
_DESCRIBE_POSTGRESQL = text(
    """
    WITH relation AS (SELECT * FROM pg_class WHERE relnamespace = to_regnamespace(current_schema()))
    SELECT 'relation ' || relname,
        concat_ws(' ', relkind, relpersistence, relrowsecurity, relforcerowsecurity)
    FROM relation
    UNION ALL
    SELECT 'column ' || relname || '.' || attname, concat_ws(' ', attnum, format_type(atttypid, atttypmod),
        attnotnull, attidentity, attgenerated, collname, pg_get_expr(adbin, adrelid), attstattarget)
    FROM relation JOIN pg_attribute ON attrelid = relation.oid AND attnum > 0 AND NOT attisdropped
    LEFT JOIN pg_collation ON pg_collation.oid = attcollation
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE relkind = 'r'
    UNION ALL
    SELECT 'index ' || relname, concat_ws(' ', pg_get_indexdef(indexrelid, 0, true), indisvalid, indisready)
    FROM relation JOIN pg_index ON indexrelid = relation.oid
    UNION ALL
    SELECT 'constraint ' || relname || '.' || conname,
        concat_ws(' ', pg_get_constraintdef(pg_constraint.oid, true), convalidated)
    FROM relation JOIN pg_constraint ON conrelid = relation.oid
    UNION ALL
    SELECT 'trigger ' || relname || '.' || tgname,
        concat_ws(' ', pg_get_triggerdef(pg_trigger.oid, true), tgenabled)
    FROM relation JOIN pg_trigger ON tgrelid = relation.oid
    WHERE NOT tgisinternal
    UNION ALL
    SELECT 'trigger ' || relname || '.' || conname || ' ' || tgtype,
        concat_ws(' ', tgfoid::regproc, tgenabled)
    FROM relation JOIN pg_trigger ON tgrelid = relation.oid
    JOIN pg_constraint ON pg_constraint.oid = tgconstraint
    WHERE tgisinternal
    UNION ALL
    SELECT 'rule ' || relname || '.' || rulename,
        concat_ws(' ', pg_get_ruledef(pg_rewrite.oid, true), ev_enabled)
    FROM relation JOIN pg_rewrite ON ev_class = relation.oid
    UNION ALL
    SELECT 'policy ' || relname || '.' || polname, pg_get_expr(polqual, polrelid)
    FROM relation JOIN pg_policy ON polrelid = relation.oid
    UNION ALL
    SELECT 'function ' || proname, concat_ws(' ', lanname, prosecdef, proconfig, prosrc)
    FROM pg_proc JOIN pg_language ON pg_language.oid = prolang
    WHERE pronamespace = to_regnamespace(current_schema()) AND NOT EXISTS (
        SELECT FROM pg_depend JOIN pg_extension ON pg_extension.oid = refobjid AND deptype = 'e'
        WHERE classid = CAST('pg_proc' AS regclass) AND objid = pg_proc.oid AND extname = 'amcheck'
    )
    """
)


def structure_findings(engine: Engine) -> Iterator[Finding]:
    """Yield what is missing, added or altered in the database's structure.

    Raises:
        Misconfigured: the database cannot be opened or reached; or, on PostgreSQL, the role may not make
            the schema to compare with.
    """
    is_sqlite = engine.dialect.name == "sqlite"
    try:
        with translated(), engine.connect() as connection:
            found = _description(connection)
            expected = _migrated_in_memory(known_versions()) if is_sqlite else _migrated_aside(connection)
            yield from _differences(expected=expected, found=found)
    except IntegrityBroken as error:
        yield Finding(code="database-damaged", values=error.values)
    except DBAPIError as error:
        if not is_sqlite:
            raise
        # Nothing here depends on what was asked: what SQLite cannot answer lies in the file.
        yield Finding(code="database-damaged", values={"detail": str(error.orig)})


def _description(connection: Connection) -> Description:
    query = _DESCRIBE_SQLITE if connection.dialect.name == "sqlite" else _DESCRIBE_POSTGRESQL
    return {str(name): str(definition) for name, definition in connection.execute(query)}


@cache
def _migrated_in_memory(_versions: tuple[str, ...]) -> Description:
    """Run the migrations in memory: once in a process, however often it verifies."""
    engine = memory_engine()
    try:
        with engine.begin() as connection:
            migrate(connection)
            return _description(connection)
    finally:
        engine.dispose()


def _migrated_aside(connection: Connection) -> Description:
    """Run the migrations in a schema of their own, in the transaction that is open, and undo it all."""
    with connection.begin_nested() as aside:
        connection.execute(text(f"CREATE SCHEMA {_SCRATCH}"))
        connection.execute(text(f"SET LOCAL search_path TO {_SCRATCH}"))
        migrate(connection)
        description = _description(connection)
        aside.rollback()
    return description


def _differences(*, expected: Description, found: Description) -> Iterator[Finding]:
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            yield Finding(code="structure-missing", values={"object": name})
        elif name not in expected:
            yield Finding(code="structure-unexpected", values={"object": name})
        elif found[name] != expected[name]:
            yield Finding(code="structure-altered", values={"object": name})
