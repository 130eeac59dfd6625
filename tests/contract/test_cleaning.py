"""What was destroyed is gone from every file of the database; each step of cleaning is needed for that.

That a step is needed is shown by leaving it out: the search must then find what the step would have cleaned.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Engine, event, text

from creditbank.account.records import OutcomeKey
from creditbank.account.redaction import RedactionNamed
from creditbank.documents.receipt import receipt_without
from creditbank.errors import Conflict
from creditbank.identity.account_number import AccountNumber
from creditbank.services.bank import Bank, Principal
from creditbank.services.officers import add_officer, two_persons
from creditbank.services.redaction import finish_redactions, redact_account
from creditbank.storage import sql_cleaning
from creditbank.storage.sql_cleaning import REWRITTEN, clean
from creditbank.storage.sql_store import SqlStore
from tests.banks import OPERATOR, new_bank
from tests.canary import TEXTS, found, live, sealed_traces
from tests.engines import opened, postgresql_data, postgresql_url, sqlite_url
from tests.strategies.books import subject

OPERATING = Principal.operator(OPERATOR)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A bank in which the learner was redacted, and what must not be found any more."""

    bank: Bank
    engine: Engine
    place: Path
    wanted: dict[str, str | bytes]

    def clean(self) -> Sequence[str]:
        return finish(self.bank, self.engine)

    def seen(self) -> set[str]:
        """Return what stands there plainly."""
        return set(found(self.wanted, [self.place], plainly=True))

    def is_clean(self) -> bool:
        """Whether nothing stands there in any form."""
        return not found(self.wanted, [self.place])


def finish(bank: Bank, engine: Engine) -> Sequence[str]:
    def nothing(_: Sequence[RedactionNamed]) -> None:
        """Keep no register."""

    return finish_redactions(
        bank,
        receipt_without=receipt_without,
        register=nothing,
        clean=lambda on_step: clean(engine, on_step),
        on_step=lambda _: None,
    )


def redact(bank: Bank, account: AccountNumber) -> None:
    tokens = [add_officer(bank, OPERATING, name)[1] for name in ("one", "two")]
    persons = two_persons(bank, first_token=tokens[0], second_token=tokens[1])
    redact_account(
        bank, OPERATING, persons, account, ground="consent-withdrawn", receipt_without=receipt_without
    )


def redacted(
    engine: Engine, place: Path, *, before: Callable[[], None] = lambda: None, sampled: bool = True
) -> Scene:
    """Let the learner live and be redacted, with samples taken before, and nothing cleaned afterwards."""
    bank = new_bank(SqlStore(engine))
    account = live(bank)
    if engine.dialect.name == "sqlite":
        add_keys(bank, account)
    before()
    if sampled:
        with engine.begin() as connection:
            connection.execute(text("ANALYZE"))
    wanted: dict[str, str | bytes] = {**TEXTS, **sealed_traces(engine, account)}
    if engine.dialect.name == "postgresql":
        # Into the tables' own files: in the write-ahead log a cell may be torn by the end of a page.
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("CHECKPOINT"))
    redact(bank, account)
    return Scene(bank=bank, engine=engine, place=place, wanted=wanted)


def add_keys(bank: Bank, account: AccountNumber) -> None:
    """Have as many keys lead to the learner as it takes for one to be left behind when pages are split."""
    keys = [sha256(b"key %d" % place).digest() for place in range(64)]
    with bank.store.writing() as books:
        books.outcomes.add([OutcomeKey(key=key, subject=account.subject, seq=1) for key in keys])


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    with opened(sqlite_url(tmp_path)) as engine:
        yield engine


@pytest.fixture
def postgresql() -> Iterator[Engine]:
    with postgresql_url() as url, opened(url) as engine:
        yield engine


def fill(engine: Engine, seed: int) -> None:
    """Keep thousands of other outcomes' keys, so that pages are split and what they hold moves about."""
    random = Random(seed)
    with SqlStore(engine).writing() as books:
        books.outcomes.add(
            [OutcomeKey(key=random.randbytes(32), subject=subject("x"), seq=seq) for seq in range(2_000)]
        )


def test_sqlite_is_clean_when_every_step_was_taken(sqlite: Engine, tmp_path: Path) -> None:
    scene = redacted(sqlite, tmp_path)
    assert scene.seen() == scene.wanted.keys()  # in the write-ahead log, at the least
    assert scene.clean() == ()
    assert scene.is_clean()
    with scene.bank.store.reading() as books:
        assert books.redactions.uncleaned() == []
    assert scene.clean() == ()


def test_the_log_of_sqlite_must_be_cut(
    sqlite: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_cleaning, "_truncate_log", lambda _: None)
    scene = redacted(sqlite, tmp_path)
    scene.clean()
    assert scene.seen() >= {"citizen number", "payload 0"}


def test_samples_of_sqlite_must_be_taken_anew(
    sqlite: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_cleaning, "_take_samples_anew", lambda _: None)
    scene = redacted(sqlite, tmp_path)
    scene.clean()
    assert {name.rpartition(" ")[0] for name in scene.seen()} >= {"citizen index", "outcome key"}


@pytest.mark.parametrize("is_rewritten", [True, False])
def test_pages_of_sqlite_from_before_must_be_rewritten(
    sqlite: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_rewritten: bool
) -> None:
    event.listen(sqlite, "connect", lambda driver, _: driver.execute("PRAGMA secure_delete = OFF"))
    fill(sqlite, 1)

    def secure() -> None:
        fill(sqlite, 2)
        sqlite.dispose()
        event.listen(sqlite, "connect", lambda driver, _: driver.execute("PRAGMA secure_delete = ON"))

    if not is_rewritten:
        monkeypatch.setattr(sql_cleaning, "_rewrite", lambda _: None)
    scene = redacted(sqlite, tmp_path, before=secure)
    scene.clean()
    assert bool(scene.seen()) != is_rewritten


@pytest.mark.parametrize("is_secure", [True, False])
def test_what_sqlite_deletes_is_overwritten_even_where_nobody_cleans(
    sqlite: Engine, tmp_path: Path, *, is_secure: bool
) -> None:
    if not is_secure:
        event.listen(sqlite, "connect", lambda driver, _: driver.execute("PRAGMA secure_delete = OFF"))
    fill(sqlite, 1)
    scene = redacted(sqlite, tmp_path, before=lambda: fill(sqlite, 2), sampled=False)
    # Nothing was cleaned; but sooner or later the write-ahead log comes home by itself.
    with sqlite.connect() as connection:
        connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert bool(scene.seen()) != is_secure


def test_a_reader_keeps_sqlite_from_being_cleaned_and_the_redaction_stands(
    sqlite: Engine, tmp_path: Path
) -> None:
    event.listen(sqlite, "connect", lambda driver, _: driver.execute("PRAGMA busy_timeout = 200"))
    scene = redacted(sqlite, tmp_path)
    with scene.bank.store.reading() as books:
        books.ledger.size()
        with pytest.raises(Conflict, match="database-busy"):
            scene.clean()
    with scene.bank.store.reading() as books:
        assert len(books.redactions.uncleaned()) == 1
    assert scene.clean() == ()
    assert scene.is_clean()


def test_postgresql_is_clean_when_every_step_was_taken(postgresql: Engine) -> None:
    scene = redacted(postgresql, postgresql_data())
    assert scene.seen() == scene.wanted.keys()
    assert scene.clean() == ()
    assert scene.is_clean()


# Kept answers are sealed, so what is left of one tells nothing; claims have a test of their own.
@pytest.mark.parametrize(
    "table", [table for table in REWRITTEN if table not in {"outcome_claim", "kept_answer"}]
)
def test_every_table_of_postgresql_must_be_rewritten(
    postgresql: Engine, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    monkeypatch.setattr(sql_cleaning, "REWRITTEN", tuple(other for other in REWRITTEN if other != table))
    scene = redacted(postgresql, postgresql_data())
    assert scene.clean() == ()
    assert scene.seen()


def test_keys_that_were_only_claimed_are_rewritten_too(postgresql: Engine) -> None:
    # They come to the disk when the server stops: nothing else writes what is not logged.
    size = text("SELECT pg_relation_size('outcome_claim')")
    scene = redacted(postgresql, postgresql_data())
    with postgresql.connect() as connection:
        assert connection.execute(size).scalar_one() > 0
        connection.rollback()
        scene.clean()
        assert connection.execute(size).scalar_one() == 0


def test_the_log_of_postgresql_must_be_turned_over(
    postgresql: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_cleaning, "_turn_log_over", lambda _: False)
    scene = redacted(postgresql, postgresql_data())
    scene.clean()
    assert scene.seen()


def test_files_of_the_log_that_wait_for_use_must_be_written_over(
    postgresql: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_cleaning, "_log_files", lambda *_: ())
    scene = redacted(postgresql, postgresql_data())
    scene.clean()
    assert scene.seen()


def test_postgresql_must_take_no_samples(postgresql: Engine) -> None:
    with postgresql.begin() as connection:
        connection.execute(text("ALTER TABLE outcome_key ALTER COLUMN key SET STATISTICS -1"))
    scene = redacted(postgresql, postgresql_data())
    scene.clean()
    assert scene.seen() >= {"outcome key 0"}


def guide() -> str:
    """Return what the guide says about redacting an account."""
    whole = (Path(__file__).parents[2] / "docs" / "operating.md").read_text("utf-8")
    _, _, section = whole.partition("## Redacting an account")
    return section.partition("\n## ")[0]


def test_the_guide_says_what_cleaning_takes_and_what_is_left_by_hand() -> None:
    said = guide()
    grants = ("pg_checkpoint", "pg_monitor", "pg_switch_wal")
    for named in (*REWRITTEN, "rewrite", "journal", "journal-kept", *grants, "--by-hand", "--reapply"):
        assert named in said


def clean_by_hand(engine: Engine) -> None:
    """Do what the guide has a superuser do, with the guide's own statements."""
    turn_over, fill_again = (
        [each.strip() for each in line.split(";") if each.strip()]
        for line in guide().splitlines()
        if line.startswith("    SELECT pg_logical_emit_message")
    )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:

        def run(*statements: str) -> None:
            for statement in statements:
                connection.execute(text(statement))

        run(*(f"VACUUM (FULL) {table}" for table in REWRITTEN))
        run(*turn_over, *turn_over)
        files = connection.execute(text("SELECT count(*) FROM pg_ls_waldir()")).scalar_one()
        run(*fill_again * files, "CHECKPOINT")


def test_postgresql_is_clean_when_it_was_cleaned_by_hand_as_the_guide_says(postgresql: Engine) -> None:
    scene = redacted(postgresql, postgresql_data())
    assert scene.seen() == scene.wanted.keys()
    clean_by_hand(postgresql)
    assert scene.is_clean()


def test_a_role_that_may_not_clean_is_told_what_is_left(postgresql: Engine) -> None:
    scene = redacted(postgresql, postgresql_data())
    url = postgresql.url.set(username="clerk")
    with postgresql.begin() as connection:
        connection.execute(text("CREATE ROLE clerk LOGIN"))
        connection.execute(
            text("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO clerk")
        )
    try:
        with opened(url.render_as_string(hide_password=False)) as engine:
            assert finish(scene.bank, engine) == ("rewrite", "journal")
    finally:
        with postgresql.begin() as connection:
            connection.execute(text("DROP OWNED BY clerk"))
            connection.execute(text("DROP ROLE clerk"))
    with scene.bank.store.reading() as books:
        assert len(books.redactions.uncleaned()) == 1
    assert scene.clean() == ()


def test_a_log_that_is_kept_for_a_replica_is_told_of(postgresql: Engine) -> None:
    scene = redacted(postgresql, postgresql_data())
    with postgresql.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SELECT pg_create_physical_replication_slot('replica', true)"))
        try:
            assert scene.clean() == ("journal-kept",)
            assert scene.seen()
        finally:
            connection.execute(text("SELECT pg_drop_replication_slot('replica')"))
    assert scene.clean() == ()
    assert scene.seen() == set()
