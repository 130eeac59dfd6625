"""What adding entries to the log answers: the places they filled, or why they could not be added."""

from dataclasses import dataclass

from creditbank.errors import Conflict
from creditbank.terms import SubjectId


class HeadMoved(Conflict):
    """Another writer extended this subject's chain first."""

    code = "head-moved"

    def __init__(self, *, subject: SubjectId, expected: int) -> None:
        super().__init__("head-moved", subject=subject, expected=expected)


class IdempotencyKeyReused(Conflict):
    """The same key came with another request."""

    code = "idempotency-key-reused"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRange:
    """The places in the log that one append filled: from `first` up to, not including, `size`."""

    first: int
    size: int
