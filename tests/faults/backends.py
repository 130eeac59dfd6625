"""PostgreSQL fails under its writers: connections ended, a backend killed, the whole server cut off."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from tests.engines import administrator, database_name, restart_postgresql_at_once
from tests.faults.figures import Extent, Figures
from tests.faults.keeper import WORKS_WITHIN_SECONDS, Keeper, new_database
from tests.faults.kills import PACE
from tests.faults.processes import Driver

_WRITERS = 3
_LIFE_SECONDS = 0.15
_FAULTS_PER_BANK = 50

Admin = psycopg.Connection[tuple[Any, ...]]
Break = Callable[[str, random.Random], bool]
"""Does one fault to the database of this name; returns whether there was something to break."""


def terminate_backends(extent: Extent) -> Figures:
    """End so many connections of writers, as an administrator does."""
    return _broken("backends terminated", _terminate_one, extent)


def kill_backends(extent: Extent) -> Figures:
    """Kill so many backends with signal 9: the server throws everybody out and recovers."""
    return _broken("kill -9 of backends", _kill_one, extent)


def restart_servers(extent: Extent) -> Figures:
    """Cut the server off and start it again, so many times."""
    return _broken("server cut off", _restart, extent)


def _broken(campaign: str, one: Break, extent: Extent) -> Figures:
    figures = Figures(campaign=campaign, engine="postgresql", wanted=extent.faults, seed=extent.seed)
    moments = random.Random(extent.seed)
    deadline = extent.deadline()
    while figures.done < extent.faults and time.monotonic() < deadline:
        with new_database("postgresql") as database:
            keeper = Keeper(database, figures)
            name = database_name(database.url)
            with _writers(keeper) as writers:
                for _ in range(min(_FAULTS_PER_BANK, extent.faults - figures.done)):
                    if time.monotonic() > deadline:
                        break
                    _work_a_little(writers, moments, figures)
                    figures.done += one(name, moments)
            keeper.end()
    return figures.end()


@contextmanager
def _writers(keeper: Keeper) -> Iterator[list[Driver]]:
    """Let writers work through the block, and look while they do; they end by themselves only if asked."""
    writers = [keeper.driver(f"w{number}", *PACE) for number in range(_WRITERS)]
    try:
        yield writers
        keeper.look(*writers)
    finally:
        keeper.stop(*writers)


def _work_a_little(writers: list[Driver], moments: random.Random, figures: Figures) -> None:
    """Let every writer acknowledge something, then wait for any moment."""
    for writer in writers:
        if not writer.acknowledges(within=WORKS_WITHIN_SECONDS):
            figures.stuck += 1
    time.sleep(moments.uniform(0, _LIFE_SECONDS))


def _terminate_one(database: str, moments: random.Random) -> bool:
    with administrator() as admin:
        backend = _one_backend(admin, database, moments)
        if backend is None:
            return False
        admin.execute("SELECT pg_terminate_backend(%s)", (backend,))
        return True


def _kill_one(database: str, moments: random.Random) -> bool:
    with administrator() as admin:
        backend = _one_backend(admin, database, moments)
    if backend is None:
        return False
    os.kill(backend, signal.SIGKILL)
    _await_end(backend)
    with administrator():
        return True


def _restart(_database: str, _moments: random.Random) -> bool:
    restart_postgresql_at_once()
    with administrator():
        return True


def _one_backend(admin: Admin, database: str, moments: random.Random) -> int | None:
    found = admin.execute(
        "SELECT pid FROM pg_stat_activity"
        " WHERE datname = %s AND application_name = 'creditbank' ORDER BY pid",
        (database,),
    ).fetchall()
    return int(moments.choice(found)[0]) if found else None


def _await_end(backend: int) -> None:
    """Wait until the server has heard of it: up to then it lets people in, afterwards it recovers first."""
    until = time.monotonic() + WORKS_WITHIN_SECONDS
    with suppress(ProcessLookupError):
        while time.monotonic() < until:
            os.kill(backend, 0)  # asks only whether it is there
            time.sleep(0.005)
