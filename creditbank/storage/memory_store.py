"""The books in memory: `services.books.Store` for tests and trials, with the promises of `sql_store.py`."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TypeVar

from creditbank.account.records import AccountRecord, BankRecord, Batch, KeptAnswer, Officer, OutcomeKey
from creditbank.errors import Conflict, Raced
from creditbank.ledger.cosignature import Cosignature
from creditbank.storage.memory_ledger import MemoryLedger, MemoryLedgerState
from creditbank.storage.memory_redaction import MemoryOfficers, MemoryRedactions
from creditbank.storage.vault import EncryptionKeyUnusable
from creditbank.terms import IssuerId, OfficerId, SubjectId

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class MemoryState:
    """All that a bank holds. No value is changed in place, so that a copy of the maps is a copy."""

    ledger: MemoryLedgerState = field(default_factory=MemoryLedgerState)
    cosignatures: dict[int, tuple[Cosignature, ...]] = field(default_factory=dict)
    accounts: dict[SubjectId, AccountRecord] = field(default_factory=dict)
    citizens: dict[bytes, AccountRecord] = field(default_factory=dict)
    encryption_keys: frozenset[str] = frozenset({"initial"})
    outcomes: frozenset[OutcomeKey] = frozenset()
    batches: dict[str, Batch] = field(default_factory=dict)
    answers: dict[bytes, KeptAnswer] = field(default_factory=dict)
    digest: bytes | None = None
    bank: BankRecord | None = None
    officers: dict[OfficerId, Officer] = field(default_factory=dict)
    uncleaned: dict[SubjectId, int] = field(default_factory=dict)

    def copy(self) -> "MemoryState":
        return MemoryState(
            ledger=self.ledger.copy(),
            cosignatures=dict(self.cosignatures),
            accounts=dict(self.accounts),
            citizens=dict(self.citizens),
            encryption_keys=self.encryption_keys,
            outcomes=self.outcomes,
            batches=dict(self.batches),
            answers=dict(self.answers),
            digest=self.digest,
            bank=self.bank,
            officers=dict(self.officers),
            uncleaned=dict(self.uncleaned),
        )


class MemoryCheckpoints:
    """Checkpoints and who cosigned them: `services.books.CheckpointStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    def note(self, size: int) -> bytes | None:
        return self._state.ledger.notes.get(size)

    def cosignatures(self, size: int) -> Sequence[Cosignature]:
        kept = sorted(self._state.cosignatures.get(size, ()), key=lambda each: each.cosigned_at)
        newest = {each.witness.encode(): each for each in kept}
        return tuple(newest[witness] for witness in sorted(newest))

    def latest_cosigned(self) -> int | None:
        return max(self._state.cosignatures, default=None)

    def add_cosignatures(self, *, size: int, cosignatures: Collection[Cosignature]) -> None:
        kept = self._state.cosignatures.get(size, ())
        places = {(each.witness, each.cosigned_at) for each in kept}
        new = [each for each in cosignatures if (each.witness, each.cosigned_at) not in places]
        if new:
            self._state.cosignatures[size] = (*kept, *new)


class MemoryAccounts:
    """Who the accounts belong to, sealed: `services.books.AccountStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    def add(self, records: Sequence[AccountRecord]) -> None:
        accounts = {record.subject: record for record in records}
        indexed = [record for record in records if record.citizen_index is not None]
        citizens = {record.citizen_index: record for record in indexed if record.citizen_index is not None}
        taken = accounts.keys() & self._state.accounts.keys() or citizens.keys() & self._state.citizens.keys()
        if taken or len(accounts) < len(records) or len(citizens) < len(indexed):
            raise Raced("account-taken")
        self._require_admitted(records)
        self._state.accounts |= accounts
        self._state.citizens |= citizens

    def find(self, subject: SubjectId) -> AccountRecord | None:
        return self._state.accounts.get(subject)

    def find_by_citizen(self, indexes: Collection[bytes]) -> Mapping[bytes, AccountRecord]:
        return {index: self._state.citizens[index] for index in indexes if index in self._state.citizens}

    def admitted_keys(self) -> AbstractSet[str]:
        return self._state.encryption_keys

    def wrapped_by(self) -> Mapping[str, int]:
        counts = Counter(record.wrapped_by for record in self._state.accounts.values())
        return {key_id: counts[key_id] for key_id in self._state.encryption_keys}

    def not_wrapped_by(self, key_id: str, *, after: SubjectId | None, limit: int) -> Sequence[AccountRecord]:
        others = [record for record in self._state.accounts.values() if record.wrapped_by != key_id]
        later = [record for record in others if after is None or record.subject > after]
        return sorted(later, key=lambda record: record.subject)[:limit]

    def rewrap(self, changes: Sequence[tuple[AccountRecord, AccountRecord]]) -> None:
        self._require_admitted([new for _, new in changes])
        for old, new in changes:
            kept = self._state.accounts.get(old.subject)
            if kept is not None and kept.wrapped_key == old.wrapped_key:
                changed = replace(kept, wrapped_key=new.wrapped_key, wrapped_by=new.wrapped_by)
                self._state.accounts[old.subject] = changed
                if kept.citizen_index is not None:
                    self._state.citizens[kept.citizen_index] = changed

    def admit_key(self, key_id: str) -> None:
        self._state.encryption_keys |= {key_id}

    def dismiss_key(self, key_id: str) -> None:
        if accounts := self.wrapped_by().get(key_id):
            raise Conflict("encryption-key-wraps", key=key_id, accounts=accounts)
        self._state.encryption_keys -= {key_id}

    def _require_admitted(self, records: Sequence[AccountRecord]) -> None:
        for key_id in {record.wrapped_by for record in records} - self._state.encryption_keys:
            raise EncryptionKeyUnusable("encryption-key-dismissed", key=key_id)


class MemoryOutcomes:
    """Blind keys of what names an outcome: `services.books.OutcomeIndex`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    def add(self, keys: Sequence[OutcomeKey]) -> None:
        self._state.outcomes |= frozenset(keys)

    def claim(self, keys: Collection[bytes]) -> None:
        """Do nothing: whoever writes is alone."""

    def find(self, keys: Collection[bytes]) -> Mapping[bytes, tuple[OutcomeKey, ...]]:
        asked = set(keys)
        found: dict[bytes, list[OutcomeKey]] = {}
        for each in sorted(self._state.outcomes, key=lambda each: (each.subject, each.seq)):
            if each.key in asked:
                found.setdefault(each.key, []).append(each)
        return {key: tuple(outcomes) for key, outcomes in found.items()}


class MemoryBatches:
    """Receipts of posted files: `services.books.BatchStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    def find(self, *, issuer: IssuerId, file_digest: bytes) -> Batch | None:
        posted = self._state.batches.values()
        return next((b for b in posted if (b.issuer, b.file_digest) == (issuer, file_digest)), None)

    def add(self, batch: Batch) -> None:
        posted = self.find(issuer=batch.issuer, file_digest=batch.file_digest)
        if posted is not None or batch.number in self._state.batches:
            raise Raced("file-already-posted")
        self._state.batches[batch.number] = batch


class MemoryAnswers:
    """What requests under idempotency keys were answered: `services.books.AnswerStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    def claim(self, key: bytes) -> bool:  # noqa: ARG002
        return True  # whoever writes is alone

    def find(self, key: bytes) -> KeptAnswer | None:
        return self._state.answers.get(key)

    def add(self, answer: KeptAnswer) -> None:
        if answer.key in self._state.answers:
            raise Raced("answer-taken")
        self._state.answers[answer.key] = answer

    def forget(self, subject: SubjectId) -> int:
        about = [key for key, kept in self._state.answers.items() if kept.subject == subject]
        for key in about:
            del self._state.answers[key]
        return len(about)


class MemoryTokens:
    """The digest of the operator's token: `services.books.TokenStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    def digest(self) -> bytes | None:
        return self._state.digest

    def set_digest(self, digest: bytes) -> None:
        self._state.digest = digest


class MemoryBank:
    """The one line that says whose books these are: `services.books.BankStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    def read(self) -> BankRecord | None:
        return self._state.bank

    def write(self, record: BankRecord) -> None:
        if self._state.bank is not None:
            raise Raced("bank-already-made")
        self._state.bank = record


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryBooks:
    """Everything that one transaction sees and changes together."""

    ledger: MemoryLedger
    checkpoints: MemoryCheckpoints
    accounts: MemoryAccounts
    outcomes: MemoryOutcomes
    batches: MemoryBatches
    answers: MemoryAnswers
    tokens: MemoryTokens
    bank: MemoryBank
    officers: MemoryOfficers
    redactions: MemoryRedactions


class MemoryStore:
    """Opens the books; may be shared by threads. Every opening copies them: thousands of lines, not more."""

    def __init__(self) -> None:
        self._state = MemoryState()
        self._turn = Lock()

    @contextmanager
    def reading(self) -> Iterator[MemoryBooks]:
        """Open one consistent view of the books."""
        yield _books(self._state.copy())

    @contextmanager
    def writing(self) -> Iterator[MemoryBooks]:
        """Open the books in one transaction: kept when the block ends, undone when it raises."""
        with self._turn:
            state = self._state.copy()
            yield _books(state)
            self._state = state

    def written(self, action: Callable[[MemoryBooks], T], *, about: SubjectId | None = None) -> T:  # noqa: ARG002
        """Return what `action` returns, once what it wrote is kept; nobody can be first here."""
        with self.writing() as books:
            return action(books)


def _books(state: MemoryState) -> MemoryBooks:
    return MemoryBooks(
        ledger=MemoryLedger(state.ledger),
        checkpoints=MemoryCheckpoints(state),
        accounts=MemoryAccounts(state),
        outcomes=MemoryOutcomes(state),
        batches=MemoryBatches(state),
        answers=MemoryAnswers(state),
        tokens=MemoryTokens(state),
        bank=MemoryBank(state),
        officers=MemoryOfficers(state.officers),
        redactions=MemoryRedactions(state),
    )
