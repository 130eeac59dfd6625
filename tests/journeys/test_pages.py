"""A learner's statement in a real browser, at the width of a phone and of a desk."""

import shutil
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from api.app import create_app
from creditbank.conversion.holding import Applicant
from creditbank.identity.account_number import AccountNumber
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.rulepacks.library import Library
from creditbank.samples.outcomes import story_outcomes
from creditbank.samples.people import protagonist
from creditbank.services.bank import Principal
from creditbank.services.conversions import apply_for
from creditbank.services.operator_token import kept_digest, make_token
from creditbank.services.outcomes import record_outcome, revoke_outcome
from creditbank.services.publishing import publish_now
from creditbank.services.questions import ExemptionQuestion
from creditbank.terms import OutcomeId, ProgrammeId
from tests.banks import EAST, new_account, new_bank

CHROMIUM = shutil.which("chromium")
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed"),
]


class Site:
    """A served bank with one learner's account in it."""

    def __init__(self, address: str, token: str, account: AccountNumber) -> None:
        self.address = address
        self.token = token
        self.account = account

    @property
    def statement(self) -> str:
        return f"{self.address}/statement/{self.account.text}"


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return {
        "executable_path": CHROMIUM,
        "args": [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    }


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    bank = new_bank()
    account = new_account(bank, protagonist())
    for sample in story_outcomes():
        record_outcome(bank, Principal(issuer=sample.outcome.issuer), account, sample.outcome)
    library = Library.load(check=False)
    question = ExemptionQuestion(library=library, programme=ProgrammeId("changdu-animal-husbandry"))
    apply_for(bank, EAST, account, question, applicant=Applicant(), as_of=date(2025, 11, 1))
    certificate = next(
        place
        for place, sample in enumerate(story_outcomes(), start=1)
        if isinstance(sample.outcome, SkillCertificate)
    )
    station = Principal(issuer=story_outcomes()[certificate - 1].outcome.issuer)
    revoke_outcome(bank, station, account, OutcomeId(f"{certificate:06}"), reason="成绩录入有误")
    publish_now(bank)
    token, digest = make_token(bank), kept_digest(bank)
    assert token is not None
    assert digest is not None
    server = uvicorn.Server(
        uvicorn.Config(create_app(bank, library, token_digest=digest), port=0, log_level="error")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
        assert thread.is_alive(), "the server did not start"
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Site(f"http://127.0.0.1:{port}", token, account)
    server.should_exit = True
    thread.join(10)


def signed_in(
    browser: Browser, site: Site, *, width: dict[str, int], language: str = "zh-CN"
) -> BrowserContext:
    context = browser.new_context(
        viewport={"width": width["width"], "height": width["height"]}, locale=language
    )
    page = context.new_page()
    page.goto(f"{site.address}/sign-in?then=/statement/{site.account.text}#{site.token}")
    page.get_by_role("button").click()
    page.wait_for_url(site.statement)
    page.close()
    return context


def opened(context: BrowserContext, address: str) -> Page:
    """Open a page and make sure that the browser had nothing to complain of."""
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    assert complaints == []
    return page


@pytest.mark.parametrize("width", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
def test_a_statement_is_readable_and_accessible(
    browser: Browser, site: Site, tmp_path: Path, width: dict[str, int], language: str
) -> None:
    context = signed_in(browser, site, width=width, language=language)
    page = opened(context, site.statement)
    assert page.locator("h1").inner_text() == protagonist().names.shown
    assert page.locator("[lang=bo].tibetan").inner_text() == protagonist().names.tibetan
    assert page.locator(".suspended").count() >= 1
    page.locator("summary").last.click()
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0
    page.screenshot(path=tmp_path / "statement.png", full_page=True)
    broken = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in broken] == []
    context.close()


def test_a_proof_is_one_click_away(browser: Browser, site: Site) -> None:
    context = signed_in(browser, site, width=PHONE)
    page = opened(context, site.statement)
    page.locator("summary").last.click()
    with page.expect_download() as download:
        page.locator(".entries a").first.click()
    assert Path(download.value.path()).read_bytes().startswith(b"c2sp.org/tlog-proof@v1\n")
    context.close()


def test_whoever_is_not_signed_in_is_asked_to(browser: Browser, site: Site) -> None:
    context = browser.new_context()
    page = opened(context, site.statement)
    assert "/sign-in" in page.url
    page.get_by_label("令牌").or_(page.locator("#token")).first.fill("wrong")
    page.get_by_role("button").click()
    assert page.get_by_role("alert").count() == 1
    context.close()


def test_a_wrong_account_number_is_a_page_too(browser: Browser, site: Site) -> None:
    context = signed_in(browser, site, width=PHONE)
    page = context.new_page()
    page.goto(site.address)
    page.locator("#account").fill("0000-1111")
    page.get_by_role("button").click()
    assert page.get_by_role("alert").inner_text()
    context.close()
