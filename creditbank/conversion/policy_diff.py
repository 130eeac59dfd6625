"""What another set of rules would change: for one learner, place by place, and for all of them together.

Who the learners are, and how many are decided at once, is for `services.policy_diff`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from creditbank.conversion.decision import Decision, WaiverDecision
from creditbank.conversion.holding import Holding
from creditbank.conversion.programme import Exam, Programme
from creditbank.conversion.rule import RulePack
from creditbank.terms import ExamId, ProgrammeId, RuleId

Measure = Literal["credits", "parts"]
_NOTHING = Decimal(0)
_ONE_PART = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A programme or an exam, and the packs whose rules may apply in it: as before, or as after.

    `as_of` where it is another day than that of the question; `supposed` outcomes everybody holds besides.
    Where the packs do not define the place nothing applies in it, not even what was promised.
    """

    place: Programme | Exam
    packs: tuple[RulePack, ...]
    as_of: date | None = None
    supposed: tuple[Holding, ...] = ()
    is_defined: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One programme or exam under two sets of rules; a set that does not define it has no packs for it."""

    id: ProgrammeId | ExamId
    measure: Measure
    before: Side
    after: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one version of a rule gives of a place: credits, or a part as one."""

    rule: RuleId
    version: int
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A course, bucket or part of which a learner has more or less, or has it by another rule."""

    target: str
    before: Share | None
    after: Share | None

    @property
    def change(self) -> Decimal:
        """How much more than before."""
        before = _NOTHING if self.before is None else self.before.amount
        after = _NOTHING if self.after is None else self.after.amount
        return after - before


@dataclass(slots=True, kw_only=True)
class Total:
    """What everybody comes to, in credits or in parts; `unproved` learners may come to more."""

    before: Decimal = _NOTHING
    after: Decimal = _NOTHING
    gained: Decimal = _NOTHING
    lost: Decimal = _NOTHING
    gaining: int = 0
    losing: int = 0
    unproved: int = 0

    def count(self, before: Decimal, after: Decimal, *, proved: bool = True) -> None:
        """Count one learner in one programme or exam."""
        self.before += before
        self.after += after
        self.unproved += not proved
        if after > before:
            self.gained += after - before
            self.gaining += 1
        elif after < before:
            self.lost += before - after
            self.losing += 1


@dataclass(slots=True, kw_only=True)
class RuleTotal:
    """What passes from one rule to another over everybody: how many learners, and how much more they have."""

    learners: int = 0
    change: Decimal = _NOTHING


@dataclass(slots=True)
class RuleTotals:
    """The totals by (old rule, new rule), each with its version."""

    totals: dict[tuple[str, str], RuleTotal] = field(default_factory=dict)

    def count(self, shifts: Iterable[Shift]) -> None:
        """Count one learner's shifts."""
        changes: dict[tuple[str, str], Decimal] = {}
        for shift in shifts:
            pair = (name_of(shift.before), name_of(shift.after))
            changes[pair] = changes.get(pair, _NOTHING) + shift.change
        for pair, change in changes.items():
            total = self.totals.setdefault(pair, RuleTotal())
            total.learners += 1
            total.change += change


def name_of(share: Share | None) -> str:
    """Return the rule and its version as they are shown; empty where there is none."""
    return "" if share is None else f"{share.rule} v{share.version}"


def shifts_between(before: Decision | WaiverDecision, after: Decision | WaiverDecision) -> tuple[Shift, ...]:
    """Return what differs between two decisions about one learner, by place and rule.

    The changes add up to the difference of what the two decisions grant.
    """
    olds, news = _shares(before), _shares(after)
    targets = dict.fromkeys((*olds, *news))
    return tuple(
        shift for target in targets for shift in _shifts(target, olds.get(target, {}), news.get(target, {}))
    )


_Shares = dict[RuleId, Share]


def _shares(decision: Decision | WaiverDecision) -> Mapping[str, _Shares]:
    found: dict[str, _Shares] = {}
    for target, share in _granted(decision):
        of_target = found.setdefault(target, {})
        so_far = of_target.get(share.rule)
        amount = share.amount + (so_far.amount if so_far is not None else _NOTHING)
        of_target[share.rule] = Share(rule=share.rule, version=share.version, amount=amount)
    return found


def _granted(decision: Decision | WaiverDecision) -> Iterator[tuple[str, Share]]:
    match decision:
        case Decision(exemptions=exemptions):
            for one in exemptions:
                cited = one.cited
                yield one.target, Share(rule=cited.rule, version=cited.version, amount=one.credits)
        case WaiverDecision(waivers=waivers):
            for waiver in waivers:
                cited = waiver.cited
                yield waiver.part, Share(rule=cited.rule, version=cited.version, amount=_ONE_PART)


def _shifts(target: str, olds: _Shares, news: _Shares) -> Iterator[Shift]:
    """Pair what the same rule gives, then the rest in order of the rules' ids."""
    for rule in sorted(olds.keys() & news.keys()):
        if olds[rule] != news[rule]:
            yield Shift(target=target, before=olds[rule], after=news[rule])
    gone = [olds[rule] for rule in sorted(olds.keys() - news.keys())]
    come = [news[rule] for rule in sorted(news.keys() - olds.keys())]
    for number in range(max(len(gone), len(come))):
        yield Shift(
            target=target,
            before=gone[number] if number < len(gone) else None,
            after=come[number] if number < len(come) else None,
        )
