"""What if, and what next: a learner and a counsellor ask, over HTTP and on the command line."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from creditbank.conversion.holding import Applicant
from creditbank.identity.account_number import parse_account_number
from creditbank.rulepacks.library import Library
from creditbank.samples.people import sample_issuer, sample_learners
from creditbank.services.conversions import apply_for
from creditbank.services.questions import ExemptionQuestion, WaiverQuestion
from creditbank.services.what_if import Supposition, what_if_waived
from creditbank.terms import ExamId, ProgrammeId
from tests.banks import EAST, new_bank
from tests.commands import Commands
from tests.journeys.test_http import CERTIFICATE, PROBLEM, School
from tests.source import ROOT

HUSBANDRY, TOURISM, FARM = "changdu-animal-husbandry", "changdu-tourism", "changdu-farm-elementary"
DAY = "2025-11-01"
HIGHER = "kind=skill-certificate,code=CD-X-JTNC,level=1+X/高级,awarded_on=2025-03-01"


@pytest.fixture(scope="module")
def school() -> School:
    return School(new_bank())


@pytest.fixture(scope="module")
def accounts(school: School) -> list[str]:
    """A class of three, one of whom holds a certificate."""
    numbers = [school.account(place) for place in (1, 2, 3)]
    held = {**CERTIFICATE, "standard": "CD-X-JTNC", "level": {"framework": "1+X", "level": "初级"}}
    assert school.record(numbers[0], held, "a").status_code == 201
    return numbers


def test_one_more_certificate_for_one_learner(school: School, accounts: list[str]) -> None:
    body = {"programme": HUSBANDRY, "as_of": DAY, "planned": [HIGHER]}
    answer = school.post(f"/accounts/{accounts[0]}/what-ifs", body)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    before, after = (Decimal(found[side]["decision"]["credits"]) for side in ("before", "after"))
    assert after > before > 0
    assert sum(Decimal(shift["change"]) for shift in found["shifts"]) == after - before
    assert any("一项技能证书 CD-X-JTNC（高级）" in line for line in found["after"]["grants"])
    assert len(found["changes"]) == len(found["shifts"])
    exam = {"exam": FARM, "as_of": DAY, "instead_as_of": "2030-01-01"}
    waived = school.post(f"/accounts/{accounts[0]}/what-ifs", exam)
    assert waived.status_code == 200
    assert waived.json()["shifts"] == []


def test_a_class_under_another_programme_and_its_next_steps(school: School, accounts: list[str]) -> None:
    body = {"programme": HUSBANDRY, "as_of": DAY, "accounts": accounts}
    moved = school.post("/what-ifs", {**body, "instead": TOURISM})
    assert moved.status_code == 200, moved.text
    found = moved.json()
    assert (found["learners"], found["losing"], found["gaining"]) == (3, 1, 0)
    assert [change["account"] for change in found["changes"]] == [accounts[0]]
    steps = school.post("/next-steps", body).json()
    assert steps["learners"] == 3
    first = steps["steps"][0]
    assert first["learners"] == len(first["helped"])
    assert Decimal(first["gained"]) == max(Decimal(step["gained"]) for step in steps["steps"])
    assert f"{first['learners']} 人受益" in first["line"]


def test_of_a_class_what_is_registered_stays_unless_asked_otherwise() -> None:
    """By the year supposed the certificate is too old for its rule: who was granted by it keeps the grant."""
    bank = new_bank()
    school = School(bank)
    account = school.account(1)
    held = {**CERTIFICATE, "standard": "CD-X-JTNC", "level": {"framework": "1+X", "level": "中级"}}
    assert school.record(account, held, "a").status_code == 201
    question = ExemptionQuestion(library=Library.load(check=False), programme=ProgrammeId(HUSBANDRY))
    number = parse_account_number(account)
    granted = apply_for(
        bank, EAST, number, question, applicant=Applicant(), as_of=date.fromisoformat(DAY)
    ).decision
    assert granted.credits > 0
    body = {"programme": HUSBANDRY, "as_of": DAY, "instead_as_of": "2040-01-01", "accounts": [account]}
    kept = school.post("/what-ifs", body).json()
    lost = school.post("/what-ifs", {**body, "from_nothing": True}).json()
    assert (kept["losing"], lost["losing"]) == (0, 1)
    assert Decimal(lost["before"]) - Decimal(lost["after"]) == granted.credits


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"programme": HUSBANDRY}, 422),  # nothing is supposed
        ({"planned": [HIGHER]}, 422),
        ({"programme": HUSBANDRY, "exam": FARM, "planned": [HIGHER]}, 422),
        ({"programme": HUSBANDRY, "planned": [f"{HIGHER},credits=-5"]}, 422),
        ({"programme": "no-such", "planned": [HIGHER]}, 404),
        ({"programme": HUSBANDRY, "instead": "no-such"}, 404),
    ],
)
def test_what_cannot_be_supposed_is_a_problem(
    school: School, accounts: list[str], body: dict[str, object], status: int
) -> None:
    for path, more in ((f"/accounts/{accounts[0]}/what-ifs", {}), ("/what-ifs", {"accounts": accounts})):
        answer = school.post(path, {**body, **more})
        assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), answer.text


def test_on_the_command_line(commands: Commands, tmp_path: Path) -> None:
    east = sample_issuer("school-east")
    opened = []
    for place in (1, 2):
        number = sample_learners()[place].citizen_number
        assert number is not None
        done = commands.run(
            "account", "open", "--name", "扎西", "--citizen-number", number.text, "--issuer", east, "--json"
        )
        opened.append(done.json["account"])
    ask = (
        "--programme",
        HUSBANDRY,
        "--as-of",
        DAY,
        "--add",
        "code=CD-X-JTNC,level=中级,awarded_on=2025-03-01",
    )
    one = commands.run("decide", "what-if", opened[0], *ask)
    assert "一项技能证书 CD-X-JTNC（中级）" in one.out
    assert "→ xm-x-" in one.out
    cohort = tmp_path / "class.csv"
    cohort.write_text("name,account\n甲,{}\n乙,{}\n".format(*opened), "utf-8")
    several = commands.run("decide", "what-if", cohort, *ask, "--json").json
    assert several["learners"] == 2
    assert [one["account"] for one in several["differences"]] == opened
    everybody = commands.run("decide", "what-if", "all", *ask, "--processes", "2")
    assert "2 人" in everybody.out
    steps = commands.run("decide", "next-steps", cohort, "--programme", HUSBANDRY, "--as-of", DAY)
    assert "2 人受益" in steps.out
    as_json = commands.run("decide", "next-steps", "all", "--programme", HUSBANDRY, "--json").json
    assert as_json["learners"] == 2
    none = commands.run(
        "decide", "what-if", opened[0], "--programme", HUSBANDRY, "--instead", TOURISM, code=1
    )
    assert "没有变化" in none.out


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--programme", HUSBANDRY), "supposed-nothing"),
        (("--programme", HUSBANDRY, "--exam", FARM, "--add", "code=X"), "aim-unclear"),
        (("--add", "code=X"), "aim-unclear"),
        (("--programme", HUSBANDRY, "--add", "level=中级"), "planned-incomplete"),
        (("--programme", HUSBANDRY, "--add", "code"), "planned-not-read"),
        (("--programme", HUSBANDRY, "--add", "code=X,awarded_on=soon"), "planned-day"),
        (("--programme", HUSBANDRY, "--add", "code=X,credits=-1"), "planned-number"),
        (("--programme", HUSBANDRY, "--add", "code=X,level=特级"), "supposed-level"),
        (("--programme", HUSBANDRY, "--add", "code=X", "--known-at", "#1"), "class-known-at"),
    ],
)
def test_a_question_that_cannot_be_read_is_named(
    commands: Commands, options: tuple[str, ...], reason: str
) -> None:
    refused = commands.run("decide", "what-if", "all", *options, code=2)
    assert reason in refused.err
    missing = commands.run(
        "decide", "what-if", "./nobody.csv", "--programme", HUSBANDRY, "--add", "code=X", code=2
    )
    assert "class-unknown" in missing.err


@pytest.mark.parametrize(("major", "warned"), [("0551", ()), ("0552", ()), ("0553", ("major",))])
def test_a_fact_is_warned_of_once_and_where_no_side_knows_it(
    tmp_path: Path, major: str, warned: tuple[str, ...]
) -> None:
    """Two exams whose rules name another major each: only what neither names is odd."""
    text = (ROOT / "creditbank/rulepacks/catti/2018-11-01.toml").read_text("utf-8")
    own = text.replace("catti-2", "other-2").replace('"catti"', '"other"').replace("0551", "0552")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "2018-11-01.toml").write_text(own, "utf-8")
    bank = new_bank()
    found = what_if_waived(
        bank,
        parse_account_number(School(bank).account(1)),
        WaiverQuestion(library=Library.load(tmp_path), exam=ExamId("catti-2-translation")),
        Supposition(aim=ExamId("other-2-translation")),
        applicant=Applicant(major=major),
    )
    assert tuple(one.field for one in found.warnings) == warned
