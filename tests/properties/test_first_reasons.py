"""Of an answer over many rules people see first what concerns the learner; the rest is counted."""

from hypothesis import given
from hypothesis import strategies as st

from creditbank.conversion.decision import Refusal
from creditbank.locale.decision_wording import REFUSALS_SHOWN, refusals_first
from tests.strategies.decisions import refusals


def concerns(refusal: Refusal) -> bool:
    """Whether it is of an outcome, a fact or a place, or would gain."""
    return bool(refusal.gain or refusal.outcomes) or refusal.kind not in {"premise", "never-met"}


@given(st.lists(refusals(), max_size=60))
def test_what_gains_comes_first_and_what_concerns_nobody_is_not_shown(every: list[Refusal]) -> None:
    first = refusals_first(every)
    assert len(set(first)) == len(first) <= REFUSALS_SHOWN
    gaining = [at for at, one in enumerate(every) if one.gain]
    assert list(first[: len(gaining)]) == gaining[:REFUSALS_SHOWN]
    assert all(concerns(every[at]) for at in first)
    if len(first) < REFUSALS_SHOWN:
        assert not any(concerns(one) for at, one in enumerate(every) if at not in first)
