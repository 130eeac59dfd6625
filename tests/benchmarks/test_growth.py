"""What a larger ledger costs: an append, a proof and a look at an account, at 10,000 entries and at more.

Every size has a bank of its own on the same engine, and they take turns. A proof is made by a store that was
opened for it, with the tiles still in the database: nothing is kept from the proof before it.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine

from creditbank.identity.account_number import AccountNumber
from creditbank.ledger.entry import Entry
from creditbank.outcomes.course import CourseCredit
from creditbank.samples.outcomes import story_outcomes
from creditbank.services.accounts import read_account
from creditbank.services.bank import Bank, Principal
from creditbank.services.log import prove_entry
from creditbank.services.outcomes import record_outcome
from creditbank.services.publishing import publish_now
from creditbank.storage.sql_store import SqlStore
from tests.banks import BEGINNING, EAST, new_account, new_bank
from tests.benchmarks.measuring import middle, rate_of, rates_of, ratios_of
from tests.benchmarks.peers import merkle_tree
from tests.benchmarks.rows import batches, entries_of, filler, row_of, said
from tests.benchmarks.table import Measure, print_measures
from tests.engines import durable_postgresql, opened, postgresql_url, sqlite_url

pytestmark = pytest.mark.benchmark

GROUP = "Growth: beside a ledger of 10,000 entries"
SMALL = 10_000
WITHIN = 1 / 1.3
ENTRIES_EACH = 10
BATCH = 4_096
PIECES = 200
PEER_PIECES = 20
ROUNDS = 7
STRIDE = 7_919
"""A prime: the proofs are asked for all over the log."""


@dataclass(frozen=True, kw_only=True)
class Grown:
    """A bank whose ledger has grown to a size, and the account that is looked at."""

    size: int
    url: str
    bank: Bank
    story: AccountNumber


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def ledgers(
    request: pytest.FixtureRequest, tmp_path: Path, grown_to: int
) -> Iterator[tuple[str, list[Grown]]]:
    sizes = [size for size in (SMALL, 100_000, 1_000_000) if size <= grown_to]
    with ExitStack() as stack:
        if request.param == "PostgreSQL":
            stack.enter_context(durable_postgresql())
        grown = []
        for size in sizes:
            if request.param == "PostgreSQL":
                url = stack.enter_context(postgresql_url())
            else:
                (tmp_path / str(size)).mkdir()
                url = sqlite_url(tmp_path / str(size))
            grown.append(grow(size, url, stack.enter_context(opened(url))))
        yield request.param, grown


def grow(size: int, url: str, engine: Engine) -> Grown:
    bank = new_bank(SqlStore(engine))
    story = new_account(bank)
    for sample in story_outcomes(on=BEGINNING.date()):
        record_outcome(bank, Principal(issuer=sample.outcome.issuer), story, sample.outcome)
    words = said(size, accounts=size // ENTRIES_EACH)
    for batch in batches(entries_of(words, log=bank.record.origin), BATCH):
        with bank.store.writing() as books:
            books.ledger.append(batch)
            books.ledger.sequence()
    publish_now(bank)
    return Grown(size=size, url=url, bank=bank, story=story)


def append(ledger: Grown, numbers: Iterator[int]) -> float:
    """Record outcomes one by one, each answered when it is on the disk."""
    number = new_account(ledger.bank)
    given = [course(next(numbers)) for _ in range(PIECES)]
    return rate_of(PIECES, lambda: [record_outcome(ledger.bank, EAST, number, one) for one in given])


def course(number: int) -> CourseCredit:
    return CourseCredit(
        course_code=f"ABC-{number}",
        title="畜牧兽医基础",
        credits=Decimal("3.5"),
        hours_per_credit=Decimal(18),
        score=Decimal(86),
        issuer=EAST.issuer,
        awarded_on=date(2026, 1, 15),
    )


def prove(ledger: Grown) -> float:
    places = places_in(ledger)
    with opened(ledger.url) as engine:
        bank = replace(ledger.bank, store=SqlStore(engine))
        return rate_of(PIECES, lambda: [prove_entry(bank, filler(of), seq) for seq, of in places])


def places_in(ledger: Grown) -> list[tuple[int, int]]:
    """Return where entries lie that are spread over the whole log: how far down which account's chain."""
    accounts = ledger.size // ENTRIES_EACH
    return [divmod(place * STRIDE % ledger.size, accounts) for place in range(PIECES)]


def look(ledger: Grown) -> float:
    return rate_of(PIECES, lambda: [read_account(ledger.bank, ledger.story) for _ in range(PIECES)])


def test_growth(ledgers: tuple[str, list[Grown]]) -> None:
    engine, grown = ledgers
    numbers = count()
    work: dict[str, Callable[[Grown], float]] = {
        "single durable append": lambda ledger: append(ledger, numbers),
        "inclusion proof, store opened anew": prove,
        "account read": look,
    }
    for what, one in work.items():
        rates = rates_of({str(each.size): partial(one, each) for each in grown}, rounds=ROUNDS)
        small = rates.pop(str(SMALL))
        for size, reached in rates.items():
            print_measures(
                Measure(
                    group=GROUP,
                    what=f"{what}, {int(size):,}",
                    engine=engine,
                    product=middle(reached),
                    beside=f"at {SMALL:,}",
                    peer=middle(small),
                    unit="/s",
                    goal=WITHIN,
                    ratios=ratios_of(reached, small),
                )
            )


def test_proofs_beside_a_merkle_tree(tmp_path: Path) -> None:
    """The peer computes the path from the same bytes in an SQLite file; it has no signed root."""
    url = sqlite_url(tmp_path)
    with opened(url) as engine, merkle_tree(tmp_path) as tree:
        ledger = grow(SMALL, url, engine)
        tree.append_entries([leaf for _, _, leaf, *_ in map(row_of, whole_log(ledger))])
        leaves = [place * STRIDE % SMALL + 1 for place in range(PEER_PIECES)]

        def peer() -> float:
            return rate_of(PEER_PIECES, lambda: [tree.prove_inclusion(leaf) for leaf in leaves])

        rates = rates_of({"product": partial(prove, ledger), "peer": peer}, rounds=ROUNDS)
    print_measures(
        Measure(
            group=GROUP,
            what=f"inclusion proof, {SMALL:,}",
            engine="SQLite",
            product=middle(rates["product"]),
            beside="pymerkle prove_inclusion",
            peer=middle(rates["peer"]),
            unit="/s",
            goal=None,
            ratios=ratios_of(rates["product"], rates["peer"]),
        )
    )


def whole_log(ledger: Grown) -> Iterator[Entry]:
    return entries_of(said(ledger.size, accounts=ledger.size // ENTRIES_EACH), log=ledger.bank.record.origin)
