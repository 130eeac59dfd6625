"""What is wrong with a pack is said where it is, by the names that its author gave, with what to write."""

import re
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from creditbank.documents.rule_pack import parse_rule_pack
from creditbank.documents.rule_pack_csv import RulePackUnreadable
from creditbank.locale.catalogue import LANGUAGES, catalogue
from creditbank.locale.pack_wording import finding_line
from tests.strategies.rule_pack import refusal, refused
from tests.strategies.small_packs import SOUND

bounds = st.none() | st.integers(0, 4)


@given(bounds, bounds, bounds)
def test_bounds_of_an_attribute_between_which_no_number_is_are_refused_at_their_line(
    least: int | None, over: int | None, most: int | None
) -> None:
    """Seen to fail: `no_less_than = 80, at_most = 70` was read, and met by nobody."""
    asked = {"no_less_than": least, "more_than": over, "at_most": most}
    told = ", ".join(f"{key} = {value}" for key, value in asked.items() if value is not None)
    tested = f'  {{ name = "overlap", {told} }},'
    text = SOUND.replace(
        "use =", f'attributes = [\n  {{ name = "mode", one_of = ["x"] }},\n{tested}\n]\nuse ='
    )
    if not told:
        return
    quarters = [Decimal(number) / 4 for number in range(30)]
    some = any(
        (least is None or number >= least)
        and (over is None or number > over)
        and (most is None or number <= most)
        for number in quarters
    )
    found = [(one.code, one.called, one.line) for one in refused(text)]
    line = text.splitlines().index(tested) + 1
    place = "rule[1 r].premise[1].attributes[2].at_most"
    assert found == ([] if some else [("bounds-exclude", place, line)])


@pytest.mark.parametrize(
    ("right", "wrong", "code", "called"),
    [
        ("use =", 'min_age = "5y"\nmax_age = "2y"\nuse =', "bounds-exclude", "rule[1 r].premise[1].max_age"),
        (
            "use =",
            "awarded_since = 2024-01-01\nawarded_before = 2023-01-01\nuse =",
            "bounds-exclude",
            "rule[1 r].premise[1].awarded_before",
        ),
        ("use =", 'max_age = "100y"\nuse =', "span-out-of-range", "rule[1 r].premise[1].max_age"),
        (
            "use =",
            'attributes = [{ name = "overlap" }]\nuse =',
            "test-asks-nothing",
            "rule[1 r].premise[1].attributes[1]",
        ),
        ("max_credits = 4\n", "\n", "grant-limits", "rule[1 r].grant"),
        (
            "max_credits = 4",
            'max_credits = 4\ngrade = { kind = "capped" }',
            "grade-ceiling",
            "rule[1 r].grant.grade.ceiling",
        ),
        ("max_credits = 4", "max_credits = 4\npairing = {}", "pairing-empty", "rule[1 r].grant.pairing"),
        (
            'say = "规则"',
            'say = "规则"\nscope = { facts = [{ fact = "cohort", at_least = 3, at_most = 2 }] }',
            "fact-range",
            "rule[1 r].scope.facts[1]",
        ),
        ("step = 0.5", "effective_to = 2024-01-01\nstep = 0.5", "pack-dates", "effective_to"),
        ('levels = ["初级", "中级", "高级"]', "levels = []", "list-empty", "scale[1].levels"),
        ('title = "网页"', 'title = ""', "value-empty", "programme[1 web].title"),
        ('id = "0101"', 'id = "a b"', "value-pattern", "programme[1 web].courses[1].id"),
        ("[[rule.premise]]", "[rule.premise]", "value-one-table", "rule[1 r].premise"),
    ],
)
def test_a_refusal_names_the_rule_the_premise_and_the_key(
    right: str, wrong: str, code: str, called: str
) -> None:
    """Seen to fail: `rule[1] is 2y, and no outcome is within both`, of a pack of eighty rules."""
    text = SOUND.replace(right, wrong, 1)
    (found,) = refused(text)
    assert (found.code, found.called) == (code, called)
    for words in map(catalogue, LANGUAGES):
        said = finding_line(words, found)
        assert f"pack.toml:{found.line}" in said
        assert not re.search(r"Decimal|\^|inside", said)
        assert " or '" not in said
    assert found.line is not None
    if wrong.strip():
        head_line = 1 + text[: text.index(wrong.splitlines()[0])].count("\n")
        assert head_line <= found.line <= head_line + wrong.count("\n")


def test_one_table_for_a_list_is_told_the_header_to_write() -> None:
    (found,) = refused(SOUND.replace("[[rule.premise]]", "[rule.premise]"))
    assert "[[rule.premise]]" in finding_line(catalogue("en"), found)
    (found,) = refused(SOUND.replace("step = 0.5", "step = 0"))
    assert finding_line(catalogue("en"), found).endswith("(≥ 0.01).")
    (found,) = refused(SOUND.replace('use = "consume"', 'use = "spend"'))
    assert "consume, draw, hold" in finding_line(catalogue("en"), found)
    assert "consume、draw、hold" in finding_line(catalogue("zh-CN"), found)


@pytest.mark.parametrize(
    "again",
    [
        'say = "又"\n',
        "version = 2\n",
        "[rule.grant]\nmode = 'each'\n",
        "premise = { kind = 'award', kind = 'award' }\n",
    ],
)
def test_what_stands_twice_is_said_to(again: str) -> None:
    """Seen to fail: it was said to be no TOML, and its author to look for quotes."""
    text = SOUND.replace('say = "规则"\n', f'say = "规则"\n{again}')
    unreadable = refusal(text.encode())
    assert isinstance(unreadable, RulePackUnreadable)
    assert unreadable.reason == "toml-key-twice"
    line = int(str(unreadable.values["line"]))
    assert line >= text.splitlines().index(again.splitlines()[0]) + 1


@given(st.integers(1900, 2100), st.integers(0, 99), st.integers(0, 99), st.sampled_from(["", "T10:00:00Z"]))
@example(2025, 2, 30, "")
@example(2025, 13, 1, "")
def test_a_day_that_does_not_exist_is_named_with_its_line(year: int, month: int, day: int, at: str) -> None:
    """Seen to fail: it was said to be no TOML."""
    written = f"{year}-{month:02}-{day:02}"
    text = SOUND.replace("effective_from = 2025-01-01", f"effective_from = {written}{at}")
    unreadable = refusal(text.encode())
    try:
        date.fromisoformat(written)
        exists = True
    except ValueError:
        exists = False
    assert isinstance(unreadable, RulePackUnreadable) is not exists
    if isinstance(unreadable, RulePackUnreadable):
        line = text.splitlines().index(f"effective_from = {written}{at}") + 1
        assert (unreadable.reason, unreadable.values["line"]) == ("toml-no-such-day", line)
        assert unreadable.values["value"] == written


def test_a_pack_may_begin_with_a_byte_order_mark_and_is_the_same() -> None:
    """Seen to fail: line 1 was said to be no TOML, and nothing is to be seen there."""
    plain, marked = (parse_rule_pack(mark + SOUND.encode()) for mark in (b"", b"\xef\xbb\xbf"))
    assert marked.pack.digest == plain.pack.digest
    last = plain.source.place_of(("example", 1))
    assert marked.source.place_of(("example", 1)) == last
