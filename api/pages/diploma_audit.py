"""A diploma audit as a page: what a learner still lacks for a programme, and why."""

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse

from api.dependencies import NamedAccount, Rules, TheBank, Words
from api.pages.rendering import page
from creditbank.conversion.diploma_audit import Figures
from creditbank.conversion.holding import Applicant
from creditbank.locale.audit_wording import audit_lines
from creditbank.locale.decision_wording import names_of
from creditbank.outcomes.course import CourseCredit
from creditbank.services.accounts import read_account
from creditbank.services.diploma_audits import audit_account
from creditbank.terms import ProgrammeId

router = APIRouter(include_in_schema=False)


@router.get("/statement/{account}/audits/{programme}")
def get_audit(
    request: Request,
    account: NamedAccount,
    programme: Annotated[str, Path(max_length=200)],
    bank: TheBank,
    rules: Rules,
    words: Words,
    enrolled_at: Annotated[str, Query(max_length=100)] = "",
) -> HTMLResponse:
    """Show an audit of today; the reader picks the school whose courses are the programme's own."""
    statement = read_account(bank, account)
    applicant = Applicant(enrolled_at=enrolled_at or None)
    answer = audit_account(bank, account, rules, ProgrammeId(programme), applicant=applicant)
    said = audit_lines(words, answer.audit, names_of(words, answer.place, answer.account, answer.packs))
    stating = {held.recorded_by for held in statement.current if isinstance(held.outcome, CourseCredit)}
    return page(
        request,
        "diploma_audit.html",
        statement=statement,
        audit=answer.audit,
        said=said,
        schools=[(code, statement.issuer_names[code]) for code in sorted(stating)],
        enrolled_at=enrolled_at,
        shares=shares,
        unpublished=list(answer.unpublished),
    )


def shares(figures: Figures) -> list[tuple[str, int, int]]:
    """Return the stretches of a bar of 100: what it is, where it begins, how long it is."""
    found, begun = [], 0
    reached = figures.earned + figures.exempted
    whole = max(figures.required, reached, Decimal(1))
    for name in ("earned", "exempted", "exemptable"):
        length = int(getattr(figures, name) * 100 / whole)
        found.append((name, begun, length))
        begun += length
    return found
