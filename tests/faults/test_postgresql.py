"""A slice of every campaign on PostgreSQL; `make nightly` runs the whole of them."""

import gc
from collections.abc import Iterator

import pytest

from tests.faults.figures import Extent, print_row
from tests.faults.plan import Campaign, campaigns_on

# Banks are damaged until they cannot be opened; what was opened of them goes with the garbage.
pytestmark = [pytest.mark.campaign, pytest.mark.filterwarnings("ignore::ResourceWarning")]


@pytest.fixture(autouse=True)
def _no_remains() -> Iterator[None]:
    yield
    gc.collect()


@pytest.mark.parametrize("campaign", campaigns_on("postgresql"), ids=lambda campaign: campaign.name)
def test_nothing_is_lost_doubled_or_overlooked(campaign: Campaign) -> None:
    figures = campaign.run(Extent(faults=campaign.slice, seed=1))
    print_row(figures)
    assert figures.is_reached, figures
