"""The report of a verification: in words, as a file that is kept up to date, and read back to go on."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from creditbank.cli.files import FileUnusable, read_file, require_new, write_file
from creditbank.cli.output import console
from creditbank.documents.ledger_report import LedgerReport, parse_ledger_report
from creditbank.ledger.audit import Finding
from creditbank.ledger.audit_report import AuditReport
from creditbank.locale.catalogue import Catalogue
from creditbank.terms import instant

EVERY_SECONDS = 3.0
"""How long what was done may wait before it is in the file."""

_REPORT_MAX_BYTES = 64 * 1_048_576
_TO_GO_ON = b"\n# "  # before the last line of a text that is not finished: the report again, for the program


def finding_text(words: Catalogue, finding: Finding) -> str:
    """Return a finding as one sentence that begins with the entry it names."""
    place = "" if finding.subject is None else f"{finding.subject} #{finding.seq}: "
    return place + words.text(f"finding.{finding.code}", **finding.values)


def summary(words: Catalogue, report: AuditReport) -> Iterator[str]:
    """Yield what the findings come to, and under which reservations."""
    key = "word.ledger-whole" if report.is_whole else "word.ledger-damaged"
    if not report.is_finished:
        key = "word.verification-unfinished"
    yield words.text(key, entries=report.size, findings=report.found, root=report.root.hex())
    if report.waiting:
        yield words.text("word.entries-waiting", count=report.waiting)
    check = report.engine_check
    if check is not None and check.refusal is not None:
        yield words.text(f"word.engine-check-{check.refusal}", means=check.means, detail=check.detail)
    listed = len(report.findings)
    if listed < report.found:
        yield words.text("word.findings-not-listed", listed=listed, findings=report.found)


def print_report(words: Catalogue, report: AuditReport) -> None:
    """Print every finding, and whether the ledger is whole."""
    for finding in report.findings:
        console.print(f"✗ {finding_text(words, finding)}", style="red")
    whole, *reservations = summary(words, report)
    console.print(whole, style="green" if report.is_whole else "bold red")
    for reservation in reservations:
        console.print(reservation, style="yellow")


def report_text(words: Catalogue, report: AuditReport) -> str:
    """Return a report as text, for people: what was verified, in which runs, and what was found."""
    task = report.task
    lines = [words.text("word.report-of", log=task.log, database=task.database)]
    lines += [words.text("word.report-key", key=key) for key in task.verifier_keys]
    if task.held is not None:
        lines.append(words.text("word.report-held", size=task.held.size, root=task.held.root.hex()))
    for run in report.runs:
        began = words.instant(instant(run.began_at))
        lines.append(words.text("word.report-run", began=began, size=run.log_size))
        if run.has_chains:
            first, end = run.chains_from or "…", run.chains_to or "…"
            lines.append("  " + words.text("word.report-chains", first=first, end=end))
        lines.append("  " + words.text("word.report-places", first=run.log_from, end=run.log_to))
    if report.engine_check is not None and report.engine_check.refusal is None:
        lines.append(words.text("word.report-engine", means=report.engine_check.means))
    lines += [f"✗ {finding_text(words, finding)}" for finding in report.findings]
    lines += summary(words, report)
    return "\n".join(lines) + "\n"


@dataclass(slots=True, kw_only=True)
class ReportFile:
    """The file that a report is kept in, as text or JSON."""

    path: Path
    is_json: bool
    words: Catalogue
    _latest: AuditReport | None = None
    _written_at: float = field(default_factory=time.monotonic)

    def earlier(self) -> AuditReport | None:
        """Return the report that the file holds, to be gone on with; None where there is no file yet.

        Raises:
            FileUnusable: it is there, and holds no report that is unfinished; or it could not be written.
            LedgerReportInvalid: it holds a report that was tampered with.
        """
        if not self.path.exists():
            require_new(self.path)
            return None
        content = read_file(self.path, max_bytes=_REPORT_MAX_BYTES)
        if not self.is_json:
            _, mark, content = content.rpartition(_TO_GO_ON)
            if not mark:
                raise FileUnusable("file-exists", path=str(self.path))
        return parse_ledger_report(content).report()

    def keep(self, report: AuditReport) -> None:
        """Take note of a report, and write it where the file has fallen behind."""
        self._latest = report
        if report.is_finished or time.monotonic() - self._written_at >= EVERY_SECONDS:
            self.write()

    def write(self) -> None:
        """Write what was noted last, replacing the file at once or not at all."""
        if self._latest is None:
            return
        document = LedgerReport.of(self._latest)
        if self.is_json:
            content = document.encode()
        else:
            content = report_text(self.words, self._latest).encode(errors="backslashreplace")
            if not self._latest.is_finished:
                content += _TO_GO_ON + document.encode(indent=None)
        write_file(content, self.path, replace=True)
        self._written_at = time.monotonic()
