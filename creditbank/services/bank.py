"""The parts of the bank, who is asking, and how use cases write: one transaction, again after a lost race."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta, timezone
from typing import TypeVar

from creditbank.account.records import BankRecord
from creditbank.conversion.solver import Solver
from creditbank.errors import NotAuthorised
from creditbank.ledger.chain import Head, extend, head_after
from creditbank.ledger.checkpoint import VerifierKey
from creditbank.ledger.cosignature import WitnessKey
from creditbank.ledger.entry import SALT_BYTES, Entry, Payload
from creditbank.outcomes.vocabulary import Vocabulary
from creditbank.services.books import Books, Store
from creditbank.services.ports import Clock, OutsideCheckpoint, Signer, Vault
from creditbank.terms import IssuerId, Microseconds, SubjectId, Wording, microseconds

T = TypeVar("T")

CHINA = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """How the log's checkpoints reach strangers."""

    outside: OutsideCheckpoint
    """Where the last one is kept beside the database."""
    witnesses: tuple[WitnessKey, ...] = ()
    """Whose cosignatures are taken."""
    every_seconds: int = 10
    """After how long the next one may be expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    """What every use case is given."""

    record: BankRecord
    store: Store
    vault: Vault
    verifier_keys: tuple[VerifierKey, ...]
    """The public keys that check the log's checkpoints: the current one first, then those it replaced."""
    signer: Signer | None
    """Signs the log's checkpoints; None in a process that does not hold the key."""
    institution_signers: Mapping[IssuerId, Signer]
    """Those that sign in an institution's own name, as far as this process holds their keys."""
    publication: Publication
    clock: Clock
    random: Callable[[int], bytes]
    vocabularies: Mapping[str, Vocabulary]
    allow_test_numbers: bool = False
    solver: Solver | None = None
    """Asked where the search for the best answer ends before it is proved; decisions name it."""
    known_names: dict[IssuerId, Wording] = field(default_factory=dict)
    """What institutions are called, each read once: how a chain begins never changes."""

    def now(self) -> Microseconds:
        """Return the instant at which this is done."""
        return microseconds(self.clock())

    def today(self) -> date:
        """Return the day it is in China, where every date of a record is meant."""
        return self.clock().astimezone(CHINA).date()

    def written(self, action: Callable[[Books], T], *, about: SubjectId | None = None) -> T:
        """Do `action` in one transaction, see `Store.written`."""
        return self.store.written(action, about=about)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who is asking, as authenticated. `issuer` is the institution in whose name entries are written."""

    issuer: IssuerId
    is_operator: bool = False

    @classmethod
    def operator(cls, issuer: IssuerId) -> "Principal":
        """Return the operator, speaking in the name of `issuer`."""
        return cls(issuer=issuer, is_operator=True)

    def must_be_operator(self) -> None:
        """Refuse anyone but the bank's operator.

        Raises:
            NotAuthorised: this principal is not the operator.
        """
        if not self.is_operator:
            raise NotAuthorised("operator-only")


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryReceipt:
    """What a writer gets back: which entry was made. Its place in the log follows soon."""

    subject: SubjectId
    seq: int
    leaf_hash: bytes
    recorded_at: Microseconds
    repeated: bool = False  # the same idempotency key made this entry before; nothing was written now


class Posting:
    """The entries of one transaction, each built after the end of its chain, then appended together.

    `heads` are read before anything that the entries rest on: if somebody writes in between, the append
    fails, and all is decided again on what is then true.
    """

    def __init__(
        self, bank: Bank, books: Books, *, heads: Mapping[SubjectId, Head], at: Microseconds
    ) -> None:
        self._bank = bank
        self._books = books
        self._heads = dict(heads)
        self._at = at
        self.entries: list[Entry] = []

    def add(
        self,
        subject: SubjectId,
        *,
        kind: str,
        issuer: IssuerId,
        content: bytes,
        idempotency_key: str | None = None,
    ) -> Entry:
        """Build the next entry of `subject`, whose head must be among `heads`."""
        entry = extend(
            self._heads[subject],
            log=self._bank.record.origin,
            subject=subject,
            at=self._at,
            kind=kind,
            issuer=issuer,
            payload=Payload(salt=self._bank.random(SALT_BYTES), content=content),
            idempotency_key=idempotency_key,
        )
        self._heads[subject] = head_after(entry)
        self.entries.append(entry)
        return entry

    def post(self) -> None:
        """Append everything that was added."""
        self._books.ledger.append(self.entries)

    def post_part(self) -> None:
        """Append what was added since the last part and let go of it; more of the transaction follows."""
        self.post()
        self.entries = []


def receipt_of(entry: Entry, *, repeated: bool = False) -> EntryReceipt:
    """Return the receipt of an entry that is in the ledger."""
    leaf = entry.leaf
    return EntryReceipt(
        subject=leaf.subject,
        seq=leaf.seq,
        leaf_hash=entry.leaf_hash,
        recorded_at=leaf.at,
        repeated=repeated,
    )
