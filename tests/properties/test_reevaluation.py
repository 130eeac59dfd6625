"""Whoever is decided among many comes to the same units as alone (CONVERSION §5)."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from creditbank.conversion.allocation import NODE_BUDGET
from creditbank.conversion.holding import Holding
from creditbank.conversion.reevaluation import Holders, Learner, Reevaluation, asked_by_changes
from creditbank.services.reevaluation import reevaluate
from creditbank.services.workers import WORTH_SHARING
from creditbank.terms import OutcomeId
from tests.properties.test_pre_decisions import ended, promises
from tests.strategies.conversion import (
    AS_OF,
    Question,
    Questions,
    classes_elsewhere,
    decide,
    granted_questions,
    learners,
    pinned_questions,
)
from tests.strategies.conversion_mix import mixed


def fresh(question: Question) -> Reevaluation:
    return Reevaluation(
        question.packs,
        question.programme,
        as_of=question.as_of,
        known_at=question.known_at,
        node_budget=NODE_BUDGET,
    )


def renamed(holdings: tuple[Holding, ...], prefix: str) -> tuple[Holding, ...]:
    """The same outcomes, held by somebody else, in another order."""
    return tuple(replace(one, id=OutcomeId(f"{prefix}{at:05}")) for at, one in enumerate(reversed(holdings)))


@settings(max_examples=60)
@given(st.data())
def test_a_learner_among_many_comes_to_the_same_units_as_alone(data: st.DataObject) -> None:
    """Caught: classes as a set, worths left out of a class, periods left out of a class."""
    question = data.draw(granted_questions())
    among = fresh(question)
    held = [question.holdings, renamed(question.holdings, "7")]
    held += [data.draw(learners(question.packs, more=1)) for _ in range(3)]
    twice = tuple({one.id: one for one in (*question.holdings, *renamed(question.holdings, "8"))}.values())
    for number, holdings in enumerate((*held, twice)):
        learner = Learner(holdings=holdings, applicant=question.applicant, state=f"{number}")
        alone = decide(question, holdings=holdings)
        for _ in range(2):
            found = among.units_of(learner)
            assert (found.units, found.proved) == (alone.units, alone.proved)


@settings(max_examples=40)
@given(pinned_questions())
def test_registered_grants_count_among_many_too(question: Question) -> None:
    among = fresh(question)
    without = Learner(holdings=question.holdings, applicant=question.applicant)
    assert among.units_of(without).units == decide(question, pinned=()).units
    found = among.units_of(replace(without, pinned=question.pinned))
    assert found.units == decide(question).units


@settings(max_examples=40)
@given(st.data())
def test_what_was_promised_to_some_counts_for_them_among_many(data: st.DataObject) -> None:
    question = data.draw(granted_questions())
    given_all = decide(question).exemptions
    some = [promises(question, [one]) for one in given_all]
    left = replace(question, packs=(*ended(question.packs[:1], AS_OF), *question.packs[1:]))
    among = fresh(left)
    for promised in ((), *some, promises(question, given_all), ()):
        learner = Learner(holdings=question.holdings, applicant=question.applicant, promises=promised)
        assert among.units_of(learner).units == decide(left, promises=promised).units


@settings(max_examples=40)
@given(st.data())
def test_only_holders_of_what_changed_rules_ask_for_can_gain_or_lose(data: st.DataObject) -> None:
    """Caught: the index without the rules that any code meets."""
    question = data.draw(granted_questions())
    pack = question.packs[0]
    gone = data.draw(st.sampled_from(pack.rules))
    kept = replace(pack, rules=tuple(rule for rule in pack.rules if rule is not gone))
    after = replace(question, packs=(kept, *question.packs[1:]))
    everybody = [question.holdings, *(data.draw(learners(question.packs, more=1)) for _ in range(3))]
    holders = Holders(Learner(holdings=held) for held in everybody)
    touched = set(holders.of(asked_by_changes(question.packs, after.packs)))
    for number, held in enumerate(everybody):
        if decide(question, holdings=held).units != decide(after, holdings=held).units:
            assert number in touched


def test_two_processes_find_what_one_finds() -> None:
    packs, programmes, everybody = mixed(1, learners=600, programmes=4, rules=60)

    def run(processes: int) -> list[int]:
        evaluations = {
            one.id: Reevaluation(
                packs, one, as_of=everybody.as_of, known_at=everybody.known_at, node_budget=NODE_BUDGET
            )
            for one in programmes
        }
        done: list[int] = []
        found = reevaluate(everybody, evaluations, processes=processes, on_progress=done.append)
        units = [one.units for one in found]
        assert sum(done) == len(units) == 600
        assert sum(len(one.known) for one in evaluations.values()) > WORTH_SHARING
        return units

    assert run(2) == run(1)
    assert any(run(1))


@settings(max_examples=40)
@given(classes_elsewhere())
def test_what_other_programmes_have_spent_counts_among_many_too(asked: Questions) -> None:
    for question in asked:
        among = fresh(question)
        without = Learner(holdings=question.holdings, applicant=question.applicant)
        assert among.units_of(without).units == decide(question, elsewhere=()).units
        found = among.units_of(replace(without, elsewhere=question.elsewhere))
        assert found.units == decide(question).units
