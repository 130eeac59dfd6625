"""Let writers go side by side on PostgreSQL: a table to queue at, where two would record one outcome.

Nothing is kept in it: a transaction takes its rows out again before it ends, and the index alone makes the
second one wait. So it needs no write-ahead log. On SQLite, which has one writer at a time, it stays unused.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "outcome_claim",
        sa.Column("key", sa.LargeBinary(), primary_key=True),
        prefixes=["UNLOGGED"] if op.get_bind().dialect.name == "postgresql" else [],
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
