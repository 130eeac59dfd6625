"""What the shipped rules say of courses that stand for others is what a decision would grant."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.conversion.allocation import decide_exemptions
from creditbank.conversion.equivalence import equivalences
from creditbank.conversion.holding import Applicant, Holding
from creditbank.documents.rule_pack import parse_rule_pack
from creditbank.locale.catalogue import catalogue
from creditbank.locale.wording import equivalence_line
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.rulepacks.library import Library
from creditbank.terms import IssuerId, Microseconds, OutcomeId
from tests.commands import Commands
from tests.strategies.small_packs import PROGRAMME, RULE, head, write

AS_OF = date(2026, 10, 1)
NOW = Microseconds(2**52)
PUPIL = Applicant(region="370102", declared=(("terms_completed", "1"),))


@pytest.mark.parametrize(
    ("code", "day", "given"),
    [
        ("GZ-YW", AS_OF, [["ST01"]]),
        ("GZ-SX1", AS_OF, [["ST02"]]),
        ("GZ-ZH", AS_OF, [["ST02", "ST03"]]),
        ("GZ-ZH", date(2028, 9, 1), []),
        ("ST02", AS_OF, [["ST02"], ["ST02", "ST03"]]),
        ("ST04", AS_OF, []),
        ("GZ-NONE", AS_OF, []),
    ],
)
def test_the_list_of_equivalent_courses_is_looked_up_from_either_end(
    code: str, day: date, given: list[list[str]]
) -> None:
    library = Library.load(check=False)
    found = equivalences(library.packs_in_force(day, known_at=NOW), library.programmes, code=code, as_of=day)
    assert sorted([course.id for course in one.given] for one in found) == given


def test_what_is_said_to_be_equivalent_is_granted_to_whoever_holds_all_that_is_asked() -> None:
    library = Library.load(check=False)
    pack = next(one for one in library.packs if one.id == "shandong-transfer-2026-autumn")
    codes = ("GZ-YW", "GZ-SX1", "GZ-SX2", "GZ-ZH")
    for code in codes:
        for found in equivalences([pack], library.programmes, code=code, as_of=AS_OF):
            held = [
                Holding(
                    id=OutcomeId(f"{at:06}"),
                    kind=kind,
                    code=names[0],
                    issuer=IssuerId("school"),
                    awarded_on=date(2026, 6, 30),
                    recorded_at=Microseconds(0),
                )
                for at, (kind, names) in enumerate(found.asked)
            ]
            decision = decide_exemptions(
                [pack], held, found.programme, as_of=AS_OF, known_at=NOW, applicant=PUPIL
            )
            assert {grant.target for grant in decision.exemptions} == {course.id for course in found.given}


def test_equivalents_are_printed_with_their_rule_and_last_day(commands: Commands) -> None:
    said = commands.run("rules", "equivalents", "GZ-ZH", "--as-of", "2026-10-01")
    assert "信息技术" in said.out
    assert "one-to-many v2" in said.out
    assert "2028" in said.out
    (found,) = commands.run("rules", "equivalents", "GZ-SX1", "--as-of", "2026-10-01", "--json").json
    assert [one["codes"] for one in found["asked"]] == [["GZ-SX1"], ["GZ-SX2"]]
    assert "GZ-NONE" in commands.run("rules", "equivalents", "GZ-NONE", code=1).out


TWO_VERSIONS = (
    head().replace('date_basis = "application"', 'date_basis = "{basis}"')
    + PROGRAMME
    + RULE.replace("version = 1", "version = 1\neffective_to = 2025-07-01")
    + RULE.replace("version = 1", "version = 2\nsupersedes = 1\neffective_from = 2025-07-01").replace(
        "X", "Y"
    )
)


@pytest.mark.parametrize("basis", ["application", "award", "enrolment"])
@given(
    day=st.dates(date(2024, 12, 1), date(2026, 12, 1)), back=st.integers(0, 700), code=st.sampled_from("XY")
)
def test_a_version_is_told_exactly_where_it_may_still_grant(
    basis: str, day: date, back: int, code: str
) -> None:
    """Seen to fail: of a pack that goes by the award, what it granted was said to be nothing."""
    pack = parse_rule_pack(TWO_VERSIONS.replace("{basis}", basis).encode()).pack
    found = equivalences([pack], pack.programmes, code=code, as_of=day)
    awarded = day - timedelta(days=back)
    held = Holding(
        id=OutcomeId("000001"),
        kind="skill-certificate",
        code=code,
        level=FrameworkLevel(framework="1+X", level="高级"),
        issuer=IssuerId("school"),
        awarded_on=awarded,
        recorded_at=Microseconds(0),
    )
    decision = decide_exemptions(
        [pack],
        [held],
        pack.programmes[0],
        as_of=day,
        known_at=NOW,
        applicant=Applicant(enrolled_on=awarded),
    )
    picked = day if basis == "application" else awarded
    told = [one.rule.version for one in found if one.rule.is_effective(picked)]
    assert told == [one.cited.version for one in decision.exemptions]


def test_what_holds_for_earlier_awards_is_told_with_its_days(tmp_path: Path) -> None:
    older = TWO_VERSIONS.replace("{basis}", "award")
    newer = older.replace('id = "small"', 'id = "small-2026"', 1).replace(
        "effective_from = 2025-01-01", "effective_from = 2026-01-01", 1
    )
    newer = newer[: newer.index("[[rule]]")] + RULE.replace("X", "Z")
    library = Library.load(write(tmp_path, older, newer), shipped=False, check=False)
    packs = library.packs_applying(AS_OF, known_at=NOW)
    words = catalogue("en")
    told = {
        code: [
            equivalence_line(words, one)
            for one in equivalences(packs, library.programmes, code=code, as_of=AS_OF)
        ]
        for code in "XYZ"
    }
    assert [len(lines) for lines in told.values()] == [1, 1, 1]
    assert told["X"][0].endswith("; for outcomes awarded from 1 January 2025 on and before 1 July 2025")
    assert told["Y"][0].endswith("; for outcomes awarded from 1 July 2025 on and before 1 January 2026")
    assert told["Z"][0].endswith("; for outcomes awarded from 1 January 2026 on")


def test_a_version_of_the_future_is_not_told_today(tmp_path: Path) -> None:
    later = head("small-2", effective="2999-01-01") + PROGRAMME.replace(
        "credits = 10", "version = 2\ncredits = 10"
    )
    packs = write(tmp_path / "packs", head() + PROGRAMME + RULE, later + RULE)
    commands = Commands(tmp_path / "bank", CREDITBANK_RULE_PACK_DIRECTORIES=str(packs))
    assert len(commands.run("rules", "equivalents", "X", "--json").json) == 1
