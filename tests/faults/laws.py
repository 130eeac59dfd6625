"""The laws that are marked `nightly`, and decisions beside the oracle: many more than `make test` draws."""

import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from multiprocessing import get_context

from hypothesis import Phase, settings

from tests.faults.figures import Extent, Figures
from tests.properties.test_conversion_oracle import compared
from tests.strategies.conversion import classes, classes_elsewhere, pinned_classes

_OUTCOME = re.compile(r"%\] (PASSED|FAILED|ERROR) (tests/\S+)")
_COLLECTED = re.compile(r"\[(\d+) items?\]")
_LAST_WORDS = 1_500
_BATCH = 150
"""Rule sets to a batch, of some three learners each."""

DRAWN = (classes, classes, pinned_classes, classes_elsewhere)
"""What is compared with the oracle, in turns."""


def hold_laws(extent: Extent) -> Figures:
    """Run the tests marked `nightly` on every processor; `extent.faults` is how many examples a law draws."""
    figures = Figures(campaign="laws, many examples", engine="all", wanted=1, seed=extent.seed)
    environment = {"HYPOTHESIS_PROFILE": "nightly", "HYPOTHESIS_EXAMPLES": str(extent.faults)}
    command = [sys.executable, "-m", "pytest", "-m", "nightly", "-v", "-p", "no:cacheprovider"]
    shared_out = ["-n", str(os.cpu_count() or 1), "--dist", "worksteal"]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        tests = subprocess.Popen(
            [*command, *shared_out, f"--hypothesis-seed={extent.seed}", "tests"],
            env=os.environ | environment,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            tests.wait(timeout=extent.seconds)
        except subprocess.TimeoutExpired:
            tests.terminate()
            tests.wait()
        said.seek(0)
        output = said.read()
    _count_laws(output, figures)
    if tests.returncode < 0 and figures.done < figures.wanted:
        figures.notes["not done in time"] += 1
    if tests.returncode > 0 and not figures.unseen:
        figures.stuck += 1
        figures.notes[f"pytest: {output[-_LAST_WORDS:]!r}"] += 1
    return figures.end()


def _count_laws(output: str, figures: Figures) -> None:
    """Read off what pytest said of each law: one that does not hold overlooks something."""
    collected = _COLLECTED.search(output)
    figures.wanted = int(collected[1]) if collected else 1
    for outcome, name in _OUTCOME.findall(output):
        if outcome == "PASSED":
            figures.done += 1
        else:
            figures.unseen += 1
            figures.notes[f"{outcome} {name}"] += 1


def try_every_allocation(extent: Extent) -> Figures:
    """Compare so many decisions with the oracle, on every processor, each batch from its own seed."""
    figures = Figures(campaign="try every allocation", engine="none", wanted=extent.faults, seed=extent.seed)
    deadline = extent.deadline()
    seeds = iter(range(extent.seed * 10_000, (extent.seed + 1) * 10_000))
    workers = os.cpu_count() or 1
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(_batch, next(seeds)) for _ in range(workers)}
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for batch in done:
                count, fault = batch.result()
                figures.done += count
                if fault is not None:
                    figures.unseen += 1
                    figures.notes[fault] += 1
                elif figures.done < figures.wanted and time.monotonic() < deadline:
                    waiting.add(pool.submit(_batch, next(seeds)))
    if figures.done < figures.wanted:
        figures.notes["not done in time"] += 1
    return figures.end()


def _batch(number: int) -> tuple[int, str | None]:
    """Compare a batch of what is drawn in turns; return how many there were, or what was wrong."""
    how = settings(max_examples=_BATCH, database=None, deadline=None, phases=(Phase.generate, Phase.shrink))
    try:
        return compared(DRAWN[number % len(DRAWN)](), how, seed=number), None
    except AssertionError as error:
        return 0, f"seed {number}: {error}"[:_LAST_WORDS]
