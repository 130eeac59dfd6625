"""The laws that are marked `nightly`, with many more examples than `make test` draws."""

import os
import re
import subprocess
import sys

from tests.faults.figures import Extent, Figures

_PASSED = re.compile(r"\b(\d+) passed")
_LAST_WORDS = 1_500


def hold_laws(extent: Extent) -> Figures:
    """Run every test marked `nightly`; `extent.faults` is how many examples a law draws."""
    figures = Figures(campaign="laws, many examples", engine="all", wanted=1, seed=extent.seed)
    environment = {"HYPOTHESIS_PROFILE": "nightly", "HYPOTHESIS_EXAMPLES": str(extent.faults)}
    command = [sys.executable, "-m", "pytest", "-m", "nightly", "-q", "-p", "no:cacheprovider"]
    try:
        done = subprocess.run(
            [*command, f"--hypothesis-seed={extent.seed}", "tests"],
            check=False,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=extent.seconds,
        )
    except subprocess.TimeoutExpired:
        figures.notes["not done in time"] += 1
        figures.wanted = 1
        return figures.end()
    passed = _PASSED.search(done.stdout)
    figures.done = int(passed[1]) if passed else 0
    figures.wanted = max(1, figures.done)
    if done.returncode != 0:
        figures.stuck += 1
        figures.notes[f"pytest: {done.stdout[-_LAST_WORDS:]!r}"] += 1
    return figures.end()
