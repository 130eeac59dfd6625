"""Gives entries their places in the log: takes them out of `pending` and extends the tree over them.

In this version `append` calls it in its own transaction. A process of its own may call it instead: it
needs nothing but a connection, and `lock` keeps two of them apart.
"""

from sqlalchemy import Connection, func, select, text, update

from creditbank.errors import IntegrityBroken
from creditbank.ledger.append import LogRange
from creditbank.ledger.tiles import edge, grow
from creditbank.storage.sql_rows import insert_rows, table_of
from creditbank.storage.tables import LogLeafRow, LogStateRow, TileRow

LEAVES_AT_ONCE = 4_096

_log_leaf = table_of(LogLeafRow)
_log_state = table_of(LogStateRow)
_tile = table_of(TileRow)

_LOCK = 0x637265646974  # "credit": one number for the bank, among PostgreSQL's advisory locks

# Out of the queue, never by "after the last one seen": a late commit would be missed.
_take = text(
    "DELETE FROM pending WHERE (subject, seq) IN"
    " (SELECT subject, seq FROM pending ORDER BY subject, seq LIMIT :limit)"
    " RETURNING subject, seq, leaf_hash"
)
_keep_tile = text(
    "INSERT INTO tile (level, tile_index, hashes) VALUES (:level, :tile_index, :hashes)"
    " ON CONFLICT (level, tile_index) DO UPDATE SET hashes = excluded.hashes"
)


class SqlSequencer:
    """The one that writes `log_leaf`, `tile` and `log_state`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock(self) -> None:
        """Keep other sequencers out until the transaction ends; on SQLite writing itself does."""
        if self._connection.dialect.name != "sqlite":
            self._connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))

    def sequence(self) -> LogRange:
        """Give every pending entry its place, by subject and seq; the caller holds the lock."""
        first = size = int(self._connection.execute(select(_log_state.c.size)).scalar_one())
        while taken := sorted(map(tuple, self._connection.execute(_take, {"limit": LEAVES_AT_ONCE}))):
            rows = ((size + place, subject, seq) for place, (subject, seq, _) in enumerate(taken))
            insert_rows(self._connection, _log_leaf, rows)
            self._extend(size, [leaf_hash for _, _, leaf_hash in taken])
            size += len(taken)
        return LogRange(first=first, size=size)

    def _extend(self, size: int, leaf_hashes: list[bytes]) -> None:
        held = {place: self._tile(*place) for place in edge(size)}
        grown = grow(size, held, leaf_hashes)
        tiles = [
            {"level": level, "tile_index": index, "hashes": hashes}
            for (level, index), hashes in grown.tiles.items()
        ]
        self._connection.execute(_keep_tile, tiles)
        state = update(_log_state).where(_log_state.c.size == size)
        moved = self._connection.execute(state.values(size=size + len(leaf_hashes), root=grown.root))
        if moved.rowcount != 1:
            raise IntegrityBroken("log-state-moved", size=size)

    def _tile(self, level: int, index: int) -> bytes:
        tile = select(_tile.c.hashes).where(_tile.c.level == level, _tile.c.tile_index == index)
        hashes = self._connection.execute(tile).scalar_one_or_none()
        if hashes is None:
            raise IntegrityBroken("tile-missing", level=level, index=index)
        return bytes(hashes)
