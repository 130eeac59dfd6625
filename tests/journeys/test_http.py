"""The HTTP interface, as a school's program uses it and as a stranger tries it."""

import sys
from collections.abc import Mapping
from functools import cache, partial
from itertools import product
from typing import NoReturn

import pytest
import structlog
from fastapi.testclient import TestClient
from httpx2 import Response

from api.app import create_app
from creditbank.errors import CreditBankError, IntegrityBroken, Misconfigured
from creditbank.identity.account_number import account_number_of
from creditbank.identity.organisation_code import check_character
from creditbank.locale.catalogue import LANGUAGES, catalogue
from creditbank.rulepacks.library import Library
from creditbank.samples.people import sample_learners
from creditbank.services.bank import Bank
from creditbank.services.log import LogShrankOrForked
from creditbank.services.operator_token import kept_digest, make_token
from creditbank.services.sequencing import sequence_pending
from tests.banks import EAST, new_bank
from tests.source import ROOT

ERRORS = ROOT / "docs" / "errors.md"
PROBLEM = "application/problem+json"
PUBLIC = {
    "/healthz",
    "/readyz",
    "/checkpoint",
    "/verifier-key",
    "/tile/{path}",
    "/entries/{subject}/{seq}/receipt",
}
CERTIFICATE = {
    "kind": "skill-certificate",
    "number": "DEMO-1",
    "standard": "X-XQYZ",
    "title": "家庭农场畜禽养殖",
    "level": {"framework": "1+X", "level": "中级"},
    "awarded_on": "2024-06-01",
    "score": "82.5",
}
AN_ACCOUNT = str(account_number_of(bytes(10)))


def fail(error: CreditBankError) -> None:
    raise error


def crash(name: str = "Tashi") -> None:
    raise KeyError(name)


@cache
def shipped_packs() -> Library:
    """The shipped packs, their examples run: read once, since nobody changes them."""
    return Library.load()


class School:
    """A school's program: it knows the token, and in whose name it speaks. `stranger` knows neither."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        token = make_token(bank)
        digest = kept_digest(bank)
        assert token is not None
        assert digest is not None
        self.token = token
        self.app = create_app(bank, shipped_packs(), token_digest=digest)
        self.stranger = TestClient(self.app, raise_server_exceptions=False)
        self.headers = {"Authorization": f"Bearer {token}", "On-Behalf-Of": EAST.issuer}

    def get(self, path: str) -> Response:
        return self.stranger.get(path, headers=self.headers)

    def post(self, path: str, body: object, headers: dict[str, str] | None = None) -> Response:
        return self.stranger.post(path, json=body, headers={**self.headers, **(headers or {})})

    def account(self, place: int = 0) -> str:
        learner = sample_learners()[place]
        assert learner.citizen_number is not None
        names = {"chinese": learner.names.chinese, "tibetan": learner.names.tibetan}
        body = {"names": names, "citizen_number": learner.citizen_number.text}
        opened = self.post("/accounts", body)
        assert opened.status_code == 201, opened.text
        return str(opened.json()["account"])

    def record(self, account: str, outcome: Mapping[str, object], key: str) -> Response:
        headers = {"Idempotency-Key": key}
        return self.post(f"/accounts/{account}/outcomes", {"outcome": outcome}, headers)


@pytest.fixture(scope="module")
def school() -> School:
    return School(new_bank())


def test_a_school_records_and_the_account_shows_it(school: School) -> None:
    account = school.account(1)
    first = school.record(account, {**CERTIFICATE, "number": "DEMO-2"}, "k")
    assert first.status_code == 201, first.text
    again = school.record(account, {**CERTIFICATE, "number": "DEMO-2"}, "k")
    assert again.json() == {**first.json(), "repeated": True}
    read = school.get(f"/accounts/{account}").json()
    assert [held["outcome"]["number"] for held in read["outcomes"]] == ["DEMO-2"]
    assert read["issuers"][EAST.issuer].startswith("藏东")
    revoked = school.post(f"/accounts/{account}/outcomes/000001/revocation", {"reason": "误发"})
    assert revoked.status_code == 201
    assert school.get(f"/accounts/{account}").json()["outcomes"][0]["reason"] == "误发"


def test_a_certificate_is_verified_by_number_and_name(school: School) -> None:
    account = school.account(3)
    school.record(account, {**CERTIFICATE, "number": "DEMO-3"}, "demo-3")
    sequence_pending(school.app.state.bank.store)
    name = sample_learners()[3].names.shown
    found = school.post("/verifications", {"number": "demo-3", "name": name, "as_of": "2026-03-01"}).json()
    assert found["found"]
    assert found["valid"]
    miss = school.post("/verifications", {"number": "DEMO-3", "name": "另一人"})
    unknown = school.post("/verifications", {"number": "DEMO-404", "name": name})
    assert miss.content == unknown.content
    assert miss.status_code == 200


def test_every_route_but_the_public_ones_wants_the_token(school: School) -> None:
    asked = 0
    for template, methods in school.app.openapi()["paths"].items():
        for method in () if template in PUBLIC else methods:
            path = template.format(account="0000", outcome="000001", grant="000002", seq="0", programme="p")
            for headers in ({}, {"Authorization": "Bearer wrong"}, {"Cookie": "creditbank_session=wrong"}):
                answer = school.stranger.request(method, path, headers=headers, json={})
                assert answer.status_code == 401, (method, path)
                assert answer.headers["content-type"] == PROBLEM
                assert answer.headers["www-authenticate"] == "Bearer"
            asked += 1
    assert asked >= 9


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nowhere", b"", 404),
        ("DELETE", "/accounts", b"", 405),
        ("POST", "/accounts", b"{", 400),
        ("POST", "/accounts", b"[]", 422),
        ("POST", "/accounts", b"[" * 100_000, 400),
        ("POST", "/accounts", b'{"phone": ' + b"9" * 5_000 + b"}", 400),
        ("POST", "/accounts", b'{"names": {"chinese": "x"}, "surprise": 1}', 422),
        ("POST", "/accounts", b'{"names": {"chinese": "\xe6\x89\x8e"}, "citizen_number": "123"}', 422),
        ("GET", "/accounts/ZZZZ", b"", 422),
        ("POST", "/accounts", b'{"names": {"chinese": "' + b"a" * 1_100_000 + b'"}}', 413),
        ("POST", "/verifications", b'{"number": "1", "name": "\xff"}', 400),
    ],
)
def test_every_refusal_is_a_problem_document(
    school: School, method: str, path: str, body: bytes, status: int
) -> None:
    headers = {**school.headers, "Content-Type": "application/json"}
    answer = school.stranger.request(method, path, content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    document = answer.json()
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    assert document["type"].startswith("urn:creditbank:problem:")
    assert f"| `{document['reason']}` | " in ERRORS.read_text("utf-8")
    in_english = school.stranger.request(
        method, path, content=body, headers={**headers, "Accept-Language": "en-GB,zh;q=0.5"}
    )
    assert in_english.json()["title"].isascii()
    assert not document["title"].isascii()


def test_no_problem_repeats_what_was_sent(school: School) -> None:
    number = "999999200001010019"
    answer = school.post("/accounts", {"names": {"chinese": "扎西"}, "citizen_number": number[:-1] + "8"})
    assert answer.status_code == 422
    assert number[:-1] not in answer.text
    answer = school.post("/accounts", {"names": {"chinese": 5}, "citizen_number": {"x": number}})
    assert answer.status_code == 422
    assert number not in answer.text


def test_an_outcome_of_an_institution_that_is_not_registered_is_refused(school: School) -> None:
    account = school.account(4)
    unregistered = "52999999MA0000XXX"
    headers = {"On-Behalf-Of": unregistered + check_character(unregistered)}
    answer = school.post(f"/accounts/{account}/outcomes", {"outcome": CERTIFICATE}, headers)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["type"] == "urn:creditbank:problem:institution-unknown"


@pytest.mark.parametrize(
    ("outcome", "pointer", "code"),
    [
        ({**CERTIFICATE, "kind": "secret"}, "/outcome/kind", "union_tag_invalid"),
        ({"title": "secret"}, "/outcome/kind", "union_tag_not_found"),
        ({**CERTIFICATE, "a/b~c": "secret"}, "/outcome/a~1b~0c", "extra_forbidden"),
        ({**CERTIFICATE, "skill-certificate": "secret"}, "/outcome/skill-certificate", "extra_forbidden"),
        ({**CERTIFICATE, "secret1": 1}, "/outcome", "extra_forbidden"),
        ({**CERTIFICATE, "title": "secret" * 100}, "/outcome/title", "string_too_long"),
        ({**CERTIFICATE, "title": ["secret"]}, "/outcome/title", "string_type"),
        ({**CERTIFICATE, "level": {"framework": "secret"}}, "/outcome/level/level", "missing"),
    ],
)
def test_a_wrong_member_is_pointed_at_in_the_readers_words(
    school: School, outcome: dict[str, object], pointer: str, code: str
) -> None:
    path = f"/accounts/{AN_ACCOUNT}/outcomes"
    for language in LANGUAGES:
        answer = school.post(path, {"outcome": outcome}, {"Accept-Language": language})
        assert answer.status_code == 422
        (found,) = answer.json()["errors"]
        assert (found["pointer"], found["code"]) == (pointer, code)
        sentences = catalogue(language).sections["reason"]
        assert found["detail"] in [text for key, text in sentences.items() if key.startswith("member-")]
        assert "secret" not in answer.text


@pytest.mark.parametrize("member", ["score", "awarded_on", "expires_on"])
@pytest.mark.parametrize(
    "value", [82.5, 0, 1e300, True, "1700000000", "8e1", "٨٢", "NaN", "2024-06-01\n", []]
)
def test_a_decimal_or_a_date_is_a_string(school: School, member: str, value: object) -> None:
    outcome = {**CERTIFICATE, member: value}
    answer = school.post(f"/accounts/{AN_ACCOUNT}/outcomes", {"outcome": outcome})
    assert answer.status_code == 422
    (found,) = answer.json()["errors"]
    assert found["pointer"] == f"/outcome/{member}"
    assert found["code"] == ("string_pattern_mismatch" if isinstance(value, str) else "string_type")


@pytest.mark.parametrize("value", [0, 1.5, "0", "2026-03-01T08:00", "2026-03-01T08:00:00"])
def test_an_instant_is_a_string_with_its_zone(school: School, value: object) -> None:
    asked = {"programme": "changdu-animal-husbandry", "known_at": value, "applicant": {"years_of_work": 2}}
    answer = school.post(f"/accounts/{AN_ACCOUNT}/exemption-decisions", asked)
    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == ["/known_at", "/applicant/years_of_work"]


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b'{"names": {"chinese": "x"}}', "text/plain", 415, "body-not-declared-json"),
        (b'{"names": {"chinese": "x"}}', None, 415, "body-not-declared-json"),
        (b"\xff\x00\x80", "application/octet-stream", 415, "body-not-declared-json"),
        (b"names=x", "application/x-www-form-urlencoded", 415, "body-not-declared-json"),
        (b"", "application/json", 422, "body-missing"),
        (b"", None, 422, "body-missing"),
        (b"[]", "application/json", 422, "body-not-object"),
        (b'"names"', "application/json", 422, "body-not-object"),
        (b"null", "application/json", 422, "body-not-object"),
        (b"\xff\x00\x80", "application/json", 400, "json-malformed"),
        (b"{", "application/json", 400, "json-malformed"),
        (b"[" * 100_000, "application/json", 400, "json-malformed"),
    ],
)
def test_a_body_that_is_none_is_answered_with_what_to_send(
    school: School, body: bytes, kind: str | None, status: int, code: str
) -> None:
    declared = {} if kind is None else {"Content-Type": kind}
    for path, language in product(("/accounts", f"/accounts/{AN_ACCOUNT}/exemption-decisions"), LANGUAGES):
        headers = {**school.headers, **declared, "Accept-Language": language}
        answer = school.stranger.post(path, content=body, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), answer.text
        document = answer.json()
        assert document["type"] == f"urn:creditbank:problem:{code}"
        assert document["reason"] == code
        assert f"| `{code}` | {status} | " in ERRORS.read_text("utf-8")
        assert "JSON" in document["detail"]
        assert answer.headers["content-language"] == language


def test_where_a_body_is_taken_its_refusals_are_described(school: School) -> None:
    described = school.stranger.get("/openapi.json").json()["paths"]
    taking = [one for path in described.values() for one in path.values() if "requestBody" in one]
    assert len(taking) > 10
    for one in taking:
        for status in ("400", "415", "422"):
            assert list(one["responses"][status]["content"]) == [PROBLEM]


def test_a_day_or_a_figure_out_of_its_range_is_told_the_range(school: School) -> None:
    asked = {
        "programme": "changdu-animal-husbandry",
        "as_of": "1899-12-31",
        "known_at": "2200-01-02T00:00:00Z",
        "applicant": {"cohort": 2200, "born_on": "2024-02-30"},
    }
    path = f"/accounts/{AN_ACCOUNT}/exemption-decisions"
    said = {
        language: {
            one["pointer"]: one["detail"]
            for one in school.post(path, asked, {"Accept-Language": language}).json()["errors"]
        }
        for language in LANGUAGES
    }
    for language in LANGUAGES:
        assert "1900-01-01" in said[language]["/as_of"]
        assert "2200" in said[language]["/known_at"]
        assert "2199" in said[language]["/applicant/cohort"]
    assert said["en"]["/applicant/born_on"].startswith("There is no such day")


def test_a_wrong_header_is_named(school: School) -> None:
    answer = school.record(AN_ACCOUNT, CERTIFICATE, "not one word")
    assert answer.status_code == 422
    (found,) = answer.json()["errors"]
    assert found["parameter"] == "idempotency-key"
    assert "pointer" not in found


def test_what_lies_on_the_servers_side_is_told_to_its_log_and_not_to_strangers() -> None:
    school = School(new_bank())
    detail = 'connection to server at "10.20.30.40", port 5432 failed'
    faults: list[CreditBankError] = [
        Misconfigured("database-unreachable", detail=detail),
        Misconfigured("checkpoint-file-unwritable", path="/srv/10.20.30.40", cause="disk 5432"),
        LogShrankOrForked("log-shrank-since-file", signed_size=9, size=8, path="/srv/10.20.30.40/5432"),
        IntegrityBroken("database-damaged", detail=detail, cause="SQLITE_CORRUPT_INDEX"),
    ]
    for place, fault in enumerate(faults):
        school.app.get(f"/fault/{place}")(partial(fail, fault))
        for language, accept in product(LANGUAGES, (PROBLEM, "text/html")):
            headers = {"Accept-Language": language, "Accept": accept}
            with structlog.testing.capture_logs() as logged:
                answer = school.stranger.get(f"/fault/{place}", headers=headers)
            assert answer.status_code in {500, 503}
            assert "10.20.30.40" not in answer.text
            assert "5432" not in answer.text
            assert fault.reason in answer.text
            # Nobody is to write again on what is damaged.
            assert ("Idempotency-Key" in answer.text) == (answer.status_code == 503)
            told = {name: logged[0][name] for name in fault.values if name in logged[0]}
            # What an engine quotes of a damaged page may be anybody's name: no log is to hold it.
            assert ({"detail", "cause", "path"} & fault.values.keys()) - told.keys() == (
                {"detail"} if place == 3 else set()
            )
            assert told == {name: fault.values[name] for name in told}
            assert place != 3 or "10.20.30.40" not in str(logged)
        assert "5432" in catalogue("en").problem(fault).detail  # as a command prints it


def test_the_process_says_that_it_is_well(school: School) -> None:
    assert school.stranger.get("/healthz").json() == {"status": "ok"}
    assert school.stranger.get("/readyz").json()["status"] == "ready"


def test_every_answer_keeps_the_browser_to_itself() -> None:
    school = School(new_bank())
    school.app.get("/crash")(crash)
    for path in ("/", "/healthz", "/nowhere", "/sign-in", "/crash"):
        answer = school.stranger.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
    assert answer.status_code == 500
    assert answer.headers["content-type"] == PROBLEM


def test_a_file_that_did_not_change_is_not_sent_again(school: School) -> None:
    first = school.stranger.get("/static/bank.css")
    assert first.headers["cache-control"] == "no-cache"
    again = school.stranger.get("/static/bank.css", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.headers["cache-control"] == "no-cache"


def test_a_crash_is_logged_without_anything_that_was_sent(capfd: pytest.CaptureFixture[str]) -> None:
    school = School(new_bank())
    school.app.get("/crash/{name}")(crash)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        answer = TestClient(school.app).get("/crash/Tashi", headers=school.headers)
    finally:
        structlog.reset_defaults()
    assert answer.status_code == 500
    written = "".join(capfd.readouterr())
    assert "request-crashed" in written
    assert "/crash/{name}" in written
    assert "builtins.KeyError" in written
    assert "test_http.py" in written
    assert "Tashi" not in written
    assert school.token not in written


def test_a_fault_of_the_bank_is_logged_by_its_route(capfd: pytest.CaptureFixture[str]) -> None:
    school = School(new_bank())
    account = school.account(5)

    def broken() -> NoReturn:
        raise IntegrityBroken("body-unreadable", kind="secret")

    school.bank.store.reading = broken  # type: ignore[method-assign]
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        answer = school.get(f"/accounts/{account}")
    finally:
        structlog.reset_defaults()
    assert answer.status_code == 500
    written = "".join(capfd.readouterr())
    assert "/accounts/{account}" in written
    assert account not in written
    assert "secret" not in written


def test_a_page_wants_the_token_and_a_browser_is_sent_to_give_it(school: School) -> None:
    path = f"/statement/{AN_ACCOUNT}"
    stranger = TestClient(school.app, follow_redirects=False)
    sent = stranger.get(path, headers={"Accept": "text/html"})
    assert sent.status_code == 303
    assert sent.headers["location"] == f"/sign-in?then={path}"
    program = stranger.get(path)
    assert program.status_code == 401
    assert program.headers["content-type"] == PROBLEM
    assert program.headers["www-authenticate"] == "Bearer"
    page = stranger.post("/accounts", headers={"Accept": "text/html"}, json={})
    assert page.status_code == 401
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_token_is_kept_where_no_script_and_no_other_site_gets_at_it(school: School, scheme: str) -> None:
    path = f"/statement/{school.account(6 if scheme == 'http' else 7)}"
    browser = TestClient(school.app, base_url=f"{scheme}://bank.test", follow_redirects=False)
    answer = browser.post("/sign-in", data={"token": school.token, "then": path})
    assert answer.status_code == 303
    assert answer.headers["location"] == path
    _, *flags = answer.headers["set-cookie"].split("; ")
    assert {"HttpOnly", "SameSite=strict"} <= set(flags)
    assert ("Secure" in flags) == (scheme == "https")
    assert browser.get(path).status_code == 200
    browser.post("/sign-out")
    assert browser.get(path).status_code == 401


def test_the_documentation_needs_nothing_from_elsewhere(school: School) -> None:
    page = school.stranger.get("/docs")
    assert page.status_code == 200
    assert "https://" not in page.text.replace("https://fastapi.tiangolo.com", "")
