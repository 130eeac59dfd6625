"""What an account over HTTP costs beside an empty route."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import httpx2
import pytest

from tests.benchmarks.table import Measure, print_measures

pytestmark = pytest.mark.benchmark

REQUESTS = 400
ROUNDS = 5


def seconds(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def test_an_account_over_http_beside_an_empty_route(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.served", str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        port, account, token = process.stdout.readline().split()
        headers = {"Authorization": f"Bearer {token}"}
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers=headers) as client:

            def ask(path: str) -> None:
                for _ in range(REQUESTS):
                    assert client.get(path).status_code == 200

            read, empty = [], []
            for _ in range(ROUNDS):
                read.append(seconds(lambda: ask(f"/accounts/{account}")))
                empty.append(seconds(lambda: ask("/empty")))
        process.stdin.close()
    print_measures(
        Measure(
            what="account over HTTP / empty route",
            product=REQUESTS / median(read),
            peer=REQUESTS / median(empty),
            unit="requests/s",
            goal=0.5,
        )
    )
