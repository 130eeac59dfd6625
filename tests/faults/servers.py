"""`creditbank serve` killed with signal 9 while clients post; or the client, and then its server ends too.

What had no answer is asked for again, with the same key, until it has one.
"""

import os
import random
import signal
import time
from pathlib import Path

from tests.driver.database import Database
from tests.faults.figures import Extent, Figures
from tests.faults.keeper import Keeper, new_database
from tests.faults.processes import Driver, log_of

KILLS_PER_CLIENT = 5
STARTS_WITHIN_SECONDS = 90.0
_ENDS_WITHIN_SECONDS = 10.0
_LIFE_SECONDS = 0.4


def kill_servers(engine: str, extent: Extent) -> Figures:
    """Kill so many servers; after every few look whether all is there."""
    figures = Figures(campaign="kill -9 of servers", engine=engine, wanted=extent.faults, seed=extent.seed)
    moments = random.Random(extent.seed)
    deadline = extent.deadline()
    while figures.done < extent.faults and time.monotonic() < deadline:
        with new_database(engine) as database:
            keeper = Keeper(database, figures)
            kills = min(KILLS_PER_CLIENT, extent.faults - figures.done)
            _kill_servers_of_one_client(keeper, figures, moments, kills)
            keeper.end()
    return figures.end()


def _kill_servers_of_one_client(keeper: Keeper, figures: Figures, moments: random.Random, kills: int) -> None:
    client = keeper.driver("client", "--server", "--at-once", "4")
    for number in range(kills):
        server = _server_of(keeper.database, number)
        if server is None or not client.acknowledges(within=STARTS_WITHIN_SECONDS):
            figures.stuck += 1
            break
        time.sleep(moments.uniform(0, _LIFE_SECONDS))
        if number < kills - 1:
            os.kill(server, signal.SIGKILL)
            client.hear()
        else:
            _kill_client_of(server, client, figures)
        figures.done += 1
    else:
        return
    client.kill()


def _kill_client_of(server: int, client: Driver, figures: Figures) -> None:
    """Kill the client: the server that was its child must end with it."""
    client.kill()
    until = time.monotonic() + _ENDS_WITHIN_SECONDS
    while _is_running(server):
        if time.monotonic() > until:
            figures.notes["a server outlived its driver"] += 1
            figures.stuck += 1
            os.kill(server, signal.SIGKILL)
            return
        time.sleep(0.02)


def _server_of(database: Database, number: int) -> int | None:
    """Return the process id of the client's server, once it has started for the `number`-th time again."""
    until = time.monotonic() + STARTS_WITHIN_SECONDS
    log = log_of(database)
    while time.monotonic() < until:
        told = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
        servers = [int(words[1]) for words in told if words and words[0] == "SERVER"]
        if len(servers) > number:
            return servers[number]
        time.sleep(0.02)
    return None


def _is_running(pid: int) -> bool:
    """Whether a process is there and is no mere remainder that nobody has waited for."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
