"""A small bank for tests: real keys, a clock that ticks at every look, the sample institutions registered."""

from datetime import UTC, datetime, timedelta
from itertools import count
from secrets import token_bytes

from creditbank.account.records import BankRecord
from creditbank.identity.account_number import AccountNumber
from creditbank.identity.names import PersonNames
from creditbank.identity.person import Person
from creditbank.samples.people import sample_institutions, sample_issuer
from creditbank.services.accounts import open_account
from creditbank.services.bank import Bank, Principal, Publication
from creditbank.services.institutions import Institution, register_institution
from creditbank.services.ports import Store
from creditbank.signing.checkpoint_signer import KeyringSigner
from creditbank.signing.keys import new_keyring
from creditbank.storage.checkpoint_file import MemoryCheckpoint
from creditbank.storage.memory_store import MemoryStore
from creditbank.storage.vault import SealedVault
from creditbank.terms import microseconds
from creditbank.vocabularies.library import Vocabularies

BEGINNING = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
OPERATOR = sample_issuer("bureau")
EAST = Principal(issuer=sample_issuer("school-east"), is_operator=True)
RIVER = Principal(issuer=sample_issuer("school-river"), is_operator=True)
SOMEBODY = Person(names=PersonNames(chinese="扎西·多吉", tibetan="བཀྲ་ཤིས་རྡོ་རྗེ"))


def new_bank(store: Store | None = None) -> Bank:
    """Return an empty bank, in memory unless a store is given, with the sample institutions registered."""
    keyring = new_keyring(origin="bank.test")
    vault = SealedVault(key_encryption_key=keyring.key_encryption_key, index_key=keyring.index_key)
    store = MemoryStore() if store is None else store
    record = BankRecord(
        origin=keyring.origin,
        key_check=vault.key_check,
        operator=OPERATOR,
        created_at=microseconds(BEGINNING),
    )
    with store.writing() as books:
        books.bank.write(record)
    ticks = count()
    signer = KeyringSigner(keyring)
    bank = Bank(
        record=record,
        store=store,
        vault=vault,
        verifier_keys=(signer.verifier_key,),
        signer=signer,
        publication=Publication(outside=MemoryCheckpoint()),
        clock=lambda: BEGINNING + timedelta(seconds=next(ticks)),
        random=token_bytes,
        vocabularies=Vocabularies.load().vocabularies,
        allow_test_numbers=True,
    )
    for sample in sample_institutions():
        register_institution(
            bank,
            Principal(issuer=OPERATOR, is_operator=True),
            Institution(issuer=sample.issuer, name=sample.name, role=sample.role),
        )
    return bank


def new_account(bank: Bank, person: Person = SOMEBODY) -> AccountNumber:
    """Open an account and return its number."""
    return open_account(bank, EAST, person).number
