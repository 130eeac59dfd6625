"""Check what was signed against the log recomputed: the checkpoints it keeps, and one held elsewhere."""

import sys
from collections.abc import Collection, Iterator

from creditbank.ledger.audit import Finding, StoredCheckpoint
from creditbank.ledger.checkpoint import Checkpoint, NoteInvalid, VerifierKey, is_signed_only_by, open_note

_NEVER = sys.maxsize


class SignedSizes:
    """The checkpoints, read one after the other as the log recomputed reaches the sizes they speak of.

    `after` is the size up to which they were looked at before, and then `rows` are those beyond it;
    `misses_held` says that the one held elsewhere was true, and not among them.
    """

    def __init__(
        self,
        rows: Iterator[StoredCheckpoint],
        keys: Collection[VerifierKey],
        held: Checkpoint | None,
        *,
        after: int = -1,
        misses_held: bool = False,
    ) -> None:
        self._rows = rows
        self._keys = keys
        self._held = held
        self._held_is_due = held is not None and held.size > after
        self.misses_held = misses_held
        self._last_size = after
        self._next = next(rows, None)

    @property
    def next_size(self) -> int:
        """The next size at which to be asked to `look_at` the log."""
        held = self._held.size if self._held is not None and self._held_is_due else _NEVER
        if self._next is None:
            return held
        return min(held, _count(self._next.size))

    def look_at(self, *, size: int, root: bytes) -> Iterator[Finding]:
        """Check everything signed about the log when it had this size."""
        if self._held is not None and self._held_is_due and self._held.size <= size:
            self._held_is_due = False
            self.misses_held = self._held.root == root
            if self._held.root != root:
                yield Finding(code="log-forked", values={"signed_size": size})
        while self._next is not None and _count(self._next.size) <= size:
            yield from self._row_findings(self._next, size=size, root=root)
            self._next = next(self._rows, None)

    def end(self, *, size: int, is_whole: bool) -> Iterator[Finding]:
        """Check what speaks of a larger log; this one `is_whole` unless part of it could not be read."""
        while self._next is not None:
            yield from self._row_findings(self._next, size=size, root=None, is_whole=is_whole)
            self._next = next(self._rows, None)
        if self._held is not None and self._held_is_due and is_whole:
            yield Finding(code="log-shrank", values={"signed_size": self._held.size, "size": size})
        if self._held is not None and self.misses_held:
            yield Finding(code="checkpoint-not-kept", values={"size": self._held.size})

    def _row_findings(
        self, row: StoredCheckpoint, *, size: int, root: bytes | None, is_whole: bool = False
    ) -> Iterator[Finding]:
        values = {"size": row.size}
        if type(row.size) is int and row.size <= self._last_size:
            yield Finding(code="checkpoint-repeated", values=values)
        self._last_size = max(self._last_size, _count(row.size))
        try:
            checkpoint, is_ours = self._opened(row.note)
        except NoteInvalid as error:
            yield Finding(code="checkpoint-invalid", values={**values, "reason": error.reason})
            return
        if not is_ours:
            yield Finding(
                code="checkpoint-invalid", values={**values, "reason": "note-has-strange-signature"}
            )
        if checkpoint == self._held:
            self.misses_held = False
        if type(row.size) is not int or checkpoint.size != row.size:
            yield Finding(code="checkpoint-misplaced", values={**values, "stated": checkpoint.size})
        elif root is not None and row.size == size and checkpoint.root != root:
            yield Finding(code="checkpoint-root-differs", values=values)
        elif is_whole:
            yield Finding(code="log-shrank", values={"signed_size": row.size, "size": size})

    def _opened(self, note: object) -> tuple[Checkpoint, bool]:
        if type(note) is not bytes:
            raise NoteInvalid("note-malformed")
        return open_note(note, self._keys), is_signed_only_by(note, self._keys)


def _count(size: object) -> int:
    """Return a size as it is stored, or 0, which is looked at once, for what is none."""
    return size if type(size) is int else 0
