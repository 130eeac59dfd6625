"""Open a personal learning account, and read one: whose it is, what it holds, and every entry behind that."""

from dataclasses import dataclass

from creditbank.account.body import Opened, body_content, entry_kind
from creditbank.account.records import AccountRecord
from creditbank.account.statement import Statement, statement_of
from creditbank.errors import Conflict, NotFound
from creditbank.identity.account_number import RANDOM_BYTES, AccountNumber, account_number_of, account_of
from creditbank.identity.citizen_number import CitizenNumber
from creditbank.identity.person import Person
from creditbank.ledger.chain import EMPTY
from creditbank.ledger.entry import REDACTION, Entry
from creditbank.services.bank import Bank, EntryReceipt, Posting, Principal, receipt_of
from creditbank.services.books import Books
from creditbank.services.institutions import institution_of, names_of
from creditbank.services.known_terms import require_known_category
from creditbank.terms import instant


class AccountUnknown(NotFound):
    """No account has this number."""

    code = "account-unknown"


class AccountRedacted(NotFound):
    """The account was redacted: nothing is left of it but the proofs of its entries."""

    code = "account-redacted"


class AccountExists(Conflict):
    """The learner has an account already; nobody has two."""

    code = "account-exists"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedAccount:
    """The new account's number, and the receipt of its first entry."""

    number: AccountNumber
    receipt: EntryReceipt


def open_account(bank: Bank, principal: Principal, person: Person) -> OpenedAccount:
    """Open the one account that a learner has for life.

    Raises:
        InstitutionUnknown: the principal's institution is not registered.
        AccountExists: this citizen number has an account.
        OutcomeInvalid: the person category is in no vocabulary.
    """
    require_known_category(bank.vocabularies, person, on=bank.today())
    number = new_number(bank)

    def open_one(books: Books) -> OpenedAccount:
        institution_of(books, principal.issuer)
        if person.citizen_number is not None:
            index = bank.vault.citizen_index(person.citizen_number)
            if index in books.accounts.find_by_citizen([index]):
                raise AccountExists("citizen-has-account", field="citizen_number")
        posting = Posting(bank, books, heads={number.subject: EMPTY}, at=bank.now())
        books.accounts.add([bank.vault.seal(number.subject, person, opened_at=bank.now())])
        entry = post_opening(posting, number, principal)
        posting.post()
        return OpenedAccount(number=number, receipt=receipt_of(entry))

    return bank.written(open_one, about=number.subject)


def new_number(bank: Bank) -> AccountNumber:
    """Draw an account number; 75 random bits are never drawn twice."""
    return account_number_of(bank.random(RANDOM_BYTES))


def post_opening(posting: Posting, number: AccountNumber, principal: Principal) -> Entry:
    """Add the entry with which an account's chain begins."""
    body = Opened()
    return posting.add(
        number.subject, kind=entry_kind(body), issuer=principal.issuer, content=body_content(body)
    )


def find_account(bank: Bank, books: Books, number: AccountNumber) -> tuple[AccountRecord, Person]:
    """Return an account's record and the person it belongs to.

    Raises:
        AccountUnknown: no account has this number.
        AccountRedacted: it was redacted.
    """
    record = account_record(books, number)
    return record, bank.vault.unseal(record)


def account_record(books: Books, number: AccountNumber) -> AccountRecord:
    """Return an account's record, sealed as it is.

    Raises:
        AccountUnknown: no account has this number.
        AccountRedacted: it was redacted.
    """
    record = books.accounts.find(number.subject)
    if record is not None:
        return record
    ended_by = redaction_of(books, number)
    if ended_by is not None:
        redacted_at = instant(ended_by.leaf.at)
        raise AccountRedacted("account-redacted", number=str(number), redacted_at=redacted_at)
    raise AccountUnknown("account-unknown", number=str(number))


def redaction_of(books: Books, number: AccountNumber) -> Entry | None:
    """Return the entry that redacted an account: the last one of its chain, since it takes no more."""
    length = books.ledger.heads_of([number.subject])[number.subject].length
    last = books.ledger.entry(number.subject, length - 1)
    return last if last is not None and last.leaf.kind == REDACTION else None


def account_of_citizen(bank: Bank, citizen_number: CitizenNumber) -> AccountNumber:
    """Find the account of whoever has this citizen number.

    Raises:
        AccountUnknown: nobody with this number has an account.
    """
    index = bank.vault.citizen_index(citizen_number)
    with bank.store.reading() as books:
        record = books.accounts.find_by_citizen([index]).get(index)
    if record is None:
        raise AccountUnknown("citizen-without-account", field="citizen_number")
    return account_of(record.subject)


def read_account(bank: Bank, number: AccountNumber) -> Statement:
    """Read an account whole.

    Raises:
        AccountUnknown: no account has this number.
        AccountRedacted: it was redacted.
    """
    with bank.store.reading() as books:
        _, person = find_account(bank, books, number)
        entries = tuple(books.ledger.entries_of(number.subject))
        return statement_of(
            number,
            person,
            entries,
            issuer_names=names_of(bank, books, sorted({entry.leaf.issuer for entry in entries})),
        )
