"""The packs that come with the bank keep what every pack promises, and never change once published."""

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from creditbank.conversion.allocation import decide_exemptions
from creditbank.conversion.decision import Decision
from creditbank.conversion.holding import Applicant, Holding
from creditbank.conversion.pack import Pack
from creditbank.conversion.pack_examples import run_examples
from creditbank.conversion.rule import ExemptionGrant, WaiverGrant
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.rulepacks.library import SHIPPED, Library, findings_of, read_document
from creditbank.terms import IssuerId, Microseconds, OutcomeId, PackId, ProgrammeId
from creditbank.vocabularies.library import Vocabularies

GOLDEN = Path(__file__).parents[1] / "golden" / "pack-digests.json"
FILES = sorted(SHIPPED.glob("*/*.toml"))
packs_by_file = pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")


def pack_in(file: Path) -> Pack:
    return read_document(file).pack


@packs_by_file
def test_every_example_comes_out_right_and_nothing_is_left_to_warn_of(file: Path) -> None:
    found = findings_of(read_document(file), Vocabularies.load().vocabularies)
    assert [(finding.where, finding.code, dict(finding.values)) for finding in found] == []


@packs_by_file
def test_the_header_says_what_is_official_and_what_is_an_example(file: Path) -> None:
    header = "".join(
        line for line in file.read_text("utf-8").splitlines(keepends=True) if line.startswith("#")
    )
    for word in ("官方：", "示例", "Official:", "xample"):
        assert word in header
    pack = pack_in(file)
    assert "示例" in pack.about.zh
    assert pack.about.en
    assert pack.is_official or "示例" in pack.title.zh


@packs_by_file
def test_the_file_stands_where_its_authority_and_day_say(file: Path) -> None:
    pack = pack_in(file)
    assert (pack.authority, pack.effective_from.isoformat()) == (file.parent.name, file.stem)


@packs_by_file
def test_every_rule_is_cited_in_two_languages_and_from_a_source(file: Path) -> None:
    pack = pack_in(file)
    for rule in pack.rules:
        assert rule.say.zh
        assert rule.say.en
        assert all(name in pack.citations for name in rule.cite)
    for citation in pack.citations.values():
        assert citation.read_on is not None
        assert citation.url or citation.article
    if pack.is_official:
        assert not any(citation.is_mirror for citation in pack.citations.values())


@packs_by_file
def test_every_programme_adds_up_and_says_why_a_course_is_not_exempted(file: Path) -> None:
    pack = pack_in(file)
    assert pack.programmes or pack.exams
    for programme in pack.programmes:
        courses = sum(course.credits for course in programme.courses)
        assert courses + sum(bucket.capacity for bucket in programme.buckets) == programme.credits
        for course in programme.courses:
            assert (course.why_not is not None) == (not course.exemptible)
    for exam in pack.exams:
        for part in exam.parts:
            assert (part.why_not is not None) == (not part.waivable)


@packs_by_file
def test_levels_and_categories_are_those_of_the_vocabularies(file: Path) -> None:
    vocabularies = Vocabularies.load()
    pack = pack_in(file)
    for scale in pack.scales.values():
        ranks = vocabularies.vocabularies.get(scale.framework)  # of an attribute, such as a rank
        vocabulary = vocabularies.levels_of(scale.framework) or ranks
        assert vocabulary is not None
        codes = [term.code for term in vocabulary.terms]
        levels = [level for equal in scale.levels for level in equal]
        assert set(levels) <= set(codes)
        if vocabulary.is_ordered:
            assert levels == codes
    categories = {term.code for term in vocabularies.vocabularies["person-category"].terms}
    for rule in pack.rules:
        assert rule.scope.categories <= categories
    exempt_for = {one for programme in pack.programmes for c in programme.courses for one in c.exempt_for}
    assert exempt_for <= categories


def test_a_published_pack_never_changes() -> None:
    digests = {pack.id: pack.digest for pack in Library.load(check=False).packs}
    assert digests == json.loads(GOLDEN.read_text("utf-8"))


def test_what_is_shipped_is_what_the_policies_ask_for() -> None:
    library = Library.load()
    assert [(pack.authority, len(pack.rules)) for pack in library.packs] == [
        ("adult-college", 3),
        ("art-college", 3),
        ("bitzh", 3),
        ("catti", 1),
        ("changdu", 19),
        ("cpa", 4),
        ("example-shapes", 9),
        ("fujian-water", 3),
        ("guangdong-vocational", 4),
        ("india-abc", 1),
        ("intercollege", 2),
        ("k-acbs", 5),
        ("korea-qualification", 1),
        ("korea-vocational", 3),
        ("new-farmers", 1),
        ("shandong-art-design", 4),
        ("shandong-transfer", 4),
        ("shandong-transfer", 4),
        ("swayam", 1),
        ("veterans", 4),
    ]


def changdu() -> Pack:
    return Library.load(check=False).pack(PackId("changdu-2020"))


def test_the_example_for_changdu_goes_both_ways_in_two_programmes_and_two_exams() -> None:
    pack = changdu()
    grants = [type(rule.grant) for rule in pack.rules]
    assert grants.count(ExemptionGrant) >= 10
    assert grants.count(WaiverGrant) >= 3
    assert [programme.major for programme in pack.programmes] == ["畜牧兽医", "旅游服务与管理"]
    assert [len(exam.parts) for exam in pack.exams] == [3, 3]
    assert not pack.is_official


def certificates() -> Iterator[Holding]:
    """Yield more certificates of each kind than could ever be used."""
    for code in ("CD-X-JTNC", "CD-X-YXLX", "CD-X-DZLX", "CD-X-QTYY"):
        for number, level in enumerate(("初级", "中级", "高级")):
            yield Holding(
                id=OutcomeId(f"{code}-{number}"),
                kind="skill-certificate",
                code=code,
                issuer=IssuerId("example"),
                awarded_on=date(2023, 6, 1) + timedelta(days=number),
                recorded_at=Microseconds(0),
                level=FrameworkLevel(framework="1+X", level=level),
            )


def decided(programme: str, holdings: list[Holding], applicant: Applicant) -> Decision:
    pack = changdu()
    as_of = date(2024, 9, 1)
    found = pack.programme(ProgrammeId(programme), as_of=as_of)
    assert found is not None
    known_at = Microseconds(pack.published_at + 10**15)
    return decide_exemptions([pack], holdings, found, as_of=as_of, known_at=known_at, applicant=applicant)


@pytest.mark.parametrize("programme", ["changdu-animal-husbandry", "changdu-tourism"])
def test_nobody_in_changdu_is_exempted_from_more_than_the_caps_say(programme: str) -> None:
    decision = decided(programme, list(certificates()), Applicant(category="student"))
    assert 0 < decision.credits <= Decimal(48)
    per_certificate: dict[OutcomeId, Decimal] = {}
    for exemption in decision.exemptions:
        (spent,) = exemption.spent
        per_certificate[spent] = per_certificate.get(spent, Decimal(0)) + exemption.credits
    assert len(per_certificate) <= 3
    assert max(per_certificate.values()) <= 8


def test_no_words_of_a_source_are_quoted_at_length() -> None:
    for file in FILES:
        for summary in re.findall(r"summary = \{ zh = \"([^\"]*)\"", file.read_text("utf-8")):
            assert len(summary) < 120


def test_every_shape_of_the_page_is_shown_by_a_rule_that_is_shipped() -> None:
    page = Path("docs/rule-packs.md").read_text("utf-8")
    shown = re.findall(r"^\| (?:\d+|W) [^|]* \| `([^`]+)` \| `([^`]+)` \|$", page, re.MULTILINE)
    numbers = set(re.findall(r"^\| (\d+|W) ", page, re.MULTILINE))
    assert numbers == {"W", *(str(number) for number in range(1, 23))}
    library = Library.load(check=False)
    granted = {
        pack.id: frozenset[str]().union(*(run.granted for run in run_examples(pack)))
        for pack in library.packs
    }
    for pack_id, rule in shown:
        assert rule in granted[PackId(pack_id)], "an example of the pack shows what the rule grants"
