"""The receipt of an imported file: what a school keeps, and shows when somebody asks what it posted.

It names accounts and places in the ledger, never persons. The bank keeps the very bytes that the school got.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from creditbank.errors import InvalidInput
from creditbank.identity.account_number import AccountNumber
from creditbank.outcomes.outcome import OutcomeKind

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256, in hex")]
Count = Annotated[int, Field(ge=0, lt=2**53)]


class ReceiptInvalid(InvalidInput):
    """These bytes are not an import receipt."""

    code = "receipt-invalid"


class ReceiptPart(BaseModel):
    """What every part of a receipt has in common."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _sayable(name: object) -> object:
    """Return a file's name without what no text may hold: bytes of a name in an unknown encoding."""
    return name.encode(errors="replace").decode() if isinstance(name, str) else name


class ReceiptFile(ReceiptPart):
    """The file that was posted; its name is as the school's computer called it."""

    sha256: Digest
    name: Annotated[str | None, BeforeValidator(_sayable)] = Field(default=None, max_length=255)


class ReceiptEntry(ReceiptPart):
    """What became of one row; without `seq`, this very outcome stood already and nothing was added."""

    row: Annotated[int, Field(ge=1, lt=2**53)]
    account: str = Field(pattern=r"^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$")
    opened: bool = Field(description="whether the file opened this account")
    seq: Count | None = Field(default=None, description="the entry in the account's chain")


class ImportReceipt(ReceiptPart):
    """A posted file: who posted what and when, and where each row went."""

    v: Literal[1] = 1
    number: str = Field(min_length=1, max_length=64)
    issuer: str = Field(min_length=1, max_length=64)
    kind: OutcomeKind
    file: ReceiptFile
    posted_at: AwareDatetime
    rows: Count
    accounts_opened: Count
    outcomes_recorded: Count
    corrections: Count = Field(description="cells that were read although not written as they should be")
    redacted: Annotated[int, Field(ge=1, lt=2**53)] | None = Field(
        default=None, description="rows whose lines are gone, because their accounts were redacted"
    )
    entries: tuple[ReceiptEntry, ...]

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        gone = self.redacted or 0
        recorded = sum(entry.seq is not None for entry in self.entries)
        opened = len({entry.account for entry in self.entries if entry.opened})
        if self.rows != len(self.entries) + gone or not (
            0 <= self.accounts_opened - opened <= gone and 0 <= self.outcomes_recorded - recorded <= gone
        ):
            raise ValueError("the counts are not those of the entries")
        return self


def receipt_bytes(receipt: ImportReceipt) -> bytes:
    """Return a receipt as indented JSON that ends with a line break."""
    return receipt.model_dump_json(indent=2, exclude_none=True).encode() + b"\n"


def parse_receipt(content: bytes) -> ImportReceipt:
    """Read a receipt back.

    Raises:
        ReceiptInvalid: `receipt-malformed`: the bytes are none, or its figures do not add up.
    """
    try:
        return ImportReceipt.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or first["type"]
        raise ReceiptInvalid("receipt-malformed", where=where) from error


def receipt_without(content: bytes, account: AccountNumber) -> bytes | None:
    """Return a receipt without the lines about an account; None where it has no others.

    The file's name goes with them, since whoever named the file may have named the person.

    Raises:
        ReceiptInvalid: the bytes are no receipt.
    """
    receipt = parse_receipt(content)
    kept = tuple(entry for entry in receipt.entries if entry.account != str(account))
    gone = len(receipt.entries) - len(kept)
    if not gone:
        return content
    if not kept:
        return None
    members = {name: getattr(receipt, name) for name in ImportReceipt.model_fields}
    members |= {
        "file": ReceiptFile(sha256=receipt.file.sha256),
        "redacted": (receipt.redacted or 0) + gone,
        "entries": kept,
    }
    return receipt_bytes(ImportReceipt(**members))


def receipt_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a receipt."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **ImportReceipt.model_json_schema()}
