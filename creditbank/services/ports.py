"""What the use cases need from the outside beside the books: a vault, a signer, a place outside, a clock.

`storage/` and `signing/` keep these promises; `tests/contract` checks every implementation against them.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from creditbank.account.records import AccountRecord, KeptAnswer
from creditbank.identity.citizen_number import CitizenNumber
from creditbank.identity.person import Person
from creditbank.ledger.checkpoint import VerifierKey
from creditbank.ledger.key_entry import KeyPurpose, NamedKey
from creditbank.outcomes.outcome import OutcomeKind
from creditbank.terms import IssuerId, Microseconds, SubjectId

Clock = Callable[[], datetime]
"""The wall clock: aware UTC."""

Cleaner = Callable[[Callable[[str], None]], Sequence[str]]
"""Cleans what was deleted out of free pages and the write-ahead log, telling each step as it begins.

Returns the steps that this deployment's database role may not take: they are left to be done by hand.
"""


class Vault(Protocol):
    """Seals identities; the only holder of the keys that open them."""

    def seal(self, subject: SubjectId, person: Person, *, opened_at: Microseconds) -> AccountRecord: ...

    def unseal(self, record: AccountRecord) -> Person: ...

    def citizen_index(self, number: CitizenNumber) -> bytes:
        """Return the blind index of a number: the same for the same number, and no way back."""

    def outcome_key(self, *, kind: OutcomeKind, number: str) -> bytes:
        """Return the blind index of what names an outcome, such as the number of a certificate."""

    def request_digest(self, *parts: str) -> bytes:
        """Return the blind digest of a request, or of the key it came under: equal for equal parts alone."""

    def seal_answer(self, answer: bytes, *, key: bytes, request: bytes) -> bytes:
        """Seal what a request was answered, bound to its key and digest."""

    def unseal_answer(self, kept: KeptAnswer) -> bytes:
        """Return the answer, exactly as sealed.

        Raises:
            IntegrityBroken: it is not as it was sealed for this request.
        """

    @property
    def wraps_with(self) -> str:
        """The id of the encryption key that wraps the data keys of new accounts."""

    def rewrap(self, record: AccountRecord) -> AccountRecord:
        """Return the record with its data key wrapped by that key; nothing else changes.

        Raises:
            IntegrityBroken: the wrapped key does not open.
            Misconfigured: this vault does not hold the key that wraps it.
        """


class Signer(Protocol):
    """Holds one private key, or asks whoever does."""

    @property
    def verifier_key(self) -> VerifierKey:
        """The public half, with which anyone can check the notes, and the name it signs under."""

    def sign(self, text: bytes) -> bytes:
        """Return the C2SP signed note over a text.

        Raises:
            Misconfigured: whoever holds the key cannot be asked, or does not answer with its signature.
        """


class OutsideCheckpoint(Protocol):
    """The last published checkpoint, kept where a restored or exchanged database does not reach."""

    @property
    def place(self) -> str:
        """Where it is kept, as a message names it."""

    def alone(self) -> AbstractContextManager[None]:
        """Keep other publishers of this place away for the block.

        Raises:
            Conflict: another one is at it, and was for too long.
        """

    def read(self) -> bytes | None:
        """Return the signed note that is kept, None where there is none.

        Raises:
            Misconfigured: it cannot be read.
        """

    def write(self, note: bytes) -> None:
        """Keep a signed note instead of the one before: whole and on disk when this returns.

        Raises:
            Misconfigured: it cannot be written.
        """


class KeyCabinet(Protocol):
    """The bank's keys while they are changed: what a call has done is on disk when it returns."""

    def find(self, purpose: KeyPurpose, key_id: str) -> NamedKey | None: ...

    def current(self, purpose: KeyPurpose, institution: IssuerId | None = None) -> NamedKey | None:
        """Return the key in force."""

    def prepared(self, purpose: KeyPurpose, institution: IssuerId | None = None) -> NamedKey | None:
        """Return the key that an interrupted run made and left before it was in force."""

    def standing(self) -> Sequence[NamedKey]:
        """Return every key that is or was in force and is not retired."""

    def prepare(
        self, purpose: KeyPurpose, institution: IssuerId | None = None, *, at: Microseconds
    ) -> NamedKey:
        """Make a key that is not in force yet, or return the one that an interrupted run left.

        Raises:
            Misconfigured: keys of this purpose are not made here.
        """

    def put_in_force(self, key: NamedKey) -> None:
        """Let a prepared key take the place of the one in force, which is kept; again, nothing happens."""

    def retire(self, key: NamedKey, *, at: Microseconds) -> None:
        """Destroy a key's secret; a public half stays. Again, nothing happens."""
