"""Entries and records as the stores are given them; what they say does not matter here."""

from dataclasses import replace
from hashlib import sha256

from creditbank.account.records import AccountRecord, Batch
from creditbank.documents.receipt import (
    ImportReceipt,
    ReceiptEntry,
    ReceiptFile,
    receipt_bytes,
    receipt_without,
)
from creditbank.identity.account_number import AccountNumber
from creditbank.ledger.chain import EMPTY, Head, extend, head_after
from creditbank.ledger.encoding import JsonValue, canonical_bytes
from creditbank.ledger.entry import Entry, Payload
from creditbank.terms import IssuerId, Microseconds, SubjectId, instant

SCHOOL = IssuerId("12540300MB0000000X")
LOG = "bank.example/log"
STATION = IssuerId("12540300MB0000001A")


def subject(name: object) -> SubjectId:
    return SubjectId(f"account:{name}")


def entry_after(
    head: Head, *, of: SubjectId, says: str = "", at: int = 0, idempotency_key: str | None = None
) -> Entry:
    """Make the next entry of a chain; equal arguments make equal entries."""
    salt = sha256(f"{of} {head.length} {says}".encode()).digest()
    body: dict[str, JsonValue] = {"says": says}
    if idempotency_key is not None:
        body["idempotency_key"] = idempotency_key
    return extend(
        head,
        log=LOG,
        subject=of,
        at=Microseconds(at),
        kind="outcome.recorded",
        issuer=SCHOOL,
        payload=Payload(salt=salt, content=canonical_bytes(body)),
        idempotency_key=idempotency_key,
    )


def chain(of: SubjectId, *, length: int, head: Head = EMPTY, says: str = "") -> list[Entry]:
    """Make the next `length` entries of a chain."""
    entries: list[Entry] = []
    for _ in range(length):
        entries.append(entry_after(head, of=of, says=says))
        head = head_after(entries[-1])
    return entries


def account(name: object, *, citizen: bytes | None = None) -> AccountRecord:
    return AccountRecord(
        subject=subject(name),
        opened_at=Microseconds(1_700_000_000_000_000),
        citizen_index=citizen,
        wrapped_key=sha256(f"key {name}".encode()).digest(),
        identity=f"sealed {name}".encode(),
        wrapped_by="initial",
    )


def batch(number: str, *, issuer: IssuerId = SCHOOL, file: bytes = b"a file") -> Batch:
    return Batch(
        number=number,
        issuer=issuer,
        file_digest=sha256(file).digest(),
        posted_at=Microseconds(1_700_000_000_000_000),
        receipt=b'{"rows":3}\n',
    )


def receipt_batch(
    number: str, *rows: AccountNumber, name: str = "a file.xlsx", without: AccountNumber | None = None
) -> Batch:
    """Return a posted file whose rows recorded one outcome each in these accounts, perhaps `without` one."""
    digest = sha256(number.encode())
    receipt = ImportReceipt(
        number=number,
        issuer=SCHOOL,
        kind="course-credit",
        file=ReceiptFile(sha256=digest.hexdigest(), name=name),
        posted_at=instant(Microseconds(1_700_000_000_000_000)),
        rows=len(rows),
        accounts_opened=0,
        outcomes_recorded=len(rows),
        corrections=0,
        entries=tuple(
            ReceiptEntry(row=row, account=str(of), opened=False, seq=row)
            for row, of in enumerate(rows, start=5)
        ),
    )
    content = receipt_bytes(receipt)
    kept = content if without is None else receipt_without(content, without)
    assert kept is not None, "some lines are left"
    return replace(batch(number), file_digest=digest.digest(), receipt=kept)
