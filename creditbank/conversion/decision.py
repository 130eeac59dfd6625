"""The answer to "what does this free me from": a value that holds everything needed to explain it.

Equal questions have equal answers, byte for byte (`as_json`). Codes and figures only; the sentences in it
are those of the packs. Which answer is given is for `allocation` and `waivers`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from creditbank.conversion.holding import Pinned
from creditbank.conversion.procedure import Step
from creditbank.conversion.programme import CapPart, Each, Measure
from creditbank.conversion.rule import GradePolicy
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.terms import (
    CourseId,
    ExamId,
    Microseconds,
    OutcomeId,
    PackId,
    PartId,
    ProgrammeId,
    RuleId,
    Wording,
)

_LEFT_OUT = (
    ("kept", ()),
    ("solver", None),
    ("each", None),
    ("proof", None),
    ("void_if", ()),
    ("procedure", ()),
    ("worths", ()),
    ("marking", None),
    ("table", None),
    ("share", None),
    ("at_level", None),
    ("counted_as", None),
    ("lowered_by", ()),
    ("granted_on", None),
)
_EFFORT = "nodes"
"""How much was searched: no part of the answer, whose bytes stay the same when the search gets better."""
JsonValue = None | bool | int | str | list["JsonValue"] | dict[str, "JsonValue"]

RefusalKind = Literal[
    "fact",  # the applicant is not whom the rule is for, or a fact about them is missing
    "premise",  # no outcome meets a premise
    "never-met",  # the rule asks for outcomes that cannot all count at once
    "not-exemptible",  # the course may not be exempted under this rule
    "unpaired",  # no course of the rule goes with the outcomes spent, or this one does not
    "gap",  # its credits are too many more or fewer than those of the outcomes spent, or their hours too few
    "taken",  # another grant exempts the course already
    "spent-elsewhere",  # the outcome is spent under another rule, or drawn empty
    "exclusive",  # another rule of the same exclusive group applies
    "similar",  # a similar outcome counts already
    "no-worth",  # the table, or the outcome itself, gives nothing that could be spent
    "budget",  # the outcome holds fewer credits than the course
    "limit",  # the rule's own limit is reached
    "capacity",  # the bucket is full
    "leftover",  # only what is left of a course goes there, and none is exempted by it
    "cap",  # a cap is reached
    "void",  # an outcome makes what the rule waives void
    "not-waivable",  # the part must be sat
    "tie-break",  # as many units as the answer, which comes before it in the order of CONVERSION §3
    "not-searched",  # the search ended before it could tell
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleElsewhere:
    """A rule of another programme, under which a grant there has spent an outcome.

    A decision's JSON writes it as one text, `programme/rule`.
    """

    programme: str
    rule: str

    def __str__(self) -> str:
        return f"{self.programme}/{self.rule}"


By = str | CapPart | RuleElsewhere
"""What stands in the way: the id of a rule, a table, a place or an outcome, or what of a cap is reached."""
NowhereReason = Literal[
    "expired",
    "not-yet",
    "revoked",
    "no-rule",
    "unmet",
    "no-worth",  # a table, or the outcome itself, gives nothing that could be spent
    "no-place",  # no course of the rules goes with it and may be exempted
    "cap",  # a cap, a rule's own limit or a full bucket keeps it out
    "registered",  # a grant that is registered already rules it out
    "not-needed",
    "not-searched",  # the search ended before it could tell
    "leftover",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCited:
    """The version of a rule that speaks, and where it is written."""

    pack: PackId
    digest: str
    rule: RuleId
    version: int
    cite: tuple[str, ...]
    say: Wording
    proof: Wording | None = None  # the document to be shown; not in the JSON where none is asked for
    void_if: tuple[Wording, ...] = ()  # after what it is void; not in the JSON where there is nothing
    procedure: tuple[Step, ...] = ()  # steps before it is registered; not in the JSON where there are none


WorthApplied = Literal[
    "row", "hours", "amount", "share", "downgrade", "deduction", "part", "maximum", "within"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorthStep:
    """One step from a table to a worth, and the credits after it.

    `row` is what the table gives; `hours` divides the hours stated (`of`) by those of a credit (`by`), and
    `amount` another number stated; `share` multiplies the credits stated (`of`); `downgrade` looks up so
    many levels lower (`by`), `deduction` takes off so many credits (`by`), never below zero, and `part`
    leaves so much (`by`) of what there is; `maximum` is the table's own, `within`
    that of the table of another authority, whose title is `why`.
    """

    applied: WorthApplied
    credits: Decimal
    of: Decimal | None = None
    by: Decimal | None = None
    why: Wording | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What an outcome is worth by a table of the rule's pack, and how that came out."""

    outcome: OutcomeId
    table: str
    title: Wording
    credits: Decimal
    steps: tuple[WorthStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marking:
    """How a mark came out by a table of the rule's pack: what was looked up, and whose.

    `least` is the score from which the band reached begins; where no band is, that of the lowest one. Without
    `by` no outcome states what the table goes by.
    """

    table: str
    title: Wording
    by: Literal["score", "grade"] | None = None
    outcome: OutcomeId | None = None
    stated: str | None = None
    least: Decimal | None = None  # of a score


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """A course exempted, or credits given to a bucket, under one rule on named evidence."""

    cited: RuleCited
    target: CourseId
    title: Wording
    is_bucket: bool
    units: int  # in the decision's step
    credits: Decimal
    with_credit: bool
    grade: GradePolicy
    mark: str | None  # what the grade policy makes of the outcome's own mark, where that can be said
    spent: tuple[OutcomeId, ...]
    witnesses: tuple[OutcomeId, ...]
    route: str | None
    worths: tuple[Worth, ...] = ()  # of what is spent, by tables; not in the JSON where there are none
    marking: Marking | None = None  # where a table gives the mark; not in the JSON where none does


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A part of an exam that need not be sat."""

    cited: RuleCited
    part: PartId
    title: Wording
    witnesses: tuple[OutcomeId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CapUse:
    """How full a cap is, registered grants included; `binds`: something was refused for it alone."""

    id: str
    title: Wording
    measure: Measure | Literal["parts"]
    used: Decimal
    maximum: Decimal
    binds: bool
    cite: tuple[str, ...]
    period: date | None = None  # the first day of the stretch of time, of a cap that has them
    each: Each | None = None  # of a cap that bounds each; in the JSON its value alone, or nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What stands between the learner and a rule.

    `attribute` names an attribute of the outcome (`level`, `score`, `awarded_on`, …), a fact about the
    applicant, `code` where a table does not list the outcome's, or is `outcome` where none of the kind and
    code that `need` names is held; `at_level` is then the lowest level with which all of the gain comes.
    `have` is always what the outcome states. Where a table lowers that, `counted_as` is what it is looked up
    as, empty below the scale, and `lowered_by` says why: members that are not in the JSON without it.
    """

    attribute: str
    have: str | None
    need: str
    outcome: OutcomeId | None = None
    premise: int | None = None  # from 0
    at_level: FrameworkLevel | None = None  # not in the JSON where there is none
    counted_as: str | None = None
    lowered_by: tuple[Wording, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a rule in force grants nothing, or leaves out some of its places.

    `by` names what stands in the way: parts of caps, rules, outcomes or an exclusive group. `gain` is
    computed: the units of the best answer with the one thing needed, less those of this answer; None where
    more than one thing is missing, or what is missing cannot be supplied. `worths` is how what a table gives
    came to less than a step, where that is why.
    """

    cited: RuleCited
    kind: RefusalKind
    target: str | None = None  # the course, bucket or part, where only this one is refused
    outcomes: tuple[OutcomeId, ...] = ()
    by: tuple[By, ...] = ()
    needs: tuple[Need, ...] = ()
    gain: int | None = None
    gain_credits: Decimal | None = None
    worths: tuple[Worth, ...] = ()  # not in the JSON where there are none


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """The cheapest single addition that brings more: first a better outcome, then a new one."""

    cited: RuleCited
    need: Need
    gain: int
    gain_credits: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Nowhere:
    """An outcome that counts for nothing here, or the part of it that does (`leftover`), and why."""

    outcome: OutcomeId
    reason: NowhereReason
    rules: tuple[RuleId, ...] = ()  # that would have wanted it
    credits: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A rule version that is in force for the learner by a pre-decision alone, up to its last day."""

    pre_decision: OutcomeId
    pack: PackId
    rule: RuleId
    version: int
    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a learner's outcomes exempt in a programme; `units` and `credits` leave out what is pinned.

    `proved` says that no allocation has more units and that the order of CONVERSION §3 picked this one;
    if not, no allocation has more than `upper_bound`.
    """

    programme: ProgrammeId
    programme_version: int
    title: Wording
    as_of: date
    known_at: Microseconds
    step: Decimal
    packs: tuple[tuple[PackId, str], ...]  # with rules in force, and their digests
    units: int
    credits: Decimal
    credited: Decimal  # of these, with credit
    proved: bool
    upper_bound: int
    nodes: int  # that were searched; not in the JSON
    exemptions: tuple[Exemption, ...]
    pinned: tuple[Pinned, ...]
    caps: tuple[CapUse, ...]
    refusals: tuple[Refusal, ...]
    next_step: NextStep | None
    nowhere: tuple[Nowhere, ...]
    kept: tuple[Kept, ...] = ()  # not in the JSON where there are none
    solver: str | None = None  # that settled what the search could not; not in the JSON where there is none

    @property
    def is_granted(self) -> bool:
        return bool(self.exemptions)

    def as_json(self) -> dict[str, JsonValue]:
        """Return the decision as canonical JSON values: no floats, dates in ISO 8601, decimals as strings."""
        return json_members(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverDecision:
    """Which parts of an exam a learner's outcomes waive, beyond those already waived."""

    exam: ExamId
    exam_version: int
    title: Wording
    as_of: date
    known_at: Microseconds
    packs: tuple[tuple[PackId, str], ...]
    waivers: tuple[Waiver, ...]
    pinned: tuple[Pinned, ...]
    caps: tuple[CapUse, ...]
    refusals: tuple[Refusal, ...]
    next_step: NextStep | None
    kept: tuple[Kept, ...] = ()  # not in the JSON where there are none

    @property
    def is_granted(self) -> bool:
        return bool(self.waivers)

    def as_json(self) -> dict[str, JsonValue]:
        """Return the decision as canonical JSON values: no floats, dates in ISO 8601, decimals as strings."""
        return json_members(self)


def decimal_text(value: Decimal) -> str:
    """Return a decimal in its shortest plain notation."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def json_members(value: Any) -> dict[str, JsonValue]:  # noqa: ANN401 (any dataclass of plain values)
    """Return the members of an answer as canonical JSON values: no floats, decimals as strings."""
    named = {member.name: getattr(value, member.name) for member in fields(value)}
    return {
        name: _json(own) for name, own in named.items() if name != _EFFORT and (name, own) not in _LEFT_OUT
    }


def _json(value: object) -> JsonValue:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, CapPart | Each | RuleElsewhere):
        return str(value)
    if isinstance(value, tuple):
        return [_json(item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): _json(item) for name, item in value.items()}
    assert is_dataclass(value), f"a decision holds no {type(value)}"
    return json_members(value)
