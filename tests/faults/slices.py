"""A slice of a campaign, as a test: `make test` runs one of each, in files that share the processors out."""

from collections.abc import Callable

import pytest

from tests.faults.figures import Extent, print_row
from tests.faults.plan import CAMPAIGNS, Campaign

SEED = 1


def slices_of(*names: str, engine: str | None = None) -> Callable[..., None]:
    """Return the test that runs a slice of every campaign of these names, on one engine or on both."""
    chosen = [each for each in CAMPAIGNS if each.name in names and engine in {None, each.engine}]

    @pytest.mark.parametrize("campaign", chosen, ids=lambda campaign: f"{campaign.name}-{campaign.engine}")
    def test(campaign: Campaign) -> None:
        figures = campaign.run(Extent(faults=campaign.slice, seed=SEED))
        print_row(figures)
        assert figures.is_reached, figures

    return test
