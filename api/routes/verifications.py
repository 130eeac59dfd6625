"""Verify a certificate or diploma by number and name."""

from fastapi import APIRouter

from api.dependencies import TheBank
from api.messages import VerificationMessage, VerificationRequest
from creditbank.services.verify_certificate import verify_certificate

router = APIRouter(prefix="/verifications", tags=["verifications"])


@router.post("")
def post_verification(asked: VerificationRequest, bank: TheBank) -> VerificationMessage:
    """Say whether this person holds this certificate. A miss answers 200: the question was answered."""
    as_of = asked.as_of or bank.today()
    return VerificationMessage.of(verify_certificate(bank, number=asked.number, name=asked.name, as_of=as_of))
