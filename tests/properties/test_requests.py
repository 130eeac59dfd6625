"""Laws of the HTTP interface: whatever is sent, it is answered, and no refusal repeats a citizen number."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from creditbank.outcomes.outcome import OUTCOME_KINDS
from creditbank.services.officers import add_officer
from tests.banks import EAST, new_bank
from tests.journeys.test_http import CERTIFICATE, PROBLEM, School

NUMBER = "999999200906173026"
HUGE = "a number of 5,000 digits"
DATES = ["0000-00-00", "0001-01-01", "1899-12-31", "2200-01-01", "9999-12-31", "2024-02-30", "99999-01-01"]
DECIMALS = ["-0", "0.001", "999999999.999999", "9" * 5_000, "1e999999", "-1e-999999", "sNaN", "Infinity"]
TEXTS = ["", " ", "\ud800", "x\udfff", "\x00", "\u202e", "a" * 501, "扎西\n", NUMBER, "\U0010ffff"]
NUMBERS = [
    0,
    -1,
    2**53,
    2**63,
    -(2**64),
    10**400,
    1e308,
    float("nan"),
    float("inf"),
    0.1,
    True,
    False,
    None,
    HUGE,
]
DEEP: list[Any] = []
for _ in range(500):
    DEEP = [DEEP]

hostile = st.one_of(
    st.sampled_from([*DATES, *DECIMALS, *TEXTS, *NUMBERS, DEEP]),
    st.text(max_size=30),
    st.recursive(
        st.none() | st.integers() | st.floats() | st.sampled_from(TEXTS),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(TEXTS), inner, max_size=3)
        ),
        max_leaves=6,
    ),
)


SCHOOL = School(new_bank())
ACCOUNT = SCHOOL.account(1)
OFFICERS = {
    f"{which}-Officer-Token": add_officer(SCHOOL.bank, EAST, which)[1] for which in ("First", "Second")
}
SUPPOSED = "kind=skill-certificate,code=CD-X-JTNC,level=1+X/中级,awarded_on=2025-03-01,overlap=80"


def _bodies() -> dict[str, dict[str, Any]]:
    outcome = {"outcome": CERTIFICATE}
    applicant = {
        "category": "herder-farmer",
        "cohort": 2024,
        "enrolled_on": "2024-09-01",
        "completed_percent": "50",
        "years_of_work": "2.5",
    }
    question = {"as_of": "2026-01-01", "applicant": applicant}
    learned = {**question, "known_at": "2026-01-01T08:00:00+08:00"}
    programme, exam = {"programme": "changdu-animal-husbandry"}, {"exam": "changdu-farm-elementary"}
    return {
        "/accounts": {
            "names": {"chinese": "扎西", "tibetan": "བཀྲ་ཤིས", "romanised": "Tashi"},
            "citizen_number": NUMBER,
            "phone": "13800000000",
            "category": "herder-farmer",
        },
        "/accounts/{account}/outcomes": outcome,
        "/accounts/{account}/outcomes/{outcome}/correction": {**outcome, "reason": "误录"},
        "/accounts/{account}/outcomes/{outcome}/revocation": {"reason": "误录", "effective_on": "2025-01-01"},
        "/accounts/{account}/exemption-decisions": {**programme, **learned},
        "/accounts/{account}/waiver-decisions": {**exam, **learned},
        "/accounts/{account}/exemptions": {**programme, **question},
        "/accounts/{account}/pre-decisions": {
            **programme,
            "until": "2027-02-28",
            "planned": ["kind=skill-certificate,code=CD-X-JTNC,level=1+X/高级"],
        },
        "/accounts/{account}/waivers": {**exam, **question},
        "/accounts/{account}/grants/{grant}/substitution": {},
        "/accounts/{account}/grants/{grant}/confirmation": {"reason": "学校确认"},
        "/accounts/{account}/what-ifs": {**programme, **learned, "planned": [SUPPOSED]},
        "/what-ifs": {**programme, **question, "accounts": [ACCOUNT], "instead": "changdu-tourism"},
        "/next-steps": {**programme, **question, "accounts": [ACCOUNT]},
        "/verifications": {"number": "DEMO-1", "name": "扎西", "as_of": "2026-01-01"},
    }


BODIES = _bodies()
OUTCOMES: list[dict[str, Any]] = [
    {**CERTIFICATE},
    {
        "kind": "diploma",
        "number": "D-1",
        "level": {"framework": "GB/T 4658", "level": "31"},
        "major_code": "410303",
        "major": "畜牧兽医",
        "awarded_on": "2024-06-01",
    },
    {
        "kind": "course-credit",
        "course_code": "C1",
        "title": "养殖",
        "credits": "2",
        "awarded_on": "2024-06-01",
        "hours": "32",
        "hours_per_credit": "16",
        "score": "80",
    },
    {"kind": "training", "programme_code": "T1", "title": "养殖", "hours": "32", "awarded_on": "2024-06-01"},
    {
        "kind": "award",
        "contest_code": "W1",
        "title": "养殖",
        "organiser_level": "national",
        "rank": "first",
        "awarded_on": "2024-06-01",
        "team_size": 3,
        "position": 1,
    },
    {
        "kind": "experience",
        "form": "internship",
        "title": "养殖",
        "started_on": "2020-06-01",
        "awarded_on": "2024-06-01",
        "hours": "100",
    },
]
LIKE_A_DAY = {"programme": "changdu-animal-husbandry", "applicant": {"category": "0000-00-00"}}
MISPLACED = {"outcome": {**OUTCOMES[-1], "form": NUMBER}}


def _places(node: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(node, dict):
        for name, inner in node.items():
            yield from _places(inner, (*path, name))


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, bytes]:
    """A POST route, and a valid body of its kind with up to three members replaced, left out or added."""
    route = draw(st.sampled_from(sorted(BODIES)))
    body: Any = deepcopy(BODIES[route])
    if "outcome" in body:
        body["outcome"] = deepcopy(draw(st.sampled_from(OUTCOMES)))
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(sorted(_places(body), key=repr)))
        if not path:
            body = draw(hostile) if draw(st.integers(0, 9)) == 0 else body
            continue
        parent = body
        for step in path[:-1]:
            parent = parent[step]
        match draw(st.sampled_from(["replace", "leave out", "add"])):
            case "replace":
                parent[path[-1]] = draw(hostile)
            case "leave out":
                del parent[path[-1]]
            case _:
                parent[draw(st.sampled_from([*TEXTS, "kind", "~/"]))] = draw(hostile)
    return route, json.dumps(body).replace(json.dumps(HUGE), "9" * 5_000).encode()


def test_every_post_route_has_a_body_here() -> None:
    posts = {path for path, methods in SCHOOL.app.openapi()["paths"].items() if "post" in methods}
    assert posts == BODIES.keys()
    assert {one["kind"] for one in OUTCOMES} == set(OUTCOME_KINDS)


def test_the_bodies_that_are_altered_are_good_ones() -> None:
    for outcome in OUTCOMES:
        answer = SCHOOL.post(f"/accounts/{ACCOUNT}/outcomes", {"outcome": outcome})
        assert answer.status_code == 201, answer.text
    for route, body in BODIES.items():
        if "/outcomes" not in route and "/grants" not in route:
            answer = SCHOOL.post(route.format(account=ACCOUNT), body)
            assert answer.status_code in {200, 201, 409}, answer.text


@example(("/accounts/{account}/exemption-decisions", json.dumps(LIKE_A_DAY).encode()), "en", {})
@example(("/accounts/{account}/outcomes", json.dumps(MISPLACED).encode()), "zh-CN", {})
@settings(max_examples=200)
@given(requests(), st.sampled_from(["zh-CN", "en"]), st.sampled_from([{}, {"Idempotency-Key": "k"}]))
def test_whatever_is_posted_is_answered_and_never_repeated(
    asked: tuple[str, bytes], language: str, key: dict[str, str]
) -> None:
    route, body = asked
    path = route.format(account=ACCOUNT, outcome="000001", grant="000001")
    headers = {
        **SCHOOL.headers,
        **OFFICERS,
        **key,
        "Content-Type": "application/json",
        "Accept-Language": language,
    }
    answer = SCHOOL.stranger.post(path, content=body, headers=headers)
    assert answer.status_code < 500, (route, body)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == PROBLEM
        assert answer.json()["status"] == answer.status_code
        assert NUMBER not in answer.text
