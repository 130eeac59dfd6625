"""A pack with rows in CSV is the pack with the same rows in TOML; faults are named by file, line, column."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creditbank.documents.rule_pack import RulePackDocument, RulePackInvalid, parse_rule_pack
from creditbank.documents.rule_pack_csv import RulePackUnreadable
from creditbank.errors import InvalidInput
from creditbank.rulepacks.library import findings_of, read_document
from tests.strategies.rule_pack import toml_of, written_as
from tests.strategies.small_packs import PROGRAMME, RULE, head

HALVES = st.integers(1, 40).map(lambda halves: Decimal(halves) / 2)
CODES = st.lists(st.sampled_from(["X", "Y-1", "Z.2"]), min_size=1, max_size=3, unique=True)
LEVELS = st.sampled_from(["初级", "中级", "高级"])


def text_of(value: object) -> str:
    match value:
        case list():
            return " ".join(value)
        case Decimal():
            return format(value, "f")
        case _:
            return str(value)


def csv_of(columns: Sequence[str], lines: Sequence[Mapping[str, object]], *, mark: bool, end: str) -> bytes:
    rows = [",".join(columns), *(",".join(text_of(line.get(name, "")) for name in columns) for line in lines)]
    return ("\ufeff" if mark else "").encode() + "".join(row + end for row in rows).encode()


def parsed(text: str, csv: bytes) -> RulePackDocument:
    return parse_rule_pack(text.encode(), beside={"0/list.csv": csv})


marks_and_ends = {"mark": st.booleans(), "end": st.sampled_from(["\n", "\r\n"])}

# Recognition.

recognition_lines = st.fixed_dictionaries(
    {"kind": st.sampled_from(["skill-certificate", "award"]), "credits": HALVES},
    optional={
        "code": CODES,
        "level": LEVELS,
        "rank": st.lists(st.sampled_from(["first", "second"]), min_size=1, unique=True),
        "organiser_level": st.just(["national"]),
        "min_score": st.integers(1, 100),
    },
)


def row_of(line: Mapping[str, Any], framework: str | None) -> dict[str, Any]:
    row: dict[str, Any] = {"kind": line["kind"], "credits": written_as(line["credits"])}
    if "code" in line:
        row["codes"] = line["code"]
    if "level" in line:
        level = line["level"]
        row["min_level"] = level if framework is None else {"framework": framework, "level": level}
    tests = [{"name": name, "one_of": line[name]} for name in ("organiser_level", "rank") if name in line]
    if tests:
        row["attributes"] = tests
    if "min_score" in line:
        row["min_score"] = line["min_score"]
    return row


TABLE = {"id": "t", "title": "t"}
OWN_ROW = {"kind": "course-credit", "of_stated": 1}


@settings(max_examples=50)
@given(
    st.lists(recognition_lines, min_size=1, max_size=6),
    st.lists(st.just(OWN_ROW), max_size=2),
    st.sampled_from([None, "1+X"]),
    st.fixed_dictionaries(marks_and_ends),
)
def test_rows_in_csv_are_the_same_rows(
    lines: list[dict[str, Any]], own: list[dict[str, Any]], framework: str | None, form: dict[str, Any]
) -> None:
    columns = ["kind", "code", "framework", "level", "organiser_level", "rank", "min_score", "credits"]
    stated = [
        line if framework is None or "level" not in line else {**line, "framework": framework}
        for line in lines
    ]
    table = {**TABLE, "csv": "0/list.csv", **({"rows": own} if own else {})}
    by_hand = {**TABLE, "rows": [*own, *(row_of(line, framework) for line in lines)]}
    begin = head() + PROGRAMME + RULE
    written = parse_rule_pack((begin + toml_of({"recognition": [by_hand]}).decode()).encode())
    listed = parsed(begin + toml_of({"recognition": [table]}).decode(), csv_of(columns, stated, **form))
    assert listed.canonical == written.canonical
    assert listed.pack == written.pack


# Rules.

rule_lines = st.fixed_dictionaries(
    {"code": CODES, "courses": st.lists(st.sampled_from(["0101", "0102"]), min_size=1, unique=True)},
    optional={
        "level": LEVELS,
        "max_credits": HALVES,
        "max_courses": st.integers(1, 2),
        "say": st.just("别的话"),
    },
)
PREMISES: list[dict[str, Any]] = [
    {"kind": "skill-certificate", "max_age": "5y", "use": "consume"},
    {"kind": "diploma", "codes": ["D"], "use": "hold"},
]
GRANT: dict[str, Any] = {"mode": "choose", "grade": {"kind": "pass"}}
SAY = {"zh": "按清单", "en": "as listed"}
COMMON: dict[str, Any] = {"cite": ["a"], "say": SAY, "premise": PREMISES, "grant": GRANT}


def rule_of(number: int, line: Mapping[str, Any]) -> dict[str, Any]:
    first, second = PREMISES
    asked = {"codes": line["code"], **({"min_level": line["level"]} if "level" in line else {})}
    limits = {
        name: written_as(Decimal(line[name])) for name in ("max_credits", "max_courses") if name in line
    }
    return {
        **COMMON,
        "id": f"r-{number}",
        "say": line.get("say", SAY),
        "premise": [{**first, **asked}, second],
        "grant": {**GRANT, "courses": line["courses"], **limits},
    }


@settings(max_examples=50)
@given(st.lists(rule_lines, min_size=1, max_size=5), st.fixed_dictionaries(marks_and_ends))
def test_rules_in_csv_are_the_same_rules(lines: list[dict[str, Any]], form: dict[str, Any]) -> None:
    numbered = [{"max_credits": Decimal(1), **line, "rule": f"r-{at}"} for at, line in enumerate(lines)]
    columns = ["rule", "code", "level", "courses", "max_credits", "max_courses", "say"]
    begin = head() + PROGRAMME
    last = {**RULE_TREE, "id": "last"}
    by_hand = toml_of({"rule": [*(rule_of(at, line) for at, line in enumerate(numbered)), last]}).decode()
    table = toml_of({"rule": [{**COMMON, "csv": "0/list.csv"}, last]}).decode()
    written = parse_rule_pack((begin + by_hand).encode())
    listed = parsed(begin + table, csv_of(columns, numbered, **form))
    assert listed.canonical == written.canonical
    assert listed.pack == written.pack


RULE_TREE = {
    "cite": ["a"],
    "say": "最后",
    "premise": [{"kind": "diploma", "use": "hold"}],
    "grant": {"mode": "each", "courses": ["0101"]},
}

# Lists of equivalent courses.

EACH: dict[str, Any] = {"mode": "bundle", "grade": {"kind": "pass"}}


def test_a_line_of_joined_codes_asks_for_all_of_them_from_its_schools_between_its_days() -> None:
    common = {key: value for key, value in COMMON.items() if key != "premise"}
    first = {"kind": "course-credit", "use": "consume", "issuers": ["school-a"]}
    lines = (
        b"rule,code,courses,issuer,effective_from,effective_to\n"
        b"r-1,X Y+Z,0101 0102,school-a,2025-02-01,2026-02-01\n"
    )
    listed = parsed(rules_text(premise=[{"kind": "course-credit", "use": "consume"}], grant=EACH), lines)
    rule = {
        **common,
        "id": "r-1",
        "effective_from": date(2025, 2, 1),
        "effective_to": date(2026, 2, 1),
        "premise": [{**first, "codes": ["X", "Y"]}, {**first, "codes": ["Z"]}],
        "grant": {**EACH, "courses": ["0101", "0102"]},
    }
    written = parse_rule_pack((head() + PROGRAMME).encode() + toml_of({"rule": [rule]}))
    assert listed.pack == written.pack


# What is wrong.

TABLE_TEXT = head() + PROGRAMME + RULE + '[[recognition]]\nid = "t"\ntitle = "t"\ncsv = "0/list.csv"\n'


def rules_text(**changed: object) -> str:
    return head() + PROGRAMME + toml_of({"rule": [{**COMMON, **changed, "csv": "0/list.csv"}]}).decode()


RULES_TEXT = rules_text()
DATED_TEXT = rules_text(premise=[{"kind": "course-credit", "use": "consume"}], grant=EACH)
DATED_RULES = "rule,code,courses,effective_from\nr-1,X+Y,0101,\nr-2,Z,0101,2025-02-01\n"
SOUND_TABLE = "kind,code,level,credits\nskill-certificate,X,中级,4\nskill-certificate,Y,,2\n"
SOUND_RULES = "rule,code,level,courses,max_credits\nr-1,X,中级,0101,4\nr-2,Y,,0101 0102,2\n"


@pytest.mark.parametrize(
    ("text", "sound", "right", "wrong", "code", "where"),
    [
        (TABLE_TEXT, SOUND_TABLE, "中级", "终级", "level-unknown", "0/list.csv:2:level"),
        (TABLE_TEXT, SOUND_TABLE, ",2\n", ",二\n", "csv-number", "0/list.csv:3:credits"),
        (TABLE_TEXT, SOUND_TABLE, ",2\n", ",1.25\n", "credits-not-in-steps", "0/list.csv:3:credits"),
        (TABLE_TEXT, SOUND_TABLE, ",2\n", ",２\n", "csv-number", "0/list.csv:3:credits"),
        (TABLE_TEXT, SOUND_TABLE, ",2\n", ",2,看这里\n", "csv-cell-beyond", "0/list.csv:3"),
        (TABLE_TEXT, SOUND_TABLE, "\nskill-certificate,Y", "\n,Y", "csv-cell-blank", "0/list.csv:3:kind"),
        (TABLE_TEXT, SOUND_TABLE, "certificate,Y", "certificat,Y", "value-not-listed", "0/list.csv:3:kind"),
        (
            TABLE_TEXT,
            SOUND_TABLE,
            "\nskill-certificate,Y",
            "\n\n,,,\nskill-x,Y",
            "value-not-listed",
            "0/list.csv:5:kind",
        ),
        (RULES_TEXT, SOUND_RULES, ",0101 0102", ",0101 0109", "course-unknown", "0/list.csv:3:courses"),
        (DATED_TEXT, DATED_RULES, "2025-02-01", "2025/2/1", "csv-date", "0/list.csv:3:effective_from"),
        (DATED_TEXT, DATED_RULES, "2025-02-01", "2025-02-30", "csv-date", "0/list.csv:3:effective_from"),
        (DATED_TEXT, DATED_RULES, "X+Y", "X+", "csv-part-blank", "0/list.csv:2:code"),
        (RULES_TEXT, SOUND_RULES, "r-2", "r-1", "pack-id-twice", "0/list.csv:3"),
        (RULES_TEXT, SOUND_RULES, "r-2", "规则二", "value-pattern", "0/list.csv:3:rule"),
        (RULES_TEXT, SOUND_RULES, "r-2,Y", "r-2,", "csv-cell-blank", "0/list.csv:3:code"),
        (RULES_TEXT, SOUND_RULES, "中级", "终级", "level-unknown", "0/list.csv:2:level"),
        (rules_text(cite=["b"]), SOUND_RULES, "r-1", "r-3", "citation-unknown", "pack.toml:"),
    ],
)
def test_a_fault_is_named_by_file_line_and_column(
    text: str, sound: str, right: str, wrong: str, code: str, where: str
) -> None:
    assert right in sound
    with pytest.raises(RulePackInvalid) as caught:
        parsed(text, sound.replace(right, wrong, 1).encode())
    found = [(finding.code, finding.where) for finding in caught.value.findings]
    assert len([one for one in found if one[0] == code]) == 1
    assert any(one == code and at.startswith(where) for one, at in found), found


def test_an_id_given_twice_names_both_lines() -> None:
    with pytest.raises(RulePackInvalid) as caught:
        parsed(RULES_TEXT, SOUND_RULES.replace("r-2", "r-1", 1).encode())
    (twice,) = [finding for finding in caught.value.findings if finding.code == "pack-id-twice"]
    assert twice.where.startswith("0/list.csv:3")
    assert str(twice.values["first"]).startswith("0/list.csv:2")


def test_every_bad_cell_is_named_at_once() -> None:
    with pytest.raises(RulePackInvalid) as caught:
        parsed(TABLE_TEXT, b"kind,credits\naward,x\naward,y\n,1\n")
    assert [finding.where.rpartition("/")[2] for finding in caught.value.findings] == [
        "list.csv:2:credits",
        "list.csv:3:credits",
        "list.csv:4:kind",
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("kind,code,credits\nskill-certificate,网页,4\n".encode("gb18030"), "csv-gb18030"),
        ("kind,credits\naward,4\n".encode("utf-16"), "csv-not-utf8"),
        (b"kind,credits\naward,\xff\xff\n", "csv-not-utf8"),
        (b"", "csv-empty"),
        (b"kind,credits\n,\n", "csv-empty"),
        (b"kind;credits\naward;4\n", "csv-header"),
        (b"kind,credits,note\naward,4,\n", "csv-columns-wrong"),
        (b"kind,kind,credits\naward,award,4\n", "csv-columns-wrong"),
        (b"code,credits\nX,4\n", "csv-columns-missing"),
        (b'kind,code\naward,"X\n', "csv-malformed"),
        (b'kind,code\naward,"X\nY"\n', "csv-line-break"),
        (b"kind,credits\naward,4\n" + b"#" * 3_000_000, "pack-too-large"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_clearly(content: bytes, reason: str) -> None:
    with pytest.raises(RulePackUnreadable) as caught:
        parsed(TABLE_TEXT, content)
    assert caught.value.reason == reason
    assert caught.value.values["file"] == "0/list.csv"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (TABLE_TEXT.replace("0/list.csv", "../list.csv"), "include-missing"),
        (TABLE_TEXT.replace('"0/list.csv"', "7"), "include-missing"),
        (RULES_TEXT.replace("[[rule]]", '[[rule]]\nid = "r"'), "csv-rule-common"),
        (rules_text(grant={**GRANT, "courses": ["0101"]}), "csv-member-twice"),
        (rules_text(premise=[{**PREMISES[0], "codes": ["X"]}]), "csv-member-twice"),
        (rules_text(premise=[]), "csv-rule-common"),
        (head() + PROGRAMME + '[[rule]]\ncsv = "0/list.csv"\n', "csv-rule-common"),
    ],
)
def test_a_table_that_names_a_file_says_neither_too_little_nor_too_much(text: str, reason: str) -> None:
    with pytest.raises(RulePackUnreadable) as caught:
        parsed(text, SOUND_RULES.encode())
    assert caught.value.reason == reason


@given(st.binary(max_size=200) | st.text('kind,code"\n\r;初级4 ', max_size=80).map(str.encode))
def test_whatever_the_file_holds_it_is_read_or_refused(content: bytes) -> None:
    for text in (TABLE_TEXT, RULES_TEXT):
        with suppress(InvalidInput):
            parsed(text, content)


def test_the_shipped_list_is_part_of_the_digest(tmp_path: Path) -> None:
    shipped = Path("creditbank/rulepacks/k-acbs")
    for file in (shipped / "2024-03-01.toml", shipped / "2024-03-01" / "certificates.csv"):
        target = tmp_path / file.relative_to(shipped)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(file.read_bytes())
    before = read_document(tmp_path / "2024-03-01.toml")
    assert findings_of(before) == ()
    listed = tmp_path / "2024-03-01" / "certificates.csv"
    listed.write_text(listed.read_text("utf-8").replace("KR-OFFICE,4", "KR-OFFICE,3"), "utf-8")
    assert read_document(tmp_path / "2024-03-01.toml").pack.digest != before.pack.digest


def test_rules_of_one_list_need_their_two_examples_once() -> None:
    text = rules_text(premise=PREMISES[:1])
    warned = [finding.code for finding in findings_of(parsed(text, SOUND_RULES.encode()))]
    assert warned.count("rule-without-granting-example") == 1
    example = """
[[example]]
name = "甲"
as_of = 2025-06-01
outcomes = [{ id = "c", kind = "skill-certificate", code = "X", level = "中级", awarded_on = 2025-01-01 }]
credits = 4
[[example]]
name = "乙"
as_of = 2025-06-01
outcomes = []
near = [{ rule = "r-2", attribute = "outcome" }]
"""
    left = [finding.code for finding in findings_of(parsed(text + example, SOUND_RULES.encode()))]
    assert not [code for code in left if code.startswith("rule-without")]
