"""Eight writers on two `creditbank serve` of one PostgreSQL, while servers are killed under them.

A writer that gets no answer asks another server under the same key, as a school's program would; in the end
every request was done once, whoever was asked how often.
"""

import json
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from random import Random
from threading import Lock
from time import monotonic, sleep
from typing import Any, Self

from tests.clients import Answer, certificate
from tests.engines import postgresql_url
from tests.faults.figures import Extent, Figures
from tests.servers import ServedBank, Server

WRITERS = 8
SERVERS = 2
REQUESTS_PER_KILL = 48
ASKED_AT_MOST = 600
"""How often somebody asks for one thing before giving up."""
PAUSE_SECONDS = 0.05
TRY_AGAIN = frozenset({"request-in-flight", "head-moved", "raced", "conflict", "log-behind"})
"""Refusals that ask to come back: nothing was written, and nothing is wrong with the request."""


def kill_one_of_several(extent: Extent) -> Figures:
    """Kill the server that is oldest so many times; a new one takes its place while more are to come.

    In turns each writer records a certificate in its own account, records one in an account that all share,
    and opens an account.
    """
    figures = Figures(
        campaign="kill -9 of one of 2 servers", engine="postgresql", wanted=extent.faults, seed=extent.seed
    )
    with postgresql_url(migrated=False) as url, tempfile.TemporaryDirectory(prefix="faults-") as folder:
        bank = ServedBank(Path(folder) / "bank", database_url=url)
        with _Servers(bank, seed=extent.seed) as running:
            with ThreadPoolExecutor(SERVERS) as pool:
                list(pool.map(running.start_server, range(SERVERS)))
            requests = _requests(running, REQUESTS_PER_KILL * (extent.faults + 1))
            _kill_under(running, requests, figures, deadline=extent.deadline())
            entries = bank.entries + WRITERS + 1 + len(running.answers)  # the first accounts, the requests
            running.await_log(entries)
            _compare(running, requests, figures)
        found = json.loads(bank.run("ledger", "verify", "--json"))
    figures.unseen += len(found["findings"])
    figures.doubled += max(0, found["entries"] - entries)
    figures.lost += max(0, entries - found["entries"])
    return figures.end()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """What is asked under one key; `account` is where it records, None where it opens one."""

    key: str
    account: str | None

    @property
    def path(self) -> str:
        return "/accounts" if self.account is None else f"/accounts/{self.account}/outcomes"

    @property
    def body(self) -> Mapping[str, object]:
        return {"names": {"chinese": "扎西"}} if self.account is None else certificate(self.key)


class _NobodyAnswers(Exception):
    """No server did what was asked, however often."""


class _Refused(Exception):
    """A server refused what it had to do."""


class _Servers:
    """Servers that come and go, and what the writers were answered, by key."""

    def __init__(self, bank: ServedBank, *, seed: int) -> None:
        self.bank = bank
        self.answers: dict[str, Answer] = {}
        self.asked = 0
        self._running: list[Server] = []
        self._random = Random(seed)
        self._lock = Lock()
        self._processes = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._processes.close()

    def start_server(self, _place: int = 0) -> None:
        server = self._processes.enter_context(self.bank.serving())
        with self._lock:
            self._running.append(server)

    def kill_oldest_server(self) -> None:
        with self._lock:
            oldest = self._running.pop(0)
        oldest.kill()

    def some_server(self) -> Server:
        with self._lock:
            self.asked += 1
            return self._random.choice(self._running)

    def do(self, request: _Request) -> None:
        """Ask whichever server answers, until one has done it."""
        for _ in range(ASKED_AT_MOST):
            answer = self._answer(request)
            if answer is not None and answer.status == 201:
                self.answers[request.key] = answer
                return
            if answer is not None:
                problem = str(answer.json["type"]).removeprefix("urn:creditbank:problem:")
                if problem not in TRY_AGAIN:
                    raise _Refused(problem)
            sleep(PAUSE_SECONDS)
        raise _NobodyAnswers(request.key)

    def await_log(self, size: int) -> None:
        """Wait until so many entries have their places in the log, or more; give up after a while."""
        with self.bank.client(self.some_server()) as client:
            for _ in range(ASKED_AT_MOST):
                if client.get("/readyz").json["log_size"] >= size:
                    return
                sleep(PAUSE_SECONDS)

    def _answer(self, request: _Request) -> Answer | None:
        try:
            with self.bank.client(self.some_server()) as client:
                return client.post(request.path, request.body, key=request.key)
        except (OSError, HTTPException):
            return None


def _requests(running: _Servers, count: int) -> Sequence[_Request]:
    server = running.some_server()
    shared = running.bank.account(server, "众人")
    own = [running.bank.account(server, "学员") for _ in range(WRITERS)]
    return [
        _Request(key=f"SEVERAL-{place}", account=(own[place % WRITERS], shared, None)[place // WRITERS % 3])
        for place in range(count)
    ]


def _kill_under(
    running: _Servers, requests: Sequence[_Request], figures: Figures, *, deadline: float
) -> None:
    """Send every request, and kill a server each time that another share of them is answered."""
    with ThreadPoolExecutor(WRITERS) as pool:
        asked = [pool.submit(running.do, request) for request in requests]
        for kill in range(1, figures.wanted + 1):
            _await(running, REQUESTS_PER_KILL * kill, asked, figures)
            if monotonic() > deadline:
                break
            running.kill_oldest_server()
            figures.done += 1
            if kill < figures.wanted:
                running.start_server()
        _await(running, len(requests), asked, figures)
    failed = [one.exception() for one in asked]
    figures.stuck += sum(isinstance(error, _NobodyAnswers) for error in failed)
    figures.nameless += sum(error is not None and not isinstance(error, _NobodyAnswers) for error in failed)
    figures.acknowledged = len(running.answers)
    figures.notes["asked again"] = running.asked - len(requests)
    figures.notes["answered by another server"] = sum(
        answer.is_replayed for answer in running.answers.values()
    )


def _await(running: _Servers, answers: int, asked: Sequence[Future[None]], figures: Figures) -> None:
    """Wait for so many answers, and note how many come a second, between one kill and the next."""
    begun, before = monotonic(), len(running.answers)
    while len(running.answers) < answers and not all(one.done() for one in asked):
        sleep(0.01)
    rate = round((len(running.answers) - before) / (monotonic() - begun))
    figures.notes["requests/s, slowest"] = min(rate, figures.notes.get("requests/s, slowest", rate))
    figures.notes["requests/s, fastest"] = max(rate, figures.notes["requests/s, fastest"])


def _compare(running: _Servers, requests: Sequence[_Request], figures: Figures) -> None:
    """Make sure that every answer names the entry that its request made, and that no other is there."""
    recorded: dict[str, list[str]] = defaultdict(list)
    receipts: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for request in requests:
        if (answer := running.answers.get(request.key)) is not None:
            account = request.account or answer.json["account"]
            receipts[account].append(answer.json if request.account else answer.json["receipt"])
            recorded[account] += [request.key] if request.account else []
    for account, made in receipts.items():
        with running.bank.client(running.some_server()) as client:
            answer = client.get(f"/accounts/{account}")
        if answer.status != 200:
            figures.lost += len(made)
            continue
        read = answer.json
        numbers = [one["outcome"]["number"] for one in read["outcomes"]]
        figures.lost += len(set(recorded[account]) - set(numbers))
        figures.doubled += len(numbers) - len(set(numbers))
        hashes = {entry["seq"]: entry["leaf_hash"] for entry in read["entries"]}
        figures.lost += sum(hashes.get(one["seq"]) != one["leaf_hash"] for one in made)
