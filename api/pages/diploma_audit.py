"""A diploma audit as a page: what a learner still lacks for a programme, and why."""

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BeforeValidator

from api.dependencies import NamedAccount, Rules, TheBank, Words
from api.pages.rendering import page
from api.reverse_messages import CountsInMessage, WaivesInMessage
from api.written import DayAsked
from creditbank.conversion.completion import Figures
from creditbank.conversion.holding import Applicant
from creditbank.identity.account_number import AccountNumber
from creditbank.locale.audit_wording import audit_lines
from creditbank.locale.catalogue import Catalogue
from creditbank.locale.naming import names_of
from creditbank.locale.reverse_wording import exam_lines
from creditbank.outcomes.course import CourseCredit
from creditbank.services.accounts import read_account
from creditbank.services.bank import Bank
from creditbank.services.diploma_audits import AuditAnswer, audit_account
from creditbank.services.reverse import exams_helped, idle_outcomes
from creditbank.services.rule_library import RuleLibrary
from creditbank.terms import ProgrammeId

router = APIRouter(include_in_schema=False)


def _none_if_blank(text: object) -> object:
    """Return what a form sends; a field that was left blank states nothing."""
    return text or None


@router.get("/statement/{account}/audits/{programme}")
def get_audit(
    request: Request,
    account: NamedAccount,
    programme: Annotated[str, Path(max_length=200)],
    bank: TheBank,
    rules: Rules,
    words: Words,
    enrolled_at: Annotated[str, Query(max_length=100)] = "",
    enrolled_on: Annotated[DayAsked | None, BeforeValidator(_none_if_blank), Query()] = None,
) -> HTMLResponse:
    """Show an audit of today; the reader states the school whose courses count, and since when they study."""
    statement = read_account(bank, account)
    applicant = Applicant(enrolled_at=enrolled_at or None, enrolled_on=enrolled_on)
    answer = audit_account(bank, account, rules, ProgrammeId(programme), applicant=applicant)
    said = audit_lines(
        words, answer.audit, names_of(words, answer.place, answer.account, answer.packs, answer.institutions)
    )
    stating = {held.recorded_by for held in statement.current if isinstance(held.outcome, CourseCredit)}
    return page(
        request,
        "diploma_audit.html",
        statement=statement,
        audit=answer.audit,
        said=said,
        schools=[(code, statement.issuer_names[code]) for code in sorted(stating)],
        enrolled_at=enrolled_at,
        enrolled_on=enrolled_on,
        asks_when=any(one.measure == "years" for one in answer.audit.requirements),
        shares=shares,
        unpublished=list(answer.unpublished),
        elsewhere=[]
        if not answer.audit.decision.nowhere
        else _elsewhere(bank, account, rules, answer, words),
    )


@router.get("/statement/{account}/exams")
def get_exams(
    request: Request, account: NamedAccount, bank: TheBank, rules: Rules, words: Words
) -> HTMLResponse:
    """Show which exams the account's outcomes help with, those that they help with most first."""
    statement = read_account(bank, account)
    found = exams_helped(bank, account, rules, applicant=Applicant())
    said = [
        exam_lines(words, one.help, names_of(words, one.place, one.account, one.packs, one.institutions))
        for one in found
    ]
    helped = [lines for lines, one in zip(said, found, strict=True) if one.help.helps]
    return page(request, "exams.html", statement=statement, count=len(found), exams=helped)


def _elsewhere(
    bank: Bank, account: AccountNumber, rules: RuleLibrary, answer: AuditAnswer, words: Catalogue
) -> list[str]:
    """Return where the outcomes that are idle in the audited programme would count."""
    audit = answer.audit
    names = names_of(words, answer.place, answer.account, answer.packs, answer.institutions)
    found = idle_outcomes(
        bank,
        account,
        rules,
        audit.programme,
        applicant=Applicant(enrolled_at=audit.school),
        as_of=audit.as_of,
    )
    return [
        words.sentences([names.outcomes[one.nowhere.outcome], where])
        for one in found.idle
        for where in (
            *(CountsInMessage.of(each, words).line for each in one.counts_in),
            *(WaivesInMessage.of(each, words).line for each in one.waives_in),
        )
    ]


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
