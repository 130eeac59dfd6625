"""Whether grants would still be made on the outcomes they rest on, and what could stand in their place.

Both ask the deciding modules a narrower question: about some places of the programme or exam alone, beside
every other grant that is registered, under one rule or under all.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from creditbank.conversion.declared import DeclaredFact
from creditbank.conversion.marking import MarkTable
from creditbank.conversion.programme import Exam, Programme
from creditbank.conversion.recognition import RecognitionTable
from creditbank.conversion.rule import Citation, DateBasis, Rule, RulePack, Scale
from creditbank.conversion.rules_by_aim import RulesByAim
from creditbank.terms import Microseconds, PackId, Wording

_NEVER = Microseconds(2**62)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackView:
    """A pack seen in part: its rules as they are for one question, everything else as in the pack."""

    id: PackId
    digest: str
    step: Decimal
    date_basis: DateBasis
    scales: Mapping[str, Scale]
    facts: Mapping[str, DeclaredFact]
    rules: Sequence[Rule]
    tables: Mapping[str, RecognitionTable]
    mark_tables: Mapping[str, MarkTable]
    citations: Mapping[str, Citation]
    attributes: Mapping[str, Wording]
    by_aim: RulesByAim = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_aim", RulesByAim(self.rules))

    @classmethod
    def of(cls, pack: RulePack, rules: Iterable[Rule]) -> "PackView":
        """Return the pack with these rules instead of its own."""
        return cls(
            id=pack.id,
            digest=pack.digest,
            step=pack.step,
            date_basis=pack.date_basis,
            scales=pack.scales,
            facts=pack.facts,
            rules=tuple(rules),
            tables=pack.tables,
            mark_tables=pack.mark_tables,
            citations=pack.citations,
            attributes=pack.attributes,
        )


def under_rule(packs: Iterable[RulePack], pack: str, rule: str, version: int) -> tuple[RulePack, ...]:
    """Return the packs in which this rule alone is in force; the others are known, for what rests on them."""
    return tuple(
        PackView.of(
            each,
            (
                one
                if (each.id, one.id, one.version) == (pack, rule, version)
                else replace(one, published_at=_NEVER)
                for one in each.rules
            ),
        )
        for each in packs
    )


def only_places(programme: Programme, places: Collection[str]) -> Programme:
    """Return the programme in which nothing but these courses and buckets can be exempted."""
    return replace(
        programme,
        courses=tuple(
            course if course.id in places else replace(course, exemptible=False, exempt_for=frozenset[str]())
            for course in programme.courses
        ),
        buckets=tuple(
            bucket if bucket.id in places else replace(bucket, capacity=Decimal(0))
            for bucket in programme.buckets
        ),
    )


def only_parts(exam: Exam, parts: Collection[str]) -> Exam:
    """Return the exam of which nothing but these parts can be waived."""
    return replace(
        exam,
        parts=tuple(part if part.id in parts else replace(part, waivable=False) for part in exam.parts),
    )
