"""`creditbank decide`: what an account's outcomes exempt in a programme, what they waive in an exam."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from creditbank.account.facts import applicant_of, facts_of
from creditbank.cli.output import NEGATIVE, console, print_json
from creditbank.cli.session import AccountArgument, JsonOption, Session, session_of
from creditbank.conversion.holding import FACTS, Applicant
from creditbank.errors import InvalidInput
from creditbank.identity.account_number import parse_account_number
from creditbank.locale.catalogue import Catalogue
from creditbank.locale.decision_wording import decision_lines, names_of
from creditbank.outcomes.outcome import FIRST_DAY, LAST_DAY
from creditbank.services.conversions import (
    Answer,
    D,
    ExemptionQuestion,
    Question,
    WaiverQuestion,
    apply_for,
    decide_for,
)
from creditbank.services.known import KnownAt, LogSize
from creditbank.terms import ExamId, ProgrammeId, microseconds

app = typer.Typer(no_args_is_help=True)


class QuestionInvalid(InvalidInput):
    """An option of a question cannot be read, or does not go with another."""

    code = "question-invalid"


AsOf = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="按哪一天判定，默认今天 · as of this day [today]"),
]
KnownAtOption = Annotated[
    str | None,
    typer.Option(
        "--known-at",
        help="按当时的记录重放：2026-03-01T08:00+08:00，或账本条数 #1234 · as known then",
    ),
]
Apply = Annotated[bool, typer.Option("--apply", help="登记免修或免试 · register the grants")]
Issuer = Annotated[str | None, typer.Option("--issuer", help="以哪所学校的名义登记 · in whose name")]
Category = Annotated[str | None, typer.Option(help="人员类别，默认取账号 · person category [the account's]")]
StudyForm = Annotated[str | None, typer.Option(help="学习形式 · form of study")]
Cohort = Annotated[int | None, typer.Option(help="入学年份 · year of enrolment")]
Region = Annotated[str | None, typer.Option(help="地区代码 · region code")]
Major = Annotated[str | None, typer.Option(help="在读专业代码 · major studied")]
EnrolledAt = Annotated[str | None, typer.Option(help="在读学校 · enrolled at")]
BesideEarned = Annotated[
    bool,
    typer.Option("--beside-earned", help="不再免修在读学校已修得的课程 · leave out courses that are earned"),
]
LeftOn = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="毕业或离校日期 · day of graduation")
]
Facts = Annotated[
    list[str] | None,
    typer.Option(
        "--fact",
        metavar="名称=值_NAME=VALUE",
        help="关于申请人的其他信息，如 enrolled_level=master · another fact about the applicant",
    ),
]
Completed = Annotated[str | None, typer.Option(help="已完成培养方案的百分比 · percent completed")]


def with_facts(applicant: Applicant, given: Sequence[str]) -> Applicant:
    """Return the applicant with facts written `name=value`, which go before what an option said.

    Raises:
        QuestionInvalid: one is not written so, has no such name or no such value.
    """
    facts = dict(facts_of(applicant))
    for one in given:
        name, is_written, value = one.partition("=")
        if not is_written or name not in FACTS:
            raise QuestionInvalid("fact-not-known", field="fact", value=one, names=sorted(FACTS))
        try:
            applicant_of([(name, value)])
        except (ValueError, ArithmeticError) as error:
            raise QuestionInvalid("fact-not-read", field="fact", value=one) from error
        facts[name] = value
    return applicant_of(facts.items())


def known_at_of(text: str) -> KnownAt:
    """Read what a decision is to go by: an instant, or `#` and a size of the log.

    Raises:
        QuestionInvalid: it is neither.
    """
    if not text.startswith("#"):
        return microseconds(instant_of(text, field="known_at"))
    size = text[1:].replace(",", "")
    if not (size.isascii() and size.isdecimal()):
        raise QuestionInvalid("log-size-malformed", field="known_at", value=text)
    return LogSize(entries=int(size))


def instant_of(text: str, *, field: str) -> datetime:
    """Read an instant with its time zone, such as 2026-03-01T08:00+08:00.

    Raises:
        QuestionInvalid: it is none, or does not name its time zone.
    """
    try:
        given = datetime.fromisoformat(text)
    except ValueError as error:
        raise QuestionInvalid("instant-malformed", field=field, value=text) from error
    if given.tzinfo is None:
        raise QuestionInvalid("instant-without-zone", field=field, value=text)
    return given


@app.command("exemptions")
def exemptions(
    context: typer.Context,
    account: AccountArgument,
    programme: Annotated[str, typer.Option(help="专业培养方案编号，见 rules list · programme")],
    as_of: AsOf = None,
    known_at: KnownAtOption = None,
    apply: Apply = False,
    issuer: Issuer = None,
    category: Category = None,
    study_form: StudyForm = None,
    cohort: Cohort = None,
    region: Region = None,
    fact: Facts = None,
    enrolled_at: EnrolledAt = None,
    beside_earned: BesideEarned = False,
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
    _answer(session, account, question, applicant, as_of, known_at, issuer, apply=apply, as_json=as_json)


@app.command("waivers")
def waivers(
    context: typer.Context,
    account: AccountArgument,
    exam: Annotated[str, typer.Option(help="考试编号，见 rules list · exam")],
    as_of: AsOf = None,
    known_at: KnownAtOption = None,
    apply: Apply = False,
    issuer: Issuer = None,
    category: Category = None,
    major: Major = None,
    enrolled_at: EnrolledAt = None,
    left_on: LeftOn = None,
    completed_percent: Completed = None,
    fact: Facts = None,
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
        completed_percent=_decimal(completed_percent, field="completed_percent"),
    )
    applicant = with_facts(applicant, fact or [])
    _answer(session, account, question, applicant, as_of, known_at, issuer, apply=apply, as_json=as_json)


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
    as_json: bool,
) -> None:
    number = parse_account_number(account)
    bank = session.bank()
    day = day_of(as_of)
    if apply:
        if known_at is not None:
            raise QuestionInvalid("known-at-with-grants", field="known_at")
        principal = session.principal(bank, issuer)
        answer = apply_for(bank, principal, number, question, applicant=applicant, as_of=day)
    else:
        known = None if known_at is None else known_at_of(known_at)
        answer = decide_for(bank, number, question, applicant=applicant, as_of=day, known_at=known)
    if as_json:
        print_json(
            {
                "decision": answer.decision.as_json(),
                "registered": list(answer.registered),
                "unpublished": list(answer.unpublished),
            }
        )
    else:
        print_answer(session.words, answer)
    raise typer.Exit(0 if answer.decision.is_granted else NEGATIVE)


def print_answer(
    words: Catalogue, answer: Answer[D], *, registered_as: str = "word.grants-registered"
) -> None:
    """Print a decision section by section, then what was registered; an empty section is left out."""
    names = names_of(words, answer.place, answer.account, answer.packs)
    said = decision_lines(words, answer.decision, names)
    console.print(said.headline, style="bold")
    for heading, lines, style in (
        ("word.decision-grants", said.grants, "green"),
        ("word.decision-kept", said.kept, "green"),
        ("word.decision-caps", said.caps, None),
        ("word.decision-refusals", said.refusals, "yellow"),
        ("word.decision-next-step", (said.next_step,) if said.next_step else (), "cyan"),
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
        console.print(words.text(registered_as, grants=listed))


def day_of(as_of: datetime | None) -> date | None:
    """Return the day asked for, None for today.

    Raises:
        QuestionInvalid: no day of a record lies there.
    """
    if as_of is not None and not FIRST_DAY <= as_of.date() <= LAST_DAY:
        raise QuestionInvalid("day-out-of-range", field="as_of", first=FIRST_DAY, last=LAST_DAY)
    return None if as_of is None else as_of.date()


def _decimal(text: str | None, *, field: str) -> Decimal | None:
    try:
        number = None if text is None else Decimal(text)
    except InvalidOperation as error:
        raise QuestionInvalid("number-malformed", field=field, value=text) from error
    if number is not None and not number.is_finite():
        raise QuestionInvalid("number-malformed", field=field, value=text)
    return number
