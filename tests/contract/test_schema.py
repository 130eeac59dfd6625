"""Migrations make what the tables say; a database is taken for what it is; no change of it goes unseen."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, Inspector, inspect, text
from sqlmodel import SQLModel

import migrations
from creditbank.errors import Misconfigured
from creditbank.storage import tables
from creditbank.storage.engine import durability_of, memory_engine, open_engine
from creditbank.storage.schema import (
    SchemaState,
    _config,
    create_or_upgrade,
    known_versions,
    require_current,
    schema_state,
    upgrade,
)
from creditbank.storage.sql_engine_check import engine_check
from creditbank.storage.sql_store import SqlStore
from creditbank.storage.sql_structure import structure_findings
from tests.engines import opened, postgresql_server, postgresql_url, sqlite_url
from tests.strategies.books import chain, subject

NEXT_MIGRATION = '''"""Add a table."""
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"


def upgrade() -> None:
    op.create_table("later", sa.Column("id", sa.Integer, primary_key=True), sqlite_strict=True)
'''


@pytest.fixture(params=["sqlite", "postgresql"])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database with nothing in it."""
    if request.param == "sqlite":
        (tmp_path / "bare.db").touch()
        with opened(f"sqlite:///{tmp_path / 'bare.db'}") as file:
            yield file
    else:
        with postgresql_url(migrated=False) as url, opened(url) as server:
            yield server


@pytest.fixture
def later_version(tmp_path: Path, engine: Engine) -> Iterator[None]:
    """A version of the bank that has one migration more than the one that made the engine's database."""
    folder = tmp_path / "later" / "migrations"
    shutil.copytree(migrations.__path__[0], folder)
    head = max(path.name[:4] for path in (folder / "versions").glob("[0-9]*.py"))
    (folder / "versions" / "9999_add_table.py").write_text(NEXT_MIGRATION.format(head=head))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "__path__", [str(folder)])
        yield


def described(inspector: Inspector) -> dict[str, object]:
    """Return what SQLAlchemy can see of every table, in an order that does not matter."""
    return {
        table: (
            [(c["name"], str(c["type"]), c["nullable"], c["default"]) for c in inspector.get_columns(table)],
            inspector.get_pk_constraint(table)["constrained_columns"],
            sorted(map(str, inspector.get_unique_constraints(table))),
            sorted(map(str, inspector.get_check_constraints(table))),
            sorted(map(str, inspector.get_foreign_keys(table))),
            sorted(map(str, inspector.get_indexes(table))),
            {key: value for key, value in inspector.get_table_options(table).items() if value},
        )
        for table in inspector.get_table_names()
        if table != "creditbank_version"
    }


def test_the_migrations_make_the_tables_that_the_code_knows(bare: Engine) -> None:
    assert tables.EntryRow.metadata is SQLModel.metadata
    with bare.connect() as connection:
        SQLModel.metadata.create_all(connection)
        known = described(inspect(connection))
        connection.rollback()
    create_or_upgrade(bare)
    assert known.keys() == SQLModel.metadata.tables.keys()
    assert described(inspect(bare)) == known


def test_an_empty_database_becomes_a_bank_once(bare: Engine) -> None:
    assert schema_state(bare) is SchemaState.EMPTY
    with pytest.raises(Misconfigured, match="database-empty"):
        require_current(bare)
    assert create_or_upgrade(bare) is SchemaState.EMPTY
    require_current(bare)
    assert create_or_upgrade(bare) is SchemaState.CURRENT
    with SqlStore(bare).reading() as books:
        assert books.ledger.size() == 0


def test_opening_makes_no_file(tmp_path: Path) -> None:
    path = tmp_path / "bank.db"
    with opened(f"sqlite:///{path}") as engine:
        for use in (SqlStore(engine).reading, SqlStore(engine).writing):
            with pytest.raises(Misconfigured, match="database-unreadable"), use():
                pass
    assert not path.exists()


def test_opening_makes_no_directory_and_making_a_bank_makes_its_directory(tmp_path: Path) -> None:
    path = tmp_path / "a 100% new" / "地方" / "bank.db"
    with opened(f"sqlite:///{path}") as engine:
        assert schema_state(engine) is SchemaState.MISSING
        for refuse in (require_current, upgrade):
            with pytest.raises(Misconfigured, match="database-missing"):
                refuse(engine)
        with pytest.raises(Misconfigured, match="database-unreadable"), SqlStore(engine).reading():
            pass
        assert not path.parent.exists()
        assert create_or_upgrade(engine) is SchemaState.MISSING
        require_current(engine)
    assert path.stat().st_mode & 0o077 == 0


def test_a_database_of_another_program_is_left_alone(bare: Engine) -> None:
    with bare.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('0001')"))
    for refuse in (require_current, create_or_upgrade):
        with pytest.raises(Misconfigured, match="database-not-ours"):
            refuse(bare)
    assert inspect(bare).get_table_names() == ["alembic_version"]


@pytest.mark.usefixtures("later_version")
def test_an_older_database_is_upgraded_and_keeps_its_entries(engine: Engine) -> None:
    entries = chain(subject("tashi"), length=3)
    with SqlStore(engine).writing() as books:
        books.ledger.append(entries)
    with pytest.raises(Misconfigured, match="database-older"):
        require_current(engine)
    upgrade(engine)
    require_current(engine)
    upgrade(engine)
    with SqlStore(engine).reading() as books:
        assert list(books.ledger.entries_of(subject("tashi"))) == entries


def test_a_newer_database_is_left_alone(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE creditbank_version SET version_num = '9999'"))
    for refuse in (require_current, create_or_upgrade, upgrade):
        with pytest.raises(Misconfigured, match="database-newer"):
            refuse(engine)


def test_a_migration_that_fails_leaves_the_database_as_it_was(engine: Engine, later_version: None) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE later (other INTEGER)"))
    before = sorted(inspect(engine).get_table_names())
    with pytest.raises(Exception, match="already exists"):
        create_or_upgrade(engine)
    assert schema_state(engine) is SchemaState.OLDER
    assert sorted(inspect(engine).get_table_names()) == before


@pytest.mark.parametrize(
    "garbage", [b"not a database, but a text that goes on for a while. " * 9, b"\x00" * 5000]
)
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, garbage: bytes) -> None:
    path = tmp_path / "garbage.db"
    path.write_bytes(garbage)
    with opened(f"sqlite:///{path}") as engine:
        for use in (schema_state, require_current, create_or_upgrade):
            with pytest.raises(Misconfigured, match="database-unreadable"):
                use(engine)
    assert path.read_bytes() == garbage


def test_a_directory_is_no_database(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path}") as engine, pytest.raises(Misconfigured, match="database-unreadable"):
        schema_state(engine)


def test_a_server_without_the_database_is_named_by_its_own_words() -> None:
    with (
        opened(postgresql_server("absent")) as engine,
        pytest.raises(Misconfigured, match=r'database-unreachable.*"absent" does not exist'),
    ):
        schema_state(engine)


@pytest.mark.parametrize(
    "url", ["", "bank.db", "sqlite://", "sqlite:///:memory:", "mysql://localhost/bank", "://"]
)
def test_only_sqlite_files_and_postgresql_are_opened(url: str) -> None:
    with pytest.raises(Misconfigured, match="database-url"):
        open_engine(url)


@pytest.mark.parametrize(
    ("version", "journal_mode", "synchronous"),
    [((3, 40, 1), "delete", "EXTRA"), ((3, 51, 2), "delete", "EXTRA"), ((3, 51, 3), "wal", "FULL")],
)
def test_wal_is_used_from_the_release_that_is_sound(
    version: tuple[int, ...], journal_mode: str, synchronous: str
) -> None:
    durability = durability_of(version)
    assert (durability.journal_mode, durability.synchronous) == (journal_mode, synchronous)


def test_sqlite_waits_for_the_disk_at_each_commit(tmp_path: Path) -> None:
    with opened(sqlite_url(tmp_path)) as engine, engine.connect() as connection:
        pragmas = ["journal_mode", "synchronous", "foreign_keys", "recursive_triggers"]
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas]
        assert found == ["wal", 2, 1, 1]


def test_a_bank_is_built_as_the_migrations_build_it(engine: Engine) -> None:
    assert list(structure_findings(engine)) == []
    assert schema_state(engine) is SchemaState.CURRENT


def test_a_migration_is_known_by_the_name_of_its_file() -> None:
    revisions = list(ScriptDirectory.from_config(_config()).walk_revisions())
    assert known_versions() == tuple(script.revision for script in reversed(revisions))


SQLITE_ALTERATIONS = {
    "DROP TRIGGER entry_refuses_update": "structure-missing trigger entry_refuses_update",
    "DROP TABLE tile": "structure-missing table tile",
    "ALTER TABLE entry ADD COLUMN note TEXT": "structure-altered table entry",
    "CREATE INDEX more ON entry (leaf_hash)": "structure-unexpected index more",
    "CREATE TRIGGER more AFTER INSERT ON entry BEGIN SELECT 1; END": "structure-unexpected trigger more",
    "CREATE VIEW more AS SELECT 1": "structure-unexpected view more",
}

POSTGRESQL_ALTERATIONS = {
    "DROP TRIGGER entry_refuses_change ON entry": "structure-missing trigger entry.entry_refuses_change",
    "ALTER TABLE bank ENABLE TRIGGER bank_refuses_change": (
        "structure-altered trigger bank.bank_refuses_change"
    ),
    "ALTER TABLE bank DISABLE TRIGGER bank_refuses_change": (
        "structure-altered trigger bank.bank_refuses_change"
    ),
    "DROP TABLE tile": "structure-missing relation tile",
    "ALTER TABLE entry ADD COLUMN note TEXT": "structure-unexpected column entry.note",
    "ALTER TABLE entry ALTER COLUMN leaf DROP NOT NULL": "structure-altered column entry.leaf",
    "ALTER TABLE entry DROP CONSTRAINT entry_seq": "structure-missing constraint entry.entry_seq",
    "ALTER TABLE payload DISABLE TRIGGER ALL": "structure-altered trigger payload.payload_entry 5",
    "CREATE INDEX more ON entry (leaf_hash)": "structure-unexpected index more",
    "CREATE RULE more AS ON INSERT TO entry DO INSTEAD NOTHING": "structure-unexpected rule entry.more",
    "ALTER TABLE entry ENABLE ROW LEVEL SECURITY": "structure-altered relation entry",
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'": (
        "structure-altered function refuse_change"
    ),
    "CREATE VIEW more AS SELECT 1": "structure-unexpected relation more",
}


def assert_seen(engine: Engine, alteration: str, seen: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(alteration))
    findings = [f"{finding.code} {finding.values['object']}" for finding in structure_findings(engine)]
    assert seen in findings


@pytest.mark.parametrize(("alteration", "seen"), SQLITE_ALTERATIONS.items(), ids=SQLITE_ALTERATIONS)
def test_an_altered_sqlite_structure_is_seen(tmp_path: Path, alteration: str, seen: str) -> None:
    with opened(sqlite_url(tmp_path)) as engine:
        assert_seen(engine, alteration, seen)


@pytest.mark.parametrize(("alteration", "seen"), POSTGRESQL_ALTERATIONS.items(), ids=POSTGRESQL_ALTERATIONS)
def test_an_altered_postgresql_structure_is_seen(alteration: str, seen: str) -> None:
    with postgresql_url() as url, opened(url) as engine:
        assert_seen(engine, alteration, seen)


def test_what_analyze_leaves_behind_is_no_alteration(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("ANALYZE"))
    assert list(structure_findings(engine)) == []


def test_checking_the_structure_leaves_nothing_behind(engine: Engine) -> None:
    list(structure_findings(engine))
    assert "creditbank_as_migrated" not in inspect(engine).get_schema_names()
    assert list(structure_findings(engine)) == []


def test_a_database_that_may_not_be_written_is_named_so() -> None:
    with postgresql_url() as url:
        with opened(url) as engine, engine.begin() as connection:
            connection.execute(
                text(f"ALTER DATABASE {engine.url.database} SET default_transaction_read_only = on")
            )
        with opened(url) as engine, pytest.raises(Misconfigured, match="database-forbidden"):
            list(structure_findings(engine))


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    with opened(sqlite_url(tmp_path)) as engine:
        store = SqlStore(engine)
        with store.writing() as books:
            books.ledger.append(chain(subject("tashi"), length=2))
        with store.writing() as books:
            books.connection.exec_driver_sql("PRAGMA max_page_count = 100")
        with pytest.raises(Misconfigured, match="database-full"), store.writing() as books:
            books.ledger.append(chain(subject("pema"), length=5_000))
        with store.reading() as books:
            assert books.ledger.pending(at_most=10) == 2
            assert list(books.ledger.subjects("")) == [subject("tashi")]
        assert list(structure_findings(engine)) == []


def test_damaged_pages_are_seen(tmp_path: Path) -> None:
    with opened(sqlite_url(tmp_path)) as engine:
        with SqlStore(engine).writing() as books:
            books.ledger.append(chain(subject("tashi"), length=300))
        path = Path(engine.url.database or "")
    content = bytearray(path.read_bytes())
    page = len(content) // 4096 // 2 * 4096
    content[page : page + 4096] = bytes(4096)
    path.write_bytes(content)
    with opened(f"sqlite:///{path}") as engine:
        assert "database-damaged" in {finding.code for finding in engine_check(engine).findings}


def test_an_entry_deleted_under_its_payload_is_seen(tmp_path: Path) -> None:
    with opened(sqlite_url(tmp_path)) as engine:
        with SqlStore(engine).writing() as books:
            books.ledger.append(chain(subject("tashi"), length=2))
        with engine.connect() as connection:
            connection.connection.cursor().execute("PRAGMA foreign_keys = OFF")
            connection.execute(text("DROP TRIGGER entry_refuses_delete"))
            connection.execute(text("DELETE FROM entry WHERE seq = 0"))
            connection.commit()
        assert [finding.code for finding in structure_findings(engine)] == ["structure-missing"]
        assert [finding.code for finding in engine_check(engine).findings] == ["reference-broken"]


def test_an_engine_in_memory_ends_with_its_connections() -> None:
    engine = memory_engine()
    try:
        assert schema_state(engine) is SchemaState.EMPTY
    finally:
        engine.dispose()
