"""Rule packs as hypothesis draws them: trees of plain values, written out as TOML in one of many ways.

The shipped packs are drawn too, with one place in them changed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path as FilePath
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st

from creditbank.conversion.pack import PackFinding
from creditbank.documents.rule_pack import RulePackDocument, RulePackInvalid, parse_rule_pack
from creditbank.documents.rule_pack_csv import RulePackUnreadable
from creditbank.rulepacks.library import SHIPPED, read_document
from tests.strategies.choosing import either

Tree = dict[str, Any]
Path = tuple[str | int, ...]

LEVELS = ("初级", "中级", "高级")
COURSES = ("0101", "W02", "W03", "W04")
PARTS = ("theory", "practice")
CODES = ("X-WEB", "X-NET", "学前教育")

names = st.text("课程学分abc 。\"'\\\t\n{}[]#=,", min_size=1, max_size=12)
credits_in_halves = st.integers(1, 40).map(lambda halves: Decimal(halves) / 2)
days = st.dates(date(2015, 1, 1), date(2030, 12, 31))


def written_as(value: Decimal) -> int | Decimal:
    """Return a whole number as TOML's integer."""
    return int(value) if value == value.to_integral_value() else value


_ASKED: Mapping[str, st.SearchStrategy[Any]] = {
    "codes": st.lists(st.sampled_from(CODES), min_size=1, max_size=3, unique=True),
    "min_level": st.sampled_from(LEVELS) | st.just({"framework": "1+X", "level": "高级"}),
    "min_score": st.integers(0, 100),
    "max_age": st.integers(1, 9).map("{}y".format),
    "issuers": st.builds(lambda: ["91540300MA6T1ABC1X"]),
    "attributes": st.builds(lambda: [{"name": "mode", "one_of": ["online", "campus"]}]),
}
"""What a premise may ask."""


@cache
@st.composite
def premises(draw: st.DrawFn, *, uses: tuple[str, ...] = ("consume", "hold")) -> Tree:
    premise: Tree = {"kind": "skill-certificate", "use": draw(either(*uses))}
    for key, values in _ASKED.items():
        if draw(st.booleans()):
            premise[key] = draw(values)
    return premise


_said = st.one_of(names, st.fixed_dictionaries({"zh": names, "en": names}))
_held = st.lists(premises(uses=("hold",)), min_size=1, max_size=2)
_premises = st.lists(premises(), min_size=1, max_size=2)
_parts = st.lists(st.sampled_from(PARTS), min_size=1, unique=True)
_courses = st.lists(st.sampled_from(COURSES), min_size=1, unique=True)
_grades = st.sampled_from(["85", {"kind": "pass"}, {"kind": "capped", "ceiling": 80}, {"table": "five"}])
_hours: st.SearchStrategy[Tree] = st.sampled_from(
    [{}, {"hours": 0}, {"hours": Decimal("64.5"), "practice_hours": 32}]
)
_moments = st.datetimes(datetime(2015, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@cache
@st.composite
def rules(draw: st.DrawFn, number: int) -> Tree:
    rule: Tree = {
        "id": f"rule-{number}",
        "version": draw(st.integers(1, 9)),
        "cite": ["source"],
        "say": draw(_said),
    }
    if draw(st.booleans()):
        rule["premise"] = draw(_held)
        rule["waive"] = {"parts": draw(_parts)}
        return rule
    rule["premise"] = draw(_premises)
    grant: Tree = {"mode": draw(either("each", "choose", "bundle"))}
    grant["courses"] = draw(_courses)
    if grant["mode"] == "choose":
        grant["max_credits"] = written_as(draw(credits_in_halves))
    if draw(st.booleans()):
        grant["grade"] = draw(_grades)
    rule["grant"] = grant
    if draw(st.booleans()):
        rule["scope"] = {"programmes": ["web"], "facts": [{"fact": "category", "one_of": ["veteran"]}]}
    return rule


@cache
@st.composite
def outcomes(draw: st.DrawFn, number: int) -> Tree:
    return {
        "id": f"c{number}",
        "kind": "skill-certificate",
        "code": draw(either(*CODES)),
        "level": draw(either(*LEVELS)),
        "awarded_on": draw(days),
    }


completions: st.SearchStrategy[Tree] = st.sampled_from(
    [
        {},
        {"requirements": [{"credits": 30, "module": "m"}, {"measure": "years", "maximum": Decimal("2.5")}]},
        {
            "requirements": [
                {"measure": "hours", "minimum": 64, "title": {"zh": "学时"}, "cite": ["source"]},
                {"measure": "practice-share", "minimum": Decimal("0.5")},
                {"credits": 3, "kinds": ["training"], "issuers": ["school"]},
            ]
        },
    ]
)


@cache
@st.composite
def packs(draw: st.DrawFn) -> Tree:
    """Draw a pack that can be read; whether its examples come out right is not drawn."""
    count = draw(st.integers(1, 3))
    courses = [
        {"id": course, "title": draw(names), "credits": written_as(draw(credits_in_halves)), "module": "m"}
        | draw(_hours)
        for course in COURSES
    ]
    example: Tree = {
        "name": draw(names),
        "as_of": draw(days),
        "programme": "web",
        "outcomes": [draw(outcomes(number)) for number in range(draw(st.integers(0, 2)))],
    }
    return {
        "id": "drawn",
        "authority": "drawn",
        "title": draw(names),
        "about": {"zh": draw(names)},
        "official": draw(st.booleans()),
        "published_at": draw(_moments),
        "effective_from": draw(days),
        "date_basis": draw(either("application", "enrolment", "award")),
        "step": Decimal("0.5"),
        "citation": [{"id": "source", "title": draw(names)}],
        "scale": [{"framework": "1+X", "levels": list(LEVELS)}],
        "attribute": [
            {"name": "attendance", "title": draw(names)},
            {
                "name": "accredited",
                "title": {"zh": "认可"},
                "values": [{"value": "yes", "title": draw(names)}],
            },
        ][: draw(st.integers(0, 2))],
        "mark_table": [
            {"id": "five", "title": draw(names), "bands": [{"from": Decimal("60.5"), "mark": draw(names)}]}
        ],
        "programme": [
            {"id": "web", "title": draw(names), "credits": 60, "courses": courses, **draw(completions)}
        ],
        "exam": [{"id": "exam", "title": "考试", "parts": [{"id": part, "title": part} for part in PARTS]}],
        "rule": [draw(rules(number)) for number in range(count)],
        "example": [example],
    }


def toml_of(tree: Tree, *, tables: bool = True) -> bytes:
    """Write a pack's tree as TOML: with headers for its tables, or all of it inline."""
    lines = []
    for key, value in tree.items():
        if not (tables and _is_tables(value)):
            lines.append(f"{_key(key)} = {_value(value)}")
    if tables:
        for key, value in tree.items():
            for table in value if _is_tables(value) else ():
                lines.append(f"[[{_key(key)}]]")
                lines.extend(f"{_key(name)} = {_value(member)}" for name, member in table.items())
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _key(key: str) -> str:
    plain = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if plain else _text(key)


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _text(value)
        case list() | tuple():
            return f"[{', '.join(map(_value, value))}]"
        case dict():
            return "{" + ", ".join(f"{_key(name)} = {_value(member)}" for name, member in value.items()) + "}"
        case date():
            return value.isoformat()
        case _:
            return str(value)


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}" for c in escaped) + '"'


def shuffled(data: st.DataObject, value: object) -> object:
    """Return the tree with the keys of every table in a drawn order."""
    match value:
        case dict():
            order = data.draw(st.permutations(list(value)))
            return {key: shuffled(data, value[key]) for key in order}
        case list():
            return [shuffled(data, item) for item in value]
        case _:
            return value


def members_of(value: object, path: Path = ()) -> Iterator[tuple[Path, object]]:
    """Yield every value in a tree with its path, the whole tree first."""
    yield path, value
    match value:
        case dict():
            for key, member in value.items():
                yield from members_of(member, (*path, key))
        case list() | tuple():
            for index, item in enumerate(value):
                yield from members_of(item, (*path, index))
        case _:
            pass


def replaced(value: Any, path: Path, new: object) -> Any:  # noqa: ANN401 (a tree of plain values)
    """Return the tree with `new` at `path`."""
    if not path:
        return new
    first, rest = path[0], path[1:]
    if isinstance(value, dict):
        return {**value, first: replaced(value.get(first), rest, new)}
    assert isinstance(first, int), f"no list is indexed by {first}"
    return [*value[:first], replaced(value[first], rest, new), *value[first + 1 :]]


SHIPPED_FILES: tuple[FilePath, ...] = tuple(sorted(SHIPPED.glob("*/*.toml")))
"""The packs that come with the bank."""

shipped_files = st.sampled_from(SHIPPED_FILES)
fewer = settings(max_examples=settings().max_examples // 3)  # a shipped pack takes its time to read


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


def refused(text: str) -> Sequence[PackFinding]:
    """Return what a pack is refused for; nothing of one that is read."""
    try:
        parse_rule_pack(text.encode())
    except RulePackInvalid as error:
        return error.findings
    return ()
