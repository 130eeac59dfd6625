"""What campaigns break is let go of after each: banks are damaged until they cannot be opened."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What was opened of a broken bank goes with the garbage."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))


@pytest.fixture(autouse=True)
def _no_remains() -> Iterator[None]:
    yield
    gc.collect()
