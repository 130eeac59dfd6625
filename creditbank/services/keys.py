"""Keys that come and go: every one is in the ledger before it is used, and out of it before it is destroyed.

A change is a walk between the key file and the ledger, each step of it on disk before the next is taken:
adding makes the key, tells the ledger, puts the key in force; retiring tells the ledger, destroys the
secret. Interrupted anywhere, the same command walks on from where it was.
"""

from collections.abc import Iterable

from creditbank.errors import Conflict, Misconfigured, NotFound
from creditbank.ledger.checkpoint import VerifierKey
from creditbank.ledger.key_entry import (
    KEY_ADDED,
    KEY_RETIRED,
    KeyPeriod,
    KeyPurpose,
    NamedKey,
    key_content,
    key_in_force,
    key_periods,
)
from creditbank.services.bank import Bank, Posting, Principal
from creditbank.services.books import Books
from creditbank.services.institutions import institution_of, subject_of
from creditbank.services.ports import KeyCabinet
from creditbank.terms import IssuerId, Microseconds, SubjectId


class KeyUnknown(NotFound):
    """There is no such key."""

    code = "key-unknown"


class KeyStillNeeded(Conflict):
    """The key cannot go yet: something rests on it."""

    code = "key-still-needed"


def add_key(
    bank: Bank,
    principal: Principal,
    cabinet: KeyCabinet,
    purpose: KeyPurpose,
    *,
    institution: IssuerId | None = None,
) -> NamedKey:
    """Make a key, or go on with the one that an interrupted run made, and put it in force.

    The key that it takes the place of is kept until it is retired.

    Raises:
        NotAuthorised: the principal is not the operator.
        InstitutionUnknown: no institution is registered under this code.
        Misconfigured: keys of this purpose are not made here.
    """
    principal.must_be_operator()
    _require_institution(bank, institution)
    key = cabinet.prepare(purpose, institution, at=bank.now())
    return announce_key(bank, principal, cabinet, key)


def announce_key(bank: Bank, principal: Principal, cabinet: KeyCabinet, key: NamedKey) -> NamedKey:
    """Tell the ledger of a prepared key, and put it in force.

    Raises:
        NotAuthorised: the principal is not the operator.
    """
    principal.must_be_operator()
    bank.written(lambda books: record_keys(bank, books, [*cabinet.standing(), key]))
    cabinet.put_in_force(key)
    return key


def record_keys(bank: Bank, books: Books, keys: Iterable[NamedKey]) -> None:
    """Add a `key.added` for each of `keys` that has none yet, in a transaction that may do more than that.

    Keys of a bank that is older than these entries, or of a ledger restored from a backup, have none either.
    """
    by_subject: dict[SubjectId, list[NamedKey]] = {}
    for key in keys:
        by_subject.setdefault(_subject_of(bank, key), []).append(key)
        if key.purpose == "encryption":
            books.accounts.admit_key(key.id)
    posting = Posting(bank, books, heads=books.ledger.heads_of(by_subject), at=bank.now())
    for subject, its_keys in by_subject.items():
        known = {period.key for period in key_periods(books.ledger.entries_of(subject))}
        for key in its_keys:
            if key not in known:
                posting.add(subject, kind=KEY_ADDED, issuer=bank.record.operator, content=key_content(key))
    if posting.entries:
        posting.post()


def retire_key(
    bank: Bank, principal: Principal, cabinet: KeyCabinet, purpose: KeyPurpose, key_id: str
) -> NamedKey:
    """Let a key go: the ledger says so, then its secret is destroyed. Its public half goes on verifying.

    Of an institution the key in force may go too: it has none then, until one is added.

    Raises:
        NotAuthorised: the principal is not the operator.
        KeyUnknown: there is no such key.
        KeyStillNeeded: it is in force or about to be, wraps an account, or is the index key.
    """
    principal.must_be_operator()
    key = cabinet.find(purpose, key_id)
    if key is None:
        raise KeyUnknown("no-such-key", purpose=purpose, key=key_id)
    _require_replaced(cabinet, key)
    at = bank.written(lambda books: _record_retired(bank, books, cabinet, key))
    cabinet.retire(key, at=at)
    return key


def next_encryption_key(bank: Bank, principal: Principal, cabinet: KeyCabinet) -> NamedKey | None:
    """Put a new encryption key in force, unless an earlier one has not taken over every account yet.

    Returns None then: finish that first (`services.rewrapping`). Each key costs a pass over all accounts.

    Raises:
        NotAuthorised: the principal is not the operator.
    """
    principal.must_be_operator()
    current = cabinet.current("encryption")
    with bank.store.reading() as books:
        wrapped = books.accounts.wrapped_by()
    behind = any(accounts for key_id, accounts in wrapped.items() if current and key_id != current.id)
    if behind and cabinet.prepared("encryption") is None:
        return None
    return add_key(bank, principal, cabinet, "encryption")


def keys_of(books: Books, institution: IssuerId) -> tuple[KeyPeriod, ...]:
    """Return an institution's own signing keys and their times, from the ledger alone.

    Raises:
        InstitutionUnknown: no institution is registered under this code.
    """
    institution_of(books, institution)
    periods = key_periods(books.ledger.entries_of(subject_of(institution)))
    return tuple(period for period in periods if period.key.purpose == "institution")


def key_of_institution(books: Books, institution: IssuerId, *, at: Microseconds) -> VerifierKey | None:
    """Return the public key with which an institution signed at an instant, from the ledger alone.

    Raises:
        InstitutionUnknown: no institution is registered under this code.
    """
    key = key_in_force(keys_of(books, institution), "institution", at=at)
    return None if key is None else key.verifier_key


def log_keys_in(books: Books, operator: IssuerId) -> tuple[VerifierKey, ...]:
    """Return every public key of the log that the ledger was told of, retired ones too."""
    periods = key_periods(books.ledger.entries_of(subject_of(operator)))
    keys = [period.key.verifier_key for period in periods if period.key.purpose == "checkpoint"]
    return tuple(key for key in keys if key is not None)


def require_standing(bank: Bank, books: Books, verifier_key: VerifierKey) -> None:
    """Make sure that the key of the log that a process signs with has not been retired since it began.

    Raises:
        Misconfigured: it has: the process must be started again.
    """
    for period in key_periods(books.ledger.entries_of(subject_of(bank.record.operator))):
        if period.key.verifier_key == verifier_key and period.retired_at is not None:
            raise Misconfigured("checkpoint-key-retired", key=period.key.id)


def _require_institution(bank: Bank, institution: IssuerId | None) -> None:
    if institution is not None:
        with bank.store.reading() as books:
            institution_of(books, institution)


def _require_replaced(cabinet: KeyCabinet, key: NamedKey) -> None:
    if key.purpose == "index":
        raise KeyStillNeeded("index-key-stays")
    if key == cabinet.prepared(key.purpose, key.institution):
        raise KeyStillNeeded("key-prepared", purpose=key.purpose, key=key.id)
    if key.purpose != "institution" and key == cabinet.current(key.purpose):
        raise KeyStillNeeded("key-in-force", purpose=key.purpose, key=key.id)


def _record_retired(bank: Bank, books: Books, cabinet: KeyCabinet, key: NamedKey) -> Microseconds:
    record_keys(bank, books, cabinet.standing())
    if key.purpose == "encryption":
        _dismiss(books, key)
    subject = _subject_of(bank, key)
    heads = books.ledger.heads_of([subject])
    for period in key_periods(books.ledger.entries_of(subject)):
        if period.key == key and period.retired_at is not None:
            return period.retired_at
    posting = Posting(bank, books, heads=heads, at=bank.now())
    entry = posting.add(subject, kind=KEY_RETIRED, issuer=bank.record.operator, content=key_content(key))
    posting.post()
    return entry.leaf.at


def _dismiss(books: Books, key: NamedKey) -> None:
    try:
        books.accounts.dismiss_key(key.id)
    except Conflict as error:
        accounts = error.values.get("accounts")
        raise KeyStillNeeded("encryption-key-wraps", key=key.id, accounts=accounts) from error


def _subject_of(bank: Bank, key: NamedKey) -> SubjectId:
    return subject_of(bank.record.operator if key.institution is None else key.institution)
