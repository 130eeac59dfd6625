"""The engine's own check: SQLite's always, PostgreSQL's where amcheck may be used; if not, that is said."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import Engine, text

from creditbank.ledger.audit_report import EngineCheck
from creditbank.storage.sql_engine_check import engine_check
from creditbank.storage.sql_structure import structure_findings
from tests.contract.attacks import bank, verified
from tests.engines import opened

# The wheel's server comes without amcheck, and this stands in its place: it has the functions that are
# called, and finds what a test asks it to find. The real one was tried by hand, on PostgreSQL 15.
CONTROL = "comment = 'stand-in'\ndefault_version = '1.5'\nrelocatable = true\n"
FUNCTIONS = """
CREATE FUNCTION bt_index_check(index regclass, heapallindexed boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF index = CAST('entry_pkey' AS regclass) AND EXISTS (SELECT FROM bank) THEN
        RAISE EXCEPTION 'item order invariant violated' USING ERRCODE = 'index_corrupted', DETAIL = 'more';
    END IF;
END $$;
CREATE FUNCTION verify_heapam(
    relation regclass, OUT blkno bigint, OUT offnum integer, OUT attnum integer, OUT msg text
) RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
    IF relation = CAST('tile' AS regclass) AND EXISTS (SELECT FROM bank WHERE operator = 'damaged') THEN
        msg := 'xmin is in the future';
        RETURN NEXT;
    END IF;
    IF relation = CAST('tile' AS regclass) AND EXISTS (SELECT FROM bank WHERE operator = 'closed') THEN
        RAISE EXCEPTION 'tile is closed to you' USING ERRCODE = 'insufficient_privilege';
    END IF;
END $$;
"""
OUGHT = EngineCheck(means="amcheck")


@pytest.fixture
def amcheck() -> Iterator[Path]:
    """A directory with the extension, which PostgreSQL looks into when it is told."""
    # Not pytest's own: the server may run as somebody else, and that one is closed to others.
    with TemporaryDirectory() as name:
        directory = Path(name) / "extension"
        directory.mkdir()
        (directory / "amcheck.control").write_text(CONTROL)
        (directory / "amcheck--1.5.sql").write_text(FUNCTIONS)
        Path(name).chmod(0o755)
        yield Path(name)


@contextmanager
def bank_beside(amcheck: Path) -> Iterator[Engine]:
    """Give the block a filled bank on PostgreSQL whose server has the extension."""
    with bank("postgresql") as engine:
        with engine.begin() as connection:
            path = f"ALTER DATABASE {engine.url.database} SET extension_control_path = '$system:{amcheck}'"
            connection.execute(text(path))
        engine.dispose()  # the next connection sees it
        yield engine


def test_sqlite_looks_at_its_pages_and_references() -> None:
    with bank("sqlite") as engine:
        checked = engine_check(engine)
        assert checked.findings == ()
        assert checked.check == EngineCheck(means="PRAGMA integrity_check")


def test_a_server_without_amcheck_is_said_to_be_one() -> None:
    with bank("postgresql") as engine:
        report = verified(engine)
        assert report.engine_check == EngineCheck(means="amcheck", refusal="amcheck-missing")
        assert report.is_whole


def test_amcheck_is_used_where_it_can_be_and_leaves_nothing_behind(amcheck: Path) -> None:
    with bank_beside(amcheck) as engine:
        assert engine_check(engine).check == OUGHT
        assert engine_check(engine).findings == ()
        with engine.connect() as connection:
            left = "SELECT (SELECT count(*) FROM pg_extension WHERE extname = 'amcheck')"
            assert connection.execute(text(left)).scalar_one() == 0
        assert verified(engine).is_whole


def test_an_installed_amcheck_is_used_and_is_no_alteration(amcheck: Path) -> None:
    with bank_beside(amcheck) as engine:
        with engine.begin() as connection:
            connection.execute(text("CREATE EXTENSION amcheck"))
        assert engine_check(engine).check == OUGHT
        assert list(structure_findings(engine)) == []


def test_what_amcheck_finds_in_tables_and_indexes_is_found(amcheck: Path) -> None:
    with bank_beside(amcheck) as engine:
        with engine.begin() as connection:
            row = "INSERT INTO bank VALUES (1, 'origin', '', 'damaged', 0)"
            connection.execute(text(row))
        checked = engine_check(engine)
        assert checked.check == OUGHT
        assert [finding.values["detail"] for finding in checked.findings] == [
            "entry_pkey: item order invariant violated",
            "tile: xmin is in the future",
        ]
        assert {finding.code for finding in verified(engine).findings} == {"database-damaged"}


def test_what_amcheck_found_before_it_was_refused_is_found(amcheck: Path) -> None:
    with bank_beside(amcheck) as engine:
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO bank VALUES (1, 'origin', '', 'closed', 0)"))
        checked = engine_check(engine)
        assert checked.check.refusal == "amcheck-refused"
        assert [finding.values["detail"] for finding in checked.findings] == [
            "entry_pkey: item order invariant violated"
        ]
        assert not verified(engine).is_whole


def test_a_role_that_may_not_use_amcheck_is_told_so(amcheck: Path) -> None:
    with bank_beside(amcheck) as engine:
        with engine.begin() as connection:
            connection.execute(text("DROP ROLE IF EXISTS auditor"))
            connection.execute(text("CREATE ROLE auditor LOGIN"))
        url = engine.url.set(username="auditor").render_as_string(hide_password=False)
        with opened(url) as theirs:
            check = engine_check(theirs).check
            assert (check.means, check.refusal) == ("amcheck", "amcheck-refused")
            assert "permission denied" in check.detail
