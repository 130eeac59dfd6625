"""What several threads want written shares a transaction and nothing else: each gets its own answer."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import count
from threading import Condition, Event, Lock, get_ident
from types import TracebackType
from typing import TypeVar
from zlib import crc32

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from creditbank.account.records import OutcomeKey
from creditbank.errors import InvalidInput
from creditbank.ledger.append import HeadMoved, LogBehind, LogRange
from creditbank.ledger.chain import EMPTY, head_after
from creditbank.ledger.entry import Entry
from creditbank.services.books import Books
from creditbank.storage.engine import WRITES
from creditbank.storage.sql_store import SqlBooks, SqlStore
from creditbank.terms import SubjectId
from tests.engines import opened, postgresql_url
from tests.strategies.books import account, batch, chain, entry_after, subject

T = TypeVar("T")

WAIT = 20

_numbers = count()


class Refused(InvalidInput):
    """An action changes its mind after it has written."""


def extend(
    of: SubjectId, *, says: str = "", then: Callable[[], object] = lambda: None
) -> Callable[[Books], int]:
    """Return the action that adds one entry to a chain, and does something more before it answers."""

    def action(books: Books) -> int:
        head = books.ledger.heads_of([of])[of]
        books.ledger.append([entry_after(head, of=of, says=says)])
        then()
        return head.length

    return action


def refuse() -> None:
    raise Refused("refused")


def gathered(store: SqlStore, actions: list[Callable[[Books], T]], about: list[SubjectId]) -> list[Future[T]]:
    """Let all the actions queue behind a first writer that is kept from committing until they do."""
    inside, leave = Event(), Event()

    def hold(_books: Books) -> None:
        inside.set()
        assert leave.wait(WAIT)

    with ThreadPoolExecutor(len(actions) + 1) as pool:
        first = pool.submit(store.written, hold)
        assert inside.wait(WAIT)
        asked = [pool.submit(store.written, each, about=of) for each, of in zip(actions, about, strict=True)]
        while store.waiting < len(actions):
            Event().wait(0.001)
        leave.set()
        first.result(WAIT)
    return asked


# What an action may write beside the ledger, by the name of its table.
BESIDE: dict[str, Callable[[Books, SubjectId], object]] = {
    "nothing": lambda _books, _of: None,
    "account": lambda books, of: books.accounts.add([account(of.removeprefix("account:"))]),
    "outcome_key": lambda books, of: books.outcomes.add([OutcomeKey(key=of.encode(), subject=of, seq=0)]),
    "batch": lambda books, of: books.batches.add(batch(of, file=of.encode())),
    "checkpoint": lambda books, of: books.ledger.add_checkpoint(size=crc32(of.encode()), note=of.encode()),
}
ACTIONS = st.tuples(
    st.booleans(), st.booleans(), st.one_of(st.just("nothing"), st.sampled_from(sorted(BESIDE)))
)


@given(drawn=st.lists(ACTIONS, min_size=1, max_size=12))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_an_action_that_raises_is_undone_alone(engine: Engine, drawn: list[tuple[bool, bool, str]]) -> None:
    store = SqlStore(engine)
    rows = {table: rows_of(engine, table) for table in BESIDE if table != "nothing"}

    def action(of: SubjectId, *, refuses: bool, appends: bool, beside: str) -> Callable[[Books], None]:
        def act(books: Books) -> None:
            if appends:
                extend(of)(books)
            BESIDE[beside](books, of)
            if refuses:
                refuse()

        return act

    subjects = [subject(f"{next(_numbers):06}") for _ in drawn]
    actions = [
        action(of, refuses=refuses, appends=appends, beside=beside)
        for of, (refuses, appends, beside) in zip(subjects, drawn, strict=True)
    ]
    answers = gathered(store, actions, subjects)
    for answer, (refuses, _, _) in zip(answers, drawn, strict=True):
        assert isinstance(answer.exception(), Refused) if refuses else answer.result() is None
    with store.reading() as books:
        lengths = [books.ledger.heads_of([of])[of].length for of in subjects]
    assert lengths == [int(appends and not refuses) for refuses, appends, _ in drawn]
    for table, before in rows.items():
        kept = sum(beside == table and not refuses for refuses, _, beside in drawn)
        assert rows_of(engine, table) == before + kept


def rows_of(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


@pytest.mark.parametrize("writes_before", [False, True])
def test_who_refuses_before_writing_takes_nobody_with_it(engine: Engine, *, writes_before: bool) -> None:
    store, begun = SqlStore(engine), list[Mapping[str, object]]()
    subjects = [subject(place) for place in range(6)]

    def refuse_at_once(books: Books) -> int:
        books.ledger.heads_of([subjects[3]])
        books.outcomes.claim([b"claimed"])
        books.outcomes.find([b"claimed"])
        raise Refused("refused")

    refusing = extend(subjects[3], then=refuse) if writes_before else refuse_at_once
    event.listen(engine, "begin", lambda connection: begun.append(connection.get_execution_options()))
    answers = gathered(store, [refusing if of == subjects[3] else extend(of) for of in subjects], subjects)
    assert [answer.exception() is None for answer in answers] == [of != subjects[3] for of in subjects]
    # One for who kept them waiting, one for the group; and where it could not be kept, one for each.
    assert sum(WRITES in options for options in begun) == 2 + (len(subjects) if writes_before else 0)


LOOKS: dict[str, Callable[[Books, Entry], object]] = {
    "entries_of": lambda books, entry: list(books.ledger.entries_of(entry.leaf.subject)) == [entry],
    "entry": lambda books, entry: books.ledger.entry(entry.leaf.subject, 0) == entry,
    "entry_by_key": lambda books, entry: books.ledger.entry_by_key(entry.leaf.subject, "key") == entry,
    "subjects": lambda books, entry: entry.leaf.subject in list(books.ledger.subjects("")),
    "heads_of": lambda books, entry: (
        books.ledger.heads_of([entry.leaf.subject]) == {entry.leaf.subject: head_after(entry)}
    ),
    "pending": lambda books, _entry: books.ledger.pending(at_most=5) == 1,
    "sequence": lambda books, entry: (
        books.ledger.sequence() == LogRange(first=0, size=1)
        and books.ledger.log_index_of(entry.leaf.subject, 0) == 0
    ),
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_what_an_action_appended_is_there_for_the_next(
    engine: Engine, look: Callable[[Books, Entry], object]
) -> None:
    store = SqlStore(engine)
    entry = entry_after(EMPTY, of=subject("a"), idempotency_key="key")
    actions: list[Callable[[Books], object]] = [
        lambda books: books.ledger.append([entry]),
        lambda books: look(books, entry),
    ]
    answers = gathered(store, actions, [subject("a"), subject("b")])
    assert [answer.result() for answer in answers] == [None, True]


def test_a_key_that_two_of_one_transaction_use_makes_one_entry(engine: Engine) -> None:
    store, of = SqlStore(engine), subject("keyed")

    def record(books: Books) -> int:
        head = books.ledger.heads_of([of])[of]
        made = books.ledger.entry_by_key(of, "key")
        if made is None:
            made = entry_after(head, of=of, idempotency_key="key")
            books.ledger.append([made])
        return made.leaf.seq

    answers = gathered(store, [record] * 5, [of] * 5)
    assert [answer.result() for answer in answers] == [0] * 5
    with store.reading() as books:
        assert len(list(books.ledger.entries_of(of))) == 1


def test_all_that_waits_is_written_in_one_transaction(engine: Engine) -> None:
    store = SqlStore(engine)
    subjects = [subject(place) for place in range(20)]
    transactions: set[object] = set()

    def extend_seen(of: SubjectId) -> Callable[[Books], int]:
        def action(books: Books) -> int:
            assert isinstance(books, SqlBooks)
            transactions.add(books.ledger._connection)
            return extend(of)(books)

        return action

    answers = gathered(store, [extend_seen(of) for of in subjects], subjects)
    assert [answer.result() for answer in answers] == [0] * 20
    assert len(transactions) == 1


def test_actions_of_one_transaction_see_each_other(engine: Engine) -> None:
    store, of = SqlStore(engine), subject("shared")
    answers = gathered(store, [extend(of, says=str(place)) for place in range(12)], [of] * 12)
    assert sorted(answer.result() for answer in answers) == list(range(12))


def test_nobody_is_answered_before_the_commit(engine: Engine) -> None:
    store = SqlStore(engine)
    subjects = [subject(place) for place in range(5)]

    def fail(_connection: object) -> None:
        raise OSError("the disk is gone")

    def begin_to_fail() -> None:
        event.listen(engine, "commit", fail)

    actions = [extend(of, then=begin_to_fail if of == subjects[0] else lambda: None) for of in subjects]
    answers = gathered(store, actions, subjects)
    event.remove(engine, "commit", fail)
    assert all(isinstance(answer.exception(), OSError) for answer in answers)
    with store.reading() as books:
        assert set(books.ledger.heads_of(subjects).values()) == {EMPTY}


def test_who_is_given_the_lead_before_it_waits_leads_once(engine: Engine) -> None:
    store, late = SqlStore(engine), set[int]()
    inside, leave, queued, given = Event(), Event(), Event(), Event()

    class Lingering(Condition):
        """Keeps a thread that is late between its place in the queue and whatever it does next."""

        def __exit__(
            self, kind: type[BaseException] | None, raised: BaseException | None, at: TracebackType | None
        ) -> None:
            super().__exit__(kind, raised, at)
            if get_ident() in late:
                late.clear()
                queued.set()
                assert given.wait(WAIT)

    def hold(_books: Books) -> None:
        inside.set()
        assert leave.wait(WAIT)

    def write_late() -> int:
        late.add(get_ident())
        return store.written(extend(subject("late")))

    store._group._arrival = Lingering(Lock())
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(store.written, hold)
        assert inside.wait(WAIT)
        second = pool.submit(write_late)
        assert queued.wait(WAIT)
        leave.set()
        first.result(WAIT)
        given.set()
        assert second.result(WAIT) == 0
    assert store.written(extend(subject("after"))) == 0


def test_chains_are_extended_in_one_order_everywhere(engine: Engine) -> None:
    store, done = SqlStore(engine), list[str]()
    subjects = [subject(name) for name in "nbzqa"]
    actions = [extend(of, then=partial(done.append, of)) for of in subjects]
    gathered(store, actions, subjects)
    assert done == sorted(subjects)


def test_a_forestalled_action_is_done_again_on_fresh_books(engine: Engine) -> None:
    store, of = SqlStore(engine), subject("raced")
    asked = []

    def act(books: Books) -> int:
        head = books.ledger.heads_of([of])[of]
        asked.append(head.length)
        if len(asked) < 3:
            raise HeadMoved(subject=of, expected=head.length)
        books.ledger.append([entry_after(head, of=of)])
        return head.length

    assert store.written(act, about=of) == 0
    assert asked == [0, 0, 0]


def test_writers_of_two_processes_do_not_record_one_outcome_twice() -> None:
    key, rounds = b"one certificate", 30
    with postgresql_url() as url, opened(url) as one, opened(url) as another:
        stores = [SqlStore(one), SqlStore(another)]
        seen: list[int] = []

        def record(place: int) -> None:
            def action(books: Books) -> int:
                books.outcomes.claim([key, f"other {place}".encode()])
                before = len(list(books.ledger.subjects("")))
                books.ledger.append(chain(subject(place), length=1))
                return before

            seen.append(stores[place % 2].written(action, about=subject(place)))

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(record, range(rounds)))
        # Whoever holds the claim sees everything that those before it wrote: no two saw the same.
        assert sorted(seen) == list(range(rounds))
        with one.connect() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM outcome_claim").scalar_one() == 0


def test_no_more_is_taken_while_too_many_entries_wait(engine: Engine) -> None:
    store = SqlStore(engine, backlog_limit=3)
    of = subject("many")
    for _ in range(4):
        with store.writing() as books:
            books.ledger.append([entry_after(books.ledger.heads_of([of])[of], of=of)])
    with pytest.raises(LogBehind):
        store.written(extend(of))
    with store.writing() as books:
        books.ledger.sequence()
    Event().wait(0.3)  # what was seen of the backlog is a quarter of a second old at most
    assert store.written(extend(of)) == 4
