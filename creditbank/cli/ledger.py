"""`creditbank ledger`: verify every byte here; publishing, proofs and receipts in the modules beside."""

from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from creditbank.assembly import examination, verifier_key_file
from creditbank.cli import proving, publishing, verify_receipt
from creditbank.cli.files import read_file
from creditbank.cli.output import NEGATIVE, console, print_json, progress
from creditbank.cli.periodic import periodic
from creditbank.cli.session import JsonOption, Session, session_of
from creditbank.ledger.audit import Finding
from creditbank.ledger.checkpoint import parse_verifier_keys
from creditbank.ledger.encoding import JsonValue
from creditbank.services.audit import LOOKS_PER_ENTRY, AuditReport, verify_ledger
from creditbank.services.sequencing import sequence_pending

app = typer.Typer(no_args_is_help=True, help="账本 · the ledger")
app.command("publish")(publishing.publish)
app.command("checkpoint")(publishing.checkpoint)
app.command("cosign")(publishing.cosign)
app.command("prove")(proving.prove)
app.command("consistency")(proving.consistency)
app.command("verify-receipt")(verify_receipt.verify_receipt)

CheckpointOption = Annotated[
    Path | None,
    typer.Option(
        help="另存的检查点，用以证明账本只增不减 · a checkpoint kept elsewhere: proves the log only grew"
    ),
]
VerifierKeyOption = Annotated[
    Path | None,
    typer.Option(
        help="账本公钥文件，每行一个 · file with the log's public keys, one a line [<home>/log.vkey]"
    ),
]


@app.command("verify")
def verify(
    context: typer.Context,
    checkpoint: CheckpointOption = None,
    verifier_key: VerifierKeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """重新计算整个账本，列出全部发现，不需私钥 · recompute the ledger, print every finding; exit 0 or 1."""
    session = session_of(context)
    kept = read_file(verifier_key or verifier_key_file(session.settings)).decode(errors="replace")
    keys = parse_verifier_keys(kept)
    held = None if checkpoint is None else read_file(checkpoint)
    with examination(session.settings) as opened:
        steps = LOOKS_PER_ENTRY * opened.rows.size()
        with progress(session.words.text("word.verifying"), total=steps) as step:
            report = verify_ledger(opened, verifier_keys=keys, held=held, on_progress=step)
    print_report(session, report, as_json=as_json)
    raise typer.Exit(0 if report.is_whole else NEGATIVE)


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


def finding_members(finding: Finding) -> JsonValue:
    """Return a finding as JSON members."""
    values: dict[str, JsonValue] = {name: str(value) for name, value in finding.values.items()}
    return {"code": finding.code, "subject": finding.subject, "seq": finding.seq, "values": values}


def finding_text(session: Session, finding: Finding) -> str:
    """Return a finding as one sentence that begins with the entry it names."""
    place = "" if finding.subject is None else f"{finding.subject} #{finding.seq}: "
    return place + session.words.text(f"finding.{finding.code}", **finding.values)


def print_report(session: Session, report: AuditReport, *, as_json: bool = False) -> None:
    """Print every finding, and whether the ledger is whole."""
    if as_json:
        print_json(
            {
                "entries": report.entries,
                "root": report.root.hex(),
                "findings": [finding_members(finding) for finding in report.findings],
            }
        )
        return
    for finding in report.findings:
        console.print(f"✗ {finding_text(session, finding)}", style="red")
    said = session.words.text(
        "word.ledger-whole" if report.is_whole else "word.ledger-damaged",
        entries=report.entries,
        findings=len(report.findings),
        root=report.root.hex(),
    )
    console.print(said, style="green" if report.is_whole else "bold red")
