"""Laws of names: one name stays one name however it is written, and two stay two."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.errors import InvalidInput
from creditbank.identity.names import NAME_MAX, NameInvalid, PersonNames, same_name
from creditbank.identity.person import Person, PersonInvalid, parse_phone
from tests.strategies.identity import (
    chinese_names,
    chinese_parts,
    person_names,
    persons,
    romanised_names,
    tibetan_names,
    tibetan_syllables,
)

separators = st.sampled_from(["·", "•", "・", "‧", "･", " ", "\u3000", "", " · ", "-", "．"])
any_name = chinese_names | tibetan_names | romanised_names


@given(st.lists(chinese_parts, min_size=1, max_size=4), separators, separators)
def test_what_stands_between_the_parts_does_not_make_another_name(
    parts: list[str], one: str, other: str
) -> None:
    assert same_name(one.join(parts), other.join(parts))


@given(
    st.lists(tibetan_syllables, min_size=1, max_size=4),
    st.sampled_from(["་", "༌", "་ ", " "]),
    st.sampled_from(["", "་", "།", "་།", " །", "༎"]),
)
def test_tsheg_and_shad_at_the_end_do_not_make_another_name(
    syllables: list[str], between: str, end: str
) -> None:
    assert same_name("་".join(syllables), between.join(syllables) + end)


@given(romanised_names)
def test_case_and_width_do_not_make_another_name(name: str) -> None:
    full_width = "".join(chr(ord(letter) + 0xFEE0) if letter != " " else "\u3000" for letter in name)
    assert same_name(name, name.upper())
    assert same_name(name, full_width.lower())


@given(any_name, any_name, any_name)
def test_being_one_name_is_an_equivalence(a: str, b: str, c: str) -> None:
    assert same_name(a, a)
    assert same_name(a, b) == same_name(b, a)
    if same_name(a, b) and same_name(b, c):
        assert same_name(a, c)


@given(st.lists(chinese_parts, min_size=2, max_size=4), chinese_parts)
def test_another_part_is_another_name(parts: list[str], part: str) -> None:
    other = [*parts[:-1], part]
    assert same_name("·".join(parts), "·".join(other)) == (part == parts[-1])
    assert not same_name("·".join(parts), "·".join(parts[:-1]))


@given(st.lists(tibetan_syllables, min_size=2, max_size=4))
def test_syllables_run_together_are_another_name(syllables: list[str]) -> None:
    assert not same_name("་".join(syllables), "".join(syllables))


@pytest.mark.parametrize("blank", ["", " ", "·", "་", "།"])
def test_nothing_is_no_name(blank: str) -> None:
    assert not same_name(blank, blank)


@given(person_names())
def test_a_person_answers_to_each_of_the_names_and_is_shown_as_given(names: PersonNames) -> None:
    given_names = [form for form in (names.chinese, names.tibetan, names.romanised) if form is not None]
    assert all(names.matches(form) for form in given_names)
    assert names.shown == given_names[0]


@given(person_names(), chinese_names)
def test_a_person_does_not_answer_to_another_name(names: PersonNames, other: str) -> None:
    known = names.chinese is not None and same_name(names.chinese, other)
    assert names.matches(other) == known


@given(st.text(max_size=NAME_MAX + 5), st.sampled_from(["chinese", "tibetan", "romanised"]))
def test_whatever_is_given_is_a_name_or_invalid_input(text: str, script: str) -> None:
    try:
        names = PersonNames(**{script: text})
    except InvalidInput:
        return
    assert names.shown == text
    assert names.matches(text)


@pytest.mark.parametrize(
    ("script", "text", "reason"),
    [
        ("chinese", "", "name-blank"),
        ("chinese", " 扎西", "name-blank"),
        ("chinese", "扎" * (NAME_MAX + 1), "name-too-long"),
        ("chinese", "扎\n西", "name-characters"),
        ("chinese", "扎\u202e西", "name-characters"),
        ("chinese", "Tashi", "name-script"),
        ("chinese", "བཀྲ་ཤིས", "name-script"),
        ("tibetan", "扎西", "name-script"),
        ("romanised", "扎西", "name-script"),
        ("romanised", "123", "name-script"),
    ],
)
def test_each_refusal_has_its_reason(script: str, text: str, reason: str) -> None:
    with pytest.raises(NameInvalid) as caught:
        PersonNames(**{script: text})
    assert caught.value.reason == reason
    assert caught.value.field == script
    assert not text.strip() or text not in str(caught.value)


def test_someone_without_any_name_is_refused() -> None:
    with pytest.raises(NameInvalid, match="name-missing"):
        PersonNames()


@given(persons())
def test_a_person_does_not_reach_a_log(person: Person) -> None:
    assert repr(person) == str(person) == "Person(…)"


@given(st.from_regex(r"\A\+?[0-9]{5,15}\Z"))
def test_a_phone_number_is_read_however_it_is_typed(phone: str) -> None:
    spaced = f" {phone[:3]} ({phone[3:5]}) {phone[5:]}-".replace("() ", "")
    full_width = "".join(chr(ord(character) + 0xFEE0) for character in phone)
    assert parse_phone(phone) == parse_phone(spaced) == parse_phone(full_width) == phone


@pytest.mark.parametrize("phone", ["", "1234", "0" * 16, "12+34567", "13800abcdef", "٠١٢٣٤٥٦"])
def test_what_is_no_phone_number_is_refused_and_not_repeated(phone: str) -> None:
    with pytest.raises(PersonInvalid, match="phone-malformed") as caught:
        parse_phone(phone)
    assert not caught.value.values
    with pytest.raises(PersonInvalid, match="phone-malformed"):
        Person(names=PersonNames(chinese="扎西"), phone=phone)


@pytest.mark.parametrize("category", ["", "在校生", "Student", "a b"])
def test_a_category_is_a_code(category: str) -> None:
    with pytest.raises(PersonInvalid, match="category-malformed"):
        Person(names=PersonNames(chinese="扎西"), category=category)


@given(person_names(), st.text(max_size=20), st.text(max_size=20), separators, st.data())
def test_a_name_is_seen_in_a_sentence_however_it_is_written(
    names: PersonNames, before: str, after: str, between: str, data: st.DataObject
) -> None:
    forms = [form for form in (names.chinese, names.tibetan, names.romanised) if form is not None]
    form = data.draw(st.sampled_from(forms))
    written = between.join(re.split("[·•・ ་]", form))
    assert names.stand_in(f"{before} {written.upper()} {after}")


def test_another_name_is_not_seen() -> None:
    names = PersonNames(chinese="扎西·多吉", tibetan="བཀྲ་ཤིས་རྡོ་རྗེ", romanised="Tashi Dorje")
    assert not names.stand_in("书面申请 2026-17, Tashi asked for nothing; 扎西 ་བཀྲ་ཤིས་")
