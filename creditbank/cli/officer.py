"""`creditbank officer`: the persons who act for the bank, two of whom decide what one may not."""

from typing import Annotated

import typer

from creditbank.account.records import Officer
from creditbank.cli.output import console, errors, print_json
from creditbank.cli.session import JsonOption, Session, session_of
from creditbank.ledger.encoding import JsonValue
from creditbank.services.officers import add_officer, officers, retire_officer
from creditbank.terms import OfficerId, instant

app = typer.Typer(no_args_is_help=True)

_TWO = 2


@app.command("add")
def add(
    context: typer.Context,
    name: Annotated[str, typer.Option(help="姓名，只存于数据库 · name, kept in the database alone")],
    as_json: JsonOption = False,
) -> None:
    """登记经办人员，其令牌只显示一次 · add an officer; the token is shown this once."""
    session = session_of(context)
    bank = session.bank()
    officer, token = add_officer(bank, session.principal(bank), name)
    if as_json:
        print_json({"officer": officer.id, "token": token})
        return
    console.print(session.words.text("word.officer-added", name=officer.name, officer=officer.id))
    console.print(session.words.text("word.officer-token-shown-once"))
    console.print(token)


@app.command("list")
def list_officers(context: typer.Context, as_json: JsonOption = False) -> None:
    """列出经办人员 · list the officers."""
    session = session_of(context)
    known = officers(session.bank())
    if as_json:
        print_json([_members(officer) for officer in known])
        return
    for officer in known:
        console.print(_line(session, officer), style=None if officer.is_serving else "dim")


@app.command("retire")
def retire(
    context: typer.Context,
    officer: Annotated[str, typer.Argument(metavar="经办人员_OFFICER", help="编号 · the officer's id")],
) -> None:
    """经办人员离任，其令牌作废 · retire an officer, whose token opens nothing any more."""
    session = session_of(context)
    bank = session.bank()
    serving = retire_officer(bank, session.principal(bank), OfficerId(officer))
    console.print(session.words.text("word.officer-retired", officer=officer))
    if len(serving) < _TWO:
        errors.print(session.words.text("word.officers-too-few", serving=len(serving)), style="yellow")


def _members(officer: Officer) -> JsonValue:
    retired_at = officer.retired_at
    return {
        "officer": officer.id,
        "name": officer.name,
        "added_at": instant(officer.added_at).isoformat(),
        "retired_at": None if retired_at is None else instant(retired_at).isoformat(),
    }


def _line(session: Session, officer: Officer) -> str:
    words = session.words
    since = words.instant(instant(officer.added_at))
    line = f"{officer.id}  {officer.name}  {words.text('word.officer-since', at=since)}"
    if officer.retired_at is None:
        return line
    return f"{line}  {words.text('word.officer-until', at=words.instant(instant(officer.retired_at)))}"
