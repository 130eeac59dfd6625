"""What an account's outcomes convert to: course exemptions in a programme, waived parts of an exam."""

from fastapi import APIRouter

from api.auth.operator import Caller
from api.decision_messages import DecisionMessage, ExemptionRequest, GrantsMessage, Question, WaiverRequest
from api.dependencies import NamedAccount, Rules, TheBank, Words
from creditbank.identity.account_number import AccountNumber
from creditbank.locale.catalogue import Catalogue
from creditbank.services import conversions
from creditbank.services.bank import Bank, Principal
from creditbank.services.conversions import D, apply_for, decide_for

router = APIRouter(prefix="/accounts/{account}", tags=["conversions"])


@router.post("/exemption-decisions")
def post_exemption_decision(
    account: NamedAccount, asked: ExemptionRequest, bank: TheBank, rules: Rules, words: Words
) -> DecisionMessage:
    """Decide which courses are exempted. A refusal answers 200: the question was answered."""
    return _decided(bank, account, asked, asked.question(rules), words)


@router.post("/waiver-decisions")
def post_waiver_decision(
    account: NamedAccount, asked: WaiverRequest, bank: TheBank, rules: Rules, words: Words
) -> DecisionMessage:
    """Decide which parts of an exam are waived. A refusal answers 200: the question was answered."""
    return _decided(bank, account, asked, asked.question(rules), words)


@router.post("/exemptions", status_code=201)
def post_exemptions(
    account: NamedAccount, asked: ExemptionRequest, bank: TheBank, rules: Rules, words: Words, caller: Caller
) -> GrantsMessage:
    """Decide by everything recorded until now, and register the exemptions in the caller's name."""
    return _registered(bank, caller, account, asked, asked.question(rules), words)


@router.post("/waivers", status_code=201)
def post_waivers(
    account: NamedAccount, asked: WaiverRequest, bank: TheBank, rules: Rules, words: Words, caller: Caller
) -> GrantsMessage:
    """Decide by everything recorded until now, and register the waivers in the caller's name."""
    return _registered(bank, caller, account, asked, asked.question(rules), words)


def _decided(
    bank: Bank, account: AccountNumber, asked: Question, question: conversions.Question[D], words: Catalogue
) -> DecisionMessage:
    answer = decide_for(
        bank,
        account,
        question,
        applicant=asked.applicant.stated(),
        as_of=asked.as_of,
        known_at=asked.known_instant(),
    )
    return DecisionMessage.of(answer, words)


def _registered(
    bank: Bank,
    caller: Principal,
    account: AccountNumber,
    asked: Question,
    question: conversions.Question[D],
    words: Catalogue,
) -> GrantsMessage:
    asked.must_not_look_back()
    answer = apply_for(bank, caller, account, question, applicant=asked.applicant.stated(), as_of=asked.as_of)
    return GrantsMessage.of(answer, words)
