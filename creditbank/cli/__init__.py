"""The command line, one module per command. It exits with 0 done, 1 the answer is no, 2 not answered."""

import gc
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from creditbank.cli.commands import ListedCommands
from creditbank.cli.output import MISUSE, errors, print_error
from creditbank.errors import CreditBankError
from creditbank.locale.catalogue import catalogue
from creditbank.settings import PREFIX, Language, Settings


class BankCommands(ListedCommands):
    """Every command: an error is a sentence that says what to do next, and never a traceback."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - a context, and whatever a command returns
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except CreditBankError as error:
            settings = ctx.obj
            language = settings.language if isinstance(settings, Settings) else "zh-CN"
            raise typer.Exit(print_error(error, catalogue(language))) from error


app = typer.Typer(
    cls=BankCommands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="学分银行：陌生人也能核对的个人学习账本 · a credit bank whose records can be checked by a stranger",
)


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
    if context.obj is not None:
        context.obj()
    given = {
        "home": home,
        "language": language,
        "passphrase_file": passphrase_file,
        "passphrase_fd": passphrase_fd,
    }
    stated: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    try:
        context.obj = Settings(**stated)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            setting = ".".join(map(str, problem["loc"])).upper()
            errors.print(f"{PREFIX}{setting}: {problem['msg']}", markup=False)
        raise typer.Exit(MISUSE) from error


def main() -> None:
    """Run a command in a process of its own, which logs to standard error, beside its messages."""
    gc.set_threshold(50_000, 20, 100)  # what is imported stays: to look it through for garbage is in vain
    try:
        app(obj=_prepare)
    except BrokenPipeError:
        sys.exit(MISUSE)


def _prepare() -> None:
    from creditbank.cli.logs import configure_logs

    configure_logs()
