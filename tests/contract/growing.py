"""Banks whose log grows, for the tests of publishing, proving and cosigning."""

from dataclasses import replace

from creditbank.ledger.checkpoint import Checkpoint
from creditbank.ledger.encoding import canonical_bytes
from creditbank.services.bank import Bank, Posting
from creditbank.services.books import Store
from creditbank.services.sequencing import sequence_pending
from creditbank.terms import SubjectId
from tests.banks import new_bank
from tests.strategies.books import SCHOOL, subject
from tests.strategies.ledger import Witness

ONE, OTHER = Witness("one.example", bytes(32)), Witness("other.example", bytes([1]) * 32)
TASHI = subject("tashi")


def growing_bank(store: Store) -> Bank:
    """Return a bank whose log has entries, all in their places, and that knows two witnesses."""
    bank = new_bank(store)
    sequence_pending(store)
    return replace(bank, publication=replace(bank.publication, witnesses=(ONE.key, OTHER.key)))


def grow(bank: Bank, count: int = 1, *, of: SubjectId = TASHI) -> None:
    """Add entries, in their places."""
    append(bank, count, of=of)
    sequence_pending(bank.store)


def append(bank: Bank, count: int = 1, *, of: SubjectId = TASHI) -> None:
    """Add entries that wait for their places."""
    with bank.store.writing() as books:
        posting = Posting(bank, books, heads=books.ledger.heads_of([of]), at=bank.now())
        for _ in range(count):
            posting.add(of, kind="outcome.recorded", issuer=SCHOOL, content=canonical_bytes({}))
        posting.post()


def signed(bank: Bank, checkpoint: Checkpoint) -> bytes:
    assert bank.signer is not None
    return bank.signer.sign(checkpoint.body())


def kept_notes(bank: Bank) -> list[bytes]:
    with bank.store.reading() as books:
        return list(books.ledger.checkpoints())
