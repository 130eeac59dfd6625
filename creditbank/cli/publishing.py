"""`creditbank ledger publish`, `checkpoint` and `cosign`: how far the log has come, signed for strangers."""

import signal
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from creditbank.cli.files import read_file, require_new, write_file
from creditbank.cli.output import console, errors, print_error
from creditbank.cli.session import OutOption, Session, session_of
from creditbank.errors import CreditBankError, IntegrityBroken
from creditbank.services.bank import Bank
from creditbank.services.cosigning import cosign as keep_cosignatures
from creditbank.services.log import Published, checkpoint_note
from creditbank.services.publishing import publish as publish_log
from creditbank.services.publishing import publish_now


def publish(
    context: typer.Context,
    every: Annotated[
        int | None,
        typer.Option(
            min=1, max=86_400, metavar="秒_SECONDS", help="每隔若干秒一次，直到中断 · again until interrupted"
        ),
    ] = None,
    new_file: Annotated[
        bool,
        typer.Option(
            "--new-file",
            help="另存的检查点已遗失或从未有过：新建 · the file outside the database is lost, or new here",
        ),
    ] = False,
) -> None:
    """公布账本：证明它延续上次的检查点后签发下一个 · sign the next checkpoint once it continues the last."""
    session = session_of(context)
    bank = session.log_bank()
    published = publish_log(bank, new_file=new_file)
    _say_published(session, published)
    if every is not None:
        _go_on(session, bank, published, every_seconds=every)


def checkpoint(context: typer.Context, out: OutOption = None) -> None:
    """签发检查点：账本的长度与根，请另存他处 · sign the log's size and root (C2SP); keep it elsewhere."""
    session = session_of(context)
    if out is not None:
        require_new(out)
    bank = session.log_bank()
    publish_now(bank)
    write_file(checkpoint_note(bank), out)
    say_written(session, out)


def cosign(
    context: typer.Context,
    note: Annotated[
        Path,
        typer.Argument(metavar="文件_FILE", help="见证方交回的检查点 · the checkpoint a witness returned"),
    ],
) -> None:
    """收下见证方的副签，核对后保存 · take a witness's cosignatures, check them and keep them."""
    session = session_of(context)
    kept = keep_cosignatures(session.log_bank(), read_file(note))
    names = sorted({each.witness.name for each in kept.cosignatures})
    console.print(session.words.text("word.cosigned", size=kept.checkpoint.size, witnesses=names))


def say_written(session: Session, path: Path | None) -> None:
    """Say on standard error where a file was put; on standard output it speaks for itself."""
    if path is not None:
        errors.print(session.words.text("word.file-written", path=path))


def _go_on(session: Session, bank: Bank, last: Published, *, every_seconds: int) -> None:
    """Publish until interrupted or told to end.

    What may pass is said on standard error and tried again; a log that contradicts itself does not pass.
    """
    ending = Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: ending.set())
    while not ending.wait(every_seconds):
        try:
            published = publish_log(bank)
        except IntegrityBroken:
            raise
        except CreditBankError as error:
            print_error(error, session.words)
            continue
        if published.checkpoint.size != last.checkpoint.size:
            _say_published(session, published)
        last = published


def _say_published(session: Session, published: Published) -> None:
    path = session.settings.checkpoint_file
    console.print(session.words.text("word.published", size=published.checkpoint.size, path=path))
