"""What reading costs over HTTP beside an empty route, and how many posts share a transaction."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import pytest

from creditbank.samples.outcomes import story_outcomes
from creditbank.samples.people import protagonist
from tests.banks import BEGINNING
from tests.benchmarks.measuring import ratios_of
from tests.benchmarks.table import Measure, print_measures
from tests.clients import Client, certificate

pytestmark = pytest.mark.benchmark

GROUP = "Over HTTP, one client unless said otherwise"
ENGINES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
READS = 200
ROUNDS = 9
WRITERS = 32
POSTS_EACH = 20


class Served:
    """The server of `tests.benchmarks.served` and what it said of itself."""

    def __init__(self, said: dict[str, Any]) -> None:
        self.address: str = said["address"]
        self.token: str = said["token"]
        self.account: str = said["account"]
        self.accounts: list[str] = said["accounts"]

    @contextmanager
    def client(self) -> Iterator[Client]:
        client = Client(self.address, token=self.token)
        try:
            yield client
        finally:
            client.close()

    def commits(self) -> int:
        with self.client() as client:
            return int(client.get("/commits").json["commits"])


@pytest.fixture(params=["sqlite", "postgresql"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    command = [sys.executable, "-m", "tests.benchmarks.served", request.param, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield Served(json.loads(process.stdout.readline()))
        process.stdin.close()


def seconds(work: Callable[[], object], times: int) -> float:
    start = perf_counter()
    for _ in range(times):
        work()
    return perf_counter() - start


def test_reading_beside_an_empty_route(served: Served, request: pytest.FixtureRequest) -> None:
    held = next(
        sample.outcome for sample in story_outcomes(on=BEGINNING.date()) if hasattr(sample.outcome, "number")
    )
    asked = {"number": held.number, "name": protagonist().names.shown, "as_of": "2026-03-01"}
    with served.client() as client:
        assert client.post("/verifications", asked).json["valid"]
        work: dict[str, Callable[[], object]] = {
            "empty": lambda: client.get("/empty"),
            "account": lambda: client.get(f"/accounts/{served.account}"),
            "verification": lambda: client.post("/verifications", asked),
        }
        taken: dict[str, list[float]] = {name: [] for name in work}
        for _ in range(ROUNDS):
            for name, one in work.items():
                taken[name].append(seconds(one, READS))
    rates = {name: READS / median(rounds) for name, rounds in taken.items()}
    print_measures(
        *(
            Measure(
                group=GROUP,
                what=f"{name} read",
                engine=ENGINES[request.node.callspec.id],
                product=rates[name],
                beside="empty route",
                peer=rates["empty"],
                unit="requests/s",
                goal=0.5,
                ratios=ratios_of(taken["empty"], taken[name]),
            )
            for name in ("account", "verification")
        )
    )


def test_concurrent_posts_share_transactions(served: Served, request: pytest.FixtureRequest) -> None:
    numbers = count()

    def post(writer: int, times: int) -> None:
        with served.client() as client:
            for _ in range(times):
                key = f"DEMO-{next(numbers)}"
                answer = client.post(
                    f"/accounts/{served.accounts[writer]}/outcomes", certificate(key), key=key
                )
                assert answer.status == 201, answer

    def posted(writers: int, times: int) -> tuple[float, float]:
        """Return the posts a second and the posts a transaction."""
        before, start = served.commits(), perf_counter()
        with ThreadPoolExecutor(writers) as pool:
            list(pool.map(post, range(writers), [times] * writers))
        taken, commits = perf_counter() - start, served.commits() - before
        return writers * times / taken, writers * times / commits

    posted(WRITERS, 2)  # until every thread has its connection
    alone, _ = posted(1, 50)
    rate, shared = posted(WRITERS, POSTS_EACH)
    engine = ENGINES[request.node.callspec.id]
    print_measures(
        Measure(
            group=GROUP,
            what=f"{WRITERS} concurrent posts",
            engine=engine,
            product=rate,
            beside="one writer",
            peer=alone,
            unit="posts/s",
            goal=1.0,
        ),
        Measure(
            group=GROUP,
            what=f"{WRITERS} concurrent posts, in a transaction",
            engine=engine,
            product=shared,
            beside="8 entries",
            peer=8.0,
            unit="entries",
            goal=1.0,
        ),
    )
    assert shared >= 8
