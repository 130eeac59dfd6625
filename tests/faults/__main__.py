"""`python -m tests.faults`: every campaign, a row for each as it is done, and one table at the end.

It exits with 1 if one goal is missed.
"""

import argparse
import secrets
import signal
import sys
import time

from tests.driver.__main__ import positive
from tests.engines import durable_postgresql
from tests.faults.figures import Extent, print_row, print_table
from tests.faults.laws import hold_laws, try_every_allocation
from tests.faults.plan import BOTH, CAMPAIGNS, Campaign

NIGHT_MINUTES = 100.0
"""How long a whole night is: fewer minutes do fewer faults, in proportion; more give each more time."""

_TERMINATED = 128 + signal.SIGTERM

LAWS = (
    Campaign(name="hold_laws", engine="all", run=hold_laws, nightly=1_000, slice=0, share=600),
    Campaign(
        name="try_every_allocation",
        engine="none",
        run=try_every_allocation,
        nightly=50_000,
        slice=0,
        share=630,
    ),
)


def main() -> int:
    """Run what is asked for; return the exit code."""
    asked = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))  # everything is cleared away then too
    every = (*CAMPAIGNS, *LAWS)
    wanted = [each for each in every if _is_wanted(each, asked)]
    shares = sum(each.share for each in wanted)
    night_minutes = NIGHT_MINUTES * shares / sum(each.share for each in every)
    scale = min(1.0, asked.minutes / night_minutes)
    print(f"seed {asked.seed}, at most {asked.minutes:g} minutes, {scale:.3g} of a night", flush=True)
    rows = []
    deadline = time.monotonic() + asked.minutes * 60
    with durable_postgresql():
        for campaign in wanted:
            extent = Extent(
                faults=max(1, round(campaign.nightly * scale)),
                seed=asked.seed,
                seconds=max(0.0, deadline - time.monotonic()) * campaign.share / shares,
            )
            shares -= campaign.share  # what one leaves of its time is for those after it
            rows.append(campaign.run(extent))
            print_row(rows[-1])
    print_table(rows)
    return 0 if all(row.is_reached for row in rows) else 1


def _is_wanted(campaign: Campaign, asked: argparse.Namespace) -> bool:
    is_named = not asked.only or campaign.name in asked.only
    return is_named and asked.engine in {None, campaign.engine}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--minutes", type=positive(float), default=NIGHT_MINUTES, help="[100]")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="[drawn, and printed]")
    names = sorted({each.name for each in (*CAMPAIGNS, *LAWS)})
    parser.add_argument(
        "--only", action="append", choices=names, default=[], metavar="NAME", help=f"[all] {', '.join(names)}"
    )
    parser.add_argument("--engine", choices=BOTH, help="[both]")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
