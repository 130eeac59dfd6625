"""What an account's outcomes convert to: course exemptions in a programme, waived parts of an exam."""

from fastapi import APIRouter

from api.auth.operator import Caller
from api.decision_messages import DecisionMessage, ExemptionRequest, GrantsMessage, WaiverRequest
from api.dependencies import NamedAccount, Rules, TheBank, Words
from creditbank.services.conversions import ExemptionQuestion, WaiverQuestion, apply_for, decide_for
from creditbank.terms import ExamId, ProgrammeId

router = APIRouter(prefix="/accounts/{account}", tags=["conversions"])


@router.post("/exemption-decisions")
def post_exemption_decision(
    account: NamedAccount, asked: ExemptionRequest, bank: TheBank, rules: Rules, words: Words
) -> DecisionMessage:
    """Decide which courses are exempted. A refusal answers 200: the question was answered."""
    answer = decide_for(
        bank,
        account,
        ExemptionQuestion(library=rules, programme=ProgrammeId(asked.programme)),
        applicant=asked.applicant.stated(),
        as_of=asked.as_of,
        known_at=asked.known_instant(),
    )
    return DecisionMessage.of(answer, words)


@router.post("/waiver-decisions")
def post_waiver_decision(
    account: NamedAccount, asked: WaiverRequest, bank: TheBank, rules: Rules, words: Words
) -> DecisionMessage:
    """Decide which parts of an exam are waived. A refusal answers 200: the question was answered."""
    answer = decide_for(
        bank,
        account,
        WaiverQuestion(library=rules, exam=ExamId(asked.exam)),
        applicant=asked.applicant.stated(),
        as_of=asked.as_of,
        known_at=asked.known_instant(),
    )
    return DecisionMessage.of(answer, words)


@router.post("/exemptions", status_code=201)
def post_exemptions(
    account: NamedAccount, asked: ExemptionRequest, bank: TheBank, rules: Rules, words: Words, caller: Caller
) -> GrantsMessage:
    """Decide by everything recorded until now, and register the exemptions in the caller's name."""
    asked.must_not_look_back()
    answer = apply_for(
        bank,
        caller,
        account,
        ExemptionQuestion(library=rules, programme=ProgrammeId(asked.programme)),
        applicant=asked.applicant.stated(),
        as_of=asked.as_of,
    )
    return GrantsMessage.of(answer, words)


@router.post("/waivers", status_code=201)
def post_waivers(
    account: NamedAccount, asked: WaiverRequest, bank: TheBank, rules: Rules, words: Words, caller: Caller
) -> GrantsMessage:
    """Decide by everything recorded until now, and register the waivers in the caller's name."""
    asked.must_not_look_back()
    answer = apply_for(
        bank,
        caller,
        account,
        WaiverQuestion(library=rules, exam=ExamId(asked.exam)),
        applicant=asked.applicant.stated(),
        as_of=asked.as_of,
    )
    return GrantsMessage.of(answer, words)
