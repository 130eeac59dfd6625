"""A process that wraps accounts again and is killed on the way: `python -m tests.contract.rewrapper URL AT`.

`AT` says at which account, counted from 1: the transaction that it belongs to is open then.
"""

import argparse
import os
import signal
from dataclasses import replace
from hashlib import sha256
from typing import Any

from creditbank.account.records import AccountRecord
from creditbank.identity.names import PersonNames
from creditbank.identity.person import Person
from creditbank.services.ports import Vault
from creditbank.services.rewrapping import rewrap_accounts
from creditbank.signing.keys import Keyring, encryption_key, keyring_of
from creditbank.storage.sql_store import SqlStore
from creditbank.terms import Microseconds
from tests.banks import bank_with
from tests.engines import opened
from tests.strategies.books import subject

NEWER = "newer"


def first_keyring() -> Keyring:
    encryption, index, seed = (sha256(name).digest() for name in (b"encryption", b"index", b"seed"))
    return keyring_of(origin="bank.test", encryption_key=encryption, index_key=index, checkpoint_seed=seed)


def keyring_with_newer() -> Keyring:
    key = encryption_key(sha256(b"newer").digest(), key_id=NEWER, made_at=Microseconds(1))
    return first_keyring().with_key(key).put_in_force(key.name)


def accounts_of(url: str, *, count: int) -> dict[str, Person]:
    """Seal so many accounts under the first key, and admit the newer one."""
    people = {
        f"{number:05}": Person(names=PersonNames(chinese="学习者"), phone=f"138{number:08}")
        for number in range(count)
    }
    with opened(url) as engine:
        store = SqlStore(engine)
        vault = bank_with(first_keyring(), store).vault
        with store.writing() as books:
            books.accounts.add(
                [
                    vault.seal(subject(name), person, opened_at=Microseconds(1))
                    for name, person in people.items()
                ]
            )
            books.accounts.admit_key(NEWER)
    return people


class Fatal:
    """A vault whose process is killed when it comes to a certain account, counted from 1."""

    def __init__(self, vault: Vault, *, die_at: int) -> None:
        self._vault = vault
        self._left = die_at

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the vault has
        return getattr(self._vault, name)

    def rewrap(self, record: AccountRecord) -> AccountRecord:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return self._vault.rewrap(record)


def rewrap(url: str, *, die_at: int) -> None:
    with opened(url) as engine:
        bank = bank_with(keyring_with_newer(), SqlStore(engine))
        rewrap_accounts(replace(bank, vault=Fatal(bank.vault, die_at=die_at)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("die_at", type=int)
    arguments = parser.parse_args()
    rewrap(arguments.url, die_at=arguments.die_at)
