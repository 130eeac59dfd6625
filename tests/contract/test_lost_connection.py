"""A connection that PostgreSQL loses in the middle is named so, and nothing of its transaction is kept."""

from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError

from creditbank.errors import Misconfigured
from creditbank.storage.sql_store import SqlStore
from tests.engines import opened, postgresql_url, sqlite_url
from tests.strategies.books import chain, subject


def lose_every_other_connection(engine: Engine) -> None:
    """Let the server end every connection to this database but the one that asks for it."""
    with engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


def append_and_lose(store: SqlStore, engine: Engine) -> None:
    """Lose the connection in the middle of a transaction, and let it end as if nothing had been."""
    with store.writing() as books:
        books.ledger.append(chain(subject("tashi"), length=1))
        lose_every_other_connection(engine)
        with suppress(DBAPIError):
            books.ledger.size()


def test_a_transaction_whose_connection_was_lost_ends_with_the_database_unreachable() -> None:
    with postgresql_url() as url, opened(url) as engine:
        store = SqlStore(engine)
        with pytest.raises(Misconfigured, match="database-unreachable"):
            append_and_lose(store, engine)
        with store.reading() as books:
            assert list(books.ledger.subjects("")) == []


def test_a_database_that_loses_each_connection_before_it_is_used_is_unreachable(tmp_path: Path) -> None:
    def lose(*_: object) -> None:
        raise DisconnectionError

    with opened(sqlite_url(tmp_path)) as engine:
        store = SqlStore(engine)
        event.listen(engine, "checkout", lose)
        for use in (store.reading, store.writing):
            with pytest.raises(Misconfigured, match="database-unreachable"), use():
                pass
        with pytest.raises(Misconfigured, match="database-unreachable"):
            store.durability()
