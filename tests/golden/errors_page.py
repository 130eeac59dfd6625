"""Writes `docs/errors.md`, every published code and its words: `python -m tests.golden.errors_page`."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import api
import creditbank
from api.problems import REQUEST_STATUS, status_of
from creditbank.errors import CreditBankError
from creditbank.locale.catalogue import catalogue

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"

_HEAD = """# Errors

Every answer that is an error carries two published codes that never change: `code`, its class, which
decides the HTTP status, and `reason`, what exactly is wrong. Over HTTP it is `application/problem+json`
(RFC 9457), with `reason` and `type` `urn:creditbank:problem:<code>`; on the command line it is two lines on
standard error and exit code 2 (1 where the bank's own records contradict themselves). Words in braces are
replaced by values. This page is written by `python -m tests.golden.errors_page`.

## Classes

| Code | Status | 中文 | English |
| --- | --- | --- | --- |
"""
_REQUESTS = """
## Requests

What is answered before the bank is asked, or where it cannot say what failed. The reason is the code.

| Code | Status | 中文 | English |
| --- | --- | --- | --- |
"""
_REASONS = """
## Reasons

| Reason | 中文 | English |
| --- | --- | --- |
"""


def page() -> str:
    """Return the page as the code and the catalogues have it now."""
    chinese, english = catalogue("zh-CN").sections, catalogue("en").sections
    classes = {error.code: status_of(error.__new__(error)) for error in error_classes()}

    def titles(statuses: Mapping[str, int | None]) -> str:
        return "".join(
            f"| `{code}` | {status or '4xx'} | {chinese['problem'][code]} | {english['problem'][code]} |\n"
            for code, status in sorted(statuses.items())
        )

    reasons = (
        f"| `{reason}` | {_cell(text)} | {_cell(english['reason'][reason])} |\n"
        for reason, text in sorted(chinese["reason"].items())
    )
    return _HEAD + titles(classes) + _REQUESTS + titles(REQUEST_STATUS) + _REASONS + "".join(reasons)


def error_classes() -> Iterator[type[CreditBankError]]:
    """Yield every class of the error tree, wherever it grows."""
    for package in (creditbank, api):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    waiting = [CreditBankError]
    while waiting:
        error = waiting.pop()
        yield error
        waiting.extend(error.__subclasses__())


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
