"""`creditbank init` and `init --upgrade` killed with signal 9: a database is old or new, never between.

Half of the kills come at any moment, the other half after a statement that is drawn, before the next one.
"""

import os
import random
import shutil
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

from alembic import command
from sqlalchemy import Connection, Engine, MetaData, event, insert, select, update

from creditbank.cli import app
from creditbank.errors import CreditBankError
from creditbank.samples.people import sample_issuer
from creditbank.storage.engine import WRITES
from creditbank.storage.schema import VERSION_TABLE, SchemaState, _config, schema_state, upgrade
from creditbank.storage.sql_structure import _description, structure_findings
from tests.driver.database import OPERATOR, ORIGIN, Database
from tests.engines import opened
from tests.faults.figures import Extent, Figures
from tests.faults.keeper import copied, file_of, new_database
from tests.faults.processes import Forked, log_of
from tests.faults.stored import dump, is_seen, write, written_bank

OLDEST = "0001"

_STATEMENT = "statement"
_ENDS_WITHIN_SECONDS = 60.0
_INIT = ("init", "--origin", ORIGIN, "--operator", sample_issuer(OPERATOR), "--name", "演示")
_UPGRADE = ("init", "--upgrade")
_CHANGES = ("CREATE", "ALTER", "INSERT", "UPDATE", "DELETE", "DROP")


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a command goes when nobody kills it: how long it takes, and in how many statements."""

    seconds: float
    statements: int


def kill_upgrades(engine: str, extent: Extent) -> Figures:
    """Kill so many upgrades of the oldest database that ever was, with a whole bank in it."""
    figures = Figures(campaign="kill -9 of upgrades", engine=engine, wanted=extent.faults, seed=extent.seed)
    moments = random.Random(extent.seed)
    deadline = extent.deadline()
    with _old_bank(engine) as (old, held):
        with copied(old) as copy:
            course = _course_of(_UPGRADE, copy)
        while figures.done < extent.faults and time.monotonic() < deadline:
            with copied(old) as copy:
                _kill(_UPGRADE, copy, course, moments)
                figures.notes[_state_after_upgrade(old, copy, figures)] += 1
                with opened(copy.url) as connected:
                    upgrade(connected)
                write(copy, "goes-on", 2)
                figures.stuck += is_seen(copy, held)
            figures.done += 1
    return figures.end()


def kill_creations(engine: str, extent: Extent) -> Figures:
    """Kill so many commands that make a new bank, and make it with the same command run again."""
    figures = Figures(campaign="kill -9 of init", engine=engine, wanted=extent.faults, seed=extent.seed)
    moments = random.Random(extent.seed)
    deadline = extent.deadline()
    with new_database(engine) as database:
        course = _course_of(_INIT, database)
    while figures.done < extent.faults and time.monotonic() < deadline:
        with new_database(engine) as database:
            _kill(_INIT, database, course, moments)
            figures.notes[_state_after_creation(database, figures)] += 1
            again = _forked(_INIT, database, halts_at=None)
            again.ended()
            figures.notes[f"run again: exit {again.exit_code}"] += 1
            write(database, "goes-on", 2)
        figures.done += 1
    return figures.end()


def _state_after_upgrade(old: Database, copy: Database, figures: Figures) -> str:
    """Say what the database is: all that it was, or as the migrations make it, or neither."""
    try:
        with opened(copy.url) as connected, opened(old.url) as before:
            match schema_state(connected):
                case SchemaState.OLDER if _built(connected) == _built(before) and dump(copy) == dump(old):
                    return "old"
                case SchemaState.CURRENT if not list(structure_findings(connected)):
                    return "new"
                case state:
                    found = f"between: {state}"
    except CreditBankError as error:
        found = f"between: {error.reason}"
    figures.unseen += 1
    return found


def _state_after_creation(database: Database, figures: Figures) -> str:
    try:
        with opened(database.url) as connected:
            match schema_state(connected):
                case SchemaState.MISSING | SchemaState.EMPTY as state:
                    return state
                case SchemaState.CURRENT if not list(structure_findings(connected)):
                    return "current"
                case state:
                    found = f"between: {state}"
    except CreditBankError as error:
        found = f"between: {error.reason}"
    figures.unseen += 1
    return found


def _kill(arguments: Sequence[str], database: Database, course: Course, moments: random.Random) -> None:
    if moments.random() < 0.5:
        process = _forked(arguments, database, halts_at=None)
        time.sleep(moments.uniform(0, course.seconds))
    else:
        halts_at = moments.randint(1, course.statements)
        process = _forked(arguments, database, halts_at=halts_at)
        told = 0
        until = time.monotonic() + _ENDS_WITHIN_SECONDS
        while told < halts_at and not process.is_at_end and time.monotonic() < until:
            told += sum(line == _STATEMENT for line in process.lines(within=1.0))
    process.signal(signal.SIGKILL)
    process.ended()


def _course_of(arguments: Sequence[str], database: Database) -> Course:
    begun = time.monotonic()
    process = _forked(arguments, database, halts_at=None)
    statements = sum(line == _STATEMENT for line in process.ended())
    assert process.exit_code == 0, log_of(database).read_text()
    assert statements, "there is something to do"
    return Course(seconds=time.monotonic() - begun, statements=statements)


def _forked(arguments: Sequence[str], database: Database, *, halts_at: int | None) -> Forked:
    return Forked(_command, list(arguments), dict(database.environment), halts_at, log=log_of(database))


def _command(arguments: list[str], environment: Mapping[str, str], halts_at: int | None) -> int:
    """Run `creditbank` in this process, tell of each statement that changes something, and halt at one."""
    os.environ.update(environment)
    numbers = count(1)

    @event.listens_for(Engine, "after_cursor_execute")
    def tell(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement.lstrip().upper().startswith(_CHANGES):
            print(_STATEMENT, flush=True)
            if next(numbers) == halts_at:
                time.sleep(_ENDS_WITHIN_SECONDS)

    app(arguments)
    return 0


def _built(engine: Engine) -> Mapping[str, str]:
    with engine.connect() as connection:
        return _description(connection)


@contextmanager
def _old_bank(engine: str) -> Iterator[tuple[Database, bytes]]:
    """Give the block a bank as the first release would have left it, and a checkpoint of its log."""
    new, held = written_bank(engine)
    with new_database(engine) as old:
        shutil.copytree(new.home, old.home)
        if engine == "sqlite":
            file_of(old).touch()
        with opened(new.url) as source, source.connect() as connection:
            rows = _rows(connection)
        with opened(old.url) as target, _writing(target) as connection:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, OLDEST)
            _fill(connection, rows)
        yield old, held


@contextmanager
def _writing(engine: Engine) -> Iterator[Connection]:
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        yield connection


def _rows(connection: Connection) -> Mapping[str, list[dict[str, Any]]]:
    metadata = MetaData()
    metadata.reflect(connection)
    return {
        table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
        for table in metadata.sorted_tables
    }


def _fill(connection: Connection, rows: Mapping[str, list[dict[str, Any]]]) -> None:
    """Write what the old tables have columns for."""
    metadata = MetaData()
    metadata.reflect(connection)
    for table in metadata.sorted_tables:
        if table.name == VERSION_TABLE or not rows[table.name]:
            continue
        known = [{name: row[name] for name in row if name in table.columns} for row in rows[table.name]]
        if table.name == "log_state":  # its one row is there, as the migration wrote it
            connection.execute(update(table).values(known[0]))
        else:
            connection.execute(insert(table), known)
