"""The books: everything that one transaction sees and changes together, and the store that opens them.

`storage/` keeps these promises, in memory and in SQL; `tests/contract` checks both against them.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from creditbank.account.records import (
    AccountRecord,
    BankRecord,
    Batch,
    KeptAnswer,
    Officer,
    OutcomeKey,
    Redaction,
)
from creditbank.account.redaction import Destroyed
from creditbank.ledger.append import SEQUENCED_AT_ONCE, LogPlace, LogRange
from creditbank.ledger.chain import Head
from creditbank.ledger.cosignature import Cosignature
from creditbank.ledger.entry import Entry
from creditbank.terms import IssuerId, Microseconds, OfficerId, SubjectId

T = TypeVar("T")


class LedgerStore(Protocol):
    """Where entries live: they are added, never changed, never removed."""

    def size(self) -> int:
        """Return how many entries the log holds."""

    def root(self) -> bytes:
        """Return the RFC 6962 root over the whole log."""

    def heads_of(self, subjects: Collection[SubjectId]) -> Mapping[SubjectId, Head]:
        """Return the end of every subject's chain, `EMPTY` for one that has no entry."""

    def subjects(self, prefix: str) -> Iterator[SubjectId]:
        """Yield every subject that has an entry and starts with `prefix`, in order of code points."""

    def entries_of(self, subject: SubjectId) -> Iterator[Entry]:
        """Yield the subject's entries in order, redacted ones without payload."""

    def entry(self, subject: SubjectId, seq: int) -> Entry | None:
        """Return one entry of the subject's chain."""

    def first_entries(self, subjects: Collection[SubjectId]) -> Mapping[SubjectId, Entry]:
        """Return the first entry of every subject's chain, of those that have one."""

    def entry_by_key(self, subject: SubjectId, idempotency_key: str) -> Entry | None:
        """Return the entry that this key made in the subject's chain, if there is one."""

    def append(self, entries: Sequence[Entry]) -> None:
        """Add `entries`, in this order, to their chains, all or none; they wait for their places in the log.

        Raises:
            HeadMoved: a chain no longer ends where its first new entry expects it to.
            IdempotencyKeyTaken: the chain already holds an entry that this key made.
        """

    def sequence(self, *, at_most: int = SEQUENCED_AT_ONCE) -> LogRange | None:
        """Give entries that wait, by subject and seq, the next places in the log; grow the tree over them.

        None where another process is at it just now.
        """

    def pending(self, *, at_most: int) -> int:
        """Return how many entries wait for their places, counted up to `at_most`."""

    def log_index_of(self, subject: SubjectId, seq: int) -> int | None:
        """Return the entry's place in the log, None while it waits for one."""

    def place_of(self, subject: SubjectId, seq: int) -> LogPlace:
        """Return the entry's place in the log, and the log that this is the place in."""

    def entry_at(self, log_index: int) -> Entry | None:
        """Return the entry at a place in the log, None where there is none yet."""

    def tile(self, level: int, index: int) -> bytes | None:
        """Return one stored tile of the log's tree (see `ledger.tiles`)."""

    def checkpoints(self) -> Iterator[bytes]:
        """Yield every signed note that was kept, the smallest log first."""

    def latest_checkpoint(self) -> bytes | None:
        """Return the signed note of the largest checkpoint, if one was made."""

    def add_checkpoint(self, *, size: int, note: bytes) -> None:
        """Keep a signed checkpoint; the same size again is left as it is."""


class CheckpointStore(Protocol):
    """The checkpoints that were kept, each by its size, and the witnesses that cosigned them."""

    def note(self, size: int) -> bytes | None:
        """Return the signed note of the checkpoint of this size, as the log alone signed it."""

    def cosignatures(self, size: int) -> Sequence[Cosignature]:
        """Return the newest cosignature of each witness under the checkpoint of this size, by witness."""

    def latest_cosigned(self) -> int | None:
        """Return the size of the largest checkpoint that a witness has cosigned."""

    def add_cosignatures(self, *, size: int, cosignatures: Collection[Cosignature]) -> None:
        """Keep cosignatures of a checkpoint that is kept; one that is already there is left as it is."""


class AccountStore(Protocol):
    """Who the accounts belong to, sealed."""

    def add(self, records: Sequence[AccountRecord]) -> None:
        """Add accounts.

        Raises:
            Raced: a citizen index is already taken.
            Misconfigured: an account is wrapped by an encryption key that is not admitted (any more).
        """

    def find(self, subject: SubjectId) -> AccountRecord | None: ...

    def find_by_citizen(self, indexes: Collection[bytes]) -> Mapping[bytes, AccountRecord]:
        """Return the accounts among `indexes` that exist, by citizen index."""

    def admitted_keys(self) -> AbstractSet[str]:
        """Return the ids of the encryption keys that may wrap accounts."""

    def wrapped_by(self) -> Mapping[str, int]:
        """Return every admitted encryption key, by id, and how many accounts it wraps."""

    def not_wrapped_by(self, key_id: str, *, after: SubjectId | None, limit: int) -> Sequence[AccountRecord]:
        """Return up to `limit` accounts that another key wraps, in order of subject, from after `after`."""

    def rewrap(self, changes: Sequence[tuple[AccountRecord, AccountRecord]]) -> None:
        """Replace what wraps the data keys of accounts, old by new, where it is still as in the old record.

        Raises:
            Misconfigured: an account is wrapped by an encryption key that is not admitted (any more).
        """

    def admit_key(self, key_id: str) -> None:
        """Let an encryption key wrap accounts; one that is admitted stays so."""

    def dismiss_key(self, key_id: str) -> None:
        """Let an encryption key wrap no account any more, in this process or another; again, nothing happens.

        Raises:
            Conflict: it still wraps one.
        """


class OutcomeIndex(Protocol):
    """Blind keys of what names an outcome, so that a certificate number finds it without being kept."""

    def add(self, keys: Sequence[OutcomeKey]) -> None:
        """Add keys; one that is already there is left as it is."""

    def claim(self, keys: Collection[bytes]) -> None:
        """Keep other transactions from claiming any of `keys` until this one ends; wait for who has them.

        What is found under a claimed key stays all there is to find.
        """

    def find(self, keys: Collection[bytes]) -> Mapping[bytes, tuple[OutcomeKey, ...]]:
        """Return what those of `keys` that exist point to, in order of subject and place."""


class BatchStore(Protocol):
    """Receipts of posted files."""

    def find(self, *, issuer: IssuerId, file_digest: bytes) -> Batch | None: ...

    def add(self, batch: Batch) -> None:
        """Keep a receipt.

        Raises:
            Raced: this issuer's file has already been posted, or the number is taken.
        """


class AnswerStore(Protocol):
    """What requests under idempotency keys were answered, sealed."""

    def claim(self, key: bytes) -> bool:
        """Keep other processes from answering under `key` until this transaction ends.

        False where one is at it just now. Where there can be one writer only, it has waited for that one.
        """

    def find(self, key: bytes) -> KeptAnswer | None: ...

    def add(self, answer: KeptAnswer) -> None:
        """Keep an answer.

        Raises:
            Raced: its key has an answer already.
        """

    def forget(self, subject: SubjectId) -> int:
        """Remove every answer that speaks of `subject`, and return how many there were."""


class BankStore(Protocol):
    """The one line that says which bank this database belongs to."""

    def read(self) -> BankRecord | None: ...

    def write(self, record: BankRecord) -> None:
        """Write the line, once.

        Raises:
            Raced: the database already belongs to a bank.
        """


class TokenStore(Protocol):
    """The digest of the operator's token; the token itself is shown once and kept nowhere."""

    def digest(self) -> bytes | None: ...

    def set_digest(self, digest: bytes) -> None:
        """Replace the digest; a server that is running knows the old one until it is started again."""


class OfficerStore(Protocol):
    """Who acts for the bank. Officers are added and retired, never changed or removed."""

    def all(self) -> Sequence[Officer]:
        """Return every officer, retired ones too, in the order in which they came."""

    def add(self, officer: Officer) -> None: ...

    def retire(self, officer: OfficerId, *, at: Microseconds) -> None:
        """Retire an officer; one who is retired already stays as it is."""


class RedactionStore(Protocol):
    """What is kept of an account beside the leaves of its entries: counted, destroyed, cleaned away."""

    def reach(self, redaction: Redaction) -> Destroyed:
        """Return how much there is to destroy before this place in its chain."""

    def destroy(self, redaction: Redaction) -> None:
        """Destroy salts, payloads, idempotency keys and outcome keys before this place, and the identity.

        The entry `account.redacted` must stand there already: a database refuses it otherwise.
        """

    def receipts_naming(self, subject: SubjectId) -> Iterator[Batch]:
        """Yield every posted file whose receipt names this account."""

    def replace_receipt(self, number: str, receipt: bytes | None) -> None:
        """Keep a receipt without its lines about redacted accounts; without any line, forget the file."""

    def in_log(self) -> Iterator[Redaction]:
        """Yield the last redaction of every chain that has one, in order of subject."""

    def unapplied(self, redactions: Collection[Redaction]) -> Sequence[Redaction]:
        """Return those of `redactions` before which something is left to destroy."""

    def uncleaned(self) -> Sequence[Redaction]:
        """Return the redactions whose traces may still stand in free pages and in the write-ahead log."""

    def mark_uncleaned(self, redaction: Redaction) -> None: ...

    def mark_cleaned(self, redactions: Iterable[Redaction]) -> None: ...


class Books(Protocol):
    """Everything that one transaction sees and changes together."""

    @property
    def ledger(self) -> LedgerStore: ...
    @property
    def checkpoints(self) -> CheckpointStore: ...
    @property
    def accounts(self) -> AccountStore: ...
    @property
    def outcomes(self) -> OutcomeIndex: ...
    @property
    def batches(self) -> BatchStore: ...
    @property
    def answers(self) -> AnswerStore: ...
    @property
    def tokens(self) -> TokenStore: ...
    @property
    def bank(self) -> BankStore: ...
    @property
    def officers(self) -> OfficerStore: ...
    @property
    def redactions(self) -> RedactionStore: ...


class Store(Protocol):
    """Opens the books."""

    def reading(self) -> AbstractContextManager[Books]:
        """Open one consistent view of the books."""

    def writing(self) -> AbstractContextManager[Books]:
        """Open the books in one transaction: kept when the block ends, undone when it raises."""

    def written(self, action: Callable[[Books], T], *, about: SubjectId | None = None) -> T:
        """Return what `action` returns, once what it wrote is committed; where it raises, nothing is kept.

        Actions of several threads may share one transaction. One that another writer forestalled is done
        again on fresh books, so it must have no effect but on the books. `about` is the subject it writes to.

        Raises:
            Raced: others were first sixteen times in a row.
            LogBehind: too many entries wait for their places in the log.
        """
