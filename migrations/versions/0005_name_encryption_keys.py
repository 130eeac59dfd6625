"""Say of every account which encryption key wraps its data key, and let the database know those keys.

Encryption keys rotate, and a key is destroyed once it wraps no account. The reference makes that safe: an
account cannot name a key that was dismissed, whatever process seals it, and a key that wraps one cannot be
dismissed. Until now every bank had one key, the one it was made with; its id is `initial`.

SQLite cannot add a column that refers to another table and may not be empty: there the table is copied.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BYTES = sa.LargeBinary()

INITIAL = "initial"
COLUMNS = "subject, opened_at, citizen_index, wrapped_key, identity"


def upgrade() -> None:
    key = op.create_table("encryption_key", sa.Column("id", TEXT, primary_key=True), sqlite_strict=True)
    op.bulk_insert(key, [{"id": INITIAL}])
    if op.get_bind().dialect.name == "sqlite":
        copy_accounts()
    else:
        op.add_column("account", sa.Column("wrapped_by", TEXT, nullable=False, server_default=INITIAL))
        op.alter_column("account", "wrapped_by", server_default=None)
        op.create_foreign_key("account_encryption_key", "account", "encryption_key", ["wrapped_by"], ["id"])


def copy_accounts() -> None:
    op.create_table(
        "account_with_key",
        sa.Column("subject", TEXT, primary_key=True),
        sa.Column("opened_at", COUNT, nullable=False),
        sa.Column("citizen_index", BYTES),
        sa.Column("wrapped_key", BYTES, nullable=False),
        sa.Column("identity", BYTES, nullable=False),
        sa.Column("wrapped_by", TEXT, nullable=False),
        sa.UniqueConstraint("citizen_index", name="account_citizen_index"),
        sa.ForeignKeyConstraint(["wrapped_by"], ["encryption_key.id"], name="account_encryption_key"),
        sqlite_strict=True,
    )
    op.execute(
        f"INSERT INTO account_with_key ({COLUMNS}, wrapped_by) "  # noqa: S608 - every name is above
        f"SELECT {COLUMNS}, '{INITIAL}' FROM account ORDER BY subject"
    )
    op.drop_table("account")
    op.rename_table("account_with_key", "account")
