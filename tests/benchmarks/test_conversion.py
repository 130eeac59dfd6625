"""One exemption decision, whole and explained, beside HiGHS: for the units alone, and for the one answer.

And beside itself: what it costs to say why, and what ten thousand rules cost that are about something else.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from statistics import median
from time import perf_counter
from typing import TypeVar

import pytest

from creditbank.conversion.allocation import NODE_BUDGET
from creditbank.conversion.fill import Grant, Nodes
from creditbank.conversion.rule import Scope
from creditbank.conversion.solver import Walk
from creditbank.conversion.solving import Case, Solution, pose_case, solve
from creditbank.solver.highs import Highs
from creditbank.terms import PackId, ProgrammeId, RuleId
from tests.benchmarks.measuring import ratios_of
from tests.benchmarks.table import Measure, print_measures
from tests.reference.conversion_milp import Milp, most_units, solver
from tests.strategies.conversion import Question, TestPack, decide
from tests.strategies.conversion_profiles import crowded, small, yearly

pytestmark = pytest.mark.benchmark

LEARNERS = 60
FEWER = 12
"""Learners for whom HiGHS is led to the one answer, which asks it often, or who are decided twice."""
FOREIGN = 10_000
TWICE_AS_FAST, FOUR_TIMES_AS_FAST = 2.0, 4.0
A_QUARTER_MORE, A_TENTH_MORE = 1.25, 1.1

Profile = Callable[[int], Question]
Answer = TypeVar("Answer")


@pytest.mark.parametrize("profile", [small, yearly, crowded])
def test_a_decision_beside_highs(profile: Profile) -> None:
    """HiGHS is handed the problem as we posed it, makes its model, and finds the units alone."""
    whole, explained, bare, peer = [], [], [], []
    proved = 0
    for seed in range(LEARNERS):
        question = profile(seed)
        decision, took = timed(partial(decide, question))
        whole.append(took)
        explained.append(timed(partial(decide, question, gains=False))[1])
        case = posed(question)
        solution, took = timed(partial(solve, case, Nodes(NODE_BUDGET)))
        bare.append(took)
        units, took = timed(partial(units_by_highs, solution))
        peer.append(took)
        proved += decision.proved
        assert decision.units <= units <= decision.upper_bound
        assert not decision.proved or decision.units == units
    name = f"{profile.__name__}, {proved} of {LEARNERS} proved"
    measure = partial(
        Measure, peer=1 / median(peer), unit="/s", goal=TWICE_AS_FAST, beside="HiGHS, units alone"
    )
    print_measures(
        measure(what=f"{name}: answer", product=1 / median(bare)),
        measure(what=f"{name}: explained", product=1 / median(explained)),
        measure(what=f"{name}: explained, with gains", product=1 / median(whole)),
    )


@pytest.mark.parametrize("profile", [small, yearly])
def test_the_one_answer_beside_highs_led_to_it(profile: Profile) -> None:
    whole, explained, bare, peer = [], [], [], []
    for seed in range(FEWER):
        question = profile(seed)
        whole.append(timed(partial(decide, question))[1])
        explained.append(timed(partial(decide, question, gains=False))[1])
        solution, took = timed(partial(answered, question))
        bare.append(took)
        walks = [
            (Walk(search.layout, Highs(), spends=search.spends), search.live) for search in solution.searches
        ]
        found, took = timed(partial(walked, walks))
        peer.append(took)
        assert not solution.proved or found == granted(solution)
    measure = partial(
        Measure, peer=1 / median(peer), unit="/s", goal=FOUR_TIMES_AS_FAST, beside="HiGHS, led to it"
    )
    print_measures(
        measure(what=f"{profile.__name__}, the one answer: answer", product=1 / median(bare)),
        measure(what=f"{profile.__name__}, the one answer: explained", product=1 / median(explained)),
        measure(what=f"{profile.__name__}, the one answer: explained, with gains", product=1 / median(whole)),
    )


@pytest.mark.parametrize("profile", [small, yearly])
def test_what_it_costs_to_say_why(profile: Profile) -> None:
    whole, explained, bare = [], [], []
    for seed in range(FEWER):
        question = profile(seed)
        whole.append(timed(partial(decide, question))[1])
        explained.append(timed(partial(decide, question, gains=False))[1])
        bare.append(timed(partial(answered, question))[1])
    measure = partial(Measure, unit="ms", at_most=True)
    print_measures(
        measure(
            what=f"{profile.__name__}: what near misses would gain",
            product=1000 * median(whole),
            peer=1000 * median(explained),
            goal=A_QUARTER_MORE,
            beside="explained without",
            ratios=ratios_of(whole, explained),
        ),
        measure(
            what=f"{profile.__name__}: why",
            product=1000 * median(explained),
            peer=1000 * median(bare),
            goal=None,
            beside="the answer alone",
            ratios=ratios_of(explained, bare),
        ),
    )


def test_what_ten_thousand_foreign_rules_cost() -> None:
    without, among = [], []
    rules = small(0).packs[0].rules
    foreign = TestPack(
        id=PackId("foreign"),
        rules=tuple(
            replace(
                rules[number % len(rules)],
                id=RuleId(f"foreign-{number:05}"),
                scope=Scope(programmes=frozenset({ProgrammeId(f"other-{number % 200:03}")})),
            )
            for number in range(FOREIGN)
        ),
        tables=small(0).packs[0].tables,
    )
    for seed in range(LEARNERS):
        question = small(seed)
        known, took = timed(partial(decide, question))
        without.append(took)
        found, took = timed(partial(decide, question, packs=(*question.packs, foreign)))
        among.append(took)
        assert found == known
    print_measures(
        Measure(
            what=f"small, explained: {FOREIGN:,} foreign rules more",
            product=1000 * median(among),
            peer=1000 * median(without),
            unit="ms",
            goal=A_TENTH_MORE,
            beside="without them",
            ratios=ratios_of(among, without),
            at_most=True,
        )
    )


def posed(question: Question) -> Case:
    return pose_case(
        question.packs,
        question.holdings,
        question.programme,
        applicant=question.applicant,
        pinned=question.pinned,
        as_of=question.as_of,
        known_at=question.known_at,
    )


def units_by_highs(solution: Solution) -> int:
    return most_units(solver(), Milp(solution.problem).model())


def answered(question: Question) -> Solution:
    """Return the one answer, without saying why."""
    return solve(posed(question), Nodes(NODE_BUDGET))


def walked(walks: Iterable[tuple[Walk, int]]) -> list[Grant]:
    """Lead HiGHS down the whole order of CONVERSION §3, part by part; return all it grants, in order."""
    return sorted(
        (option, place, units * walk.layout.scale)
        for walk, live in walks
        for option, place, units in walk.best(live)
    )


def granted(solution: Solution) -> list[Grant]:
    return sorted(solution.grants)


def timed(ask: Callable[[], Answer]) -> tuple[Answer, float]:
    """Return the answer and the seconds it took."""
    started = perf_counter()
    answer = ask()
    return answer, perf_counter() - started
