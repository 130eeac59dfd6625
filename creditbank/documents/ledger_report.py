"""The report of a verification as JSON: what was checked when, what was found, and, until it is finished, all
that is needed to go on.

It names accounts, and never persons: names are nowhere in the ledger.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from creditbank.errors import InvalidInput
from creditbank.ledger.audit import Finding
from creditbank.ledger.audit_report import AuditReport, AuditRun, AuditTask, EngineCheck, Findings, Kind
from creditbank.ledger.audit_tree import LogState
from creditbank.ledger.checkpoint import Checkpoint
from creditbank.ledger.encoding import base64_text, parse_base64
from creditbank.terms import instant, microseconds

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256, in hex")]
Count = Annotated[int, Field(ge=0, lt=2**63)]


class LedgerReportInvalid(InvalidInput):
    """These bytes are not the report of a verification."""

    code = "ledger-report-invalid"


class Document(BaseModel):
    """What every part of the report has in common."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class FindingDocument(Document):
    """One thing that was found; the sentences belonging to the codes are in the bank's catalogues."""

    kind: Kind = Field(description="by which check: beside are rows that belong to no entry")
    code: str
    subject: str | None = None
    seq: int | None = None
    values: dict[str, str] = {}

    @classmethod
    def of(cls, kind: Kind, finding: Finding) -> "FindingDocument":
        return cls(
            kind=kind,
            code=finding.code,
            subject=None if finding.subject is None else _sayable(finding.subject),
            seq=finding.seq,
            values={name: _sayable(str(value)) for name, value in finding.values.items()},
        )

    def finding(self) -> Finding:
        return Finding(code=self.code, subject=self.subject, seq=self.seq, values=dict(self.values))


class CheckpointDocument(Document):
    """A checkpoint that was kept elsewhere and handed in."""

    size: Count
    root: Digest


class EngineDocument(Document):
    """What the database's engine was asked about its own files; `refusal` says why it could not be."""

    means: str
    refusal: str | None = None
    detail: str = ""


class SubjectsDocument(Document):
    """The chains of the subjects from one up to, not including, another; null is no bound."""

    first: str | None = Field(alias="from")
    end: str | None = Field(alias="to")


class PlacesDocument(Document):
    """The places of the log from one up to, not including, another."""

    first: Count = Field(alias="from")
    end: Count = Field(alias="to")


class RunDocument(Document):
    """What was checked in one run, and the log as it stood when that began, by its own tiles."""

    began_at: AwareDatetime
    log_size: Count
    log_root: Digest | None
    structure: bool
    engine: bool
    chains: SubjectsDocument | None
    log: PlacesDocument

    @classmethod
    def of(cls, run: AuditRun) -> "RunDocument":
        chains = SubjectsDocument(first=run.chains_from, end=run.chains_to) if run.has_chains else None
        return cls(
            began_at=instant(run.began_at),
            log_size=run.log_size,
            log_root=None if run.log_root is None else run.log_root.hex(),
            structure=run.has_structure,
            engine=run.has_engine,
            chains=chains,
            log=PlacesDocument(first=run.log_from, end=run.log_to),
        )

    def run(self) -> AuditRun:
        chains = self.chains or SubjectsDocument(first=None, end=None)
        return AuditRun(
            began_at=microseconds(self.began_at),
            log_size=self.log_size,
            log_root=None if self.log_root is None else bytes.fromhex(self.log_root),
            has_structure=self.structure,
            has_engine=self.engine,
            has_chains=self.chains is not None,
            chains_from=chains.first,
            chains_to=chains.end,
            log_from=self.log.first,
            log_to=self.log.end,
        )


class EdgeDocument(Document):
    """A tile, not full yet, of the log whose entries are the roots of full tiles."""

    level: Count
    index: Count
    hashes: str = Field(description="the tile's bytes, in base64")


class ResumeDocument(Document):
    """Where an unfinished verification goes on: a matter of this program alone."""

    structure: bool
    all_chains: bool
    next_subject: str | None
    all_places: bool
    edge: tuple[EdgeDocument, ...]
    misses_held: bool


class LedgerReport(Document):
    """The report of a verification of the whole ledger."""

    v: Literal[1] = 1
    finished_at: AwareDatetime | None = Field(description="null until everything was checked")
    whole: bool | None = Field(description="whether nothing was found; null until everything was checked")
    database: str
    log: str = Field(description="the log's origin")
    verifier_keys: tuple[str, ...]
    held: CheckpointDocument | None = Field(description="the checkpoint kept elsewhere, if one was given")
    runs: tuple[RunDocument, ...]
    engine_check: EngineDocument | None
    entries: Count = Field(description="entries looked at in their chains")
    waiting: Count = Field(description="those of them that wait for their place in the log")
    size: Count = Field(description="places of the log that were recomputed")
    root: Digest = Field(description="the root over them")
    counts: dict[Kind, dict[str, Count]] = Field(description="findings by kind and code, listed or not")
    findings: tuple[FindingDocument, ...] = Field(description="the first 10,000 of each kind")
    resume: ResumeDocument | None = None

    @classmethod
    def of(cls, report: AuditReport) -> "LedgerReport":
        """Return the document of a report, at any moment of the verification."""
        task, held, engine = report.task, report.task.held, report.engine_check
        return cls(
            finished_at=None if report.finished_at is None else instant(report.finished_at),
            whole=report.is_whole if report.is_finished else None,
            database=_sayable(task.database),
            log=task.log,
            verifier_keys=task.verifier_keys,
            held=None if held is None else CheckpointDocument(size=held.size, root=held.root.hex()),
            runs=tuple(map(RunDocument.of, report.runs)),
            engine_check=None
            if engine is None
            else EngineDocument(means=engine.means, refusal=engine.refusal, detail=_sayable(engine.detail)),
            entries=report.entries,
            waiting=report.waiting,
            size=report.size,
            root=report.root.hex(),
            counts={kind: dict(found.counts) for kind, found in report.kinds.items() if found.counts},
            findings=tuple(_findings(report)),
            resume=None if report.is_finished else _resume(report),
        )

    def report(self) -> AuditReport:
        """Return the report, to be gone on with where it is not finished.

        Raises:
            InvalidInput: it holds what no verification puts into a report.
        """
        resume = self.resume or ResumeDocument(
            structure=True, all_chains=True, next_subject=None, all_places=True, edge=(), misses_held=False
        )
        engine = self.engine_check
        return AuditReport(
            task=AuditTask(
                database=self.database, log=self.log, verifier_keys=self.verifier_keys, held=self._held()
            ),
            runs=tuple(run.run() for run in self.runs),
            finished_at=None if self.finished_at is None else microseconds(self.finished_at),
            has_structure=resume.structure,
            engine_check=None
            if engine is None
            else EngineCheck(means=engine.means, refusal=engine.refusal, detail=engine.detail),
            entries=self.entries,
            waiting=self.waiting,
            next_subject=resume.next_subject,
            has_all_chains=resume.all_chains,
            log=self._log_state(resume),
            has_all_places=resume.all_places,
            structure=self._found("structure"),
            chains=self._found("chains"),
            beside=self._found("beside"),
            places=self._found("log"),
        )

    def encode(self, *, indent: int | None = 2) -> bytes:
        """Return it as JSON that ends with a line break, indented or on one line."""
        return self.model_dump_json(indent=indent, by_alias=True).encode() + b"\n"

    def _log_state(self, resume: ResumeDocument) -> LogState:
        tiles = {(tile.level, tile.index): parse_base64(tile.hashes) for tile in resume.edge}
        state = LogState(
            size=self.size,
            root=bytes.fromhex(self.root),
            edge=tiles,
            misses_held=resume.misses_held,
        )
        if not resume.all_places and not state.is_sound:
            raise LedgerReportInvalid("ledger-report-malformed", where="resume.edge")
        return state

    def _held(self) -> Checkpoint | None:
        if self.held is None:
            return None
        return Checkpoint(origin=self.log, size=self.held.size, root=bytes.fromhex(self.held.root))

    def _found(self, kind: Kind) -> Findings:
        listed = tuple(each.finding() for each in self.findings if each.kind == kind)
        return Findings(listed=listed, counts=dict(self.counts.get(kind, {})))


def parse_ledger_report(content: bytes) -> LedgerReport:
    """Read a report back.

    Raises:
        LedgerReportInvalid: `ledger-report-malformed`: the bytes are none.
    """
    try:
        return LedgerReport.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or first["type"]
        raise LedgerReportInvalid("ledger-report-malformed", where=where) from error


def ledger_report_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a report."""
    schema = LedgerReport.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _findings(report: AuditReport) -> Iterator[FindingDocument]:
    for kind, found in report.kinds.items():
        yield from (FindingDocument.of(kind, finding) for finding in found.listed)


def _resume(report: AuditReport) -> ResumeDocument:
    edge = sorted(report.log.edge.items())
    return ResumeDocument(
        structure=report.has_structure,
        all_chains=report.has_all_chains,
        next_subject=report.next_subject,
        all_places=report.has_all_places,
        edge=tuple(
            EdgeDocument(level=level, index=index, hashes=base64_text(tile)) for (level, index), tile in edge
        ),
        misses_held=report.log.misses_held,
    )


def _sayable(text: str) -> str:
    """Return a text without what no JSON may hold: bytes of a damaged cell that are no text."""
    return text.encode(errors="backslashreplace").decode()
