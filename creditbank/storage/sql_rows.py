"""Statements where speed is decided: many rows in, many keys looked up, and what every append sends.

A short statement costs ten times what the database needs for it when it goes through SQLAlchemy, so those of
the append go to the driver directly. What it raises comes bare; `sql_errors.translated` knows both.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any, TypeVar

import psycopg
from sqlalchemy import Connection, Table
from sqlmodel import SQLModel

from creditbank.storage.engine import sqlite
from creditbank.storage.sql_sharing import before_statement, note_write

KEYS_AT_ONCE = 1_000
"""How many values one IN list holds: below the limit of variables of every SQLite and PostgreSQL."""

REFUSALS = (sqlite.IntegrityError, psycopg.IntegrityError)
"""What `insert_rows` raises where a row is there already, or names what is not there."""

GIVEN = {
    "sqlite": "json_each(:given) AS given",
    "postgresql": "unnest(CAST(:given AS text[])) AS given(value)",
}
"""By dialect: texts, however many, as something to select from, with one column `value`."""

_CURSOR = "creditbank_cursor"

_Item = TypeVar("_Item")


def table_of(model: type[SQLModel]) -> Table:
    """Return the SQLAlchemy table behind a model."""
    table: Table = model.__table__  # type: ignore[attr-defined]
    return table


def chunks(items: Iterable[_Item], size: int = KEYS_AT_ONCE) -> Iterator[list[_Item]]:
    """Yield the items in lists of `size`; the last may be shorter."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def given(connection: Connection, texts: Collection[str]) -> Mapping[str, object]:
    """Return the parameter of a statement that selects from `GIVEN`."""
    return {"given": json.dumps(list(texts)) if connection.dialect.name == "sqlite" else list(texts)}


def for_driver(statement: str) -> Mapping[str, str]:
    """Return a statement, whose parameters are written `%s`, as each dialect's driver wants it."""
    return {"postgresql": statement, "sqlite": statement.replace("%s", "?")}


def rows_from_driver(
    connection: Connection, statement: Mapping[str, str], parameters: Sequence[object]
) -> Sequence[Any]:
    """Execute one statement of `for_driver` without SQLAlchemy and return its rows."""
    dialect = connection.dialect.name
    before_statement(connection, statement[dialect])
    driver: Any = connection.connection.driver_connection
    if dialect == "sqlite":
        done = driver.execute(statement[dialect], parameters)
    else:
        done = _cursor(connection, driver).execute(statement[dialect], parameters, binary=True)
    rows: Sequence[Any] = done.fetchall()
    return rows


def insert_rows(
    connection: Connection, table: Table, rows: Iterable[tuple[Any, ...]], *, unless_there: bool = False
) -> None:
    """Insert whole rows, values in the order of the columns, drawing one after the other from `rows`.

    They go to the driver directly: `executemany` on SQLite, COPY on PostgreSQL. One that is there already is
    an error, or, `unless_there`, left as it is.
    """
    if connection.dialect.name == "sqlite":
        note_write(connection)
        conflict = " ON CONFLICT DO NOTHING" if unless_there else ""
        driver: Any = connection.connection.driver_connection
        driver.executemany(_insertion(table) + conflict, rows)
    elif unless_there:
        rows_from_driver(connection, _addition(table), [*map(list, zip(*rows, strict=True))])
    else:
        note_write(connection)
        _copy(connection, table, rows)


def _cursor(connection: Connection, driver: Any) -> Any:  # noqa: ANN401 - a driver's own classes
    """Return the connection's one cursor: to make another costs psycopg as much as a short statement."""
    info = connection.info  # the driver's connection has it, for as long as it lives
    if _CURSOR not in info:
        info[_CURSOR] = driver.cursor()
    return info[_CURSOR]


def _copy(connection: Connection, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    cursor: Any = connection.connection.cursor()
    with cursor.copy(f"COPY {table.name} ({_names(table)}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(_types(table))
        for row in rows:
            copy.write_row(row)


@cache
def _insertion(table: Table) -> str:
    marks = ", ".join("?" for _ in table.columns)
    return f"INSERT INTO {table.name} ({_names(table)}) VALUES ({marks})"  # noqa: S608 - our own names


@cache
def _addition(table: Table) -> Mapping[str, str]:
    """Return the statement that adds what is not there, its parameters one list for each column."""
    columns = ", ".join(f"CAST(%s AS {each}[])" for each in _types(table))
    return for_driver(
        f"INSERT INTO {table.name} ({_names(table)}) SELECT * FROM unnest({columns})"  # noqa: S608 - our own
        " ON CONFLICT DO NOTHING RETURNING 1"
    )


@cache
def _names(table: Table) -> str:
    return ", ".join(each.name for each in table.columns)


@cache
def _types(table: Table) -> list[str]:
    names = {str: "text", int: "int8", bytes: "bytea"}
    return [names[each.type.python_type] for each in table.columns]
