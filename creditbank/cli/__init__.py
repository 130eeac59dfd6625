"""The command line, one module per command. It exits with 0 done, 1 the answer is no, 2 not answered."""

import sys
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer
from pydantic import ValidationError
from typer.core import TyperGroup

from creditbank.cli import (
    account,
    decide,
    demo,
    importing,
    init,
    institution,
    keys,
    ledger,
    officer,
    pack_publishing,
    redact,
    rules,
    rules_new,
    schemas,
    serve,
    suspended,
    template,
)
from creditbank.cli.output import MISUSE, errors, print_error
from creditbank.cli.session import Session
from creditbank.errors import CreditBankError
from creditbank.locale.catalogue import catalogue
from creditbank.settings import PREFIX, Language, Settings


class BankCommands(TyperGroup):
    """Every command: an error is a sentence that says what to do next, and never a traceback."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - a context, and whatever a command returns
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except CreditBankError as error:
            session = ctx.obj
            words = session.words if isinstance(session, Session) else catalogue("zh-CN")
            raise typer.Exit(print_error(error, words)) from error


app = typer.Typer(
    cls=BankCommands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="学分银行：陌生人也能核对的个人学习账本 · a credit bank whose records can be checked by a stranger",
)
app.command("init")(init.init)
app.command("template")(template.template)
app.command("import")(importing.import_workbook)
app.command("serve")(serve.serve)
app.command("demo")(demo.demo)
app.command("schemas")(schemas.schemas)
app.add_typer(institution.app, name="institution")
app.add_typer(officer.app, name="officer")
account.app.command("redact")(redact.redact)
account.app.command("suspended")(suspended.suspended)
account.app.command("substitute")(suspended.substitute)
account.app.command("reverse")(suspended.reverse)
app.add_typer(account.app, name="account")
app.add_typer(decide.app, name="decide")
for name, command in (
    ("new", rules_new.new),
    ("publish", pack_publishing.publish),
    ("retire", pack_publishing.retire),
    ("published", pack_publishing.published),
):
    rules.app.command(name)(command)
app.add_typer(rules.app, name="rules")
app.add_typer(ledger.app, name="ledger")
app.add_typer(keys.app, name="keys")


@app.callback()
def begin(
    context: typer.Context,
    home: Annotated[Path | None, typer.Option(help="银行目录 · the bank's directory")] = None,
    language: Annotated[Language | None, typer.Option(help="语言 · language")] = None,
    passphrase_file: Annotated[Path | None, typer.Option(help="口令文件 · file with the passphrase")] = None,
    passphrase_fd: Annotated[
        int | None, typer.Option(help="口令文件描述符 · descriptor to read it from")
    ] = None,
) -> None:
    """Read the settings once; an option goes before the variable of the same name (see .env.example)."""
    given = {
        "home": home,
        "language": language,
        "passphrase_file": passphrase_file,
        "passphrase_fd": passphrase_fd,
    }
    stated: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    try:
        context.obj = Session(settings=Settings(**stated))
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            setting = ".".join(map(str, problem["loc"])).upper()
            errors.print(f"{PREFIX}{setting}: {problem['msg']}", markup=False)
        raise typer.Exit(MISUSE) from error


def configure_logs() -> None:
    """Log to standard error, in plain lines: a traceback shows where, and never the values of a frame."""
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ],
    )


def main() -> None:
    """Run a command; what the bank logs goes to standard error, beside its messages."""
    configure_logs()
    try:
        app()
    except BrokenPipeError:
        sys.exit(MISUSE)
