"""A small bank for tests: real keys, a clock that ticks at every look, the sample institutions registered."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from secrets import token_bytes

from creditbank.account.records import BankRecord
from creditbank.identity.account_number import AccountNumber
from creditbank.identity.names import PersonNames
from creditbank.identity.person import Person
from creditbank.outcomes.vocabulary import Vocabulary
from creditbank.samples.people import sample_institutions, sample_issuer
from creditbank.services.accounts import open_account
from creditbank.services.bank import Bank, Principal, Publication
from creditbank.services.books import Store
from creditbank.services.institutions import Institution, register_institution
from creditbank.signing.key_signer import signer_with
from creditbank.signing.keys import Keyring, new_keyring
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


def new_bank(store: Store | None = None, keyring: Keyring | None = None) -> Bank:
    """Return an empty bank, in memory unless a store is given, with the sample institutions registered."""
    if keyring is None:
        keyring = new_keyring(origin="bank.test", operator=OPERATOR, made_at=microseconds(BEGINNING))
    bank = bank_with(keyring, MemoryStore() if store is None else store)
    with bank.store.writing() as books:
        books.bank.write(bank.record)
    for sample in sample_institutions():
        register_institution(
            bank,
            Principal(issuer=OPERATOR, is_operator=True),
            Institution(issuer=sample.issuer, name=sample.name, role=sample.role),
        )
    return bank


def bank_with(keyring: Keyring, store: Store) -> Bank:
    """Return the bank of a store as the keys of a keyring open it."""
    current = keyring.current("encryption")
    assert current is not None, "a bank has an encryption key"
    signers = {code: signer_with(keyring.current("institution", code)) for code in keyring.institutions()}
    ticks = count()
    return Bank(
        record=BankRecord(
            origin=keyring.origin,
            key_check=keyring.key_check,
            operator=OPERATOR,
            created_at=microseconds(BEGINNING),
        ),
        store=store,
        vault=SealedVault(
            encryption_keys=keyring.encryption_keys,
            wraps_with=current.name.id,
            index_key=keyring.index_key,
        ),
        verifier_keys=keyring.verifier_keys,
        signer=signer_with(keyring.current("checkpoint")),
        publication=Publication(outside=MemoryCheckpoint()),
        institution_signers={code: signer for code, signer in signers.items() if signer is not None},
        clock=lambda: BEGINNING + timedelta(seconds=next(ticks)),
        random=token_bytes,
        vocabularies=_vocabularies(),
        allow_test_numbers=True,
    )


@cache
def _vocabularies() -> Mapping[str, Vocabulary]:
    return Vocabularies.load().vocabularies


def new_account(bank: Bank, person: Person = SOMEBODY) -> AccountNumber:
    """Open an account and return its number."""
    return open_account(bank, EAST, person).number
