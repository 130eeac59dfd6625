"""Answers that would leave whoever asked guessing: they say what is the matter, and what to do."""

from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest

from creditbank.identity.account_number import parse_account_number
from creditbank.locale.catalogue import LANGUAGES
from creditbank.outcomes.training import Training
from creditbank.samples.people import sample_issuer, sample_learners
from creditbank.services.import_outcomes import import_outcomes
from creditbank.services.import_plan import ImportRow
from creditbank.services.outcomes import correct_outcome, record_outcome
from creditbank.terms import OutcomeId
from tests.banks import EAST, new_bank
from tests.commands import Commands, Done
from tests.journeys.test_http import School, shipped_packs

HUSBANDRY, FARM = "changdu-animal-husbandry", "changdu-farm-elementary"
LOWER = "code=CD-X-JTNC,level=初级,awarded_on=2025-03-01"


@pytest.fixture
def account(commands: Commands) -> str:
    number = sample_learners()[1].citizen_number
    assert number is not None
    opened = commands.run(
        "account",
        "open",
        "--name",
        "扎西",
        "--citizen-number",
        number.text,
        "--issuer",
        sample_issuer("school-east"),
        "--json",
    )
    return str(opened.json["account"])


@pytest.mark.parametrize(
    "asked",
    [
        ("decide", "exemptions", "ACCOUNT", "--programme", HUSBANDRY),
        ("decide", "waivers", "ACCOUNT", "--exam", FARM),
        ("audit", "ACCOUNT", HUSBANDRY),
    ],
)
def test_a_day_before_any_rule_is_said_to_be_one(
    commands: Commands, account: str, asked: tuple[str, ...]
) -> None:
    question = [account if one == "ACCOUNT" else one for one in asked]
    early = commands.run(*question, "--as-of", "2015-01-01", code=1).out.replace("\n", "")
    assert "2015年1月1日在规则生效之前" in early
    assert "自2020年5月21日起" in early
    late = commands.run(*question, "--as-of", "2025-11-01", code=1).out
    assert "在规则生效之前" not in late


def test_a_school_that_nothing_is_known_of_is_refused(commands: Commands, account: str) -> None:
    east = sample_issuer("school-east")
    asking = [
        ("decide", "exemptions", account, "--programme", HUSBANDRY),
        ("decide", "waivers", account, "--exam", FARM),
        ("audit", account, HUSBANDRY),
        ("decide", "what-if", account, "--programme", HUSBANDRY, "--add", LOWER),
        ("decide", "next-steps", "all", "--programme", HUSBANDRY),
    ]
    for asked in asking:
        refused = commands.run(*asked, "--enrolled-at", "123", code=2)
        assert "enrolled-at-unknown" in refused.err
        assert "creditbank institution register" in refused.err.replace("\n", " ")
    refused = commands.run(*asking[0], "--fact", "enrolled_at=123", code=2)
    assert "enrolled-at-unknown" in refused.err
    commands.run(*asking[0], "--enrolled-at", east, code=1)
    # A school that a rule names need not be registered here.
    commands.run(
        "decide", "waivers", account, "--exam", "catti-2-translation", "--enrolled-at", "CATTI-UNI-1", code=1
    )


def test_a_part_is_waived_and_registered_by_facts_alone_and_the_document_is_named(
    commands: Commands, account: str
) -> None:
    asked = (
        *("decide", "waivers", account, "--exam", "catti-2-translation", "--enrolled-at", "CATTI-UNI-1"),
        *("--fact", "enrolled_level=master", "--major", "0551"),
    )
    said = commands.run(*asked, "--apply", "--issuer", sample_issuer("school-east")).out.replace("\n", "")
    assert "须交验：盖章的在读证明" in said
    again = commands.run("--language", "en", *asked, code=1).out
    assert "no part is waived" in again, "it is registered already"
    whole = commands.run("account", "show", account).out
    assert "综合能力" in whole


@pytest.mark.parametrize("way", ["recorded", "imported", "corrected"])
def test_a_waiver_falls_when_a_check_that_it_hangs_on_fails(way: str) -> None:
    school = School(new_bank())
    account = school.account(1)
    asked = {"exam": "example-shapes-exam", "applicant": {"years_of_work": "6"}}
    before_it_failed = {**asked, "as_of": "2026-02-01"}
    granted = school.post(f"/accounts/{account}/waivers", before_it_failed)
    assert granted.status_code == 201, granted.text
    assert [one["part"] for one in granted.json()["answer"]["decision"]["waivers"]] == ["review"]
    passed = {
        "kind": "training",
        "programme_code": "EX-CHECK",
        "title": "核查",
        "hours": "1",
        "awarded_on": "2026-02-01",
        "attributes": {"result": "passed"},
    }
    recorded = school.record(account, passed, "passed")
    assert recorded.status_code == 201, recorded.text
    fallen = f"/accounts/{account}/suspended-grants"
    assert school.get(fallen).json()["suspended"] == []
    failed = Training(
        programme_code="EX-CHECK",
        title="复查",
        hours=Decimal(1),
        issuer=EAST.issuer,
        awarded_on=date(2026, 2, 2),
        attributes=(("result", "failed"),),
    )
    number, rules = parse_account_number(account), shipped_packs()
    match way:
        case "recorded":
            record_outcome(school.bank, EAST, number, failed, rules=rules)
        case "corrected":
            check = OutcomeId(f"{recorded.json()['seq']:06}")
            correct_outcome(school.bank, EAST, number, check, failed, reason="复查", rules=rules)
        case _:
            row = ImportRow(row=2, person=sample_learners()[1], outcome=failed)
            digest = sha256(b"file").digest()
            import_outcomes(
                school.bank, EAST, [row], file_digest=digest, write_receipt=lambda _: b"", rules=rules
            )
    (offer,) = school.get(fallen).json()["suspended"]
    assert offer.get("substitute") is None
    refused = school.post(f"/accounts/{account}/waivers", before_it_failed)
    assert refused.json()["reason"] == "void-since"
    again = school.post(f"/accounts/{account}/waiver-decisions", asked).json()
    assert again["decision"]["waivers"] == []
    assert "void" in [one["kind"] for one in again["decision"]["refusals"]]


@pytest.mark.parametrize("language", LANGUAGES)
def test_whoever_asks_over_http_is_sent_to_no_command_about_a_school(language: str) -> None:
    school = School(new_bank())
    whom = f"/accounts/{school.account(1)}"
    body = {"programme": HUSBANDRY, "applicant": {"enrolled_at": "123"}}
    headers = {"Accept-Language": language, "Accept": "text/html"}
    answer = school.post(f"{whom}/exemption-decisions", body, {"Accept-Language": language})
    path = f"/statement/{whom.rpartition('/')[2]}/audits/{HUSBANDRY}?enrolled_at=123"
    page = school.stranger.get(path, headers={**school.headers, **headers})
    assert answer.status_code == page.status_code == 422
    for said in (answer.text, page.text):
        assert "creditbank " not in said
        assert "18" in said


def test_a_second_pre_decision_names_the_first(commands: Commands, account: str) -> None:
    until = (date.today() + timedelta(days=90)).isoformat()  # noqa: DTZ011 - the clerk's own calendar
    ask = ["decide", "pre-decision", account, "--programme", HUSBANDRY, "--until", until]
    ask += ["--issuer", sample_issuer("school-east"), "--planned", "code=CD-X-JTNC,level=中级"]
    first = commands.run(*ask, "--json").json
    assert first["promised_already"] == []
    second = commands.run(*ask)
    assert f"#{first['pre_decision']}" in second.out
    assert "此前已作过预先决定" in second.out


def test_a_supposition_without_effect_says_why(commands: Commands, account: str) -> None:
    useless = "code=CD-X-JTNC,level=初级,awarded_on=2010-03-01"
    asked = ("decide", "what-if", account, "--programme", HUSBANDRY, "--as-of", "2025-11-01")
    said = commands.run(*asked, "--add", useless, code=1)
    lines = said.out[said.out.index("没有变化") :]
    assert "一项技能证书 CD-X-JTNC（初级）" in lines
    assert "还有条件未满足" in lines
    unknown = commands.run(*asked, "--add", "code=NOBODY-ASKS", code=1)
    assert "没有规则认定这类成果" in unknown.out


def test_a_class_without_anybody_is_refused(commands: Commands, tmp_path: Path) -> None:
    empty = tmp_path / "class.txt"
    for text in ("", "# 谁也没有\n\n", "name,account\n"):
        empty.write_text(text, "utf-8")
        refused = commands.run("decide", "next-steps", empty, "--programme", HUSBANDRY, code=2)
        assert "cohort-empty" in refused.err


def test_next_steps_count_steps_and_not_persons(commands: Commands, account: str) -> None:
    several = commands.run("decide", "next-steps", "all", "--programme", HUSBANDRY, "--limit", "1")
    assert "1 人受益" in several.out
    assert "种；用 --limit" in several.out
    assert "人次" not in several.out


def test_what_is_no_key_is_said_to_be_none(commands: Commands, tmp_path: Path) -> None:
    receipt, signature, key = (tmp_path / name for name in ("receipt.json", "receipt.json.sig", "key.txt"))
    for file in (receipt, signature, key):
        file.write_text("hello\n", "utf-8")
    for text in ("hello\n", "", '{"a": 1}\n'):
        key.write_text(text, "utf-8")
        refused = commands.run("institution", "verify-receipt", receipt, "--verifier-key", key, code=2)
        assert "verifier-key-malformed" in refused.err
        assert "这不是公钥文件" in refused.err.replace("\n", "")


def test_the_address_of_the_form_leads_back_to_the_form() -> None:
    answer = School(new_bank()).stranger.get("/statement", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize(
    ("written", "field", "good"),
    [
        ("credits=four", "学分", "82.5"),
        ("credits=1e999", "学分", "82.5"),
        ("credits=1e-999999", "学分", "82.5"),
        ("score=八十五", "成绩", "82.5"),
        ("hours=-1", "学时", "82.5"),
        ("awarded_on=2026-02-30", "取得日期", "2026-03-01"),
        ("expires_on=0001-01-01", "失效日期", "2026-03-01"),
        ("level=/中级", "等级", "1+X/中级"),
    ],
)
def test_a_value_supposed_that_cannot_be_read_is_named_with_one_that_can(
    commands: Commands, account: str, written: str, field: str, good: str
) -> None:
    name, _, value = written.partition("=")
    asked = ("decide", "what-if", account, "--programme", HUSBANDRY, "--add", f"code=X,{written}")
    said = commands.run(*asked, code=2).err.replace("\n", "")
    assert f"“{field}”不能是“{value}”" in said
    assert good in said
    school = School(new_bank())
    body = {"programme": HUSBANDRY, "planned": [f"kind=skill-certificate,code=X,{written}"]}
    answer = school.post(f"/accounts/{school.account(1)}/what-ifs", body)
    assert (answer.status_code, answer.json()["field"]) == (422, name)
    assert good in answer.json()["detail"]


_CERTIFICATE = "证书编号,证书标准代码,证书名称,证书等级,发证日期", "station"
_DIPLOMA = "毕业证书编号,专业代码,专业名称,学历层次,毕业日期", "school-east"


@pytest.mark.parametrize(
    ("book", "line", "refused", "good", "other"),
    [
        (_CERTIFICATE, "CD-X-JTNC,畜禽养殖,中级", "特级", "1+X/高级", "8-level/中级工"),
        (_CERTIFICATE, "6-16-01,养殖工,中级工", "中级", "8-level/高级工", "1+X/中级"),
        (_DIPLOMA, "510205,农学,大专", "高级", "GB/T 4658/12", "8-level/高级工"),
    ],
)
def test_a_level_without_its_framework_is_of_the_outcomes_own_in_a_correction(
    commands: Commands,
    account: str,
    tmp_path: Path,
    book: tuple[str, str],
    line: str,
    refused: str,
    good: str,
    other: str,
) -> None:
    file, issuer = tmp_path / "outcomes.csv", sample_issuer(book[1])
    file.write_text(f"姓名,学习账号,{book[0]}\n扎西,{account},DEMO-1,{line},2025-03-01\n", "utf-8")
    commands.run("import", file, "--issuer", issuer)

    def correct(number: int, level: str, code: int = 0) -> Done:
        change = ("--reason", "录错", "--issuer", issuer, "--set", f"level={level}")
        return commands.run("account", "correct", account, str(number), *change, code=code)

    def level() -> str:
        outcome = commands.run("account", "show", account, "--json").json["outcomes"][-1]["outcome"]
        return f"{outcome['level']['framework']}/{outcome['level']['level']}"

    before, short = level(), good.rpartition("/")[2]
    said = correct(1, refused, code=2).err
    assert "change-level" in said
    assert short in said
    assert level() == before
    correct(1, short)
    assert level() == good
    correct(2, other)
    assert level() == other


def test_a_level_without_its_scale_is_taken_in_a_question_where_one_scale_has_it(
    commands: Commands, account: str
) -> None:
    asked = ("decide", "what-if", account, "--programme", HUSBANDRY, "--add", "code=X,level=特级")
    refused = commands.run(*asked, code=2)
    assert "supposed-level" in refused.err
    assert "1+X/中级" in refused.err


def test_before_the_first_entry_there_is_nothing_to_decide_by(commands: Commands, account: str) -> None:
    commands.run("ledger", "sequence")
    asking = [
        ("decide", "exemptions", account, "--programme", HUSBANDRY),
        ("decide", "waivers", account, "--exam", FARM),
        ("decide", "nowhere", account, "--programme", HUSBANDRY),
        ("decide", "what-if", account, "--programme", HUSBANDRY, "--add", LOWER),
        ("audit", account, HUSBANDRY),
    ]
    for asked in asking:
        refused = commands.run(*asked, "--known-at", "#0", code=2)
        assert "log-size-zero" in refused.err
        assert "#1" in refused.err
        commands.run(*asked, "--known-at", "#1", code=0 if "what-if" in asked else 1)
    school = School(new_bank())
    path = f"/accounts/{school.account(1)}/exemption-decisions"
    answer = school.post(path, {"programme": HUSBANDRY, "at_size": 0})
    (found,) = answer.json()["errors"]
    assert (answer.status_code, found["pointer"]) == (422, "/at_size")
    assert "1" in found["detail"]
