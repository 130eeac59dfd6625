"""Verifies a bank slowly, with two workers and a report file, until it is killed.

It prints the workers' process ids, and then a line whenever the file was written.
"""

import sys
import time
from pathlib import Path

from creditbank.cli import verify_report
from creditbank.cli.verify_report import ReportFile
from creditbank.ledger.audit_report import AuditReport
from creditbank.locale.catalogue import catalogue
from creditbank.services.audit import Cut, verify_ledger
from creditbank.storage.engine import open_engine
from creditbank.storage.sql_examination import examined
from tests.banks import BEGINNING
from tests.contract.attacks import SIGNER


def main(url: str, path: Path, pause_seconds: float) -> None:
    verify_report.EVERY_SECONDS = 0
    file = ReportFile(path=path, is_json=path.suffix == ".json", words=catalogue("en"))

    def keep(report: AuditReport) -> None:
        file.keep(report)
        print("kept", report.entries, report.size, flush=True)
        time.sleep(pause_seconds)

    engine = open_engine(url)
    with examined(engine, workers=2) as examination:
        assert examination.workers is not None
        print("workers", *(process.pid for process in examination.workers.processes), flush=True)
        verify_ledger(
            examination,
            verifier_keys=[SIGNER.verifier_key],
            clock=lambda: BEGINNING,
            earlier=file.earlier(),
            cut=Cut(entries=20, places=256),
            on_report=keep,
        )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]))
