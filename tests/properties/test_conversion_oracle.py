"""The answer is the one that trying every allocation finds, on the whole key of CONVERSION §3."""

from hypothesis import assume, given, settings

from creditbank.conversion.decision import Decision
from tests.reference.conversion_oracle import Line, Oracle
from tests.strategies.conversion import Question, decide, pinned_questions, questions

TRIED_AT_MOST = 20_000


def oracle(question: Question, decision: Decision) -> Oracle:
    return Oracle(
        question.packs,
        question.holdings,
        question.programme,
        as_of=question.as_of,
        known_at=question.known_at,
        applicant=question.applicant,
        pinned=question.pinned,
        step=decision.step,
    )


def lines(decision: Decision) -> list[Line]:
    return [
        Line(
            pack=one.cited.pack,
            rule=one.cited.rule,
            version=one.cited.version,
            target=one.target,
            credits=one.credits,
            spent=one.spent,
            witnesses=one.witnesses,
        )
        for one in decision.exemptions
    ]


def agrees(question: Question) -> None:
    decision = decide(question)
    every = oracle(question, decision)
    assume(every.size <= TRIED_AT_MOST)
    assert decision.proved
    assert (decision.units, lines(decision)) == every.best()
    assert decision.upper_bound == decision.units


@settings(max_examples=200)
@given(questions())
def test_the_answer_is_the_first_of_all_allocations(question: Question) -> None:
    agrees(question)


@settings(max_examples=100)
@given(pinned_questions())
def test_the_answer_is_the_first_of_all_that_registered_grants_leave(question: Question) -> None:
    agrees(question)
