"""A filled bank on either engine, a way past its guards, and what a skilled hand mends after a change."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, Engine, text

from creditbank.errors import CreditBankError
from creditbank.ledger.audit_report import AuditReport
from creditbank.ledger.checkpoint import Checkpoint, parse_checkpoint, parse_note
from creditbank.ledger.tiles import grow
from creditbank.services.audit import WHOLE_CUT, Cut, verify_ledger
from creditbank.signing.key_signer import KeySigner
from creditbank.storage.schema import require_current
from creditbank.storage.sql_examination import examined
from creditbank.storage.sql_store import SqlStore
from tests.engines import opened, postgresql_template, postgresql_url, sqlite_url
from tests.strategies.books import LOG, chain, entry_after, subject
from tests.strategies.ledger import Witness

SIGNER = KeySigner(name=LOG, seed=sha256(b"seed").digest())
WITNESSES = (Witness("witness.example/one", bytes(32)), Witness("witness.example/two", b"2" * 32))
DIALECTS = ("sqlite", "postgresql")
COLUMNS = {
    "entry": ["subject", "seq", "leaf", "leaf_hash", "idempotency_key"],
    "payload": ["subject", "seq", "salt", "bytes"],
    "pending": ["subject", "seq", "leaf_hash"],
    "log_leaf": ["log_index", "subject", "seq"],
    "tile": ["level", "tile_index", "hashes"],
    "log_state": ["size", "root"],
    "checkpoint": ["size", "note"],
    "cosignature": ["size", "witness", "cosigned_at", "signature"],
}
_ROW = {"sqlite": "rowid", "postgresql": "CAST(ctid AS text)"}


def fill(engine: Engine) -> None:
    """Write chains over two tiles, with a key and with none, sign on the way, and let one entry wait."""
    store = SqlStore(engine)
    keyed = chain(subject("keyed"), length=1)
    for entries in (
        [*chain(subject("a"), length=20), *chain(subject("b"), length=3)],
        chain(subject("c"), length=250),
    ):
        with store.writing() as books:
            books.ledger.append(entries)
            books.ledger.sequence()
        cosign(store, keep_checkpoint(store))
    with store.writing() as books:
        head = books.ledger.heads_of([subject("a")])[subject("a")]
        books.ledger.append([*keyed, entry_after(head, of=subject("a"), idempotency_key="row 7")])
        books.ledger.sequence()
        books.ledger.append(chain(subject("late"), length=1))


def keep_checkpoint(store: SqlStore) -> bytes:
    """Sign the log as it stands, keep the note, and return it for somebody else to keep too."""
    with store.writing() as books:
        checkpoint = Checkpoint(origin=LOG, size=books.ledger.size(), root=books.ledger.root())
        note = SIGNER.sign(checkpoint.body())
        books.ledger.add_checkpoint(size=checkpoint.size, note=note)
    return note


def row_in(table: str, dialect: str) -> str:
    """Return the expression that tells one row of a table from the others."""
    return "signature" if (table, dialect) == ("cosignature", "sqlite") else _ROW[dialect]  # it has no rowid


def cosign(store: SqlStore, note: bytes) -> None:
    """Keep what two witnesses have signed under a checkpoint that is kept."""
    text_of_note = parse_note(note).text
    signed = [witness.cosign(text_of_note, at=at) for at, witness in enumerate(WITNESSES)]
    with store.writing() as books:
        books.checkpoints.add_cosignatures(size=parse_checkpoint(text_of_note).size, cosignatures=signed)


def verified(
    engine: Engine, *, held: bytes | None = None, workers: int = 1, cut: Cut = WHOLE_CUT
) -> AuditReport:
    """Verify a bank as `creditbank ledger verify` does."""
    with examined(engine, workers=workers) as examination:
        return verify_ledger(
            examination,
            verifier_keys=[SIGNER.verifier_key],
            held=held,
            cut=cut,
            clock=lambda: datetime.now(UTC),
        )


def codes(engine: Engine, *, held: bytes | None = None) -> list[str]:
    """Return what a verification finds, by code; what keeps it from answering counts as found."""
    try:
        require_current(engine)
        return [finding.code for finding in verified(engine, held=held).findings]
    except CreditBankError as error:
        return [error.reason]


@contextmanager
def bank(dialect: str) -> Iterator[Engine]:
    """Give the block a copy of the filled bank."""
    if dialect == "postgresql":
        with postgresql_url(of=_filled_postgresql()) as url, opened(url) as engine:
            yield engine
        return
    with TemporaryDirectory() as directory:
        path = Path(directory) / "copy.db"
        path.write_bytes(filled_file())
        with opened(f"sqlite:///{path}") as engine:
            yield engine


@contextmanager
def empty_bank(dialect: str) -> Iterator[Engine]:
    """Give the block a bank without an entry."""
    if dialect == "postgresql":
        with postgresql_url() as url, opened(url) as engine:
            yield engine
        return
    with TemporaryDirectory() as directory, opened(sqlite_url(Path(directory))) as engine:
        yield engine


@cache
def filled_file() -> bytes:
    """Return the filled bank as an SQLite file."""
    with TemporaryDirectory() as directory:
        url = sqlite_url(Path(directory))
        with opened(url) as engine:
            fill(engine)
        return Path(url.removeprefix("sqlite:///")).read_bytes()


@cache
def _filled_postgresql() -> str:
    return postgresql_template("filled_bank", fill)


@contextmanager
def unguarded(engine: Engine) -> Iterator[Connection]:
    """Let the block write with no trigger, check or reference in the way, and put all back."""
    guards = _without_sqlite_guards if engine.dialect.name == "sqlite" else _without_postgresql_guards
    with engine.connect() as connection, guards(connection):
        yield connection


@contextmanager
def _without_sqlite_guards(connection: Connection) -> Iterator[None]:
    for pragma in ("foreign_keys = OFF", "ignore_check_constraints = ON"):
        connection.connection.cursor().execute(f"PRAGMA {pragma}")
    triggers = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
    for name, _ in triggers:
        connection.execute(text(f"DROP TRIGGER {name}"))
    yield
    for _, sql in triggers:
        connection.exec_driver_sql(sql)
    connection.commit()
    connection.invalidate()  # nobody else is to look through this one's eyes


@contextmanager
def _without_postgresql_guards(connection: Connection) -> Iterator[None]:
    guarded = {"entry", "payload", "log_leaf", "checkpoint", "cosignature"}
    named = text("SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal")
    triggers = [(table, name) for table, name in connection.execute(named) if table in guarded]
    for table, name in triggers:
        connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER {name}"))
    connection.execute(text("SET LOCAL session_replication_role = replica"))  # no references either
    yield
    for table, name in triggers:
        connection.execute(text(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"))
    connection.commit()


def mended(connection: Connection) -> None:
    """Make places, tiles and state what the entries make, as one who knows how the log is built would do."""
    renumbered = connection.execute(text("SELECT subject, seq FROM log_leaf ORDER BY log_index")).all()
    connection.execute(text("DELETE FROM log_leaf"))
    place = text("INSERT INTO log_leaf (log_index, subject, seq) VALUES (:index, :subject, :seq)")
    hashed = text("SELECT leaf_hash FROM entry WHERE subject = :subject AND seq = :seq")
    hashes: list[bytes] = []
    for subject_, seq in renumbered:
        leaf_hash = connection.execute(hashed, {"subject": subject_, "seq": seq}).scalar_one_or_none()
        if leaf_hash is not None:
            connection.execute(place, {"index": len(hashes), "subject": subject_, "seq": seq})
            hashes.append(bytes(leaf_hash))
    growth = grow(0, {}, hashes)
    connection.execute(text("DELETE FROM tile"))
    tile = text("INSERT INTO tile (level, tile_index, hashes) VALUES (:level, :index, :hashes)")
    for (level, index), content in growth.tiles.items():
        connection.execute(tile, {"level": level, "index": index, "hashes": content})
    state = {"size": growth.size, "root": growth.root}
    connection.execute(text("UPDATE log_state SET size = :size, root = :root"), state)


def changed(engine: Engine, change: Callable[[Connection], object] | str, *, mend: bool = False) -> None:
    """Do something to a bank past its guards, and perhaps cover the traces in the log."""
    with unguarded(engine) as connection:
        if isinstance(change, str):
            connection.execute(text(change))
        else:
            change(connection)
        if mend:
            mended(connection)


def dump(engine: Engine) -> list[list[tuple[object, ...]]]:
    """Return all that the ledger's tables hold."""
    with engine.connect() as connection:
        return [
            [tuple(row) for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2"))]
            for table in COLUMNS
        ]
