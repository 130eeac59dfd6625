"""A school's program registers what is ready; what waits for a step of its procedure is named."""

from tests.banks import new_bank
from tests.journeys.test_http import School

PROGRAMME = "example-shapes-programme"
APPLICANT = {"born_on": "2000-06-01", "cohort": 2025, "study_form": "full-time"}
TRAINING = {
    "kind": "training",
    "programme_code": "EX-FIRST-AID",
    "title": "急救",
    "hours": "16",
    "awarded_on": "2026-01-15",
}
CET = {
    "kind": "skill-certificate",
    "number": "CET-1",
    "standard": "CET-4",
    "title": "大学英语四级",
    "level": {"framework": "1+X", "level": "初级"},
    "awarded_on": "2025-08-25",
    "score": "430",
}


def test_what_is_ready_is_registered_and_what_waits_is_named() -> None:
    school = School(new_bank())
    account = school.account(1)
    for key, outcome in (("t", TRAINING), ("c", CET)):
        assert school.record(account, outcome, key).status_code == 201
    asked = {"programme": PROGRAMME, "applicant": APPLICANT}
    path = f"/accounts/{account}/exemptions"
    first = school.post(path, asked, {"Accept-Language": "en", "Idempotency-Key": "k"})
    assert first.status_code == 201, first.text
    assert len(first.json()["answer"]["decision"]["exemptions"]) == 2
    assert len(first.json()["registered"]) == 1
    (waiting,) = first.json()["waiting"]
    assert (waiting["rule"], waiting["rule_version"], waiting["step"]) == ("first-aid", 1, "application")
    assert "the student applies" in waiting["line"]
    again = school.post(path, asked, {"Accept-Language": "en", "Idempotency-Key": "k"})
    assert again.json() == first.json()

    refused = school.post(path, asked)
    assert (refused.status_code, refused.json()["reason"]) == (422, "step-missing")
    day = "2026-03-01"
    steps = [
        {"id": "application", "on": day},
        {"id": "red-cross", "on": day, "by": "红十字会"},
        {"id": "office", "on": day},
    ]
    rest = school.post(path, {**asked, "steps": steps})
    assert rest.status_code == 201, rest.text
    assert len(rest.json()["registered"]) == 1
    assert rest.json()["waiting"] == []
