"""What a pack asks for in words that no record uses is named, and nothing else is."""

from dataclasses import fields
from datetime import date
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.conversion.holding import Holding
from creditbank.documents.rule_pack import parse_rule_pack
from creditbank.documents.rule_pack_models import PremiseText
from creditbank.outcomes.outcome import OutcomeInvalid, OutcomeKind, require_attributes
from creditbank.rulepacks.library import findings_of
from creditbank.samples.starters import STARTERS, Starter, starter_pack
from creditbank.vocabularies.library import Vocabularies
from tests.strategies.small_packs import PROGRAMME, RULE, SOUND, head

LISTS = Vocabularies.load().vocabularies
CODES = {name: [term.code for term in listed.terms] for name, listed in LISTS.items()}
ATTRIBUTES = {
    "mode": "course-mode",
    "organiser_level": "organiser-level",
    "rank": "award-rank",
    "study_form": "study-form",
}
FACTS = {"category": "person-category", "study_form": "study-form"}
words = st.sampled_from(
    ["provincial", "farmer", "本科", "a", *sorted({code for one in CODES.values() for code in one})]
)
some = st.lists(words, min_size=1, max_size=4, unique=True)


def found_in(text: str) -> list[tuple[str, object]]:
    found = findings_of(parse_rule_pack(text.encode()), LISTS)
    assert all(one.severity == "warning" and one.line for one in found)
    return [
        (one.code, one.values.get("unlisted", one.values.get("levels")))
        for one in found
        if "listed" in one.code
    ]


def listed(values: list[str]) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def without_codes(unlisted: object) -> set[str]:
    assert isinstance(unlisted, list)
    return {value.partition(" → ")[0] for value in unlisted}


def strange(code: str, values: list[str], vocabulary: str) -> list[tuple[str, set[str]]]:
    left = set(values) - set(CODES[vocabulary])
    return [(code, left)] if left else []


def said(text: str) -> list[tuple[str, set[str]]]:
    return [(code, without_codes(unlisted)) for code, unlisted in found_in(text)]


@given(st.sampled_from(sorted(ATTRIBUTES)), some)
def test_a_value_of_an_attribute_that_no_record_states_is_named(name: str, values: list[str]) -> None:
    test = f'attributes = [{{ name = "{name}", one_of = {listed(values)} }}]\nuse ='
    assert said(head() + PROGRAMME + RULE.replace("use =", test)) == strange(
        "value-unlisted", values, ATTRIBUTES[name]
    )


@given(st.sampled_from(sorted(FACTS)), some)
def test_a_fact_that_is_in_no_list_is_named(fact: str, values: list[str]) -> None:
    scope = f'[rule.scope]\nfacts = [{{ fact = "{fact}", one_of = {listed(values)} }}]\n'
    assert said(head() + PROGRAMME + RULE + scope) == strange("fact-unlisted", values, FACTS[fact])


@given(some)
def test_a_category_of_an_exception_is_named(values: list[str]) -> None:
    text = SOUND.replace("exemptible = false", f"exemptible = false, exempt_for = {listed(values)}")
    assert said(text) == strange("fact-unlisted", values, "person-category")


@given(some)
def test_a_form_of_experience_that_no_record_has_is_named(values: list[str]) -> None:
    rule = RULE.replace('kind = "skill-certificate"', 'kind = "experience"').replace(
        'min_level = "中级"\n', ""
    )
    text = head() + PROGRAMME + rule.replace('codes = ["X"]', f"codes = {listed(values)}")
    assert said(text) == strange("value-unlisted", values, "experience-form")


@given(some, st.sampled_from([("GB/T 4658", "education-level"), ("8-level", "skill-level"), ("free", None)]))
def test_a_level_of_a_listed_framework_that_no_record_has_is_named(
    levels: list[str], scale: tuple[str, str | None]
) -> None:
    framework, vocabulary = scale
    text = SOUND + f'[[scale]]\nframework = "{framework}"\nlevels = {listed(levels)}\n'
    if {*levels} & {"初级", "中级", "高级"}:
        return  # two scales have it, and it must name its framework
    assert said(text) == ([] if vocabulary is None else strange("scale-levels-unlisted", levels, vocabulary))


def test_a_scale_of_its_own_ranks_an_attribute_by_the_words_of_its_list() -> None:
    scale = '[[scale]]\nframework = "mine"\nlevels = ["school", "provincial"]\n'
    test = 'attributes = [{ name = "organiser_level", at_least = "school" }]\nuse ='
    assert said(head() + scale + PROGRAMME + RULE) == []
    assert said(head() + scale + PROGRAMME + RULE.replace("use =", test)) == [
        ("scale-levels-unlisted", {"provincial"})
    ]


def test_a_level_of_a_framework_that_no_record_has_is_named() -> None:
    """Seen in packs written after the documentation: they met their examples and no record ever."""
    text = SOUND.replace('framework = "1+X"', 'framework = "edu"')
    (found,) = findings_of(parse_rule_pack(text.encode()), LISTS)
    assert (found.code, found.values["frameworks"]) == ("framework-unlisted", ["edu"])
    assert found.values["known"] == ["1+X", "8-level", "GB/T 4658"]
    assert findings_of(parse_rule_pack(text.encode())) == ()


def test_the_code_of_a_term_is_told_to_who_writes_its_name() -> None:
    scale = '[[scale]]\nframework = "GB/T 4658"\nlevels = ["专科", "21"]\n'
    assert found_in(SOUND + scale) == [("scale-levels-unlisted", ["专科 → 31"])]


STATED = {
    "level": {"diploma", "skill-certificate"},
    "score": {"skill-certificate", "course-credit"},
    "grade": {"course-credit"},
    "hours": {"course-credit", "training", "experience"},
    "credits": {"course-credit"},
}
ASKED = {
    "level": 'min_level = "中级"',
    "score": "min_score = 60",
    "grade": 'min_grade = "中级"',
    "hours": "min_hours = 40",
    "credits": "min_credits = 2",
}


@pytest.mark.parametrize("kind", get_args(OutcomeKind))
@pytest.mark.parametrize("member", sorted(ASKED))
def test_what_no_outcome_of_the_kind_states_is_named(kind: str, member: str) -> None:
    asked = RULE.replace("skill-certificate", kind).replace('min_level = "中级"', ASKED[member])
    found = findings_of(parse_rule_pack((head() + PROGRAMME + asked).encode()), LISTS)
    named = [(one.values["member"], one.place) for one in found if one.code == "member-never-stated"]
    place = f"rule[1].premise[1].min_{member}"
    assert named == ([] if kind in STATED[member] else [(member, place)])


@pytest.mark.parametrize(
    ("kind", "row", "place"),
    [
        ("training", "hours_per_credit = 16", None),
        ("course-credit", "hours_by_issuer = true", None),
        ("training", "of_stated = 1", "recognition[1].rows[1].of_stated"),
        ("award", "hours_per_credit = 16", "recognition[1].rows[1].hours_per_credit"),
        ("training", "hours_by_issuer = true", "recognition[1].rows[1].hours_by_issuer"),
    ],
)
def test_a_worth_of_what_no_outcome_of_the_kind_states_is_named(
    kind: str, row: str, place: str | None
) -> None:
    table = f'[[recognition]]\nid = "t"\ntitle = "t"\nrows = [{{ kind = "{kind}", {row} }}]\n'
    found = findings_of(parse_rule_pack((head() + PROGRAMME + RULE + table).encode()), LISTS)
    named = [one.place for one in found if one.code == "member-never-stated"]
    assert named == ([] if place is None else [place])


@given(st.text("Az_ 0é-", max_size=5) | st.sampled_from(["overlap", "rank", "a" * 40, "a" * 41, "Overlap %"]))
def test_an_attribute_that_no_outcome_can_have_is_named(name: str) -> None:
    """Seen to fail: any name was taken, and the rule applied to its own examples and to no record."""
    try:
        require_attributes(((name, "x"),))
        stated = True
    except OutcomeInvalid as error:
        stated = error.reason == "attribute-reserved"
    if not name:
        return
    for asked in (
        RULE.replace("use =", f'attributes = [{{ name = "{name}", one_of = ["x"] }}]\nuse ='),
        RULE + f'pairing = {{ names_course = "{name}" }}\n',
        RULE + f'[[recognition]]\nid = "t"\ntitle = "t"\nrows = [{{ kind = "award", per_credit = 1, '
        f'of_attribute = "{name}" }}]\n',
    ):
        found = findings_of(parse_rule_pack((head() + PROGRAMME + asked).encode()), LISTS)
        named = [one.values["attribute"] for one in found if one.code == "attribute-malformed"]
        assert named == ([] if stated else [name])


@pytest.mark.parametrize(
    ("tested", "key"),
    [
        ("score", "min_score"),
        ("grade", "min_grade"),
        ("level", "min_level"),
        ("hours", "min_hours"),
        ("credits", "min_credits"),
        ("issuer", "issuers"),
        ("code", "codes"),
        ("kind", "kind"),
        ("awarded_on", "max_age"),
    ],
)
def test_a_member_that_is_tested_as_an_attribute_is_named_with_its_own_key(tested: str, key: str) -> None:
    """Seen to fail: the test met nobody, and nothing said why."""
    assert tested in {member.name for member in fields(Holding)}
    assert key in PremiseText.model_fields
    asked = RULE.replace("use =", f'attributes = [{{ name = "{tested}", one_of = ["x"] }}]\nuse =')
    found = findings_of(parse_rule_pack((head() + PROGRAMME + asked).encode()), LISTS)
    (named,) = [one for one in found if one.code == "attribute-own-member"]
    assert named.place == "rule[1].premise[1].attributes[1].name"
    assert str(named.values["key"]).split(", ")[0] == key


def test_what_is_drawn_on_states_credits_or_has_a_worth() -> None:
    drawn = RULE.replace('use = "consume"', 'use = "draw"')
    found = findings_of(parse_rule_pack((head() + PROGRAMME + drawn).encode()), LISTS)
    named = [one.place for one in found if one.code == "member-never-stated"]
    assert named == ["rule[1].premise[1].use"]


@pytest.mark.parametrize("starter", STARTERS)
def test_a_pack_to_start_from_asks_for_what_records_state(starter: Starter) -> None:
    text = starter_pack(starter, name="a", effective_from=date(2026, 9, 1))
    assert findings_of(parse_rule_pack(text.encode()), LISTS) == ()
