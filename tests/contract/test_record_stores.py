"""Every store keeps the promises made for what stands beside the ledger: accounts, receipts and the rest."""

from dataclasses import replace
from hashlib import sha256

import pytest

from creditbank.account.records import AccountRecord, BankRecord, OutcomeKey
from creditbank.errors import Conflict
from creditbank.services.books import Store
from creditbank.terms import Microseconds
from tests.strategies.books import SCHOOL, STATION, account, batch, chain, subject
from tests.strategies.ledger import Witness

NIMA, DAWA = sha256(b"nima").digest(), sha256(b"dawa").digest()


def test_an_account_is_found_by_its_subject_and_its_citizen(store: Store) -> None:
    nima, nobody = account("1", citizen=NIMA), account("2")
    with store.writing() as books:
        books.accounts.add([nima, nobody])
    with store.reading() as books:
        assert books.accounts.find(nima.subject) == nima
        assert books.accounts.find(nobody.subject) == nobody
        assert books.accounts.find(subject("3")) is None
        assert books.accounts.find_by_citizen([NIMA, DAWA]) == {NIMA: nima}
        assert books.accounts.find_by_citizen([]) == {}


@pytest.mark.parametrize(
    "records",
    [
        [account("2", citizen=DAWA), account("3", citizen=NIMA)],
        [account("2", citizen=DAWA), account("3", citizen=DAWA)],
        [account("2", citizen=DAWA), account("1")],
        [account("2"), account("2")],
    ],
    ids=["citizen taken", "citizen twice", "subject taken", "subject twice"],
)
def test_an_account_is_opened_once_for_a_citizen(store: Store, records: list[AccountRecord]) -> None:
    with store.writing() as books:
        books.accounts.add([account("1", citizen=NIMA)])
    with store.writing() as books:
        with pytest.raises(Conflict, match="account-taken"):
            books.accounts.add(records)
        # Nothing of the refused call is there, and the transaction goes on.
        assert books.accounts.find(subject("2")) is None
        books.accounts.add([account("4")])
    with store.reading() as books:
        assert books.accounts.find(subject("4")) == account("4")
        assert books.accounts.find_by_citizen([NIMA, DAWA]) == {NIMA: account("1", citizen=NIMA)}


def test_fifty_thousand_citizens_and_keys_are_looked_up_at_once(store: Store) -> None:
    indexes = [sha256(str(number).encode()).digest() for number in range(50_000)]
    nima = account("1", citizen=indexes[-1])
    kept = OutcomeKey(key=indexes[40_000], subject=nima.subject, seq=0)
    with store.writing() as books:
        books.accounts.add([nima])
        books.outcomes.add([kept])
    with store.reading() as books:
        assert books.accounts.find_by_citizen(indexes) == {indexes[-1]: nima}
        assert books.outcomes.find(indexes) == {kept.key: (kept,)}


def test_a_key_finds_every_outcome_that_it_names(store: Store) -> None:
    here = OutcomeKey(key=NIMA, subject=subject("a"), seq=7)
    later = OutcomeKey(key=NIMA, subject=subject("a"), seq=10)
    elsewhere = OutcomeKey(key=NIMA, subject=subject("B"), seq=9)
    other = OutcomeKey(key=DAWA, subject=subject("a"), seq=7)
    with store.writing() as books:
        books.outcomes.add([later, here, elsewhere, other])
        books.outcomes.add([here])
        books.outcomes.add([])
    with store.reading() as books:
        assert books.outcomes.find([NIMA, DAWA, b"unknown"]) == {
            NIMA: (elsewhere, here, later),
            DAWA: (other,),
        }
        assert books.outcomes.find([]) == {}


def test_a_receipt_is_found_by_issuer_and_file(store: Store) -> None:
    posted = batch("1")
    with store.writing() as books:
        books.batches.add(posted)
    with store.reading() as books:
        assert books.batches.find(issuer=SCHOOL, file_digest=posted.file_digest) == posted
        assert books.batches.find(issuer=STATION, file_digest=posted.file_digest) is None
        assert books.batches.find(issuer=SCHOOL, file_digest=b"another") is None


@pytest.mark.parametrize("number", ["1", "2"])
def test_the_same_file_is_posted_once_by_one_issuer(store: Store, number: str) -> None:
    with store.writing() as books:
        books.batches.add(batch("1"))
        with pytest.raises(Conflict, match="file-already-posted"):
            books.batches.add(batch(number))
        books.batches.add(batch("3", issuer=STATION))
        with pytest.raises(Conflict):
            books.batches.add(batch("3", file=b"another file"))


def test_a_new_token_voids_the_old(store: Store) -> None:
    with store.reading() as books:
        assert books.tokens.digest() is None
    for digest in (NIMA, DAWA):
        with store.writing() as books:
            books.tokens.set_digest(digest)
        with store.reading() as books:
            assert books.tokens.digest() == digest


def test_a_database_belongs_to_one_bank(store: Store) -> None:
    record = BankRecord(
        origin="bank.example/log",
        key_check=NIMA,
        operator=SCHOOL,
        created_at=Microseconds(1_700_000_000_000_000),
    )
    with store.writing() as books:
        assert books.bank.read() is None
        books.bank.write(record)
    with store.writing() as books, pytest.raises(Conflict, match="bank-already-made"):
        books.bank.write(replace(record, origin="other.example/log"))
    with store.reading() as books:
        assert books.bank.read() == record


def test_all_books_are_undone_together(store: Store) -> None:
    def write_and_stop() -> None:
        with store.writing() as books:
            books.accounts.add([account("1", citizen=NIMA)])
            books.outcomes.add([OutcomeKey(key=NIMA, subject=subject("1"), seq=0)])
            books.batches.add(batch("1"))
            books.tokens.set_digest(NIMA)
            books.ledger.append(chain(subject("1"), length=1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_and_stop()
    with store.reading() as books:
        assert books.accounts.find(subject("1")) is None
        assert books.outcomes.find([NIMA]) == {}
        assert books.batches.find(issuer=SCHOOL, file_digest=batch("1").file_digest) is None
        assert books.tokens.digest() is None
        assert books.ledger.size() == 0


ONE, OTHER = Witness("one.example", bytes(32)), Witness("other.example", bytes([1]) * 32)


def test_a_checkpoint_is_found_by_its_size_and_its_newest_cosignatures_with_it(store: Store) -> None:
    old, new, others = (
        ONE.cosign(b"body\n", at=7),
        ONE.cosign(b"body\n", at=8),
        OTHER.cosign(b"body\n", at=2**63 - 1),
    )
    with store.writing() as books:
        assert books.checkpoints.latest_cosigned() is None
        books.ledger.add_checkpoint(size=3, note=b"three")
        books.ledger.add_checkpoint(size=5, note=b"five")
        books.checkpoints.add_cosignatures(size=3, cosignatures=[new])
        books.checkpoints.add_cosignatures(size=3, cosignatures=[])
        books.checkpoints.add_cosignatures(size=3, cosignatures=[others, old, new])
    with store.reading() as books:
        assert [books.checkpoints.note(size) for size in (3, 4, 5)] == [b"three", None, b"five"]
        assert books.checkpoints.cosignatures(3) == (new, others)
        assert books.checkpoints.cosignatures(5) == ()
        assert books.checkpoints.latest_cosigned() == 3


def test_a_cosignature_kept_is_left_as_it_is(store: Store) -> None:
    kept, again = ONE.cosign(b"body\n", at=7), ONE.cosign(b"another\n", at=7)
    with store.writing() as books:
        books.ledger.add_checkpoint(size=3, note=b"three")
        books.checkpoints.add_cosignatures(size=3, cosignatures=[kept])
    with store.writing() as books:
        books.checkpoints.add_cosignatures(size=3, cosignatures=[again])
    with store.reading() as books:
        assert books.checkpoints.cosignatures(3) == (kept,)
