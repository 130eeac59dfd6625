"""A registered grant weighs the same whatever step its units are counted in."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from creditbank.conversion.allocation import decide_exemptions
from creditbank.conversion.decision import Decision
from creditbank.conversion.holding import Pinned
from creditbank.conversion.programme import Cap
from creditbank.terms import Wording
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


ALL = Cap(id="all", title=Wording(zh="全部"), maximum=Decimal(10_000))


def capped(question: Question) -> Question:
    """Let one cap cover everything, and nothing be held that could be granted."""
    return replace(question, holdings=(), programme=replace(question.programme, caps=(ALL,)))


def used(decision: Decision) -> list[tuple[str, Decimal]]:
    return [(use.id, use.used) for use in decision.caps]


@given(pinned_questions(), st.sampled_from([2, 4, 5]))
def test_what_is_used_of_a_cap_does_not_depend_on_the_step(question: Question, finer: int) -> None:
    """A grant of nothing in a finer step makes all be counted in it."""
    alone = capped(question)
    before = decided(alone, alone.pinned)
    stated = tuple(replace(grant, step=before.step) for grant in alone.pinned)
    nothing = Pinned(pack="p", rule="r", rule_version=1, target="elsewhere", step=before.step / finer)
    after = decided(alone, (*stated, nothing))
    assert after.step == before.step / finer
    assert used(after) == used(before)


@given(pinned_questions())
def test_a_grant_made_in_steps_of_a_half_counts_whole_where_no_pack_speaks(question: Question) -> None:
    half = tuple(replace(grant, units=2 * grant.units, step=Decimal("0.5")) for grant in question.pinned)
    silent = replace(capped(question), packs=())
    counted = decided(silent, half)
    assert used(counted) == [("all", Decimal(sum(grant.units for grant in question.pinned)))]
