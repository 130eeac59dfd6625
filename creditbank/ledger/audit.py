"""What an audit reads and what it says: rows exactly as stored, whatever they hold, and findings.

The rows come from `storage`; the checks are in `audit_chains` and `audit_tree`. A cell may hold anything,
since whoever damaged it was not bound by our types: nothing here is believed before it is looked at.
"""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that an auditor must see; `code` is published, and the entry is named where there is one."""

    code: str
    subject: str | None = None
    seq: int | None = None
    values: Mapping[str, object] = field(default_factory=dict)


class StoredEntry(NamedTuple):
    """One row of `entry`, with its payload, its place in the log and in the queue, where it has them."""

    subject: object
    seq: object
    leaf: object
    leaf_hash: object
    idempotency_key: object
    salt: object = None
    content: object = None
    log_index: object = None
    pending_hash: object = None


class StoredLogLeaf(NamedTuple):
    """One row of `log_leaf`, and the hash of the entry it names, None where there is no such entry."""

    log_index: object
    subject: object
    seq: object
    leaf_hash: object


class StoredState(NamedTuple):
    """One row of `log_state`."""

    size: object
    root: object


class StoredCheckpoint(NamedTuple):
    """One row of `checkpoint`."""

    size: object
    note: object


class LedgerRows(Protocol):
    """One consistent view of everything stored, streamed, raw."""

    def size(self) -> int:
        """Return how many rows `entry` has: what progress is measured against."""

    def entries(self) -> Iterator[StoredEntry]:
        """Yield every entry, by subject and seq."""

    def strays(self) -> Iterator[tuple[str, object, object]]:
        """Yield table, subject and seq of every payload and queue row whose entry does not exist."""

    def log_leaves(self) -> Iterator[StoredLogLeaf]:
        """Yield every place of the log, by index."""

    def tile(self, level: int, index: int) -> object:
        """Return one stored tile, None where there is none."""

    def tile_places(self) -> Iterator[tuple[object, object]]:
        """Yield level and index of every stored tile."""

    def states(self) -> Iterator[StoredState]:
        """Yield every row of `log_state`: there should be one."""

    def checkpoints(self) -> Generator[StoredCheckpoint, None, None]:
        """Yield every checkpoint, by size; read beside the places of the log, and closed after them."""
