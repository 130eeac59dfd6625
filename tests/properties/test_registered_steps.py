"""A registered grant weighs the same whatever step its units are counted in."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from creditbank.conversion.allocation import decide_exemptions
from creditbank.conversion.decision import Decision
from creditbank.conversion.holding import Pinned
from tests.strategies.conversion import Question, pinned_questions


def decided(question: Question, pinned: tuple[Pinned, ...]) -> Decision:
    return decide_exemptions(
        question.packs,
        question.holdings,
        question.programme,
        as_of=question.as_of,
        known_at=question.known_at,
        applicant=question.applicant,
        pinned=pinned,
    )


def used(decision: Decision) -> list[tuple[str, Decimal]]:
    return [(use.id, use.used) for use in decision.caps]


@given(pinned_questions(), st.sampled_from([2, 4, 5]))
def test_what_is_used_of_a_cap_does_not_depend_on_the_step(question: Question, finer: int) -> None:
    """Without anything else held, so that no cap is rounded to another step under a new grant."""
    alone = replace(question, holdings=())
    before = decided(alone, alone.pinned)
    step = before.step / finer
    restated = tuple(replace(grant, units=grant.units * finer, step=step) for grant in alone.pinned)
    assert used(decided(alone, restated)) == used(before)


@given(pinned_questions())
def test_a_grant_made_in_steps_of_a_half_counts_whole_where_no_pack_speaks(question: Question) -> None:
    half = tuple(replace(grant, units=2 * grant.units, step=Decimal("0.5")) for grant in question.pinned)
    silent = replace(question, packs=())
    counted = decided(silent, half)
    whole = decided(silent, tuple(replace(grant, step=Decimal(1)) for grant in question.pinned))
    assert used(counted) == used(whole)
