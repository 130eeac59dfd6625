"""What the shipped rules say of courses that stand for others is what a decision would grant."""

from datetime import date

import pytest

from creditbank.conversion.allocation import decide_exemptions
from creditbank.conversion.equivalence import equivalences
from creditbank.conversion.holding import Holding
from creditbank.rulepacks.library import Library
from creditbank.terms import IssuerId, Microseconds, OutcomeId
from tests.commands import Commands

AS_OF = date(2026, 10, 1)
NOW = Microseconds(2**52)


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
            decision = decide_exemptions([pack], held, found.programme, as_of=AS_OF, known_at=NOW)
            assert {grant.target for grant in decision.exemptions} == {course.id for course in found.given}


def test_equivalents_are_printed_with_their_rule_and_last_day(commands: Commands) -> None:
    said = commands.run("rules", "equivalents", "GZ-ZH", "--as-of", "2026-10-01")
    assert "信息技术" in said.out
    assert "one-to-many v1" in said.out
    assert "2028" in said.out
    (found,) = commands.run("rules", "equivalents", "GZ-SX1", "--as-of", "2026-10-01", "--json").json
    assert [one["codes"] for one in found["asked"]] == [["GZ-SX1"], ["GZ-SX2"]]
    assert "GZ-NONE" in commands.run("rules", "equivalents", "GZ-NONE", code=1).out
