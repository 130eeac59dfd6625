"""Every store destroys what a redaction reaches, all of it and nothing else, and knows what is left to do."""

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creditbank.account.records import KeptAnswer, Officer, OutcomeKey, Redaction
from creditbank.account.redaction import Destroyed
from creditbank.identity.account_number import AccountNumber, account_number_of
from creditbank.ledger.chain_check import findings
from creditbank.ledger.entry import REDACTION, Entry
from creditbank.services.books import Books, Store
from creditbank.storage.memory_store import MemoryStore
from creditbank.terms import Microseconds, OfficerId
from tests.strategies.books import account, receipt_batch
from tests.strategies.ledger import head_of, next_entry

TASHI, PEMA, DAWA = (account_number_of(sha256(name).digest()[:10]) for name in (b"tashi", b"pema", b"dawa"))
NOTHING = Destroyed(payloads=0, idempotency_keys=0, outcome_keys=0, identities=0, receipts=0, answers=0)


def citizen_of(number: AccountNumber) -> bytes:
    return sha256(number.text.encode()).digest()


def key_of(number: AccountNumber, seq: int) -> bytes:
    return sha256(f"{number} {seq}".encode()).digest()


def append(books: Books, number: AccountNumber, *kinds: str) -> list[Entry]:
    """Open an account whose entries are of these kinds; every second has an idempotency key."""
    entries: list[Entry] = []
    for seq, kind in enumerate(kinds):
        key = f"key {seq}" if seq % 2 == 0 else None
        entries.append(next_entry(head_of(entries), subject=number.subject, kind=kind, key=key))
    books.ledger.append(entries)
    places = [
        OutcomeKey(key=key_of(number, e.leaf.seq), subject=number.subject, seq=e.leaf.seq) for e in entries
    ]
    books.outcomes.add(places)
    books.accounts.add([account(number.text, citizen=citizen_of(number))])
    return entries


def bare(entry: Entry) -> Entry:
    return replace(entry, payload=None, idempotency_key=None)


@settings(max_examples=60)
@given(st.integers(0, 5), st.integers(0, 2))
def test_a_redaction_takes_everything_before_it_and_leaves_the_leaves(before: int, after: int) -> None:
    store = MemoryStore()
    with store.writing() as books:
        entries = append(books, TASHI, *["outcome.recorded"] * before, REDACTION, *["later"] * after)
        others = append(books, PEMA, "outcome.recorded", "outcome.recorded")
        here = Redaction(subject=TASHI.subject, seq=before)
        assert books.redactions.reach(here) == Destroyed(
            payloads=before,
            idempotency_keys=(before + 1) // 2,
            outcome_keys=before,
            identities=1,
            receipts=0,
            answers=0,
        )
        books.redactions.destroy(here)
        assert books.redactions.reach(here) == NOTHING
        left = list(books.ledger.entries_of(TASHI.subject))
        assert left == [*map(bare, entries[:before]), *entries[before:]]
        assert list(findings(left, expected=head_of(entries))) == []
        assert list(books.ledger.entries_of(PEMA.subject)) == others


@pytest.fixture
def redacted(store: Store) -> Store:
    """Three accounts, of which Tashi's is redacted but not yet destroyed, and two posted files."""
    with store.writing() as books:
        append(books, TASHI, "outcome.recorded", "outcome.recorded", REDACTION)
        append(books, PEMA, "outcome.recorded", "outcome.recorded")
        append(books, DAWA, "outcome.recorded", REDACTION)
        books.batches.add(receipt_batch("1", TASHI, PEMA))
        books.batches.add(receipt_batch("2", PEMA))
        books.batches.add(receipt_batch("3", TASHI))
    return store


HERE = Redaction(subject=TASHI.subject, seq=2)


def test_what_is_destroyed_is_gone_from_every_book(redacted: Store) -> None:
    with redacted.writing() as books:
        assert books.redactions.reach(HERE) == Destroyed(
            payloads=2, idempotency_keys=1, outcome_keys=2, identities=1, receipts=2, answers=0
        )
        books.redactions.destroy(HERE)
    with redacted.reading() as books:
        entries = list(books.ledger.entries_of(TASHI.subject))
        assert [entry.payload is None for entry in entries] == [True, True, False]
        assert [entry.idempotency_key for entry in entries] == [None, None, "key 2"]
        assert books.ledger.entry_by_key(TASHI.subject, "key 0") is None
        assert books.ledger.entry_by_key(TASHI.subject, "key 2") == entries[2]
        assert books.accounts.find(TASHI.subject) is None
        assert books.accounts.find_by_citizen([citizen_of(TASHI)]) == {}
        assert books.outcomes.find([key_of(TASHI, seq) for seq in range(2)]) == {}
        assert books.outcomes.find([key_of(TASHI, 2)]).keys() == {key_of(TASHI, 2)}
        assert books.ledger.heads_of([TASHI.subject])[TASHI.subject] == head_of(entries)
        assert books.accounts.find(PEMA.subject) is not None
        assert len(books.outcomes.find([key_of(PEMA, 0), key_of(PEMA, 1)])) == 2


def test_answers_that_are_kept_count_until_they_are_forgotten(redacted: Store) -> None:
    kept = [
        KeptAnswer(
            key=sha256(b"%d" % place).digest(),
            request=bytes(32),
            subject=None if number is None else number.subject,
            answer=b"sealed",
            kept_at=Microseconds(1),
        )
        for place, number in enumerate((TASHI, TASHI, PEMA, None))
    ]
    with redacted.writing() as books:
        for answer in kept:
            books.answers.add(answer)
        books.redactions.destroy(HERE)
        assert books.redactions.reach(HERE) == replace(NOTHING, receipts=2, answers=2)
        assert books.answers.forget(TASHI.subject) == 2
        assert books.redactions.reach(HERE) == replace(NOTHING, receipts=2)
        assert [books.answers.find(answer.key) for answer in kept] == [None, None, *kept[2:]]


def test_a_person_can_have_a_new_account(redacted: Store) -> None:
    with redacted.writing() as books:
        books.redactions.destroy(HERE)
        again = account("another", citizen=citizen_of(TASHI))
        books.accounts.add([again])
        assert books.accounts.find_by_citizen([citizen_of(TASHI)]) == {citizen_of(TASHI): again}


def test_destroying_twice_is_destroying_once(redacted: Store) -> None:
    for _ in range(2):
        with redacted.writing() as books:
            books.redactions.destroy(HERE)
    with redacted.reading() as books:
        assert books.redactions.reach(replace(HERE, seq=0)).receipts == 2
        assert books.accounts.find(PEMA.subject) is not None


@pytest.mark.parametrize("seq", [1, 3])
def test_nothing_is_destroyed_without_the_entry_that_says_so(redacted: Store, seq: int) -> None:
    with pytest.raises(Exception, match=r"append-only|redaction-without-entry"), redacted.writing() as books:
        books.redactions.destroy(Redaction(subject=PEMA.subject, seq=seq))
    with redacted.reading() as books:
        assert books.redactions.reach(Redaction(subject=PEMA.subject, seq=9)).payloads == 2


def test_receipts_are_found_replaced_and_forgotten(redacted: Store) -> None:
    with redacted.writing() as books:
        books.redactions.destroy(HERE)
        named = {batch.number: batch for batch in books.redactions.receipts_naming(TASHI.subject)}
        assert named.keys() == {"1", "3"}
        shorter = receipt_batch("1", TASHI, PEMA, without=TASHI)
        books.redactions.replace_receipt("1", shorter.receipt)
        books.redactions.replace_receipt("3", None)
        assert list(books.redactions.receipts_naming(TASHI.subject)) == []
        assert [batch.number for batch in books.redactions.receipts_naming(PEMA.subject)] == ["1", "2"]
        kept = books.batches.find(issuer=shorter.issuer, file_digest=shorter.file_digest)
        assert kept == shorter


def test_the_log_names_its_redactions_and_what_they_have_left(redacted: Store) -> None:
    with redacted.writing() as books:
        in_log = list(books.redactions.in_log())
        assert {(one.subject, one.seq) for one in in_log} == {(TASHI.subject, 2), (DAWA.subject, 1)}
        assert {one.subject for one in books.redactions.unapplied(in_log)} == {TASHI.subject, DAWA.subject}
        books.redactions.destroy(Redaction(subject=DAWA.subject, seq=1))
        assert [one.subject for one in books.redactions.unapplied(in_log)] == [TASHI.subject]
        books.redactions.destroy(HERE)
        # Two receipts lead to Tashi's account still.
        assert [one.subject for one in books.redactions.unapplied(in_log)] == [TASHI.subject]
        for number in ("1", "3"):
            batch = receipt_batch("1", TASHI, PEMA, without=TASHI) if number == "1" else None
            books.redactions.replace_receipt(number, None if batch is None else batch.receipt)
        assert books.redactions.unapplied(in_log) == []
        assert books.redactions.unapplied([]) == []


def test_what_is_not_cleaned_is_remembered_until_it_is(store: Store) -> None:
    later = replace(HERE, seq=7)
    pema = Redaction(subject=PEMA.subject, seq=1)
    with store.writing() as books:
        for redaction in (HERE, pema, HERE, later):
            books.redactions.mark_uncleaned(redaction)
    with store.writing() as books:
        assert {(one.subject, one.seq) for one in books.redactions.uncleaned()} == {
            (TASHI.subject, 7),
            (PEMA.subject, 1),
        }
        books.redactions.mark_cleaned([HERE, pema])  # another one came after HERE
        books.redactions.mark_cleaned([])
        assert books.redactions.uncleaned() == [later]


def test_officers_come_and_are_retired_once(store: Store) -> None:
    first, second = (
        Officer(
            id=OfficerId(f"officer:{name}"),
            name=name,
            digest=sha256(name.encode()).digest(),
            added_at=Microseconds(at),
        )
        for at, name in enumerate(("b", "a"))
    )
    with store.writing() as books:
        books.officers.add(second)
        books.officers.add(first)
    with store.writing() as books:
        assert books.officers.all() == [first, second]
        books.officers.retire(first.id, at=Microseconds(5))
        books.officers.retire(first.id, at=Microseconds(6))
        books.officers.retire(OfficerId("nobody"), at=Microseconds(7))
    with store.reading() as books:
        assert books.officers.all() == [replace(first, retired_at=Microseconds(5)), second]


def test_all_of_a_redaction_is_undone_together(redacted: Store) -> None:
    def redact_and_stop() -> None:
        with redacted.writing() as books:
            books.redactions.destroy(HERE)
            books.redactions.mark_uncleaned(HERE)
            books.redactions.replace_receipt("3", None)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        redact_and_stop()
    with redacted.reading() as books:
        assert books.redactions.reach(HERE) == Destroyed(
            payloads=2, idempotency_keys=1, outcome_keys=2, identities=1, receipts=2, answers=0
        )
        assert books.redactions.uncleaned() == []
