"""Writes `explanations.<language>.txt`: `python -m tests.golden.explanations`.

Everything that a decision may say, at least once: each way to be granted something, each kind of refusal,
each cap, each need, and each reason why an outcome counts nowhere. Read them after every change.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal, get_args

from creditbank.conversion.decision import (
    CapUse,
    Decision,
    Exemption,
    Kept,
    Marking,
    Need,
    NextStep,
    Nowhere,
    NowhereReason,
    Refusal,
    RefusalKind,
    RuleCited,
    RuleElsewhere,
    Waiver,
    WaiverDecision,
    Worth,
    WorthStep,
)
from creditbank.conversion.holding import Pinned
from creditbank.conversion.programme import CapPart, Each, Measure
from creditbank.conversion.rule import Citation, GradePolicy
from creditbank.locale.catalogue import Catalogue, catalogue
from creditbank.locale.decision_wording import decision_lines
from creditbank.locale.naming import Names
from creditbank.settings import Language
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

HERE = Path(__file__).parent
LONGEST: dict[Language, int] = {"zh-CN": 110, "en": 240}
"""Characters of what is said of one thing: some six lines of a phone."""
CITED = RuleCited(
    pack=PackId("changdu"),
    digest="00" * 32,
    rule=RuleId("voc-2"),
    version=2,
    cite=("17",),
    say=Wording(zh="中级证书选免不超过 8 学分", en="An intermediate certificate exempts up to 8 credits"),
)
FIRST, SECOND, IDLE = OutcomeId("000003"), OutcomeId("000004"), OutcomeId("000005")
MANY = tuple(OutcomeId(f"{at:06}") for at in range(11, 16))
NAMES = Names(
    tables={(CITED.digest, "bank"): Wording(zh="省学分银行认定表", en="The bank's table")},
    outcomes={FIRST: "动物疫病防治员（中级）", SECOND: "养殖技术", IDLE: "牦牛养殖"},
    places={
        "C1": Wording(zh="畜禽解剖生理", en="Animal anatomy"),
        "free": Wording(zh="公共选修", en="Free electives"),
        "theory": Wording(zh="理论知识", en="Theory"),
    },
    institutions={
        "12999999DEMX000016": Wording(zh="澜沧江民族职业学校", en="Lancang River Vocational School")
    },
    codes={"X-1": "养殖技术"},
    citations={
        (CITED.digest, "17"): Citation(id="17", title=Wording(zh="实施细则", en="The plan"), article="第17条")
    },
)
TEAM = Wording(zh="团队成员", en="team member")
ASSOCIATION = Wording(zh="行业协会主办", en="an association's")
LATE = Wording(zh="超过三年", en="older than three years")
EATEN_UP = Worth(
    outcome=FIRST,
    table="bank",
    title=NAMES.tables[CITED.digest, "bank"],
    credits=Decimal(0),
    steps=(
        WorthStep(applied="row", credits=Decimal(1)),
        WorthStep(applied="deduction", by=Decimal(1), why=TEAM, credits=Decimal(0)),
    ),
)
GRADES = (
    GradePolicy(),
    GradePolicy(kind="pass"),
    GradePolicy(kind="fixed", value="85"),
    GradePolicy(kind="original"),
    GradePolicy(kind="capped", ceiling=Decimal(80)),
    GradePolicy(kind="bonus", value="5", ceiling=Decimal(100)),
)
EACH = (
    Each(per="issuer", value="12999999DEMX000016"),
    Each(per="code", value="X-1"),
    Each(per="code", value="X-OLD"),
    Each(per="kind", value="course-credit"),
)
CAP_PARTS = (
    CapPart(cap="share"),
    CapPart(cap="half", period=date(2025, 9, 1)),
    CapPart(cap="each", period=date(2025, 9, 1), each=EACH[0]),
    CapPart(cap="each", each=EACH[3]),
)
LEVEL = Need(attribute="level", have="初级", need="中级", outcome=FIRST, premise=0)
TOO_SHORT = Need(attribute="hours", have="40", need="51.2", outcome=SECOND)
CREDITS = Need(attribute="credits", have="6", need="≤3.5", outcome=SECOND)
LOWERED = replace(LEVEL, have="中级", counted_as="初级", lowered_by=(ASSOCIATION, LATE))
BELOW = replace(LEVEL, have="初级", counted_as="", need="初级", lowered_by=(ASSOCIATION,))
PERCENTILE = Need(attribute="percentile", have="12", need="≤10", outcome=SECOND, premise=0)
CODE = Need(attribute="code", have="X-OLD", need="/".join(f"X-{at}" for at in range(12)), outcome=SECOND)
OTHER_COURSE = Need(attribute="replaces", have=None, need="C1", outcome=SECOND)
NEEDS = (
    LEVEL,
    Need(attribute="issuer", have="12999999DEMX000016", need="A/B", outcome=SECOND, premise=0),
    Need(attribute="score", have="424", need="425", outcome=SECOND, premise=0),
    Need(attribute="awarded_on", have="2018-01-31", need="2019-03-02", outcome=FIRST, premise=0),
    Need(attribute="expires_on", have="2026-01-31", need=">2026-03-01", outcome=FIRST, premise=0),
    Need(attribute="hours", have=None, need="40", outcome=SECOND, premise=0),
    Need(attribute="outcome", have=None, need="X-WEB/X-DB", premise=0),
    Need(attribute="overlap", have="60", need="≥70", outcome=SECOND, premise=0),
)
FACTS = (
    Need(attribute="category", have="student", need="veteran"),
    Need(attribute="enrolled_on", have=None, need="*"),
    Need(attribute="left_on", have="2020-06-30", need="2y"),
    Need(attribute="completed_percent", have="60", need="≥70"),
)
REFUSED: dict[RefusalKind, Refusal] = {
    "fact": Refusal(cited=CITED, kind="fact", needs=FACTS[:1]),
    "premise": Refusal(cited=CITED, kind="premise", needs=(LEVEL,), gain=6, gain_credits=Decimal(3)),
    "never-met": Refusal(cited=CITED, kind="never-met"),
    "not-exemptible": Refusal(cited=CITED, kind="not-exemptible", target="C1", by=("C1",)),
    "unpaired": Refusal(cited=CITED, kind="unpaired", target="C1", needs=(OTHER_COURSE,)),
    "gap": Refusal(cited=CITED, kind="gap", target="C1", needs=(CREDITS,)),
    "taken": Refusal(cited=CITED, kind="taken", target="C1", by=("voc-1",)),
    "spent-elsewhere": Refusal(
        cited=CITED, kind="spent-elsewhere", target="C1", outcomes=(FIRST,), by=("voc-1",)
    ),
    "exclusive": Refusal(cited=CITED, kind="exclusive", target="C1", by=("voc-1",)),
    "similar": Refusal(cited=CITED, kind="similar", target="C1", by=(SECOND,)),
    "no-worth": Refusal(
        cited=CITED,
        kind="no-worth",
        outcomes=(SECOND,),
        by=("bank",),
        needs=(PERCENTILE,),
        gain=8,
        gain_credits=Decimal(4),
    ),
    "budget": Refusal(cited=CITED, kind="budget", target="C1", outcomes=(SECOND,)),
    "limit": Refusal(cited=CITED, kind="limit", target="C1"),
    "capacity": Refusal(cited=CITED, kind="capacity", target="free", by=("free",)),
    "leftover": Refusal(cited=CITED, kind="leftover", target="free"),
    "cap": Refusal(cited=CITED, kind="cap", target="C1", by=CAP_PARTS),
    "void": Refusal(cited=CITED, kind="void", outcomes=(SECOND,)),
    "not-waivable": Refusal(cited=CITED, kind="not-waivable", target="theory", by=("theory",)),
    "tie-break": Refusal(cited=CITED, kind="tie-break", target="C1"),
    "not-searched": Refusal(cited=CITED, kind="not-searched", target="C1"),
}
ELSEWHERE = ("voc-1", RuleElsewhere(programme="nursing-2025", rule="n-2"))
WITH_RULES = {"unmet", "not-needed", "cap", "no-place", "no-worth", "not-searched"}
LEFT_OUT = (
    Refusal(cited=CITED, kind="no-worth", outcomes=(SECOND,), by=("bank",), needs=(CODE,)),
    Refusal(cited=CITED, kind="no-worth", outcomes=MANY, by=("bank",)),
    Refusal(cited=CITED, kind="no-worth", outcomes=(SECOND,)),
    Refusal(cited=CITED, kind="no-worth", outcomes=(FIRST,), by=("bank",), needs=(LOWERED,)),
    Refusal(cited=CITED, kind="no-worth", outcomes=(FIRST,), by=("bank",), needs=(BELOW,)),
    Refusal(cited=CITED, kind="no-worth", outcomes=(FIRST,), by=("bank",), worths=(EATEN_UP,)),
    Refusal(cited=CITED, kind="cap", target="free", outcomes=MANY[:2], by=CAP_PARTS[:1]),
    Refusal(cited=CITED, kind="capacity", target="free", outcomes=MANY, by=("free",)),
    Refusal(cited=CITED, kind="cap", target="free", outcomes=(FIRST,), by=CAP_PARTS[:1]),
    Refusal(cited=CITED, kind="cap", target="free", outcomes=(FIRST,), by=CAP_PARTS[2:]),
    Refusal(cited=CITED, kind="spent-elsewhere", target="free", outcomes=(IDLE,), by=("voc-1",)),
    Refusal(cited=CITED, kind="spent-elsewhere", target="C1", outcomes=(FIRST,), by=ELSEWHERE),
    Refusal(cited=CITED, kind="taken", outcomes=MANY[:1], by=("voc-1",)),
    Refusal(cited=CITED, kind="unpaired", outcomes=MANY[:2]),
    Refusal(cited=CITED, kind="gap", target="C1", outcomes=MANY[:2]),
    Refusal(cited=CITED, kind="gap", target="C1", needs=(TOO_SHORT,)),
    Refusal(cited=CITED, kind="gap", target="C1", needs=(replace(TOO_SHORT, need="*"),)),
)
NOWHERE: dict[NowhereReason, Nowhere] = {
    reason: Nowhere(
        outcome=IDLE,
        reason=reason,
        rules=(RuleId("voc-1"),) if reason in WITH_RULES else (),
        credits=Decimal("1.5") if reason == "leftover" else None,
    )
    for reason in get_args(NowhereReason)
}


def exemption(grade: GradePolicy) -> Exemption:
    return Exemption(
        cited=CITED,
        target=CourseId("C1"),
        title=NAMES.places["C1"],
        is_bucket=False,
        units=8,
        credits=Decimal(4),
        with_credit=True,
        grade=grade,
        mark=None,
        spent=(FIRST,),
        witnesses=(),
        route=None,
    )


def cap(
    name: str,
    measure: Measure | Literal["parts"],
    *,
    binds: bool,
    period: date | None = None,
    each: Each | None = None,
) -> CapUse:
    return CapUse(
        id=name,
        title=Wording(zh="免修总量", en="All exemptions"),
        measure=measure,
        used=Decimal("7.5"),
        maximum=Decimal(8),
        binds=binds,
        cite=(),
        period=period,
        each=each,
    )


BARE = replace(exemption(GRADES[0]), with_credit=False, cited=replace(CITED, cite=(), say=Wording(zh="")))
MARK_TABLE = GradePolicy(kind="table", table="five")
BY_SCORE = Marking(
    table="five",
    title=Wording(zh="百分制换五级制", en="Out of 100 as five grades"),
    by="score",
    outcome=FIRST,
    stated="82.5",
    least=Decimal(80),
)
BY_GRADE = replace(BY_SCORE, by="grade", stated="C", least=None)
MARKED = (
    ("良", BY_SCORE),
    (None, replace(BY_SCORE, stated="41", least=Decimal(60))),
    ("2.3", BY_GRADE),
    (None, replace(BY_GRADE, stated="F")),
    (None, Marking(table="five", title=BY_SCORE.title)),
)
BY_TABLE = Worth(
    outcome=FIRST,
    table="bank",
    title=NAMES.tables[CITED.digest, "bank"],
    credits=Decimal(3),
    steps=(
        WorthStep(applied="downgrade", by=Decimal(1), why=ASSOCIATION, credits=Decimal(0)),
        WorthStep(applied="row", credits=Decimal(4)),
        WorthStep(applied="deduction", by=Decimal("0.5"), why=TEAM, credits=Decimal("3.5")),
        WorthStep(applied="deduction", by=Decimal("0.2"), why=Wording(zh=""), credits=Decimal("3.3")),
        WorthStep(applied="maximum", credits=Decimal("3.2")),
        WorthStep(
            applied="within", why=Wording(zh="国家学分银行", en="The national bank"), credits=Decimal(3)
        ),
    ),
)
BY_HOURS = replace(
    BY_TABLE,
    outcome=SECOND,
    credits=Decimal("2.77"),
    steps=(WorthStep(applied="hours", of=Decimal(50), by=Decimal(18), credits=Decimal("2.77")),),
)
BY_SHARE = replace(
    BY_TABLE,
    outcome=OutcomeId("000007"),
    credits=Decimal(2),
    steps=(WorthStep(applied="share", of=Decimal(4), by=Decimal("0.5"), credits=Decimal(2)),),
)
BY_ROW = replace(
    BY_TABLE,
    outcome=OutcomeId("000008"),
    credits=Decimal(1),
    steps=(WorthStep(applied="row", credits=Decimal(1)),),
)
BUCKET = replace(
    exemption(GRADES[0]),
    is_bucket=True,
    target=CourseId("free"),
    title=NAMES.places["free"],
    witnesses=(SECOND,),
    worths=(BY_TABLE, BY_HOURS, BY_SHARE, BY_ROW),
)
STORY = Decision(
    programme=ProgrammeId("p"),
    programme_version=1,
    title=Wording(zh="畜牧兽医", en="Animal husbandry"),
    as_of=date(2026, 3, 1),
    known_at=Microseconds(0),
    step=Decimal("0.5"),
    packs=(),
    units=64,
    credits=Decimal(32),
    credited=Decimal(28),
    proved=False,
    upper_bound=70,
    nodes=1,
    exemptions=(
        *map(exemption, GRADES),
        replace(exemption(GRADES[3]), mark="92"),
        BARE,
        BUCKET,
    ),
    pinned=(Pinned(pack="changdu", rule="voc-1", rule_version=1, target="C9"),),
    caps=(
        cap("share", "credits", binds=True),
        cap("half", "credits", binds=True, period=date(2025, 9, 1)),
        cap("count", "courses", binds=False),
        cap("certificates", "outcomes", binds=False),
        *(cap("each", "credits", binds=True, each=each) for each in EACH),
        cap("each", "credits", binds=True, period=date(2025, 9, 1), each=EACH[0]),
    ),
    refusals=(
        *REFUSED.values(),
        *LEFT_OUT,
        *(Refusal(cited=CITED, kind="premise", needs=(need,), gain=0) for need in NEEDS),
        *(Refusal(cited=CITED, kind="fact", needs=(need,)) for need in FACTS),
    ),
    next_step=NextStep(cited=CITED, need=LEVEL, gain=6, gain_credits=Decimal(3)),
    nowhere=tuple(NOWHERE.values()),
    kept=(
        Kept(
            pre_decision=OutcomeId("000009"),
            pack=PackId("changdu"),
            rule=RuleId("voc-2"),
            version=2,
            until=date(2026, 8, 31),
        ),
    ),
)
PARTS = WaiverDecision(
    exam=ExamId("e"),
    exam_version=1,
    title=Wording(zh="家畜饲养员（中级）", en="Livestock keeper"),
    as_of=date(2026, 3, 1),
    known_at=Microseconds(0),
    packs=(),
    waivers=(Waiver(cited=CITED, part=PartId("theory"), title=NAMES.places["theory"], witnesses=(FIRST,)),),
    pinned=(),
    caps=(cap("one", "parts", binds=False),),
    refusals=(replace(REFUSED["premise"], gain=1, gain_credits=None),),
    next_step=None,
)
NOTHING = replace(STORY, exemptions=(), pinned=(), proved=True, caps=(), refusals=(), nowhere=(), kept=())

MARKS = replace(
    NOTHING,
    exemptions=tuple(replace(exemption(MARK_TABLE), mark=mark, marking=marking) for mark, marking in MARKED),
    next_step=None,
)


def told(words: Catalogue) -> Iterator[str]:
    """Yield every sentence."""
    for decision in (STORY, replace(NOTHING, next_step=None), MARKS, PARTS, replace(PARTS, waivers=())):
        said = decision_lines(words, decision, NAMES)
        yield said.headline
        if decision.waivers if isinstance(decision, WaiverDecision) else decision.exemptions:
            yield from (*said.grants, *said.worths, *said.caps, *said.refusals, *said.nowhere, *said.kept)
            yield from filter(None, [said.next_step])


def file_of(language: Language) -> Path:
    """Return where a language's sentences are kept."""
    return HERE / f"explanations.{language}.txt"


def main() -> None:
    """Write both."""
    for language in LONGEST:
        file_of(language).write_text("\n".join(told(catalogue(language))) + "\n", "utf-8")


if __name__ == "__main__":
    main()
