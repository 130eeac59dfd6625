"""What an audit reads and what it says: rows exactly as stored, whatever they hold, and findings.

The rows come from `storage`; the checks are in `audit_chains` and `audit_tree`. A cell may hold anything,
since whoever damaged it was not bound by our types: nothing here is believed before it is looked at.

The work is cut into parts, spans of whole chains and of whole tiles, so that several processes can share it.
What is found does not depend on where the cuts are.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar


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


EntryCells: TypeAlias = "tuple[Any, Any, Any, Any, Any, Any, Any, Any, Any]"
"""The cells of a `StoredEntry`, in its order, as a driver hands them out: a name for each costs time."""


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


class StoredCosignature(NamedTuple):
    """One row of `cosignature`, and the note of the checkpoint of its size, None where that is not kept."""

    size: object
    witness: object
    cosigned_at: object
    signature: object
    note: object


class Subjects(NamedTuple):
    """Some whole chains: of the subjects from `first` up to, not including, `end`; None is no bound."""

    first: str | None = None
    end: str | None = None


class Places(NamedTuple):
    """Some places of the log: those from `first` up to, not including, `end`; None is no bound."""

    first: int | None = None
    end: int | None = None


class LedgerRows(Protocol):
    """One consistent view of everything stored, streamed, raw."""

    def size(self) -> int:
        """Return how many rows `entry` has: what progress is measured against."""

    def subject_after(self, first: str | None, entries: int) -> str | None:
        """Return where to cut: a subject about `entries` rows after `first` begins, None where few follow."""

    def entries(self, span: Subjects) -> Iterator[Sequence[EntryCells]]:
        """Yield every entry of the span, by subject and seq, some at a time."""

    def counts(self, span: Subjects) -> tuple[int, int]:
        """Return how many rows `payload` and `pending` have of these subjects, entries or none."""

    def strays(self, span: Subjects) -> Iterator[tuple[str, object, object]]:
        """Yield table, subject and seq of payload and queue rows without an entry, by subject and seq."""

    def place_after(self, first: int, places: int) -> int | None:
        """Return the index of the place `places` rows after `first`, None where fewer follow."""

    def places(self) -> int:
        """Return how many places the log has, by the last of them; 0 where that is none."""

    def log_leaves(self, span: Places) -> Iterator[StoredLogLeaf]:
        """Yield every place of the span, by index."""

    def leaf_hashes(self, span: Places) -> Iterator[Sequence[tuple[object, object]]]:
        """Yield index and leaf hash alone of what `log_leaves` yields, some at a time."""

    def tile(self, level: int, index: int) -> object:
        """Return one stored tile, None where there is none."""

    def tiles(self, first: int, end: int) -> Iterator[tuple[object, object]]:
        """Yield index and hashes of the tiles of level 0 from `first` up to, not including, `end`."""

    def tile_places(self) -> Iterator[tuple[object, object]]:
        """Yield level and index of every stored tile."""

    def states(self) -> Iterator[StoredState]:
        """Yield every row of `log_state`: there should be one."""

    def checkpoints(self, after: int | None = None) -> Generator[StoredCheckpoint, None, None]:
        """Yield every checkpoint, or those beyond size `after`, by size; read beside the log, and closed."""

    def cosignatures(self) -> Iterator[StoredCosignature]:
        """Yield every cosignature with its checkpoint's note, by size and witness."""


Checked_co = TypeVar("Checked_co", covariant=True)


class Part(Protocol[Checked_co]):
    """A part of the work, for anyone with a view of the rows; it and its answer can be pickled."""

    def check(self, rows: LedgerRows) -> Checked_co:
        """Do it.

        Raises:
            IntegrityBroken: a page of the database cannot be read.
        """
