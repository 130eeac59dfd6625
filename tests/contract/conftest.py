"""The stores and the databases that the contract is checked on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from creditbank.services.books import Store
from creditbank.storage.memory_store import MemoryStore
from creditbank.storage.sql_store import SqlStore
from tests.engines import opened, postgresql_url, sqlite_url


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database with an empty bank in it."""
    if request.param == "sqlite":
        with opened(sqlite_url(tmp_path)) as file:
            yield file
    else:
        with postgresql_url() as url, opened(url) as server:
            yield server


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty bank's books."""
    if request.param == "memory":
        yield MemoryStore()
    elif request.param == "sqlite":
        with opened(sqlite_url(tmp_path)) as file:
            yield SqlStore(file)
    else:
        with postgresql_url() as url, opened(url) as server:
            yield SqlStore(server)
