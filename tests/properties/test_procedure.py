"""A grant is registered when every step of its rule was made, one after the other, and keeps them.

Seen to fail: with the order of days left unlooked at, and with steps of other bodies made by nobody.
"""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.account.step_body import StepMade
from creditbank.cli.decide import print_answer
from creditbank.conversion.decision import Decision
from creditbank.conversion.holding import Applicant
from creditbank.conversion.procedure import Step
from creditbank.conversion.programme import CourseFilter
from creditbank.conversion.rule import ExemptionGrant
from creditbank.locale.catalogue import LANGUAGES, catalogue
from creditbank.locale.wording import grant_line, waiting_line
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.rulepacks.library import Library
from creditbank.services.accounts import read_account
from creditbank.services.conversions import apply_for
from creditbank.services.outcomes import record_outcome
from creditbank.services.procedure import ProcedureInvalid, Waiting, require_procedure, steps_of
from creditbank.services.questions import ExemptionQuestion
from creditbank.terms import CourseId, ProgrammeId, RuleId, Wording
from tests.banks import BEGINNING, EAST, RIVER, new_account, new_bank
from tests.properties.test_conversion_near_misses import asking
from tests.strategies.conversion import decide, words
from tests.strategies.small_packs import EXAMPLES, PROGRAMME, RULE, head, write

TODAY = date(2026, 3, 10)
PROCEDURE = (
    Step(id="proposal", title=words("申请")),
    Step(id="employer", title=Wording(zh="用人单位盖章", en="stamp of the employer"), is_outside=True),
    Step(id="review", title=Wording(zh="审核", en="review")),
)
IN_TOML = """procedure = [
  { id = "proposal", title = "申请" },
  { id = "employer", title = "用人单位盖章", outside = true },
  { id = "review", title = { zh = "审核", en = "review" } },
]
"""


def decided() -> Decision:
    """A decision in which one rule grants, with the procedure."""
    question = asking("A", held="A")
    (pack,) = question.packs
    rule = replace(pack.rules[0], procedure=PROCEDURE)
    return decide(replace(question, packs=(replace(pack, rules=(rule,)),)))


def made(step: str, day: int, by: str = "") -> StepMade:
    return StepMade(id=step, on=TODAY + timedelta(days=day), by=by)


DECIDED = decided()
STEPS = st.builds(
    made, st.sampled_from(["proposal", "employer", "review"]), st.integers(-3, 1), st.sampled_from(["", "厂"])
)


@given(
    st.lists(STEPS, max_size=4)
    | st.permutations([made("proposal", -2), made("employer", -1, "厂"), made("review", 0)])
)
def test_what_is_accepted_is_every_step_once_and_one_after_the_other(said: list[StepMade]) -> None:
    by_id = {step.id: step for step in said}
    in_order = [by_id.get(step.id) for step in PROCEDURE]
    days = [step.on for step in in_order if step is not None]
    is_right = (
        len(said) == len(by_id) == len(days) == len(PROCEDURE)
        and days == sorted(days)
        and max(days) <= TODAY
        and bool(by_id["employer"].by)
    )
    try:
        require_procedure(DECIDED, said, today=TODAY)
    except ProcedureInvalid:
        assert not is_right
    else:
        assert is_right
        assert [step.id for step in steps_of(DECIDED.exemptions[0].cited, said)] == [
            step.id for step in PROCEDURE
        ]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ([], "step-missing"),
        ([made("dean", 0)], "step-unknown"),
        ([made("proposal", 0), made("proposal", 0)], "step-twice"),
        ([made("proposal", 1)], "step-in-future"),
        ([made("proposal", -1), made("employer", -1)], "step-by-nobody"),
        ([made("proposal", -1), made("employer", -2, "厂")], "step-too-early"),
        ([made("proposal", -1), made("employer", -1, "厂")], "step-missing"),
    ],
)
def test_what_is_wrong_is_named(said: list[StepMade], reason: str) -> None:
    with pytest.raises(ProcedureInvalid) as refused:
        require_procedure(DECIDED, said, today=TODAY)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ([made("proposal", -1)], PROCEDURE[1].title),  # it is missing
        ([made("proposal", -1), made("employer", -1)], PROCEDURE[1].title),  # it says by nobody
        ([made("proposal", -1), made("employer", -1, "厂")], PROCEDURE[2].title),
    ],
)
def test_a_step_is_called_by_its_title_in_the_readers_language(said: list[StepMade], title: Wording) -> None:
    with pytest.raises(ProcedureInvalid) as refused:
        require_procedure(DECIDED, said, today=TODAY)
    chinese = catalogue("zh-CN").problem(refused.value).detail
    english = catalogue("en").problem(refused.value).detail
    assert title.zh in chinese
    assert title.en not in chinese.replace("--step review", "").replace("步骤 review", "")
    assert f"({title.en})" in english
    assert title.zh not in english


def test_a_step_without_an_english_title_has_its_chinese_one() -> None:
    with pytest.raises(ProcedureInvalid) as refused:
        require_procedure(DECIDED, [], today=TODAY)
    assert "(申请)" in catalogue("en").problem(refused.value).detail


def decided_twice() -> Decision:
    """A decision in which one rule grants with the procedure, and another with its last step alone."""
    question = asking("A", "C", held="AC")
    (pack,) = question.packs
    first, second = (replace(pack.rules[0], id=RuleId(name)) for name in ("r1", "r2"))
    premise = first.premises[0]
    of = (
        (first, frozenset("A"), PROCEDURE, "c0"),
        (second, frozenset("C"), PROCEDURE[2:], "c1"),
    )
    (course,) = question.programme.courses
    rules = tuple(
        replace(
            rule,
            premises=(replace(premise, pattern=replace(premise.pattern, codes=codes)),),
            procedure=procedure,
            grant=ExemptionGrant(mode="bundle", courses=CourseFilter(courses=frozenset({CourseId(course)}))),
        )
        for rule, codes, procedure, course in of
    )
    programme = replace(
        question.programme,
        courses=tuple(replace(course, id=CourseId(name)) for name in ("c0", "c1")),
        credits=course.credits * 2,
    )
    return decide(replace(question, packs=(replace(pack, rules=rules, tables={}),), programme=programme))


TWICE = decided_twice()


def waiting_or_reason(said: list[StepMade]) -> tuple[Waiting, ...] | str:
    try:
        return require_procedure(TWICE, said, today=TODAY)
    except ProcedureInvalid as error:
        return error.reason


@given(st.lists(STEPS, max_size=4, unique_by=lambda step: step.id))
def test_what_a_rule_waits_for_is_its_first_step_that_lacks_and_no_other_waits(said: list[StepMade]) -> None:
    cited = {one.cited.rule: one.cited for one in TWICE.exemptions}
    assert cited.keys() == {"r1", "r2"}
    on = {step.id for step in said}
    lacking = {
        name: next((step.id for step in one.procedure if step.id not in on), None)
        for name, one in cited.items()
    }
    waiting = waiting_or_reason(said)
    if isinstance(waiting, str):
        assert waiting != "step-missing" or None not in lacking.values()
        assert waiting not in {"step-of-none", "step-unknown"}
        return
    assert None in lacking.values()
    assert {one.cited.rule: one.step.id for one in waiting} == {
        name: step for name, step in lacking.items() if step is not None
    }
    for one in waiting:
        assert [granted.title for granted in TWICE.exemptions if granted.cited == one.cited] == list(
            one.titles
        )


SECOND_RULE = RULE.replace('"r"', '"plain"').replace('["X"]', '["Y"]').replace("0101", "0103")
THIRD = '  { id = "0103", title = "三", credits = 4, module = "m", class = "k" },\n]\n'
TWO_COURSES = PROGRAMME.replace("credits = 10", "credits = 14").removesuffix("]\n") + THIRD


def test_what_is_ready_is_registered_and_the_rest_waits_for_its_steps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bank, number = (new := new_bank()), new_account(new)
    with_steps = RULE.replace("[[rule.premise]]", IN_TOML + "[[rule.premise]]", 1)
    pack = head("p") + TWO_COURSES + with_steps + SECOND_RULE + EXAMPLES
    question = ExemptionQuestion(
        library=Library.load(write(tmp_path, pack), shipped=False), programme=ProgrammeId("web")
    )
    level = FrameworkLevel(framework="1+X", level="中级")
    for code in "XY":
        certificate = SkillCertificate(
            number=code,
            standard=code,
            title=code,
            level=level,
            issuer=EAST.issuer,
            awarded_on=BEGINNING.date(),
        )
        record_outcome(bank, EAST, number, certificate)
    first = apply_for(bank, RIVER, number, question, applicant=Applicant())
    assert len(first.decision.exemptions) == 2
    assert len(first.registered) == 1
    ((waiting,),) = (first.waiting,)
    assert (waiting.cited.rule, waiting.step.id) == ("r", "proposal")
    assert [title.zh for title in waiting.titles] == ["一"]
    for language in LANGUAGES:
        line = waiting_line(catalogue(language), waiting.cited, waiting.step, waiting.titles)
        assert all(said in line for said in ("一", "申请", "--step proposal="))
    print_answer(catalogue("en"), first, principal=RIVER)
    assert "Not registered yet: “一”." in capsys.readouterr().out
    with pytest.raises(ProcedureInvalid, match="step-missing"):
        apply_for(bank, RIVER, number, question, applicant=Applicant())  # nothing is ready any more
    today = bank.today()
    said = [
        StepMade(id="proposal", on=today),
        StepMade(id="employer", on=today, by="工厂"),
        StepMade(id="review", on=today),
    ]
    rest = apply_for(bank, RIVER, number, question, applicant=Applicant(), made=said)
    assert (len(rest.registered), rest.waiting) == (1, ())
    held = read_account(bank, number).holdings.active_grants
    assert {one.granted.rule: len(one.granted.procedure) for one in held} == {"plain": 0, "r": 3}
    assert sum(one.granted.units for one in held) == first.decision.units


def test_what_was_made_is_kept_with_the_grant(tmp_path: Path) -> None:
    bank, number = (new := new_bank()), new_account(new)
    pack = (
        head("p") + PROGRAMME + RULE.replace("[[rule.premise]]", IN_TOML + "[[rule.premise]]", 1) + EXAMPLES
    )
    question = ExemptionQuestion(
        library=Library.load(write(tmp_path, pack), shipped=False), programme=ProgrammeId("web")
    )
    level = FrameworkLevel(framework="1+X", level="中级")
    certificate = SkillCertificate(
        number="S1", standard="X", title="网页", level=level, issuer=EAST.issuer, awarded_on=BEGINNING.date()
    )
    record_outcome(bank, EAST, number, certificate)
    with pytest.raises(ProcedureInvalid):
        apply_for(bank, RIVER, number, question, applicant=Applicant())
    assert read_account(bank, number).holdings.grants == ()
    today = bank.today()
    said = [
        StepMade(id="proposal", on=today),
        StepMade(id="employer", on=today, by="工厂"),
        StepMade(id="review", on=today),
    ]
    apply_for(bank, RIVER, number, question, applicant=Applicant(), made=said[::-1])
    (held,) = read_account(bank, number).holdings.grants
    assert [replace(step, title="") for step in held.granted.procedure] == said
    assert "用人单位盖章（2026年3月1日，由工厂办理）" in grant_line(catalogue("zh-CN"), held)
