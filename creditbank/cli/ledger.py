"""`creditbank ledger`: every command about the log; all but the sequencer in modules of their own."""

from contextlib import suppress
from threading import Event
from typing import Annotated

import typer

from creditbank.cli import proving, publishing, verify, verify_receipt
from creditbank.cli.output import console, progress
from creditbank.cli.periodic import periodic
from creditbank.cli.session import session_of
from creditbank.services.sequencing import sequence_pending

app = typer.Typer(no_args_is_help=True)
app.command("publish")(publishing.publish)
app.command("checkpoint")(publishing.checkpoint)
app.command("cosign")(publishing.cosign)
app.command("prove")(proving.prove)
app.command("consistency")(proving.consistency)
app.command("verify")(verify.verify)
app.command("verify-receipt")(verify_receipt.verify_receipt)


@app.command("sequence")
def sequence(
    context: typer.Context,
    every: Annotated[
        float | None,
        typer.Option(min=0.01, help="每隔几秒再做，按 Ctrl-C 结束 · again every so many seconds"),
    ] = None,
) -> None:
    """为待编入的条目编定总账位置 · give waiting entries their places in the log."""
    session = session_of(context)
    store = session.store()
    with store.reading() as books:
        waiting = books.ledger.pending(at_most=session.settings.backlog_limit)
    with progress(session.words.text("word.sequencing"), total=waiting) as step:
        done = sequence_pending(store, on_progress=step)
    console.print(session.words.text("word.sequenced", count=done))
    if every is not None:
        with (
            suppress(KeyboardInterrupt),
            periodic("sequencer", lambda: sequence_pending(store), every_seconds=every),
        ):
            Event().wait()
