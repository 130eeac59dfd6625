"""Laws of the library of rule packs: which pack is in force, what is known, what collides."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.conversion.pack import Pack, PackFinding, PackInvalid
from creditbank.documents.rule_pack import RulePackInvalid, parse_rule_pack
from creditbank.errors import Misconfigured, NotFound
from creditbank.rulepacks.library import Library, RulePacksCollide
from creditbank.terms import ExamId, Microseconds, PackId, ProgrammeId, microseconds
from tests.strategies.small_packs import EXAMPLES, PROGRAMME, RULE, SOUND, WAIVER, head, write

# Which pack is in force.


def of_days(days: Sequence[tuple[date, date]], authority: str = "small") -> list[str]:
    return [
        head(
            f"{authority}-{number}",
            authority=authority,
            published=published.isoformat(),
            effective=effective.isoformat(),
        )
        + PROGRAMME.replace("web", f"web-{authority}")
        + RULE
        for number, (published, effective) in enumerate(days)
    ]


def library_of(texts: Sequence[str]) -> Library:
    return Library(documents=tuple(parse_rule_pack(text.encode()) for text in texts))


def midnight(day: date) -> Microseconds:
    return microseconds(datetime(day.year, day.month, day.day, tzinfo=UTC))


day_pairs = st.lists(
    st.tuples(st.dates(date(2024, 1, 1), date(2024, 2, 10)), st.dates(date(2024, 1, 1), date(2024, 2, 10))),
    min_size=1,
    max_size=4,
    unique_by=lambda pair: pair[1],
)
some_days = st.dates(date(2023, 12, 25), date(2024, 2, 20))


@given(day_pairs, some_days, some_days)
def test_the_latest_pack_that_was_known_is_in_force(
    days: list[tuple[date, date]], as_of: date, known: date
) -> None:
    library = library_of(of_days(days))
    visible = [effective for published, effective in days if published <= known and effective <= as_of]
    in_force = library.packs_in_force(as_of, known_at=midnight(known))
    assert [pack.effective_from for pack in in_force] == ([max(visible)] if visible else [])


@given(day_pairs, some_days, some_days)
def test_on_one_day_only_the_rules_of_the_pack_in_force_apply(
    days: list[tuple[date, date]], as_of: date, known: date
) -> None:
    library = library_of(of_days(days))
    known_at = midnight(known)
    packs = library.packs_for_programme(ProgrammeId("web-small"), known_at=known_at)
    applying = [
        pack.id
        for pack in packs
        for rule in pack.rules
        if rule.is_effective(as_of) and rule.is_published(known_at=known_at)
    ]
    assert applying == [pack.id for pack in library.packs_in_force(as_of, known_at=known_at)]
    assert {pack.digest for pack in packs} == {pack.digest for pack in library.packs}


@given(day_pairs, day_pairs, some_days)
def test_packs_of_another_authority_change_nothing(
    days: list[tuple[date, date]], others: list[tuple[date, date]], known: date
) -> None:
    alone = library_of(of_days(days))
    beside = library_of([*of_days(others, "other"), *of_days(days)])
    web = ProgrammeId("web-small")
    assert beside.packs_for_programme(web, known_at=midnight(known)) == alone.packs_for_programme(
        web, known_at=midnight(known)
    )


@given(day_pairs, some_days, some_days)
def test_a_pack_published_later_leaves_the_past_alone(
    days: list[tuple[date, date]], as_of: date, known: date
) -> None:
    earlier = [pair for pair in days if pair[0] <= known]
    before, after = library_of(of_days(earlier)), library_of(of_days([*earlier, *(set(days) - set(earlier))]))
    assert [pack.digest for pack in before.packs_in_force(as_of, known_at=midnight(known))] == [
        pack.digest for pack in after.packs_in_force(as_of, known_at=midnight(known))
    ]


def test_a_pack_that_ends_leaves_a_gap() -> None:
    first = of_days([(date(2024, 1, 1), date(2024, 1, 1))])[0]
    library = library_of([first.replace("date_basis", "effective_to = 2024-02-01\ndate_basis")])
    known_at = midnight(date(2025, 1, 1))
    assert [pack.id for pack in library.packs_in_force(date(2024, 1, 31), known_at=known_at)] == ["small-0"]
    assert library.packs_in_force(date(2024, 2, 1), known_at=known_at) == ()


# What is known, and what collides.


def test_a_directory_of_ones_own_is_read_beside_what_is_shipped(tmp_path: Path) -> None:
    library = Library.load(write(tmp_path, SOUND))
    assert library.pack(PackId("small")).rules[0].id == "r"
    assert library.programme(ProgrammeId("web"), as_of=date(2025, 1, 1)).credits == 10
    assert library.pack(PackId("changdu-2020"))
    assert library.exam(ExamId("changdu-farm-elementary"), as_of=date(2025, 1, 1)).parts
    assert {"web", "changdu-tourism"} <= {programme.id for programme in library.programmes}
    assert [pack.id for pack in library.packs_for_exam(ExamId("changdu-farm-elementary"))] == ["changdu-2020"]


def test_what_is_not_known_is_said_with_what_is(tmp_path: Path) -> None:
    library = Library.load(write(tmp_path, SOUND), shipped=False)
    for asked in (
        lambda: library.pack(PackId("x")),
        lambda: library.programme(ProgrammeId("x"), as_of=date(2025, 1, 1)),
        lambda: library.exam(ExamId("x"), as_of=date(2025, 1, 1)),
    ):
        with pytest.raises(NotFound) as caught:
            asked()
        assert caught.value.values["id"] == "x"
        assert caught.value.values["known"] in (["small"], ["web"], [])
    with pytest.raises(Misconfigured):
        Library.load(tmp_path / "nowhere")


def test_a_programme_has_versions_in_time() -> None:
    versions = PROGRAMME.replace(
        "credits = 10", "credits = 10\neffective_to = 2025-09-01"
    ) + PROGRAMME.replace("credits = 10", "version = 2\ncredits = 10\neffective_from = 2025-09-01")
    library = library_of([head() + versions + RULE + EXAMPLES])
    web = ProgrammeId("web")
    assert library.programme(web, as_of=date(2025, 8, 31)).version == 1
    assert library.programme(web, as_of=date(2025, 9, 1)).version == 2
    assert [programme.version for programme in library.programmes] == [1, 2]


@given(st.lists(some_days, min_size=2, max_size=4, unique=True), some_days)
def test_a_programme_or_an_exam_without_dates_holds_while_its_pack_does(
    days: list[date], as_of: date
) -> None:
    library = library_of(
        [
            head(f"small-{number}", effective=day.isoformat())
            + PROGRAMME.replace("credits = 10", f"version = {number}\ncredits = 10")
            + WAIVER.format(part="p", caps="").replace("[[exam]]", f"[[exam]]\nversion = {number}")
            + RULE
            for number, day in enumerate(sorted(days), start=1)
        ]
    )
    begun = sum(day <= as_of for day in days)
    asked = (
        lambda: library.programme(ProgrammeId("web"), as_of=as_of),
        lambda: library.exam(ExamId("e"), as_of=as_of),
    )
    for ask in asked:
        assert ask().version == (begun or 1), "before its first day it is as it began"
    listed = library.programmes_on(as_of), library.exams_on(as_of)
    assert [[one.version for one in found] for found in listed] == [[begun] if begun else []] * 2
    for number, day in enumerate(sorted(days)):
        pack = library.pack(PackId(f"small-{number + 1}"))
        assert (pack.programme(ProgrammeId("web"), as_of=as_of) is None) == (as_of < day)


def test_a_programme_without_an_end_ends_with_its_pack() -> None:
    ended = head().replace("date_basis", "effective_to = 2025-09-01\ndate_basis")
    library = library_of([ended + PROGRAMME + RULE])
    assert library.programmes_on(date(2025, 8, 31))
    assert not library.programmes_on(date(2025, 9, 1))
    for basis in ("award", "enrolment"):
        still = library_of([ended.replace('"application"', f'"{basis}"') + PROGRAMME + RULE])
        assert still.programmes_on(date(2025, 9, 1)), basis


def test_a_programme_that_ends_before_its_pack_begins_is_refused() -> None:
    with pytest.raises(RulePackInvalid) as caught:
        library_of(
            [head() + PROGRAMME.replace("credits = 10", "credits = 10\neffective_to = 2024-12-31") + RULE]
        )
    assert [one.code for one in caught.value.findings] == ["programme-dates"]


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (SOUND, "pack-id-taken"),
        (SOUND.replace('id = "small"', 'id = "small-2"'), "pack-day-taken"),
        (head("other", authority="other") + PROGRAMME + RULE + EXAMPLES, "programme-taken"),
        (
            head("small-2", effective="2025-02-01") + PROGRAMME.replace("二", "三") + RULE + EXAMPLES,
            "programme-taken",
        ),
    ],
)
def test_packs_that_claim_the_same_are_refused(tmp_path: Path, other: str, reason: str) -> None:
    with pytest.raises(RulePacksCollide) as caught:
        Library.load(write(tmp_path, SOUND, other), shipped=False)
    assert caught.value.reason == reason


def test_two_packs_that_define_one_exam_differently_are_refused(tmp_path: Path) -> None:
    first = SOUND + WAIVER.format(part="p", caps="")
    second = head("other", authority="other") + WAIVER.format(part="p", caps="")
    with pytest.raises(RulePacksCollide) as caught:
        Library.load(write(tmp_path, first, second), shipped=False)
    assert caught.value.reason == "exam-taken"


def test_a_later_pack_repeats_what_still_holds(tmp_path: Path) -> None:
    later = head("small-2", effective="2025-02-01") + PROGRAMME + RULE + EXAMPLES
    library = Library.load(write(tmp_path, SOUND, later), shipped=False)
    assert len(library.programmes) == 1
    first, second = library.packs_for_programme(ProgrammeId("web"))
    assert first.rules[0].effective_to == second.rules[0].effective_from == date(2025, 2, 1)


# The values themselves.


def small() -> Pack:
    return parse_rule_pack(SOUND.encode()).pack


@given(st.integers(-400, 400), st.sampled_from(["0", "-0.5", "0.5"]))
def test_a_pack_ends_after_it_begins_and_has_a_step(days: int, step: str) -> None:
    pack = small()
    ends = pack.effective_from + timedelta(days=days)
    if days > 0 and step == "0.5":
        assert replace(pack, effective_to=ends, step=Decimal(step)).is_effective(pack.effective_from)
    else:
        with pytest.raises(PackInvalid):
            replace(pack, effective_to=ends, step=Decimal(step))


def test_a_finding_says_its_place_as_people_write_it() -> None:
    finding = PackFinding(
        code="x",
        severity="error",
        path=("rule", 2, "premise", 0, "min_level"),
        values={},
        file="a/b.toml",
        line=7,
    )
    assert (finding.place, finding.where) == ("rule[3].premise[1].min_level", "a/b.toml:7")
    assert replace(finding, line=None).where == "a/b.toml"
    assert replace(finding, file=None).where == ""
