"""`python -m tests.faults`: every campaign, a row for each as it is done, and one table at the end.

It exits with 1 if one goal is missed.
"""

import argparse
import secrets
import signal
import sys

from tests.driver.__main__ import positive
from tests.engines import durable_postgresql
from tests.faults.figures import Extent, print_row, print_table
from tests.faults.laws import hold_laws
from tests.faults.plan import CAMPAIGNS, Campaign

NIGHT_MINUTES = 60.0
"""How long a whole night is: fewer minutes do fewer faults, in proportion."""

_TERMINATED = 128 + signal.SIGTERM

LAWS = Campaign(name="hold_laws", engine="all", run=hold_laws, nightly=2_000, slice=0, share=420)


def main() -> int:
    """Run what is asked for; return the exit code."""
    asked = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))  # everything is cleared away then too
    wanted = [each for each in (*CAMPAIGNS, LAWS) if not asked.only or each.name in asked.only]
    scale = asked.minutes / NIGHT_MINUTES
    print(f"seed {asked.seed}, at most {asked.minutes:g} minutes, {scale:.3g} of a night", flush=True)
    shares = sum(each.share for each in (*CAMPAIGNS, LAWS))
    rows = []
    with durable_postgresql():
        for campaign in wanted:
            extent = Extent(
                faults=max(1, round(campaign.nightly * scale)),
                seed=asked.seed,
                seconds=asked.minutes * 60 * campaign.share / shares,
            )
            rows.append(campaign.run(extent))
            print_row(rows[-1])
    print_table(rows)
    return 0 if all(row.is_reached for row in rows) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--minutes", type=positive(float), default=NIGHT_MINUTES, help="[60]")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="[drawn, and printed]")
    names = sorted({each.name for each in (*CAMPAIGNS, LAWS)})
    parser.add_argument(
        "--only", action="append", choices=names, default=[], metavar="NAME", help=f"[all] {', '.join(names)}"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
