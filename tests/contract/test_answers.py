"""Every store keeps answers with what they speak of, once; no two processes answer one key at a time."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import Engine, text

from creditbank.account.records import KeptAnswer
from creditbank.errors import Conflict, Raced
from creditbank.identity.account_number import AccountNumber
from creditbank.services.accounts import OpenedAccount, open_account, read_account
from creditbank.services.bank import Bank, EntryReceipt
from creditbank.services.books import Books, Store
from creditbank.services.idempotency import (
    IdempotencyKeyReused,
    InFlight,
    KeyedRequest,
    Repeated,
    RequestInFlight,
    answer_once,
)
from creditbank.services.outcomes import record_outcome
from creditbank.storage.sql_store import SqlStore
from creditbank.storage.vault import AnswerUnreadable
from creditbank.terms import Microseconds, SubjectId
from tests.banks import EAST, SOMEBODY, new_account, new_bank
from tests.engines import opened, postgresql_url, sqlite_url
from tests.properties.test_idempotency import CERTIFICATE
from tests.strategies.books import chain, subject

WRITERS = 8


def kept(key: str, *, about: SubjectId | None = None) -> KeptAnswer:
    return KeptAnswer(
        key=sha256(key.encode()).digest(),
        request=sha256(b"request").digest(),
        subject=about,
        answer=b"sealed",
        kept_at=Microseconds(1_700_000_000_000_000),
    )


def test_an_answer_is_found_by_its_key_and_kept_once(store: Store) -> None:
    first = kept("a", about=subject("tashi"))
    with store.writing() as books:
        assert books.answers.claim(first.key)
        assert books.answers.find(first.key) is None
        books.answers.add(first)
        assert books.answers.find(first.key) == first
        with pytest.raises(Raced, match="answer-taken"):
            books.answers.add(replace(first, answer=b"another"))
        books.answers.add(kept("b"))
    with store.reading() as books:
        assert books.answers.find(first.key) == first
        assert books.answers.find(kept("b").key) == kept("b")
        assert books.answers.find(kept("c").key) is None


def test_an_answer_is_undone_with_what_it_speaks_of(store: Store) -> None:
    def write_and_fail(books: Books) -> None:
        books.ledger.append(chain(subject("tashi"), length=1))
        books.answers.add(kept("a"))
        raise Conflict("head-moved")

    with pytest.raises(Conflict):
        store.written(write_and_fail)
    with store.reading() as books:
        assert books.answers.find(kept("a").key) is None
        assert books.ledger.pending(at_most=1) == 0


def test_what_speaks_of_somebody_is_forgotten_with_them_alone(store: Store) -> None:
    tashi, pema = subject("tashi"), subject("pema")
    with store.writing() as books:
        for answer in (kept("a", about=tashi), kept("b", about=tashi), kept("c", about=pema), kept("d")):
            books.answers.add(answer)
        assert books.answers.forget(tashi) == 2
        assert books.answers.forget(subject("nobody")) == 0
    with store.reading() as books:
        assert [key for key in "abcd" if books.answers.find(kept(key).key)] == ["c", "d"]


@contextmanager
def two_processes(url: str) -> Iterator[tuple[Bank, Bank]]:
    """One bank as two processes have it: each with a store and connections of its own."""
    with opened(url) as one, opened(url) as other:
        bank = new_bank(SqlStore(one))
        yield bank, replace(bank, store=SqlStore(other))


@pytest.fixture(params=["sqlite", "postgresql"])
def processes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Bank, Bank]]:
    with ExitStack() as stack:
        url = sqlite_url(tmp_path) if request.param == "sqlite" else stack.enter_context(postgresql_url())
        yield stack.enter_context(two_processes(url))


def recorded(
    bank: Bank, account: AccountNumber, in_flight: InFlight, pause: Callable[[], object] = lambda: None
) -> bytes:
    """Record the certificate under the key `k`, with a pause before the commit; return the entry's hash."""

    def answer(receipt: EntryReceipt) -> bytes:
        pause()
        return receipt.leaf_hash

    done = answer_once(
        bank,
        KeyedRequest.of(bank, EAST, key="k", asked=("certificate",)),
        lambda bank: record_outcome(bank, EAST, account, CERTIFICATE),
        answer=answer,
        in_flight=in_flight,
    )
    return done.answer if isinstance(done, Repeated) else done.leaf_hash


def test_a_key_under_which_another_process_writes_is_in_flight_on_postgresql() -> None:
    with postgresql_url() as url, two_processes(url) as (here, there):
        account = new_account(here)
        both = Barrier(2, timeout=20)
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(recorded, here, account, InFlight(), lambda: (both.wait(), both.wait()))
            both.wait()
            with pytest.raises(RequestInFlight):
                recorded(there, account, InFlight())
            both.wait()
            answer = first.result()
        assert recorded(there, account, InFlight()) == answer


def test_a_key_under_which_another_process_writes_is_waited_for_on_sqlite(tmp_path: Path) -> None:
    with two_processes(sqlite_url(tmp_path)) as (here, there):
        account = new_account(here)
        both = Barrier(2, timeout=20)
        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(recorded, here, account, InFlight(), lambda: (both.wait(), both.wait()))
            both.wait()
            again = pool.submit(recorded, there, account, InFlight())
            with pytest.raises(TimeoutError):
                again.result(timeout=0.3)
            both.wait()
            assert again.result() == first.result()


def test_many_requests_under_one_key_in_two_processes_do_one_thing(processes: tuple[Bank, Bank]) -> None:
    account = new_account(processes[0])
    registries = InFlight(), InFlight()
    start = Barrier(WRITERS)

    def ask_until_answered(writer: int) -> bytes:
        start.wait()
        while True:
            try:
                return recorded(processes[writer % 2], account, registries[writer % 2])
            except RequestInFlight:
                continue

    with ThreadPoolExecutor(WRITERS) as pool:
        answers = list(pool.map(ask_until_answered, range(WRITERS)))
    assert len(set(answers)) == 1
    assert len(read_account(processes[1], account).entries) == 2


def test_an_answer_that_was_changed_or_moved_is_not_given(engine: Engine) -> None:
    bank = new_bank(SqlStore(engine))
    account = new_account(bank)
    recorded(bank, account, InFlight())
    for change, refusal in (
        ("answer = substr(answer, 1, 20)", AnswerUnreadable),
        ("request = key", IdempotencyKeyReused),
    ):
        with engine.begin() as connection:
            connection.execute(text(f"UPDATE kept_answer SET {change}"))
        with pytest.raises(refusal):
            recorded(bank, account, InFlight())


def test_the_table_of_answers_tells_nothing_without_the_keys(engine: Engine) -> None:
    bank, key = new_bank(SqlStore(engine)), "a-key-that-names-Tashi"
    said = answer_once(
        bank,
        KeyedRequest.of(bank, EAST, key=key, asked=("POST", "/accounts", SOMEBODY.names.shown)),
        lambda bank: open_account(bank, EAST, SOMEBODY),
        answer=lambda done: f"The account is {done.number}".encode(),
        in_flight=InFlight(),
    )
    assert isinstance(said, OpenedAccount)
    with engine.connect() as connection:
        row = connection.execute(text("SELECT key, request, subject, answer FROM kept_answer")).one()
    assert row.subject == said.number.subject
    bytes_kept = bytes(row.key) + bytes(row.request) + bytes(row.answer)
    for told in (key, EAST.issuer, SOMEBODY.names.shown, "account", str(said.number)):
        assert told.encode() not in bytes_kept
    for guess in (key, f"{EAST.issuer} {key}", SOMEBODY.names.shown):
        assert sha256(guess.encode()).digest() not in (row.key, row.request)
