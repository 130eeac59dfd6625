"""Open an account, read it, record outcomes in it, correct and revoke them."""

from typing import Annotated

from fastapi import APIRouter, Header, Path

from api.auth.operator import Caller
from api.dependencies import NamedAccount, TheBank
from api.messages import (
    AccountRequest,
    CorrectionRequest,
    OpenedMessage,
    OutcomeRequest,
    ReceiptMessage,
    RevocationRequest,
    outcome_stated,
)
from creditbank.documents.statement import StatementDocument
from creditbank.services.accounts import open_account, read_account
from creditbank.services.outcomes import correct_outcome, record_outcome, revoke_outcome
from creditbank.terms import OutcomeId

router = APIRouter(prefix="/accounts", tags=["accounts"])

IdempotencyKey = Annotated[
    str | None,
    Header(max_length=200, pattern=r"^[\x21-\x7e]+$", description="the same key never records twice"),
]
NamedOutcome = Annotated[str, Path(pattern=r"^\d{6}$", description="the outcome's id in this account")]


@router.post("", status_code=201)
def post_account(asked: AccountRequest, bank: TheBank, caller: Caller) -> OpenedMessage:
    """Open the one account that a learner has for life."""
    person = asked.person(allow_test_numbers=bank.allow_test_numbers)
    return OpenedMessage.of(open_account(bank, caller, person))


@router.get("/{account}")
def get_account(account: NamedAccount, bank: TheBank) -> StatementDocument:
    """Read an account: who, what is held, what was granted, and every entry behind it."""
    return StatementDocument.of(read_account(bank, account))


@router.post("/{account}/outcomes", status_code=201)
def post_outcome(
    account: NamedAccount,
    asked: OutcomeRequest,
    bank: TheBank,
    caller: Caller,
    idempotency_key: IdempotencyKey = None,
) -> ReceiptMessage:
    """Record an outcome in the name of the institution that is asking."""
    outcome = outcome_stated(asked.outcome, issuer=caller.issuer)
    receipt = record_outcome(bank, caller, account, outcome, idempotency_key=idempotency_key)
    return ReceiptMessage.of(receipt)


@router.post("/{account}/outcomes/{outcome}/correction", status_code=201)
def post_correction(
    account: NamedAccount, outcome: NamedOutcome, asked: CorrectionRequest, bank: TheBank, caller: Caller
) -> ReceiptMessage:
    """Put another outcome in the place of this one; what rests on it is suspended."""
    stated = outcome_stated(asked.outcome, issuer=caller.issuer)
    receipt = correct_outcome(bank, caller, account, OutcomeId(outcome), stated, reason=asked.reason)
    return ReceiptMessage.of(receipt)


@router.post("/{account}/outcomes/{outcome}/revocation", status_code=201)
def post_revocation(
    account: NamedAccount, outcome: NamedOutcome, asked: RevocationRequest, bank: TheBank, caller: Caller
) -> ReceiptMessage:
    """End an outcome; what rests on it is suspended."""
    receipt = revoke_outcome(
        bank,
        caller,
        account,
        OutcomeId(outcome),
        reason=asked.reason,
        effective_on=asked.effective_on,
    )
    return ReceiptMessage.of(receipt)
