"""Reads whom a question is about from a file: one account a line, or a column of a CSV file."""

import csv
from collections.abc import Sequence
from pathlib import Path

from creditbank.cli.asking import QuestionInvalid
from creditbank.cli.files import read_file
from creditbank.identity.account_number import AccountNumber, AccountNumberInvalid, parse_account_number

_MAX_BYTES = 64 * 1024 * 1024
_HEADERS = frozenset({"account", "账号", "学习账号", "个人学习账号"})


def numbers_in(path: Path) -> tuple[AccountNumber, ...]:
    """Read the account numbers of a file, each once, in its order.

    A line holds one; `#` begins a remark. In a CSV file whose first line names a column `account` or 账号,
    that column holds them; in one without such a line the first column does.

    Raises:
        QuestionInvalid: `cohort-not-utf8`, `cohort-line` for a line without an account number, or
            `cohort-empty` for a file without any.
    """
    try:
        text = read_file(path, max_bytes=_MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise QuestionInvalid("cohort-not-utf8", field="cohort", file=str(path), byte=error.start) from error
    lines = [line.partition("#")[0] for line in text.splitlines()]
    column, first = _column(lines)
    found: dict[AccountNumber, None] = {}
    for number, line in enumerate(lines[first:], start=first + 1):
        cells = next(csv.reader([line]), [])
        written = cells[column].strip() if column < len(cells) else ""
        try:
            if any(cell.strip() for cell in cells):
                found[parse_account_number(written)] = None
        except AccountNumberInvalid as error:
            raise QuestionInvalid(
                "cohort-line", field="cohort", file=str(path), line=number, value=written
            ) from error
    if not found:
        raise QuestionInvalid("cohort-empty", field="cohort", file=str(path))
    return tuple(found)


def _column(lines: Sequence[str]) -> tuple[int, int]:
    """Return which column holds the numbers, and the line, counted from 0, from which on it does."""
    header = [cell.strip().lower() for cell in next(csv.reader(lines[:1]), [])]
    at = next((at for at, cell in enumerate(header) if cell in _HEADERS), None)
    return (0, 0) if at is None else (at, 1)
