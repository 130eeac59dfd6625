"""`creditbank decide next-steps`: what would help how many learners of a class, by how much."""

import os
from typing import Annotated

import typer

from creditbank.account.facts import facts_of
from creditbank.cli.asking import AsOf, EnrolledAt, Facts, day_of, with_facts
from creditbank.cli.output import NEGATIVE, console, print_json, print_warnings, progress
from creditbank.cli.session import JsonOption, session_of
from creditbank.cli.supposed import Processes, Registered, WhomArgument, whom
from creditbank.conversion.decision import decimal_text, json_members
from creditbank.conversion.holding import Applicant
from creditbank.ledger.encoding import JsonValue
from creditbank.locale.catalogue import Catalogue
from creditbank.locale.what_if_wording import step_line
from creditbank.services.next_steps import ClassSteps, next_steps_of
from creditbank.services.policy_diff import Terms
from creditbank.services.what_if import NOTHING_SUPPOSED, compared_under, library_of
from creditbank.terms import ProgrammeId


def next_steps(
    context: typer.Context,
    who: WhomArgument,
    programme: Annotated[str, typer.Option(help="专业培养方案编号 · programme")],
    as_of: AsOf = None,
    enrolled_at: EnrolledAt = None,
    fact: Facts = None,
    from_nothing: Registered = False,
    processes: Processes = None,
    limit: Annotated[int, typer.Option(min=0, help="列出多少种 · how many are listed")] = 20,
    as_json: JsonOption = False,
) -> None:
    """一班学生下一步取得什么，多少人受益、多免多少 · what would help how many, by how much."""
    session = session_of(context)
    bank, library = session.bank(), session.library()
    asked, aim = whom(bank, who), ProgrammeId(programme)
    rules, at = library_of(bank, library, {aim})
    terms = Terms(
        as_of=day_of(as_of) or bank.today(),
        known_at=at,
        facts=facts_of(with_facts(Applicant(enrolled_at=enrolled_at), fact or [])),
        keeps_registered=not from_nothing,
        processes=processes or os.cpu_count() or 1,
        at_hand=library,
    )
    side = compared_under(rules, aim, NOTHING_SUPPOSED, terms, is_exam=False).before
    words = session.words
    with progress(words.text("word.next-steps-deciding"), total=len(asked.numbers)) as step:
        found = next_steps_of(bank, asked.numbers, side, terms, on_progress=step)
    if as_json:
        print_json(_members(found) | {"warnings": list(map(words.warning, found.warnings))})
    else:
        _print(words, found, limit=limit)
    raise typer.Exit(0 if found.steps else NEGATIVE)


def _print(words: Catalogue, found: ClassSteps, *, limit: int) -> None:
    key = "word.next-steps-heading" if found.steps else "word.next-steps-none"
    console.print(words.text(key, learners=found.learners, tried=found.tried), style="bold")
    print_warnings(words, found.warnings)
    for place, step in enumerate(found.steps[:limit], start=1):
        line = step_line(words, step.addition, learners=step.learners, gained=step.gained, most=step.most)
        console.print(f"  {place}. {line}", style="green")
    if len(found.steps) > limit:
        console.print(f"  {words.text('word.next-steps-more', count=len(found.steps) - limit)}", style="dim")
    if found.untried:
        console.print(
            f"  {words.text('word.next-steps-untried', rules=words.listed(found.untried))}", style="yellow"
        )
    if found.unproved:
        console.print(f"  {words.text('word.next-steps-unproved', count=found.unproved)}", style="yellow")


def _members(found: ClassSteps) -> dict[str, JsonValue]:
    return {
        "learners": found.learners,
        "tried": found.tried,
        "unproved": found.unproved,
        "untried": list(found.untried),
        "steps": [
            {
                "outcome": json_members(step.addition.outcome),
                "rules": list(step.addition.rules),
                "learners": step.learners,
                "gained": decimal_text(step.gained),
                "most": decimal_text(step.most),
                "helped": [str(number) for number in step.helped],
            }
            for step in found.steps
        ],
    }
