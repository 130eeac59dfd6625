"""A school's rows at once: into all tables, the tree and a signed checkpoint, beside the bare bytes.

At the store: from entries on; the end of every chain is checked. Through the service: from the rows of a
file on; learners are looked up, accounts opened and their identities sealed, outcomes claimed, leaves encoded
and hashed, the receipt kept. The peers write the bytes of the entries that came of it, and nothing else.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from creditbank.services.bank import Bank
from creditbank.services.import_outcomes import Posted, import_outcomes
from creditbank.services.publishing import publish_now
from creditbank.storage.sql_store import SqlStore
from tests.banks import EAST, new_bank
from tests.benchmarks.measuring import middle, rate_of, rates_of, ratios_of
from tests.benchmarks.peers import (
    Write,
    event_store,
    merkle_tree,
    raw_postgresql,
    raw_sqlite,
    sqlmodel_add_all,
)
from tests.benchmarks.rows import Row, entries_of, file_rows, row_of, said
from tests.benchmarks.table import Measure, print_measures
from tests.engines import durable_postgresql, opened, postgresql_url, sqlite_url

pytestmark = pytest.mark.benchmark

GROUP = "Bulk import: all tables, tree and signed checkpoint"
ENTRIES, ACCOUNTS = 20_000, 10_000
FILE = 5_000
ROUNDS = 5
LIMITS = {"SQLite": "executemany", "PostgreSQL": "COPY"}
NEW_ROWS = text(
    "SELECT entry.subject, entry.seq, leaf, leaf_hash, salt, bytes FROM entry"
    " JOIN payload ON payload.subject = entry.subject AND payload.seq = entry.seq"
    " JOIN log_leaf ON log_leaf.subject = entry.subject AND log_leaf.seq = entry.seq"
    " WHERE log_index >= :first"
)


@dataclass(kw_only=True)
class Setting:
    """A bank on one engine, and the peers beside it."""

    name: str
    engine: Engine
    bank: Bank
    raw: Write
    folder: Path
    rows: list[Row] = field(default_factory=list)
    """What the product wrote last: the peers write the same after it."""
    numbers: Iterator[int] = field(default_factory=count)


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def setting(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Setting]:
    with setting_on(request.param, tmp_path) as one:
        yield one


@contextmanager
def setting_on(name: str, folder: Path) -> Iterator[Setting]:
    with ExitStack() as stack:
        if name == "PostgreSQL":
            stack.enter_context(durable_postgresql())
            url = stack.enter_context(postgresql_url())
            raw = stack.enter_context(raw_postgresql(url)).write
        else:
            url = sqlite_url(folder)
            raw = stack.enter_context(raw_sqlite(folder)).write
        engine = stack.enter_context(opened(url))
        bank = new_bank(SqlStore(engine))
        yield Setting(name=name, engine=engine, bank=bank, raw=raw, folder=folder)


def import_at_the_store(setting: Setting) -> float:
    words = said(ENTRIES, accounts=ACCOUNTS, first=next(setting.numbers) * ACCOUNTS)
    entries = list(entries_of(words, log=setting.bank.record.origin))
    setting.rows = [row_of(entry) for entry in entries]

    def work() -> None:
        with setting.bank.store.writing() as books:
            books.ledger.append(entries)
        publish_now(setting.bank)

    return rate_of(ENTRIES, work)


def import_a_file(setting: Setting) -> float:
    number = next(setting.numbers)
    rows = file_rows(number, rows=FILE, issuer=EAST.issuer)
    digest = sha256(b"%d" % number).digest()
    before = publish_now(setting.bank).checkpoint.size

    def work() -> None:
        posted = import_outcomes(
            setting.bank, EAST, rows, file_digest=digest, write_receipt=lambda batch: batch.number.encode()
        )
        assert isinstance(posted, Posted)
        publish_now(setting.bank)

    rate = rate_of(2 * FILE, work)
    with setting.engine.connect() as connection:
        setting.rows = [tuple(row) for row in connection.execute(NEW_ROWS, {"first": before})]
    assert len(setting.rows) == 2 * FILE
    return rate


def peer_rate(setting: Setting, write: Write) -> float:
    return rate_of(len(setting.rows), partial(write, setting.rows))


@pytest.mark.parametrize(
    ("what", "product"),
    [("at the store", import_at_the_store), ("a file, through the service", import_a_file)],
)
def test_bulk_import(setting: Setting, what: str, product: Callable[[Setting], float]) -> None:
    orm = sqlmodel_add_all(setting.engine)
    rates = rates_of(
        {
            "product": partial(product, setting),
            "raw": partial(peer_rate, setting, setting.raw),
            "orm": partial(peer_rate, setting, orm),
        },
        rounds=ROUNDS,
    )
    goals = {"raw": (LIMITS[setting.name], 0.12), "orm": ("SQLModel add_all", 2.5)}
    print_measures(
        *(
            Measure(
                group=GROUP,
                what=what,
                engine=setting.name,
                product=middle(rates["product"]),
                beside=beside,
                peer=middle(rates[name]),
                unit="entries/s",
                ratios=ratios_of(rates["product"], rates[name]),
                goal=goal,
            )
            for name, (beside, goal) in goals.items()
        )
    )


def test_bulk_import_beside_an_event_store(setting: Setting) -> None:
    with event_store(setting.engine, setting.folder) as write:
        print_measures(library_measure(setting, "eventsourcing insert_events", write))


def test_bulk_import_beside_a_merkle_tree(tmp_path: Path) -> None:
    with setting_on("SQLite", tmp_path) as setting, merkle_tree(tmp_path) as tree:

        def write(rows: Sequence[Row]) -> None:
            tree.append_entries([leaf + salt + content for _, _, leaf, _, salt, content in rows])
            tree.get_root()

        print_measures(library_measure(setting, "pymerkle append_entries, root", write))


def library_measure(setting: Setting, beside: str, write: Write) -> Measure:
    work = {"product": partial(import_at_the_store, setting), "peer": partial(peer_rate, setting, write)}
    rates = rates_of(work, rounds=3)
    return Measure(
        group=GROUP,
        what="at the store",
        engine=setting.name,
        product=middle(rates["product"]),
        beside=beside,
        peer=middle(rates["peer"]),
        unit="entries/s",
        ratios=ratios_of(rates["product"], rates["peer"]),
        goal=None,
    )
