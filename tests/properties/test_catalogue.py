"""Laws of the catalogues: two languages say the same things, all the source can say and no more."""

import re
import string
import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.conversion.pack import PackFinding
from creditbank.errors import CreditBankError
from creditbank.locale.catalogue import LANGUAGES, SECTIONS, Catalogue, catalogue
from creditbank.locale.pack_wording import finding_line
from creditbank.settings import Language
from creditbank.terms import InputWarning
from tests.source import ROOT, Use, codes

CHINESE, ENGLISH = catalogue("zh-CN"), catalogue("en")
languages = st.sampled_from(LANGUAGES)
GIVEN = {"field", "where"}  # who reports an error adds its field, and where in a file it stands
SENTENCES = ("problem", "reason", "warning", "finding", "say")


def keys_of(words: Catalogue) -> dict[str, str]:
    return {
        f"{section}.{name}": sentence
        for section, sentences in words.sections.items()
        for name, sentence in sentences.items()
    }


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def complaints(uses: list[Use], section: str) -> list[str]:
    """Name every code without a sentence, and every sentence that a place does not give its values."""
    found = []
    for use in uses:
        sentence = CHINESE.sections[section].get(use.code)
        if sentence is None:
            found.append(f"{use.place}: no {section}.{use.code}")
            continue
        wanted = placeholders(sentence) - GIVEN
        if use.values is not None and not wanted <= use.values:
            found.append(f"{use.place}: {section}.{use.code} lacks {sorted(wanted - use.values)}")
        # In a file, a field is called as the file has it.
        is_named = placeholders(sentence) & GIVEN == {"field"}
        if is_named and use.field is not None and not CHINESE.has(f"field.{use.field}"):
            found.append(f"{use.place}: no field.{use.field}")
    return found


# The catalogues and the source.


def test_both_languages_say_the_same_things_with_the_same_values() -> None:
    chinese, english = keys_of(CHINESE), keys_of(ENGLISH)
    assert chinese.keys() == english.keys()
    assert set(CHINESE.sections) == set(ENGLISH.sections) == set(SECTIONS)
    differing = [key for key in chinese if placeholders(chinese[key]) != placeholders(english[key])]
    assert differing == []


@pytest.mark.parametrize("words", [CHINESE, ENGLISH], ids=LANGUAGES)
def test_a_sentence_knows_which_values_it_tells(words: Catalogue) -> None:
    for key, sentence in keys_of(words).items():
        told = words.values_of(key)
        assert told == placeholders(sentence)
        assert all(f"«{name}»" in words.text(key, **{one: f"«{one}»" for one in told}) for name in told)


def test_every_class_of_error_has_a_title() -> None:
    assert [
        f"{place}: {code}" for code, place in codes().classes.items() if not CHINESE.has(f"problem.{code}")
    ] == []


def test_every_reason_has_a_sentence_and_gets_its_values() -> None:
    assert complaints(codes().reasons, "reason") == []


def test_every_warning_has_a_sentence_and_gets_its_values() -> None:
    assert complaints(codes().warnings, "warning") == []


def test_every_finding_has_a_sentence_and_gets_its_values() -> None:
    assert complaints(codes().findings, "finding") == []


def test_every_finding_in_a_rule_pack_has_a_sentence() -> None:
    found = codes().lints
    assert found
    missing = [
        f"{use.place}: {use.code}"
        for use in found
        if not CHINESE.has(f"reason.{use.code}") and not CHINESE.has(f"warning.{use.code}")
    ]
    assert missing == []


def test_every_finding_in_a_rule_pack_gets_the_values_of_its_sentence() -> None:
    """Two errors that share a code share a sentence: it then lacks the values of one of them."""
    found = [use for use in codes().lints if use.values is not None]
    assert {"course-class-unknown", "citation-unknown", "cap-never-binds"} <= {use.code for use in found}
    for section in ("reason", "warning"):
        assert complaints([use for use in found if CHINESE.has(f"{section}.{use.code}")], section) == []


def test_every_key_that_the_source_names_is_there_and_gets_its_values() -> None:
    found = []
    for use in codes().keys:
        section, _, name = use.code.partition(".")
        place = Use(code=name, place=use.place, values=use.values, field=use.field)
        found.extend(complaints([place], section))
    assert found == []


def test_nothing_in_the_catalogues_is_unused() -> None:
    source = codes()
    whole = {use.code for use in source.keys}
    named = source.strings | source.classes.keys() | source.members
    prefixes = tuple(source.key_prefixes)
    unused = [
        key
        for key in keys_of(CHINESE)
        if key not in whole and not key.startswith(prefixes) and key.partition(".")[2] not in named
    ]
    assert unused == []


def test_the_codes_of_vocabularies_are_called_what_the_vocabularies_call_them() -> None:
    for vocabulary in ("award-rank", "education-level", "experience-form", "organiser-level"):
        content = (ROOT / "creditbank" / "vocabularies" / f"{vocabulary}.toml").read_text("utf-8")
        terms = {term["code"]: (term["zh"], term["en"]) for term in tomllib.loads(content)["term"]}
        named = {
            name.removeprefix(f"{vocabulary}-"): (chinese, ENGLISH.sections["word"][name])
            for name, chinese in CHINESE.sections["word"].items()
            if name.startswith(f"{vocabulary}-")
        }
        assert named == terms


# How sentences are written.


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_are_written_out_and_end(language: Language) -> None:
    end = ("。", "？", "）", "”") if language == "zh-CN" else (".", "?", ")", "”")
    sections = catalogue(language).sections
    assert [
        key for key, text in keys_of(catalogue(language)).items() if not text or text != text.strip()
    ] == []
    assert [
        f"{section}.{name}"
        for section in ("reason", "warning")
        for name, text in sections[section].items()
        if not text.endswith(end)
    ] == []


def test_chinese_sentences_are_chinese_with_chinese_punctuation() -> None:
    han = "[\u3400-\u9fff]"
    spoken = {key: text for key, text in keys_of(CHINESE).items() if key.partition(".")[0] in SENTENCES}
    words_alone = {key: re.sub(r"\{\w+\}", "", text) for key, text in spoken.items()}
    assert [
        key for key, text in words_alone.items() if text.strip("（）“”#") and not re.search(han, text)
    ] == []
    assert [key for key, text in spoken.items() if re.search(f"{han}[,;:!?]|[,;:!?]{han}", text)] == []


# What they are filled with.


@given(languages, st.text(), st.text(), st.dictionaries(st.text(min_size=1), st.text() | st.integers()))
def test_every_error_is_put_into_words(
    language: Language, reason: str, field: str, values: dict[str, object]
) -> None:
    class Unheard(CreditBankError):
        code = "unheard"

    values = {name: value for name, value in values.items() if name not in {"field", "reason", "self"}}
    said = catalogue(language).problem(Unheard(reason, field=field or None, **values))
    assert (said.code, said.title, said.reason) == ("unheard", "unheard", reason)
    assert reason in said.detail or catalogue(language).has(f"reason.{reason}")


@given(languages, st.sampled_from(sorted(CHINESE.sections["reason"])))
def test_a_known_error_is_put_into_words_even_without_its_values(language: Language, reason: str) -> None:
    words = catalogue(language)
    said = words.problem(CreditBankError(reason))
    assert said.title == words.text("problem.error")
    for piece in re.split(r"\{\w+\}", words.sections["reason"][reason]):
        assert piece in said.detail


@given(languages, st.sampled_from(sorted(keys_of(CHINESE))), st.text(min_size=1))
def test_text_holds_every_value_it_is_given_or_refuses(language: Language, key: str, value: str) -> None:
    words = catalogue(language)
    wanted = placeholders(keys_of(words)[key])
    said = words.text(key, **dict.fromkeys(wanted, value))
    assert said.count(value) >= len(wanted - {"field"})
    for missing in wanted:
        with pytest.raises(KeyError):
            words.text(key, **dict.fromkeys(wanted - {missing}, value))


@given(languages)
def test_an_unknown_key_is_refused(language: Language) -> None:
    for key in ("word.unheard-of", "unheard.of", "", "word"):
        with pytest.raises(KeyError):
            catalogue(language).text(key)


def test_a_field_is_called_by_its_name() -> None:
    assert CHINESE.field("citizen_number") == "公民身份号码"
    assert CHINESE.field("B7") == "B7"


def test_a_wanted_type_is_called_by_its_name() -> None:
    error = CreditBankError("value-type", field="credits", value="x", wanted="integer")
    assert "整数" in CHINESE.problem(error).detail
    assert "a whole number" in ENGLISH.problem(error).detail


def test_a_warning_is_put_into_words() -> None:
    warning = InputWarning(code="key-file-open-to-others", values={"path": "/srv/keys.sealed"})
    assert "chmod 600 /srv/keys.sealed" in CHINESE.warning(warning)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12))
def test_a_figure_reads_back_as_itself(value: Decimal) -> None:
    for words in (CHINESE, ENGLISH):
        written = words.number(value)
        assert Decimal(written.replace(",", "")) == value
        assert "E" not in written
        assert "." not in written or not written.endswith(("0", "."))


@given(st.integers())
def test_a_whole_figure_reads_back_as_itself(value: int) -> None:
    assert int(CHINESE.number(value).replace(",", "")) == value


@given(st.dates())
def test_a_day_reads_back_as_itself(day: date) -> None:
    year, month, of_month = map(int, re.findall(r"\d+", CHINESE.date(day)))
    assert date(year, month, of_month) == day
    of_month_written, month_written, year_written = ENGLISH.date(day).split()
    assert (int(of_month_written), int(year_written)) == (day.day, day.year)
    assert month_written.startswith(f"{day:%b}")


@given(st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_an_instant_is_shown_in_beijing_time(moment: datetime) -> None:
    local = moment.astimezone(timezone(timedelta(hours=8)))
    for words in (CHINESE, ENGLISH):
        assert words.date(local.date()) in words.instant(moment)
        assert f"{local:%H:%M}" in words.instant(moment)


def test_values_are_written_as_the_language_does() -> None:
    assert CHINESE.credits(Decimal("6.50")) == "6.5 学分"
    assert [ENGLISH.credits(value) for value in (Decimal(1), Decimal("0.5"), 1200)] == [
        "1 credit",
        "0.5 credits",
        "1,200 credits",
    ]
    assert CHINESE.instant(datetime(2026, 2, 28, 20, 5, tzinfo=UTC)) == "2026年3月1日 04:05"
    assert ENGLISH.instant(datetime(2026, 2, 28, 20, 5, tzinfo=UTC)) == "1 March 2026, 04:05 (Beijing time)"
    assert CHINESE.listed(["甲", "乙"]) == "甲、乙"
    said = Catalogue(
        language="zh-CN",
        sections={"word": {"all": "{day} {figure} {list} {set} {count} {field}"}, "field": {}},
    )
    assert (
        said.text(
            "word.all",
            day=date(2026, 3, 1),
            figure=Decimal("2.0"),
            list=("b", "a"),
            set={"d", "c"},
            count=1234,
            field="x",
        )
        == "2026年3月1日 2 b、a c、d 1234 x"
    )


@pytest.mark.parametrize("words", [CHINESE, ENGLISH], ids=LANGUAGES)
def test_a_finding_in_a_pack_is_told_its_place_whatever_its_values_say(words: Catalogue) -> None:
    """Seen to fail: a file named 1, in whose only finding a value has a 1."""
    values = {"value": "101", "maximum": 100}
    found = PackFinding(
        code="percent-out-of-range", severity="error", path=("example", 0), values=values, file="1"
    )
    colon = "：" if words is CHINESE else ": "
    assert finding_line(words, found).startswith(f"1{colon}")
    placed = replace(found, code="programme-unknown", values={"id": "x"}, file="a.toml", line=3)
    assert finding_line(words, placed).startswith(f"a.toml:3{colon}")
    warned = replace(placed, code="value-unlisted", severity="warning")
    warned = replace(warned, values={"unlisted": "x", "attribute": "y", "known": ["z"]}, id="cet")
    assert finding_line(words, warned).startswith(f"a.toml:3{colon}example[1 cet]{colon}")
