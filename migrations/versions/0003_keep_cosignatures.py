"""Keep what witnesses have signed under the log's checkpoints, and forbid changing it.

The witness's whole verifier key stands beside its signature, so that every cell of a row can be checked
against the checkpoint it belongs to, also after the deployment has forgotten that witness.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

REFUSAL = "the ledger is append-only"


def upgrade() -> None:
    op.create_table(
        "cosignature",
        sa.Column("size", COUNT, primary_key=True, autoincrement=False),
        sa.Column("witness", TEXT, primary_key=True),
        sa.Column("cosigned_at", COUNT, primary_key=True, autoincrement=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["size"], ["checkpoint.size"], name="cosignature_checkpoint"),
        sa.CheckConstraint("cosigned_at >= 0", name="cosignature_cosigned_at"),
        sa.CheckConstraint("length(signature) = 64", name="cosignature_signature"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "sqlite":
        refuse_changes_on_sqlite()
    else:
        refuse_changes_on_postgresql()


def refuse_changes_on_sqlite() -> None:
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER cosignature_refuses_{verb.lower()} BEFORE {verb} ON cosignature "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )
    same = "size = NEW.size AND witness = NEW.witness AND cosigned_at = NEW.cosigned_at"
    row = f"SELECT 1 FROM cosignature WHERE {same}"  # noqa: S608 - every name is above
    op.execute(
        "CREATE TRIGGER cosignature_refuses_replace BEFORE INSERT ON cosignature "
        f"WHEN EXISTS ({row}) BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    )


def refuse_changes_on_postgresql() -> None:
    op.execute(
        "CREATE TRIGGER cosignature_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON cosignature "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    # ALWAYS: a session in replica mode skips the triggers that are merely enabled.
    op.execute("ALTER TABLE cosignature ENABLE ALWAYS TRIGGER cosignature_refuses_change")
