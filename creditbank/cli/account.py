"""`creditbank account`: open a personal learning account, read one, revoke an outcome in one."""

from datetime import datetime
from typing import Annotated

import typer

from creditbank.account.holdings import HeldOutcome
from creditbank.account.statement import Statement
from creditbank.cli import correcting, pre_decisions, redact, suspended
from creditbank.cli.output import console, errors, print_json
from creditbank.cli.session import AccountArgument, IssuerOption, JsonOption, Session, session_of
from creditbank.documents.statement import StatementDocument
from creditbank.identity.account_number import parse_account_number
from creditbank.identity.citizen_number import CitizenNumber, CitizenNumberInvalid, parse_citizen_number
from creditbank.identity.names import PersonNames
from creditbank.identity.person import Person
from creditbank.identity.regions import warnings_of
from creditbank.locale.catalogue import Catalogue
from creditbank.locale.promise_wording import promise_line
from creditbank.locale.wording import grant_line, outcome_line
from creditbank.services.accounts import account_of_citizen, open_account, read_account
from creditbank.services.outcomes import revoke_outcome
from creditbank.terms import OutcomeId, instant
from creditbank.vocabularies.library import Vocabularies

app = typer.Typer(no_args_is_help=True)

CitizenNumberOption = Annotated[
    str | None, typer.Option(help="公民身份号码；不给则提示输入 · citizen number, asked for unless given")
]


@app.command("open")
def open_one(
    context: typer.Context,
    name: Annotated[str | None, typer.Option(help="姓名 · name in Chinese")] = None,
    tibetan_name: Annotated[str | None, typer.Option(help="藏文姓名 · name in Tibetan")] = None,
    romanised_name: Annotated[str | None, typer.Option(help="拉丁字母姓名 · romanised name")] = None,
    citizen_number: CitizenNumberOption = None,
    phone: Annotated[str | None, typer.Option(help="电话 · phone")] = None,
    category: Annotated[str | None, typer.Option(help="人员类别 · person category")] = None,
    issuer: IssuerOption | None = None,
    as_json: JsonOption = False,
) -> None:
    """开立个人学习账号，终身一个 · open the one account that a learner has for life."""
    session = session_of(context)
    bank = session.bank()
    person = Person(
        names=PersonNames(chinese=name, tibetan=tibetan_name, romanised=romanised_name),
        citizen_number=_citizen_number(session, citizen_number),
        phone=phone,
        category=category,
    )
    if person.citizen_number is not None:
        for warning in warnings_of(person.citizen_number, Vocabularies.load().regions):
            errors.print(session.words.warning(warning), style="yellow")
    opened = open_account(bank, session.principal(bank, issuer), person)
    if as_json:
        print_json({"account": str(opened.number), "seq": opened.receipt.seq})
        return
    console.print(session.words.text("word.account-opened", number=str(opened.number)))


@app.command("find")
def find(
    context: typer.Context,
    citizen_number: CitizenNumberOption = None,
    as_json: JsonOption = False,
) -> None:
    """凭公民身份号码查找账号 · find the account of a citizen number."""
    session = session_of(context)
    number = account_of_citizen(session.bank(), _citizen_number(session, citizen_number))
    if as_json:
        print_json({"account": str(number)})
        return
    console.print(str(number))


@app.command("show")
def show(context: typer.Context, account: AccountArgument, as_json: JsonOption = False) -> None:
    """显示账号：持有什么、免了什么、每一条依据 · show an account: what is held and granted, and why."""
    session = session_of(context)
    statement = read_account(session.bank(), parse_account_number(account))
    if as_json:
        print_json(StatementDocument.of(statement).model_dump(mode="json"))
        return
    print_statement(session, statement)


@app.command("revoke")
def revoke(
    context: typer.Context,
    account: AccountArgument,
    outcome: Annotated[str, typer.Argument(metavar="成果 OUTCOME", help="成果编号 · the outcome's id")],
    reason: Annotated[str, typer.Option(help="理由 · why")],
    issuer: IssuerOption,
    effective_on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="追溯生效日 · counts from this day")
    ] = None,
) -> None:
    """撤销一项成果；以它为依据的免修、免试随即中止 · revoke an outcome; what rests on it is suspended."""
    session = session_of(context)
    bank, number = session.bank(), parse_account_number(account)
    before = suspended.suspended_in(session, number)
    receipt = revoke_outcome(
        bank,
        session.principal(bank, issuer),
        number,
        OutcomeId(outcome.removeprefix("#").zfill(6)),
        reason=reason,
        effective_on=effective_on.date() if effective_on is not None else None,
    )
    console.print(session.words.text("word.outcome-revoked", outcome=outcome, seq=receipt.seq))
    suspended.print_suspended(session, number, since=before)


def _citizen_number(session: Session, given: str | None) -> CitizenNumber:
    """Read the number; asked for it, nobody looking at the screen sees it."""
    if given is None and not session.is_attended:
        raise CitizenNumberInvalid("citizen-number-missing", field="citizen_number")
    text = (
        given
        if given is not None
        else typer.prompt(session.words.text("word.citizen-number"), hide_input=True)
    )
    return parse_citizen_number(text, allow_test_numbers=session.settings.allow_test_numbers)


def print_statement(session: Session, statement: Statement) -> None:
    words = session.words
    names = statement.person.names
    console.print("  ".join(filter(None, (names.shown, names.tibetan, names.romanised))), style="bold")
    console.print(words.text("word.account-line", number=str(statement.number)))
    for held in statement.holdings.outcomes:
        style = None if held.is_current else "dim strike"
        console.print(f"  #{held.id} {outcome_line(words, held.outcome)}", style=style)
        issuer, at = statement.issuer_names[held.recorded_by], words.instant(instant(held.recorded_at))
        console.print(f"          {issuer}  {words.text('word.recorded')} {at}", style="dim")
        if held.ended_at is not None:
            console.print(f"          {_ending(words, held)}", style="red")
    for grant in statement.holdings.grants:
        holds = grant.status == "active"
        line = f"{'✓' if holds else '✗'} #{grant.id} {grant_line(words, grant)}"
        console.print(line, style="green" if holds else "red")
    _print_promises(words, statement)


def _print_promises(words: Catalogue, statement: Statement) -> None:
    for held in statement.holdings.promises:
        mark, style = ("○", "cyan") if held.ended_at is None else ("✗", "red")
        console.print(f"{mark} #{held.id} {promise_line(words, held)}", style=style)


def _ending(words: Catalogue, held: HeldOutcome) -> str:
    if held.corrected_by is not None:
        return words.text("word.corrected-by", outcome=held.corrected_by) + f": {held.reason}"
    return f"{words.text('word.revoked')}: {held.reason}"


app.command("redact")(redact.redact)
app.command("correct")(correcting.correct)
app.command("suspended")(suspended.suspended)
app.command("substitute")(suspended.substitute)
app.command("confirm")(suspended.confirm)
app.command("withdraw")(pre_decisions.withdraw)
