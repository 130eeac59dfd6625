"""The command line, as registrars, clerks and auditors use it."""

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from creditbank.documents.spreadsheet import Limits
from creditbank.identity.account_number import account_number_of
from creditbank.identity.citizen_number import check_digit
from creditbank.ledger.checkpoint import open_note, parse_verifier_key
from creditbank.ledger.proof_file import Included, check, parse_proof_file
from creditbank.outcomes.outcome import OUTCOME_KINDS
from creditbank.samples.people import sample_issuer, sample_learners
from creditbank.samples.workbooks import SampleWorkbook, messy_workbook, sample_workbooks
from creditbank.vocabularies.library import Vocabularies
from tests.commands import Commands

EAST, STATION = sample_issuer("school-east"), sample_issuer("station")
TODAY = date(2025, 11, 23)


@pytest.fixture(scope="module")
def certificates() -> SampleWorkbook:
    books = sample_workbooks(Vocabularies.load().vocabularies, on=TODAY)
    return next(book for book in books if book.kind == "skill-certificate")


@pytest.fixture
def workbook(certificates: SampleWorkbook, tmp_path: Path) -> Path:
    path = tmp_path / "certificates.xlsx"
    path.write_bytes(certificates.content)
    return path


def posted(commands: Commands, workbook: Path) -> None:
    commands.run("import", workbook, "--issuer", STATION)


def account_of(commands: Commands, place: int) -> str:
    number = sample_learners()[place].citizen_number
    assert number is not None
    return str(commands.run("account", "find", "--citizen-number", number.text, "--json").json["account"])


@pytest.mark.parametrize("kind", OUTCOME_KINDS)
def test_a_template_opens_and_without_rows_it_says_so(commands: Commands, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "template.xlsx"
    commands.run("template", "--kind", kind, "--out", path)
    assert "说明 Guide" in openpyxl.load_workbook(path).sheetnames
    refused = commands.run("import", path, "--issuer", STATION, code=2)
    assert "workbook-without-rows" in refused.err


def test_a_file_is_tried_posted_once_and_answered_with_its_receipt(
    commands: Commands, workbook: Path, certificates: SampleWorkbook, tmp_path: Path
) -> None:
    would = commands.run("import", workbook, "--issuer", STATION, "--dry-run", "--json").json
    assert (would["status"], would["rows"]) == ("would-post", certificates.rows)
    receipt = tmp_path / "receipt.json"
    first = commands.run("import", workbook, "--issuer", STATION, "--json", "--receipt", receipt).json
    assert first["status"] == "posted"
    assert first["receipt"]["outcomes_recorded"] == certificates.rows
    assert receipt.exists()
    again = commands.run("import", workbook, "--issuer", STATION, "--json").json
    assert again == {"status": "posted-before", "receipt": first["receipt"]}
    assert first["receipt"]["number"] in commands.run("import", workbook, "--issuer", STATION).out


def test_every_bad_cell_is_named_and_nothing_is_posted(commands: Commands, tmp_path: Path) -> None:
    path = tmp_path / "messy.xlsx"
    path.write_bytes(messy_workbook(Vocabularies.load().vocabularies, on=TODAY))
    before = commands.run("ledger", "verify", "--json").json["entries"]
    refused = commands.run("import", path, "--issuer", STATION, "--json", code=1).json
    assert refused["error_count"] == len(refused["errors"]) == 11
    assert {"row": 11, "column": "J", "there": "特级"}.items() <= refused["errors"][5].items()
    said = commands.run("import", path, "--issuer", STATION, code=1).out
    assert "第 9 行 K 列" in said
    assert commands.run("ledger", "verify", "--json").json["entries"] == before


def test_what_the_bank_refuses_is_said_beside_the_bad_cells(commands: Commands, tmp_path: Path) -> None:
    path, account = tmp_path / "courses.csv", account_number_of(bytes(10))
    header = "姓名,学习账号,身份证号,课程代码,课程名称,学分,取得日期\n"
    number = sample_learners()[0].citizen_number
    assert number is not None
    rows = [
        f"扎西,{account},,C1,语文,4,2024-06-20",
        f"扎西,,{number.text},C1,语文,99999,1800-01-01",
        f"扎西,,{number.text},C2,数学,4,2190-06-20",
        f"扎西,,{number.text},C3,英语,4,2024-06-20",
    ]
    path.write_text(header + "\n".join(rows), "utf-8")
    before = commands.run("ledger", "verify", "--json").json["entries"]
    for how in ((), ("--dry-run",)):
        refused = commands.run("import", path, "--issuer", EAST, *how, "--json", code=1).json
        assert [(bad["row"], bad["code"]) for bad in refused["errors"]] == [
            (3, "number-out-of-range"),
            (3, "date-out-of-range"),
        ]
        assert [(bad["row"], bad["reason"]) for bad in refused["rows"]] == [
            (2, "account-unknown"),
            (4, "awarded-in-future"),
        ]
        said = commands.run("import", path, "--issuer", EAST, *how, code=1).out
        assert [said.index(f"第 {row} 行") for row in (2, 3, 4)] == sorted(
            said.index(f"第 {row} 行") for row in (2, 3, 4)
        )
        assert "共 4 处错误" in said
        assert refused["error_count"] == len(refused["errors"]) + len(refused["rows"])
    assert commands.run("ledger", "verify", "--json").json["entries"] == before


@pytest.mark.parametrize("first", ["4", "很多"])
def test_of_errors_without_end_the_first_are_listed_and_the_rest_counted(
    commands: Commands, tmp_path: Path, first: str
) -> None:
    path, account, limit = tmp_path / "courses.csv", account_number_of(bytes(10)), Limits().findings
    rows = [f"扎西,{account},C{at},语文,{'4' if at else first},2024-06-20" for at in range(limit + 7)]
    path.write_text("姓名,学习账号,课程代码,课程名称,学分,取得日期\n" + "\n".join(rows), "utf-8")
    refused = commands.run("import", path, "--issuer", EAST, "--json", code=1).json
    assert refused["error_count"] == limit + 7
    assert len(refused["rows"]) == limit
    said = commands.run("import", path, "--issuer", EAST, code=1).out
    assert said.count("✗") == limit
    assert "另有 7 处没有列出" in said
    assert f"{limit + 7} " in said


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0" * 200, b"<html>"])
def test_a_file_that_is_no_workbook_gets_one_clear_message(
    commands: Commands, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "file.xlsx"
    path.write_bytes(content)
    refused = commands.run("import", path, "--issuer", STATION, code=2)
    assert "Traceback" not in refused.err
    assert refused.err.count("\n") <= 3


def test_a_clerk_shows_decides_applies_revokes_and_two_confirm(
    commands: Commands, workbook: Path, tmp_path: Path
) -> None:
    posted(commands, workbook)
    account = account_of(commands, 0)
    shown = commands.run("account", "show", account, "--json").json
    outcome = shown["outcomes"][0]["id"]
    asked = ("decide", "exemptions", account, "--programme", "changdu-animal-husbandry")
    decided = commands.run(*asked, "--as-of", "2025-11-23", "--json").json
    assert decided["decision"]["units"] > 0
    assert decided["registered"] == []
    grants = decided["decision"]["exemptions"]
    told = commands.run(*asked, "--as-of", "2025-11-23", "--fact", "born_on=2001-03-12", "--json").json
    assert told["decision"]["exemptions"] == grants
    for fact, said in (("born_on=soon", "cannot be read"), ("shoe_size=42", "Nothing is known")):
        refused = commands.run("--language", "en", *asked, "--fact", fact, code=2)
        assert said in refused.err
    applied = commands.run(*asked, "--as-of", "2025-11-23", "--apply", "--issuer", EAST, "--json").json
    assert len(applied["registered"]) == len(decided["decision"]["exemptions"])
    commands.run(*asked, "--as-of", "2025-11-23", code=1)
    commands.run("account", "revoke", account, outcome, "--reason", "误发", "--issuer", STATION)
    shown = commands.run("account", "show", account, "--json").json
    assert {grant["status"] for grant in shown["grants"]} == {"suspended"}
    assert "误发" in commands.run("account", "show", account).out
    known_at = ("--known-at", "2020-01-01T00:00Z")
    replayed = commands.run(*asked, "--as-of", "2025-11-23", *known_at, "--json", code=1).json["decision"]
    assert (replayed["exemptions"], replayed["pinned"], replayed["nowhere"]) == ([], [], [])
    listed = commands.run("account", "suspended", account).out
    assert "学校将确认终止，或改用其他成果" in listed
    assert f"creditbank account confirm {account}" in listed
    tokens = []
    for name in ("first", "second"):
        token = commands.run("officer", "add", "--name", name, "--json").json["token"]
        tokens.append(tmp_path / name)
        tokens[-1].touch(mode=0o600)
        tokens[-1].write_text(token, encoding="utf-8")
    two = ("--first-token-file", tokens[0], "--second-token-file", tokens[1])
    (grant, *_) = shown["grants"]
    confirmed = ("account", "confirm", account, grant["id"], "--reason", "证书无效", *two, "--issuer", EAST)
    assert "已确认" in commands.run(*confirmed).out
    after = commands.run("account", "show", account, "--json").json["grants"]
    assert [one["status"] for one in after if one["id"] == grant["id"]] == ["reversed"]


def test_a_clerk_corrects_one_member_and_what_no_longer_holds_is_suspended(
    commands: Commands, workbook: Path
) -> None:
    posted(commands, workbook)
    account = account_of(commands, 0)
    outcome = commands.run("account", "show", account, "--json").json["outcomes"][0]["id"]
    asked = ("decide", "exemptions", account, "--programme", "changdu-animal-husbandry")
    commands.run(*asked, "--as-of", "2025-11-23", "--apply", "--issuer", EAST)
    correct = ("account", "correct", account, outcome, "--reason", "录错", "--issuer", STATION)
    refused = commands.run(*correct, "--set", "marks=4", code=2)
    assert "change-unknown" in refused.err
    assert commands.run("account", "show", account, "--json").json["outcomes"][0]["corrected_by"] is None
    said = commands.run(*correct, "--set", "title=更正后的名称")
    assert "更正后的名称" in said.out
    shown = commands.run("account", "show", account, "--json").json
    assert [one["reason"] for one in shown["outcomes"]] == ["录错", None]
    assert {grant["status"] for grant in shown["grants"]} == {"active"}
    corrected = shown["outcomes"][1]["id"]
    again = ("account", "correct", account, corrected, "--reason", "代码有误", "--issuer", STATION)
    commands.run(*again, "--set", "standard=CD-X-NONE")
    shown = commands.run("account", "show", account, "--json").json
    assert {grant["status"] for grant in shown["grants"]} == {"suspended"}


def test_an_auditor_needs_no_secret_key(commands: Commands, workbook: Path, tmp_path: Path) -> None:
    posted(commands, workbook)
    note, proof = tmp_path / "checkpoint", tmp_path / "entry.tlog-proof"
    commands.run("ledger", "checkpoint", "--out", note)
    commands.run("ledger", "prove", account_of(commands, 1), "1", "--out", proof)
    key = parse_verifier_key((commands.home / "log.vkey").read_text(encoding="utf-8").strip())
    assert open_note(note.read_bytes(), [key]).size > 0
    assert isinstance(check(parse_proof_file(proof.read_bytes()), [key]), Included)
    stranger = Commands(commands.home)
    assert stranger.run("ledger", "verify", "--checkpoint", note, "--json").json["findings"] == []


CELLS = [
    ("entry", "subject", "subject || 'X'"),
    ("entry", "seq", "seq + 1000"),
    ("entry", "leaf", "CAST(leaf || x'20' AS BLOB)"),
    ("entry", "leaf_hash", "zeroblob(32)"),
    ("entry", "idempotency_key", "'forged'"),
    ("payload", "subject", "subject || 'X'"),
    ("payload", "seq", "seq + 1000"),
    ("payload", "salt", "zeroblob(32)"),
    ("payload", "bytes", "CAST('{}' AS BLOB)"),
    ("log_leaf", "log_index", "log_index + 100000"),
    ("log_leaf", "subject", "subject || 'X'"),
    ("log_leaf", "seq", "seq + 1000"),
    ("tile", "level", "level + 5"),
    ("tile", "tile_index", "tile_index + 7"),
    ("tile", "hashes", "zeroblob(length(hashes))"),
    ("checkpoint", "size", "size + 1"),
    ("checkpoint", "note", "CAST(note || x'0A' AS BLOB)"),
    ("log_state", "size", "size + 1"),
    ("log_state", "root", "zeroblob(32)"),
]


@pytest.mark.parametrize(("table", "column", "forged"), CELLS)
def test_any_changed_cell_is_found(
    commands: Commands, workbook: Path, table: str, column: str, forged: str
) -> None:
    posted(commands, workbook)
    commands.run("ledger", "checkpoint")
    with closing(sqlite3.connect(commands.home / "bank.db")) as database:
        triggers = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            database.execute(f"DROP TRIGGER {name}")
        row = "(SELECT max(rowid) FROM " + table + ")"
        changed = database.execute(f"UPDATE {table} SET {column} = {forged} WHERE rowid = {row}").rowcount
        for _, statement in triggers:
            database.execute(statement)
        database.commit()
    assert changed == 1
    found = Commands(commands.home).run("ledger", "verify", "--json", code=1).json["findings"]
    assert found
    said = Commands(commands.home).run("ledger", "verify", code=1).out
    assert "✗" in said


def test_institutions_are_listed(commands: Commands) -> None:
    listed = commands.run("institution", "list", "--json").json
    assert EAST in {one["code"] for one in listed}
    assert EAST in commands.run("institution", "list").out
    refused = commands.run("institution", "register", EAST, "--name", "again", code=2)
    assert "institution-registered" in refused.err


def test_an_account_is_opened_at_the_counter(commands: Commands) -> None:
    number = sample_learners()[5].citizen_number
    assert number is not None
    opened = commands.run(
        "account", "open", "--name", "次仁", "--citizen-number", number.text, "--issuer", EAST, "--json"
    ).json
    assert commands.run("account", "show", opened["account"]).out
    again = commands.run("account", "open", "--name", "次仁", "--citizen-number", number.text, code=2)
    assert "citizen-has-account" in again.err


def test_a_late_registration_is_warned_of_and_not_refused(commands: Commands) -> None:
    first_17 = "54032320050101001"  # a region code that was not yet in force in the year of birth
    number = first_17 + check_digit(first_17)
    opened = commands.run("account", "open", "--name", "次仁", "--citizen-number", number, "--json")
    assert opened.err
    assert number not in opened.err
    assert opened.json["account"]


def test_rules_are_listed_checked_and_shown(commands: Commands, tmp_path: Path) -> None:
    packs = commands.run("rules", "list", "--json").json
    assert {"changdu"} <= {pack["authority"] for pack in packs}
    commands.run("rules", "check")
    for pack in packs:
        assert pack["digest"] in commands.run("rules", "show", pack["id"]).out
    wrong = tmp_path / "pack.toml"
    wrong.write_text("id = 5\nsurprise = true\n", encoding="utf-8")
    assert "surprise" in commands.run("rules", "check", wrong, code=1).out
    assert "规则形态（示例专业）" in commands.run("rules", "list").out
    english = commands.run("--language", "en", "rules", "list").out
    assert "Shapes of rules (example programme)" in english
    assert "规则形态" not in english
    commands.run("rules", "show", "nothing", code=2)
    commands.run("rules", "check", tmp_path / "nowhere.toml", code=2)


def test_nothing_starts_without_its_keys_or_its_database(commands: Commands, tmp_path: Path) -> None:
    without_key = Commands(commands.home)
    assert "keys-unavailable/no-key" in without_key.run("ledger", "checkpoint", code=2).err
    other = Commands(commands.home, CREDITBANK_DEVELOPMENT_KEY="QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=")
    assert "wrong-keys" in other.run("ledger", "checkpoint", code=2).err
    nowhere = Commands(tmp_path / "nowhere", CREDITBANK_DEVELOPMENT_KEY="QUFB")
    assert "database-missing" in nowhere.run("ledger", "checkpoint", code=2).err
    with closing(sqlite3.connect(commands.home / "bank.db")) as database:
        database.execute("UPDATE creditbank_version SET version_num = '9999'")
        database.commit()
    assert "database-newer" in commands.run("ledger", "checkpoint", code=2).err


def test_a_message_is_in_the_readers_language(commands: Commands) -> None:
    chinese = commands.run("account", "show", "nonsense", code=2).err
    english = commands.run("--language", "en", "account", "show", "nonsense", code=2).err
    assert not chinese.isascii()
    assert english.isascii()
