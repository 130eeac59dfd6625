"""What would be, and what would help: suppositions about a learner or a class. Nothing is written."""

from fastapi import APIRouter, Response

from api.dependencies import NamedAccount, Rules, TheBank, Words
from api.what_if_messages import (
    ClassWhatIfMessage,
    ClassWhatIfRequest,
    NextStepsMessage,
    NextStepsRequest,
    WhatIfMessage,
    WhatIfRequest,
)
from api.written import json_answer
from creditbank.conversion.policy_diff import Measure
from creditbank.services.next_steps import next_steps_of
from creditbank.services.policy_diff import explained, survey
from creditbank.services.questions import ExemptionQuestion, WaiverQuestion
from creditbank.services.what_if import (
    NOTHING_SUPPOSED,
    compared_under,
    library_of,
    what_if_exempted,
    what_if_waived,
)
from creditbank.terms import ExamId, ProgrammeId

router = APIRouter(tags=["conversions"])


@router.post("/accounts/{account}/what-ifs", response_model=WhatIfMessage)
def post_what_if(
    account: NamedAccount, asked: WhatIfRequest, bank: TheBank, rules: Rules, words: Words
) -> Response:
    """Decide for one learner as it is and as supposed. No change answers 200: the question was answered."""
    aim, day = asked.aim, asked.as_of or bank.today()
    supposed = asked.supposed(on=day)
    applicant, known_at = asked.applicant.stated(), asked.known()
    if asked.exam is not None:
        waived = what_if_waived(
            bank,
            account,
            WaiverQuestion(library=rules, exam=ExamId(aim)),
            supposed,
            applicant=applicant,
            as_of=day,
            known_at=known_at,
        )
        return json_answer(WhatIfMessage.of(waived, supposed, words, measure="parts"))
    exempted = what_if_exempted(
        bank,
        account,
        ExemptionQuestion(library=rules, programme=ProgrammeId(aim)),
        supposed,
        applicant=applicant,
        as_of=day,
        known_at=known_at,
    )
    return json_answer(WhatIfMessage.of(exempted, supposed, words, measure="credits"))


@router.post("/what-ifs", response_model=ClassWhatIfMessage)
def post_class_what_if(asked: ClassWhatIfRequest, bank: TheBank, rules: Rules, words: Words) -> Response:
    """Decide for every learner of a class as it is and as supposed."""
    aim, numbers = asked.aim, asked.numbers()
    supposed = asked.supposed(on=asked.as_of or bank.today())
    known, at = library_of(bank, rules, {aim, supposed.aim or aim})
    terms = asked.terms(today=bank.today(), known_at=at, at_hand=rules)
    compared = compared_under(known, aim, supposed, terms, is_exam=asked.exam is not None)
    found = survey(bank, numbers, [compared], terms, on_progress=_unseen)
    differences = tuple(explained(found, terms, on_progress=_unseen))
    measure: Measure = compared.measure
    return json_answer(ClassWhatIfMessage.of(found, differences, measure, words))


@router.post("/next-steps", response_model=NextStepsMessage)
def post_next_steps(asked: NextStepsRequest, bank: TheBank, rules: Rules, words: Words) -> Response:
    """Find which outcome more would help how many learners of a class, and by how much."""
    aim, numbers = ProgrammeId(asked.programme), asked.numbers()
    known, at = library_of(bank, rules, {aim})
    terms = asked.terms(today=bank.today(), known_at=at, at_hand=rules)
    side = compared_under(known, aim, NOTHING_SUPPOSED, terms, is_exam=False).before
    return json_answer(
        NextStepsMessage.of(next_steps_of(bank, numbers, side, terms, on_progress=_unseen), words)
    )


def _unseen(_: int) -> None:
    """Nobody watches a bar over HTTP."""
