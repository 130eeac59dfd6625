"""No campaign is forgotten: a slice of each runs in `make test`."""

from importlib import import_module
from pathlib import Path

from tests.faults.__main__ import LAWS, NIGHT_MINUTES
from tests.faults.plan import CAMPAIGNS


def test_a_slice_of_every_campaign_is_run_by_one_file() -> None:
    run = [
        campaign
        for file in Path(__file__).parent.glob("test_*.py")
        if hasattr(module := import_module(f"tests.faults.{file.stem}"), NAME)
        for campaign in getattr(module, NAME).pytestmark[0].args[1]
    ]
    assert sorted(run, key=CAMPAIGNS.index) == list(CAMPAIGNS)


def test_fifty_writers_are_killed_on_each_engine_and_a_thousand_in_a_night() -> None:
    kills = [each for each in CAMPAIGNS if each.name == "kill_writers"]
    assert [(each.engine, each.slice, each.nightly) for each in kills] == [
        ("sqlite", 50, 1_000),
        ("postgresql", 50, 1_000),
    ]


def test_what_the_campaigns_need_makes_up_the_night() -> None:
    needed = sum(each.share for each in (*CAMPAIGNS, *LAWS)) / 60
    assert 0.8 * NIGHT_MINUTES < needed <= NIGHT_MINUTES


NAME = "test_nothing_is_lost_doubled_or_overlooked"
