"""Whatever a rule pack says, it is read and decided by, or refused with the place, the fault and the mend.

Never a traceback, never a hang. Seen to fail: a bucket of 999,999,999 credits in steps of 0.000001, which the
search took for a number to count up to.
"""

import time
from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

from hypothesis import example, given, settings
from hypothesis import strategies as st

from creditbank.conversion.pack import PackFinding
from creditbank.documents.rule_pack import RulePackInvalid, parse_rule_pack
from creditbank.documents.rule_pack_csv import RulePackUnreadable
from creditbank.locale.catalogue import catalogue
from creditbank.locale.pack_wording import finding_line
from creditbank.rulepacks.library import findings_of
from creditbank.settings import Language
from tests.strategies.rule_pack import (
    SHIPPED_FILES,
    Path,
    Tree,
    members_of,
    packs,
    replaced,
    toml_of,
    tree_of,
)
from tests.strategies.small_packs import PROGRAMME, RULE, head

SECONDS_MAX = 10.0
"""Of the processor, for a pack of a few rules: what takes longer is called a hang."""
LANGUAGES: tuple[Language, ...] = ("zh-CN", "en")
Changed: TypeAlias = Any
"""A tree of plain values, or of what a change has made of one."""


def faults_of(content: bytes) -> tuple[PackFinding, ...] | RulePackUnreadable:
    """Read a pack, run its examples and lint it; return what was found, located and said in words."""
    started = time.process_time()
    found: tuple[PackFinding, ...] | RulePackUnreadable
    try:
        found = findings_of(parse_rule_pack(content))
    except RulePackInvalid as error:
        found = error.findings
        assert found
    except RulePackUnreadable as error:
        found = error
    assert time.process_time() - started < SECONDS_MAX
    for language in LANGUAGES:
        words = catalogue(language)
        if isinstance(found, RulePackUnreadable):
            problem = words.problem(found)
            assert problem.title
            assert problem.detail
            assert "pack.toml" in problem.detail
            continue
        for finding in found:
            assert finding.file == "pack.toml"
            assert finding.line is not None
            assert finding.where == f"pack.toml:{finding.line}"
            assert finding.where in finding_line(words, finding)
    return found


KEYS = (
    "id", "version", "supersedes", "title", "credits", "capacity", "step", "share", "maximum", "measure",
    "periods", "month", "premise", "codes", "min_level", "max_age", "use", "worth", "grant", "waive", "parts",
    "mode", "courses", "buckets", "max_credits", "pairing", "scope", "facts", "one_of", "within", "rows",
    "families", "example", "outcomes", "near", "as_of", "awarded_on", "exam", "rule", "effective_to",
    "requirements", "minimum", "hours", "practice_hours",
)  # fmt: skip
numbers = st.one_of(
    st.sampled_from(
        [
            -1,
            0,
            10**9 - 1,
            10**9,
            10**400,
            Decimal("0.000001"),
            Decimal("1E+8"),
            Decimal("inf"),
            Decimal("nan"),
        ]
    ),
    st.integers(-5, 5),
)
texts = st.one_of(
    st.sampled_from(
        ["", "x" * 100_000, "课" * 3_000, "\x00", "{where}", "{0}", "%s", "0101", "X", "web", "7y", "1+X"]
    ),
    st.text(max_size=6),
)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts | st.dates(date(1, 1, 1), date(9999, 12, 31)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


def within(value: Any, path: Path) -> Any:  # noqa: ANN401 (a tree of plain values)
    for step in path:
        value = value[step]
    return value


def without(tree: Changed, path: Path) -> Changed:
    """Return the tree without what is at `path`."""
    holder = deepcopy(within(tree, path[:-1]))
    del holder[path[-1]]
    return replaced(tree, path[:-1], holder)


@st.composite
def changes(draw: st.DrawFn, tree: Changed) -> Changed:
    """One thing deleted, put in twice, put somewhere else, renamed or replaced."""
    places = [path for path, _ in members_of(tree) if path]
    path = draw(st.sampled_from(places))
    there = within(tree, path)
    match draw(st.sampled_from(("delete", "double", "move", "rename", "replace", "number", "deepen"))):
        case "delete":
            return without(tree, path)
        case "double" if isinstance(there, list) and there:
            return replaced(tree, path, [*there, deepcopy(draw(st.sampled_from(there)))])
        case "move":
            return replaced(tree, path, deepcopy(within(tree, draw(st.sampled_from(places)))))
        case "rename" if isinstance(path[-1], str):
            return replaced(without(tree, path), (*path[:-1], draw(st.sampled_from(KEYS))), there)
        case "number":
            return replaced(tree, path, draw(numbers))
        case "deepen":
            deep: object = there
            for _ in range(draw(st.sampled_from((1, 3, 60)))):
                deep = [deep] if draw(st.booleans()) else {"id": deep}
            return replaced(tree, path, deep)
        case _:
            return replaced(tree, path, draw(values))


@st.composite
def changed(draw: st.DrawFn, trees: st.SearchStrategy[Tree]) -> bytes:
    """A pack with a few things changed, most often one."""
    tree = draw(trees)
    for _ in range(draw(st.sampled_from((1, 1, 2, 4)))):
        if not tree:
            break
        tree = draw(changes(tree))
    return toml_of(tree, tables=draw(st.booleans()))


TABLES: Tree = {
    "recognition": [
        {"id": "one", "title": "一", "cite": ["a"], "rows": [{"kind": "skill-certificate", "credits": 2}]},
        {"id": "two", "title": "二", "cite": ["a"], "rows": [{"kind": "skill-certificate", "credits": 3}]},
    ]
}
small = packs().map(lambda tree: {**tree, **deepcopy(TABLES)})


@settings(max_examples=250)
@given(changed(small))
def test_a_changed_pack_is_read_or_refused_in_words(content: bytes) -> None:
    faults_of(content)


@settings(max_examples=25)
@given(changed(st.sampled_from(SHIPPED_FILES[:6]).map(tree_of)))
def test_a_changed_shipped_pack_is_read_or_refused_in_words(content: bytes) -> None:
    faults_of(content)


@settings(max_examples=150)
@given(st.dictionaries(st.sampled_from((*KEYS, "citation", "scale", "programme", "recognition")), values))
def test_a_random_pack_is_refused_in_words(tree: Tree) -> None:
    assert faults_of(toml_of(tree))


@given(leads=st.lists(st.integers(0, 4), min_size=1, max_size=5), is_rule=st.booleans())
@example(leads=[0], is_rule=False)
@example(leads=[1, 0], is_rule=True)
def test_what_leads_back_to_itself_is_named_or_harmless(leads: list[int], *, is_rule: bool) -> None:
    """Tables within each other, and versions that take each other's place, as any numbers have it."""
    text = head() + PROGRAMME
    for number, other in enumerate(leads):
        if is_rule:
            named = RULE.replace(
                'id = "r"\nversion = 1', f'id = "r{number}"\nversion = {number + 1}\nsupersedes = {other}'
            )
            text += named
        else:
            text += f'[[recognition]]\nid = "t{number}"\ntitle = "t"\ncite = ["a"]\nwithin = "t{other}"\n'
            text += 'rows = [{ kind = "skill-certificate", credits = 1 }]\n'
    found = faults_of((text if is_rule else text + RULE).encode())
    assert not isinstance(found, RulePackUnreadable)
    codes = {finding.code for finding in found if finding.severity == "error"}
    if is_rule:
        return
    goes_round = {number for number in range(len(leads)) if number in set(followed(leads, number))}
    assert ("recognition-within-itself" in codes) == bool(goes_round)
    assert ("recognition-unknown" in codes) == any(other >= len(leads) for other in leads)


def followed(leads: list[int], number: int) -> Iterator[int]:
    """Yield what a number leads to, no further than all of them."""
    for _ in leads:
        if number >= len(leads):
            return
        number = leads[number]
        yield number


HUGE = PROGRAMME + 'buckets = [{ id = "free", title = "f", capacity = 999999999 }]\n'


def test_numbers_too_large_to_count_up_to_are_refused() -> None:
    text = head().replace("step = 0.5", "step = 0.000001") + HUGE + RULE
    found = faults_of(text.encode())
    assert not isinstance(found, RulePackUnreadable)
    assert [(finding.code, finding.place) for finding in found] == [
        ("value-out-of-range", "step"),
        ("value-out-of-range", "programme[1].buckets[1].capacity"),
    ]
