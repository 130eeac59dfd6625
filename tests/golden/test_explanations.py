"""What a decision says reads as it was approved, is complete, and fits on a phone."""

from typing import get_args

import pytest

from creditbank.conversion.decision import NowhereReason, RefusalKind
from creditbank.locale.catalogue import LANGUAGES, catalogue
from creditbank.settings import Language
from tests.golden.explanations import LONGEST, NOWHERE, REFUSED, file_of, told


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_explanation_reads_as_it_was_approved(language: Language) -> None:
    sentences = list(told(catalogue(language)))
    written = file_of(language).read_text("utf-8").splitlines()
    assert sentences == written, "run python -m tests.golden.explanations, and read what it wrote"
    assert [one for one in sentences if len(one) > LONGEST[language]] == []


def test_everything_that_can_be_said_is_said() -> None:
    assert list(REFUSED) == list(get_args(RefusalKind))
    assert list(NOWHERE) == list(get_args(NowhereReason))
    assert all(refusal.kind == kind for kind, refusal in REFUSED.items())
