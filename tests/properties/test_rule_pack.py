"""Laws of rule packs as documents: what they say is kept, what they must not say is found and located."""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from hashlib import sha256
from pathlib import Path as FilePath
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from creditbank.conversion.pack import Pack
from creditbank.documents.rule_pack import (
    RulePackDocument,
    RulePackInvalid,
    parse_rule_pack,
    parse_rule_pack_json,
    rule_pack_schema,
)
from creditbank.documents.rule_pack_source import SIZE_MAX_BYTES, RulePackUnreadable
from creditbank.ledger.encoding import canonical_bytes
from creditbank.rulepacks.library import read_document
from tests.strategies.rule_pack import (
    SHIPPED_FILES,
    Path,
    Tree,
    members_of,
    names,
    packs,
    replaced,
    shuffled,
    toml_of,
)

shipped_files = st.sampled_from(SHIPPED_FILES)
fewer = settings(max_examples=settings().max_examples // 3)  # a shipped pack takes its time to read
junk = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**400), 10**400),
    st.decimals(),
    st.text(max_size=80),
    st.dates(),
    st.datetimes(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(names, st.integers(), max_size=2),
)


@cache
def document(file: FilePath) -> RulePackDocument:
    return read_document(file)


def tree_of(file: FilePath) -> Tree:
    """Return a shipped pack with its included files joined, as lists and tables that may be changed."""
    tree: Tree = _lists(document(file).source.tree)
    return tree


def _lists(value: Any) -> Any:  # noqa: ANN401 (a tree of plain values)
    match value:
        case dict():
            return {key: _lists(member) for key, member in value.items()}
        case tuple():
            return [_lists(item) for item in value]
        case _:
            return value


def paths(tree: Tree, chosen: Callable[[Path, object], bool]) -> list[Path]:
    return [path for path, value in members_of(tree) if chosen(path, value)]


def one_of(data: st.DataObject, found: list[Path]) -> Path:
    """Draw first what kind of place, then which: a pack has many courses and few caps."""
    kinds = sorted({tuple(step for step in path if isinstance(step, str)) for path in found})
    kind = data.draw(st.sampled_from(kinds))
    return data.draw(
        st.sampled_from([path for path in found if tuple(s for s in path if isinstance(s, str)) == kind])
    )


def findings(content: bytes) -> dict[str, tuple[str, int | None]]:
    """Return the code and line of every finding, by the place that it is about."""
    with pytest.raises(RulePackInvalid) as caught:
        parse_rule_pack(content)
    assert all(
        finding.severity == "error" and finding.file == "pack.toml" for finding in caught.value.findings
    )
    return {finding.place: (finding.code, finding.line) for finding in caught.value.findings}


def refusal(
    content: bytes, parse: Callable[[bytes], RulePackDocument] = parse_rule_pack
) -> RulePackUnreadable | RulePackInvalid | None:
    """Return how the bytes are refused, None where they are a pack; all else is a fault."""
    try:
        parse(content)
    except (RulePackUnreadable, RulePackInvalid) as error:
        return error
    return None


def place(path: Path) -> str:
    text = ""
    for step in path:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if text else step
    return text


# What a pack says is kept, and is its identity.


@given(packs())
def test_toml_and_canonical_json_say_the_same_pack(tree: Tree) -> None:
    written = parse_rule_pack(toml_of(tree))
    again = parse_rule_pack_json(written.canonical)
    assert again.pack == written.pack
    assert again.canonical == written.canonical
    assert written.pack.digest == sha256(written.canonical).hexdigest()


@given(shipped_files)
def test_a_shipped_pack_survives_the_way_through_json(file: FilePath) -> None:
    again = parse_rule_pack_json(document(file).canonical)
    assert (again.pack, again.canonical) == (document(file).pack, document(file).canonical)


@given(packs(), st.data())
def test_neither_order_nor_spelling_changes_the_digest(tree: Tree, data: st.DataObject) -> None:
    written = parse_rule_pack(toml_of(tree))
    other: Any = shuffled(data, tree)
    for path, value in list(members_of(other)):
        if path and path[-1] == "credits" and isinstance(value, int) and data.draw(st.booleans()):
            other = replaced(other, path, Decimal(f"{value}.0"))
    content = b"# nobody reads this\n" + toml_of(other, tables=data.draw(st.booleans()))
    again = parse_rule_pack(content.replace(b"\n", data.draw(st.sampled_from([b"\n", b"\r\n"]))))
    assert again.canonical == written.canonical
    assert again.pack == written.pack


@fewer
@given(shipped_files, st.data())
def test_whatever_a_pack_says_otherwise_changes_the_digest(file: FilePath, data: st.DataObject) -> None:
    tree = tree_of(file)
    text_places = paths(
        tree, lambda path, value: path[-1:] in (("zh",), ("title",)) and isinstance(value, str)
    )
    changed = replaced(tree, one_of(data, text_places), "改了")
    assert parse_rule_pack(toml_of(changed)).pack.digest != document(file).pack.digest


def test_the_example_in_the_format_guide_is_a_pack() -> None:
    guide = (FilePath(__file__).parents[2] / "docs" / "rule-packs.md").read_text("utf-8")
    (whole,) = re.findall(r"```toml\n(id = .*?)```", guide, re.DOTALL)
    pack = parse_rule_pack(whole.encode()).pack
    assert [rule.id for rule in pack.rules]
    assert isinstance(pack, Pack)


# What a pack must not say is found, wherever it is.


@given(st.binary(max_size=400))
@example(b"a = " + b"[" * 5_000)
@example(b"a = " + b"{b = " * 5_000)
@example(b"a = " + b"9" * 5_000)
@example(b"a = 1e999999999")
@example(b"a = 0x" + b"f" * 5_000)
@example(b"[" + b"a." * 5_000 + b"a]")
@example(b"include = ['x']")
@example(b"include = 1")
@example(b"\xff")
def test_any_bytes_are_refused_by_name(content: bytes) -> None:
    with pytest.raises((RulePackUnreadable, RulePackInvalid)):
        parse_rule_pack(content)
    with pytest.raises((RulePackUnreadable, RulePackInvalid)):
        parse_rule_pack_json(content)


@given(shipped_files, st.integers(0, 100_000), st.integers(0, 40), st.binary(max_size=12))
def test_a_damaged_pack_is_refused_by_name_or_read(file: FilePath, at: int, cut: int, new: bytes) -> None:
    content = toml_of(tree_of(file))
    at %= len(content)
    match refusal(content[:at] + new + content[at + cut :]):
        case RulePackInvalid(findings=found):
            assert all(finding.file == "pack.toml" and finding.line for finding in found)
        case RulePackUnreadable(values=values):
            assert values["file"] == "pack.toml"
        case None:
            pass


@given(shipped_files, junk, st.data())
def test_a_wrong_value_anywhere_is_refused_by_name_or_read(
    file: FilePath, value: object, data: st.DataObject
) -> None:
    tree = tree_of(file)
    path = one_of(data, paths(tree, lambda path, _: bool(path)))
    refused = refusal(toml_of(replaced(tree, path, value)))
    assert not isinstance(refused, RulePackInvalid) or refused.findings
    assert refused is None or str(refused)


json_junk = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**52), 2**52),
    st.text(max_size=80),
    st.sampled_from(["", "1e3", "0.5", "-1", "NaN", "2025-01-01", "2025-13-01", "9" * 70]),
    st.lists(st.integers(0, 9), max_size=2),
    st.dictionaries(st.sampled_from(["a", "id"]), st.integers(0, 9), max_size=2),
)


@fewer
@given(shipped_files, json_junk, st.data())
def test_a_wrong_value_anywhere_in_json_is_refused_by_name_or_read(
    file: FilePath, value: object, data: st.DataObject
) -> None:
    tree = json.loads(document(file).canonical)
    path = one_of(data, paths(tree, lambda path, _: bool(path)))
    changed = canonical_bytes(replaced(tree, path, value))
    match refusal(changed, parse_rule_pack_json):
        case None:
            assert parse_rule_pack_json(changed).canonical == changed
        case error:
            assert isinstance(error, RulePackInvalid)
            assert str(error)


NUMBERS = {"credits", "max_credits", "share", "min_hours", "min_credits", "hours", "at_least", "step"}


@fewer
@given(
    shipped_files, st.sampled_from(["", "x", "1e3", "-1", "NaN", "0.1234567", " 1", "1_0", "１"]), st.data()
)
def test_a_number_in_json_is_written_in_one_way(file: FilePath, written: str, data: st.DataObject) -> None:
    tree = json.loads(document(file).canonical)
    path = one_of(data, paths(tree, lambda path, _: path[-1:] != () and path[-1] in NUMBERS))
    refused = refusal(canonical_bytes(replaced(tree, path, written)), parse_rule_pack_json)
    assert isinstance(refused, RulePackInvalid)
    assert [(finding.place, finding.code) for finding in refused.findings] == [(place(path), "value-type")]


@fewer
@given(shipped_files, st.data())
def test_an_unknown_key_is_found_in_every_table(file: FilePath, data: st.DataObject) -> None:
    tree = tree_of(file)
    table = one_of(data, paths(tree, lambda _, value: isinstance(value, dict)))
    found = findings(toml_of(replaced(tree, (*table, "kredits"), 1)))
    assert found[place((*table, "kredits"))][0] == "key-unknown"


@fewer
@given(shipped_files, st.data())
def test_a_credit_finer_than_the_step_is_found_wherever_it_is(file: FilePath, data: st.DataObject) -> None:
    tree = tree_of(file)
    keys = {"credits", "max_credits", "capacity"}
    numbers = paths(
        tree,
        lambda path, value: (
            path[-1:] != () and path[-1] in keys and "outcomes" not in path and not isinstance(value, bool)
        ),
    )
    if not numbers:
        assert not document(file).pack.programmes
        return
    path = one_of(data, numbers)
    assert findings(toml_of(replaced(tree, path, Decimal("1.25"))))[place(path)][0] == "credits-not-in-steps"


REFERENCES = {
    "cite": "citation-unknown",
    "programmes": "programme-unknown",
    "exams": "exam-unknown",
    "worth": "recognition-unknown",
    "rules": "rule-unknown",
}


@fewer
@given(shipped_files, st.data())
def test_a_name_that_leads_nowhere_is_found_wherever_it_is(file: FilePath, data: st.DataObject) -> None:
    tree = tree_of(file)
    found_in = paths(tree, lambda path, _: path[-1:] != () and path[-1] in REFERENCES)
    path = one_of(data, found_in)
    key = str(path[-1])
    name: object = "nowhere" if key == "worth" else ["nowhere"]
    codes = {code for code, _ in findings(toml_of(replaced(tree, path, name))).values()}
    assert REFERENCES[key] in codes


@fewer
@given(shipped_files, st.data())
def test_a_level_on_no_scale_is_found_wherever_it_is(file: FilePath, data: st.DataObject) -> None:
    tree = tree_of(file)
    levels = paths(
        tree,
        lambda path, _: path[-1:] in (("min_level",), ("level",)) and path[0] not in ("exam", "programme"),
    )
    if not levels:
        assert not document(file).pack.scales
        return
    path = one_of(data, levels)
    found = findings(toml_of(replaced(tree, path, "无此级")))
    where = place(path[:-1]) if isinstance(path[-2], str) and path[-2].startswith("min_") else place(path)
    assert found[where][0] == "level-unknown"


def pack_text(extra: str = "", *, rules: str = "") -> bytes:
    """Return a small pack; `extra` follows its tables."""
    base = """id = "small"
authority = "small"
title = "小"
about = "小"
official = false
published_at = 2025-01-01T00:00:00+08:00
effective_from = 2025-01-01
date_basis = "application"
step = 0.5
[[citation]]
id = "a"
title = "甲"
[[scale]]
framework = "1+X"
levels = ["初级", "中级", "高级"]
[[programme]]
id = "web"
title = "网页"
credits = 4
courses = [{ id = "0101", title = "一", credits = 4, module = "m" }]
"""
    rule = """[[rule]]
id = "r"
version = 1
cite = ["a"]
say = "规则"
[[rule.premise]]
kind = "skill-certificate"
codes = ["X"]
use = "consume"
[rule.grant]
mode = "each"
courses = ["0101"]
"""
    return (base + (rules or rule) + extra).encode()


def line_with(content: bytes, text: str) -> int:
    """Return the line on which `text` stands, the last one if there are several."""
    return max(number for number, line in enumerate(content.decode().split("\n"), 1) if text in line)


LEVEL_ON_TWO_SCALES = """[[scale]]
framework = "old"
levels = ["初级"]
[[recognition]]
id = "t"
title = "t"
rows = [
  { kind = "skill-certificate", credits = 1 },
  { kind = "skill-certificate", min_level = "初级", credits = 1 },
]
"""
PART_TWICE = """[[exam]]
id = "e"
title = "e"
parts = [
  { id = "p", title = "p" },
  { id = "p", title = "q" },
]
"""


@pytest.mark.parametrize(
    ("extra", "where", "code", "shown"),
    [
        ('[[citation]]\nid = "a"\ntitle = "b"\n', "citation[2]", "pack-id-twice", "[[citation]]"),
        (
            LEVEL_ON_TWO_SCALES,
            "recognition[1].rows[2].min_level",
            "level-ambiguous",
            "min_level",
        ),
        (
            '[[example]]\nname = "x"\nas_of = 2025-02-01\nprogramme = "nowhere"\noutcomes = []\n',
            "example[1].programme",
            "programme-unknown",
            "nowhere",
        ),
        ('[[exam]]\nid = "e"\ntitle = "e"\nparts = []\n', "exam[1].parts", "value-out-of-range", "parts"),
        (
            '[[exam]]\nid = 7\ntitle = "e"\nparts = [{ id = "p", title = "p" }]\n',
            "exam[1].id",
            "value-type",
            "= 7",
        ),
        (
            PART_TWICE,
            "exam[1]",
            "id-twice",
            "[[exam]]",
        ),
    ],
)
def test_a_finding_stands_on_the_line_that_is_wrong(extra: str, where: str, code: str, shown: str) -> None:
    content = pack_text(extra)
    assert findings(content)[where] == (code, line_with(content, shown))


RULE = """[[rule]]
id = "r"
version = {version}
{dates}
cite = ["a"]
say = "规则"
premise = [{{ kind = "skill-certificate", codes = ["X"], use = "hold" }}]
grant = {{ mode = "each", courses = ["0101"] }}
"""


@pytest.mark.parametrize(
    ("first", "second", "overlap"),
    [
        ("", "effective_from = 2025-06-01", True),
        ("effective_to = 2025-06-01", "effective_from = 2025-06-01", False),
        ("effective_to = 2025-06-02", "effective_from = 2025-06-01", True),
        ("effective_from = 2025-06-01", "effective_to = 2025-06-01", False),
    ],
)
def test_two_versions_never_hold_on_one_day(first: str, second: str, overlap: bool) -> None:  # noqa: FBT001
    rules = RULE.format(version=1, dates=first) + RULE.format(version=2, dates=second)
    if overlap:
        assert findings(pack_text(rules=rules))["rule[2]"][0] == "rule-versions-overlap"
    else:
        assert len(parse_rule_pack(pack_text(rules=rules)).pack.rules) == 2


def test_a_rule_grants_or_waives_and_not_both() -> None:
    neither = pack_text(
        rules=RULE.format(version=1, dates="").replace("grant = {", "scope = { programmes = [] } # {")
    )
    both = pack_text("[rule.waive]\nparts = ['theory']\n")
    assert findings(neither)["rule[1]"][0] == findings(both)["rule[1]"][0] == "rule-grants-or-waives"


def test_the_schema_accepts_what_is_read_and_refuses_unknown_keys() -> None:
    schema = rule_pack_schema()
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    for file in SHIPPED_FILES:
        machine = json.loads(document(file).canonical)
        assert list(validator.iter_errors(machine)) == []
        machine["rule"][0]["premise"][0]["kredits"] = 1
        assert len(list(validator.iter_errors(machine))) == 1


# Files that belong together.


def test_a_finding_in_an_included_file_names_that_file_and_its_line() -> None:
    included = b'# more\n[[exam]]\nid = "e"\ntitle = "e"\nparts = [{ id = "p", title = "p", credits = 1 }]\n'
    content = b'include = ["2025/exams.toml"]\n' + pack_text()
    with pytest.raises(RulePackInvalid) as caught:
        parse_rule_pack(content, name="small/2025.toml", beside={"2025/exams.toml": included})
    (finding,) = caught.value.findings
    assert (finding.where, finding.place) == ("small/2025/exams.toml:5", "exam[1].parts[1].credits")


@given(packs())
def test_it_does_not_matter_which_file_a_table_is_in(tree: Tree) -> None:
    own = {key: value for key, value in tree.items() if key not in ("rule", "exam")}
    included = toml_of({key: tree[key] for key in ("rule", "exam")})
    apart = parse_rule_pack(b'include = ["x"]\n' + toml_of(own), beside={"x": included})
    assert apart.canonical == parse_rule_pack(toml_of(tree)).canonical


@pytest.mark.parametrize(
    ("included", "reason"),
    [
        (b'id = "other"\n', "include-not-tables"),
        (b"[rule]\n", "include-not-tables"),
        (b"rule = [1]\n", "include-not-tables"),
        (b"[[step]]\n", "include-not-tables"),
        (b"x", "not-toml"),
        (b"#" * SIZE_MAX_BYTES, "pack-too-large"),
        (None, "include-missing"),
    ],
)
def test_a_file_that_cannot_be_included_is_named(included: bytes | None, reason: str) -> None:
    beside = {} if included is None else {"x": included}
    with pytest.raises(RulePackUnreadable) as caught:
        parse_rule_pack(b'include = ["x"]\n' + pack_text(), beside=beside)
    assert caught.value.reason == reason
