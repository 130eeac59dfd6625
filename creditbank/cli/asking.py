"""The options of a question: as of when, by what was known, who asks. What is asked is for the commands."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from creditbank.account.facts import applicant_of, facts_of
from creditbank.account.step_body import StepMade
from creditbank.conversion.holding import Applicant
from creditbank.errors import InvalidInput
from creditbank.outcomes.outcome import FIRST_DAY, LAST_DAY
from creditbank.services.known import KnownAt, LogSize
from creditbank.terms import microseconds


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
        help="按当时的记录重放：2026-03-01T08:00+08:00，或账本条数 #1234（从 #1 起） · as known then",
    ),
]
Apply = Annotated[bool, typer.Option("--apply", help="登记免修或免试 · register the grants")]
Steps = Annotated[
    list[str] | None,
    typer.Option(
        "--step",
        metavar="步骤=日期[,办理者]_STEP",
        help="登记前已办理的步骤，如 faculty=2026-03-01,院系 · a step that was made before registering",
    ),
]
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
Whole = Annotated[bool, typer.Option("--all", help="列出所有未获准的原因 · list every reason why not")]
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
        QuestionInvalid: one is not written so, is stated twice, or has no such value.
        HoldingInvalid: a percentage is none, or years of work are below 0.
    """
    facts, stated = dict(facts_of(applicant)), set[str]()
    for one in given:
        name, is_written, value = one.partition("=")
        if not is_written or not name or not value:
            raise QuestionInvalid("fact-not-written", field="fact", value=one)
        if name in stated:
            raise QuestionInvalid("fact-twice", field="facts", names=[name])
        stated.add(name)
        try:
            applicant_of([(name, value)])
        except (ValueError, ArithmeticError) as error:
            raise QuestionInvalid("fact-not-read", field="fact", value=one) from error
        facts[name] = value
    return applicant_of(facts.items())


def steps_made(given: Sequence[str]) -> tuple[StepMade, ...]:
    """Read the steps of a procedure, written `step=day` or `step=day,by whom`.

    Raises:
        QuestionInvalid: `step-malformed`.
        OutcomeInvalid: who made it is too long, or no text.
    """
    made = []
    for one in given:
        name, _, said = one.partition("=")
        day, _, by = said.partition(",")
        try:
            made.append(StepMade(id=name.strip(), on=date.fromisoformat(day.strip()), by=by.strip()))
        except ValueError as error:
            raise QuestionInvalid("step-malformed", field="step", value=one) from error
    return tuple(made)


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


def day_of(as_of: datetime | None) -> date | None:
    """Return the day asked for, None for today.

    Raises:
        QuestionInvalid: no day of a record lies there.
    """
    if as_of is not None and not FIRST_DAY <= as_of.date() <= LAST_DAY:
        raise QuestionInvalid("day-out-of-range", field="as_of", first=FIRST_DAY, last=LAST_DAY)
    return None if as_of is None else as_of.date()


def decimal_of(text: str | None, *, field: str) -> Decimal | None:
    """Read a figure, None where none is given.

    Raises:
        QuestionInvalid: it is none.
    """
    try:
        number = None if text is None else Decimal(text)
    except InvalidOperation as error:
        raise QuestionInvalid("number-malformed", field=field, value=text) from error
    if number is not None and not number.is_finite():
        raise QuestionInvalid("number-malformed", field=field, value=text)
    return number
