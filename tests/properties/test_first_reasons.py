"""Of an answer over many rules people see first what concerns the learner; the rest is counted."""

from hypothesis import given
from hypothesis import strategies as st

from creditbank.conversion.decision import Refusal
from creditbank.locale.decision_wording import REFUSALS_SHOWN, refusals_first
from tests.strategies.decisions import refusals


def rank(refusal: Refusal) -> int:
    """How much it concerns the learner, the most 0; 3: not at all."""
    if refusal.outcomes or refusal.kind not in {"premise", "never-met"}:
        return 0 if refusal.gain else 1
    return 2 if refusal.gain else 3


@given(st.lists(refusals(), max_size=60))
def test_what_is_near_comes_first_and_what_concerns_nobody_is_not_shown(every: list[Refusal]) -> None:
    first = refusals_first(every)
    assert len(set(first)) == len(first) <= REFUSALS_SHOWN
    shown = [rank(every[at]) for at in first]
    assert shown == sorted(shown)
    assert 3 not in shown
    left = [rank(one) for at, one in enumerate(every) if at not in first]
    if len(first) < REFUSALS_SHOWN:
        assert set(left) <= {3}
    elif left:
        assert max(shown) <= min(left)
