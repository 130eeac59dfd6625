"""Keep the answers to requests that came under an idempotency key, so that a repetition gets the same one.

Keys and requests are kept as keyed digests, answers sealed: the table tells nothing to whoever steals it.
Rows are not protected like the ledger's: they go with the person when a person is erased.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BYTES = sa.LargeBinary()


def upgrade() -> None:
    op.create_table(
        "kept_answer",
        sa.Column("key", BYTES, primary_key=True),
        sa.Column("request", BYTES, nullable=False),
        sa.Column("subject", TEXT),
        sa.Column("answer", BYTES, nullable=False),
        sa.Column("kept_at", COUNT, nullable=False),
        sa.CheckConstraint("length(key) = 32", name="kept_answer_key"),
        sa.CheckConstraint("length(request) = 32", name="kept_answer_request"),
        sqlite_strict=True,
    )
