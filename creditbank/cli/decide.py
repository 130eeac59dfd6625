"""`creditbank decide`: what an account's outcomes exempt in a programme, what they waive in an exam."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer

from creditbank.account.step_body import StepMade
from creditbank.cli.asking import (
    Apply,
    AsOf,
    BesideEarned,
    Category,
    Cohort,
    Completed,
    EnrolledAt,
    Facts,
    Issuer,
    KnownAtOption,
    LeftOn,
    Major,
    QuestionInvalid,
    Region,
    Steps,
    StudyForm,
    Whole,
    day_of,
    decimal_of,
    known_at_of,
    steps_made,
    with_facts,
)
from creditbank.cli.output import NEGATIVE, console, print_json, print_warnings
from creditbank.cli.session import AccountArgument, JsonOption, Session, session_of
from creditbank.conversion.holding import Applicant, Holding
from creditbank.identity.account_number import parse_account_number
from creditbank.locale.catalogue import Catalogue
from creditbank.locale.decision_wording import REFUSALS_SHOWN, decision_lines, refusals_first
from creditbank.locale.naming import names_of
from creditbank.locale.what_if_wording import with_supposed
from creditbank.locale.wording import waiting_line
from creditbank.services.bank import Principal
from creditbank.services.conversions import Answer, apply_for, decide_for
from creditbank.services.questions import D, ExemptionQuestion, Question, WaiverQuestion
from creditbank.terms import ExamId, ProgrammeId

app = typer.Typer(no_args_is_help=True)


@app.command("exemptions")
def exemptions(
    context: typer.Context,
    account: AccountArgument,
    programme: Annotated[str, typer.Option(help="专业培养方案编号，见 rules list · programme")],
    as_of: AsOf = None,
    known_at: KnownAtOption = None,
    apply: Apply = False,
    step: Steps = None,
    issuer: Issuer = None,
    category: Category = None,
    study_form: StudyForm = None,
    cohort: Cohort = None,
    region: Region = None,
    fact: Facts = None,
    enrolled_at: EnrolledAt = None,
    beside_earned: BesideEarned = False,
    whole: Whole = False,
    as_json: JsonOption = False,
) -> None:
    """可免修哪些课程、依据什么、为何其余不免 · which courses are exempted, why, and why not the others."""
    session = session_of(context)
    question = ExemptionQuestion(
        library=session.library(), programme=ProgrammeId(programme), beside_earned=beside_earned
    )
    applicant = Applicant(
        category=category, study_form=study_form, cohort=cohort, region=region, enrolled_at=enrolled_at
    )
    applicant = with_facts(applicant, fact or [])
    shown = _Shown(whole=whole, as_json=as_json)
    made = steps_made(step or [])
    _answer(
        session, account, question, applicant, as_of, known_at, issuer, apply=apply, made=made, shown=shown
    )


@app.command("waivers")
def waivers(
    context: typer.Context,
    account: AccountArgument,
    exam: Annotated[str, typer.Option(help="考试编号，见 rules list · exam")],
    as_of: AsOf = None,
    known_at: KnownAtOption = None,
    apply: Apply = False,
    step: Steps = None,
    issuer: Issuer = None,
    category: Category = None,
    major: Major = None,
    enrolled_at: EnrolledAt = None,
    left_on: LeftOn = None,
    completed_percent: Completed = None,
    fact: Facts = None,
    whole: Whole = False,
    as_json: JsonOption = False,
) -> None:
    """可免试哪些科目、依据什么、为何其余不免 · which parts are waived, why, and why not the others."""
    session = session_of(context)
    question = WaiverQuestion(library=session.library(), exam=ExamId(exam))
    applicant = Applicant(
        category=category,
        major=major,
        enrolled_at=enrolled_at,
        left_on=left_on.date() if left_on is not None else None,
        completed_percent=decimal_of(completed_percent, field="completed_percent"),
    )
    applicant = with_facts(applicant, fact or [])
    shown = _Shown(whole=whole, as_json=as_json)
    made = steps_made(step or [])
    _answer(
        session, account, question, applicant, as_of, known_at, issuer, apply=apply, made=made, shown=shown
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """How an answer is shown: every reason, or what concerns the learner; for programs, or for people."""

    whole: bool
    as_json: bool


def _answer(
    session: Session,
    account: str,
    question: Question[D],
    applicant: Applicant,
    as_of: datetime | None,
    known_at: str | None,
    issuer: str | None,
    *,
    apply: bool,
    made: Sequence[StepMade],
    shown: "_Shown",
) -> None:
    number = parse_account_number(account)
    bank = session.bank()
    day = day_of(as_of)
    principal = session.principal(bank, issuer)
    if apply:
        if known_at is not None:
            raise QuestionInvalid("known-at-with-grants", field="known_at")
        answer = apply_for(bank, principal, number, question, applicant=applicant, as_of=day, made=made)
    elif made:
        raise QuestionInvalid("step-without-apply", field="step")
    else:
        known = None if known_at is None else known_at_of(known_at)
        answer = decide_for(bank, number, question, applicant=applicant, as_of=day, known_at=known)
    if shown.as_json:
        print_json(
            {
                "decision": answer.decision.as_json(),
                "registered": list(answer.registered),
                "waiting": [
                    {"rule": one.cited.rule, "rule_version": one.cited.version, "step": one.step.id}
                    for one in answer.waiting
                ],
                "unpublished": list(answer.unpublished),
                "warnings": [session.words.warning(one) for one in answer.warnings],
            }
        )
    else:
        print_answer(session.words, answer, principal=principal, whole=shown.whole)
    raise typer.Exit(0 if answer.decision.is_granted else NEGATIVE)


def print_answer(
    words: Catalogue,
    answer: Answer[D],
    *,
    principal: Principal,
    registered_as: str = "word.grants-registered",
    supposed: Sequence[Holding] = (),
    whole: bool = False,
) -> None:
    """Print a decision section by section, then what `principal` registered; nothing where there is none.

    `supposed` outcomes, which nobody holds yet, are named as what they are. Of the refusals those that
    concern the learner are printed, and the others counted, unless it is to be `whole`.
    """
    names = with_supposed(
        words, names_of(words, answer.place, answer.account, answer.packs, answer.institutions), supposed
    )
    said = decision_lines(words, answer.decision, names)
    first = refusals_first(answer.decision.refusals)
    refused: tuple[str, ...] = said.refusals if whole else tuple(said.refusals[at] for at in first)
    if more := len(said.refusals) - len(refused):
        refused = (*refused, words.text("word.refusals-more", count=more, shown=REFUSALS_SHOWN))
    console.print(said.headline, style="bold")
    print_warnings(words, answer.warnings)
    for heading, lines, style in (
        ("word.decision-grants", said.grants, "green"),
        ("word.decision-worths", said.worths, None),
        ("word.decision-kept", said.kept, "green"),
        ("word.decision-caps", said.caps, None),
        ("word.decision-next-step", (said.next_step,) if said.next_step else (), "cyan"),
        ("word.decision-refusals", refused, "yellow"),
        ("word.decision-nowhere", said.nowhere, "dim"),
    ):
        if lines:
            console.print(words.text(heading), style="bold")
            for line in lines:
                console.print(f"  · {line}", style=style)
    if answer.unpublished:
        console.print(words.text("word.packs-unpublished", packs=list(answer.unpublished)), style="yellow")
    if answer.registered:
        listed = words.listed(f"#{one}" for one in answer.registered)
        console.print(words.text(registered_as, grants=listed, issuer=principal.issuer))
    for one in answer.waiting:
        console.print(waiting_line(words, one.cited, one.step, one.titles), style="yellow")
