"""Checkpoints by size and their cosignatures, on SQLite and PostgreSQL: `services.books.CheckpointStore`."""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, select, text

from creditbank.errors import IntegrityBroken, InvalidInput
from creditbank.ledger.cosignature import Cosignature, parse_witness_key
from creditbank.storage.sql_rows import table_of
from creditbank.storage.tables import CheckpointRow, CosignatureRow

_checkpoint = table_of(CheckpointRow)
_cosignature = table_of(CosignatureRow)

# The guard against REPLACE on SQLite would refuse a row that is there, even where nothing is to be done.
_keep = text(
    "INSERT INTO cosignature (size, witness, cosigned_at, signature)"
    " SELECT CAST(:size AS BIGINT), CAST(:witness AS TEXT), CAST(:cosigned_at AS BIGINT), :signature"
    " WHERE NOT EXISTS (SELECT 1 FROM cosignature"
    " WHERE size = :size AND witness = :witness AND cosigned_at = :cosigned_at)"
    " ON CONFLICT (size, witness, cosigned_at) DO NOTHING"
)


class SqlCheckpoints:
    """What was published, and which witnesses have seen it, as one transaction sees and changes it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def note(self, size: int) -> bytes | None:
        found = select(_checkpoint.c.note).where(_checkpoint.c.size == size)
        return self._connection.execute(found).scalar_one_or_none()

    def cosignatures(self, size: int) -> Sequence[Cosignature]:
        ordered = (
            select(_cosignature)
            .where(_cosignature.c.size == size)
            .order_by(_cosignature.c.witness, _cosignature.c.cosigned_at)
        )
        newest = {row.witness: row for row in self._connection.execute(ordered)}
        try:
            return tuple(
                Cosignature(
                    witness=parse_witness_key(row.witness),
                    cosigned_at=row.cosigned_at,
                    signature=row.signature,
                )
                for row in newest.values()
            )
        except InvalidInput as error:
            # Not the caller's input: the row was kept by us.
            raise IntegrityBroken("stored-cosignature-invalid", size=size) from error

    def latest_cosigned(self) -> int | None:
        latest = select(_cosignature.c.size).order_by(_cosignature.c.size.desc()).limit(1)
        return self._connection.execute(latest).scalar_one_or_none()

    def add_cosignatures(self, *, size: int, cosignatures: Collection[Cosignature]) -> None:
        rows = [
            {
                "size": size,
                "witness": each.witness.encode(),
                "cosigned_at": each.cosigned_at,
                "signature": each.signature,
            }
            for each in cosignatures
        ]
        if rows:
            self._connection.execute(_keep, rows)
