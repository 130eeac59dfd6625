"""Create the ledger, and forbid changing it.

Append-only is made a property of the database, not a habit of the program: an UPDATE or a DELETE fails,
whoever sends it. On SQLite so does an INSERT OR REPLACE, which deletes without asking the triggers when
`recursive_triggers` is off; on PostgreSQL a TRUNCATE. Payloads are kept just as strictly: redaction
brings its own migration.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BYTES = sa.LargeBinary()

REFUSAL = "the ledger is append-only"
EMPTY_ROOT = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")

# What is written once, and every key by which SQLite's REPLACE would find a row to delete.
INSERT_ONLY = {
    "entry": (("subject", "seq"), ("subject", "idempotency_key"), ("rowid",)),
    "payload": (("subject", "seq"), ("rowid",)),
    "log_leaf": (("log_index",), ("subject", "seq")),
    "checkpoint": (("size",),),
    "outcome_key": (),  # the whole row is the key: replacing it changes nothing
    "batch": (("number",), ("issuer", "file_digest"), ("rowid",)),
    "bank": (("id",),),
}


def upgrade() -> None:
    create_chains()
    create_log()
    create_records()
    state = sa.table("log_state", sa.column("id"), sa.column("size"), sa.column("root", BYTES))
    op.bulk_insert(state, [{"id": 1, "size": 0, "root": EMPTY_ROOT}])
    if op.get_bind().dialect.name == "sqlite":
        refuse_changes_on_sqlite()
    else:
        refuse_changes_on_postgresql()


def create_chains() -> None:
    op.create_table(
        "entry",
        sa.Column("subject", TEXT, primary_key=True),
        sa.Column("seq", COUNT, primary_key=True, autoincrement=False),
        sa.Column("leaf", BYTES, nullable=False),
        sa.Column("leaf_hash", BYTES, nullable=False),
        sa.Column("idempotency_key", TEXT),
        sa.UniqueConstraint("subject", "idempotency_key", name="entry_idempotency_key"),
        sa.CheckConstraint("seq >= 0", name="entry_seq"),
        sa.CheckConstraint("length(leaf) BETWEEN 1 AND 65535", name="entry_leaf"),
        sa.CheckConstraint("length(leaf_hash) = 32", name="entry_leaf_hash"),
        sqlite_strict=True,
    )
    op.create_table(
        "payload",
        sa.Column("subject", TEXT, primary_key=True),
        sa.Column("seq", COUNT, primary_key=True, autoincrement=False),
        sa.Column("salt", BYTES, nullable=False),
        sa.Column("bytes", BYTES, nullable=False),
        sa.ForeignKeyConstraint(["subject", "seq"], ["entry.subject", "entry.seq"], name="payload_entry"),
        sa.CheckConstraint("length(salt) = 32", name="payload_salt"),
        sqlite_strict=True,
    )
    op.create_table(
        "pending",
        sa.Column("subject", TEXT, primary_key=True),
        sa.Column("seq", COUNT, primary_key=True, autoincrement=False),
        sa.Column("leaf_hash", BYTES, nullable=False),
        sa.CheckConstraint("length(leaf_hash) = 32", name="pending_leaf_hash"),
        sqlite_strict=True,
    )


def create_log() -> None:
    op.create_table(
        "log_leaf",
        sa.Column("log_index", COUNT, primary_key=True, autoincrement=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("seq", COUNT, nullable=False),
        sa.UniqueConstraint("subject", "seq", name="log_leaf_subject_seq"),
        sa.ForeignKeyConstraint(["subject", "seq"], ["entry.subject", "entry.seq"], name="log_leaf_entry"),
        sa.CheckConstraint("log_index >= 0", name="log_leaf_log_index"),
        sqlite_strict=True,
    )
    op.create_table(
        "tile",
        sa.Column("level", COUNT, primary_key=True, autoincrement=False),
        sa.Column("tile_index", COUNT, primary_key=True, autoincrement=False),
        sa.Column("hashes", BYTES, nullable=False),
        sa.CheckConstraint("level >= 0 AND tile_index >= 0", name="tile_place"),
        sqlite_strict=True,
    )
    op.create_table(
        "log_state",
        sa.Column("id", COUNT, primary_key=True, autoincrement=False),
        sa.Column("size", COUNT, nullable=False),
        sa.Column("root", BYTES, nullable=False),
        sa.CheckConstraint("id = 1", name="log_state_one_row"),
        sa.CheckConstraint("size >= 0", name="log_state_size"),
        sa.CheckConstraint("length(root) = 32", name="log_state_root"),
        sqlite_strict=True,
    )
    op.create_table(
        "checkpoint",
        sa.Column("size", COUNT, primary_key=True, autoincrement=False),
        sa.Column("note", BYTES, nullable=False),
        sa.CheckConstraint("size >= 0", name="checkpoint_size"),
        sqlite_strict=True,
    )


def create_records() -> None:
    op.create_table(
        "account",
        sa.Column("subject", TEXT, primary_key=True),
        sa.Column("opened_at", COUNT, nullable=False),
        sa.Column("citizen_index", BYTES),
        sa.Column("wrapped_key", BYTES, nullable=False),
        sa.Column("identity", BYTES, nullable=False),
        sa.UniqueConstraint("citizen_index", name="account_citizen_index"),
        sqlite_strict=True,
    )
    op.create_table(
        "outcome_key",
        sa.Column("key", BYTES, primary_key=True),
        sa.Column("subject", TEXT, primary_key=True),
        sa.Column("seq", COUNT, primary_key=True, autoincrement=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "batch",
        sa.Column("number", TEXT, primary_key=True),
        sa.Column("issuer", TEXT, nullable=False),
        sa.Column("file_digest", BYTES, nullable=False),
        sa.Column("posted_at", COUNT, nullable=False),
        sa.Column("receipt", BYTES, nullable=False),
        sa.UniqueConstraint("issuer", "file_digest", name="batch_issuer_file_digest"),
        sqlite_strict=True,
    )
    op.create_table(
        "operator_token",
        sa.Column("id", COUNT, primary_key=True, autoincrement=False),
        sa.Column("digest", BYTES, nullable=False),
        sa.CheckConstraint("id = 1", name="operator_token_one_row"),
        sqlite_strict=True,
    )
    op.create_table(
        "bank",
        sa.Column("id", COUNT, primary_key=True, autoincrement=False),
        sa.Column("origin", TEXT, nullable=False),
        sa.Column("key_check", BYTES, nullable=False),
        sa.Column("operator", TEXT, nullable=False),
        sa.Column("created_at", COUNT, nullable=False),
        sa.CheckConstraint("id = 1", name="bank_one_row"),
        sqlite_strict=True,
    )


def refuse_changes_on_sqlite() -> None:
    for table, keys in INSERT_ONLY.items():
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuses_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            )
        for key in keys:
            same = " AND ".join(f"{column} = NEW.{column}" for column in key)
            row = f"SELECT 1 FROM {table} WHERE {same}"  # noqa: S608 - every name is above
            op.execute(
                f"CREATE TRIGGER {table}_refuses_replace_by_{'_and_'.join(key)} BEFORE INSERT ON {table} "
                f"WHEN EXISTS ({row}) "
                f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            )


def refuse_changes_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    for table in INSERT_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        # ALWAYS: a session in replica mode skips the triggers that are merely enabled.
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_refuses_change")
