"""SQL that changes what was written, cell by cell and row by row, by whoever may drop every trigger."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Table, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from tests.contract.attacks import unguarded as unguarded_sqlite
from tests.driver.database import Database
from tests.engines import opened
from tests.faults.figures import Extent, Figures
from tests.faults.keeper import copied, new_database
from tests.faults.stored import checkpoint_of, is_missed_with_keys, is_seen, write, written_bank

BESIDE_THE_LEDGER = frozenset(
    {
        "account",
        "bank",
        "batch",
        "creditbank_version",
        "encryption_key",
        "kept_answer",
        "officer",
        "operator_token",
        "outcome_claim",
        "outcome_key",
        "uncleaned",
    }
)
"""What verification with the log's public keys alone does not speak of (docs/operating.md)."""

Row = Mapping[str, Any]
Change = Callable[[Connection, Table, str, list[Row], random.Random], int]
"""Changes one column of one row somehow, and returns how many rows were touched."""

_TABLES = sorted(SQLModel.metadata.tables.values(), key=lambda table: table.name)
_DRAWS = 5
_CELLS = [(table, column.name) for table in _TABLES for column in table.columns]


def tamper(engine: str, extent: Extent) -> Figures:
    """Do so many changes, each to a fresh copy, column by column through every table."""
    figures = Figures(campaign="SQL tampering", engine=engine, wanted=extent.faults, seed=extent.seed)
    draws = random.Random(extent.seed)
    deadline = extent.deadline()
    pristine, held = written_bank(engine)
    figures.unseen += is_seen(pristine, held)
    figures.unseen += is_missed_with_keys(pristine)
    rows = _rows_of(pristine)
    cells = draws.sample(_CELLS, len(_CELLS))
    while figures.done < extent.faults and time.monotonic() < deadline:
        table, column = cells[figures.done % len(cells)]
        change = draws.choices([_set_cell, _swap_cells, _delete_row, _repeat_row], [6, 2, 1, 1])[0]
        figures.done += 1
        if not rows[table.name]:
            figures.notes["nothing in it"] += 1
            continue
        with copied(pristine) as copy:
            hindrance = _hindrance(copy, change, table, column, rows[table.name], draws)
            figures.notes[hindrance or _verdict(copy, held, figures, change, table)] += 1
    return figures.end()


def replace_whole(engine: str, extent: Extent) -> Figures:
    """Put an old copy in the place of a bank, and one that was made anew with the same keys."""
    figures = Figures(campaign="old copy, rebuilt log", engine=engine, wanted=extent.faults, seed=extent.seed)
    draws = random.Random(extent.seed)
    deadline = extent.deadline()
    while figures.done < extent.faults and time.monotonic() < deadline:
        with _bank_of(engine, "first", draws.randint(1, 20)) as database:
            with copied(database) as old:
                write(database, "second", draws.randint(1, 20))
                held = checkpoint_of(database)
                figures.unseen += not is_seen(old, held)
            figures.unseen += is_seen(database, held)
        with _bank_of(engine, "first", draws.randint(40, 50)) as rebuilt:
            figures.unseen += not is_seen(rebuilt, held)
        figures.done += 2
    return figures.end()


@contextmanager
def _bank_of(engine: str, tag: str, entries: int) -> Iterator[Database]:
    with new_database(engine) as database:
        write(database, tag, entries)
        yield database


def _verdict(copy: Database, held: bytes, figures: Figures, change: Change, table: Table) -> str:
    if is_seen(copy, held):
        return "seen by verification"
    if table.name in BESIDE_THE_LEDGER:
        return "seen with the keys" if is_missed_with_keys(copy) else "beside the ledger, not seen"
    if table.name in {"checkpoint", "cosignature"} and change is _delete_row:
        return f"a {table.name} deleted: the one that counts is held"
    figures.unseen += 1
    return f"unseen: {change.__name__} in {table.name}"


def _rows_of(database: Database) -> Mapping[str, list[Row]]:
    with opened(database.url) as engine, engine.connect() as connection:
        return {
            table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in _TABLES
        }


def _hindrance(
    copy: Database, change: Change, table: Table, column: str, rows: list[Row], draws: random.Random
) -> str | None:
    """Do one change and return nothing, or what keeps SQL from it: a key that is taken, a checked length."""
    hindrance = "no change"
    with opened(copy.url) as engine:
        for _ in range(_DRAWS):
            try:
                with _unguarded(engine) as connection:
                    if change(connection, table, column, rows, draws) > 0:
                        return None
            except DBAPIError as error:
                hindrance = f"no change: {type(error.orig).__name__}"
    return hindrance


def _set_cell(
    connection: Connection, table: Table, column: str, rows: list[Row], draws: random.Random
) -> int:
    row = draws.choice(rows)
    other = _another(row[column], draws)
    return connection.execute(update(table).where(*_is(table, row)).values({column: other})).rowcount


def _swap_cells(
    connection: Connection, table: Table, column: str, rows: list[Row], draws: random.Random
) -> int:
    """Put into one row what another one holds, and the other way round, as far as keys allow it."""
    one, other = draws.choice(rows), draws.choice(rows)
    if one[column] == other[column]:
        return 0
    if column in table.primary_key.columns:
        return _set_cell(connection, table, column, rows, draws)
    for row, value in ((one, other[column]), (other, one[column])):
        connection.execute(update(table).where(*_is(table, row)).values({column: value}))
    return 2


def _delete_row(
    connection: Connection, table: Table, column: str, rows: list[Row], draws: random.Random
) -> int:
    return connection.execute(delete(table).where(*_is(table, draws.choice(rows)))).rowcount


def _repeat_row(
    connection: Connection, table: Table, column: str, rows: list[Row], draws: random.Random
) -> int:
    """Insert a row again, with another key."""
    row = dict(draws.choice(rows))
    for key in table.primary_key.columns:
        row[key.name] = _another(row[key.name], draws)
    return connection.execute(insert(table).values(row)).rowcount


def _is(table: Table, row: Row) -> list[Any]:
    return [column == row[column.name] for column in table.primary_key.columns]


def _another(value: object, draws: random.Random) -> object:
    """Return another value of the same type, or nothing."""
    match value:
        case bytes() if value:
            flipped = bytearray(value)
            flipped[draws.randrange(len(value))] ^= 1 << draws.randrange(8)
            return draws.choice([bytes(flipped), bytes(flipped), bytes(flipped), value[:-1], value + b"\0"])
        case bool() | int():
            return value + draws.choice([1, -1, 1_000_000])
        case str():
            return draws.choice(
                [f"{value}x", value[:-1], value.swapcase() if value.swapcase() != value else ""]
            )
        case _:
            return draws.choice(["x", b"x", 7])


@contextmanager
def _unguarded(engine: Engine) -> Iterator[Connection]:
    """Let the block write with no trigger or reference in the way, and put everything back."""
    if engine.dialect.name == "sqlite":
        with unguarded_sqlite(engine) as connection:
            yield connection
        return
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        always = connection.execute(
            text(
                "SELECT tgrelid::regclass::text, tgname FROM pg_trigger"
                " WHERE tgenabled = 'A' AND NOT tgisinternal"
            )
        ).all()
        for table, name in always:
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER {name}"))
        yield connection
        for table, name in always:
            connection.execute(text(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"))
