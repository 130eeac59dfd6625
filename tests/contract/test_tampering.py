"""Nothing that is changed behind the bank's back goes unseen, whatever SQL or disk did it.

Storage's part of verification: every row reaches the audit as it is stored. The audit's own laws are
stated beside `ledger.audit_chains` and `ledger.audit_tree`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text

from creditbank.errors import CreditBankError
from creditbank.ledger.audit_chains import chain_findings
from creditbank.ledger.audit_tree import tree_findings
from creditbank.ledger.checkpoint import Checkpoint
from creditbank.signing.checkpoint_signer import KeyringSigner
from creditbank.signing.keys import Keyring
from creditbank.storage.schema import require_current
from creditbank.storage.sql_audit import audit_rows
from creditbank.storage.sql_store import SqlStore
from creditbank.storage.sql_structure import structure_findings
from tests.engines import opened, postgresql_url, sqlite_url
from tests.strategies.books import LOG, chain, entry_after, subject

SIGNER = KeyringSigner(
    Keyring(
        origin=LOG,
        key_encryption_key=bytes(32),
        index_key=bytes(32),
        checkpoint_seed=sha256(b"seed").digest(),
    )
)

COLUMNS = {
    "entry": ["subject", "seq", "leaf", "leaf_hash", "idempotency_key"],
    "payload": ["subject", "seq", "salt", "bytes"],
    "log_leaf": ["log_index", "subject", "seq"],
    "tile": ["level", "tile_index", "hashes"],
    "log_state": ["size", "root"],
    "checkpoint": ["size", "note"],
}
CELLS = [(table, column) for table, columns in COLUMNS.items() for column in columns]


def fill(engine: Engine) -> None:
    """Write chains over more than one tile, with a key and with none, and checkpoints on the way."""
    store = SqlStore(engine)
    keyed = chain(subject("keyed"), length=1)
    for entries in (
        [*chain(subject("a"), length=20), *chain(subject("b"), length=3)],
        chain(subject("c"), length=250),
    ):
        with store.writing() as books:
            books.ledger.append(entries)
            books.ledger.sequence()
            checkpoint = Checkpoint(origin=LOG, size=books.ledger.size(), root=books.ledger.root())
            books.ledger.add_checkpoint(size=checkpoint.size, note=SIGNER.sign(checkpoint.body()))
    with store.writing() as books:
        head = books.ledger.heads_of([subject("a")])[subject("a")]
        books.ledger.append([*keyed, entry_after(head, of=subject("a"), idempotency_key="row 7")])
        books.ledger.sequence()


def findings(engine: Engine) -> list[str]:
    """Return what a verification finds, by code; what keeps it from answering counts as found."""
    key = SIGNER.verifier_key
    try:
        require_current(engine)
        found = list(structure_findings(engine))
        with audit_rows(engine) as rows:
            for finding in [*chain_findings(rows, log=LOG), *tree_findings(rows, keys=[key])]:
                found += [finding] if finding is not None else []
    except CreditBankError as error:
        return [error.reason]
    return [finding.code for finding in found]


@cache
def filled_file() -> bytes:
    with TemporaryDirectory() as directory:
        url = sqlite_url(Path(directory))
        with opened(url) as engine:
            fill(engine)
        return Path(url.removeprefix("sqlite:///")).read_bytes()


@contextmanager
def copied() -> Iterator[Engine]:
    """Give the block a copy of the filled bank."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "copy.db"
        path.write_bytes(filled_file())
        with opened(f"sqlite:///{path}") as engine:
            yield engine


@contextmanager
def unguarded(engine: Engine) -> Iterator[Connection]:
    """Let the block write to SQLite with no trigger, check or reference in the way, and put all back."""
    with engine.connect() as connection:
        for pragma in ("foreign_keys = OFF", "ignore_check_constraints = ON"):
            connection.connection.cursor().execute(f"PRAGMA {pragma}")
        triggers = connection.execute(
            text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        ).all()
        for name, _ in triggers:
            connection.execute(text(f"DROP TRIGGER {name}"))
        yield connection
        for _, sql in triggers:
            connection.exec_driver_sql(sql)
        connection.commit()


def altered(value: object, data: st.DataObject) -> object:
    """Draw another value of the same type, which a STRICT table lets pass."""
    match value:
        case bytes():
            bit = data.draw(st.integers(0, len(value) * 8 - 1), label="bit")
            flipped = bytearray(value)
            flipped[bit // 8] ^= 1 << bit % 8
            others: st.SearchStrategy[object] = st.sampled_from(
                [bytes(flipped), value[:-1], value + b"\0", b"?"]
            )
        case int():
            others = st.sampled_from([value + 1, value - 1, value + 10**6])
        case _:
            others = st.sampled_from([f"{value}x", "", "account:b", None])
    return data.draw(others.filter(lambda other: other != value), label="other")


def a_row(engine: Engine, table: str, data: st.DataObject) -> int:
    with engine.connect() as connection:
        rows = connection.execute(text(f"SELECT rowid FROM {table} ORDER BY rowid")).scalars().all()
    return int(data.draw(st.sampled_from(rows), label="row"))


def test_an_untouched_bank_has_no_findings() -> None:
    with copied() as engine:
        assert findings(engine) == []


@pytest.mark.parametrize(("table", "column"), CELLS, ids=[".".join(cell) for cell in CELLS])
@settings(max_examples=12)
@given(data=st.data())
def test_no_changed_cell_goes_unseen(table: str, column: str, data: st.DataObject) -> None:
    with copied() as engine:
        row = a_row(engine, table, data)
        with unguarded(engine) as connection:
            query = text(f"SELECT {column} FROM {table} WHERE rowid = :row")
            other = altered(connection.execute(query, {"row": row}).scalar_one(), data)
            change = text(f"UPDATE OR IGNORE {table} SET {column} = :other WHERE rowid = :row")
            # A key that is taken already is no change that SQL can make.
            assume(connection.execute(change, {"other": other, "row": row}).rowcount == 1)
        assert findings(engine)


# The bank's own copy of a checkpoint may go: the one that counts is kept elsewhere.
@settings(max_examples=50)
@given(data=st.data(), table=st.sampled_from(sorted(COLUMNS.keys() - {"checkpoint"})))
def test_no_deleted_row_goes_unseen(table: str, data: st.DataObject) -> None:
    with copied() as engine:
        row = a_row(engine, table, data)
        with unguarded(engine) as connection:
            connection.execute(text(f"DELETE FROM {table} WHERE rowid = :row"), {"row": row})
        assert findings(engine)


@pytest.mark.parametrize(
    "row",
    [
        "pending VALUES ('account:a', 0, zeroblob(32))",
        "pending VALUES ('account:nobody', 0, zeroblob(32))",
        "payload VALUES ('account:nobody', 0, zeroblob(32), x'00')",
        "tile VALUES (0, 9, x'00')",
        "tile VALUES (7, 0, x'00')",
        "log_leaf SELECT 10000, 'account:nobody', 0",
        "log_state VALUES (2, 0, zeroblob(32))",
        "checkpoint VALUES (7, x'00')",
        "entry SELECT subject, 21, leaf, leaf_hash, NULL FROM entry WHERE subject = 'account:a' AND seq = 20",
        "entry VALUES ('account:nobody', 0, x'00', zeroblob(32), NULL)",
    ],
)
def test_no_added_row_goes_unseen(row: str) -> None:
    with copied() as engine:
        with unguarded(engine) as connection:
            connection.execute(text(f"INSERT INTO {row}"))
        assert findings(engine)


def test_a_text_that_is_no_text_is_named_with_its_entry() -> None:
    key = SIGNER.verifier_key
    with copied() as engine:
        with unguarded(engine) as connection:
            connection.execute(text("UPDATE entry SET subject = CAST(x'ff' AS TEXT) WHERE seq = 200"))
        with audit_rows(engine) as rows:
            found = [*chain_findings(rows, log=LOG), *tree_findings(rows, keys=[key])]
        assert ("\udcff", 200) in {(finding.subject, finding.seq) for finding in found if finding}


# These were silent once, or broke the audit: a name in the schema, the format, the version, a check.
@example(107_938 * 8 + 7)
@example(376)
@example(65_535)
@example(106_119 * 8 + 4)
@given(st.integers(0, 2**31))
def test_no_flipped_bit_of_the_file_goes_unseen(place: int) -> None:
    content = bytearray(filled_file())
    place %= len(content) * 8
    content[place // 8] ^= 1 << place % 8
    with copied() as engine:
        path = Path(engine.url.database or "")
        path.write_bytes(content)
        if not findings(engine):
            # Some bits mean nothing: what can be read is what was written.
            with copied() as pristine:
                assert dump(engine) == dump(pristine)


def dump(engine: Engine) -> list[list[tuple[object, ...]]]:
    with engine.connect() as connection:
        return [
            [tuple(row) for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2"))]
            for table in [*COLUMNS, "pending"]
        ]


POSTGRESQL = {
    "entry.leaf": "UPDATE entry SET leaf = set_byte(leaf, 40, 0) WHERE seq = 1",
    "entry.leaf_hash": "UPDATE entry SET leaf_hash = sha256('x') WHERE subject = 'account:c' AND seq = 9",
    "entry.idempotency_key": "UPDATE entry SET idempotency_key = 'other' WHERE seq = 2",
    "payload.salt": "UPDATE payload SET salt = sha256('x') WHERE seq = 3",
    "payload.bytes": "UPDATE payload SET bytes = '\\x00' WHERE seq = 4",
    "payload": "DELETE FROM payload WHERE seq = 5",
    "log_leaf": "DELETE FROM log_leaf WHERE log_index = 6",
    "log_leaf.log_index": "UPDATE log_leaf SET log_index = 1000 WHERE log_index = 7",
    "tile.hashes": "UPDATE tile SET hashes = set_byte(hashes, 20, get_byte(hashes, 20) # 1)",
    "log_state.root": "UPDATE log_state SET root = sha256('x')",
    "checkpoint.note": "UPDATE checkpoint SET note = set_byte(note, 0, 0) WHERE size = 23",
    "pending": "INSERT INTO pending VALUES ('account:nobody', 0, sha256('x'))",
}


@pytest.mark.parametrize("change", POSTGRESQL.values(), ids=POSTGRESQL)
def test_no_change_in_postgresql_goes_unseen(change: str) -> None:
    with postgresql_url() as url, opened(url) as engine:
        fill(engine)
        assert findings(engine) == []
        with engine.begin() as connection:
            for table in ("entry", "payload", "log_leaf", "checkpoint"):
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER {table}_refuses_change"))
            connection.execute(text(change))
        with engine.begin() as connection:
            for table in ("entry", "payload", "log_leaf", "checkpoint"):
                connection.execute(text(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_refuses_change"))
        found = findings(engine)
        assert found
        assert not any(code.startswith("structure") for code in found)
