"""The register of redactions, kept outside the database: one line of canonical JSON for each.

It holds account numbers and no persons. With it a database that was restored from a backup older than a
redaction is seen to be so, and the redaction is done again.
"""

from collections.abc import Iterable, Iterator
from typing import Any, cast

from creditbank.account.redaction import RedactionNamed
from creditbank.errors import InvalidInput
from creditbank.identity.account_number import parse_account_number
from creditbank.ledger.encoding import canonical_bytes, parse_canonical
from creditbank.ledger.entry import HASH_BYTES
from creditbank.terms import Microseconds


class RegisterInvalid(InvalidInput):
    """These bytes are not a register of redactions."""

    code = "register-invalid"


def register_bytes(redactions: Iterable[RedactionNamed]) -> bytes:
    """Return a register: a line for each redaction, each ended by a line break."""
    return b"".join(_line(redaction) + b"\n" for redaction in redactions)


def parse_register(content: bytes) -> tuple[RedactionNamed, ...]:
    """Read a register back.

    Raises:
        RegisterInvalid: `register-line`: a line is not exactly what would be written.
    """
    return tuple(_parsed(content))


def _line(redaction: RedactionNamed) -> bytes:
    return canonical_bytes(
        {
            "v": 1,
            "account": str(redaction.account),
            "seq": redaction.seq,
            "redacted_at": redaction.redacted_at,
            "ground": redaction.ground,
            "leaf_hash": redaction.leaf_hash.hex(),
        }
    )


def _parsed(content: bytes) -> Iterator[RedactionNamed]:
    for number, line in enumerate(content.split(b"\n")[:-1] if content else (), start=1):
        try:
            redaction = _redaction_of(cast("dict[str, Any]", parse_canonical(line)))
            is_whole = _line(redaction) == line
        except (InvalidInput, LookupError, TypeError, ValueError, AttributeError) as error:
            raise RegisterInvalid("register-line", line=number) from error
        if not is_whole:
            raise RegisterInvalid("register-line", line=number)
        yield redaction
    if content and not content.endswith(b"\n"):
        raise RegisterInvalid("register-line", line=content.count(b"\n") + 1)


def _redaction_of(members: dict[str, Any]) -> RedactionNamed:
    leaf_hash = bytes.fromhex(members["leaf_hash"])
    if len(leaf_hash) != HASH_BYTES or members["seq"] < 0 or members["redacted_at"] < 0:
        raise ValueError("not a place of the ledger")
    if not isinstance(members["ground"], str):
        raise TypeError("not a code")
    return RedactionNamed(
        account=parse_account_number(members["account"]),
        seq=members["seq"],
        redacted_at=Microseconds(members["redacted_at"]),
        ground=members["ground"],
        leaf_hash=leaf_hash,
    )
