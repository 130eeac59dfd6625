"""A slice of every campaign on SQLite; `make nightly` runs the whole of them."""

import pytest

from tests.faults.figures import Extent, print_row
from tests.faults.plan import Campaign, campaigns_on


@pytest.mark.parametrize("campaign", campaigns_on("sqlite"), ids=lambda campaign: campaign.name)
def test_nothing_is_lost_doubled_or_overlooked(campaign: Campaign) -> None:
    figures = campaign.run(Extent(faults=campaign.slice, seed=1))
    print_row(figures)
    assert figures.is_reached, figures
