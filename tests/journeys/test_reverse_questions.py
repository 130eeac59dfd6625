"""Where do my idle outcomes count, and which exams does my diploma help with?"""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser

from creditbank.account.outcome_name import name_of
from creditbank.cli.reverse import idle_lines
from creditbank.conversion.holding import Applicant
from creditbank.identity.account_number import AccountNumber, parse_account_number
from creditbank.locale.catalogue import catalogue
from creditbank.outcomes import Outcome
from creditbank.rulepacks.library import Library
from creditbank.samples.outcomes import sample_outcomes, story_outcomes
from creditbank.samples.people import sample_issuer, sample_learners
from creditbank.samples.starters import starter_pack
from creditbank.services.bank import Bank, Principal
from creditbank.services.conversions import apply_for, decide_for
from creditbank.services.outcomes import record_outcome
from creditbank.services.questions import ExemptionQuestion, WaiverQuestion
from creditbank.services.reverse import exams_helped, idle_outcomes
from creditbank.terms import OutcomeId, ProgrammeId
from tests.banks import EAST, new_account, new_bank
from tests.commands import Commands
from tests.journeys.test_http import PROBLEM, School
from tests.journeys.test_pages import (  # noqa: F401 - fixtures
    DESK,
    PHONE,
    Site,
    browser_type_launch_args,
    opened,
    pytestmark,
    signed_in,
    site,
)

HUSBANDRY, TOURISM = ProgrammeId("changdu-animal-husbandry"), ProgrammeId("changdu-tourism")
CHINESE = catalogue("zh-CN")
LIBRARY = Library.load(check=False)
DAY = date(2026, 3, 1)
OUTCOMES: list[Outcome] = list(dict.fromkeys(sample.outcome for sample in sample_outcomes()))


def held_by_one(outcomes: list[Outcome]) -> tuple[Bank, AccountNumber]:
    bank = new_bank()
    number = new_account(bank)
    for outcome in outcomes:
        record_outcome(bank, Principal(issuer=outcome.issuer), number, outcome)
    return bank, number


@pytest.fixture(scope="module")
def story() -> tuple[Bank, AccountNumber]:
    """The protagonist, whose diploma is in animal husbandry."""
    return held_by_one([sample.outcome for sample in story_outcomes()])


@settings(max_examples=12)
@given(st.lists(st.sampled_from(OUTCOMES), min_size=1, max_size=4, unique_by=name_of), st.booleans())
def test_what_is_idle_here_counts_where_the_best_answer_there_rests_on_it(
    outcomes: list[Outcome],
    is_registered: bool,  # noqa: FBT001
) -> None:
    bank, number = held_by_one(outcomes)
    if is_registered:
        question = ExemptionQuestion(library=LIBRARY, programme=TOURISM)
        apply_for(bank, EAST, number, question, applicant=Applicant(), as_of=DAY)
    found = idle_outcomes(bank, number, LIBRARY, HUSBANDRY, applicant=Applicant(), as_of=DAY)
    assert tuple(one.nowhere for one in found.idle) == found.answer.decision.nowhere
    others = [one.id for one in LIBRARY.programmes_on(DAY) if one.id != HUSBANDRY]
    assert found.tried == len(others)
    for other in others if found.idle else ():
        there = decide_for(
            bank,
            number,
            ExemptionQuestion(library=LIBRARY, programme=other),
            applicant=Applicant(),
            as_of=DAY,
        ).decision
        for one in found.idle:
            resting = [
                exemption
                for exemption in there.exemptions
                if one.nowhere.outcome in (*exemption.spent, *exemption.witnesses)
            ]
            told = [where for where in one.counts_in if where.programme == other]
            assert sum((where.credits for where in told), Decimal(0)) == sum(
                (exemption.credits for exemption in resting), Decimal(0)
            )
            assert sum(len(where.places) for where in told) == len(resting)
    exams = [one.id for one in LIBRARY.exams_on(DAY)]
    assert found.exams == (len(exams) if found.idle else 0)
    for exam in exams if found.idle else ():
        question_ = WaiverQuestion(library=LIBRARY, exam=exam)
        waived = decide_for(bank, number, question_, applicant=Applicant(), as_of=DAY).decision.waivers
        for one in found.idle:
            parts = [waiver.title for waiver in waived if one.nowhere.outcome in waiver.witnesses]
            assert parts == [part for where in one.waives_in if where.exam == exam for part in where.parts]


def test_a_diploma_that_waives_a_part_is_not_said_to_count_nowhere(story: tuple[Bank, AccountNumber]) -> None:
    bank, number = story
    found = idle_outcomes(bank, number, LIBRARY, HUSBANDRY, applicant=Applicant(), as_of=DAY)
    diploma = next(one for one in found.idle if one.nowhere.outcome == "000005")
    assert [where.exam for where in diploma.waives_in][:1] == ["changdu-farm-elementary"]
    assert all(
        "也用不上" not in line for line in idle_lines(CHINESE, diploma, tried=found.tried, exams=found.exams)
    )


@settings(max_examples=12)
@given(st.lists(st.sampled_from(OUTCOMES), max_size=4, unique_by=name_of))
def test_every_part_of_every_exam_is_told_once_as_the_decision_has_it(outcomes: list[Outcome]) -> None:
    bank, number = held_by_one(outcomes)
    found = exams_helped(bank, number, LIBRARY, applicant=Applicant(), as_of=DAY)
    assert sorted(one.help.exam for one in found) == sorted(one.id for one in LIBRARY.exams_on(DAY))
    for one in found:
        question = WaiverQuestion(library=LIBRARY, exam=one.help.exam)
        alone = decide_for(bank, number, question, applicant=Applicant(), as_of=DAY).decision
        assert [part.id for part in one.help.parts] == [part.id for part in one.place.parts]
        assert [part.id for part in one.help.parts if part.state == "waived"] == [
            waiver.part for waiver in alone.waivers
        ]
        for part in one.help.parts:
            if part.state == "nearly":
                assert len(one.help.decision.refusals[part.refusals[0]].needs) == 1
            if part.state in {"nearly", "unmet"}:
                assert part.refusals
        if not outcomes:
            assert one.help.count("waived", "registered", "capped") == 0
    ranks = [one.help.count("registered", "waived", "capped") for one in found]
    assert ranks == sorted(ranks, reverse=True)


def test_a_diploma_alone(story: tuple[Bank, AccountNumber]) -> None:
    bank, number = story
    diploma = OutcomeId("000005")
    found = exams_helped(bank, number, LIBRARY, applicant=Applicant(), only=diploma, as_of=DAY)
    first = found[0].help
    assert first.exam == "changdu-farm-elementary"
    assert {part.state for part in first.parts} >= {"waived"}
    assert all(waiver.witnesses == (diploma,) for one in found for waiver in one.help.decision.waivers)
    served = exams_helped(bank, number, LIBRARY, applicant=Applicant(), only=OutcomeId("000001"), as_of=DAY)
    assert not any(one.help.count("waived") for one in served)


def test_over_http() -> None:
    bank = new_bank()
    school = School(bank)
    account = school.account(1)
    number = parse_account_number(account)
    for sample in story_outcomes():
        record_outcome(bank, Principal(issuer=sample.outcome.issuer), number, sample.outcome)
    exams = school.get(f"/accounts/{account}/exams?as_of={DAY}&only=000005")
    assert exams.status_code == 200, exams.text
    first = exams.json()["exams"][0]
    assert first["helps"]
    assert any("可免试" in part["line"] for part in first["parts"])
    idle = school.get(f"/accounts/{account}/nowhere/{TOURISM}?as_of={DAY}")
    assert idle.status_code == 200, idle.text
    certificate = next(one for one in idle.json()["idle"] if one["outcome"] == "000004")
    assert HUSBANDRY in {where["programme"] for where in certificate["counts_in"]}
    assert "在《畜牧兽医" in certificate["counts_in"][0]["line"]
    for path in ("exams?only=000099", "nowhere/no-such"):
        refused = school.get(f"/accounts/{account}/{path}")
        assert (refused.status_code, refused.headers["content-type"]) == (404, PROBLEM)
    assert school.get(f"/accounts/{account}/exams?only=x").status_code == 422


def test_on_the_command_line(commands: Commands) -> None:
    east, person = sample_issuer("school-east"), sample_learners()[1].citizen_number
    assert person is not None
    account = commands.run(
        "account", "open", "--name", "扎西", "--citizen-number", person.text, "--issuer", east, "--json"
    ).json["account"]
    empty = commands.run("decide", "nowhere", account, "--programme", HUSBANDRY, code=1)
    assert "每项成果在此都用上了" in empty.out
    diploma = "kind=diploma,code=CD-XM,level=GB/T 4658/44,awarded_on=2025-07-01"
    helped = commands.run("decide", "exams", account, "--add", diploma, "--as-of", "2025-11-01")
    assert "一项学历证书 CD-XM" in helped.out
    none = commands.run("decide", "exams", account, "--json", code=1)
    assert {one["exam"] for one in none.json} == {exam.id for exam in LIBRARY.exams_on(DAY)}
    unknown = commands.run("decide", "exams", account, "--only", "7", code=2)
    assert "held-outcome-unknown" in unknown.err


@pytest.mark.parametrize("width", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
def test_the_page_of_exams_is_readable_and_accessible(
    browser: Browser,
    site: Site,  # noqa: F811
    tmp_path: Path,
    width: dict[str, int],
    language: str,
) -> None:
    context = signed_in(browser, site, width=width, language=language)
    page = opened(context, site.statement)
    page.locator(f'a[href$="{site.account.text}/exams"]').click()
    page.wait_for_url(f"{site.statement}/exams")
    assert page.locator(".part-waived").count() >= 1
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0
    page.screenshot(path=tmp_path / "exams.png", full_page=True)
    broken = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in broken] == []
    context.close()


def test_a_fact_that_no_rule_knows_is_warned_of_beside_either_answer(
    story: tuple[Bank, AccountNumber], tmp_path: Path
) -> None:
    scope = '[rule.scope]\nfacts = [{ fact = "region", one_of = ["540300"] }]\n[[rule.premise]]'
    text = starter_pack("exemption", name="mine", effective_from=date(2025, 9, 1))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "2025-09-01.toml").write_text(text.replace("[[rule.premise]]", scope, 1), "utf-8")
    library, asking = Library.load(tmp_path, check=False), Applicant(region="110000", major="0552")
    found = idle_outcomes(*story, library, ProgrammeId("mine-programme"), applicant=asking, as_of=DAY)
    assert [one.field for one in found.warnings] == ["region"]
    exams = exams_helped(*story, library, applicant=asking, as_of=DAY)
    odd = {one.help.exam: [warning.field for warning in one.warnings] for one in exams if one.warnings}
    assert odd == {"catti-2-translation": ["major"]}


def test_a_warning_is_printed_and_sent(commands: Commands) -> None:
    number = sample_learners()[1].citizen_number
    assert number is not None
    opened_ = commands.run(
        *("account", "open", "--name", "扎西", "--citizen-number", number.text, "--json"),
        *("--issuer", sample_issuer("school-east")),
    ).json
    asked = ("decide", "exams", opened_["account"], "--major", "0552")
    assert "0551" in commands.run(*asked, code=1).out
    found = commands.run(*asked, "--json", code=1).json
    assert len([one for one in found if one["warnings"]]) == 1
    nowhere = ("decide", "nowhere", opened_["account"], "--programme", HUSBANDRY, "--json")
    assert commands.run(*nowhere, code=1).json["warnings"] == []
    school = School(new_bank())
    account = school.account(1)
    sent = school.get(f"/accounts/{account}/exams?major=0552").json()["exams"]
    assert [one["exam"] for one in sent if one["warnings"]] == ["catti-2-translation"]
    assert school.get(f"/accounts/{account}/nowhere/{HUSBANDRY}?major=0552").json()["warnings"] == []
