"""Verify a certificate or diploma by number and name."""

from fastapi import APIRouter, Response

from api.dependencies import TheBank
from api.messages import VerificationMessage, VerificationRequest
from api.written import json_answer
from creditbank.services.verify_certificate import verify_certificate

router = APIRouter(prefix="/verifications", tags=["verifications"])


@router.post("", response_model=VerificationMessage)
def post_verification(asked: VerificationRequest, bank: TheBank) -> Response:
    """Say whether this person holds this certificate. A miss answers 200: the question was answered."""
    as_of = asked.as_of or bank.today()
    answer = verify_certificate(bank, number=asked.number, name=asked.name, as_of=as_of)
    return json_answer(VerificationMessage.of(answer))
