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
from creditbank.conversion.decision import Decision
from creditbank.conversion.holding import Applicant
from creditbank.conversion.procedure import Step
from creditbank.conversion.rule import Wording
from creditbank.locale.catalogue import catalogue
from creditbank.locale.wording import grant_line
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.rulepacks.library import Library
from creditbank.services.accounts import read_account
from creditbank.services.conversions import apply_for
from creditbank.services.outcomes import record_outcome
from creditbank.services.procedure import ProcedureInvalid, require_procedure, steps_of
from creditbank.services.questions import ExemptionQuestion
from creditbank.terms import ProgrammeId
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
