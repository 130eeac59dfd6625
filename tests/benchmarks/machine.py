"""On what the figures were taken: without it a rate means nothing."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from tempfile import TemporaryFile
from time import perf_counter

import psycopg

from creditbank.storage.engine import sqlite
from tests.engines import postgresql_server

COMMITS = 200
PAGE = bytes(4096)
PACKAGES = ("sqlalchemy", "sqlmodel", "psycopg", "orjson", "rfc8785", "highspy", "eventsourcing", "pymerkle")


def machine() -> list[str]:
    """Return what is to be known, line by line."""
    system = f"{platform.system()} {platform.release().partition('-')[0]}"
    cores = f"{os.cpu_count()} cores ({_processor()})"
    packages = ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    return [
        f"Taken on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC; load {os.getloadavg()[0]:.1f} at the end.",
        f"{cores}, {_memory_gb():.0f} GB of memory, {system}; the disk keeps 4 KB in {_commit_ms():.2f} ms.",
        f"Python {platform.python_version()}, SQLite {sqlite.sqlite_version}, PostgreSQL {_postgresql()}.",
        f"{packages}.",
    ]


def _commit_ms() -> float:
    """Return how long the disk takes to keep one page more of a file that grows: a lone writer's limit."""
    times = []
    with TemporaryFile(dir=Path.cwd(), buffering=0) as file:
        for _ in range(COMMITS):
            start = perf_counter()
            file.write(PAGE)
            os.fdatasync(file.fileno())
            times.append(perf_counter() - start)
    return median(times) * 1_000


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def _postgresql() -> str:
    with psycopg.connect(postgresql_server()) as connection:
        row = connection.execute("SHOW server_version").fetchone()
    return str(row[0]) if row else "?"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
