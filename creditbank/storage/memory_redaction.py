"""What a redaction reaches in memory, and the officers who decide one: the promises of `sql_redaction.py`."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from creditbank.account.records import AccountRecord, Batch, KeptAnswer, Officer, OutcomeKey, Redaction
from creditbank.account.redaction import Destroyed
from creditbank.errors import IntegrityBroken
from creditbank.identity.account_number import account_of
from creditbank.ledger.entry import REDACTION, Entry
from creditbank.storage.memory_ledger import MemoryLedgerState
from creditbank.terms import Microseconds, OfficerId, SubjectId


class MemoryOfficers:
    """Who acts for the bank: `services.books.OfficerStore`."""

    def __init__(self, officers: dict[OfficerId, Officer]) -> None:
        self._officers = officers

    def all(self) -> Sequence[Officer]:
        return sorted(self._officers.values(), key=lambda officer: (officer.added_at, officer.id))

    def add(self, officer: Officer) -> None:
        self._officers[officer.id] = officer

    def retire(self, officer: OfficerId, *, at: Microseconds) -> None:
        found = self._officers.get(officer)
        if found is not None and found.is_serving:
            self._officers[officer] = replace(found, retired_at=at)


class MemoryRedactions:
    """What is kept of an account beside its leaves: `services.books.RedactionStore`."""

    def __init__(self, state: "_State") -> None:
        self._state = state

    def reach(self, redaction: Redaction) -> Destroyed:
        before = self._before(redaction)
        return Destroyed(
            payloads=sum(entry.payload is not None for entry in before),
            idempotency_keys=sum(entry.idempotency_key is not None for entry in before),
            outcome_keys=sum(_is_reached(key, redaction) for key in self._state.outcomes),
            identities=int(redaction.subject in self._state.accounts),
            receipts=sum(1 for _ in self.receipts_naming(redaction.subject)),
            answers=sum(answer.subject == redaction.subject for answer in self._state.answers.values()),
        )

    def destroy(self, redaction: Redaction) -> None:
        ledger = self._state.ledger
        chain = ledger.chains.get(redaction.subject, ())
        if redaction.seq >= len(chain) or chain[redaction.seq].leaf.kind != REDACTION:
            raise IntegrityBroken("redaction-without-entry", subject=redaction.subject, seq=redaction.seq)
        bare = [replace(entry, payload=None, idempotency_key=None) for entry in self._before(redaction)]
        ledger.chains[redaction.subject] = (*bare, *chain[redaction.seq :])
        for place, entry in list(ledger.keys.items()):
            if place[0] == redaction.subject and entry.leaf.seq < redaction.seq:
                del ledger.keys[place]
        self._state.outcomes = frozenset(
            key for key in self._state.outcomes if not _is_reached(key, redaction)
        )
        account = self._state.accounts.pop(redaction.subject, None)
        if account is not None and account.citizen_index is not None:
            del self._state.citizens[account.citizen_index]

    def receipts_naming(self, subject: SubjectId) -> Iterator[Batch]:
        named = account_of(subject)
        for _, batch in sorted(self._state.batches.items()):
            if named in batch.accounts:
                yield batch

    def replace_receipt(self, number: str, receipt: bytes | None) -> None:
        batch = self._state.batches.pop(number)
        if receipt is not None:
            self._state.batches[number] = replace(batch, receipt=receipt)

    def in_log(self) -> Iterator[Redaction]:
        for subject, chain in sorted(self._state.ledger.chains.items()):
            ends = [entry.leaf.seq for entry in chain if entry.leaf.kind == REDACTION]
            if ends:
                yield Redaction(subject=subject, seq=ends[-1])

    def unapplied(self, redactions: Collection[Redaction]) -> Sequence[Redaction]:
        return [redaction for redaction in redactions if not self.reach(redaction).is_nothing]

    def uncleaned(self) -> Sequence[Redaction]:
        return [Redaction(subject=subject, seq=seq) for subject, seq in sorted(self._state.uncleaned.items())]

    def mark_uncleaned(self, redaction: Redaction) -> None:
        self._state.uncleaned[redaction.subject] = redaction.seq

    def mark_cleaned(self, redactions: Iterable[Redaction]) -> None:
        for redaction in redactions:
            if self._state.uncleaned.get(redaction.subject) == redaction.seq:
                del self._state.uncleaned[redaction.subject]

    def _before(self, redaction: Redaction) -> Sequence[Entry]:
        return self._state.ledger.chains.get(redaction.subject, ())[: redaction.seq]


class _State(Protocol):
    """What of `memory_store.MemoryState` a redaction reaches."""

    ledger: MemoryLedgerState
    accounts: dict[SubjectId, AccountRecord]
    citizens: dict[bytes, AccountRecord]
    outcomes: frozenset[OutcomeKey]
    batches: dict[str, Batch]
    answers: dict[bytes, KeptAnswer]
    uncleaned: dict[SubjectId, int]


def _is_reached(key: OutcomeKey, redaction: Redaction) -> bool:
    return key.subject == redaction.subject and key.seq < redaction.seq
