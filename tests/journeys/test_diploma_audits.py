"""A learner asks what is still missing for a diploma: over HTTP, on the command line, on a phone."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from creditbank.conversion.holding import Applicant
from creditbank.identity.account_number import parse_account_number
from creditbank.rulepacks.library import Library
from creditbank.samples.people import protagonist, sample_issuer, sample_learners
from creditbank.services.conversions import apply_for
from creditbank.services.diploma_audits import AuditAnswer, audit_account
from creditbank.services.known import LogSize
from creditbank.services.questions import ExemptionQuestion
from creditbank.services.sequencing import sequence_pending
from creditbank.terms import ProgrammeId
from tests.banks import EAST, new_bank
from tests.commands import Commands
from tests.journeys.test_http import CERTIFICATE, PROBLEM, School
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

HUSBANDRY = "changdu-animal-husbandry"
DAY = "2025-11-01"
ENGLISH = {
    "kind": "course-credit",
    "course_code": "GG04",
    "title": "英语",
    "credits": "5.5",
    "awarded_on": "2025-01-10",
    "score": "71",
    "hours": "99",
    "hours_per_credit": "18",
}


@pytest.fixture(scope="module")
def school() -> School:
    return School(new_bank())


@pytest.fixture(scope="module")
def account(school: School) -> str:
    """A veteran with a certificate who has passed English at the school of the east."""
    number = school.account(0)
    held: list[dict[str, object]] = [dict(ENGLISH), {**CERTIFICATE, "standard": "CD-X-JTNC"}]
    for key, outcome in enumerate(held):
        assert school.record(number, outcome, f"{key}").status_code == 201
    return number


def asked(school: School, account: str, query: str = "") -> Any:  # noqa: ANN401 - JSON
    answer = school.get(f"/accounts/{account}/audits/{HUSBANDRY}?as_of={DAY}{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_an_audit_tells_what_is_earned_exemptable_and_missing(school: School, account: str) -> None:
    found = asked(school, account, f"&enrolled_at={EAST.issuer}")
    places = {place["id"]: place for module in found["modules"] for place in module["places"]}
    assert len(places) == len(
        Library.load(check=False).programme(ProgrammeId(HUSBANDRY), as_of=date(2025, 11, 1)).courses
    )
    assert places["GG04"]["state"] == "earned"
    assert "英语" in places["GG04"]["line"]
    assert places["XM25"]["state"] in {"exemptable", "missing"}
    assert {place["state"] for place in places.values()} == {"earned", "exemptable", "missing"}
    assert places["GG01"]["blocks"] == ["不得免修：思想政治课程不得免修。"]
    total = found["audit"]["total"]
    sums = [Decimal(total[name]) for name in ("earned", "exempted", "missing")]
    assert sum(sums) == Decimal(total["required"]) == 160
    assert sums[0] == Decimal("5.5")  # what the school stated, though the course has 6
    assert places["GG04"]["line"].endswith("登记的学分比课程的少 0.5 学分。")
    assert not found["complete"]


def test_without_a_school_nothing_is_earned_and_the_reader_is_told(school: School, account: str) -> None:
    found = asked(school, account)
    assert found["audit"]["total"]["earned"] == "0"
    assert any("在读学校" in note for note in found["notes"])
    english = school.stranger.get(
        f"/accounts/{account}/audits/{HUSBANDRY}",
        headers={**school.headers, "Accept-Language": "en"},
    ).json()
    assert any("school" in note for note in english["notes"])


def test_an_audit_registers_nothing_and_what_is_registered_then_is_exempted(school: School) -> None:
    number = school.account(2)
    school.record(number, {**CERTIFICATE, "number": "DEMO-A", "standard": "CD-X-JTNC"}, "a")
    before = asked(school, number)
    body = {"programme": HUSBANDRY, "as_of": DAY, "beside_earned": True}
    granted = school.post(f"/accounts/{number}/exemptions", body)
    assert granted.status_code == 201, granted.text
    after = asked(school, number)
    assert Decimal(after["audit"]["total"]["exempted"]) == Decimal(before["audit"]["total"]["exemptable"]) > 0
    assert "exempted" in {place["state"] for module in after["modules"] for place in module["places"]}


def test_an_audit_as_known_then_stays_as_it_was() -> None:
    """Caught: registered grants of later, pinned."""
    bank = new_bank()
    school, library = School(bank), Library.load(check=False)
    number = parse_account_number(school.account(1))
    school.record(str(number), {**CERTIFICATE, "standard": "CD-X-JTNC"}, "a")
    sequence_pending(bank.store)
    with bank.store.reading() as books:
        size = LogSize(entries=books.ledger.size())

    def then() -> AuditAnswer:
        return audit_account(
            bank,
            number,
            library,
            ProgrammeId(HUSBANDRY),
            applicant=Applicant(),
            as_of=date(2025, 11, 1),
            known_at=size,
        )

    first = then()
    question = ExemptionQuestion(library=library, programme=ProgrammeId(HUSBANDRY))
    granted = apply_for(bank, EAST, number, question, applicant=Applicant(), as_of=date(2025, 11, 1))
    assert granted.registered
    sequence_pending(bank.store)
    assert then() == first


def test_what_cannot_be_audited_is_a_problem(school: School, account: str) -> None:
    unknown = school.get(f"/accounts/{account}/audits/no-such-programme")
    assert (unknown.status_code, unknown.headers["content-type"]) == (404, PROBLEM)
    for query in (
        "as_of=2025-02-30",
        "surprise=1",
        "known_at=now",
        "at_size=1&known_at=2026-01-01T00:00:00Z",
    ):
        answer = school.get(f"/accounts/{account}/audits/{HUSBANDRY}?{query}")
        assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM), query


def test_on_the_command_line(commands: Commands) -> None:
    east, number = sample_issuer("school-east"), sample_learners()[1].citizen_number
    assert number is not None
    opened_ = commands.run(
        "account", "open", "--name", "扎西", "--citizen-number", number.text, "--issuer", east, "--json"
    ).json
    done = commands.run("audit", opened_["account"], HUSBANDRY, "--as-of", DAY, code=1)
    assert "还差 160 学分" in done.out
    assert "[尚缺] 英语（6 学分）" in done.out
    done = commands.run("audit", opened_["account"], HUSBANDRY, "--enrolled-at", east, "--json", code=1)
    assert done.json["audit"]["school"] == east
    refused = commands.run("audit", opened_["account"], "no-such", code=2)
    assert "programme-unknown" in refused.err


@pytest.mark.parametrize("width", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
def test_the_page_is_readable_and_accessible(
    browser: Browser,
    site: Site,  # noqa: F811
    tmp_path: Path,
    width: dict[str, int],
    language: str,
) -> None:
    context = signed_in(browser, site, width=width, language=language)
    page = opened(context, site.statement)
    page.locator(".programmes summary").click()
    page.locator(".programmes a").first.click()
    page.goto(f"{site.statement}/audits/{HUSBANDRY}")
    assert protagonist().names.shown in page.locator("main").inner_text()
    page.locator("select").select_option(sample_issuer("school-river"))
    page.get_by_role("button").click()
    assert page.locator(".earned .badge").count() + page.locator(".exempted .badge").count() >= 2
    page.locator(".why summary").first.click()
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0
    page.screenshot(path=tmp_path / "audit.png", full_page=True)
    broken = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in broken] == []
    context.close()


@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
def test_the_page_asks_since_when_where_years_count(
    browser: Browser,
    site: Site,  # noqa: F811
    language: str,
) -> None:
    context = signed_in(browser, site, width=PHONE, language=language)
    page = opened(context, site.statement)
    page.goto(f"{site.statement}/audits/new-farmers-breeding")
    years = page.locator("section[aria-labelledby=requirements] li").last
    before = years.inner_text()
    page.locator("#enrolled_on").fill("2015-09-01")
    page.locator("form.pick button").click()
    assert years.inner_text() != before
    assert "2017" in years.inner_text()
    assert page.locator("#enrolled_on").input_value() == "2015-09-01"
    page.locator("section[aria-labelledby=requirements] summary").first.click()
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0
    assert [one["id"] for one in Axe().run(page).response["violations"]] == []
    page.goto(f"{site.statement}/audits/new-farmers-breeding?enrolled_on=2015-02-30")
    assert page.locator("#enrolled_on").count() == 0
    context.close()


def requirements_in(found: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return the requirements of an audit by their titles, values and words together."""
    told = zip(found["audit"]["requirements"], found["requirements"], strict=True)
    return {words["title"]: {**values, **words} for values, words in told}


def test_an_audit_of_new_farmers_tells_hours_practice_and_years(school: School) -> None:
    number = school.account(3)
    basics = {
        "kind": "course-credit",
        "course_code": "NF01",
        "title": "公共基础课",
        "credits": "30",
        "awarded_on": "2016-01-10",
        "score": "71",
        "hours": "500",
        "hours_per_credit": "16",
    }
    training = {"kind": "training", "programme_code": "NF-BREEDING", "title": "养殖", "hours": "320"}
    for key, outcome in enumerate((basics, {**training, "awarded_on": "2016-05-01"})):
        recorded = school.record(number, outcome, f"nf-{key}")
        assert recorded.status_code == 201, recorded.text
    stated = f"&enrolled_at={EAST.issuer}&category=herder-farmer&enrolled_on=2015-09-01"
    address = f"/accounts/{number}/audits/new-farmers-breeding"
    found = school.get(f"{address}?as_of=2016-09-01{stated}").json()
    by_title = requirements_in(found)
    assert not found["complete"]
    hours = by_title["总学时不少于 2,720"]
    assert hours["state"] == "short"
    assert {name: hours["figures"][name] for name in ("required", "earned", "exemptable", "missing")} == {
        "required": "2720",
        "earned": "500",  # what the school stated: more than the 480 of the course
        "exemptable": "320",  # 20 of 57 credits, of 912 hours
        "missing": "2220",
    }
    assert hours["line"] == "要求 2,720 学时：已修得 500，已免修 0，尚缺 2,220。所缺之中现可免修 320 学时。"
    for course in (
        "《专业核心课》可计 1,328 学时",
        "《可认定的能力拓展学分》可计 912 学时，其中现可免修 320",
    ):
        assert course in hours["details"][1]
    practice = by_title["理论与实践 1 : 1，实践不少于一半"]
    assert (practice["state"], practice["hours"]) == ("short", "2720")
    assert {name: practice["figures"][name] for name in ("required", "earned", "missing")} == {
        "required": "1360",
        "earned": "96",
        "missing": "1264",
    }
    years = by_title["学制二至六年"]
    assert (years["state"], years["earliest"], years["latest"]) == ("too-early", "2017-09-01", "2021-08-31")
    assert "最早2017年9月1日毕业" in years["line"]
    for day, state in (("2017-09-01", "reached"), ("2021-08-31", "reached"), ("2021-09-01", "too-late")):
        then = requirements_in(school.get(f"{address}?as_of={day}{stated}").json())
        assert then["学制二至六年"]["state"] == state
    unstated = requirements_in(school.get(f"{address}?as_of=2016-09-01").json())
    assert unstated["学制二至六年"]["state"] == "unknown"
    english = {**school.headers, "Accept-Language": "en"}
    spoken = school.stranger.get(f"{address}?as_of=2016-09-01", headers=english).json()
    assert "The day of enrolment is not stated" in spoken["requirements"][2]["line"]


def test_an_audit_of_k_acbs_tells_which_credits_are_from_accredited_bodies(school: School) -> None:
    number = school.account(4)
    for key, (code, accredited) in enumerate((("KM-ALGORITHMS", "yes"), ("KM-DATABASES", "no"))):
        outcome = {
            "kind": "course-credit",
            "course_code": code,
            "title": code,
            "credits": "12",
            "awarded_on": f"202{key}-06-20",
            "score": "80",
            "attributes": {"attendance": "90", "accredited": accredited},
        }
        recorded = school.record(number, outcome, f"ka-{key}")
        assert recorded.status_code == 201, recorded.text
    granted = school.post(
        f"/accounts/{number}/exemptions", {"programme": "k-acbs-computing", "as_of": "2026-03-01"}
    )
    assert granted.status_code == 201, granted.text
    found = school.get(f"/accounts/{number}/audits/k-acbs-computing?as_of=2026-03-01").json()
    assert found["audit"]["total"]["exempted"] == "24"
    accredited_ = requirements_in(found)["认可机构至少 18 学分"]
    assert accredited_["state"] == "short"
    assert {name: accredited_["figures"][name] for name in ("required", "exempted", "missing")} == {
        "required": "18",
        "exempted": "12",
        "missing": "6",
    }
    (place,) = [one for one in accredited_["places"] if one["outcomes"]]
    assert (place["id"], place["figures"]["exempted"], len(place["outcomes"])) == ("major", "12", 1)
    assert accredited_["details"][0] == "只计这样的成果：所在机构是否经认可（已认可）。"
    assert accredited_["details"][1].startswith("已计入：《专业》计 12 学分（依据")
