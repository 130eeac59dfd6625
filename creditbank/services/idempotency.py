"""Idempotency keys: a request that comes again is answered as it was the first time, and done once.

A key belongs to whoever uses it, and is bound to what was asked under it first. The answer is kept in the
transaction that it speaks of, so that the two are there together or not at all. Only what was done is
kept: a request that was refused has written nothing, and leaves its key free for the mended one.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any, TypeVar

from creditbank.account.records import KeptAnswer
from creditbank.errors import Conflict, InvalidInput
from creditbank.services.bank import Bank, Principal
from creditbank.services.books import Books
from creditbank.terms import SubjectId

T = TypeVar("T")


class IdempotencyKeyReused(InvalidInput):
    """The same key came before with another request."""

    code = "idempotency-key-reused"

    def __init__(self) -> None:
        super().__init__("idempotency-key-reused", field="Idempotency-Key")


class RequestInFlight(Conflict):
    """A request under the same key is being answered just now."""

    code = "request-in-flight"

    def __init__(self) -> None:
        super().__init__("request-in-flight", field="Idempotency-Key")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedRequest:
    """A request under an idempotency key, as blind digests: who asks under which key, and what is asked."""

    key: bytes
    digest: bytes

    @classmethod
    def of(cls, bank: Bank, principal: Principal, *, key: str, asked: tuple[str, ...]) -> "KeyedRequest":
        """Return the request; `asked` is all that makes it this request and no other."""
        return cls(
            key=bank.vault.request_digest("key", principal.issuer, key),
            digest=bank.vault.request_digest("asked", *asked),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """The request came before: what is kept to answer a repetition. Nothing was done now."""

    answer: bytes


class InFlight:
    """The keys under which this process is answering just now; shared by all its threads."""

    def __init__(self) -> None:
        self._keys: set[bytes] = set()
        self._lock = Lock()

    @contextmanager
    def alone(self, key: bytes) -> Iterator[None]:
        """Keep other threads from answering under `key` until the block ends.

        Raises:
            RequestInFlight: one is at it already.
        """
        with self._lock:
            if key in self._keys:
                raise RequestInFlight
            self._keys.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._keys.remove(key)


def answer_once(
    bank: Bank,
    request: KeyedRequest,
    work: Callable[[Bank], T],
    *,
    answer: Callable[[T], bytes],
    in_flight: InFlight,
) -> T | Repeated:
    """Return what `work` returns, or what was kept when the same request came before.

    `work` is one use case that writes: it calls `Bank.written` once and returns what that returns. `answer`
    says, inside its transaction, what a repetition will be answered.

    Raises:
        IdempotencyKeyReused: the key came before with another request.
        RequestInFlight: a request under this key is being answered, in this process or another.
    """
    with in_flight.alone(request.key):
        try:
            return work(replace(bank, store=_KeepingStore(bank, request, answer)))
        except _CameBefore as before:
            return Repeated(answer=before.answer)


class _CameBefore(Exception):
    """Leaves a transaction that has nothing to write."""

    def __init__(self, answer: bytes) -> None:
        super().__init__()
        self.answer = answer


class _KeepingStore:
    """The bank's store; what is written through it is written once under the request's key."""

    def __init__(self, bank: Bank, request: KeyedRequest, answer: Callable[[Any], bytes]) -> None:
        self._bank = bank
        self._request = request
        self._answer = answer

    def reading(self) -> AbstractContextManager[Books]:
        return self._bank.store.reading()

    def writing(self) -> AbstractContextManager[Books]:
        return self._bank.store.writing()

    def written(self, action: Callable[[Books], T], *, about: SubjectId | None = None) -> T:
        def write_once(books: Books) -> T:
            self._leave_if_repeated(books)
            done = action(books)
            books.answers.add(self._kept(self._answer(done), about))
            return done

        return self._bank.store.written(write_once, about=about)

    def _leave_if_repeated(self, books: Books) -> None:
        if not books.answers.claim(self._request.key):
            raise RequestInFlight
        kept = books.answers.find(self._request.key)
        if kept is None:
            return
        if kept.request != self._request.digest:
            raise IdempotencyKeyReused
        raise _CameBefore(self._bank.vault.unseal_answer(kept))

    def _kept(self, answer: bytes, about: SubjectId | None) -> KeptAnswer:
        key, digest = self._request.key, self._request.digest
        return KeptAnswer(
            key=key,
            request=digest,
            subject=about,
            answer=self._bank.vault.seal_answer(answer, key=key, request=digest),
            kept_at=self._bank.now(),
        )
