"""Where SQLite's wheel has no build for the platform, Python's own SQLite carries the bank."""

import sqlite3
import subprocess
import sys
from pathlib import Path

from creditbank.storage.engine import durability_of

PROGRAM = """
import sys

sys.modules["pysqlite3"] = None  # as where it cannot be installed

from creditbank.ledger.chain import head_after
from creditbank.storage.engine import open_engine, sqlite
from creditbank.storage.schema import create_or_upgrade, require_current
from creditbank.storage.sql_store import SqlStore
from creditbank.storage.sql_structure import structure_findings
from tests.strategies.books import chain, subject

engine = open_engine(f"sqlite:///{sys.argv[1]}")
create_or_upgrade(engine)
require_current(engine)
store = SqlStore(engine)
entries = chain(subject("tashi"), length=300)
with store.writing() as books:
    books.ledger.append(entries)
with store.reading() as books:
    assert list(books.ledger.entries_of(subject("tashi"))) == entries
    assert books.ledger.heads_of([subject("tashi")]) == {subject("tashi"): head_after(entries[-1])}
with engine.connect() as connection:
    print("journal", connection.exec_driver_sql("PRAGMA journal_mode").scalar())
assert list(structure_findings(engine)) == []
engine.dispose()
print("library", sqlite.sqlite_version)
"""


def test_the_bank_works_on_pythons_own_sqlite_and_says_when_that_is_old(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", PROGRAM, str(tmp_path / "bank.db")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    durability = durability_of(sqlite3.sqlite_version_info)
    assert f"journal {durability.journal_mode}\nlibrary {sqlite3.sqlite_version}\n" in done.stdout
    assert ("sqlite-too-old-for-wal" in done.stdout) == (durability.journal_mode == "delete")
