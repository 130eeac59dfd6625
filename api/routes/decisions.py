"""What an account's outcomes convert to: course exemptions in a programme, waived parts of an exam."""

from fastapi import APIRouter, Response

from api.auth.operator import Caller
from api.decision_messages import (
    DecisionMessage,
    ExemptionRequest,
    GrantRequest,
    GrantsMessage,
    PreDecisionRequest,
    Question,
    WaiverRequest,
)
from api.dependencies import NamedAccount, Rules, TheBank, Words
from api.once import DoneOnce, Once
from api.written import json_answer
from creditbank.account.planned import parse_planned
from creditbank.identity.account_number import AccountNumber
from creditbank.locale.catalogue import Catalogue
from creditbank.services import questions
from creditbank.services.bank import Bank, Principal
from creditbank.services.conversions import apply_for, decide_for
from creditbank.services.pre_decisions import give_pre_decision
from creditbank.services.questions import D

router = APIRouter(prefix="/accounts/{account}", tags=["conversions"])


@router.post("/exemption-decisions", response_model=DecisionMessage)
def post_exemption_decision(
    account: NamedAccount, asked: ExemptionRequest, bank: TheBank, rules: Rules, words: Words
) -> Response:
    """Decide which courses are exempted. A refusal answers 200: the question was answered."""
    asked.must_not_register()
    return _decided(bank, account, asked, asked.question(rules), words)


@router.post("/waiver-decisions", response_model=DecisionMessage)
def post_waiver_decision(
    account: NamedAccount, asked: WaiverRequest, bank: TheBank, rules: Rules, words: Words
) -> Response:
    """Decide which parts of an exam are waived. A refusal answers 200: the question was answered."""
    asked.must_not_register()
    return _decided(bank, account, asked, asked.question(rules), words)


@router.post("/exemptions", status_code=201, response_model=GrantsMessage)
def post_exemptions(
    account: NamedAccount, asked: ExemptionRequest, rules: Rules, words: Words, caller: Caller, once: DoneOnce
) -> Response:
    """Decide by everything recorded until now, and register the exemptions in the caller's name."""
    return _registered(once, caller, account, asked, asked.question(rules), words)


@router.post("/waivers", status_code=201, response_model=GrantsMessage)
def post_waivers(
    account: NamedAccount, asked: WaiverRequest, rules: Rules, words: Words, caller: Caller, once: DoneOnce
) -> Response:
    """Decide by everything recorded until now, and register the waivers in the caller's name."""
    return _registered(once, caller, account, asked, asked.question(rules), words)


@router.post("/pre-decisions", status_code=201, response_model=GrantsMessage)
def post_pre_decision(
    account: NamedAccount,
    asked: PreDecisionRequest,
    rules: Rules,
    words: Words,
    caller: Caller,
    once: DoneOnce,
) -> Response:
    """Decide with planned outcomes, and bind the caller's institution to the answer up to a last day."""
    planned = tuple(map(parse_planned, asked.planned))
    return once.created(
        lambda bank: give_pre_decision(
            bank,
            caller,
            account,
            asked.question(rules),
            applicant=asked.applicant.stated(),
            until=asked.until,
            planned=planned,
        ),
        lambda answer: GrantsMessage.of(answer, words, planned=planned),
    )


def _decided(
    bank: Bank, account: AccountNumber, asked: Question, question: questions.Question[D], words: Catalogue
) -> Response:
    answer = decide_for(
        bank,
        account,
        question,
        applicant=asked.applicant.stated(),
        as_of=asked.as_of,
        known_at=asked.known(),
    )
    return json_answer(DecisionMessage.of(answer, words))


def _registered(
    once: Once,
    caller: Principal,
    account: AccountNumber,
    asked: GrantRequest,
    question: questions.Question[D],
    words: Catalogue,
) -> Response:
    asked.must_not_look_back()
    return once.created(
        lambda bank: apply_for(
            bank,
            caller,
            account,
            question,
            applicant=asked.applicant.stated(),
            as_of=asked.as_of,
            made=asked.made(),
        ),
        lambda answer: GrantsMessage.of(answer, words),
    )
