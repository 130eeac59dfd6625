"""What adding to the log answers: why an entry could not be appended, and which places a batch was given."""

from dataclasses import dataclass

from creditbank.errors import Overloaded, Raced
from creditbank.terms import SubjectId

SEQUENCED_AT_ONCE = 4_096
"""How many entries one batch of the sequencer holds."""


class HeadMoved(Raced):
    """Another writer extended this subject's chain first."""

    code = "head-moved"

    def __init__(self, *, subject: SubjectId, expected: int) -> None:
        super().__init__("head-moved", subject=subject, expected=expected)
        self.subject = subject


class IdempotencyKeyTaken(Raced):
    """The chain already holds an entry that this key made."""

    code = "idempotency-key-taken"

    def __init__(self) -> None:
        super().__init__("idempotency-key-taken")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRange:
    """The places in the log that one batch was given: from `first` up to, not including, `size`."""

    first: int
    size: int

    @property
    def count(self) -> int:
        """How many places these are."""
        return self.size - self.first


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPlace:
    """Where an entry stands in the log of `size` and `root`; `index` is None while it waits for its place."""

    index: int | None
    size: int
    root: bytes


class LogBehind(Overloaded):
    """So many entries wait for their places in the log that no more are taken until it has caught up."""

    code = "log-behind"
