"""Real servers: one that dies before it answers, one whose sequencer has stopped, one beside a command."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from time import sleep

import pytest

from creditbank.identity.person import Person
from creditbank.samples.people import sample_learners
from creditbank.storage.backlog import LOOKED_AT_EVERY_SECONDS
from creditbank.storage.engine import durability_of, sqlite
from tests.clients import Answer, Client, certificate
from tests.engines import postgresql_url
from tests.servers import SCHOOL, ServedBank

DYING = ("-m", "tests.journeys.dying", "serve")
"""A server that kills itself right after its second commit, before it has answered."""


@pytest.fixture(params=["sqlite", "postgresql"])
def bank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServedBank]:
    with ExitStack() as stack:
        if request.param == "sqlite":
            yield ServedBank(tmp_path / "bank")
        else:
            url = stack.enter_context(postgresql_url(migrated=False))
            yield ServedBank(tmp_path / "bank", database_url=url)


def test_a_server_that_dies_between_commit_and_answer_has_answered_for_the_next(bank: ServedBank) -> None:
    with bank.serving(program=DYING) as dying:
        account = bank.account(dying, "扎西")
        path, body = f"/accounts/{account}/outcomes", certificate("DEMO-1")
        with pytest.raises(ConnectionError), bank.client(dying) as client:
            client.post(path, body, key="k")
        assert dying.process.wait(20) == -9
    with bank.serving() as server, bank.client(server) as client:
        first, again = (client.post(path, body, key="k") for _ in range(2))
        assert first.status == again.status == 201
        assert first.is_replayed
        assert first.json["repeated"]
        assert first.body == again.body
        assert client.post(path, certificate("DEMO-2"), key="k").status == 422
        (held,) = client.get(f"/accounts/{account}").json["outcomes"]
        assert held["id"] == f"{first.json['seq']:06}"


def test_a_bank_that_is_behind_with_its_log_turns_writers_away_until_it_has_caught_up(tmp_path: Path) -> None:
    bank, limit = ServedBank(tmp_path / "bank"), 12
    with (
        bank.serving(CREDITBANK_SEQUENCE="false", CREDITBANK_BACKLOG_LIMIT=str(limit)) as server,
        bank.client(server) as client,
    ):
        path = f"/accounts/{bank.account(server, '扎西')}"
        number, answer = refused(client, f"{path}/outcomes")
        assert answer.json["type"].endswith(":log-behind")
        assert answer.headers["retry-after"] == "5"
        kept = client.get(path).json
        assert number not in {one["outcome"]["number"] for one in kept["outcomes"]}
        assert client.post("/accounts", {"names": {"chinese": "尼玛"}}, key="another").status == 503
        assert client.get(path).json == kept

        bank.run("ledger", "sequence")
        sleep(LOOKED_AT_EVERY_SECONDS)
        with bank.client(server) as later:
            recorded = later.post(f"{path}/outcomes", certificate(number), key=number)
            assert recorded.status == 201
            assert not recorded.is_replayed
            assert len(later.get(path).json["entries"]) == len(kept["entries"]) + 1
    assert json.loads(bank.run("ledger", "verify", "--json"))["findings"] == []


def refused(client: Client, path: str) -> tuple[str, Answer]:
    """Record until the bank refuses; return the number that it refused, and how."""
    for place in range(200):
        number = f"MANY-{place}"
        answer = client.post(path, certificate(number), key=number)
        if answer.status != 201:
            assert answer.status == 503, answer
            return number, answer
        sleep(0.02)
    raise AssertionError("the bank took everything")


def test_a_server_and_the_command_line_write_to_one_sqlite_side_by_side(tmp_path: Path) -> None:
    bank, each = ServedBank(tmp_path / "bank"), 10
    with bank.serving() as server, ThreadPoolExecutor(4) as pool:
        account = bank.account(server, "扎西")

        def record(writer: int) -> None:
            with bank.client(server) as client:
                for place in range(each):
                    key = f"DEMO-{writer}-{place}"
                    answer = client.post(f"/accounts/{account}/outcomes", certificate(key), key=key)
                    assert answer.status == 201, answer

        writing = [pool.submit(record, writer) for writer in range(4)]
        opened = [opened_by_command(bank, learner) for learner in sample_learners()[:5]]
        for one in writing:
            one.result()
        with bank.client(server) as client:
            assert len(client.get(f"/accounts/{account}").json["outcomes"]) == 4 * each
            assert {client.get(f"/accounts/{number}").status for number in opened} == {200}
    assert json.loads(bank.run("ledger", "verify", "--json"))["findings"] == []
    chosen = durability_of(sqlite.sqlite_version_info)
    assert f"journal_mode={chosen.journal_mode}" in bank.log.read_text()
    assert f"synchronous={chosen.synchronous}" in bank.log.read_text()


def opened_by_command(bank: ServedBank, learner: Person) -> str:
    assert learner.citizen_number is not None
    names = ("--name", learner.names.shown, "--citizen-number", learner.citizen_number.text)
    return str(json.loads(bank.run("account", "open", *names, "--issuer", SCHOOL, "--json"))["account"])
