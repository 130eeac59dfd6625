"""One exemption decision, whole and explained, beside HiGHS looking for nothing but the units."""

from collections.abc import Callable
from functools import partial
from statistics import median
from time import perf_counter
from typing import TypeVar

import pytest

from creditbank.conversion.allocation import NODE_BUDGET
from creditbank.conversion.fill import Nodes
from creditbank.conversion.solving import pose_case, solve
from tests.benchmarks.table import Measure, print_measures
from tests.reference.conversion_milp import Milp, most_units, solver
from tests.strategies.conversion import Question, decide
from tests.strategies.conversion_profiles import crowded, small, yearly

pytestmark = pytest.mark.benchmark

LEARNERS = 60
TWICE_AS_FAST = 2.0

Profile = Callable[[int], Question]
Answer = TypeVar("Answer")


@pytest.mark.parametrize("profile", [small, yearly, crowded])
def test_a_decision_beside_highs(profile: Profile) -> None:
    whole, bare, peer = [], [], []
    proved = 0
    for seed in range(LEARNERS):
        question = profile(seed)
        decision, took = timed(partial(decide, question))
        whole.append(took)
        case = pose_case(
            question.packs,
            question.holdings,
            question.programme,
            applicant=question.applicant,
            pinned=question.pinned,
            as_of=question.as_of,
            known_at=question.known_at,
        )
        solution, took = timed(partial(solve, case, Nodes(NODE_BUDGET)))
        bare.append(took)
        model, highs = Milp(solution.problem).model(), solver()
        units, took = timed(partial(most_units, highs, model))
        peer.append(took)
        proved += decision.proved
        assert decision.units <= units <= decision.upper_bound
        assert not decision.proved or decision.units == units
    name = f"{profile.__name__}, {proved} of {LEARNERS} proved"
    rate = 1 / median(peer)
    print_measures(
        Measure(
            what=f"{name}: explained", product=1 / median(whole), peer=rate, unit="/s", goal=TWICE_AS_FAST
        ),
        Measure(what=f"{name}: answer", product=1 / median(bare), peer=rate, unit="/s", goal=TWICE_AS_FAST),
    )


def timed(ask: Callable[[], Answer]) -> tuple[Answer, float]:
    """Return the answer and the seconds it took."""
    started = perf_counter()
    answer = ask()
    return answer, perf_counter() - started
