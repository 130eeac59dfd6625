"""Every campaign, how far it goes in one night and in `make test`, and its share of the night.

Shares are what each needs, in seconds, on two idle cores: together with the laws they make up the night.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.faults import backends, clock, disk, flips, kills, migrations, servers, several, storm, tampering
from tests.faults.figures import Extent, Figures

BOTH = ("sqlite", "postgresql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """What runs, on which engine; `share` is its part of the time, in what units does not matter."""

    name: str
    engine: str
    run: Callable[[Extent], Figures]
    nightly: int
    slice: int
    share: int


def _on_both(
    run: Callable[[str, Extent], Figures], *, nightly: int, slices: tuple[int, int], shares: tuple[int, int]
) -> tuple[Campaign, ...]:
    """Return a campaign on SQLite and one on PostgreSQL, each with its slice and share."""
    return tuple(
        Campaign(
            name=run.__name__,
            engine=engine,
            run=partial(run, engine),
            nightly=nightly,
            slice=slice_,
            share=share,
        )
        for engine, slice_, share in zip(BOTH, slices, shares, strict=True)
    )


def _on(engine: str, run: Callable[[Extent], Figures], *, nightly: int, slice_: int, share: int) -> Campaign:
    return Campaign(name=run.__name__, engine=engine, run=run, nightly=nightly, slice=slice_, share=share)


CAMPAIGNS: tuple[Campaign, ...] = (
    *_on_both(kills.kill_writers, nightly=1_000, slices=(50, 50), shares=(950, 950)),
    *_on_both(servers.kill_servers, nightly=30, slices=(2, 1), shares=(285, 285)),
    _on("postgresql", several.kill_one_of_several, nightly=20, slice_=1, share=110),
    _on("postgresql", backends.terminate_backends, nightly=300, slice_=3, share=210),
    _on("postgresql", backends.kill_backends, nightly=40, slice_=1, share=150),
    _on("postgresql", backends.restart_servers, nightly=20, slice_=1, share=150),
    _on("sqlite", disk.limit_files, nightly=40, slice_=2, share=50),
    *_on_both(disk.fill_volumes, nightly=40, slices=(1, 1), shares=(50, 50)),
    *_on_both(storm.storm, nightly=40, slices=(1, 1), shares=(130, 130)),
    *_on_both(clock.turn_clocks, nightly=2_000, slices=(20, 20), shares=(15, 15)),
    *_on_both(migrations.kill_upgrades, nightly=40, slices=(2, 1), shares=(130, 130)),
    *_on_both(migrations.kill_creations, nightly=40, slices=(2, 1), shares=(120, 120)),
    *_on_both(tampering.tamper, nightly=500, slices=(16, 6), shares=(110, 350)),
    *_on_both(tampering.replace_whole, nightly=10, slices=(2, 2), shares=(30, 30)),
    _on("sqlite", flips.flip_bits, nightly=1_500, slice_=40, share=180),
)
"""In this order, the most important first."""
