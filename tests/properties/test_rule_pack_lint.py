"""An example that comes out otherwise is an error, what is most likely a mistake a warning."""

from pathlib import Path

import pytest

from creditbank.documents.rule_pack import RulePackInvalid, parse_rule_pack
from creditbank.rulepacks.library import Library, findings_of
from tests.strategies.small_packs import PROGRAMME, RULE, SOUND, WAIVER, head, write


def found_in(text: str) -> list[tuple[str, str]]:
    return [(finding.severity, finding.code) for finding in findings_of(parse_rule_pack(text.encode()))]


# Examples.


def test_a_sound_pack_has_no_findings() -> None:
    assert found_in(SOUND) == []


@pytest.mark.parametrize(
    ("right", "wrong", "what", "expected", "got"),
    [
        ("\ncredits = 4\n[[example]]", "\ncredits = 3.5\n[[example]]", "credits", "3.5", "4"),
        ("\ncredits = 4\n[[example]]", "\ncourses = []\n[[example]]", "courses", "—", "0101"),
        ("\ncredits = 4\n[[example]]", "\nrules = []\n[[example]]", "rules", "—", "r"),
        ('need = "中级"', 'need = "高级"', "near", "r: level 初级 → 高级", "level 初级 → 中级"),
        (
            'attribute = "level", have',
            'attribute = "score", have',
            "near",
            "r: score 初级 → 中级",
            "level 初级 → 中级",
        ),
    ],
)
def test_an_example_that_comes_out_otherwise_is_named_and_its_pack_refused(
    tmp_path: Path, right: str, wrong: str, what: str, expected: str, got: str
) -> None:
    text = SOUND.replace(right, wrong)
    assert text != SOUND
    with pytest.raises(RulePackInvalid) as caught:
        Library.load(write(tmp_path, text), shipped=False)
    (finding,) = caught.value.findings
    assert (finding.code, finding.values["what"]) == ("example-failed", what)
    assert (finding.values["expected"], finding.values["got"]) == (expected, got)
    assert finding.where.startswith("authority/0.toml:")
    assert Library.load(tmp_path, shipped=False, check=False).check() == caught.value.findings


@pytest.mark.parametrize("name", ["credits = 1", 'courses = ["0101"]'])
def test_an_example_of_an_exam_expects_parts(name: str) -> None:
    exam = '[[exam]]\nid = "e"\ntitle = "e"\nparts = [{ id = "p", title = "p" }]\n'
    wrong = f'[[example]]\nname = "x"\nexam = "e"\nas_of = 2025-06-01\noutcomes = []\n{name}\n'
    with pytest.raises(RulePackInvalid) as caught:
        parse_rule_pack((SOUND + exam + wrong).encode())
    assert [finding.code for finding in caught.value.findings] == ["example-expects"]


# What is allowed and most likely a mistake.

TABLE = """[[recognition]]
id = "t"
title = "t"
rows = [{ kind = "skill-certificate", codes = ["Y"], credits = 4 }]
"""
TWICE = RULE.replace("max_credits = 4", 'worth = "t"').replace(
    "[rule.grant]",
    '[[rule.premise]]\nkind = "skill-certificate"\ncodes = ["X"]\nuse = "consume"\n[rule.grant]',
)


def with_caps(*caps: str) -> str:
    listed = ", ".join(f'{{ id = "c{number}", title = "c", {cap} }}' for number, cap in enumerate(caps))
    return SOUND.replace("]\n[[rule]]", f"]\ncaps = [{listed}]\n[[rule]]")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (SOUND.replace("credits = 10", "credits = 12"), "programme-credits-differ"),
        (
            SOUND.replace('id = "0102", title = "二", credits = 6', 'id = "0102", title = "二", credits = 5'),
            "programme-credits-differ",
        ),
        (SOUND.replace('say = "规则"\n', 'say = "规则"\nexclusive = "g"\n'), "exclusive-group-of-one"),
        (SOUND + '[[citation]]\nid = "b"\ntitle = "乙"\n', "citation-unused"),
        (SOUND + TABLE, "recognition-unused"),
        (SOUND.replace('["0101"]', '["0101", "0102"]'), "excluded-course-named"),
        (with_caps("maximum = 10"), "cap-never-binds"),
        (with_caps('share = 0.4, courses = { classes = ["k"] }'), "cap-never-binds"),
        (with_caps('maximum = 2, measure = "courses"'), "cap-never-binds"),
        (
            SOUND + WAIVER.format(part="p", caps='caps = [{ id = "c", title = "c", maximum = 1 }]'),
            "cap-never-binds",
        ),
    ],
)
def test_what_is_most_likely_a_mistake_is_warned_of(text: str, code: str) -> None:
    assert text != SOUND
    assert found_in(text) == [("warning", code)]


def test_a_rule_without_its_two_examples_is_warned_of() -> None:
    assert found_in(head() + PROGRAMME + RULE) == [
        ("warning", "rule-without-granting-example"),
        ("warning", "rule-without-missing-example"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        head() + PROGRAMME + RULE.replace('["0101"]', '["0102"]'),
        head() + PROGRAMME + RULE + "[rule.scope]\nmajors = ['别的']\n",
        head()
        + PROGRAMME
        + RULE.replace("version = 1", "version = 1\neffective_to = 2024-12-31\neffective_from = 2024-01-01"),
        head() + PROGRAMME + RULE.replace("max_credits = 4", "max_credits = 4\nworth = 't'") + TABLE,
        head() + PROGRAMME + TWICE + TABLE.replace('["Y"]', '["X"]') + 'families = [["X", "Y"]]\n',
    ],
)
def test_a_rule_that_can_never_grant_is_warned_of(text: str) -> None:
    codes = {code for _, code in found_in(text)}
    certain = {"rule-reaches-nothing", "rule-never-in-force", "rule-never-met", "worth-always-nothing"}
    assert len(codes & certain) == 1
    assert "rule-without-granting-example" in codes


def test_a_waiver_of_a_part_that_must_be_sat_is_warned_of() -> None:
    codes = [code for _, code in found_in(SOUND + WAIVER.format(part="q", caps=""))]
    assert codes == ["rule-without-granting-example", "rule-reaches-nothing"]


def test_a_cap_that_can_bind_is_not_warned_of() -> None:
    text = with_caps("share = 0.9", 'maximum = 3.5, courses = { classes = ["k"] }')
    text = text.replace("\ncredits = 4\n[[example]]", "\ncredits = 0\n[[example]]")
    assert [code for _, code in found_in(text)] == ["rule-without-granting-example"]
