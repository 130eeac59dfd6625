"""Open an account, read it, record outcomes in it, correct and revoke them, settle what fell with them."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.auth.officers import Officers
from api.auth.operator import Caller
from api.dependencies import NamedAccount, Rules, TheBank
from api.messages import (
    AccountRequest,
    ConfirmationRequest,
    CorrectionRequest,
    OffersMessage,
    OpenedMessage,
    OutcomeRequest,
    ReceiptMessage,
    RevocationRequest,
    outcome_stated,
)
from api.once import DoneOnce
from api.written import json_answer
from creditbank.documents.statement import StatementDocument
from creditbank.services.accounts import open_account, read_account
from creditbank.services.cascade import confirm_suspension, offers, substitute_grant
from creditbank.services.outcomes import correct_outcome, record_outcome, revoke_outcome
from creditbank.terms import OutcomeId

router = APIRouter(prefix="/accounts", tags=["accounts"])

NamedOutcome = Annotated[str, Path(pattern=r"^\d{6}$", description="the outcome's id in this account")]
NamedGrant = Annotated[str, Path(pattern=r"^\d{6}$", description="the grant's id in this account")]


@router.post("", status_code=201, response_model=OpenedMessage)
def post_account(asked: AccountRequest, bank: TheBank, caller: Caller, once: DoneOnce) -> Response:
    """Open the one account that a learner has for life."""
    person = asked.person(allow_test_numbers=bank.allow_test_numbers)
    return once.created(lambda bank: open_account(bank, caller, person), OpenedMessage.of)


@router.get("/{account}", response_model=StatementDocument)
def get_account(account: NamedAccount, bank: TheBank) -> Response:
    """Read an account: who, what is held, what was granted, and every entry behind it."""
    return json_answer(StatementDocument.of(read_account(bank, account)))


@router.post("/{account}/outcomes", status_code=201, response_model=ReceiptMessage)
def post_outcome(
    account: NamedAccount, asked: OutcomeRequest, rules: Rules, caller: Caller, once: DoneOnce
) -> Response:
    """Record an outcome in the name of the institution that is asking; waivers that it makes void fall."""
    outcome = outcome_stated(asked.outcome, issuer=caller.issuer)
    return once.created(
        lambda bank: record_outcome(bank, caller, account, outcome, idempotency_key=once.key, rules=rules),
        ReceiptMessage.of,
    )


@router.post("/{account}/outcomes/{outcome}/correction", status_code=201, response_model=ReceiptMessage)
def post_correction(
    account: NamedAccount,
    outcome: NamedOutcome,
    asked: CorrectionRequest,
    rules: Rules,
    caller: Caller,
    once: DoneOnce,
) -> Response:
    """Put another outcome in the place of this one; what rests on it and no longer holds is suspended."""
    corrects, stated = OutcomeId(outcome), outcome_stated(asked.outcome, issuer=caller.issuer)
    return once.created(
        lambda bank: correct_outcome(
            bank, caller, account, corrects, stated, reason=asked.reason, rules=rules
        ),
        ReceiptMessage.of,
    )


@router.get("/{account}/suspended-grants", response_model=OffersMessage)
def get_suspended_grants(account: NamedAccount, bank: TheBank, rules: Rules) -> Response:
    """Return the grants that wait to be confirmed as ended or substituted, with what could stand in."""
    return json_answer(OffersMessage.of(offers(bank, account, rules)))


@router.post("/{account}/grants/{grant}/substitution", status_code=201, response_model=ReceiptMessage)
def post_substitution(
    account: NamedAccount, grant: NamedGrant, rules: Rules, caller: Caller, once: DoneOnce
) -> Response:
    """Let what other outcomes give stand in the place of a suspended grant."""
    return once.created(
        lambda bank: substitute_grant(bank, caller, account, OutcomeId(grant), rules), ReceiptMessage.of
    )


@router.post("/{account}/grants/{grant}/confirmation", status_code=201, response_model=ReceiptMessage)
def post_confirmation(
    account: NamedAccount,
    grant: NamedGrant,
    asked: ConfirmationRequest,
    caller: Caller,
    officers: Officers,
    once: DoneOnce,
) -> Response:
    """Confirm, by two officers, that a suspended grant has ended, in the name of whoever granted it."""
    ended, reason = OutcomeId(grant), asked.reason
    return once.created(
        lambda bank: confirm_suspension(bank, caller, officers, account, ended, reason=reason),
        ReceiptMessage.of,
    )


@router.post("/{account}/outcomes/{outcome}/revocation", status_code=201, response_model=ReceiptMessage)
def post_revocation(
    account: NamedAccount, outcome: NamedOutcome, asked: RevocationRequest, caller: Caller, once: DoneOnce
) -> Response:
    """End an outcome; what rests on it is suspended."""
    revokes, reason, effective_on = OutcomeId(outcome), asked.reason, asked.effective_on
    return once.created(
        lambda bank: revoke_outcome(bank, caller, account, revokes, reason=reason, effective_on=effective_on),
        ReceiptMessage.of,
    )
