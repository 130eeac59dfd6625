"""Many processes at one chain: every entry once, none lost, nobody starved; and a server that went away."""

from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import psycopg
import pytest

from creditbank.ledger.chain import EMPTY, head_after
from creditbank.ledger.encoding import parse_canonical
from creditbank.services.books import Books
from creditbank.storage.group_commit import ATTEMPTS
from creditbank.storage.sql_store import SqlStore
from tests.engines import opened, postgresql_url, sqlite_url
from tests.strategies.books import chain, entry_after, subject

CONTENDED = subject("contended")
PROCESSES = 8
EACH = 20
WAIT = 120

Told = tuple[str, int, int]
"""What an entry says, its place, and how often it was tried to write it."""


@contextmanager
def url_of(engine: str, folder: Path) -> Iterator[str]:
    if engine == "sqlite":
        yield sqlite_url(folder)
    else:
        with postgresql_url() as url:
            yield url


def contend(url: str, name: int, start: Barrier, told: SimpleQueue[list[Told]]) -> None:
    """Write entries to the one chain, beside the other processes."""
    answers: list[Told] = []
    with opened(url) as engine:
        store = SqlStore(engine)
        start.wait(WAIT)
        for number in range(EACH):
            says, attempts = f"{name} {number}", 0

            def extend(books: Books, says: str = says) -> int:
                nonlocal attempts
                attempts += 1
                head = books.ledger.heads_of([CONTENDED])[CONTENDED]
                books.ledger.append([entry_after(head, of=CONTENDED, says=says)])
                return head.length

            answers.append((says, store.written(extend, about=CONTENDED), attempts))
    told.put(answers)


def contended(url: str) -> list[Told]:
    """Let all processes begin at once; return what became of every entry."""
    processes = get_context("forkserver")
    processes.set_forkserver_preload([__name__])
    start, told = processes.Barrier(PROCESSES), processes.SimpleQueue()
    writers = [
        processes.Process(target=contend, args=(url, name, start, told), daemon=True)
        for name in range(PROCESSES)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(WAIT)
        assert writer.exitcode == 0
    return [answer for _ in writers for answer in told.get()]


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_eight_processes_at_one_account_lose_nothing_and_starve_nobody(engine: str, tmp_path: Path) -> None:
    with url_of(engine, tmp_path) as url:
        told = contended(url)
        with opened(url) as opened_engine, SqlStore(opened_engine).reading() as books:
            entries = list(books.ledger.entries_of(CONTENDED))
    assert [entry.leaf.seq for entry in entries] == list(range(PROCESSES * EACH))
    assert [entry.leaf.prev for entry in entries[1:]] == [entry.leaf_hash for entry in entries[:-1]]
    contents = [parse_canonical(entry.payload.content) for entry in entries if entry.payload]
    assert contents == [{"says": says} for says, _, _ in sorted(told, key=lambda answer: answer[1])]
    # Who has lost a race queues: the worst of all waits for the others once, not for its luck.
    assert max(attempts for _, _, attempts in told) <= ATTEMPTS // 2


def test_a_writer_that_queues_goes_before_those_who_come_later() -> None:
    """Whoever lost a race is next, however many others begin meanwhile."""
    with postgresql_url() as url, opened(url) as one, opened(url) as another:
        slow, fast = SqlStore(one), SqlStore(another)
        seen: list[int] = []

        def forestalled(books: Books) -> int:
            head = books.ledger.heads_of([CONTENDED])[CONTENDED]
            if not seen:
                fast.written(lambda others: others.ledger.append(chain(CONTENDED, length=1)))
            seen.append(head.length)
            books.ledger.append([entry_after(head, of=CONTENDED, says="late")])
            with psycopg.connect(url) as looking:
                held = looking.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone()
            return held[0] if held else 0

        assert slow.written(forestalled, about=CONTENDED) == 1
        assert seen == [0, 1]
        assert slow.written(forestalled, about=CONTENDED) == 1, (
            "a contended chain is queued for from the start"
        )
        assert seen == [0, 1, 2]


def test_a_connection_that_the_server_closed_is_not_used_again() -> None:
    with postgresql_url() as url, opened(url) as engine:
        store, of = SqlStore(engine), subject("patient")
        first = entry_after(EMPTY, of=of)
        store.written(lambda books: books.ledger.append([first]))
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        store.written(lambda books: books.ledger.append([entry_after(head_after(first), of=of)]))
        with store.reading() as books:
            assert books.ledger.heads_of([of])[of].length == 2
