"""A seeded mix of very many learners, decided again under 4,278 rules for 200 programmes on two cores.

`make bench MILLION=yes` takes a million of them; otherwise it is 50,000.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from time import perf_counter

import pytest
from rich.progress import Progress

from creditbank.conversion.allocation import NODE_BUDGET
from creditbank.conversion.reevaluation import Reevaluation
from creditbank.services.reevaluation import Asked, reevaluate
from creditbank.terms import ProgrammeId
from tests.benchmarks.table import Measure, print_measures
from tests.strategies.conversion_mix import PROGRAMMES, RULES, Mix, mixed

pytestmark = pytest.mark.benchmark

GROUP = "Conversion: everybody"
CORES = 2
SAMPLE = 2_000
"""Learners that are decided one by one, as the peer that remembers nothing."""
WARM_TIMES, PROVED = 30.0, 0.999


@pytest.fixture(scope="module")
def everybody(request: pytest.FixtureRequest) -> int:
    """How many learners there are."""
    return 1_000_000 if request.config.getoption("--million", default=False) else 50_000


def test_everybody_is_decided_again(everybody: int) -> None:
    packs, programmes, mix = mixed(2020, learners=everybody)
    assert (sum(len(pack.rules) for pack in packs), len(programmes)) == (RULES, PROGRAMMES)
    evaluations = {
        one.id: Reevaluation(packs, one, as_of=mix.as_of, known_at=mix.known_at, node_budget=NODE_BUDGET)
        for one in programmes
    }
    one_by_one(mix, evaluations)  # the rules are compiled then
    alone = one_by_one(mix, evaluations)
    with Progress() as progress:
        cold_units, cold_proved, cold = run(mix, evaluations, progress, "cold")
        warm_units, warm_proved, warm = run(mix, evaluations, progress, "warm")
    assert (cold_units, cold_proved) == (warm_units, warm_proved)
    rate = SAMPLE / alone * CORES  # what remembers nothing is taken to share out without loss
    sorts = sum(len(one.known) for one in evaluations.values())
    name = f"{everybody:,} learners, {sorts:,} sorts"
    print_measures(
        measure(f"{name}: cold", everybody / cold, rate, None),
        measure(f"{name}: warm", everybody / warm, rate, WARM_TIMES),
        Measure(
            what=f"{name}: proved",
            product=cold_proved,
            peer=everybody,
            unit="learners",
            goal=PROVED,
            group=GROUP,
            beside="everybody",
        ),
    )


def measure(what: str, product: float, peer: float, goal: float | None) -> Measure:
    return Measure(
        what=what, product=product, peer=peer, unit="/s", goal=goal, group=GROUP, beside="each by itself"
    )


class Drawn:
    """The learners of a mix, and the seconds that drawing them takes, which are nobody's work."""

    def __init__(self, learners: Iterable[Asked]) -> None:
        self.learners = iter(learners)
        self.seconds = 0.0

    def __iter__(self) -> Iterator[Asked]:
        while True:
            started = perf_counter()
            one = next(self.learners, None)
            self.seconds += perf_counter() - started
            if one is None:
                return
            yield one


def one_by_one(mix: Mix, evaluations: dict[ProgrammeId, Reevaluation]) -> float:
    """Decide the first learners, each by itself; return the seconds it took."""
    some = list(islice(mix, SAMPLE))
    started = perf_counter()
    for programme, learner in some:
        evaluations[programme].decide(learner)
    return perf_counter() - started


def run(
    mix: Mix, evaluations: dict[ProgrammeId, Reevaluation], progress: Progress, name: str
) -> tuple[int, int, float]:
    """Return the units of everybody, how many are proved, and the seconds it took."""
    task = progress.add_task(name, total=mix.learners)
    drawn = Drawn(mix)
    units = proved = 0
    started = perf_counter()
    for one in reevaluate(
        drawn, evaluations, processes=CORES, on_progress=lambda n: progress.advance(task, n)
    ):
        units += one.units
        proved += one.proved
    return units, proved, perf_counter() - started - drawn.seconds
