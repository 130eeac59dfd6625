"""`creditbank decide nowhere` and `decide exams`: where idle outcomes count; which exams get shorter."""

from datetime import date
from typing import Annotated

import typer

from creditbank.cli.asking import (
    AsOf,
    Category,
    Completed,
    EnrolledAt,
    Facts,
    KnownAtOption,
    LeftOn,
    Major,
    day_of,
    decimal_of,
    known_at_of,
    with_facts,
)
from creditbank.cli.output import NEGATIVE, console, print_json, print_warnings
from creditbank.cli.session import AccountArgument, JsonOption, session_of
from creditbank.cli.supposed import supposed_outcomes
from creditbank.conversion.decision import json_members
from creditbank.conversion.holding import Applicant
from creditbank.identity.account_number import parse_account_number
from creditbank.locale.catalogue import Catalogue
from creditbank.locale.decision_wording import decision_lines
from creditbank.locale.naming import Names, names_of
from creditbank.locale.reverse_wording import counts_in_line, exam_lines, waives_in_line
from creditbank.locale.what_if_wording import with_supposed
from creditbank.services.reverse import ExamAnswer, Idle, IdleAnswer, exams_helped, idle_outcomes
from creditbank.terms import OutcomeId, ProgrammeId

_STYLES = {"registered": "green", "waived": "green", "nearly": "cyan", "capped": "yellow"}


def nowhere(
    context: typer.Context,
    account: AccountArgument,
    programme: Annotated[str, typer.Option(help="专业培养方案编号，见 rules list · programme")],
    as_of: AsOf = None,
    known_at: KnownAtOption = None,
    category: Category = None,
    enrolled_at: EnrolledAt = None,
    fact: Facts = None,
    as_json: JsonOption = False,
) -> None:
    """哪些成果在此没有用上、在哪些专业可用 · what counts for nothing here, why, and where it would."""
    session = session_of(context)
    found = idle_outcomes(
        session.bank(),
        parse_account_number(account),
        session.library(),
        ProgrammeId(programme),
        applicant=with_facts(Applicant(category=category, enrolled_at=enrolled_at), fact or []),
        as_of=day_of(as_of),
        known_at=None if known_at is None else known_at_of(known_at),
    )
    if as_json:
        print_json(
            {
                "tried": found.tried,
                "exams": found.exams,
                "idle": [json_members(one) for one in found.idle],
                "warnings": [session.words.warning(one) for one in found.warnings],
            }
        )
    else:
        print_warnings(session.words, found.warnings)
        _print_idle(session.words, found)
    raise typer.Exit(0 if any(one.counts_in or one.waives_in for one in found.idle) else NEGATIVE)


def exams(
    context: typer.Context,
    account: AccountArgument,
    only: Annotated[
        str | None,
        typer.Option(metavar="成果_OUTCOME", help="只看这一项成果，如学历证书 · this outcome alone"),
    ] = None,
    add: Annotated[
        list[str] | None,
        typer.Option(
            metavar="成果_OUTCOME", help="再有一项，如 kind=diploma,code=CD-XM,level=44 · one outcome more"
        ),
    ] = None,
    as_of: AsOf = None,
    known_at: KnownAtOption = None,
    category: Category = None,
    major: Major = None,
    enrolled_at: EnrolledAt = None,
    left_on: LeftOn = None,
    completed_percent: Completed = None,
    fact: Facts = None,
    as_json: JsonOption = False,
) -> None:
    """哪些考试可免试科目，还差什么 · which exams these outcomes help with, and what nearly helps lacks."""
    session = session_of(context)
    bank, library, words = session.bank(), session.library(), session.words
    applicant = Applicant(
        category=category,
        major=major,
        enrolled_at=enrolled_at,
        left_on=left_on.date() if left_on is not None else None,
        completed_percent=decimal_of(completed_percent, field="completed_percent"),
    )
    day: date = day_of(as_of) or bank.today()
    supposed = supposed_outcomes(add or [], library.packs, on=day)
    found = exams_helped(
        bank,
        parse_account_number(account),
        library,
        applicant=with_facts(applicant, fact or []),
        only=None if only is None else OutcomeId(only.removeprefix("#").zfill(6)),
        supposed=supposed,
        as_of=day,
        known_at=None if known_at is None else known_at_of(known_at),
    )
    if as_json:
        print_json(
            [one.help.as_json() | {"warnings": list(map(words.warning, one.warnings))} for one in found]
        )
    else:
        helped = sum(one.help.helps for one in found)
        console.print(words.text("say.exams-helped", count=len(found), helped=helped), style="bold")
        for one in found:
            names = names_of(words, one.place, one.account, one.packs, one.institutions)
            _print_exam(words, one, with_supposed(words, names, supposed))
    raise typer.Exit(0 if any(one.help.helps for one in found) else NEGATIVE)


def _print_exam(words: Catalogue, answer: ExamAnswer, names: Names) -> None:
    said = exam_lines(words, answer.help, names)
    console.print(said.headline, style="bold" if answer.help.helps else "dim")
    print_warnings(words, answer.warnings)
    if not answer.help.helps:
        return
    for part in said.parts:
        console.print(f"  · {part.line}", style=_STYLES.get(part.state, "dim"))
        for reason in part.reasons:
            console.print(f"      {reason}", style="dim")


def _print_idle(words: Catalogue, found: IdleAnswer) -> None:
    answer = found.answer
    names = names_of(words, answer.place, answer.account, answer.packs, answer.institutions)
    said = decision_lines(words, answer.decision, names)
    console.print(words.text("word.decision-nowhere" if found.idle else "word.nowhere-none"), style="bold")
    for line, one in zip(said.nowhere, found.idle, strict=True):
        console.print(f"  · {line}")
        for where in idle_lines(words, one, tried=found.tried, exams=found.exams):
            console.print(f"      {where}", style="cyan" if one.counts_in or one.waives_in else "dim")


def idle_lines(words: Catalogue, one: Idle, *, tried: int, exams: int) -> tuple[str, ...]:
    """Return where an idle outcome would count, in words; or that it would nowhere."""
    if not one.counts_in and not one.waives_in:
        return (words.text("say.counts-nowhere", tried=tried, exams=exams),)
    waives = (
        waives_in_line(words, exam=where.title, parts=where.parts, rule=f"{where.rule} v{where.version}")
        for where in one.waives_in
    )
    counts = (
        counts_in_line(
            words,
            programme=where.title,
            places=where.places,
            credits_=where.credits,
            rule=f"{where.rule} v{where.version}",
        )
        for where in one.counts_in
    )
    return (*counts, *waives)
