"""Marks by a table: which band a score reaches, whose score it is, and what of a pack says so."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.conversion.holding import Holding
from creditbank.conversion.marking import GradeMark, MarkBand, MarkTable
from creditbank.conversion.premise import RuleInvalid
from creditbank.conversion.rule import ExemptionGrant, GradePolicy, Rule
from creditbank.documents.rule_pack import RulePackInvalid, parse_rule_pack, parse_rule_pack_json
from creditbank.locale.catalogue import catalogue
from creditbank.locale.mark_wording import mark_table_line
from creditbank.rulepacks.library import findings_of
from creditbank.terms import IssuerId, Microseconds, OutcomeId
from tests.strategies.conversion import Question, decide, granted_questions, words
from tests.strategies.small_packs import PROGRAMME, RULE, SOUND, head

scores = st.integers(0, 100).map(Decimal) | st.integers(0, 1000).map(lambda tenths: Decimal(tenths) / 10)
grades = st.sampled_from("ABCDF")


def held(number: int, score: Decimal | None, grade: str | None = None) -> Holding:
    return Holding(
        id=OutcomeId(f"{number:06}"),
        kind="course-credit",
        code="C",
        issuer=IssuerId("school"),
        awarded_on=date(2025, 6, 1),
        recorded_at=Microseconds(0),
        score=score,
        grade=grade,
    )


def table_of(*bands: Decimal, listed: str = "") -> MarkTable:
    """A table whose marks are the bounds of its bands, and in which every grade listed is itself."""
    return MarkTable(
        id="t",
        title=words("表"),
        bands=tuple(MarkBand(least=least, mark=str(least)) for least in bands),
        grades=tuple(GradeMark(grade=grade, mark=f"={grade}") for grade in listed),
    )


bounds = st.lists(scores, min_size=1, max_size=5, unique=True)
evidence = st.lists(st.tuples(st.none() | scores, st.none() | grades), max_size=4).map(
    lambda stated: [held(number, *one) for number, one in enumerate(stated)]
)


@given(bounds, scores, scores)
def test_a_higher_score_never_gets_the_mark_of_a_lower_band(
    bands: list[Decimal], one: Decimal, other: Decimal
) -> None:
    table = table_of(*bands)
    lower, higher = (table.look_up([held(1, score)])[0] for score in sorted((one, other)))
    assert lower is None or (higher is not None and Decimal(lower) <= Decimal(higher))


@given(bounds, scores)
def test_a_score_gets_the_mark_of_the_highest_band_that_it_reaches(
    bands: list[Decimal], score: Decimal
) -> None:
    mark, marking = table_of(*bands).look_up([held(1, score)])
    reached = [least for least in bands if least <= score]
    assert mark == (str(max(reached)) if reached else None)
    assert (marking.by, marking.outcome, marking.stated) == ("score", held(1, None).id, marking.stated)
    assert marking.least == (max(reached) if reached else min(bands))
    assert marking.stated is not None
    assert Decimal(marking.stated) == score
    for least in bands:
        assert table_of(*bands).look_up([held(1, least)])[0] == str(least)


@given(bounds, st.sets(grades, max_size=3), evidence, st.data())
def test_the_order_of_the_rows_changes_no_mark(
    bands: list[Decimal], listed: set[str], seen: list[Holding], data: st.DataObject
) -> None:
    table = table_of(*bands, listed="".join(sorted(listed)))
    rows = data.draw(st.permutations(table.bands)), data.draw(st.permutations(table.grades))
    turned = replace(table, bands=tuple(rows[0]), grades=tuple(rows[1]))
    assert turned.look_up(seen) == table.look_up(seen)


@given(st.sampled_from(["both", "bands", "grades"]), evidence)
def test_the_first_outcome_that_states_one_is_looked_up(rows: str, seen: list[Holding]) -> None:
    """As `original` writes the first score, else the first grade: a table of each as itself says the same."""
    every = [one.score for one in seen if one.score is not None]
    bands = tuple(dict.fromkeys(every)) if rows != "grades" else ()
    listed = "ABCDF" if rows != "bands" or not bands else ""
    mark, marking = table_of(*bands, listed=listed).look_up(seen)
    scored = [one for one in seen if one.score is not None and bands]
    graded = [one for one in seen if one.grade is not None and listed]
    if scored:
        assert (mark, marking.outcome, marking.by) == (str(bands[0]), scored[0].id, "score")
    elif graded:
        assert (mark, marking.outcome, marking.by) == (f"={graded[0].grade}", graded[0].id, "grade")
    else:
        assert (mark, marking.outcome, marking.by, marking.stated) == (None, None, None, None)


def test_a_grade_that_is_not_listed_has_no_mark_and_no_other_is_asked() -> None:
    mark, marking = table_of(listed="A").look_up([held(1, None, "F"), held(2, Decimal(90), "A")])
    assert (mark, marking.by, marking.stated) == (None, "grade", "F")


def marked(question: Question) -> Question:
    """The same question, every rule of which writes its marks by a table."""
    table = table_of(Decimal(60), Decimal(90))
    packs = tuple(
        replace(pack, rules=tuple(map(_by_table, pack.rules)), mark_tables={table.id: table})
        for pack in question.packs
    )
    return replace(question, packs=packs)


def _by_table(rule: Rule) -> Rule:
    assert isinstance(rule.grant, ExemptionGrant)
    return replace(rule, grant=replace(rule.grant, grade=GradePolicy(kind="table", table="t")))


@given(granted_questions())
def test_a_mark_hangs_on_the_cited_outcomes_alone(question: Question) -> None:
    asked = marked(question)
    found = decide(asked).exemptions
    cited = {id_ for one in found for id_ in (*one.spent, *one.witnesses)}
    alone = decide(asked, holdings=tuple(one for one in asked.holdings if one.id in cited)).exemptions
    assert [(one.target, one.mark, one.marking) for one in alone] == [
        (one.target, one.mark, one.marking) for one in found
    ]
    for one in found:
        assert one.marking is not None
        assert one.marking.outcome in {None, *one.spent, *one.witnesses}


@pytest.mark.parametrize(
    ("bands", "listed", "reason"),
    [((80, 80), "", "mark-row-twice"), ((), "AA", "mark-row-twice"), ((), "", "mark-table-empty")],
)
def test_a_table_cannot_be_built_so_that_it_contradicts_itself(
    bands: tuple[int, ...], listed: str, reason: str
) -> None:
    with pytest.raises(RuleInvalid) as caught:
        table_of(*map(Decimal, bands), listed=listed)
    assert caught.value.reason == reason


# In packs.

TABLE = """[[mark_table]]
id = "five"
title = { zh = "五级制", en = "Five grades" }
bands = [{ from = 80, mark = "良" }, { from = 90, mark = "优" }, { from = 60.5, mark = 70 }]
grades = [{ grade = "C", mark = 2.3 }]
cite = ["a"]
"""
ANY_COURSE = RULE.replace("skill-certificate", "course-credit").replace('min_level = "中级"\n', "")
BY_TABLE = ANY_COURSE + 'grade = { table = "five" }\n'
MARKED = head() + PROGRAMME + TABLE + BY_TABLE


@pytest.mark.parametrize("grade", ['{ table = "five" }', '{ kind = "table", table = "five" }'])
@pytest.mark.parametrize(
    ("stated", "mark"),
    [
        ("score = 90", "优"),
        ("score = 89.9", "良"),
        ("score = 61", "70"),
        ("score = 60", None),
        ('grade = "C"', "2.3"),
        ('grade = "D"', None),
        ("", None),
    ],
)
def test_a_table_of_a_pack_gives_the_mark(grade: str, stated: str, mark: str | None) -> None:
    text = MARKED.replace('{ table = "five" }', grade)
    document = parse_rule_pack(text.encode())
    again = parse_rule_pack_json(document.canonical).pack
    assert again == document.pack
    (rule,), table = again.rules, again.mark_tables["five"]
    assert isinstance(rule.grant, ExemptionGrant)
    assert rule.grant.grade == GradePolicy(kind="table", table="five")
    said = dict(part.split(" = ") for part in [stated] if part)
    score, named = said.get("score"), said.get("grade")
    outcome = held(1, None if score is None else Decimal(score), None if named is None else named.strip('"'))
    assert table.look_up([outcome])[0] == mark


def test_a_table_is_shown_on_a_line_the_highest_band_first() -> None:
    table = parse_rule_pack(MARKED.encode()).pack.mark_tables["five"]
    shown = [mark_table_line(catalogue(language), table) for language in ("zh-CN", "en")]
    rows = "≥ 90 → 优 · ≥ 80 → 良 · ≥ 60.5 → 70 · C → 2.3"
    assert shown == [f"成绩换算表 five 五级制：{rows}", f"Mark table five Five grades: {rows}"]


@pytest.mark.parametrize(
    ("right", "wrong", "found"),
    [
        ("from = 90", "from = 80.0", [("mark_table[1].bands[2]", "mark-row-twice")]),
        (
            '[{ grade = "C", mark = 2.3 }]',
            '[{ grade = "C", mark = 2 }, { grade = "C", mark = 3 }]',
            [("mark_table[1].grades[2]", "mark-row-twice")],
        ),
        (
            TABLE[TABLE.index("bands") :],
            'cite = ["a"]\n',
            [("mark_table[1]", "mark-table-empty")],
        ),
        ("from = 90", "from = 10001", [("mark_table[1].bands[2].from", "value-out-of-range")]),
        ("from = 90", "at = 90", [("mark_table[1].bands[2].at", "key-unknown")]),
        ('{ table = "five" }', '{ table = "six" }', [("rule[1].grant.grade.table", "mark-table-unknown")]),
        ('{ table = "five" }', '{ kind = "table" }', [("rule[1].grant.grade.table", "grade-table")]),
        ('{ table = "five" }', '"table"', [("rule[1].grant.grade", "grade-table")]),
        (
            '{ table = "five" }',
            '{ kind = "original", table = "five" }',
            [("rule[1].grant.grade.table", "grade-table")],
        ),
        (
            TABLE,
            TABLE + TABLE,
            [("mark_table[2]", "pack-id-twice")],
        ),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(
    right: str, wrong: str, found: list[tuple[str, str]]
) -> None:
    text = MARKED.replace(right, wrong)
    assert text != MARKED
    with pytest.raises(RulePackInvalid) as caught:
        parse_rule_pack(text.encode())
    kept = [(one.place, one.code) for one in caught.value.findings if one.code != "key-missing"]
    assert kept == found
    assert all(one.line for one in caught.value.findings)


def test_the_rows_of_a_table_may_stand_in_any_order() -> None:
    bands = ['{ from = 80, mark = "良" }', '{ from = 90, mark = "优" }', "{ from = 60.5, mark = 70 }"]
    written = ", ".join(bands)
    packs = [
        parse_rule_pack(MARKED.replace(written, ", ".join(order)).encode()).pack
        for order in permutations(bands)
    ]
    marks = {
        tuple(pack.mark_tables["five"].look_up([held(1, Decimal(score))])[0] for score in (60, 70, 85, 95))
        for pack in packs
    }
    assert marks == {(None, "70", "良", "优")}


# What is most likely a mistake.


def warned(text: str) -> list[tuple[str, str]]:
    found = findings_of(parse_rule_pack(text.encode()))
    return [(one.code, one.place) for one in found if one.code.startswith("mark-")]


def test_a_table_that_no_rule_uses_is_warned_of() -> None:
    assert warned(MARKED) == []
    assert warned(SOUND + TABLE) == [("mark-table-unused", "mark_table[1]")]


ASKED = 'kind = "course-credit"\n'


@pytest.mark.parametrize(
    ("asked", "rows"),
    [
        ("min_score = 60.4", ["grades[1]"]),  # a score is sure to be stated
        ("min_score = 79", ["grades[1]"]),
        ("min_score = 80", ["bands[3]", "grades[1]"]),
        ("min_score = 95", ["bands[1]", "bands[3]", "grades[1]"]),
        ("min_credits = 2", []),
    ],
)
def test_a_row_that_no_rule_comes_to_is_warned_of(asked: str, rows: list[str]) -> None:
    text = MARKED.replace(ASKED, f"{ASKED}{asked}\n")
    assert warned(text) == [("mark-row-unreached", f"mark_table[1].{row}") for row in rows]
    other = BY_TABLE.replace('id = "r"', 'id = "s"')
    assert warned(text + other) == []  # a rule beside it comes to all of them


def test_what_is_held_is_looked_at_after_what_is_spent() -> None:
    """The score of what is spent counts, whatever is asked of what only holds."""
    holds = '[[rule.premise]]\nkind = "course-credit"\ncodes = ["H"]\nmin_score = 95\nuse = "hold"\n'
    text = MARKED.replace("[rule.grant]", f"{holds}[rule.grant]")
    assert [place for _, place in warned(text)] == ["mark_table[1].grades[1]"]
    spent = text.replace('use = "consume"', 'min_score = 90\nuse = "consume"')
    assert [place for _, place in warned(spent)] == [
        f"mark_table[1].{row}" for row in ("bands[1]", "bands[3]", "grades[1]")
    ]


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("diploma", [("mark-never-stated", "rule[1].grant.grade")]),
        ("training", [("mark-never-stated", "rule[1].grant.grade")]),
        ("skill-certificate", [("mark-row-unreached", "mark_table[1].grades[1]")]),
        ("course-credit", []),
    ],
)
def test_a_rule_whose_outcomes_state_no_mark_is_warned_of(kind: str, found: list[tuple[str, str]]) -> None:
    assert warned(MARKED.replace("course-credit", kind)) == found


# What an example expects.

EXAMPLE = """[[example]]
name = "记成绩"
as_of = 2025-06-01
outcomes = [{{ id = "k", kind = "course-credit", code = "X", awarded_on = 2025-01-01, {stated} }}]
marks = {{ "0101" = {mark} }}
"""


def expecting(stated: str, mark: str, rule: str = BY_TABLE) -> list[tuple[str, str, object, object]]:
    """Return what is wrong with an example that expects this mark."""
    text = head() + PROGRAMME + TABLE + rule + EXAMPLE.format(stated=stated, mark=mark)
    return [
        (one.code, one.place, one.values["expected"], one.values["got"])
        for one in findings_of(parse_rule_pack(text.encode()))
        if one.severity == "error"
    ]


EXPECTED = st.sampled_from(["优", "良", "70", ""])


@given(scores, EXPECTED)
def test_an_example_fails_where_the_mark_is_another(score: Decimal, expected: str) -> None:
    table = parse_rule_pack(MARKED.encode()).pack.mark_tables["five"]
    got = table.look_up([held(1, score)])[0] or ""
    found = expecting(f"score = {score}", f'"{expected}"')
    wrong = ("example-mark", "example[1].marks.0101", expected or "—", got or "—")
    assert found == ([] if got == expected else [wrong])


@pytest.mark.parametrize(
    ("grade", "mark"),
    [("85", "85"), ('"85"', '"85"'), ('"original"', "77.5"), ('"pass"', '""'), ('"exempt"', '""')],
)
def test_an_example_expects_the_mark_of_any_grade(grade: str, mark: str) -> None:
    assert expecting("score = 77.5", mark, ANY_COURSE + f"grade = {grade}\n") == []
    (wrong,) = expecting("score = 77.5", "60", ANY_COURSE + f"grade = {grade}\n")
    assert wrong == ("example-mark", "example[1].marks.0101", "60", mark.strip('"') or "—")


@pytest.mark.parametrize("mark", ["85", '""'])
def test_a_mark_is_expected_of_what_is_exempted(mark: str) -> None:
    rule = BY_TABLE.replace('codes = ["X"]', 'codes = ["Y"]')
    (wrong,) = expecting("score = 90", mark, rule)
    assert wrong == ("example-mark-unexempted", "example[1].marks.0101", mark.strip('"') or "—", "—")


@pytest.mark.parametrize(
    ("wrong", "code", "place"),
    [
        ('{ "0103" = 85 }', "course-unknown", "example[1].marks.0103"),
        ('{ "0101" = true }', "value-type", "example[1].marks.0101"),
        ("{ 'x y' = 85 }", "value-pattern", "example[1].marks.x y"),
        ("85", "value-type", "example[1].marks"),
    ],
)
def test_marks_are_of_courses_of_the_programme(wrong: str, code: str, place: str) -> None:
    example = EXAMPLE.format(stated="score = 90", mark="优").replace('{ "0101" = 优 }', wrong)
    with pytest.raises(RulePackInvalid) as caught:
        parse_rule_pack((MARKED + example).encode())
    (found,) = caught.value.findings
    assert (found.code, found.place) == (code, place)
    assert found.line


def test_a_pack_whose_examples_expect_no_marks_keeps_its_digest() -> None:
    document = parse_rule_pack((MARKED + EXAMPLE.format(stated="score = 90", mark='"优"')).encode())
    assert document.pack.examples[0].marks == (("0101", "优"),)
    assert parse_rule_pack_json(document.canonical).pack == document.pack
    assert b"marks" not in parse_rule_pack(SOUND.encode()).canonical
    assert b"mark_table" not in parse_rule_pack(SOUND.encode()).canonical
