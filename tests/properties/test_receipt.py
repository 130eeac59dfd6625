"""Laws of the import receipt: it comes back as it was written, adds up, and takes no other bytes."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from creditbank.account.records import line_about
from creditbank.documents.receipt import (
    ImportReceipt,
    ReceiptEntry,
    ReceiptFile,
    ReceiptInvalid,
    parse_receipt,
    receipt_bytes,
    receipt_schema,
    receipt_without,
)
from creditbank.identity.account_number import parse_account_number
from creditbank.outcomes.outcome import OUTCOME_KINDS
from tests.strategies.books import batch
from tests.strategies.choosing import either, maybe
from tests.strategies.identity import account_numbers, issuers

SCHEMA = Draft202012Validator(receipt_schema())
some_accounts = st.lists(account_numbers().map(str), min_size=1, max_size=4, unique=True)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
instants = st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@cache
@st.composite
def receipts(draw: st.DrawFn) -> ImportReceipt:
    """Receipts whose counts are those of their entries."""
    accounts = draw(some_accounts)
    opened = draw(st.sets(st.sampled_from(accounts)))
    entries = tuple(
        ReceiptEntry(row=row, account=account, opened=account in opened, seq=seq)
        for row, (account, seq) in enumerate(
            draw(st.lists(st.tuples(st.sampled_from(accounts), maybe(st.integers(0, 99))))), start=2
        )
    )
    recorded = sum(entry.seq is not None for entry in entries)
    accounts_opened = len({entry.account for entry in entries if entry.opened})
    return ImportReceipt(
        number=draw(st.text("0123456789ABCDEF-", min_size=1, max_size=20)),
        issuer=draw(issuers()),
        kind=draw(either(*OUTCOME_KINDS)),
        file=ReceiptFile(sha256=draw(digests), name=draw(either(None, "毕业生.xlsx"))),
        posted_at=draw(instants),
        rows=len(entries),
        accounts_opened=accounts_opened,
        outcomes_recorded=recorded,
        corrections=draw(st.integers(0, 99)),
        entries=entries,
    )


@given(receipts())
def test_a_receipt_comes_back_as_it_was_written(receipt: ImportReceipt) -> None:
    written = receipt_bytes(receipt)
    assert parse_receipt(written) == receipt
    assert receipt_bytes(parse_receipt(written)) == written


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(receipt_schema())


@given(receipts())
def test_a_receipt_keeps_its_schema(receipt: ImportReceipt) -> None:
    SCHEMA.validate(json.loads(receipt_bytes(receipt)))


@given(st.binary(max_size=200))
def test_random_bytes_are_no_receipt(content: bytes) -> None:
    with pytest.raises(ReceiptInvalid):
        parse_receipt(content)


@given(receipts(), st.sampled_from(["rows", "accounts_opened", "outcomes_recorded"]), st.integers(1, 5))
def test_figures_that_do_not_add_up_are_refused(receipt: ImportReceipt, figure: str, more: int) -> None:
    members = json.loads(receipt_bytes(receipt))
    members[figure] += more
    with pytest.raises(ReceiptInvalid):
        parse_receipt(json.dumps(members).encode())


@given(receipts(), st.data())
def test_a_member_that_is_missing_or_unknown_is_refused(receipt: ImportReceipt, data: st.DataObject) -> None:
    members = json.loads(receipt_bytes(receipt))
    missing = data.draw(st.sampled_from(sorted(members.keys() - {"v"})))
    for changed in ({**members, "more": 1}, {name: members[name] for name in members if name != missing}):
        with pytest.raises(ReceiptInvalid):
            parse_receipt(json.dumps(changed).encode())


@given(receipts())
def test_a_time_without_its_zone_is_refused(receipt: ImportReceipt) -> None:
    members = json.loads(receipt_bytes(receipt))
    members["posted_at"] = members["posted_at"].removesuffix("Z")
    with pytest.raises(ReceiptInvalid):
        parse_receipt(json.dumps(members).encode())


def test_a_files_name_in_an_unknown_encoding_does_no_harm() -> None:
    name = b"\xb1\xcf.xlsx".decode("utf-8", errors="surrogateescape")
    assert ReceiptFile(sha256="0" * 64, name=name).name == "??.xlsx"


@given(receipts(), st.data())
def test_a_receipt_without_an_account_names_the_others_as_before(
    receipt: ImportReceipt, data: st.DataObject
) -> None:
    named = [parse_account_number(entry.account) for entry in receipt.entries]
    number = data.draw(st.sampled_from(named) | account_numbers() if named else account_numbers())
    others = tuple(entry for entry in receipt.entries if entry.account != str(number))
    left = receipt_without(receipt_bytes(receipt), number)
    if not others and receipt.entries:
        assert left is None
        return
    assert left is not None
    assert number not in replace(batch("1"), receipt=left).accounts
    shorter = parse_receipt(left)
    assert shorter.entries == others
    is_shorter = len(others) < len(receipt.entries)
    assert shorter.file == (ReceiptFile(sha256=receipt.file.sha256) if is_shorter else receipt.file)
    assert (shorter.redacted or 0) == len(receipt.entries) - len(others)
    kept = shorter.model_dump(exclude={"entries", "file", "redacted"})
    assert kept == receipt.model_dump(exclude={"entries", "file", "redacted"})
    SCHEMA.validate(json.loads(left))


@given(receipts())
def test_one_account_after_the_other_leaves_no_receipt(receipt: ImportReceipt) -> None:
    left: bytes | None = receipt_bytes(receipt)
    for account in sorted({entry.account for entry in receipt.entries}):
        assert left is not None
        left = receipt_without(left, parse_account_number(account))
    assert (left is None) == bool(receipt.entries)


@given(receipts())
def test_a_posted_file_leads_to_the_accounts_of_its_lines(receipt: ImportReceipt) -> None:
    named = receipt.model_copy(update={"file": ReceiptFile(sha256="0" * 64, name='"account": "7F3K"')})
    posted = replace(batch("1"), receipt=receipt_bytes(named))
    assert {str(account) for account in posted.accounts} == {entry.account for entry in receipt.entries}
    assert all(line_about(account) in posted.receipt for account in posted.accounts)
