"""`make bench`: one table of everything at the end, and on demand the page that keeps it."""

from pathlib import Path

import pytest

from tests.benchmarks.machine import machine
from tests.benchmarks.table import TAKEN, markdown, print_table

PAGE = Path("docs/performance.md")
BEGIN, END = "<!-- figures: `make bench WRITE=yes` writes from here -->", "<!-- to here -->"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("benchmarks")
    group.addoption("--write", action="store_true", help=f"write the table into {PAGE}")
    group.addoption(
        "--million", action="store_true", help="grow the ledgers to 1,000,000 entries, not 100,000"
    )


@pytest.fixture(scope="session")
def grown_to(request: pytest.FixtureRequest) -> int:
    """How large the largest ledger becomes."""
    return 1_000_000 if request.config.getoption("--million", default=False) else 100_000


def pytest_terminal_summary(config: pytest.Config) -> None:
    if not TAKEN:
        return
    preface = machine()
    print_table(TAKEN, preface=preface)
    if config.getoption("--write", default=False):
        PAGE.write_text(
            written(PAGE.read_text(encoding="utf-8"), markdown(TAKEN, preface=preface)), encoding="utf-8"
        )


def written(page: str, figures: str) -> str:
    """Return the page with these figures where the old ones were."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin, f"{PAGE} says where the figures begin"
    assert end, f"{PAGE} says where the figures end"
    return f"{before}{BEGIN}\n\n{figures}\n{END}{after}"
