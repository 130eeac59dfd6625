"""Verify everything the bank ever wrote, from the stored bytes alone; only public keys are needed.

Chains and log are checked in parts, by as many processes as the examination has. What has been done is a
report at every moment, and one that is not finished can be gone on with.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from creditbank.errors import IntegrityBroken, InvalidInput
from creditbank.ledger.audit import Finding, LedgerRows, Part, Places
from creditbank.ledger.audit_chains import ENTRIES_AT_ONCE, ChainsChecked, chain_parts
from creditbank.ledger.audit_checkpoints import SignedSizes
from creditbank.ledger.audit_cosignatures import cosignature_findings
from creditbank.ledger.audit_report import AuditReport, AuditRun, AuditTask, EngineChecked
from creditbank.ledger.audit_tree import PLACES_AT_ONCE, LogCheck, LogState, tile_parts
from creditbank.ledger.checkpoint import VerifierKey, open_note
from creditbank.ledger.tiles import root
from creditbank.services.ports import Clock
from creditbank.terms import Progress, microseconds

T = TypeVar("T")


class ReportNotContinued(InvalidInput):
    """This report is not about what is to be verified now, or there is nothing left to do."""

    code = "report-not-continued"


class Examination(Protocol):
    """A database opened for an audit: one consistent view of its rows, and who shares in the work."""

    @property
    def database(self) -> str:
        """Which database it is, for people and to tell it from others; no secret is in it."""

    @property
    def rows(self) -> LedgerRows: ...

    def structure_findings(self) -> Iterator[Finding]:
        """Yield what differs from what the migrations make."""

    def begin_engine_check(self) -> Callable[[], EngineChecked]:
        """Ask the engine about its own files; return what waits for the answer."""

    def checked(self, parts: Iterable[Part[T]]) -> Iterator[T]:
        """Check the parts, and yield what came of each, in their order.

        Raises:
            IntegrityBroken: a page of the database cannot be read.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """How large the parts are; nothing that is found depends on it."""

    entries: int = ENTRIES_AT_ONCE
    places: int = PLACES_AT_ONCE


WHOLE_CUT = Cut()


def verify_ledger(
    examination: Examination,
    *,
    verifier_keys: Sequence[VerifierKey],
    clock: Clock,
    held: bytes | None = None,
    earlier: AuditReport | None = None,
    cut: Cut = WHOLE_CUT,
    on_progress: Progress = lambda _: None,
    on_report: Callable[[AuditReport], None] = lambda _: None,
) -> AuditReport:
    """Recompute structure, chains, log, tiles, checkpoints, cosignatures and payloads (DESIGN §3).

    `verifier_keys` are the log's public keys, retired ones too: at least one, all of one name. `held` is a
    checkpoint kept elsewhere: with it the audit also proves that nothing was cut or forked since. A report
    begun `earlier` is gone on with. Progress is counted in entries, each of which is looked at twice: in its
    chain and in the log. `on_report` gets the report as it stands after every part.

    Raises:
        NoteInvalid: `held` is not a checkpoint of this log.
        ReportNotContinued: `earlier` is about another database, log or checkpoint, or is finished.
    """
    task = AuditTask(
        database=examination.database,
        log=verifier_keys[0].name,
        verifier_keys=tuple(key.encode() for key in verifier_keys),
        held=None if held is None else open_note(held, verifier_keys),
    )
    rows = examination.rows
    if earlier is not None:
        _require_same(earlier, task, rows)
    size = rows.places()
    run = AuditRun(began_at=microseconds(clock()), log_size=size, log_root=_root(rows, size))
    report = replace(earlier or AuditReport(task=task), task=task)
    report = replace(report, runs=(*report.runs, run))
    verification = _Verification(examination, verifier_keys, report, cut, on_progress, on_report)
    verification.do()
    verification.keep(finished_at=microseconds(clock()))
    return verification.report


class _Verification:
    """One run of a verification: what is left to do, and the report as it grows."""

    def __init__(
        self,
        examination: Examination,
        keys: Sequence[VerifierKey],
        report: AuditReport,
        cut: Cut,
        on_progress: Progress,
        on_report: Callable[[AuditReport], None],
    ) -> None:
        self.report = report
        self._examination = examination
        self._keys = keys
        self._cut = cut
        self._on_progress = on_progress
        self._on_report = on_report
        self._looks = 0

    def do(self) -> None:
        """Check what is not checked yet; the engine looks at its files meanwhile."""
        if not self.report.has_structure:
            self._check_structure()
        engine_check = None if self.report.engine_check else self._examination.begin_engine_check()
        if not self.report.has_all_chains:
            self._check_chains()
        if not self.report.has_all_places:
            self._check_log()
        if engine_check is not None:
            self._keep_engine_check(engine_check())

    def keep(self, run: dict[str, Any] | None = None, **changes: Any) -> None:  # noqa: ANN401 - members of the report
        """Put what has been done into the report, and into its last run."""
        if run is not None:
            changes["runs"] = (*self.report.runs[:-1], replace(self.report.run, **run))
        self.report = replace(self.report, **changes)
        self._on_report(self.report)

    def _check_structure(self) -> None:
        found = self.report.structure.and_also(self._examination.structure_findings())
        self.keep({"has_structure": True}, structure=found, has_structure=True)

    def _keep_engine_check(self, checked: EngineChecked) -> None:
        found = self.report.structure.and_also(checked.findings)
        self.keep({"has_engine": True}, structure=found, engine_check=checked.check)

    def _check_chains(self) -> None:
        first = self.report.next_subject
        rows, log = self._examination.rows, self._keys[0].name
        parts = chain_parts(rows, log=log, first=first, entries=self._cut.entries)
        try:
            for done in self._examination.checked(parts):
                self._keep_chains(done, first)
                self._look(done.entries)
        except IntegrityBroken as error:
            found = self.report.chains.and_also([_unreadable(error)])
            self.keep(next_subject=None, has_all_chains=True, chains=found)

    def _keep_chains(self, done: ChainsChecked, first: str | None) -> None:
        report, end = self.report, done.subjects.end
        self.keep(
            {"has_chains": True, "chains_from": first, "chains_to": end},
            entries=report.entries + done.entries,
            waiting=report.waiting + done.waiting,
            next_subject=end,
            has_all_chains=end is None,
            chains=report.chains.and_also(done.findings),
            beside=report.beside.and_also(done.strays),
        )

    def _check_log(self) -> None:
        """Recompute the log. What is found goes into the report with the place from which to go on."""
        state, found = self.report.log, self.report.places
        self.keep({"log_from": state.size, "log_to": state.size})
        new: list[Finding] = []
        try:
            with closing(self._examination.rows.checkpoints(state.size or None)) as checkpoints:
                signed = SignedSizes(
                    checkpoints,
                    self._keys,
                    self.report.task.held,
                    after=state.size or -1,
                    misses_held=state.misses_held,
                )
                log = LogCheck(self._examination.rows, signed, state)
                for finding in self._log_findings(log):
                    if finding is not None:
                        new.append(finding)
                    elif (reached := log.state) is not None:
                        found, new = found.and_also(new), []
                        self.keep({"log_to": reached.size}, log=reached, places=found)
            new.extend(cosignature_findings(self._examination.rows.cosignatures()))
            end = LogState(size=log.size, root=log.root)
        except IntegrityBroken as error:
            new.append(_unreadable(error))
            end = LogState()
        self.keep({"log_to": end.size}, log=end, places=found.and_also(new), has_all_places=True)

    def _log_findings(self, log: LogCheck) -> Iterator[Finding | None]:
        """Go through the whole log; yield None after each part."""
        end = log.size
        yield from log.begin()
        parts = tile_parts(self._examination.rows, first=end, places=self._cut.places)
        for done in self._examination.checked(parts):
            yield from log.take_tiles(done)
            yield None
            self._look(min(done.end - done.first, self._cut.places))
            end = done.end
        yield from log.go_through(Places(end, None))
        yield from log.end()
        self._look(max(log.size - end, 0))

    def _look(self, looks: int) -> None:
        before, self._looks = self._looks, self._looks + looks
        self._on_progress(self._looks // 2 - before // 2)


def _require_same(earlier: AuditReport, task: AuditTask, rows: LedgerRows) -> None:
    if earlier.is_finished:
        raise ReportNotContinued("report-finished")
    before = earlier.task
    if before.database != task.database:
        raise ReportNotContinued("report-of-another-database", then=before.database, now=task.database)
    if (before.log, before.verifier_keys) != (task.log, task.verifier_keys):
        raise ReportNotContinued("report-of-other-keys", log=before.log)
    if before.held != task.held:
        raise ReportNotContinued("report-of-another-checkpoint")
    last = earlier.run
    if rows.places() < last.log_size or _root(rows, last.log_size) != last.log_root:
        raise ReportNotContinued("report-of-another-log", size=last.log_size)


def _root(rows: LedgerRows, size: int) -> bytes | None:
    """Return the root over the first `size` places as the stored tiles have it, None where they do not."""

    def read(level: int, index: int) -> bytes:
        tile = rows.tile(level, index)
        if type(tile) is not bytes:
            raise IntegrityBroken("tile-missing", level=level, index=index)
        return tile

    try:
        return root(size, read)
    except IntegrityBroken:
        return None


def _unreadable(error: IntegrityBroken) -> Finding:
    return Finding(code=error.reason, values=error.values)
