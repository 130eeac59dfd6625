"""What verification costs beside reading and hashing, and an account over HTTP beside an empty route."""

import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from statistics import median
from time import perf_counter

import httpx2
import pytest

from creditbank.ledger.audit_chains import chain_findings
from creditbank.ledger.audit_tree import tree_findings
from creditbank.services.publishing import publish_now
from creditbank.storage.sql_audit import audit_rows
from creditbank.storage.sql_store import SqlStore
from tests.banks import new_bank
from tests.benchmarks.table import Measure, print_measures
from tests.engines import opened, sqlite_url
from tests.strategies.books import chain, subject

pytestmark = pytest.mark.benchmark

ENTRIES = 20_000
REQUESTS = 400
ROUNDS = 5


def seconds(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def test_verification_beside_reading_and_hashing(tmp_path: Path) -> None:
    with opened(sqlite_url(tmp_path)) as engine:
        store = SqlStore(engine)
        bank = new_bank(store)
        accounts = (subject(f"verified-{number:05}") for number in range(ENTRIES // 2))
        with store.writing() as books:
            books.ledger.append([entry for one in accounts for entry in chain(one, length=2)])
        publish_now(bank)
        keys = bank.verifier_keys

        def verify() -> None:
            with audit_rows(engine) as rows:
                for _ in chain_findings(rows, log=keys[0].name):
                    pass
                for _ in tree_findings(rows, keys=keys, held=None):
                    pass

        def read_and_hash() -> None:
            query = (
                "SELECT leaf, salt, bytes FROM entry JOIN payload USING (subject, seq) ORDER BY subject, seq"
            )
            with engine.connect() as connection:
                for leaf, salt, content in connection.exec_driver_sql(query):
                    sha256(b"\x00" + leaf).digest()
                    sha256(salt + content).digest()

        product = median(seconds(verify) for _ in range(ROUNDS))
        peer = median(seconds(read_and_hash) for _ in range(ROUNDS))
    rates = (ENTRIES / product, ENTRIES / peer)
    print_measures(
        Measure(
            what="verification, SQLite / reading and hashing",
            product=rates[0],
            peer=rates[1],
            unit="entries/s",
            goal=0.35,
        )
    )


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
