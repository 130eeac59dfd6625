"""`creditbank ledger verify`: recompute every byte, on every core, and keep a report to be gone on with."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from creditbank.assembly import examination, now, verifier_key_file
from creditbank.cli.files import read_file
from creditbank.cli.output import MISUSE, NEGATIVE, errors, progress
from creditbank.cli.session import JsonOption, Session, session_of
from creditbank.cli.verify_report import ReportFile, print_report
from creditbank.documents.ledger_report import LedgerReport
from creditbank.ledger.audit_report import AuditReport
from creditbank.ledger.checkpoint import VerifierKey, parse_verifier_keys
from creditbank.services.audit import verify_ledger

SHARED_FROM = 100_000
"""Entries from which sharing the work is worth the seconds that more processes take to start."""

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
ReportOption = Annotated[
    Path | None,
    typer.Option(
        help="报告文件（.json 或 .txt），中断后同一命令接着核对"
        " · report file, .json or .txt; interrupted, the same command goes on"
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        min=1, max=64, help="进程数，默认每核一个 · processes; one a core, unless the ledger is small"
    ),
]


def verify(
    context: typer.Context,
    checkpoint: CheckpointOption = None,
    verifier_key: VerifierKeyOption = None,
    report: ReportOption = None,
    workers: WorkersOption = None,
    as_json: JsonOption = False,
) -> None:
    """重新计算整个账本，列出全部发现，不需私钥 · recompute the ledger, print every finding; exit 0 or 1."""
    session = session_of(context)
    kept = read_file(verifier_key or verifier_key_file(session.settings)).decode(errors="replace")
    keys = parse_verifier_keys(kept)
    held = None if checkpoint is None else read_file(checkpoint)
    file = None if report is None else _report_file(session, report, as_json=as_json)
    try:
        found = _verified(session, keys, held, file, workers)
    except KeyboardInterrupt:
        if file is None:
            errors.print(session.words.text("word.verification-interrupted"))
        else:
            file.write()
            errors.print(session.words.text("word.verification-goes-on-later", path=file.path))
        raise typer.Exit(MISUSE) from None
    if as_json:
        sys.stdout.buffer.write(LedgerReport.of(found).encode())
        sys.stdout.flush()
    else:
        print_report(session.words, found)
    raise typer.Exit(0 if found.is_whole else NEGATIVE)


def _verified(
    session: Session,
    keys: tuple[VerifierKey, ...],
    held: bytes | None,
    file: ReportFile | None,
    workers: int | None,
) -> AuditReport:
    earlier = None if file is None else file.earlier()
    with examination(session.settings, workers=_worker_count(session, workers)) as opened:
        if earlier is not None and not earlier.is_finished:
            errors.print(
                session.words.text("word.verification-goes-on", entries=earlier.entries, size=earlier.size)
            )
        done = 0 if earlier is None else (earlier.entries + earlier.size) // 2
        with progress(session.words.text("word.verifying"), total=opened.rows.size(), done=done) as step:
            return verify_ledger(
                opened,
                verifier_keys=keys,
                clock=now,
                held=held,
                earlier=earlier,
                on_progress=step,
                on_report=(lambda _: None) if file is None else file.keep,
            )


def _report_file(session: Session, path: Path, *, as_json: bool) -> ReportFile:
    suffix = path.suffix.lower()
    is_json = suffix == ".json" or (as_json and suffix != ".txt")
    return ReportFile(path=path, is_json=is_json, words=session.words)


def _worker_count(session: Session, asked: int | None) -> int:
    if asked is not None:
        return asked
    with examination(session.settings) as opened:
        if opened.rows.size() < SHARED_FROM:
            return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
