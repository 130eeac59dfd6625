"""The database lets a redaction destroy what stands before it in its own chain, and nothing else, ever."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from creditbank.account.records import OutcomeKey
from creditbank.documents.receipt import receipt_without
from creditbank.identity.account_number import AccountNumber, account_number_of
from creditbank.ledger.entry import REDACTION, Entry
from creditbank.storage.sql_ledger import SqlLedger
from creditbank.storage.sql_records import SqlAccounts, SqlBatches, SqlOutcomes
from creditbank.terms import SubjectId
from tests.engines import opened, postgresql_url, sqlite_url
from tests.strategies.books import account, receipt_batch
from tests.strategies.ledger import head_of, next_entry

REFUSED = "the ledger is append-only"
TASHI, PEMA, DAWA = (account_number_of(sha256(name).digest()[:10]) for name in (b"tashi", b"pema", b"dawa"))
TABLES = ("payload", "outcome_key")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A database on which every test rolls back what it did."""
    if request.param == "sqlite":
        with opened(sqlite_url(tmp_path_factory.mktemp("guard"))) as file:
            yield file
    else:
        with postgresql_url() as url, opened(url) as server:
            yield server


@pytest.fixture
def connection(database: Engine) -> Iterator[Connection]:
    with database.connect() as opening:
        opening.begin()
        yield opening
        opening.rollback()


def append(connection: Connection, of: AccountNumber, redacted: list[bool]) -> list[Entry]:
    """Append a chain whose entries are redactions where told so, each with payload, keys and a row."""
    entries: list[Entry] = []
    for seq, is_redaction in enumerate(redacted):
        kind = REDACTION if is_redaction else "outcome.recorded"
        entries.append(next_entry(head_of(entries), subject=of.subject, kind=kind, key=f"key {seq}"))
    SqlLedger(connection).append(entries)
    SqlOutcomes(connection).add(
        [OutcomeKey(key=bytes([entry.leaf.seq]), subject=of.subject, seq=entry.leaf.seq) for entry in entries]
    )
    SqlAccounts(connection).add([account(of.text, citizen=sha256(of.text.encode()).digest())])
    return entries


def is_refused(connection: Connection, statement: str, **values: object) -> bool:
    """Try a statement, undo it, and say whether the guard refused it; it must have had a row to change."""
    attempt = connection.begin_nested()
    try:
        changed = connection.execute(text(statement), values).rowcount
    except IntegrityError as error:
        if REFUSED not in str(error.orig):
            raise
        return True
    finally:
        attempt.rollback()
    assert changed == 1
    return False


@settings(max_examples=40)
@given(redacted=st.lists(st.booleans(), min_size=1, max_size=6), others=st.lists(st.booleans(), max_size=2))
def test_only_what_a_later_redaction_of_its_own_chain_covers_may_go(
    database: Engine, redacted: list[bool], others: list[bool]
) -> None:
    place = "WHERE subject = :subject AND seq = :seq"
    with database.connect() as connection:
        connection.begin()
        append(connection, TASHI, redacted)
        append(connection, PEMA, others)
        for seq in range(len(redacted)):
            here = {"subject": TASHI.subject, "seq": seq}
            is_covered = any(redacted[seq + 1 :])
            for table in TABLES:
                assert is_refused(connection, f"DELETE FROM {table} {place}", **here) != is_covered
            blanks = f"UPDATE entry SET idempotency_key = NULL {place}"
            assert is_refused(connection, blanks, **here) != is_covered
        of_account = "DELETE FROM account WHERE subject = :subject"
        assert is_refused(connection, of_account, subject=TASHI.subject) != any(redacted)
        connection.rollback()


CHANGES = (
    "DELETE FROM entry",
    "UPDATE entry SET idempotency_key = 'another'",
    "UPDATE entry SET idempotency_key = NULL, leaf_hash = leaf",
    "UPDATE entry SET idempotency_key = NULL, seq = seq + 9",
    "UPDATE payload SET bytes = salt",
    "UPDATE outcome_key SET key = key",
    "UPDATE account SET identity = identity",
    "UPDATE account SET citizen_index = NULL",
)


@pytest.mark.parametrize("change", CHANGES)
def test_a_redaction_lets_nothing_be_changed(connection: Connection, change: str) -> None:
    append(connection, TASHI, [False, True])
    rows = "" if "account" in change else " AND seq = 0"
    assert is_refused(connection, f"{change} WHERE subject = :subject{rows}", subject=TASHI.subject)


def test_a_data_key_may_be_wrapped_anew(connection: Connection) -> None:
    append(connection, TASHI, [False])
    assert not is_refused(connection, "UPDATE account SET wrapped_key = identity")


def forged(subject: str, **members: object) -> bytes:
    return json.dumps({"seq": 1, "subject": subject, **members}, separators=(",", ":")).encode()


FORGERIES = {
    "in a string": forged(TASHI.subject, issuer='"kind":"account.redacted"', kind="outcome.recorded"),
    "deeper": forged(TASHI.subject, issuer={"kind": "account.redacted"}, kind="outcome.recorded"),
    "in a list": forged(TASHI.subject, issuer=[{"kind": "account.redacted"}]),
    "of another chain": forged(PEMA.subject, kind="account.redacted"),
    "of nobody": b'{"kind":"account.redacted"}',
    "another kind": forged(TASHI.subject, kind="account.redacted "),
    "longer, and another deeper": forged(
        TASHI.subject, issuer={"kind": "account.redacted"}, kind="account.redacted.not"
    ),
    "longer": forged(TASHI.subject, kind="account.redacted.not"),
}


@pytest.mark.parametrize("leaf", FORGERIES.values(), ids=FORGERIES)
def test_a_leaf_that_only_looks_like_a_redaction_opens_nothing(connection: Connection, leaf: bytes) -> None:
    append(connection, TASHI, [False])
    connection.execute(
        text("INSERT INTO entry VALUES (:subject, 1, :leaf, :hash, NULL)"),
        {"subject": TASHI.subject, "leaf": leaf, "hash": bytes(32)},
    )
    for table in (*TABLES, "account"):
        assert is_refused(connection, f"DELETE FROM {table} WHERE subject = :subject", subject=TASHI.subject)


def test_bytes_that_are_no_leaf_open_nothing(connection: Connection) -> None:
    append(connection, TASHI, [False])
    connection.execute(
        text("INSERT INTO entry VALUES (:subject, 1, :leaf, :hash, NULL)"),
        {"subject": TASHI.subject, "leaf": b'"kind":"account.redacted"', "hash": bytes(32)},
    )
    # PostgreSQL stumbles over them as it reads, which refuses as well.
    with pytest.raises(DBAPIError, match=r"append-only|invalid input syntax for type json"):
        connection.execute(text("DELETE FROM payload"))


def test_an_institution_is_never_redacted(connection: Connection) -> None:
    entries: list[Entry] = []
    for kind in ("institution.registered", REDACTION):
        entries.append(next_entry(head_of(entries), subject=SubjectId("institution:1"), kind=kind))
    SqlLedger(connection).append(entries)
    assert is_refused(connection, "DELETE FROM payload WHERE seq = 0")


# Receipts.


def files(connection: Connection, *rows: AccountNumber) -> bytes:
    """Keep the receipt of a file with these rows, and return it."""
    posted = receipt_batch("1", *rows)
    SqlBatches(connection).add(posted)
    return posted.receipt


REPLACE = "UPDATE batch SET receipt = :receipt"


def test_a_receipt_loses_its_lines_about_a_redacted_account(connection: Connection) -> None:
    append(connection, TASHI, [False, True])
    append(connection, PEMA, [False])
    whole = files(connection, TASHI, PEMA, TASHI)
    without_tashi, without_pema = receipt_without(whole, TASHI), receipt_without(whole, PEMA)
    assert not is_refused(connection, REPLACE, receipt=without_tashi)
    assert is_refused(connection, REPLACE, receipt=without_pema)
    assert is_refused(connection, "DELETE FROM batch")


def test_a_receipt_about_redacted_accounts_alone_may_go(connection: Connection) -> None:
    append(connection, TASHI, [False, True])
    append(connection, PEMA, [False, True])
    whole = files(connection, TASHI, PEMA)
    assert not is_refused(connection, "DELETE FROM batch")
    shorter = receipt_without(whole, TASHI)
    connection.execute(text(REPLACE), {"receipt": shorter})
    assert not is_refused(connection, "DELETE FROM batch")


def tampered(receipt: bytes, **changes: object) -> bytes:
    return json.dumps({**json.loads(receipt), **changes}).encode()


@pytest.mark.parametrize(
    "change",
    [
        {"posted_at": "2020-01-01T00:00:00Z"},
        {"rows": 1},
        {"redacted": 2},
        {"redacted": None},
        {"file": {"sha256": "0" * 64}},
        {"extra": 1},
    ],
    ids=str,
)
def test_a_receipt_changes_in_nothing_else(connection: Connection, change: dict[str, object]) -> None:
    append(connection, TASHI, [False, True])
    append(connection, PEMA, [False])
    shorter = receipt_without(files(connection, TASHI, PEMA), TASHI)
    assert shorter is not None
    assert is_refused(connection, REPLACE, receipt=tampered(shorter, **change))


@pytest.mark.parametrize("column", ["number = '9'", "issuer = 'x'", "file_digest = receipt", "posted_at = 0"])
def test_a_receipt_loses_its_lines_where_it_stands(connection: Connection, column: str) -> None:
    append(connection, TASHI, [False, True])
    append(connection, PEMA, [False])
    shorter = receipt_without(files(connection, TASHI, PEMA), TASHI)
    assert is_refused(connection, f"{REPLACE}, {column}", receipt=shorter)


def test_a_receipt_keeps_the_other_lines_as_they_are(connection: Connection) -> None:
    append(connection, TASHI, [False, True])
    append(connection, PEMA, [False])
    shorter = receipt_without(files(connection, TASHI, PEMA), TASHI)
    assert shorter is not None
    (line,) = json.loads(shorter)["entries"]
    assert is_refused(connection, REPLACE, receipt=tampered(shorter, entries=[{**line, "seq": 7}]))
    assert is_refused(connection, REPLACE, receipt=tampered(shorter, entries=[line, line]))
    named = tampered(shorter, file={**json.loads(shorter)["file"], "name": "another.xlsx"})
    assert is_refused(connection, REPLACE, receipt=named)


def test_a_receipt_gains_no_line_where_it_loses_others(connection: Connection) -> None:
    append(connection, TASHI, [False, True])
    append(connection, PEMA, [False])
    shorter = receipt_without(files(connection, TASHI, PEMA, TASHI), TASHI)
    assert shorter is not None
    (line,) = json.loads(shorter)["entries"]
    for added in ({**line, "row": 9}, {**line, "account": str(TASHI)}, {**line, "account": str(DAWA)}):
        assert is_refused(connection, REPLACE, receipt=tampered(shorter, entries=[line, added], redacted=1))


def test_a_receipt_without_redacted_accounts_stays_whole(connection: Connection) -> None:
    append(connection, PEMA, [False])
    whole = files(connection, PEMA, DAWA)
    for one in (PEMA, DAWA):  # one that stands, one that was never opened
        assert is_refused(connection, REPLACE, receipt=receipt_without(whole, one))
    assert is_refused(connection, "DELETE FROM batch")
    assert is_refused(connection, REPLACE, receipt=whole)


# Ways around.


@pytest.mark.parametrize("recursive", ["ON", "OFF"])
@pytest.mark.parametrize(
    "replacement",
    [
        "account VALUES (:subject, 0, NULL, x'00', x'00', 'initial')",
        "account SELECT 'account:new', 0, citizen_index, x'00', x'00', 'initial' FROM account",
        "account (rowid, subject, opened_at, wrapped_key, identity) VALUES (1, 'account:new', 0, x'', x'')",
        "officer VALUES ('officer:1', '', zeroblob(32), 0, 1)",
        "officer SELECT 'officer:new', '', digest, 0, NULL FROM officer",
        "officer (rowid, id, name, digest, added_at) VALUES (1, 'officer:2', '', randomblob(32), 0)",
    ],
)
def test_sqlite_refuses_to_replace_an_account_or_an_officer(
    tmp_path: Path, replacement: str, recursive: str
) -> None:
    with opened(sqlite_url(tmp_path)) as engine, engine.connect() as connection:
        connection.connection.cursor().execute(f"PRAGMA recursive_triggers = {recursive}")
        append(connection, TASHI, [False])
        connection.execute(text("INSERT INTO officer VALUES ('officer:1', 'one', randomblob(32), 0, NULL)"))
        values = {"subject": TASHI.subject} if ":subject" in replacement else {}
        with pytest.raises(IntegrityError, match=REFUSED):
            connection.execute(text(f"INSERT OR REPLACE INTO {replacement}"), values)
        connection.rollback()


@pytest.fixture
def postgresql() -> Iterator[Connection]:
    with postgresql_url() as url, opened(url) as engine, engine.connect() as connection:
        append(connection, TASHI, [False])
        yield connection
        connection.rollback()


AS_LEDGER = "AS SELECT :subject AS subject, CAST(1 AS bigint) AS seq, CAST(:leaf AS bytea) AS leaf"
WAYS_AROUND = {
    "a table in its place": (f"CREATE TEMPORARY TABLE entry {AS_LEDGER}",),
    "a schema before it": (
        "CREATE SCHEMA before",
        f"CREATE TABLE before.entry {AS_LEDGER}",
        "SET LOCAL search_path TO before, public",
    ),
    "a function in another's place": (
        "CREATE SCHEMA before",
        "CREATE FUNCTION before.format(text, name) RETURNS text LANGUAGE sql AS 'SELECT $$SELECT true$$'",
        "CREATE FUNCTION before.format(text, text) RETURNS text LANGUAGE sql AS 'SELECT $$SELECT true$$'",
        "SET LOCAL search_path TO before, pg_catalog, public",
    ),
    "replica mode": ("SET LOCAL session_replication_role = replica",),
}


@pytest.mark.parametrize("way", WAYS_AROUND.values(), ids=WAYS_AROUND)
def test_postgresql_asks_the_ledger_itself(postgresql: Connection, way: tuple[str, ...]) -> None:
    values = {"subject": TASHI.subject, "leaf": forged(TASHI.subject, kind="account.redacted")}
    for statement in way:
        postgresql.execute(text(statement), values)
    for table in ("payload", "outcome_key", "account"):
        assert is_refused(postgresql, f"DELETE FROM public.{table}")


@pytest.mark.parametrize("table", ["account", "officer", "payload", "outcome_key", "batch", "entry"])
def test_postgresql_refuses_to_truncate_whatever_was_redacted(postgresql: Connection, table: str) -> None:
    append(postgresql, PEMA, [False, True])
    with pytest.raises(IntegrityError, match=REFUSED):
        postgresql.execute(text(f"TRUNCATE {table} CASCADE"))


# Officers.


def test_an_officer_is_retired_once_and_changed_in_nothing_else(connection: Connection) -> None:
    connection.execute(
        text("INSERT INTO officer VALUES ('officer:1', 'one', :digest, 5, NULL)"), {"digest": bytes(32)}
    )
    for change in ("name = 'two'", "digest = :other", "retired_at = 7, id = 'officer:2'", "added_at = 0"):
        values = {"other": b"\x01" * 32} if ":other" in change else {}
        assert is_refused(connection, f"UPDATE officer SET {change}", **values)
    assert is_refused(connection, "UPDATE officer SET retired_at = NULL")
    assert is_refused(connection, "DELETE FROM officer")
    connection.execute(text("UPDATE officer SET retired_at = 7"))
    for change in ("retired_at = 8", "retired_at = NULL"):
        assert is_refused(connection, f"UPDATE officer SET {change}")
