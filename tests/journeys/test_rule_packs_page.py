"""What docs/rule-packs.md teaches works as written: every block loads, and lessons keep their examples."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from creditbank.conversion.pack import PackFinding
from creditbank.conversion.pack_examples import run_examples
from creditbank.documents.rule_pack import RulePackDocument, parse_rule_pack
from creditbank.rulepacks.library import findings_of
from creditbank.vocabularies.library import Vocabularies
from tests.strategies.small_packs import head

PAGE = (Path(__file__).parents[2] / "docs" / "rule-packs.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```toml\n(.*?)^```", re.MULTILINE | re.DOTALL)
SECTIONS = {part.partition("\n")[0]: part for part in re.split(r"^##+ ", PAGE, flags=re.MULTILINE)[1:]}
LESSONS = [title for title in SECTIONS if re.match(r"\d\. ", title)]
BASE, *SNIPPETS = BLOCK.findall(SECTIONS["A snippet for every shape"])
SHAPES = {str(number) for number in range(1, 23)} | {"W"}
"""Of CONVERSION §7."""


def test_no_block_stands_where_no_test_runs_it() -> None:
    run = sum(len(BLOCK.findall(SECTIONS[title])) for title in (*LESSONS, "A whole pack"))
    assert len(LESSONS) == 3
    assert run + 1 + len(SNIPPETS) == len(BLOCK.findall(PAGE)) == PAGE.count("```toml")


@pytest.mark.parametrize("title", [*LESSONS, "A whole pack"])
def test_a_lesson_is_a_pack_that_warns_of_nothing(title: str) -> None:
    document = parse_rule_pack("\n".join(BLOCK.findall(SECTIONS[title])).encode())
    found = [(finding.where, finding.code, dict(finding.values)) for finding in checked(document)]
    assert found == []
    assert len(document.pack.examples) >= 2


@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_a_snippet_loads_with_the_beginning_it_names(snippet: str) -> None:
    document = parse_rule_pack(f"{BASE}\n{snippet}".encode())
    found = checked(document)
    assert not [one for one in found if one.severity == "error" or one.code.endswith("-unlisted")]


def checked(document: RulePackDocument) -> tuple[PackFinding, ...]:
    return findings_of(document, Vocabularies.load().vocabularies)


def test_the_codes_that_the_page_names_are_those_of_the_lists() -> None:
    section = SECTIONS["Codes that the bank knows"]
    rows = re.findall(r"^\| `([a-z-]+)` \|[^|]*\|([^|]*)\|", section, re.MULTILINE)
    lists = Vocabularies.load().vocabularies
    assert {name for name, _ in rows} == {
        name for name in lists if not name.startswith(("major-group", "redaction"))
    }
    for name, said in rows:
        named = re.findall(r"`([^`]+)`", said)
        codes = [term.code for term in lists[name].terms]
        assert named == codes or (name == "education-level" and {*named} < {*codes})


def test_every_shape_has_a_snippet_that_names_it() -> None:
    section = SECTIONS["A snippet for every shape"]
    named = re.findall(r"^((?:(?:\d+|W)(?:, | and )?)+)[^\n]*", section, re.MULTILINE)
    inner = re.findall(r"; (\d+),", section)
    shown = {shape for line in named for shape in re.findall(r"\d+|W", line)} | set(inner)
    assert shown >= SHAPES


NEAR_PACK = """{head}[[scale]]
framework = "8-level"
levels = ["初级工", "中级工"]
[[scale]]
framework = "five"
levels = ["合格", "良好"]
[[scale]]
framework = "award-rank"
levels = ["third", "second", "first"]
[[fact]]
name = "terms"
title = "学期"
kind = "number"
[[fact]]
name = "joined_on"
title = "入伍"
kind = "date"
[[recognition]]
id = "t"
title = "t"
rows = [{{ kind = "course-credit", codes = ["H"], hours_per_credit = 16 }}]
[[programme]]
id = "p"
title = "p"
credits = 8
courses = [
  {{ id = "N1", title = "甲", credits = 4, module = "m", hours = 64 }},
  {{ id = "N2", title = "乙", credits = 4, module = "m" }},
]
[[rule]]
id = "r"
cite = ["a"]
say = "x"
premise = [{{ {premise}, use = "consume" }}]
scope = {{ facts = [{facts}] }}
grant = {{ {grant} }}
[[example]]
name = "x"
as_of = 2025-03-05
applicant = {{ {applicant} }}
outcomes = [{{ id = "o", awarded_on = 2024-01-10, {outcome} }}]
near = [{{ rule = "r", {near} }}]
"""
COURSE = 'kind = "course-credit", codes = ["X"]'
HELD = 'kind = "course-credit", code = "X"'
EACH = 'mode = "each", courses = ["N1"]'
CHOOSE = 'mode = "choose", max_courses = 1, courses = ["N1", "N2"]'
OF_OUTCOMES = [
    ('kind = "award", codes = ["Y", "X"]', HELD, "outcome", None, "X/Y"),
    ('kind = "award"', HELD, "outcome", None, "award"),
    (f'{COURSE}, min_level = ["初级", "初级工"]', HELD, "level", None, "初级/初级工"),
    (f'{COURSE}, min_level = ["中级", "中级工"]', f'{HELD}, level = "初级"', "level", "初级", "中级"),
    (f'{COURSE}, min_grade = "良好"', f'{HELD}, grade = "合格"', "grade", "合格", "良好"),
    (f"{COURSE}, min_score = 60", f"{HELD}, score = 51.5", "score", "51.5", "60"),
    (f'{COURSE}, max_age = "1y"', HELD, "awarded_on", "2024-01-10", "2024-03-06"),
    (f'{COURSE}, min_age = "3y"', HELD, "awarded_on", "2024-01-10", "≤2022-03-05"),
    (f"{COURSE}, awarded_before = 2022-03-06", HELD, "awarded_on", "2024-01-10", "≤2022-03-05"),
    (f"{COURSE}, awarded_since = 2024-06-01", HELD, "awarded_on", "2024-01-10", "≥2024-06-01"),
    (f'{COURSE}, awarded_before = "joined_on"', HELD, "joined_on", None, "*"),
    (COURSE, f"{HELD}, expires_on = 2024-12-01", "expires_on", "2024-12-01", ">2025-03-05"),
    (f'{COURSE}, issuers = ["B", "A"]', HELD, "issuer", "example", "A/B"),
]
OF_ATTRIBUTES = [
    ("no_less_than = 70", "65", "≥70"),
    ("more_than = 70", "65", ">70"),
    ("at_most = 90", "95", "≤90"),
    ("no_less_than = 70, at_most = 90", "65", "≥70 ≤90"),
    ('one_of = ["online", "campus"]', "x", "online/campus"),
    ('at_least = "second"', "third", "second"),
]
OF_FACTS = [
    ('fact = "terms", at_least = 10', "facts = { terms = -3.5 }", "terms", "-3.5", "≥10"),
    ('fact = "terms", at_least = 10, at_most = 20', "", "terms", None, "≥10 ≤20"),
    (
        'fact = "category", one_of = ["veteran", "student"]',
        'category = "x"',
        "category",
        "x",
        "veteran/student",
    ),
    ('fact = "left_on", within = "2y"', "left_on = 2020-01-01", "left_on", "2020-01-01", "2y"),
    ('fact = "born_on", after = "18y"', "born_on = 2015-01-01", "born_on", "2015-01-01", "≥18y"),
    ('fact = "born_on", after = "18y", within = "30y"', "", "born_on", None, "≥18y <30y"),
]
OF_PAIRINGS = [
    ("max_above = 0", "credits = 2", "credits", "2", "4"),
    ("max_below = 1", "credits = 9", "credits", "9", "≤5"),
    ("hours_share = 0.8", "hours = 9", "hours", "9", "51.2"),
    ("same_code = true", "", "outcome", None, "N1"),
    (
        'names_course = "replaces"',
        'attributes = [{ name = "replaces", value = "Q" }]',
        "replaces",
        "Q",
        "N1",
    ),
]


def near_misses() -> Iterator[tuple[dict[str, str], str, str | None, str]]:
    for premise, outcome, attribute, have, need in OF_OUTCOMES:
        yield {"premise": premise, "outcome": outcome}, attribute, have, need
    for test, value, need in OF_ATTRIBUTES:
        stated = f'{HELD}, attributes = [{{ name = "overlap", value = "{value}" }}]'
        asked = f'{COURSE}, attributes = [{{ name = "overlap", {test} }}]'
        yield {"premise": asked, "outcome": stated}, "overlap", value, need
    for test, applicant, attribute, have, need in OF_FACTS:
        yield {"facts": f"{{ {test} }}", "applicant": applicant}, attribute, have, need
    for pairing, stated, attribute, have, need in OF_PAIRINGS:
        outcome = f"{HELD}, {stated}" if stated else HELD
        yield {"grant": f"{CHOOSE}, pairing = {{ {pairing} }}", "outcome": outcome}, attribute, have, need
    worth = f'{CHOOSE}, worth = "t"'
    yield {"grant": worth}, "code", "X", "H"
    of_hours = {"grant": worth, "premise": COURSE.replace("X", "H"), "outcome": HELD.replace("X", "H")}
    yield of_hours, "hours", None, "*"


@pytest.mark.parametrize(("written", "attribute", "have", "need"), list(near_misses()))
def test_a_near_miss_is_named_as_the_table_says(
    written: dict[str, str], attribute: str, have: str | None, need: str
) -> None:
    usual = {"premise": COURSE, "outcome": HELD, "grant": EACH, "facts": "", "applicant": ""}
    stated = "" if have is None else f', have = "{have}"'
    near = f'attribute = "{attribute}"{stated}, need = "{need}"'
    text = NEAR_PACK.format(head=head(), near=near, **(usual | written))
    (run,) = run_examples(parse_rule_pack(text.encode()).pack)
    assert run.findings == ()
    assert f"`{need}`" in SECTIONS["What `near` names"]
    if have is not None and re.fullmatch(r"[-0-9.]+", have):  # a number or a day, without quotes
        plain = NEAR_PACK.format(head=head(), near=near.replace(f'"{have}"', have), **(usual | written))
        assert [one.findings for one in run_examples(parse_rule_pack(plain.encode()).pack)] == [()]
    wrong = NEAR_PACK.format(head=head(), near=near.replace(need, f"{need}!"), **(usual | written))
    (run,) = run_examples(parse_rule_pack(wrong.encode()).pack)
    assert [one.code for one in run.findings] == ["example-failed"]
