"""Gives entries their places in the log: takes them out of `pending` and extends the tree over them.

Any process may do it, one at a time: on PostgreSQL an advisory lock keeps the others away until the
transaction ends, on SQLite writing itself does.
"""

from sqlalchemy import Connection, text

from creditbank.errors import IntegrityBroken
from creditbank.ledger.append import LogRange
from creditbank.ledger.tiles import edge, grow
from creditbank.storage.sql_rows import insert_rows, rows_from_driver, table_of
from creditbank.storage.tables import LogLeafRow

_log_leaf = table_of(LogLeafRow)

_LOCK = 0x637265646974  # "credit": one number for the bank, among PostgreSQL's advisory locks

# Out of the queue, never by "after the last one seen": a late commit would be missed. By where the rows lie,
# which is where the index has just been.
_take = {
    "sqlite": (
        "DELETE FROM pending WHERE rowid IN (SELECT rowid FROM pending ORDER BY subject, seq LIMIT ?)"
        " RETURNING subject, seq, leaf_hash"
    ),
    "postgresql": (
        "DELETE FROM pending WHERE ctid = ANY(ARRAY("
        "SELECT ctid FROM pending ORDER BY subject, seq LIMIT %s))"
        " RETURNING subject, seq, leaf_hash"
    ),
}
_try_lock = text("SELECT pg_try_advisory_xact_lock(:lock)")
_size = text("SELECT size FROM log_state")
_move = text("UPDATE log_state SET size = :new, root = :root WHERE size = :old")
_held_tile = text("SELECT hashes FROM tile WHERE level = :level AND tile_index = :tile_index")
_keep_tile = text(
    "INSERT INTO tile (level, tile_index, hashes) VALUES (:level, :tile_index, :hashes)"
    " ON CONFLICT (level, tile_index) DO UPDATE SET hashes = excluded.hashes"
)


class SqlSequencer:
    """The one that writes `log_leaf`, `tile` and `log_state`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def sequence(self, *, at_most: int) -> LogRange | None:
        """Give pending entries, by subject and seq, the next places; None where another process is at it."""
        if not self._is_alone():
            return None
        size = int(self._connection.execute(_size).scalar_one())
        taken = sorted(rows_from_driver(self._connection, _take, [at_most]))
        if taken:
            rows = ((size + place, subject, seq) for place, (subject, seq, _) in enumerate(taken))
            insert_rows(self._connection, _log_leaf, rows)
            self._extend_tree(size, [leaf_hash for _, _, leaf_hash in taken])
        return LogRange(first=size, size=size + len(taken))

    def _is_alone(self) -> bool:
        if self._connection.dialect.name == "sqlite":
            return True
        return bool(self._connection.execute(_try_lock, {"lock": _LOCK}).scalar_one())

    def _extend_tree(self, size: int, leaf_hashes: list[bytes]) -> None:
        held = {place: self._tile(*place) for place in edge(size)}
        grown = grow(size, held, leaf_hashes)
        tiles = [
            {"level": level, "tile_index": index, "hashes": hashes}
            for (level, index), hashes in grown.tiles.items()
        ]
        self._connection.execute(_keep_tile, tiles)
        moved = self._connection.execute(_move, {"old": size, "new": grown.size, "root": grown.root})
        if moved.rowcount != 1:
            raise IntegrityBroken("log-state-moved", size=size)

    def _tile(self, level: int, index: int) -> bytes:
        place = {"level": level, "tile_index": index}
        hashes = self._connection.execute(_held_tile, place).scalar_one_or_none()
        if hashes is None:
            raise IntegrityBroken("tile-missing", level=level, index=index)
        return bytes(hashes)
