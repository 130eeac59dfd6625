"""What is kept beside the ledger: accounts, receipts, answers, blind keys, officers, and whose bank it is."""

import re
from dataclasses import dataclass

from creditbank.identity.account_number import AccountNumber
from creditbank.terms import IssuerId, Microseconds, OfficerId, SubjectId

_NAMED = re.compile(rb'"account": "([0-9A-Z-]{19})"')


def line_about(account: AccountNumber) -> bytes:
    """Return what a line of a receipt about an account holds, and nothing else in a receipt can."""
    return f'"account": "{account}"'.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRecord:
    """An account as it is kept: nothing in it can be read without the keys."""

    subject: SubjectId
    opened_at: Microseconds
    citizen_index: bytes | None
    """Keyed blind index of the citizen number (HMAC-SHA-256), unique; None for a learner without one."""
    wrapped_key: bytes
    """The account's own data key, wrapped by an encryption key."""
    identity: bytes
    """The `Person`, encrypted under the data key, bound to the subject."""
    wrapped_by: str
    """The id of the encryption key that wraps the data key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One posted file: its receipt is what the school got, byte for byte."""

    number: str
    issuer: IssuerId
    file_digest: bytes
    posted_at: Microseconds
    receipt: bytes

    @property
    def accounts(self) -> frozenset[AccountNumber]:
        """The accounts to which lines of the receipt lead."""
        return frozenset(
            AccountNumber(text=shown.decode().replace("-", "")) for shown in _NAMED.findall(self.receipt)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeKey:
    """Where an outcome was recorded, found by a keyed blind index of what names it (a certificate number)."""

    key: bytes
    subject: SubjectId
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """What a request under an idempotency key was answered; nothing in it can be read without the keys."""

    key: bytes
    """Blind index of who asked and under which key: unique."""
    request: bytes
    """Blind digest of what was asked."""
    subject: SubjectId | None
    """Whom the answer speaks of, so that it goes with them when they are erased."""
    answer: bytes
    """The answer to a repetition, sealed, and bound to `key` and `request`."""
    kept_at: Microseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class BankRecord:
    """The bank this database belongs to; written once, when the bank is made."""

    origin: str
    """The log's name, as every leaf and checkpoint carries it."""
    key_check: bytes
    """What the keys that the bank was made with produced: a wrong key file is noticed at the start."""
    operator: IssuerId
    created_at: Microseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """Someone who acts for the bank. The name stays in the database; the ledger knows the id alone."""

    id: OfficerId
    name: str
    digest: bytes
    """SHA-256 of the officer's token, which is kept nowhere."""
    added_at: Microseconds
    retired_at: Microseconds | None = None

    @property
    def is_serving(self) -> bool:
        """Whether the officer has not been retired."""
        return self.retired_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """The place of one `account.redacted`: what stands before it in its chain is destroyed."""

    subject: SubjectId
    seq: int
