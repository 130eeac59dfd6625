"""The HTTP interface, as a school's program uses it and as a stranger tries it."""

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from api.app import create_app
from creditbank.ledger.checkpoint import open_note, parse_verifier_key
from creditbank.ledger.proof_file import Included, check, parse_proof_file
from creditbank.rulepacks.library import Library
from creditbank.samples.people import sample_learners
from creditbank.services.bank import Bank
from creditbank.services.operator_token import kept_digest, make_token
from tests.banks import EAST, new_bank

PROBLEM = "application/problem+json"
PUBLIC = {"/healthz", "/readyz", "/checkpoint", "/verifier-key", "/accounts/{account}/entries/{seq}/proof"}
CERTIFICATE = {
    "kind": "skill-certificate",
    "number": "DEMO-1",
    "standard": "X-XQYZ",
    "title": "家庭农场畜禽养殖",
    "level": {"framework": "1+X", "level": "中级"},
    "awarded_on": "2024-06-01",
    "score": "82.5",
}


class School:
    """A school's program: it knows the token, and in whose name it speaks. `stranger` knows neither."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        token = make_token(bank)
        digest = kept_digest(bank)
        assert token is not None
        assert digest is not None
        self.token = token
        self.app = create_app(bank, Library.load(), token_digest=digest)
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

    def record(self, account: str, outcome: dict[str, object], key: str) -> Response:
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


def test_a_stranger_checks_an_entry_without_trusting_the_bank(school: School) -> None:
    account = school.account(2)
    key = parse_verifier_key(school.stranger.get("/verifier-key").text.strip())
    proof = school.stranger.get(f"/accounts/{account}/entries/0/proof")
    assert proof.headers["content-type"].startswith("text/plain")
    assert isinstance(check(parse_proof_file(proof.content), [key]), Included)
    checkpoint = open_note(school.stranger.get("/checkpoint").content, [key])
    with school.bank.store.reading() as books:
        assert checkpoint.size == books.ledger.size()


def test_a_certificate_is_verified_by_number_and_name(school: School) -> None:
    account = school.account(3)
    school.record(account, {**CERTIFICATE, "number": "DEMO-3"}, "k")
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
            path = template.format(account="0000", outcome="000001", seq="0")
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
    unknown = {"On-Behalf-Of": "91540300MA6T1X2Y3A"}
    answer = school.post(f"/accounts/{account}/outcomes", {"outcome": CERTIFICATE}, unknown)
    assert answer.status_code in {404, 422}
    assert answer.headers["content-type"] == PROBLEM


def test_the_process_says_that_it_is_well(school: School) -> None:
    assert school.stranger.get("/healthz").json() == {"status": "ok"}
    assert school.stranger.get("/readyz").json()["status"] == "ready"


def test_every_answer_keeps_the_browser_to_itself(school: School) -> None:
    for path in ("/", "/healthz", "/nowhere", "/sign-in"):
        headers = school.stranger.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"


def test_the_documentation_needs_nothing_from_elsewhere(school: School) -> None:
    page = school.stranger.get("/docs")
    assert page.status_code == 200
    assert "https://" not in page.text.replace("https://fastapi.tiangolo.com", "")
