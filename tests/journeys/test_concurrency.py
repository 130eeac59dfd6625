"""Several at once, on both engines: nothing doubled, nothing lost, no false alarm."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from creditbank.errors import Conflict
from creditbank.identity.names import PersonNames
from creditbank.identity.person import Person
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.services.accounts import read_account
from creditbank.services.bank import Bank
from creditbank.services.outcomes import record_outcome, revoke_outcome
from creditbank.services.publishing import publish_now
from creditbank.storage.sql_store import SqlStore
from creditbank.terms import OutcomeId
from tests.banks import EAST, new_account, new_bank
from tests.engines import opened, postgresql_url, sqlite_url

CERTIFICATE = SkillCertificate(
    number="DEMO-1",
    standard="CD-X-JTNC",
    title="家庭农场畜禽养殖",
    level=FrameworkLevel(framework="1+X", level="中级"),
    issuer=EAST.issuer,
    awarded_on=date(2024, 6, 1),
)
WRITERS = 8


@contextmanager
def url_of(engine: str, folder: Path) -> Iterator[str]:
    if engine == "sqlite":
        yield sqlite_url(folder)
    else:
        with postgresql_url() as url:
            yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def bank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bank]:
    with url_of(request.param, tmp_path) as url, opened(url) as engine:
        yield new_bank(SqlStore(engine))


def at_once(*actions: Callable[[], object]) -> list[object]:
    """Do everything at the same time; return what each answered, or the conflict it met."""

    def done(action: Callable[[], object]) -> object:
        try:
            return action()
        except Conflict as conflict:
            return conflict

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(done, actions))


def test_one_certificate_is_recorded_in_one_account_whoever_is_first(bank: Bank) -> None:
    people = [Person(names=PersonNames(romanised=f"Learner {letter}")) for letter in "ABCDEFGH"]
    accounts = [new_account(bank, person) for person in people]
    answers = at_once(
        *(lambda account=account: record_outcome(bank, EAST, account, CERTIFICATE) for account in accounts)
    )
    assert sum(not isinstance(answer, Conflict) for answer in answers) == 1
    assert sum(len(read_account(bank, account).current) for account in accounts) == 1


def test_one_idempotency_key_makes_one_entry(bank: Bank) -> None:
    account = new_account(bank)

    def record() -> object:
        return record_outcome(bank, EAST, account, CERTIFICATE, idempotency_key="k").seq

    answers = at_once(*[record] * WRITERS)
    assert len(set(answers)) == 1
    assert len(read_account(bank, account).entries) == 2


def test_one_outcome_is_revoked_once(bank: Bank) -> None:
    account = new_account(bank)
    record_outcome(bank, EAST, account, CERTIFICATE)

    def revoke() -> object:
        return revoke_outcome(bank, EAST, account, OutcomeId("000001"), reason="误发")

    answers = at_once(*[revoke] * WRITERS)
    assert sum(not isinstance(answer, Conflict) for answer in answers) == 1
    assert len(read_account(bank, account).entries) == 3


def test_every_checkpoint_signed_under_load_is_true(bank: Bank) -> None:
    account = new_account(bank)

    def record(place: int) -> object:
        return record_outcome(bank, EAST, account, replace(CERTIFICATE, number=f"DEMO-{place}"))

    def sign() -> object:
        return [publish_now(bank) for _ in range(5)]

    at_once(*(lambda place=place: record(place) for place in range(WRITERS)), sign, sign)
    last = publish_now(bank).checkpoint
    with bank.store.reading() as books:
        assert (last.size, last.root) == (books.ledger.size(), books.ledger.root())
    assert len(read_account(bank, account).current) == WRITERS
