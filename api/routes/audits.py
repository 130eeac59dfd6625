"""Where an account stands in a programme: what is earned, exempted, exemptable and missing."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from api.audit_messages import AuditAsked, DiplomaAuditMessage
from api.dependencies import NamedAccount, Rules, TheBank, Words
from api.written import json_answer
from creditbank.services.diploma_audits import audit_account
from creditbank.terms import ProgrammeId

router = APIRouter(prefix="/accounts/{account}", tags=["conversions"])

NamedProgramme = Annotated[str, Path(max_length=200, description="the programme's id")]


@router.get("/audits/{programme}", response_model=DiplomaAuditMessage)
def get_audit(
    account: NamedAccount,
    programme: NamedProgramme,
    asked: Annotated[AuditAsked, Query()],
    bank: TheBank,
    rules: Rules,
    words: Words,
) -> Response:
    """Audit a programme course by course. What is missing answers 200: the question was answered."""
    answer = audit_account(
        bank,
        account,
        rules,
        ProgrammeId(programme),
        applicant=asked.stated(),
        as_of=asked.as_of,
        known_at=asked.known(),
    )
    return json_answer(DiplomaAuditMessage.of(answer, words))
