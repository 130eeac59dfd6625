"""What is left out before a search changes no byte of an answer, nor of why."""

import pytest
from hypothesis import given, settings

from creditbank.conversion import layout
from tests.properties.test_conversion_laws import encoded
from tests.strategies.conversion import Question, decide, pinned_questions, questions
from tests.strategies.conversion_profiles import yearly

WIDE = questions(max_courses=6, max_rules=8, more=5)


@settings(max_examples=150)
@given(questions() | pinned_questions() | WIDE)
def test_what_is_left_out_before_the_search_changes_no_answer(question: Question) -> None:
    assert_alike(question)


@pytest.mark.parametrize("seed", [0, 2, 34])
def test_what_is_left_out_of_many_bounds_changes_no_answer(seed: int) -> None:
    assert_alike(yearly(seed))


def assert_alike(question: Question) -> None:
    found = encoded(decide(question, gains=False))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "telling", list)
        patch.setattr(layout, "outdone", lambda *_: 0)
        patch.setattr(layout, "exclusions", lambda *_: {})
        whole = encoded(decide(question, gains=False))
    assert found == whole
