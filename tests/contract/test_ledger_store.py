"""Every ledger store keeps the promises of `services.books.LedgerStore`."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest
from sqlalchemy import Engine

from creditbank.ledger.append import HeadMoved, IdempotencyKeyTaken, LogPlace, LogRange
from creditbank.ledger.chain import EMPTY, Head, head_after
from creditbank.ledger.entry import Entry, parse_leaf
from creditbank.services.books import Store
from creditbank.storage.sql_store import SqlStore
from creditbank.terms import SubjectId
from tests.engines import opened, postgresql_url
from tests.strategies.books import chain, entry_after, subject

TASHI, PEMA = subject("tashi"), subject("pema")


class Undone(Exception):
    """The block ends before its end."""


def append(store: Store, entries: list[Entry]) -> None:
    with store.writing() as books:
        books.ledger.append(entries)


def sequence(store: Store, *, at_most: int = 4_096) -> LogRange | None:
    with store.writing() as books:
        return books.ledger.sequence(at_most=at_most)


def in_the_log(store: Store, entries: list[Entry]) -> LogRange | None:
    append(store, entries)
    return sequence(store)


def contents(store: Store) -> tuple[object, ...]:
    """Everything that a reader can see of the ledger."""
    with store.reading() as books:
        ledger = books.ledger
        subjects = list(ledger.subjects(""))
        entries = [entry for each in subjects for entry in ledger.entries_of(each)]
        places = [ledger.log_index_of(entry.leaf.subject, entry.leaf.seq) for entry in entries]
        tiles = [ledger.tile(0, 0), ledger.tile(1, 0)]
        waiting = ledger.pending(at_most=1_000)
        return ledger.size(), ledger.root(), entries, places, waiting, tiles, list(ledger.checkpoints())


def test_a_new_ledger_holds_nothing(store: Store) -> None:
    with store.reading() as books:
        ledger = books.ledger
        assert (ledger.size(), ledger.root()) == (0, sha256().digest())
        assert ledger.heads_of([TASHI, PEMA]) == {TASHI: EMPTY, PEMA: EMPTY}
        assert ledger.heads_of([]) == {}
        assert list(ledger.entries_of(TASHI)) == []
        assert list(ledger.subjects("")) == []
        assert ledger.entry(TASHI, 0) is None
        assert ledger.entry_by_key(TASHI, "k") is None
        assert ledger.log_index_of(TASHI, 0) is None
        assert ledger.pending(at_most=10) == 0
        assert ledger.tile(0, 0) is None
        assert ledger.latest_checkpoint() is None
        assert list(ledger.checkpoints()) == []


def test_a_subject_that_no_database_can_hold_has_no_entry(store: Store) -> None:
    with store.reading() as books:
        assert books.ledger.entry(SubjectId("account:\0"), 0) is None


def test_what_was_appended_is_read_back_byte_for_byte(store: Store) -> None:
    entries = [*chain(TASHI, length=3), *chain(PEMA, length=2)]
    assert in_the_log(store, entries) == LogRange(first=0, size=5)
    with store.reading() as books:
        ledger = books.ledger
        assert [*ledger.entries_of(TASHI), *ledger.entries_of(PEMA)] == entries
        assert all(parse_leaf(entry.leaf_bytes) == entry.leaf for entry in ledger.entries_of(TASHI))
        assert ledger.heads_of([TASHI, PEMA]) == {TASHI: head_after(entries[2]), PEMA: head_after(entries[4])}
        assert [ledger.entry(TASHI, seq) for seq in range(-1, 4)] == [None, *entries[:3], None]


def test_a_chain_longer_than_a_page_is_read_whole(store: Store) -> None:
    entries = chain(TASHI, length=600)
    append(store, entries)
    with store.reading() as books:
        assert list(books.ledger.entries_of(TASHI)) == entries


def test_entries_take_their_places_by_subject_and_seq(store: Store) -> None:
    in_the_log(store, [*chain(TASHI, length=2), *chain(PEMA, length=1)])
    in_the_log(store, chain(PEMA, length=1, head=head_after(chain(PEMA, length=1)[0])))
    with store.reading() as books:
        wanted = [(PEMA, 0), (TASHI, 0), (TASHI, 1), (PEMA, 1)]
        assert [books.ledger.log_index_of(of, seq) for of, seq in wanted] == [0, 1, 2, 3]
        assert [books.ledger.entry_at(at) for at in range(5)] == [
            *(books.ledger.entry(of, seq) for of, seq in wanted),
            None,
        ]
        hashes = [entry.leaf_hash for of, seq in wanted if (entry := books.ledger.entry(of, seq))]
        tile = books.ledger.tile(0, 0)
        assert tile is not None
        assert tile.startswith(b"".join(hashes))


def test_appending_nothing_changes_nothing(store: Store) -> None:
    in_the_log(store, chain(TASHI, length=2))
    before = contents(store)
    assert in_the_log(store, []) == LogRange(first=2, size=2)
    assert contents(store) == before


def test_an_entry_waits_for_its_place_until_it_is_given_one(store: Store) -> None:
    entries = [*chain(TASHI, length=3), *chain(PEMA, length=2)]
    append(store, entries)
    with store.reading() as books:
        assert (books.ledger.size(), books.ledger.root()) == (0, sha256().digest())
        assert [books.ledger.log_index_of(entry.leaf.subject, entry.leaf.seq) for entry in entries] == [
            None
        ] * 5
        assert [books.ledger.pending(at_most=most) for most in (0, 3, 5, 9)] == [0, 3, 5, 5]
    assert sequence(store, at_most=3) == LogRange(first=0, size=3)
    with store.reading() as books:
        ledger = books.ledger
        assert ledger.pending(at_most=9) == 2
        assert [ledger.log_index_of(TASHI, seq) for seq in range(3)] == [2, None, None]
        for seq, index in enumerate([2, None, None]):
            assert ledger.place_of(TASHI, seq) == LogPlace(index=index, size=3, root=ledger.root())
    assert sequence(store) == LogRange(first=3, size=5)


def test_on_postgresql_the_sequencer_stops_no_writer_and_no_second_one_runs() -> None:
    with postgresql_url() as url, opened(url) as engine:
        store, other = SqlStore(engine), SqlStore(engine)
        append(store, chain(TASHI, length=3))
        with store.writing() as books:
            assert books.ledger.sequence() == LogRange(first=0, size=3)
            append(other, chain(PEMA, length=1))
            assert sequence(other) is None
        assert sequence(other) == LogRange(first=3, size=4)


def test_one_transaction_may_append_twice_and_sees_itself(store: Store) -> None:
    first, second = chain(TASHI, length=2)
    with store.writing() as books:
        books.ledger.append([first])
        assert books.ledger.heads_of([TASHI]) == {TASHI: head_after(first)}
        assert books.ledger.sequence() == LogRange(first=0, size=1)
        books.ledger.append([second])
        assert books.ledger.sequence() == LogRange(first=1, size=2)
    with store.reading() as books:
        assert list(books.ledger.entries_of(TASHI)) == [first, second]


@pytest.mark.parametrize("says", ["the same", "another"])
def test_a_chain_that_moved_refuses_the_whole_append(store: Store, says: str) -> None:
    append(store, chain(TASHI, length=1, says="the same"))
    before = contents(store)
    with store.writing() as books:
        with pytest.raises(HeadMoved) as refusal:
            books.ledger.append([*chain(PEMA, length=2), *chain(TASHI, length=1, says=says)])
        assert refusal.value.values == {"subject": TASHI, "expected": 0}
        assert list(books.ledger.subjects("")) == [TASHI]
    assert contents(store) == before


def test_a_chain_must_end_in_the_expected_hash_too(store: Store) -> None:
    append(store, chain(TASHI, length=1, says="one"))
    fork = chain(TASHI, length=2, says="another")
    with store.writing() as books, pytest.raises(HeadMoved):
        books.ledger.append(fork[1:])


def test_an_entry_beyond_the_end_of_its_chain_is_refused(store: Store) -> None:
    with store.writing() as books, pytest.raises(HeadMoved):
        books.ledger.append(chain(TASHI, length=2)[1:])


def test_first_entries_are_those_with_which_chains_begin(store: Store) -> None:
    tashi = chain(TASHI, length=3)
    append(store, tashi)
    append(store, chain(PEMA, length=1))
    with store.reading() as books:
        assert books.ledger.first_entries([TASHI, subject("nobody")]) == {TASHI: tashi[0]}
        assert books.ledger.first_entries([TASHI, PEMA]).keys() == {TASHI, PEMA}
        assert books.ledger.first_entries([]) == {}


def test_an_idempotency_key_finds_its_entry_in_its_chain_alone(store: Store) -> None:
    entry = entry_after(EMPTY, of=TASHI, idempotency_key="row 7")
    append(store, [entry, entry_after(EMPTY, of=PEMA)])
    with store.reading() as books:
        assert books.ledger.entry_by_key(TASHI, "row 7") == entry
        assert books.ledger.entry_by_key(TASHI, "row 8") is None
        assert books.ledger.entry_by_key(PEMA, "row 7") is None


def test_an_idempotency_key_makes_one_entry(store: Store) -> None:
    first = entry_after(EMPTY, of=TASHI, idempotency_key="row 7")
    again = entry_after(head_after(first), of=TASHI, idempotency_key="row 7")
    append(store, [first])
    before = contents(store)
    with store.writing() as books:
        with pytest.raises(IdempotencyKeyTaken):
            books.ledger.append([*chain(PEMA, length=1), again])
        # The transaction goes on as if nothing had been asked.
        books.ledger.append([entry_after(EMPTY, of=PEMA, idempotency_key="row 7")])
    with store.reading() as books:
        assert [*books.ledger.entries_of(TASHI)] == [first]
        assert [entry.idempotency_key for entry in books.ledger.entries_of(PEMA)] == ["row 7"]
    assert contents(store) != before


def test_an_idempotency_key_used_twice_in_one_append_is_refused(store: Store) -> None:
    first = entry_after(EMPTY, of=TASHI, idempotency_key="row 7")
    before = contents(store)
    with store.writing() as books, pytest.raises(IdempotencyKeyTaken):
        books.ledger.append([first, entry_after(head_after(first), of=TASHI, idempotency_key="row 7")])
    assert contents(store) == before


def test_a_block_that_raises_leaves_nothing(store: Store) -> None:
    append(store, chain(TASHI, length=1))
    before = contents(store)

    def write_and_stop() -> None:
        with store.writing() as books:
            books.ledger.append(chain(PEMA, length=3))
            books.ledger.add_checkpoint(size=4, note=b"a note")
            raise Undone

    with pytest.raises(Undone):
        write_and_stop()
    assert contents(store) == before


def test_a_reader_keeps_its_view_while_others_write(store: Store) -> None:
    in_the_log(store, chain(TASHI, length=1))
    with store.reading() as books:
        assert books.ledger.size() == 1
        in_the_log(store, chain(PEMA, length=2))
        assert books.ledger.size() == 1
        assert list(books.ledger.subjects("")) == [TASHI]
    with store.reading() as books:
        assert books.ledger.size() == 3


def test_subjects_come_by_prefix_in_order_of_code_points(store: Store) -> None:
    names = ["account:A", "account:a", "account:Z", "account:", "account", "accounu", "institution:b"]
    names += [
        "account:扎西",
        "account:བཀྲ་ཤིས",
        "account:\U0001f3d4",
        "account:\uffff",
        "account:%",
        "account:_",
    ]
    append(store, [entry for name in names for entry in chain(SubjectId(name), length=2)])
    with store.reading() as books:
        for prefix in ["", "account:", "account:扎", "institution:", "nobody", "account:\U0001f3d4"]:
            wanted = sorted(name for name in names if name.startswith(prefix))
            assert list(books.ledger.subjects(prefix)) == wanted


def test_more_subjects_than_a_page_are_all_found(store: Store) -> None:
    subjects = [subject(f"{number:04}") for number in range(700)]
    append(store, [entry for each in subjects for entry in chain(each, length=1)])
    with store.reading() as books:
        assert list(books.ledger.subjects("account:")) == subjects


def test_fifty_thousand_heads_are_found_at_once(store: Store) -> None:
    subjects = [subject(number) for number in range(50_000)]
    entries = [*chain(subjects[0], length=3), *chain(subjects[-1], length=1)]
    append(store, entries)
    with store.reading() as books:
        heads = books.ledger.heads_of(subjects)
    assert len(heads) == 50_000
    assert Counter(heads.values())[EMPTY] == 49_998
    assert (heads[subjects[0]], heads[subjects[-1]]) == (head_after(entries[2]), head_after(entries[3]))


def test_checkpoints_are_kept_by_size_and_never_replaced(store: Store) -> None:
    with store.writing() as books:
        for size in (10, 2, 300):
            books.ledger.add_checkpoint(size=size, note=b"note %d" % size)
        books.ledger.add_checkpoint(size=10, note=b"another note")
    with store.reading() as books:
        assert list(books.ledger.checkpoints()) == [b"note 2", b"note 10", b"note 300"]
        assert books.ledger.latest_checkpoint() == b"note 300"


def test_two_openings_of_one_database_take_turns(engine: Engine) -> None:
    stores = [SqlStore(engine), SqlStore(engine)]

    def extend_own_chain(writer: int) -> None:
        for entry in chain(subject(writer), length=10):
            append(stores[writer % 2], [entry])

    with ThreadPoolExecutor(max_workers=6) as pool:
        list(pool.map(extend_own_chain, range(6)))
    sequence(stores[0])
    with stores[0].reading() as books:
        assert books.ledger.size() == 60
        assert [list(books.ledger.entries_of(subject(w))) for w in range(6)] == [
            chain(subject(w), length=10) for w in range(6)
        ]


def test_of_two_writers_on_one_chain_exactly_one_is_first(store: Store) -> None:
    def extend_once(writer: int) -> int:
        refusals = 0
        while True:
            with store.reading() as books:
                head: Head = books.ledger.heads_of([TASHI])[TASHI]
            try:
                append(store, [entry_after(head, of=TASHI, says=f"writer {writer}")])
            except HeadMoved:
                refusals += 1
            else:
                return refusals

    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(extend_once, range(40)))
    sequence(store)
    with store.reading() as books:
        entries = list(books.ledger.entries_of(TASHI))
        assert [entry.leaf.seq for entry in entries] == list(range(40))
        assert len({entry.payload.content for entry in entries if entry.payload}) == 40
        assert [books.ledger.log_index_of(TASHI, seq) for seq in range(40)] == list(range(40))


def test_writers_that_read_the_same_head_do_not_both_win(store: Store) -> None:
    def race(writer: int) -> bool:
        try:
            append(store, [entry_after(EMPTY, of=TASHI, says=f"writer {writer}")])
        except HeadMoved:
            return False
        return True

    with ThreadPoolExecutor(max_workers=6) as pool:
        won = list(pool.map(race, range(12)))
    assert won.count(True) == 1
    with store.reading() as books:
        assert len(list(books.ledger.entries_of(TASHI))) == 1
