"""How far a verification has come and what it found: all that is printed, and all that is needed to go on.

A report says for each of its runs what was checked then, and how far the log had come: what was checked in
one run and changed before the next is not seen by the second.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from creditbank.ledger.audit import Finding
from creditbank.ledger.audit_tree import LogState
from creditbank.ledger.checkpoint import Checkpoint
from creditbank.terms import Microseconds

Kind: TypeAlias = Literal["structure", "chains", "beside", "log"]
"""Of findings: by which check; `beside` are rows that belong to no entry."""

LISTED_MAX = 10_000
"""So many findings of each kind of check are listed; more are counted, by their code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What one kind of check has found: in full, up to a number, and how many of each code."""

    listed: tuple[Finding, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    def and_also(self, more: Iterable[Finding]) -> "Findings":
        """Return these, and more behind them."""
        listed, counts = list(self.listed), dict(self.counts)
        for finding in more:
            counts[finding.code] = counts.get(finding.code, 0) + 1
            if len(listed) < LISTED_MAX:
                listed.append(finding)
        return Findings(listed=tuple(listed), counts=counts)

    @property
    def total(self) -> int:
        """How many there are, listed or not."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineCheck:
    """What the database's engine says of its own files, and by which means.

    `refusal` is why it could not be asked, None where it was; `detail` is what it then said itself.
    """

    means: str
    refusal: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineChecked:
    """What came of asking the engine."""

    check: EngineCheck
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditTask:
    """What is verified, and against what: a report goes on only with the same."""

    database: str
    log: str
    verifier_keys: tuple[str, ...]
    held: Checkpoint | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRun:
    """One run: when it began, the log as it stood then by its own tiles, and what was checked in this run.

    Chains are those of the subjects from `chains_from` up to, not including, `chains_to`, where None is no
    bound; the log's places are those from `log_from` up to `log_to`. Without a root the tiles were not whole.
    """

    began_at: Microseconds
    log_size: int
    log_root: bytes | None
    has_structure: bool = False
    has_engine: bool = False
    has_chains: bool = False
    chains_from: str | None = None
    chains_to: str | None = None
    log_from: int = 0
    log_to: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """A verification, at any moment of it."""

    task: AuditTask
    runs: tuple[AuditRun, ...] = ()
    finished_at: Microseconds | None = None
    has_structure: bool = False
    engine_check: EngineCheck | None = None
    entries: int = 0
    """How many entries were looked at in their chains."""
    waiting: int = 0
    """How many of them wait for their place in the log."""
    next_subject: str | None = None
    """Where the chains go on; None before the first and after the last."""
    has_all_chains: bool = False
    log: LogState = field(default_factory=LogState)
    """The log recomputed, up to the end of a tile until `has_all_places`."""
    has_all_places: bool = False
    structure: Findings = field(default_factory=Findings)
    chains: Findings = field(default_factory=Findings)
    beside: Findings = field(default_factory=Findings)
    """Rows that belong to no entry."""
    places: Findings = field(default_factory=Findings)
    """What is wrong with the log: its places, tiles, state, checkpoints and cosignatures."""

    @property
    def size(self) -> int:
        """How many places of the log were recomputed."""
        return self.log.size

    @property
    def root(self) -> bytes:
        """The root over them."""
        return self.log.root

    @property
    def kinds(self) -> Mapping[Kind, Findings]:
        """The findings of every kind of check, in the order in which they are read."""
        return {
            "structure": self.structure,
            "chains": self.chains,
            "beside": self.beside,
            "log": self.places,
        }

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that an auditor must see, as far as it is listed."""
        return tuple(finding for kind in self.kinds.values() for finding in kind.listed)

    @property
    def found(self) -> int:
        """How many findings there are, listed or not."""
        return sum(kind.total for kind in self.kinds.values())

    @property
    def is_finished(self) -> bool:
        return self.finished_at is not None

    @property
    def is_whole(self) -> bool:
        """Whether everything was checked and nothing was found."""
        return self.is_finished and not self.found

    @property
    def run(self) -> AuditRun:
        """The run that goes on."""
        return self.runs[-1]
