"""Hypothesis profiles: `ci` for every run, `nightly` for long campaigns (HYPOTHESIS_PROFILE=nightly)."""

import gc
import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "ci",
    max_examples=50,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "nightly",
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "5000")),
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_collection_finish() -> None:
    """What was imported and collected stays until the end: it is not looked through for garbage again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
