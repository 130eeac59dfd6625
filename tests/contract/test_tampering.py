"""Nothing that is changed behind the bank's back goes unseen, whatever SQL or disk did it, on either engine.

Storage's part of verification: every row reaches the audit as it is stored. The audit's own laws are stated
in `tests/properties/test_audit.py`. Attackers drop what is in their way, and put it back.
"""

import re
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, reject, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from creditbank.documents.ledger_report import LedgerReport, parse_ledger_report
from creditbank.ledger.chain import Head, extend, head_after
from creditbank.ledger.entry import REDACTION, Entry, Payload, parse_leaf
from creditbank.storage.schema import VERSION_TABLE
from creditbank.storage.sql_store import SqlStore
from creditbank.terms import Microseconds
from tests.contract.attacks import (
    COLUMNS,
    DIALECTS,
    bank,
    changed,
    codes,
    dump,
    empty_bank,
    filled_file,
    keep_checkpoint,
    row_in,
    unguarded,
    verified,
)
from tests.faults.tampering import BESIDE_THE_LEDGER
from tests.strategies.books import LOG, SCHOOL, chain, entry_after, subject

CELLS = [(table, column) for table, columns in COLUMNS.items() for column in columns]
cells = pytest.mark.parametrize(("table", "column"), CELLS, ids=[".".join(cell) for cell in CELLS])
either = pytest.mark.parametrize("dialect", DIALECTS)


def test_the_guide_says_of_every_table_beside_the_ledger_what_a_change_in_it_does() -> None:
    beside = (SQLModel.metadata.tables.keys() | {VERSION_TABLE}) - COLUMNS.keys()
    guide = (Path(__file__).parents[2] / "docs" / "operating.md").read_text("utf-8")
    _, _, listed = guide.partition("| Table | What it is for |")
    rows = re.findall(r"^\| (`[a-z_`, ]+) \|", listed.partition("\n\n")[0], re.MULTILINE)
    assert set(re.findall(r"`([a-z_]+)`", " ".join(rows))) == beside == BESIDE_THE_LEDGER


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


def a_row(engine: Engine, table: str, data: st.DataObject) -> object:
    row = row_in(table, engine.dialect.name)
    with engine.connect() as connection:
        rows = connection.execute(text(f"SELECT {row} FROM {table} ORDER BY {row}")).scalars().all()
    return data.draw(st.sampled_from(rows), label="row")


@either
def test_an_untouched_bank_has_no_findings(dialect: str) -> None:
    with bank(dialect) as engine:
        report = verified(engine)
        assert report.findings == ()
        assert (report.entries, report.waiting, report.size) == (276, 1, 275)


def change_a_cell(dialect: str, table: str, column: str, data: st.DataObject) -> None:
    with bank(dialect) as engine:
        row, where = a_row(engine, table, data), f"{row_in(table, dialect)} = :row"
        with unguarded(engine) as connection:
            query = text(f"SELECT {column} FROM {table} WHERE {where}")
            other = altered(connection.execute(query, {"row": row}).scalar_one(), data)
            change = text(f"UPDATE {table} SET {column} = :other WHERE {where}")
            try:
                with connection.begin_nested():
                    connection.execute(change, {"other": other, "row": row})
            except DBAPIError:
                reject()  # a key that is taken already is no change that SQL can make
        assert codes(engine)


@cells
@settings(max_examples=12)
@given(data=st.data())
def test_no_changed_cell_of_sqlite_goes_unseen(table: str, column: str, data: st.DataObject) -> None:
    change_a_cell("sqlite", table, column, data)


@cells
@settings(max_examples=2)
@given(data=st.data())
def test_no_changed_cell_of_postgresql_goes_unseen(table: str, column: str, data: st.DataObject) -> None:
    change_a_cell("postgresql", table, column, data)


def delete_a_row(dialect: str, table: str, data: st.DataObject) -> None:
    with bank(dialect) as engine:
        row = a_row(engine, table, data)
        with unguarded(engine) as connection:
            gone = text(f"DELETE FROM {table} WHERE {row_in(table, dialect)} = :row")
            connection.execute(gone, {"row": row})
        assert codes(engine)


# The bank's own copy of a checkpoint may go: the one that counts is kept elsewhere. What a witness signed
# under it may go too: it proves what it proves wherever it is kept.
DELETABLE = sorted(COLUMNS.keys() - {"checkpoint", "cosignature"})


@settings(max_examples=50)
@given(data=st.data(), table=st.sampled_from(DELETABLE))
def test_no_deleted_row_of_sqlite_goes_unseen(table: str, data: st.DataObject) -> None:
    delete_a_row("sqlite", table, data)


@settings(max_examples=8)
@given(data=st.data(), table=st.sampled_from(DELETABLE))
def test_no_deleted_row_of_postgresql_goes_unseen(table: str, data: st.DataObject) -> None:
    delete_a_row("postgresql", table, data)


HASH = {"sqlite": "zeroblob(32)", "postgresql": "sha256('')"}
BYTE = {"sqlite": "x'00'", "postgresql": "'\\x00'"}
ADDED = [
    "pending VALUES ('account:a', 0, {hash})",
    "pending VALUES ('account:nobody', 0, {hash})",
    "payload VALUES ('account:nobody', 0, {hash}, {byte})",
    "tile VALUES (0, 9, {byte})",
    "tile VALUES (7, 0, {byte})",
    "log_leaf VALUES (10000, 'account:nobody', 0)",
    "log_leaf VALUES (275, 'account:late', 0)",
    "checkpoint VALUES (7, {byte})",
    "cosignature SELECT size, witness, cosigned_at + 1, signature FROM cosignature",
    "entry SELECT subject, 21, leaf, leaf_hash, NULL FROM entry WHERE subject = 'account:a' AND seq = 20",
    "entry VALUES ('account:nobody', 0, {byte}, {hash}, NULL)",
]


@either
@pytest.mark.parametrize("row", ADDED)
def test_no_added_row_goes_unseen(dialect: str, row: str) -> None:
    with bank(dialect) as engine:
        changed(engine, "INSERT INTO " + row.format(hash=HASH[dialect], byte=BYTE[dialect]))
        assert codes(engine)


# What a skilled hand does to the ledger: places, tiles and state are mended after it, so that the log is
# whole in itself, and yet it is seen by what is left.

FORGED = "UPDATE {table} SET subject = 'account:b', seq = 3 WHERE subject = 'account:a' AND seq = 20"


def exchange(connection: Connection) -> None:
    """Let two entries of one chain change places, with all that belongs to them."""
    for table in ("entry", "payload", "log_leaf"):
        for old, new in ((5, 1000), (6, 5), (1000, 6)):
            move = text(f"UPDATE {table} SET seq = :new WHERE subject = 'account:a' AND seq = :old")
            connection.execute(move, {"old": old, "new": new})


def move_to_another_account(connection: Connection) -> None:
    connection.execute(text("DELETE FROM pending"))
    for table in ("entry", "payload", "log_leaf"):
        connection.execute(text(FORGED.format(table=table)))


def insert_before_the_last(connection: Connection) -> None:
    for table in ("entry", "payload", "log_leaf"):
        move = f"UPDATE {table} SET seq = 21 WHERE subject = 'account:a' AND seq = 20"
        connection.execute(text(move))
    put(connection, forged_after(connection, seq=19))
    last = "(SELECT max(log_index) + 1 FROM log_leaf)"
    connection.execute(text(f"INSERT INTO log_leaf SELECT {last}, 'account:a', 20"))


def delete_from_the_middle(connection: Connection) -> None:
    for table in ("payload", "log_leaf", "entry"):
        connection.execute(text(f"DELETE FROM {table} WHERE subject = 'account:a' AND seq = 7"))


def rewrite_the_end_of_a_chain(connection: Connection) -> None:
    for table in ("payload", "entry"):
        connection.execute(text(f"DELETE FROM {table} WHERE subject = 'account:a' AND seq = 20"))
    put(connection, forged_after(connection, seq=19))


def exchange_places(connection: Connection) -> None:
    for old, new in ((0, 1000), (30, 0), (1000, 30)):
        move = text("UPDATE log_leaf SET log_index = :new WHERE log_index = :old")
        connection.execute(move, {"old": old, "new": new})


def cut_the_tail(connection: Connection) -> None:
    """Take out what came after the last checkpoint that the bank keeps."""
    for name, seq in (("a", 20), ("keyed", 0)):
        for table in ("payload", "log_leaf", "entry"):
            gone = text(f"DELETE FROM {table} WHERE subject = :subject AND seq = :seq")
            connection.execute(gone, {"subject": subject(name), "seq": seq})


def forged_after(connection: Connection, *, seq: int) -> Entry:
    """Make an entry that could follow entry `seq` of account a."""
    query = text("SELECT leaf, leaf_hash FROM entry WHERE subject = 'account:a' AND seq = :seq")
    leaf, leaf_hash = connection.execute(query, {"seq": seq}).one()
    head = Head(length=seq + 1, last_hash=bytes(leaf_hash), at=parse_leaf(bytes(leaf)).at)
    return entry_after(head, of=subject("a"), says="forged", at=head.at)


def put(connection: Connection, entry: Entry) -> None:
    assert entry.payload is not None
    place = {"subject": entry.leaf.subject, "seq": entry.leaf.seq}
    connection.execute(
        text("INSERT INTO entry VALUES (:subject, :seq, :leaf, :leaf_hash, NULL)"),
        {**place, "leaf": entry.leaf_bytes, "leaf_hash": entry.leaf_hash},
    )
    connection.execute(
        text("INSERT INTO payload VALUES (:subject, :seq, :salt, :content)"),
        {**place, "salt": entry.payload.salt, "content": entry.payload.content},
    )


SKILLED: dict[str, tuple[Callable[[Connection], None], set[str]]] = {
    "reorder": (exchange, {"leaf-of-another-place", "chain-broken", "log-order-differs"}),
    "move between accounts": (move_to_another_account, {"leaf-of-another-place", "chain-broken"}),
    "insertion": (insert_before_the_last, {"leaf-of-another-place", "chain-broken", "log-order-differs"}),
    "deletion": (delete_from_the_middle, {"entry-missing", "checkpoint-root-differs"}),
    "places exchanged": (exchange_places, {"log-order-differs", "checkpoint-root-differs"}),
}


@either
@pytest.mark.parametrize("attack", SKILLED)
def test_what_a_skilled_hand_does_is_seen_in_what_is_left(dialect: str, attack: str) -> None:
    change, expected = SKILLED[attack]
    with bank(dialect) as engine:
        changed(engine, change, mend=True)
        assert expected <= set(codes(engine))


@either
@pytest.mark.parametrize(
    ("change", "seen"), [(rewrite_the_end_of_a_chain, "log-forked"), (cut_the_tail, "log-shrank")]
)
def test_what_no_checkpoint_of_the_bank_covers_is_seen_with_one_held_elsewhere(
    dialect: str, change: Callable[[Connection], None], seen: str
) -> None:
    with bank(dialect) as engine:
        held = keep_checkpoint(SqlStore(engine))
        changed(engine, "DELETE FROM checkpoint WHERE size = 275")
        assert codes(engine, held=held) == ["checkpoint-not-kept"]
        changed(engine, change, mend=True)
        assert codes(engine) == []  # and this is why one is to be held elsewhere
        assert seen in codes(engine, held=held)


@either
def test_a_replaced_checkpoint_is_seen(dialect: str) -> None:
    with bank(dialect) as engine:
        held = keep_checkpoint(SqlStore(engine))
        others = "SELECT note FROM checkpoint WHERE size = 23"
        changed(engine, f"UPDATE checkpoint SET note = ({others}) WHERE size = 275")
        assert codes(engine) == ["checkpoint-misplaced"]
        assert codes(engine, held=held) == ["checkpoint-misplaced", "checkpoint-not-kept"]
        changed(engine, "UPDATE checkpoint SET size = 274 WHERE size = 275")
        assert codes(engine, held=held) == ["checkpoint-misplaced", "checkpoint-not-kept"]


@either
def test_an_old_copy_of_the_whole_database_is_seen_with_a_checkpoint_held_elsewhere(dialect: str) -> None:
    with bank(dialect) as grown:
        store = SqlStore(grown)
        with store.writing() as books:
            books.ledger.append(chain(subject("new"), length=2))
            books.ledger.sequence()
        held = keep_checkpoint(store)
        assert codes(grown, held=held) == []
    with bank(dialect) as old:
        assert codes(old) == []
        assert codes(old, held=held) == ["log-shrank"]


@either
def test_a_wholly_rebuilt_log_is_seen_with_a_checkpoint_held_elsewhere(dialect: str) -> None:
    with bank(dialect) as engine:
        held = keep_checkpoint(SqlStore(engine))
    with empty_bank(dialect) as rebuilt:
        store = SqlStore(rebuilt)
        with store.writing() as books:
            books.ledger.append(
                [*chain(subject("a"), length=21, says="else"), *chain(subject("c"), length=300)]
            )
            books.ledger.sequence()
        assert codes(rebuilt) == []
        assert codes(rebuilt, held=held) == ["log-forked"]
        keep_checkpoint(store)  # even where who rebuilt it held the key
        assert codes(rebuilt, held=held) == ["log-forked"]


@either
def test_a_backup_from_before_a_redaction_is_seen(dialect: str) -> None:
    with empty_bank(dialect) as engine:
        store = SqlStore(engine)
        entries = chain(subject("gone"), length=3)
        redaction = extend(
            head_after(entries[-1]),
            log=LOG,
            subject=subject("gone"),
            at=Microseconds(0),
            kind=REDACTION,
            issuer=SCHOOL,
            payload=Payload(salt=bytes(32), content=b"{}"),
        )
        with store.writing() as books:
            books.ledger.append([*entries, redaction, *chain(subject("other"), length=2)])
            books.ledger.sequence()
        assert [(each.code, each.subject, each.seq) for each in verified(engine).findings] == [
            ("redaction-not-applied", "account:gone", 3)
        ]
        changed(engine, "DELETE FROM payload WHERE subject = 'account:gone' AND seq < 3")
        assert verified(engine).findings == ()
        changed(engine, "DELETE FROM payload WHERE subject = 'account:other' AND seq = 1")
        assert [(each.code, each.subject, each.seq) for each in verified(engine).findings] == [
            ("payload-missing", "account:other", 1)
        ]


def test_a_second_state_of_the_log_is_seen() -> None:
    with bank("sqlite") as engine:
        changed(engine, "INSERT INTO log_state VALUES (2, 0, zeroblob(32))")
        assert set(codes(engine)) == {
            "log-state-rows", "log-state-size", "log-state-root", "database-damaged",
        }  # fmt: skip


def test_a_text_that_is_no_text_is_named_with_its_entry() -> None:
    with bank("sqlite") as engine:
        changed(engine, "UPDATE entry SET subject = CAST(x'ff' AS TEXT) WHERE seq = 200")
        found = verified(engine).findings
        assert ("\udcff", 200) in {(finding.subject, finding.seq) for finding in found}
        with TemporaryDirectory() as directory:
            document = LedgerReport.of(verified(engine))
            path = Path(directory) / "report.json"
            path.write_bytes(document.encode())
            assert parse_ledger_report(path.read_bytes()) == document


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
    with bank("sqlite") as engine:
        path = Path(engine.url.database or "")
        path.write_bytes(content)
        if not codes(engine):
            # Some bits mean nothing: what can be read is what was written.
            with bank("sqlite") as pristine:
                assert dump(engine) == dump(pristine)
