"""Where an account stands: in a programme course by course, with what is idle there, and in every exam."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from api.audit_messages import AuditAsked, DiplomaAuditMessage, ExamsAsked
from api.dependencies import NamedAccount, Rules, TheBank, Words
from api.reverse_messages import ExamsMessage, NowhereMessage
from api.written import json_answer
from creditbank.services.diploma_audits import audit_account
from creditbank.services.reverse import exams_helped, idle_outcomes
from creditbank.terms import OutcomeId, ProgrammeId

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


@router.get("/nowhere/{programme}", response_model=NowhereMessage)
def get_nowhere(
    account: NamedAccount,
    programme: NamedProgramme,
    asked: Annotated[AuditAsked, Query()],
    bank: TheBank,
    rules: Rules,
    words: Words,
) -> Response:
    """Return what counts for nothing in a programme, why, and in which others it would."""
    found = idle_outcomes(
        bank,
        account,
        rules,
        ProgrammeId(programme),
        applicant=asked.stated(),
        as_of=asked.as_of,
        known_at=asked.known(),
    )
    return json_answer(NowhereMessage.of(found, words))


@router.get("/exams", response_model=ExamsMessage)
def get_exams(
    account: NamedAccount,
    asked: Annotated[ExamsAsked, Query()],
    bank: TheBank,
    rules: Rules,
    words: Words,
) -> Response:
    """Return which parts of every exam the account's outcomes waive, or nearly, and what lacks."""
    found = exams_helped(
        bank,
        account,
        rules,
        applicant=asked.stated(),
        only=None if asked.only is None else OutcomeId(asked.only),
        as_of=asked.as_of,
        known_at=asked.known(),
    )
    return json_answer(ExamsMessage.of(found, words))
