"""What the ledger says for ever of an account that was redacted: why, who decided it, how much is gone.

Nothing here names the learner, and nothing here is destroyed with the rest.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from creditbank.identity.account_number import AccountNumber
from creditbank.ledger.encoding import JsonValue
from creditbank.outcomes.outcome import require_text
from creditbank.terms import Microseconds, OfficerId

NOTE_MAX = 200
"""Characters of a note. It stays in the ledger for ever: it must name no person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destroyed:
    """How much of an account a redaction destroys."""

    payloads: int
    """Entries of which salt and payload are gone."""
    idempotency_keys: int
    """Keys beside these entries, which clients chose and may have made of anything."""
    outcome_keys: int
    """Blind keys by which certificates and other outcomes were found."""
    identities: int
    """1 where the sealed identity was there, with its data key and the blind key of the citizen number."""
    receipts: int
    """Receipts of posted files that led from a row to the account."""
    answers: int
    """Answers kept for requests that might be repeated, with blind digests of what was asked."""

    @property
    def is_nothing(self) -> bool:
        """Whether nothing was left to destroy."""
        return not any(asdict(self).values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted:
    """`account.redacted`: everything that the entries before it said is gone, and who the account was of.

    `ground` is a code of the vocabulary `redaction-ground`; `officers` are the two persons who decided it.
    """

    ground: str
    officers: tuple[OfficerId, OfficerId]
    destroyed: Destroyed
    note: str | None = None

    def __post_init__(self) -> None:
        if self.note is not None:
            require_text("note", self.note, max_length=NOTE_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactionNamed:
    """A redaction as the register outside the database keeps it: enough to apply it again, and no more."""

    account: AccountNumber
    seq: int
    redacted_at: Microseconds
    ground: str
    leaf_hash: bytes


def redacted_members(body: Redacted) -> dict[str, JsonValue]:
    """Return a redaction as the members of its payload."""
    members: dict[str, JsonValue] = {
        "ground": body.ground,
        "officers": list(body.officers),
        "destroyed": asdict(body.destroyed),
    }
    return members if body.note is None else {**members, "note": body.note}


def parse_redacted(members: Mapping[str, Any]) -> Redacted:
    """Read a redaction back from the members of its payload.

    Raises:
        LookupError, TypeError, ValueError, InvalidInput: they are none.
    """
    first, second = members["officers"]
    return Redacted(
        ground=members["ground"],
        officers=(OfficerId(first), OfficerId(second)),
        destroyed=Destroyed(**members["destroyed"]),
        note=members.get("note"),
    )
