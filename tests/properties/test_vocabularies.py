"""Laws of vocabularies, and of those that are shipped: dated, sourced, without two terms written alike."""

from dataclasses import replace
from datetime import date, timedelta
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.errors import InvalidInput
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.diploma import Diploma
from creditbank.outcomes.number_pattern import NumberPattern, number_warnings
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.outcomes.vocabulary import Provenance, Source, Term, Vocabulary, VocabularyInvalid
from creditbank.terms import IssuerId
from creditbank.vocabularies.library import (
    CROSSWALKS,
    VOCABULARIES,
    Vocabularies,
    parse_crosswalk,
    parse_number_patterns,
    parse_regions,
    parse_vocabulary,
)

SHIPPED = Vocabularies.load()
TODAY = date(2026, 11, 25)
OURS = Provenance(standing="own", statement="ours", sources=(Source(title="ours", address="here"),))

days = st.dates(min_value=date(2000, 1, 1), max_value=date(2030, 12, 31))
written_codes = st.from_regex(r"\A[a-z][a-z0-9-]{0,10}\Z")


def vocabulary(*terms: Term, is_ordered: bool = False) -> Vocabulary:
    return Vocabulary(id="drawn", zh="所画", en="drawn", provenance=OURS, terms=terms, is_ordered=is_ordered)


def a_term(code: str, *, valid_from: date | None = None, valid_to: date | None = None) -> Term:
    return Term(code=code, zh=f"{code}类", en=f"{code} kind", valid_from=valid_from, valid_to=valid_to)


@given(st.lists(written_codes, unique=True, max_size=8), days)
def test_every_term_is_found_by_each_of_its_writings(codes: list[str], day: date) -> None:
    listed = vocabulary(*map(a_term, codes), is_ordered=True)
    for place, term in enumerate(listed.terms):
        assert listed.term(term.code, on=day) == term
        assert listed.rank(term.code) == place
        for writing in term.writings():
            assert listed.look_up(f" {writing.upper()}\u3000", on=day) == term
    assert listed.terms_valid(on=day) == listed.terms


@given(written_codes, days, st.integers(1, 999), days)
def test_a_term_holds_from_its_first_day_until_the_day_before_its_last(
    code: str, begin: date, length: int, day: date
) -> None:
    end = begin + timedelta(days=length)
    listed = vocabulary(a_term(code, valid_from=begin, valid_to=end))
    for on in (begin, end, begin - timedelta(days=1), end - timedelta(days=1), day):
        held = begin <= on < end
        assert (listed.term(code, on=on) is not None) == held
        assert (listed.look_up(code, on=on) is not None) == held
        assert (len(listed.terms_valid(on=on)) == 1) == held


@given(written_codes, st.lists(days, min_size=4, max_size=4))
def test_two_terms_written_alike_never_hold_on_one_day(code: str, bounds: list[date]) -> None:
    a, b, c, d = bounds
    if a >= b or c >= d:
        with pytest.raises(VocabularyInvalid, match="term-never-valid"):
            vocabulary(a_term(code, valid_from=a, valid_to=b), a_term(code, valid_from=c, valid_to=d))
    elif max(a, c) < min(b, d):
        with pytest.raises(VocabularyInvalid, match="term-ambiguous"):
            vocabulary(a_term(code, valid_from=a, valid_to=b), a_term(code, valid_from=c, valid_to=d))
    else:
        listed = vocabulary(a_term(code, valid_from=a, valid_to=b), a_term(code, valid_from=c, valid_to=d))
        assert listed.look_up(code, on=a) == listed.terms[0]
        assert listed.look_up(code, on=c) == listed.terms[1]


@given(written_codes, st.lists(days, min_size=3, max_size=3, unique=True))
def test_a_term_may_follow_another_of_its_name_on_the_very_day(code: str, bounds: list[date]) -> None:
    a, b, c = sorted(bounds)
    listed = vocabulary(a_term(code, valid_from=a, valid_to=b), a_term(code, valid_from=b, valid_to=c))
    assert listed.term(code, on=b) == listed.terms[1]
    assert listed.term(code, on=b - timedelta(days=1)) == listed.terms[0]


def test_an_alias_that_is_another_terms_name_is_refused() -> None:
    with pytest.raises(VocabularyInvalid, match="term-ambiguous"):
        vocabulary(a_term("first"), replace(a_term("second"), aliases=("Ｆirst",)))


def test_a_list_without_order_ranks_nothing() -> None:
    assert vocabulary(a_term("first")).rank("first") is None
    assert vocabulary(a_term("first"), is_ordered=True).rank("second") is None


def test_every_shipped_file_is_loaded() -> None:
    files = {
        file.name.removesuffix(".toml")
        for file in resources.files("creditbank.vocabularies").iterdir()
        if file.name.endswith(".toml")
    }
    assert files == {*VOCABULARIES, *CROSSWALKS, "regions", "number-patterns"}
    assert set(SHIPPED.vocabularies) == set(VOCABULARIES)


def test_every_shipped_list_says_where_it_comes_from() -> None:
    lists = [
        *(listed.provenance for listed in SHIPPED.vocabularies.values()),
        *(listed.provenance for listed in SHIPPED.crosswalks.values()),
        *(pattern.provenance for pattern in SHIPPED.number_patterns),
        SHIPPED.regions_provenance,
    ]
    for provenance in lists:
        assert provenance.statement
        assert provenance.sources
        for source in provenance.sources:
            assert source.title
            assert source.address
            assert source.read_on is None or source.read_on <= TODAY


@pytest.mark.parametrize("name", VOCABULARIES)
def test_every_shipped_term_is_found_by_its_writings_today(name: str) -> None:
    listed = SHIPPED.vocabularies[name]
    assert listed.terms
    for term in listed.terms:
        assert all(listed.look_up(writing, on=TODAY) == term for writing in term.writings())


def test_the_levels_of_a_framework_are_ordered_where_they_are() -> None:
    skills = SHIPPED.levels_of("8-level")
    certificates = SHIPPED.levels_of("1+X")
    assert skills is not None
    assert certificates is not None
    assert [term.code for term in certificates.terms] == ["初级", "中级", "高级"]
    assert (skills.rank("学徒工"), skills.rank("首席技师")) == (0, 7)
    assert SHIPPED.levels_of("EQF") is None


def test_the_crosswalk_joins_codes_that_exist() -> None:
    for crosswalk in SHIPPED.crosswalks.values():
        sources = SHIPPED.vocabularies[crosswalk.source]
        targets = SHIPPED.vocabularies[crosswalk.target]
        assert {line.source for line in crosswalk.lines} == {term.code for term in sources.terms}
        for line in crosswalk.lines:
            assert targets.term(line.target, on=TODAY)
            assert line in crosswalk.targets_of(line.source)


def test_the_regions_of_changdu_are_there_by_year() -> None:
    present = {f"5403{county}" for county in ("00", "01", "02", *range(21, 31))}
    former = {f"5421{county}" for county in ("00", *range(21, 38))}
    for code in present:
        (region,) = SHIPPED.regions.find(code)
        assert (region.is_in_force(2014), region.is_in_force(2013)) == (True, False)
    for code in former:
        (region,) = SHIPPED.regions.find(code)
        assert not region.is_in_force(2015)
    assert SHIPPED.regions.find("110105") == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"titel": "x"}, "vocabulary-member-unknown"),
        ({"zh": None}, "vocabulary-member-missing"),
        ({"standing": "certain"}, "provenance-incomplete"),
        ({"source": []}, "provenance-incomplete"),
        ({"source": [{"title": "x", "address": "y", "read_on": "2026"}]}, "vocabulary-member-no-date"),
        ({"term": [{"code": "a", "zh": "甲", "en": "a", "valid_from": "2026"}]}, "vocabulary-member-no-date"),
        ({"term": [{"code": "a", "zh": "甲"}]}, "vocabulary-member-missing"),
        ({"term": [{"code": "a", "zh": "甲", "en": "a"}] * 2}, "term-ambiguous"),
    ],
)
def test_a_slip_in_a_file_is_not_passed_over(change: dict[str, object], reason: str) -> None:
    table: dict[str, object] = {
        "id": "drawn",
        "zh": "所画",
        "en": "drawn",
        "ordered": False,
        "standing": "own",
        "statement": "ours",
        "source": [{"title": "x", "address": "y"}],
        "term": [{"code": "a", "zh": "甲", "en": "a"}],
    }
    assert parse_vocabulary(table).terms[0].zh == "甲"
    changed = {name: value for name, value in (table | change).items() if value is not None}
    with pytest.raises(InvalidInput, match=reason):
        parse_vocabulary(changed)


def test_a_slip_in_the_other_files_is_not_passed_over() -> None:
    origin = {"standing": "own", "statement": "ours", "source": [{"title": "x", "address": "y"}]}
    line = {"source": "a", "target": "b", "match": "alike"}
    crosswalk = {"id": "x", "source_vocabulary": "a", "target_vocabulary": "b", **origin, "line": [line]}
    with pytest.raises(VocabularyInvalid, match="crosswalk-match-unknown"):
        parse_crosswalk(crosswalk)
    with pytest.raises(VocabularyInvalid, match="vocabulary-member-missing"):
        parse_regions({"id": "x", "zh": "x", "en": "x", "complete_prefixes": [], **origin})
    pattern = {"code": "x", "zh": "x", "en": "x", "framework": "x", "shape": "[", **origin}
    with pytest.raises(VocabularyInvalid, match="pattern-malformed"):
        parse_number_patterns({"pattern": [pattern]})


def certificate(number: str, level: str, year: int = 2021, framework: str = "8-level") -> SkillCertificate:
    return SkillCertificate(
        number=number,
        standard="5-05-02-01",
        title="动物疫病防治员",
        level=FrameworkLevel(framework=framework, level=level),
        issuer=IssuerId("91110000600037341L"),
        awarded_on=date(year, 5, 1),
    )


def diploma(number: str, level: str, year: int) -> Diploma:
    return Diploma(
        number=number,
        level=FrameworkLevel(framework="GB/T 4658", level=level),
        major_code="410303",
        major="畜牧兽医",
        issuer=IssuerId("91110000600037341L"),
        awarded_on=date(year, 7, 1),
    )


@pytest.mark.parametrize(
    ("outcome", "codes"),
    [
        (certificate("Y000154000001214000001", "中级工"), []),
        (certificate("y0001 54000001 21 4 000001", "中级工"), []),
        (certificate("S000054000001195000001", "中级工"), ["number-year-differs", "number-level-differs"]),
        (certificate("S000054000001214000001", "高级工"), ["number-level-differs"]),
        (certificate("RSN54030000121400001", "中级工"), []),
        (certificate("2154031001400001", "中级工"), []),
        (certificate("SA00054000001218000001", "特级技师"), []),
        (certificate("SA00054000001218000001", "中级工"), ["number-pattern-unknown"]),
        (certificate("藏-2021-0001", "中级工"), ["number-pattern-unknown"]),
        (certificate("anything goes", "中级", framework="1+X"), []),
        (diploma("106941202106000001", "31", 2021), []),
        (diploma("106941202106000001", "31", 2020), ["number-year-differs"]),
        (diploma("10694120020600001", "31", 2002), []),
        (diploma("10694120010600001", "31", 2002), ["number-year-differs"]),
        (diploma("10694120020600001", "31", 2003), ["number-pattern-unknown"]),
        (diploma("1999-17", "31", 1999), []),
        (diploma("any secondary school's number", "41", 2021), []),
        (diploma("65540300210112345X", "31", 2021), []),
        (diploma("61234120010612345", "31", 2002), []),
    ],
)
def test_an_odd_number_is_a_warning_and_never_a_refusal(
    outcome: SkillCertificate | Diploma, codes: list[str]
) -> None:
    assert [warning.code for warning in number_warnings(outcome, SHIPPED.number_patterns)] == codes


@pytest.mark.parametrize("pattern", SHIPPED.number_patterns, ids=lambda pattern: pattern.code)
@given(data=st.data())
def test_whatever_a_pattern_describes_fits_it(pattern: NumberPattern, data: st.DataObject) -> None:
    shape = pattern.shape.replace(r"\d", "[0-9]")
    number = data.draw(st.from_regex(rf"\A(?:{shape})\Z"))
    level = min(pattern.levels, default=next(iter(pattern.level_codes.values()), ""))
    outcome = certificate(number, level) if pattern.framework == "8-level" else diploma(number, level, 2002)
    codes = {warning.code for warning in number_warnings(outcome, SHIPPED.number_patterns)}
    assert "number-pattern-unknown" not in codes
