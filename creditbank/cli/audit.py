"""`creditbank audit`: where a learner stands in a programme, course by course."""

from typing import Annotated

import typer

from creditbank.cli.asking import (
    AsOf,
    Category,
    Cohort,
    EnrolledAt,
    Facts,
    KnownAtOption,
    Region,
    StudyForm,
    day_of,
    known_at_of,
    with_facts,
)
from creditbank.cli.output import NEGATIVE, console, print_json, print_warnings
from creditbank.cli.session import AccountArgument, JsonOption, session_of
from creditbank.conversion.holding import Applicant
from creditbank.identity.account_number import parse_account_number
from creditbank.locale.audit_wording import AuditWords, PlaceWords, audit_lines
from creditbank.locale.catalogue import Catalogue
from creditbank.locale.naming import names_of
from creditbank.services.diploma_audits import AuditAnswer, audit_account
from creditbank.terms import ProgrammeId

_STYLES = {
    "earned": "green",
    "exempted": "green",
    "exempted-without-credit": "green",
    "exemptable": "cyan",
    "missing": "yellow",
}


def audit(
    context: typer.Context,
    account: AccountArgument,
    programme: Annotated[
        str, typer.Argument(metavar="培养方案_PROGRAMME", help="专业培养方案编号，见 rules list · programme")
    ],
    as_of: AsOf = None,
    known_at: KnownAtOption = None,
    enrolled_at: EnrolledAt = None,
    category: Category = None,
    study_form: StudyForm = None,
    cohort: Cohort = None,
    region: Region = None,
    fact: Facts = None,
    as_json: JsonOption = False,
) -> None:
    """毕业审核：已修得、已免修、可免修、尚缺什么 · how far a programme is, and what stands in the way."""
    session = session_of(context)
    applicant = Applicant(
        category=category, study_form=study_form, cohort=cohort, region=region, enrolled_at=enrolled_at
    )
    answer = audit_account(
        session.bank(),
        parse_account_number(account),
        session.library(),
        ProgrammeId(programme),
        applicant=with_facts(applicant, fact or []),
        as_of=day_of(as_of),
        known_at=None if known_at is None else known_at_of(known_at),
    )
    if as_json:
        print_json(
            {
                "audit": answer.audit.as_json(),
                "unpublished": list(answer.unpublished),
                "warnings": [session.words.warning(one) for one in answer.warnings],
            }
        )
    else:
        print_audit(session.words, answer)
    raise typer.Exit(0 if answer.audit.is_complete else NEGATIVE)


def print_audit(words: Catalogue, answer: AuditAnswer) -> None:
    """Print an audit module by module; an empty section is left out."""
    names = names_of(words, answer.place, answer.account, answer.packs, answer.institutions)
    said = audit_lines(words, answer.audit, names)
    console.print(said.headline, style="bold")
    console.print(said.total)
    print_warnings(words, answer.warnings)
    for note in said.notes:
        console.print(note, style="yellow")
    for module in said.modules:
        console.print(f"{module.title}  {module.line}", style="bold")
        for place in module.places:
            _print_place(words, place)
    _print_requirements(words, said)
    _print_rest(words, said)
    if answer.unpublished:
        console.print(words.text("word.packs-unpublished", packs=list(answer.unpublished)), style="yellow")


def _print_place(words: Catalogue, place: PlaceWords) -> None:
    state = words.text(f"word.audit-{place.state}")
    console.print(f"  · [{state}] {place.line}", style=_STYLES[place.state])
    for block in place.blocks:
        console.print(f"      {block}", style="dim")


def _print_requirements(words: Catalogue, said: AuditWords) -> None:
    if said.requirements:
        console.print(words.text("word.requirements-heading"), style="bold")
    for one in said.requirements:
        state = words.text(f"word.requirement-{one.state}")
        style = "green" if one.state == "reached" else "yellow"
        console.print(f"  · [{state}] {one.title}  {one.line}", style=style)
        for detail in one.details:
            console.print(f"      {detail}", style="dim")


def _print_rest(words: Catalogue, said: AuditWords) -> None:
    for heading, lines, style in (
        ("word.audit-elsewhere", said.elsewhere, "yellow"),
        ("word.decision-worths", said.worths, None),
        ("word.decision-caps", said.caps, None),
        ("word.decision-next-step", (said.next_step,) if said.next_step else (), "cyan"),
        ("word.decision-nowhere", said.nowhere, "dim"),
    ):
        if lines:
            console.print(words.text(heading), style="bold")
            for line in lines:
                console.print(f"  · {line}", style=style)
