"""Statements where speed is decided: many rows in, many keys looked up, and what every append sends.

A short statement costs ten times what the database needs for it when it goes through SQLAlchemy, so those of
the append go to the driver directly. What it raises comes bare; `sql_errors.translated` knows both.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Table
from sqlmodel import SQLModel

from creditbank.storage.sql_sharing import before_statement, note_write

KEYS_AT_ONCE = 1_000
"""How many values one IN list holds: below the limit of variables of every SQLite and PostgreSQL."""

GIVEN = {
    "sqlite": "json_each(:given) AS given",
    "postgresql": "unnest(CAST(:given AS text[])) AS given(value)",
}
"""By dialect: texts, however many, as something to select from, with one column `value`."""

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
    text = statement[connection.dialect.name]
    before_statement(connection, text)
    driver: Any = connection.connection.driver_connection
    rows: Sequence[Any] = driver.execute(text, parameters).fetchall()
    return rows


def insert_rows(connection: Connection, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    """Insert whole rows, values in the order of the columns, drawing one after the other from `rows`.

    They go to the driver directly: `executemany` on SQLite, COPY on PostgreSQL.
    """
    note_write(connection)
    cursor: Any = connection.connection.cursor()
    statement = _insertion(table, connection.dialect.name)
    if connection.dialect.name == "sqlite":
        cursor.executemany(statement, rows)
        return
    with cursor.copy(statement) as copy:
        copy.set_types(_copy_types(table))
        for row in rows:
            copy.write_row(row)


@cache
def _insertion(table: Table, dialect: str) -> str:
    names = ", ".join(each.name for each in table.columns)
    marks = ", ".join("?" for _ in table.columns)
    if dialect == "sqlite":
        return f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608 - our own names
    return f"COPY {table.name} ({names}) FROM STDIN (FORMAT BINARY)"


@cache
def _copy_types(table: Table) -> list[str]:
    names = {str: "text", int: "int8", bytes: "bytea"}
    return [names[each.type.python_type] for each in table.columns]
