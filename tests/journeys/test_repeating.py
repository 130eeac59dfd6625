"""A program that got no answer asks again under the same key: over HTTP, on every route that writes."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from httpx2 import Response

from creditbank.outcomes.certificate import SkillCertificate
from creditbank.samples.outcomes import story_outcomes
from creditbank.samples.people import protagonist
from creditbank.services.accounts import read_account
from creditbank.services.bank import Principal
from creditbank.services.idempotency import KeyedRequest
from creditbank.services.outcomes import record_outcome, revoke_outcome
from tests.banks import EAST, RIVER, new_account, new_bank
from tests.journeys.test_http import CERTIFICATE, PROBLEM, School

READ_ONLY = {
    "/verifications",
    "/accounts/{account}/exemption-decisions",
    "/accounts/{account}/waiver-decisions",
    "/accounts/{account}/what-ifs",
    "/what-ifs",
    "/next-steps",
}
"""Routes that are asked with POST and write nothing: a key means nothing to them."""

PLANNED = "kind=skill-certificate,code=CD-X-JTNC,level=1+X/高级"
OTHER = {**CERTIFICATE, "number": "DEMO-2"}
Body = Mapping[str, Any]
WRITING: Mapping[str, tuple[Body, Body]] = {
    "/accounts": (
        {"names": {"chinese": "达瓦"}, "phone": "13800000000"},
        {"names": {"chinese": "达瓦"}},
    ),
    "/accounts/{account}/outcomes": ({"outcome": CERTIFICATE}, {"outcome": OTHER}),
    "/accounts/{account}/outcomes/{outcome}/correction": (
        {"outcome": CERTIFICATE, "reason": "误录"},
        {"outcome": CERTIFICATE, "reason": "错录"},
    ),
    "/accounts/{account}/outcomes/{outcome}/revocation": (
        {"reason": "误发"},
        {"reason": "误发", "effective_on": "2026-01-01"},
    ),
    "/accounts/{account}/exemptions": (
        {"programme": "changdu-animal-husbandry"},
        {"programme": "changdu-animal-husbandry", "applicant": {"cohort": 2025}},
    ),
    "/accounts/{account}/pre-decisions": (
        {"programme": "changdu-animal-husbandry", "until": "2027-02-28", "planned": [PLANNED]},
        {"programme": "changdu-animal-husbandry", "until": "2027-03-01", "planned": [PLANNED]},
    ),
    "/accounts/{account}/waivers": (
        {"exam": "changdu-farm-elementary"},
        {"exam": "changdu-farm-elementary", "as_of": "2026-02-28"},
    ),
}
"""Every route that writes, with a request and another one that could be meant under the same key."""
SUBSTITUTION = "/accounts/{account}/grants/{grant}/substitution"
"""Writes too, without a body of its own: what it needs is tried by itself below."""
CONFIRMATION = "/accounts/{account}/grants/{grant}/confirmation"
"""Writes too, with the tokens of two officers: tried in `test_confirming`."""


class Program(School):
    """A school's program with the protagonist's account, whose first outcome is the school's own."""

    def __init__(self) -> None:
        super().__init__(new_bank())
        self.number = new_account(self.bank, protagonist())
        own = next(s.outcome for s in story_outcomes(on=date(2026, 3, 1)) if s.outcome.issuer == EAST.issuer)
        record_outcome(self.bank, EAST, self.number, own)
        for sample in story_outcomes(on=date(2026, 3, 1)):
            if sample.outcome != own:
                record_outcome(
                    self.bank, Principal(issuer=sample.outcome.issuer), self.number, sample.outcome
                )

    def ask(self, template: str, body: Body, key: str, **headers: str) -> Response:
        path = template.format(account=self.number.text, outcome="000001")
        return self.post(path, body, {"Idempotency-Key": key, **headers})

    def entries(self) -> int:
        with self.bank.store.reading() as books:
            return sum(len(list(books.ledger.entries_of(who))) for who in books.ledger.subjects(""))


@pytest.fixture
def program() -> Program:
    return Program()


def problem_of(answer: Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == PROBLEM
    return answer.status_code, answer.json()["type"].removeprefix("urn:creditbank:problem:")


def without_repeated(said: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(said, dict):
        return {name: without_repeated(value) for name, value in said.items() if name != "repeated"}
    return said


def test_every_route_that_writes_takes_a_key_and_is_tried_here(program: Program) -> None:
    takes_key = {}
    for path, methods in program.app.openapi()["paths"].items():
        for method, operation in methods.items():
            if method != "get":
                names = [parameter["name"] for parameter in operation.get("parameters", ())]
                takes_key[path] = "idempotency-key" in names
    assert {path for path, takes in takes_key.items() if not takes} == READ_ONLY
    assert {path for path, takes in takes_key.items() if takes} == {*WRITING, SUBSTITUTION, CONFIRMATION}


@pytest.mark.parametrize("template", WRITING)
def test_a_repetition_is_answered_as_the_first_time_and_writes_nothing(
    program: Program, template: str
) -> None:
    body, other = WRITING[template]
    before = program.entries()
    first = program.ask(template, body, "k")
    assert first.status_code == 201, first.text
    assert "idempotency-replayed" not in first.headers
    written = program.entries()
    assert written > before
    repetitions = [program.ask(template, body, "k") for _ in range(2)]
    for again in repetitions:
        assert again.status_code == 201
        assert again.headers["idempotency-replayed"] == "true"
        assert again.headers["content-type"] == first.headers["content-type"]
        assert without_repeated(again.json()) == without_repeated(first.json())
        assert again.content.replace(b'"repeated":true', b'"repeated":false') == first.content
    assert problem_of(program.ask(template, other, "k")) == (422, "idempotency-key-reused")
    assert program.entries() == written


@pytest.mark.parametrize("template", WRITING)
def test_without_a_key_or_under_another_one_a_request_is_another_request(
    program: Program, template: str
) -> None:
    body, _ = WRITING[template]
    first = program.ask(template, body, "k")
    path = template.format(account=program.number.text, outcome="000001")
    for again in (program.post(path, body), program.ask(template, body, "k2")):
        assert "idempotency-replayed" not in again.headers
        assert again.content != first.content


def test_one_key_means_another_request_to_each_institution(program: Program) -> None:
    path = "/accounts"
    body, _ = WRITING[path]
    here = program.ask(path, body, "k")
    there = program.ask(path, body, "k", **{"On-Behalf-Of": RIVER.issuer})
    assert here.status_code == there.status_code == 201
    assert here.json()["account"] != there.json()["account"]


def test_one_key_does_not_go_on_from_one_route_or_account_to_another(program: Program) -> None:
    revocation = "/accounts/{account}/outcomes/{outcome}/revocation"
    body, _ = WRITING[revocation]
    assert program.ask(revocation, body, "k").status_code == 201
    elsewhere = f"/accounts/{new_account(program.bank).text}/outcomes/000001/revocation"
    answer = program.post(elsewhere, body, {"Idempotency-Key": "k"})
    assert problem_of(answer) == (422, "idempotency-key-reused")
    assert problem_of(program.ask("/accounts", WRITING["/accounts"][0], "k"))[1] == "idempotency-key-reused"


def test_the_same_json_is_the_same_request_however_it_is_written(program: Program) -> None:
    body, _ = WRITING["/accounts"]
    first = program.ask("/accounts", body, "k")
    backwards = json.dumps(dict(reversed(list(body.items()))), indent=2)
    headers = {**program.headers, "Idempotency-Key": "k", "Content-Type": "application/json"}
    again = program.stranger.post(
        "/accounts", content=backwards, headers={**headers, "Accept-Language": "en"}
    )
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["account"] == first.json()["account"]


def test_a_request_that_was_refused_leaves_its_key_to_the_mended_one(program: Program) -> None:
    path = "/accounts/{account}/outcomes"
    malformed = {"outcome": {**CERTIFICATE, "score": 82.5}}
    refused = {"outcome": {**CERTIFICATE, "level": {"framework": "1+X", "level": "no such level"}}}
    for body in (malformed, refused, refused):
        assert program.ask(path, body, "k").status_code == 422
    unknown = program.post(
        "/accounts/0000-0000-0000-000H/outcomes", {"outcome": CERTIFICATE}, {"Idempotency-Key": "k"}
    )
    assert unknown.status_code in {404, 422}
    mended = program.ask(path, {"outcome": CERTIFICATE}, "k")
    assert mended.status_code == 201
    assert "idempotency-replayed" not in mended.headers


def test_a_key_in_flight_is_refused_for_a_moment(program: Program) -> None:
    path, (body, _) = "/accounts", WRITING["/accounts"]
    keyed = KeyedRequest.of(program.bank, EAST, key="k", asked=())
    before = program.entries()
    with program.app.state.in_flight.alone(keyed.key):
        answer = program.ask(path, body, "k")
        assert problem_of(answer) == (409, "request-in-flight")
        assert answer.headers["retry-after"] == "1"
        assert program.entries() == before
        assert program.ask(path, body, "another").status_code == 201
    assert program.ask(path, body, "k").status_code == 201


def test_an_entry_that_a_key_made_before_answers_were_kept_is_found_by_it(program: Program) -> None:
    path = "/accounts/{account}/outcomes"
    first = program.ask(path, WRITING[path][0], "k").json()
    with program.bank.store.writing() as books:
        assert books.answers.forget(program.number.subject) == 1
    again = program.ask(path, WRITING[path][0], "k")
    assert again.json() == {**first, "repeated": True}
    assert program.ask(path, WRITING[path][0], "k").content == again.content


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"[" * 100_000, "text/plain", 415),
        (b"\xff", "text/plain", 415),
        (b"", "application/json", 422),
    ],
)
def test_a_key_makes_no_malformed_request_worse(
    program: Program, content: bytes, media_type: str, status: int
) -> None:
    headers = {**program.headers, "Idempotency-Key": "k", "Content-Type": media_type}
    answer = program.stranger.post("/accounts", content=content, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM


def test_a_repetition_finds_the_account_as_it_was_answered_not_as_it_is(program: Program) -> None:
    record, revoke = "/accounts/{account}/outcomes", "/accounts/{account}/outcomes/{outcome}/revocation"
    first = program.ask(record, WRITING[record][0], "k")
    program.ask(revoke, WRITING[revoke][0], "another")
    assert program.ask(record, WRITING[record][0], "k").json() == {**first.json(), "repeated": True}
    assert len(read_account(program.bank, program.number).ended) == 1


def test_a_substitution_is_made_once_under_its_key(program: Program) -> None:
    asked = {"programme": "changdu-animal-husbandry"}
    applied = program.ask("/accounts/{account}/exemptions", asked, "apply")
    assert applied.status_code == 201, applied.text
    account = read_account(program.bank, program.number).holdings
    held = {one.id: one.outcome for one in account.outcomes}
    grant, spent, certificate = next(
        (grant, one, certificate)
        for grant in account.active_grants
        for one in grant.spent
        if isinstance(certificate := held[one], SkillCertificate)
    )
    by = Principal(issuer=certificate.issuer)
    record_outcome(program.bank, by, program.number, replace(certificate, number="TWIN-1"))
    revoke_outcome(program.bank, by, program.number, spent, reason="误发")
    template = SUBSTITUTION.replace("{grant}", grant.id)
    first = program.ask(template, {}, "k")
    assert first.status_code == 201, first.text
    written = program.entries()
    again = program.ask(template, {}, "k")
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert without_repeated(again.json()) == without_repeated(first.json())
    assert program.entries() == written
