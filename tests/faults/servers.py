"""`creditbank serve` killed with signal 9, of two that eight clients post to; or a client, with its server.

What had no answer is asked for again, with the same key, until it has one.
"""

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

from tests.faults.figures import Extent, Figures
from tests.faults.keeper import Keeper, new_database
from tests.faults.processes import Driver

KILLS_PER_BANK = 6
SERVERS = 2
WRITERS = 4
"""How many post to each server at once."""
REST = "0.02"
"""Seconds that a writer rests after each id: a server that starts meanwhile needs the processor too."""
STARTS_WITHIN_SECONDS = 90.0
_ENDS_WITHIN_SECONDS = 10.0
_LIFE_SECONDS = 0.4


def kill_servers(engine: str, extent: Extent) -> Figures:
    """Kill so many servers, of two that serve one bank; after every few look at everything."""
    figures = Figures(campaign="kill -9 of servers", engine=engine, wanted=extent.faults, seed=extent.seed)
    moments = random.Random(extent.seed)
    deadline = extent.deadline()
    while figures.done < extent.faults and time.monotonic() < deadline:
        with new_database(engine) as database:
            keeper = Keeper(database, figures)
            _kill_some(keeper, figures, moments, min(KILLS_PER_BANK, extent.faults - figures.done), deadline)
            keeper.end()
    return figures.end()


def _kill_some(keeper: Keeper, figures: Figures, moments: random.Random, kills: int, deadline: float) -> None:
    clients = [
        keeper.driver(f"c{number}", "--server", "--at-once", str(WRITERS), "--rest", REST)
        for number in range(SERVERS)
    ]
    kills_of = Counter[Driver]()
    for number in range(1, kills + 1):
        begun = [client.acknowledges(within=STARTS_WITHIN_SECONDS) for client in clients]
        figures.stuck += begun.count(False)
        client = moments.choice(clients)
        server = _server_of(client, kills_of[client])
        time.sleep(moments.uniform(0, _LIFE_SECONDS))
        figures.done += 1
        if number == kills or time.monotonic() > deadline:
            clients.remove(client)
            _kill_client_of(server, client, figures)
            break
        try:
            os.kill(server, signal.SIGKILL)
        except ProcessLookupError:
            figures.stuck += 1
            figures.notes[f"a server ended by itself: {client.log.read_text()[-1_000:]!r}"] += 1
        kills_of[client] += 1
    keeper.stop(*clients)


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


def _server_of(client: Driver, number: int) -> int:
    """Return the process id of the client's server, once it has started for the `number`-th time again."""
    until = time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < until:
        told = [line.split() for line in client.log.read_text().splitlines()]
        servers = [int(words[1]) for words in told if words and words[0] == "SERVER"]
        if len(servers) > number:
            return servers[number]
        time.sleep(0.02)
    raise AssertionError(f"no server after the first {number}: {client.log.read_text()[-1_000:]}")


def _is_running(pid: int) -> bool:
    """Whether a process is there and is no mere remainder that nobody has waited for."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
