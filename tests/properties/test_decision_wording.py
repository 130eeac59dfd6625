"""Laws of a decision's sentences: one for each thing it says, in both languages, with the figures in them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.account.holdings import AccountHoldings, HeldOutcome
from creditbank.conversion.decision import (
    CapUse,
    Decision,
    Exemption,
    Need,
    NextStep,
    Nowhere,
    NowhereReason,
    Refusal,
    RefusalKind,
    RuleCited,
    Waiver,
    WaiverDecision,
    json_members,
)
from creditbank.conversion.pack import Pack
from creditbank.conversion.premise import Pattern
from creditbank.conversion.programme import Bucket, CapPart, Course, Each, Exam, Part, Programme
from creditbank.conversion.rule import Citation, GradePolicy
from creditbank.locale.catalogue import LANGUAGES, Catalogue, catalogue
from creditbank.locale.decision_wording import DecisionWords, decision_lines
from creditbank.locale.naming import Names, Naming, names_of
from creditbank.locale.pack_wording import shown
from creditbank.locale.wording import level_name
from creditbank.outcomes.diploma import Diploma
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.rulepacks.library import Library
from creditbank.settings import Language
from creditbank.terms import (
    CourseId,
    ExamId,
    IssuerId,
    Microseconds,
    OutcomeId,
    PackId,
    PartId,
    ProgrammeId,
    RuleId,
    Wording,
)
from tests.strategies.decisions import (
    cap_parts,
    caps,
    exemption_decisions,
    refusals,
    waiver_decisions,
    wordings,
)

GOLDEN = Path(__file__).parents[1] / "golden"
CHINESE, ENGLISH = catalogue("zh-CN"), catalogue("en")
catalogues = st.sampled_from([catalogue(language) for language in LANGUAGES])
decisions = exemption_decisions | waiver_decisions


def sentences(said: DecisionWords) -> Iterator[str]:
    yield said.headline
    yield from (*said.grants, *said.caps, *said.refusals, *said.nowhere)
    if said.next_step is not None:
        yield said.next_step


@given(catalogues, decisions)
def test_everything_a_decision_says_is_one_line(
    words: Catalogue, decision: Decision | WaiverDecision
) -> None:
    said = decision_lines(words, decision)
    grants = decision.exemptions if isinstance(decision, Decision) else decision.waivers
    nowhere = decision.nowhere if isinstance(decision, Decision) else ()
    assert len(said.grants) == len(grants)
    assert len(said.caps) == len(decision.caps)
    assert len(said.refusals) == len(decision.refusals)
    assert len(said.nowhere) == len(nowhere)
    assert (said.next_step is None) == (decision.next_step is None)
    for sentence in sentences(said):
        assert sentence
        assert sentence == sentence.strip()
        assert not {"{", "}", "\n"} & set(sentence)
        assert "。。" not in sentence
        assert "  " not in sentence


@given(catalogues, decisions)
def test_the_headline_says_what_is_decided_and_for_which_day(
    words: Catalogue, decision: Decision | WaiverDecision
) -> None:
    headline = decision_lines(words, decision).headline
    assert headline.startswith(shown(words, decision.title))
    assert words.date(decision.as_of) in headline
    assert (words.text("say.pinned", count=len(decision.pinned)) in headline) == bool(decision.pinned)
    if isinstance(decision, WaiverDecision):
        assert not decision.is_granted or str(len(decision.waivers)) in headline
        return
    bound = words.credits(decision.upper_bound * decision.step)
    assert (words.text("say.unproved", credits=bound) in headline) == (not decision.proved)
    if decision.is_granted:
        assert str(len(decision.exemptions)) in headline
        assert words.credits(decision.credits) in headline
        assert words.credits(decision.credited) in headline
        whole = decision_lines(words, replace(decision, credited=decision.credits)).headline
        assert (whole == headline) == (decision.credited == decision.credits)


@given(catalogues, exemption_decisions)
def test_every_exemption_names_its_figure_evidence_rule_and_sources(
    words: Catalogue, decision: Decision
) -> None:
    for exemption, line in zip(decision.exemptions, decision_lines(words, decision).grants, strict=True):
        assert shown(words, exemption.title) in line
        assert words.credits(exemption.credits) in line
        assert_basis(words, exemption.cited, (*exemption.spent, *exemption.witnesses), line)
        if exemption.mark is not None and not exemption.is_bucket:
            assert exemption.mark in line


@given(catalogues, waiver_decisions)
def test_every_waiver_names_its_evidence_rule_and_sources(words: Catalogue, decision: WaiverDecision) -> None:
    for waiver, line in zip(decision.waivers, decision_lines(words, decision).grants, strict=True):
        assert shown(words, waiver.title) in line
        assert_basis(words, waiver.cited, waiver.witnesses, line)


def assert_basis(words: Catalogue, cited: RuleCited, evidence: tuple[OutcomeId, ...], line: str) -> None:
    assert all(f"#{outcome}" in line for outcome in evidence)
    assert f"{cited.rule} v{cited.version}" in line
    assert shown(words, cited.say) in line
    assert all(source in line for source in cited.cite)


@given(catalogues, decisions)
def test_every_cap_says_how_much_is_used_of_how_much(
    words: Catalogue, decision: Decision | WaiverDecision
) -> None:
    for cap, line in zip(decision.caps, decision_lines(words, decision).caps, strict=True):
        assert shown(words, cap.title) in line
        assert words.number(cap.used) in line
        assert words.number(cap.maximum) in line
        assert cap.period is None or words.date(cap.period) in line
        free = decision_lines(words, replace(decision, caps=(replace(cap, binds=not cap.binds),))).caps
        assert free != (line,)


@given(catalogues, exemption_decisions, caps)
def test_a_cap_that_refuses_is_called_what_the_cap_itself_is_called(
    words: Catalogue, decision: Decision, cap: CapUse
) -> None:
    """Whatever its period, and whatever the code looks like that it is over each of."""
    part = CapPart(cap=cap.id, period=cap.period, each=cap.each)
    refusal = Refusal(cited=CITED, kind="cap", target="C1", by=(part,))
    said = decision_lines(words, replace(decision, caps=(cap,), refusals=(refusal,)))
    key = "say.cap-binds" if cap.binds else "say.cap"
    measure = words.text(f"word.measure-{cap.measure}")
    rest = words.text(key, title="", used=cap.used, maximum=cap.maximum, measure=measure)
    assert said.caps[0].endswith(rest)
    assert said.caps[0].removesuffix(rest) in said.refusals[0]


@given(catalogues, exemption_decisions, caps, wordings)
def test_whom_a_cap_is_over_is_called_by_name(
    words: Catalogue, decision: Decision, cap: CapUse, title: Wording
) -> None:
    def line(each: Each) -> str:
        names = Names(institutions={"~1": title}, codes={"~1": title.zh})
        return decision_lines(words, replace(decision, caps=(replace(cap, each=each),)), names).caps[0]

    assert shown(words, title) in line(Each(per="issuer", value="~1"))
    assert title.zh in line(Each(per="code", value="~1"))
    assert "~" not in line(Each(per="issuer", value="~1")) + line(Each(per="code", value="~1"))
    assert words.text("word.kind-award") in line(Each(per="kind", value="award"))
    unknown = line(Each(per="code", value="~2"))
    assert words.text("say.outcome", title="~2") in unknown


@pytest.mark.parametrize("words", [CHINESE, ENGLISH], ids=LANGUAGES)
def test_what_a_shipped_pack_asks_of_an_outcome_has_words_in_both_languages(words: Catalogue) -> None:
    account = AccountHoldings()
    library = Library.load()
    for pack in library.packs:
        place: Programme | Exam = pack.programmes[0] if pack.programmes else pack.exams[0]
        names = names_of(words, place, account, [pack])
        cited = replace(CITED, digest=pack.digest)
        naming = Naming(words=words, names=names)
        for test in (test for pattern in patterns_of(pack) for test in pattern.attributes):
            said = naming.attribute(test.attribute, cited)
            assert said != words.text("say.outcome", title=test.attribute), pack.id
            assert (words.language == "en") == said.isascii(), (pack.id, said)
            for value in test.one_of:
                assert naming.value(test.attribute, value, cited) != value, (pack.id, test.attribute)


def patterns_of(pack: Pack) -> Iterator[Pattern]:
    for rule in pack.rules:
        yield from (premise.pattern for premise in rule.premises)
        yield from (one.pattern for one in rule.void_if)
    for table in pack.tables.values():
        yield from (row.pattern for row in table.rows)
        yield from (one.pattern for one in table.deductions)
        yield from (one.pattern for one in table.downgrades)


@given(catalogues, exemption_decisions, wordings, wordings)
def test_an_attribute_is_called_by_its_packs_words_and_else_quoted(
    words: Catalogue, decision: Decision, title: Wording, value: Wording
) -> None:
    need = Need(attribute="own", have="yes", need="no/so", outcome=OutcomeId("000003"), premise=0)
    refused = replace(decision, refusals=(Refusal(cited=CITED, kind="premise", needs=(need,)),))
    titles = {"own": title, "own=yes": value}
    own = {(CITED.digest, name): called for name, called in titles.items()}
    line = decision_lines(words, refused, Names(attributes=own)).refusals[0]
    assert shown(words, title) in line
    assert shown(words, value) in line
    other = {("ff" * 32, name): called for name, called in titles.items()}
    for names in (Names(), Names(attributes=other)):
        unnamed = decision_lines(words, refused, names).refusals[0]
        assert words.text("say.outcome", title="own") in unnamed


@given(cap_parts)
def test_in_json_the_part_of_a_cap_is_one_text(part: CapPart) -> None:
    period = "" if part.period is None else part.period.isoformat()
    each = "" if part.each is None else part.each.value
    refusal = json_members(Refusal(cited=CITED, kind="cap", by=(part,)))
    assert refusal["by"] == ["@".join(filter(None, [part.cap, period, each]))]


@given(catalogues, exemption_decisions, refusals())
def test_a_refusal_says_what_it_would_have_gained_only_where_that_was_computed(
    words: Catalogue, decision: Decision, refusal: Refusal
) -> None:
    def line(gain: int | None) -> str:
        changed = replace(refusal, gain=gain, gain_credits=None if gain is None else Decimal(gain))
        return decision_lines(words, replace(decision, refusals=(changed,))).refusals[0]

    unknown = line(None)
    assert f"{refusal.cited.rule} v{refusal.cited.version}" in unknown
    assert line(0) == words.sentences([unknown, words.text("say.no-gain")])
    is_any = any(need.attribute == "outcome" for need in refusal.needs)
    key = "say.gain-at-most" if is_any else "say.gain"
    assert line(7) == words.sentences([unknown, words.text(key, gain=words.credits(7))])


@given(catalogues, exemption_decisions, refusals())
def test_every_miss_says_what_is_there_and_what_is_wanted(
    words: Catalogue, decision: Decision, refusal: Refusal
) -> None:
    missed = replace(refusal, kind="premise")
    line = decision_lines(words, replace(decision, refusals=(missed,))).refusals[0]
    for need in missed.needs:
        assert need.attribute == "outcome" or words.field(need.attribute) in line
        assert need.outcome is None or f"#{need.outcome}" in line
        assert need.have is None or need.attribute == "outcome" or need.have in line
        assert (need.counted_as or "") in line
        assert all(shown(words, why) in line for why in need.lowered_by)
    assert "≥" not in line
    assert "≤" not in line


@given(catalogues, exemption_decisions, st.sampled_from(["aa", "bb"]))
def test_a_source_is_that_of_the_rules_own_pack(words: Catalogue, decision: Decision, digest: str) -> None:
    titles = {"aa": "first pack", "bb": "second pack"}
    citations = {
        (pack, "article"): Citation(id="article", title=Wording(zh=title)) for pack, title in titles.items()
    }
    changed = tuple(
        replace(exemption, cited=replace(exemption.cited, digest=digest, cite=("article",)))
        for exemption in decision.exemptions
    )
    said = decision_lines(words, replace(decision, exemptions=changed), Names(citations=citations))
    assert all(titles[digest] in line for line in said.grants)


@pytest.mark.parametrize(
    ("article", "chinese"), [("3", "自拟办法 3"), ("第三条", "自拟办法第三条"), ("", "自拟办法")]
)
@given(exemption_decisions)
def test_a_source_and_its_number_stand_apart(article: str, chinese: str, decision: Decision) -> None:
    citation = Citation(id="article", title=Wording(zh="自拟办法"), article=article)
    changed = tuple(
        replace(exemption, cited=replace(exemption.cited, cite=("article",)))
        for exemption in decision.exemptions
    )
    names = Names(citations={(one.cited.digest, "article"): citation for one in changed})
    said = decision_lines(CHINESE, replace(decision, exemptions=changed), names)
    assert all(f"{chinese}。" in line for line in said.grants)
    english = decision_lines(ENGLISH, replace(decision, exemptions=changed), names)
    assert all(f"自拟办法 {article}".rstrip() in line for line in english.grants)


@pytest.mark.parametrize("words", [CHINESE, ENGLISH], ids=LANGUAGES)
def test_all_that_the_shipped_packs_mention_has_a_name(words: Catalogue) -> None:
    library = Library.load()
    diploma = Diploma(
        number="N1",
        level=FrameworkLevel(framework="GB/T 4658", level="41"),
        major_code="610301",
        major="畜牧兽医",
        issuer=IssuerId("A"),
        awarded_on=date(2024, 6, 30),
    )
    outcome = HeldOutcome(
        id=OutcomeId("000001"), outcome=diploma, recorded_by=diploma.issuer, recorded_at=Microseconds(1)
    )
    account = AccountHoldings(outcomes=(outcome,))
    for pack in library.packs:
        described: list[Programme | Exam] = [*pack.programmes, *pack.exams]
        for place in described:
            names = names_of(words, place, account, library.packs)
            parts: list[Course | Bucket | Part] = (
                [*place.courses, *place.buckets] if isinstance(place, Programme) else [*place.parts]
            )
            assert names.places == {part.id: part.title for part in parts}
            assert names.why_not == {
                part.id: part.why_not
                for part in parts
                if not isinstance(part, Bucket) and part.why_not is not None
            }
            assert all((pack.digest, cited) in names.citations for rule in pack.rules for cited in rule.cite)
            assert level_name(words, diploma.level) in names.outcomes[outcome.id]


@given(catalogues, exemption_decisions, wordings, wordings)
def test_ids_are_shown_by_their_names_where_these_are_known(
    words: Catalogue, decision: Decision, title: Wording, why: Wording
) -> None:
    cited = RuleCited(
        pack=PackId("p"), digest="", rule=RuleId("r"), version=1, cite=("c",), say=Wording(zh="")
    )
    refusal = Refusal(cited=cited, kind="not-exemptible", target="target-1", needs=())
    names = Names(places={"target-1": title}, why_not={"target-1": why})
    line = decision_lines(words, replace(decision, refusals=(refusal,)), names).refusals[0]
    assert "target-1" not in line
    assert shown(words, title) in line
    assert shown(words, why) in line


@pytest.mark.parametrize("words", [CHINESE, ENGLISH], ids=LANGUAGES)
def test_no_two_kinds_of_refusal_and_no_two_reasons_read_alike(words: Catalogue) -> None:
    refused = [Refusal(cited=CITED, kind=kind) for kind in get_args(RefusalKind)]
    idle = [Nowhere(outcome=OutcomeId("000001"), reason=reason) for reason in get_args(NowhereReason)]
    said = decision_lines(words, replace(STORY, refusals=tuple(refused), nowhere=tuple(idle)))
    assert len(set(said.refusals)) == len(get_args(RefusalKind))
    assert len(set(said.nowhere)) == len(get_args(NowhereReason))


# One learner's story, word for word (tests/golden/decision.*.txt).

CITED = RuleCited(
    pack=PackId("changdu"),
    digest="00" * 32,
    rule=RuleId("voc-2"),
    version=2,
    cite=("changdu-17",),
    say=Wording(zh="取得中级及以上且七年内有效，可在五门课程中选免不超过 8 学分"),
)
STORY = Decision(
    programme=ProgrammeId("animal-husbandry"),
    programme_version=1,
    title=Wording(zh="畜牧兽医", en="Animal husbandry"),
    as_of=date(2026, 3, 1),
    known_at=Microseconds(0),
    step=Decimal("0.5"),
    packs=(),
    units=11,
    credits=Decimal("5.5"),
    credited=Decimal("5.5"),
    proved=False,
    upper_bound=16,
    nodes=1,
    exemptions=(
        Exemption(
            cited=CITED,
            target=CourseId("XM11"),
            title=Wording(zh="畜禽解剖生理"),
            is_bucket=False,
            units=11,
            credits=Decimal("5.5"),
            with_credit=True,
            grade=GradePolicy(kind="fixed", value="85"),
            mark=None,
            spent=(OutcomeId("000003"),),
            witnesses=(),
            route=None,
        ),
    ),
    pinned=(),
    caps=(
        CapUse(
            id="share",
            title=Wording(zh="免修总量", en="All exemptions"),
            measure="credits",
            used=Decimal("46.5"),
            maximum=Decimal(48),
            binds=True,
            cite=(),
        ),
    ),
    refusals=(
        Refusal(
            cited=CITED,
            kind="premise",
            needs=(
                Need(attribute="level", have="初级", need="中级", outcome=OutcomeId("000004")),
                Need(attribute="category", have=None, need="veteran/disabled"),
            ),
        ),
        Refusal(
            cited=CITED,
            kind="cap",
            target="XM12",
            by=(CapPart(cap="share"), CapPart(cap="year", period=date(2025, 9, 1))),
        ),
        Refusal(cited=CITED, kind="similar", target="XM13", by=("000003",)),
        Refusal(cited=CITED, kind="spent-elsewhere", outcomes=(OutcomeId("000003"),), by=("voc-1",)),
        Refusal(
            cited=CITED,
            kind="premise",
            needs=(Need(attribute="outcome", have=None, need="X-WEB/X-DB", premise=0),),
            gain=4,
            gain_credits=Decimal(2),
        ),
    ),
    next_step=NextStep(
        cited=CITED,
        need=Need(attribute="awarded_on", have="2018-01-31", need="2019-03-02", outcome=OutcomeId("000004")),
        gain=6,
        gain_credits=Decimal(3),
    ),
    nowhere=(
        Nowhere(outcome=OutcomeId("000005"), reason="leftover", credits=Decimal("1.5")),
        Nowhere(outcome=OutcomeId("000006"), reason="unmet", rules=(RuleId("voc-1"),)),
    ),
)
NAMES = Names(
    outcomes={OutcomeId("000003"): "动物疫病防治员（中级）"},
    places={"XM12": Wording(zh="畜禽营养与饲料"), "X-DB": Wording(zh="数据库应用")},
    citations={
        ("00" * 32, "changdu-17"): Citation(
            id="changdu-17", title=Wording(zh="实施细则", en="The plan"), article="第17条"
        )
    },
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_story_reads_as_it_was_approved(language: Language) -> None:
    told = "\n".join(sentences(decision_lines(catalogue(language), STORY, NAMES))) + "\n"
    assert told == (GOLDEN / f"decision.{language}.txt").read_text("utf-8")


def test_a_waiver_in_words() -> None:
    decision = WaiverDecision(
        exam=ExamId("e"),
        exam_version=1,
        title=Wording(zh="家畜饲养员（中级）"),
        as_of=date(2026, 3, 1),
        known_at=Microseconds(0),
        packs=(),
        waivers=(
            Waiver(
                cited=replace(CITED, say=Wording(zh=""), cite=()),
                part=PartId("theory"),
                title=Wording(zh="理论知识", en="Theory"),
                witnesses=(OutcomeId("000002"),),
            ),
        ),
        pinned=(),
        caps=(),
        refusals=(),
        next_step=None,
    )
    assert list(sentences(decision_lines(CHINESE, decision))) == [
        "家畜饲养员（中级）：按2026年3月1日的规则和记录，可免试 1 科。",
        "免试“理论知识”。依据：#000002。规则 voc-2 v2。",
    ]
    assert "“Theory” need not be sat." in decision_lines(ENGLISH, decision).grants[0]
