"""What docs/rule-packs.md teaches works as written: every block loads, and lessons keep their examples."""

import re
from pathlib import Path

import pytest

from creditbank.conversion.pack import PackFinding
from creditbank.documents.rule_pack import RulePackDocument, parse_rule_pack
from creditbank.rulepacks.library import findings_of
from creditbank.vocabularies.library import Vocabularies

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
