"""The tables of DESIGN §3, and what is kept beside them, as SQLModel knows them.

`migrations/` makes them and adds the triggers; a test keeps the two in step. Hashes, keys and leaves are
bytes, instants microseconds. On SQLite every table is STRICT, so that a cell cannot change its type.
"""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Integer, LargeBinary, Text
from sqlalchemy import UniqueConstraint as Unique
from sqlmodel import Field, SQLModel

# One order everywhere: by code point, whatever the locale of a PostgreSQL database.
_TEXT = Text().with_variant(Text(collation="C"), "postgresql")
_COUNT = BigInteger().with_variant(Integer(), "sqlite")
_STRICT = {"sqlite_strict": True}
_ASSIGNED = {"autoincrement": False}


class EntryRow(SQLModel, table=True):
    """One ledger entry, kept as the exact bytes that were hashed."""

    __tablename__ = "entry"
    __table_args__ = (
        Unique("subject", "idempotency_key", name="entry_idempotency_key"),
        CheckConstraint("seq >= 0", name="entry_seq"),
        CheckConstraint("length(leaf) BETWEEN 1 AND 65535", name="entry_leaf"),
        CheckConstraint("length(leaf_hash) = 32", name="entry_leaf_hash"),
        _STRICT,
    )

    subject: str = Field(primary_key=True, sa_type=_TEXT)
    seq: int = Field(primary_key=True, sa_type=_COUNT, sa_column_kwargs=_ASSIGNED)
    leaf: bytes = Field(sa_type=LargeBinary)
    leaf_hash: bytes = Field(sa_type=LargeBinary)
    idempotency_key: str | None = Field(default=None, sa_type=_TEXT)


class PayloadRow(SQLModel, table=True):
    """What an entry says, and its salt; apart from the entry, so that it alone can be redacted one day."""

    __tablename__ = "payload"
    __table_args__ = (
        ForeignKeyConstraint(["subject", "seq"], ["entry.subject", "entry.seq"], name="payload_entry"),
        CheckConstraint("length(salt) = 32", name="payload_salt"),
        _STRICT,
    )

    subject: str = Field(primary_key=True, sa_type=_TEXT)
    seq: int = Field(primary_key=True, sa_type=_COUNT, sa_column_kwargs=_ASSIGNED)
    salt: bytes = Field(sa_type=LargeBinary)
    bytes_: bytes = Field(sa_type=LargeBinary, sa_column_kwargs={"name": "bytes"})


class PendingRow(SQLModel, table=True):
    """An entry that has no place in the log yet; the sequencer takes it out."""

    __tablename__ = "pending"
    __table_args__ = (CheckConstraint("length(leaf_hash) = 32", name="pending_leaf_hash"), _STRICT)

    subject: str = Field(primary_key=True, sa_type=_TEXT)
    seq: int = Field(primary_key=True, sa_type=_COUNT, sa_column_kwargs=_ASSIGNED)
    leaf_hash: bytes = Field(sa_type=LargeBinary)


class LogLeafRow(SQLModel, table=True):
    """The place of one entry in the log: dense from 0."""

    __tablename__ = "log_leaf"
    __table_args__ = (
        Unique("subject", "seq", name="log_leaf_subject_seq"),
        ForeignKeyConstraint(["subject", "seq"], ["entry.subject", "entry.seq"], name="log_leaf_entry"),
        CheckConstraint("log_index >= 0", name="log_leaf_log_index"),
        _STRICT,
    )

    log_index: int = Field(primary_key=True, sa_type=_COUNT, sa_column_kwargs=_ASSIGNED)
    subject: str = Field(sa_type=_TEXT)
    seq: int = Field(sa_type=_COUNT)


class TileRow(SQLModel, table=True):
    """One tile of the log's tree, as `ledger.tiles` encodes it."""

    __tablename__ = "tile"
    __table_args__ = (CheckConstraint("level >= 0 AND tile_index >= 0", name="tile_place"), _STRICT)

    level: int = Field(primary_key=True, sa_type=_COUNT, sa_column_kwargs=_ASSIGNED)
    tile_index: int = Field(primary_key=True, sa_type=_COUNT, sa_column_kwargs=_ASSIGNED)
    hashes: bytes = Field(sa_type=LargeBinary)


class LogStateRow(SQLModel, table=True):
    """How large the log is and what its root is: one row."""

    __tablename__ = "log_state"
    __table_args__ = (
        CheckConstraint("id = 1", name="log_state_one_row"),
        CheckConstraint("size >= 0", name="log_state_size"),
        CheckConstraint("length(root) = 32", name="log_state_root"),
        _STRICT,
    )

    id: int = Field(default=1, primary_key=True, sa_type=_COUNT, sa_column_kwargs=_ASSIGNED)
    size: int = Field(sa_type=_COUNT)
    root: bytes = Field(sa_type=LargeBinary)


class CheckpointRow(SQLModel, table=True):
    """A signed checkpoint: the note, byte for byte, by the size it speaks of."""

    __tablename__ = "checkpoint"
    __table_args__ = (CheckConstraint("size >= 0", name="checkpoint_size"), _STRICT)

    size: int = Field(primary_key=True, sa_type=_COUNT, sa_column_kwargs=_ASSIGNED)
    note: bytes = Field(sa_type=LargeBinary)


class CosignatureRow(SQLModel, table=True):
    """One witness's signature under a checkpoint. The key stands beside it: so every cell can be checked."""

    __tablename__ = "cosignature"
    __table_args__ = (
        ForeignKeyConstraint(["size"], ["checkpoint.size"], name="cosignature_checkpoint"),
        CheckConstraint("cosigned_at >= 0", name="cosignature_cosigned_at"),
        CheckConstraint("length(signature) = 64", name="cosignature_signature"),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )

    size: int = Field(primary_key=True, sa_type=_COUNT, sa_column_kwargs=_ASSIGNED)
    witness: str = Field(primary_key=True, sa_type=_TEXT)
    cosigned_at: int = Field(primary_key=True, sa_type=_COUNT, sa_column_kwargs=_ASSIGNED)
    signature: bytes = Field(sa_type=LargeBinary)


class AccountRow(SQLModel, table=True):
    """An account's sealed identity; see `account.records.AccountRecord`."""

    __tablename__ = "account"
    __table_args__ = (
        Unique("citizen_index", name="account_citizen_index"),
        ForeignKeyConstraint(["wrapped_by"], ["encryption_key.id"], name="account_encryption_key"),
        _STRICT,
    )

    subject: str = Field(primary_key=True, sa_type=_TEXT)
    opened_at: int = Field(sa_type=_COUNT)
    citizen_index: bytes | None = Field(default=None, sa_type=LargeBinary)
    wrapped_key: bytes = Field(sa_type=LargeBinary)
    identity: bytes = Field(sa_type=LargeBinary)
    wrapped_by: str = Field(sa_type=_TEXT)


class EncryptionKeyRow(SQLModel, table=True):
    """The id of an encryption key that may wrap accounts: the key itself is in the key file alone.

    An account names its key here, so that no process, however old the key file it was started with, can
    seal a learner under a key that was destroyed.
    """

    __tablename__ = "encryption_key"
    __table_args__ = (_STRICT,)

    id: str = Field(primary_key=True, sa_type=_TEXT)


class OutcomeKeyRow(SQLModel, table=True):
    """A blind key of what names an outcome, and where that outcome was recorded."""

    __tablename__ = "outcome_key"
    __table_args__ = ({"sqlite_strict": True, "sqlite_with_rowid": False},)

    key: bytes = Field(primary_key=True, sa_type=LargeBinary)
    subject: str = Field(primary_key=True, sa_type=_TEXT)
    seq: int = Field(primary_key=True, sa_type=_COUNT, sa_column_kwargs=_ASSIGNED)


class OutcomeClaimRow(SQLModel, table=True):
    """Where writers of one outcome queue on PostgreSQL: empty whenever a transaction has ended."""

    __tablename__ = "outcome_claim"
    __table_args__ = ({"sqlite_strict": True, "sqlite_with_rowid": False},)

    key: bytes = Field(primary_key=True, sa_type=LargeBinary)


class BatchRow(SQLModel, table=True):
    """One posted file and the receipt for it, byte for byte."""

    __tablename__ = "batch"
    __table_args__ = (Unique("issuer", "file_digest", name="batch_issuer_file_digest"), _STRICT)

    number: str = Field(primary_key=True, sa_type=_TEXT)
    issuer: str = Field(sa_type=_TEXT)
    file_digest: bytes = Field(sa_type=LargeBinary)
    posted_at: int = Field(sa_type=_COUNT)
    receipt: bytes = Field(sa_type=LargeBinary)


class KeptAnswerRow(SQLModel, table=True):
    """What a request under an idempotency key was answered, sealed; see `account.records.KeptAnswer`."""

    __tablename__ = "kept_answer"
    __table_args__ = (
        CheckConstraint("length(key) = 32", name="kept_answer_key"),
        CheckConstraint("length(request) = 32", name="kept_answer_request"),
        _STRICT,
    )

    key: bytes = Field(primary_key=True, sa_type=LargeBinary)
    request: bytes = Field(sa_type=LargeBinary)
    subject: str | None = Field(default=None, sa_type=_TEXT)
    answer: bytes = Field(sa_type=LargeBinary)
    kept_at: int = Field(sa_type=_COUNT)


class OperatorTokenRow(SQLModel, table=True):
    """The digest of the operator's token: at most one row."""

    __tablename__ = "operator_token"
    __table_args__ = (CheckConstraint("id = 1", name="operator_token_one_row"), _STRICT)

    id: int = Field(default=1, primary_key=True, sa_type=_COUNT, sa_column_kwargs=_ASSIGNED)
    digest: bytes = Field(sa_type=LargeBinary)


class OfficerRow(SQLModel, table=True):
    """Someone who acts for the bank; see `account.records.Officer`."""

    __tablename__ = "officer"
    __table_args__ = (
        Unique("digest", name="officer_digest"),
        CheckConstraint("length(digest) = 32", name="officer_digest_length"),
        _STRICT,
    )

    id: str = Field(primary_key=True, sa_type=_TEXT)
    name: str = Field(sa_type=_TEXT)
    digest: bytes = Field(sa_type=LargeBinary)
    added_at: int = Field(sa_type=_COUNT)
    retired_at: int | None = Field(default=None, sa_type=_COUNT)


class UncleanedRow(SQLModel, table=True):
    """A redaction whose traces may still stand in free pages and in the write-ahead log."""

    __tablename__ = "uncleaned"
    __table_args__ = (_STRICT,)

    subject: str = Field(primary_key=True, sa_type=_TEXT)
    seq: int = Field(sa_type=_COUNT)


class BankRow(SQLModel, table=True):
    """Whose database this is: at most one row, written when the bank is made."""

    __tablename__ = "bank"
    __table_args__ = (CheckConstraint("id = 1", name="bank_one_row"), _STRICT)

    id: int = Field(default=1, primary_key=True, sa_type=_COUNT, sa_column_kwargs=_ASSIGNED)
    origin: str = Field(sa_type=_TEXT)
    key_check: bytes = Field(sa_type=LargeBinary)
    operator: str = Field(sa_type=_TEXT)
    created_at: int = Field(sa_type=_COUNT)
