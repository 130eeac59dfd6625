"""Decisions as hypothesis draws them: every kind of grant, refusal, need and cap, with any figures."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, get_args

from hypothesis import strategies as st

from creditbank.conversion.decision import (
    CapUse,
    Decision,
    Exemption,
    Marking,
    Need,
    NextStep,
    Nowhere,
    NowhereReason,
    Refusal,
    RefusalKind,
    RuleCited,
    Waiver,
    WaiverDecision,
)
from creditbank.conversion.holding import FACTS, Pinned
from creditbank.conversion.programme import CapPart, Each
from creditbank.conversion.rule import GradePolicy
from creditbank.outcomes.outcome import OutcomeKind
from creditbank.terms import CourseId, OutcomeId, PackId, PartId, RuleId, Wording
from tests.strategies.choosing import maybe

names = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=20)
codes = st.one_of(names, st.dates().map(date.isoformat), st.builds("{}@{}".format, names, names))
"""Of a course, a certificate or an institution: some look like other things."""
wordings = st.builds(Wording, zh=names, en=st.just("") | names)
outcome_ids = st.integers(0, 999_999).map(lambda seq: OutcomeId(f"{seq:06}"))
days = st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1))
amounts = st.decimals(min_value=Decimal("0.5"), max_value=200, places=1)
OUTCOME_ATTRIBUTES = (
    "level",
    "score",
    "grade",
    "hours",
    "awarded_on",
    "expires_on",
    "issuer",
    "rank",
    "position",
)


@cache
def some(strategy: st.SearchStrategy[Any], *, at_least: int = 0, at_most: int = 2) -> st.SearchStrategy[Any]:
    return st.lists(strategy, min_size=at_least, max_size=at_most).map(tuple)


cited = st.builds(
    RuleCited,
    pack=names.map(PackId),
    digest=st.just("00" * 32),
    rule=names.map(RuleId),
    version=st.integers(1, 99),
    cite=some(names),
    say=st.builds(Wording, zh=st.just("") | names, en=st.just("") | names),
)

grades = st.one_of(
    st.builds(GradePolicy, kind=st.sampled_from(["exempt", "pass", "original"])),
    st.builds(GradePolicy, kind=st.just("fixed"), value=names),
    st.builds(GradePolicy, kind=st.just("capped"), ceiling=amounts),
    st.builds(GradePolicy, kind=st.just("bonus"), value=names, ceiling=amounts),
)
markings = st.one_of(
    st.builds(Marking, table=names, title=wordings),
    st.builds(
        Marking,
        table=names,
        title=wordings,
        by=st.just("grade"),
        outcome=outcome_ids,
        stated=names,
    ),
    st.builds(
        Marking,
        table=names,
        title=wordings,
        by=st.just("score"),
        outcome=outcome_ids,
        stated=amounts.map(str),
        least=amounts,
    ),
)


def _by_its_table(one: Exemption) -> Exemption:
    """Let the grade be that of the table of which it is said how it gave the mark."""
    if one.marking is None:
        return one
    mark = None if one.marking.by is None else one.mark
    return replace(one, mark=mark, grade=GradePolicy(kind="table", table=one.marking.table))


exemptions = st.builds(
    Exemption,
    cited=cited,
    target=names.map(CourseId),
    title=wordings,
    is_bucket=st.booleans(),
    units=st.integers(1, 100),
    credits=amounts,
    with_credit=st.booleans(),
    grade=grades,
    mark=st.none() | names,
    spent=some(outcome_ids, at_least=1),
    witnesses=some(outcome_ids),
    route=st.none(),
    marking=st.none() | markings,
).map(_by_its_table)

waivers = st.builds(
    Waiver, cited=cited, part=names.map(PartId), title=wordings, witnesses=some(outcome_ids, at_least=1)
)

eachs = st.one_of(
    st.builds(Each, per=st.just("issuer"), value=codes),
    st.builds(Each, per=st.just("code"), value=codes),
    st.builds(Each, per=st.just("kind"), value=st.sampled_from(get_args(OutcomeKind))),
)
cap_parts = st.builds(CapPart, cap=names, period=st.none() | days, each=st.none() | eachs)

caps = st.builds(
    CapUse,
    id=names,
    title=wordings,
    measure=st.sampled_from(["credits", "courses", "outcomes", "parts"]),
    used=amounts,
    maximum=amounts,
    binds=st.booleans(),
    cite=some(names),
    period=st.none() | days,
    each=st.none() | eachs,
)

asked = st.one_of(
    names,
    days.map(date.isoformat),
    days.map(lambda day: f"≥{day}"),
    days.map(lambda day: f">{day}"),
    st.integers(1, 9).map("{}y".format),
    st.integers(0, 100).map("≤{}".format),
    st.integers(0, 100).map("≥{0} ≤{0}".format),
    st.lists(names, min_size=2, max_size=3).map("/".join),
    st.just("*"),
)

needs = st.one_of(
    st.builds(
        Need,
        attribute=st.sampled_from(OUTCOME_ATTRIBUTES),
        have=st.none() | names,
        need=asked,
        outcome=outcome_ids,
    ),
    st.builds(
        Need,
        attribute=st.sampled_from(OUTCOME_ATTRIBUTES),
        have=names,
        need=asked,
        outcome=outcome_ids,
        counted_as=st.just("") | names,
        lowered_by=some(wordings, at_least=1),
    ),
    st.builds(Need, attribute=st.sampled_from(sorted(FACTS)), have=st.none() | names, need=asked),
    st.builds(Need, attribute=st.just("outcome"), have=st.none(), need=names),
)


_gains = st.integers(0, 50)
_kinds = st.sampled_from(get_args(RefusalKind))


@cache
@st.composite
def refusals(draw: st.DrawFn) -> Refusal:
    gain = draw(maybe(_gains))
    kind = draw(_kinds)
    return Refusal(
        cited=draw(cited),
        kind=kind,
        target=draw(maybe(names)),
        outcomes=draw(some(outcome_ids)),
        by=draw(some(cap_parts if kind == "cap" else names)),
        needs=draw(some(needs, at_least=1)),
        gain=gain,
        gain_credits=None if gain is None else Decimal(gain),
    )


next_steps = st.integers(1, 50).flatmap(
    lambda gain: st.builds(
        NextStep, cited=cited, need=needs, gain=st.just(gain), gain_credits=st.just(Decimal(gain))
    )
)

nowheres = st.builds(
    Nowhere,
    outcome=outcome_ids,
    reason=st.sampled_from(get_args(NowhereReason)),
    rules=some(names.map(RuleId)),
    credits=st.none() | amounts,
)

pins = st.builds(Pinned, pack=names, rule=names, rule_version=st.just(1), target=names)

_shared: dict[str, st.SearchStrategy[Any]] = {
    "title": wordings,
    "as_of": days,
    "pinned": some(pins),
    "caps": some(caps),
    "refusals": some(refusals()),
    "next_step": st.none() | next_steps,
}

exemption_decisions = st.builds(
    Decision,
    credits=amounts,
    credited=amounts,
    step=st.just(Decimal("0.5")),
    exemptions=some(exemptions),
    nowhere=some(nowheres),
    **_shared,
)
waiver_decisions = st.builds(WaiverDecision, waivers=some(waivers), **_shared)
