"""Whoever asks says who they are: a slip in it is refused, or said where it may be right."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.account.facts import applicant_of
from creditbank.conversion.holding import Applicant, HoldingInvalid
from creditbank.locale.catalogue import LANGUAGES, catalogue
from creditbank.samples.people import sample_issuer, sample_learners
from creditbank.services import conversions
from creditbank.services.applicants import require_known_facts, unheard_of
from creditbank.services.sequencing import sequence_pending
from creditbank.terms import ExamId
from tests.banks import EAST, new_bank
from tests.commands import Commands
from tests.journeys.test_http import CERTIFICATE, School, shipped_packs

HUSBANDRY, FARM, CATTI = "changdu-animal-husbandry", "changdu-farm-elementary", "catti-2-translation"
SHANDONG = "shandong-vocational"  # its rules ask for a region
NEARLY = "code=CD-X-JTNC,level=中级"
BANK = new_bank()
SLIPS = (
    ("category", "wizard", "veteran"),
    ("study_form", "fulltime", "full-time"),
    ("cohort", "99999", "2199"),
    ("years_of_work", "1e999", "150"),
    ("years_of_work", "Infinity", "150"),
    ("enrolled_at", "123", "18"),
)
"""The fact, a slip in it, and what the refusal says that would do."""


@pytest.fixture
def account(commands: Commands) -> str:
    number = sample_learners()[1].citizen_number
    assert number is not None
    opened = commands.run(
        *("account", "open", "--name", "扎西", "--citizen-number", number.text, "--json"),
        *("--issuer", sample_issuer("school-east")),
    )
    return str(opened.json["account"])


def questions(account: str) -> Sequence[tuple[str, ...]]:
    east, later = sample_issuer("school-east"), "2190-01-01"
    promised = ("--until", later, "--issuer", east, "--planned", NEARLY)
    return (
        ("decide", "exemptions", account, "--programme", HUSBANDRY),
        ("decide", "exemptions", account, "--programme", HUSBANDRY, "--apply", "--issuer", east),
        ("decide", "waivers", account, "--exam", FARM),
        ("decide", "pre-decision", account, "--programme", HUSBANDRY, *promised),
        ("decide", "what-if", account, "--programme", HUSBANDRY, "--add", NEARLY),
        ("decide", "what-if", "all", "--programme", HUSBANDRY, "--add", NEARLY),
        ("decide", "next-steps", "all", "--programme", HUSBANDRY),
        ("decide", "nowhere", account, "--programme", HUSBANDRY),
        ("decide", "exams", account),
        ("audit", account, HUSBANDRY),
        ("rules", "diff", "changdu-2020", "changdu-2020", "--cohort", "all"),
    )


@pytest.mark.parametrize(("fact", "slip", "known"), SLIPS)
def test_every_command_refuses_a_slip_and_says_what_would_do(
    commands: Commands, account: str, fact: str, slip: str, known: str
) -> None:
    for asked in questions(account):
        for language in LANGUAGES:
            refused = commands.run("--language", language, *asked, "--fact", f"{fact}={slip}", code=2)
            said = refused.err.replace("\n", " ")
            assert "[holding-invalid/" in said, asked
            assert known in said
            assert catalogue(language).field(fact) in said or fact == "enrolled_at"
            assert (slip if slip != "1e999" else "1E+999") in said
    commands.run("decide", "exemptions", account, "--programme", HUSBANDRY, "--category", "wizard", code=2)
    commands.run("decide", "exemptions", account, "--programme", HUSBANDRY, "--cohort", "9" * 40, code=2)


def test_a_category_of_the_list_is_taken_though_no_rule_speaks_of_it(
    commands: Commands, account: str
) -> None:
    asked = ("decide", "exemptions", account, "--programme", HUSBANDRY)
    for category in ("herder-farmer", "member-of-society"):
        said = commands.run(*asked, "--category", category, "--study-form", "evening", code=1)
        assert "没有规则提到" not in said.out


def test_a_region_or_major_that_no_rule_speaks_of_is_said_to_be_one(commands: Commands, account: str) -> None:
    asked = ("decide", "waivers", account, "--exam", CATTI, "--major")
    said = commands.run("--language", "en", *asked, "0552", code=1).out.replace("\n", " ")
    assert "No rule here speaks of the major “0552”; they speak of 0551." in said
    assert len(commands.run(*asked, "0552", "--json", code=1).json["warnings"]) == 1
    assert commands.run(*asked, "0551", "--json", code=1).json["warnings"] == []
    # Where no rule asks for a region, whatever is stated changes nothing.
    elsewhere = ("decide", "exemptions", account, "--programme", HUSBANDRY, "--region", "110000")
    assert commands.run(*elsewhere, "--json", code=1).json["warnings"] == []


@pytest.mark.parametrize(("fact", "slip", "known"), SLIPS)
def test_a_slip_over_http_is_a_problem_that_names_the_field(fact: str, slip: str, known: str) -> None:
    school = School(new_bank())
    account = school.account(1)
    stated: object = {"1e999": "150.5", "Infinity": "999999999"}.get(slip, slip)
    if fact == "cohort":
        stated = int(slip)
    about = {"programme": HUSBANDRY, "applicant": {fact: stated}}
    path = f"/accounts/{account}"
    answers = [
        school.post(f"{path}/exemption-decisions", about),
        school.post(f"{path}/exemptions", about),
        school.post(f"{path}/pre-decisions", {**about, "until": "2190-01-01", "planned": []}),
        school.post(f"{path}/waiver-decisions", {"exam": FARM, "applicant": {fact: stated}}),
        school.post(f"{path}/what-ifs", {**about, "instead_as_of": "2026-05-01"}),
        school.post("/what-ifs", {**about, "accounts": [account], "instead_as_of": "2026-05-01"}),
        school.post("/next-steps", {**about, "accounts": [account]}),
        *(school.get(f"{path}/{what}?{fact}={stated}") for what in (f"audits/{HUSBANDRY}", "exams")),
        school.get(f"{path}/nowhere/{HUSBANDRY}?{fact}={stated}"),
    ]
    for answer in answers:
        assert answer.status_code == 422, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert fact in answer.text
        assert known in answer.text


def test_a_fact_that_a_pack_declares_is_stated_like_any_other(commands: Commands, account: str) -> None:
    asked = ("decide", "exemptions", account, "--programme", "shandong-vocational", "--region", "370102")
    for language, called in (("zh-CN", "已修完的学期数"), ("en", "terms completed")):
        said = commands.run("--language", language, *asked, "--fact", "terms_completed=4", code=1)
        assert called in said.out
        assert "terms_completed" not in said.out
    for slip, reason in (
        ("terms_complete=1", "fact-undeclared"),
        ("terms_completed=two", "fact-unreadable"),
        ("terms_completed", "fact-not-written"),
        ("terms_completed=", "fact-not-written"),
    ):
        for language in LANGUAGES:
            assert f"/{reason}]" in commands.run("--language", language, *asked, "--fact", slip, code=2).err
            replayed = (*asked, "--known-at", "#1", "--fact", slip)
            assert f"/{reason}]" in commands.run("--language", language, *replayed, code=2).err


def test_a_fact_is_stated_once(commands: Commands, account: str) -> None:
    for asked in questions(account):
        for fact in ("terms_completed", "cohort"):
            twice = ("--fact", f"{fact}=2020", "--fact", f"{fact}=2021")
            assert "/fact-twice]" in commands.run(*asked, *twice, code=2).err
    school = School(new_bank())
    path = f"/accounts/{school.account(1)}/audits/{HUSBANDRY}"
    refused = school.get(f"{path}?fact=terms_completed=2&fact=terms_completed=3")
    assert (refused.status_code, refused.json()["reason"]) == (422, "fact-twice")


def test_a_fact_that_the_bank_knows_is_no_declared_one() -> None:
    school = School(new_bank())
    path = f"/accounts/{school.account(1)}"
    about = {"programme": HUSBANDRY, "applicant": {"facts": {"category": "veteran"}}}
    for refused in (
        school.post(f"{path}/exemption-decisions", about),
        school.get(f"{path}/audits/{HUSBANDRY}?fact=category=veteran"),
    ):
        assert (refused.status_code, refused.json()["reason"]) == (422, "fact-own-member")


def test_a_fact_that_a_pack_declares_is_kept_with_the_grant_over_http() -> None:
    school = School(new_bank())
    account = school.account(1)
    course = {"course_code": "GZ-YW", "title": "语文", "credits": "8", "score": "80", "mode": "campus"}
    school.record(account, {**course, "awarded_on": "2026-01-15"}, "course-credit")
    about = {"programme": "shandong-vocational"}
    stated = {"region": "370102", "facts": {"terms_completed": "1"}}
    path = f"/accounts/{account}"
    granted = school.post(f"{path}/exemptions", {**about, "applicant": stated}, {"Idempotency-Key": "a"})
    assert granted.status_code == 201, granted.text
    query = "region=370102&fact=terms_completed="
    for what in ("audits/shandong-general", "nowhere/shandong-general"):
        assert school.get(f"{path}/{what}?{query}4").status_code == 200
        refused = school.get(f"{path}/{what}?{query}four")
        assert (refused.status_code, "terms_completed" in refused.text) == (422, True)
    for facts in ({"shoe_size": "42"}, {"terms_completed": "two"}):
        refused = school.post(f"{path}/exemption-decisions", {**about, "applicant": {"facts": facts}})
        assert refused.status_code == 422
        assert refused.headers["content-type"] == "application/problem+json"
        assert all(name in refused.text for name in facts)


def test_an_odd_fact_over_http_is_warned_of_beside_the_answer() -> None:
    school = School(new_bank())
    asked = {"exam": CATTI, "applicant": {"major": "0552"}}
    answer = school.post(f"/accounts/{school.account(1)}/waiver-decisions", asked)
    assert answer.status_code == 200
    (warning,) = answer.json()["warnings"]
    assert "0551" in warning


def test_an_odd_fact_supposed_of_a_class_is_warned_of_once_as_for_one(commands: Commands) -> None:
    school = School(new_bank())
    accounts = [school.account(place) for place in (1, 2, 3)]
    asked = {"exam": CATTI, "instead_as_of": "2026-05-01", "applicant": {"major": "0552"}}
    one = school.post(f"/accounts/{accounts[0]}/what-ifs", asked).json()["warnings"]
    many = school.post("/what-ifs", {**asked, "accounts": accounts})
    assert many.status_code == 200, many.text
    assert many.json()["warnings"] == one
    assert "0551" in one[0]
    steps = {"programme": SHANDONG, "accounts": accounts}
    assert school.post("/next-steps", steps).json()["warnings"] == []
    odd = school.post("/next-steps", {**steps, "applicant": {"major": "0552", "region": "nowhere"}})
    alone = school.post(
        f"/accounts/{accounts[0]}/exemption-decisions",
        {"programme": SHANDONG, "applicant": {"major": "0552", "region": "nowhere"}},
    )
    assert len(odd.json()["warnings"]) == 1
    assert odd.json()["warnings"] == alone.json()["warnings"]


@pytest.mark.usefixtures("account")
def test_a_command_about_a_class_warns_of_an_odd_fact_once(commands: Commands) -> None:
    asked = ("decide", "what-if", "all", "--exam", CATTI, "--instead-as-of", "2027-05-01")
    odd = (*asked, "--fact", "major=0552")
    assert commands.run(*odd, code=1).out.count("0551") == 1
    assert len(commands.run(*odd, "--json", code=1).json["warnings"]) == 1
    assert commands.run(*asked, "--json", code=1).json["warnings"] == []
    steps = ("decide", "next-steps", "all", "--programme", SHANDONG)
    unheard = (*steps, "--fact", "region=nowhere")
    assert commands.run(*unheard, code=1).out.count("nowhere") == 1
    assert len(commands.run(*unheard, "--json", code=1).json["warnings"]) == 1


@given(st.sampled_from(("category", "study_form")), st.text(min_size=1))
def test_what_neither_a_list_nor_a_rule_knows_is_refused(fact: str, value: str) -> None:
    packs = shipped_packs().packs
    listed = {"category": "person-category", "study_form": "study-form"}
    terms = {term.code for term in BANK.vocabularies[listed[fact]].terms}
    tests = [test for pack in packs for rule in pack.rules for test in rule.scope.facts if test.fact == fact]
    named = {value for test in tests for value in test.one_of}
    with BANK.store.reading() as books:
        for known in terms | named:
            require_known_facts(BANK, books, packs, applicant_of([(fact, known)]))
        if value not in terms | named:
            with pytest.raises(HoldingInvalid) as refused:
                require_known_facts(BANK, books, packs, applicant_of([(fact, value)]))
            assert (refused.value.reason, refused.value.field) == ("fact-value-unknown", fact)
            assert set(refused.value.values["known"]) == terms | named  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("reason", "applicant"),
    [
        ("years-out-of-range", Applicant(years_of_work=Decimal("1e999"))),
        ("years-out-of-range", Applicant(years_of_work=Decimal("Infinity"))),
        ("years-out-of-range", Applicant(years_of_work=Decimal("150.0000001"))),
        ("number-too-precise", Applicant(years_of_work=Decimal("1e-999999"))),
        ("number-too-precise", Applicant(completed_percent=Decimal("0.0000001"))),
        ("year-out-of-range", Applicant(cohort=99999)),
        ("year-out-of-range", Applicant(cohort=20)),
        ("date-out-of-range", Applicant(born_on=date(1, 1, 1))),
        ("date-out-of-range", Applicant(left_on=date(9999, 12, 31))),
    ],
)
def test_what_cannot_be_is_refused(reason: str, applicant: Applicant) -> None:
    with BANK.store.reading() as books, pytest.raises(HoldingInvalid, match=reason):
        require_known_facts(BANK, books, [], applicant)


ODD = {
    "category": "wizard",
    "study_form": "fulltime",
    "enrolled_at": "a school of old",
    "left_on": "9999-12-31",
    "years_of_work": "200",
    "completed_percent": "33.5",
}
"""What was once taken, and is not any more."""


def test_what_was_stated_before_it_was_held_to_anything_counts_as_it_was_stated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    school = School(new_bank())
    account = school.account(1)
    path = f"/accounts/{account}"
    school.record(account, {**CERTIFICATE, "standard": "CD-X-JTNC"}, "certificate")
    key, asked = {"Idempotency-Key": "old"}, {"programme": HUSBANDRY, "applicant": ODD}
    refused = school.post(f"{path}/exemptions", asked, key)
    assert refused.status_code == 422
    assert "holding-invalid" in refused.text
    with monkeypatch.context() as patch:
        patch.setattr(conversions, "require_known_facts", lambda *_: None)
        granted = school.post(f"{path}/exemptions", asked, key)
        assert granted.status_code == 201
        assert granted.json()["registered"]
    again = school.post(f"{path}/exemptions", asked, key)
    assert again.json()["registered"] == granted.json()["registered"]

    sequence_pending(school.app.state.bank.store)
    then = {**asked, "at_size": 2}  # the account, and the certificate
    replayed = school.post(f"{path}/exemption-decisions", then)
    assert replayed.status_code == 200, replayed.text
    assert replayed.json()["decision"]["exemptions"] == granted.json()["answer"]["decision"]["exemptions"]
    for many in (
        school.post(
            "/what-ifs", {"programme": HUSBANDRY, "accounts": [account], "instead_as_of": "2026-05-01"}
        ),
        school.post("/next-steps", {"programme": HUSBANDRY, "accounts": [account]}),
    ):
        assert many.status_code == 200, many.text
    corrected = {**CERTIFICATE, "standard": "CD-X-JTNC", "score": "61"}
    correction = {"outcome": corrected, "reason": "成绩录入有误"}
    done = school.post(f"{path}/outcomes/000001/correction", correction)
    assert done.status_code == 201, done.text
    assert school.get(path).status_code == 200


def test_a_registered_school_is_known_and_so_is_one_that_a_rule_names() -> None:
    packs = shipped_packs().packs_for_exam(ExamId(CATTI))
    with BANK.store.reading() as books:
        for school in (EAST.issuer, "CATTI-UNI-1"):
            require_known_facts(BANK, books, packs, Applicant(enrolled_at=school))
        with pytest.raises(HoldingInvalid, match="enrolled-at-unknown"):
            require_known_facts(BANK, books, [], Applicant(enrolled_at="CATTI-UNI-1"))
    assert unheard_of(packs, Applicant(major="0551", region="540300")) == ()
    assert [one.field for one in unheard_of(packs, Applicant(major="1", enrolled_level="x"))] == [
        "enrolled_level",
        "major",
    ]
