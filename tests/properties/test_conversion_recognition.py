"""Recognition: what one outcome is worth, by table, and how that came out."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.conversion.holding import Holding
from creditbank.conversion.recognition import (
    Deduction,
    Downgrade,
    RecognitionTable,
    WorthRow,
    recognise,
)
from creditbank.conversion.rule import AttributeTest, Pattern, RuleInvalid, Scale
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.terms import IssuerId, Microseconds, OutcomeId
from tests.strategies.conversion import (
    AS_OF,
    LEVELS,
    SCALES,
    learners,
    level,
    packs_for,
    programmes,
    tables,
    words,
)

ORGANISERS = Scale(
    framework="organiser-level", levels=(("school",), ("prefecture",), ("province",), ("national",))
)
RANKS = Scale(framework="award-rank", levels=(("merit",), ("third",), ("second",), ("first",)))
AWARD_SCALES = {scale.framework: scale for scale in (ORGANISERS, RANKS)}


def at_least(attribute: str, scale: Scale, name: str) -> AttributeTest:
    return AttributeTest(attribute=attribute, at_least=FrameworkLevel(framework=scale.framework, level=name))


def contest(organiser: str, rank: str) -> Pattern:
    return Pattern(
        kind="award",
        attributes=(
            at_least("organiser_level", ORGANISERS, organiser),
            at_least("rank", RANKS, rank),
        ),
    )


P06 = RecognitionTable(
    id="awards",
    title=words("竞赛"),
    rows=(
        WorthRow(pattern=contest("province", "third"), credits=Decimal(2)),
        WorthRow(pattern=contest("national", "third"), credits=Decimal(4)),
    ),
    deductions=(
        Deduction(
            pattern=Pattern(
                kind="award", attributes=(AttributeTest(attribute="position", more_than=Decimal(1)),)
            ),
            credits=Decimal("0.5"),
            why=words("团队成员减半分"),
        ),
    ),
    downgrades=(
        Downgrade(
            pattern=Pattern(kind="award", issuers=frozenset({IssuerId("industry-body")})),
            attribute="organiser_level",
            scale="organiser-level",
            steps=1,
            why=words("行业协会降一级"),
        ),
    ),
)


def award(*, organiser: str, rank: str, position: int = 1, issuer: str = "bureau") -> Holding:
    return Holding(
        id=OutcomeId("000000"),
        kind="award",
        code="skills",
        issuer=IssuerId(issuer),
        awarded_on=date(2025, 6, 1),
        recorded_at=Microseconds(0),
        attributes=(("organiser_level", organiser), ("position", str(position)), ("rank", rank)),
    )


@pytest.mark.parametrize(
    ("held", "worth"),
    [
        (award(organiser="national", rank="first"), "4"),
        (award(organiser="national", rank="third"), "4"),
        (award(organiser="national", rank="merit"), None),
        (award(organiser="province", rank="second"), "2"),
        (award(organiser="prefecture", rank="first"), None),
        (award(organiser="national", rank="third", position=2), "3.5"),
        (award(organiser="national", rank="third", issuer="industry-body"), "2"),
        (award(organiser="national", rank="third", position=3, issuer="industry-body"), "1.5"),
        (award(organiser="school", rank="first", issuer="industry-body"), None),
    ],
)
def test_an_award_is_worth_what_the_table_says(held: Holding, worth: str | None) -> None:
    found = recognise(P06, held, scales=AWARD_SCALES, as_of=AS_OF)
    assert (None if found is None else found.worth) == (None if worth is None else Decimal(worth))


@given(st.data())
def test_a_higher_level_is_never_worth_less(data: st.DataObject) -> None:
    programme = data.draw(programmes())
    (pack, *_) = data.draw(packs_for(programme, max_rules=2))
    table = data.draw(tables())
    for held in data.draw(learners((pack,), more=2)):
        if held.level is None:
            continue
        higher = replace(
            held, level=level(data.draw(st.sampled_from(LEVELS[LEVELS.index(held.level.level) :])))
        )
        low = recognise(table, held, scales=SCALES, as_of=AS_OF)
        high = recognise(table, higher, scales=SCALES, as_of=AS_OF)
        assert low is not None
        assert high is not None
        assert high.worth >= low.worth


@given(st.data())
def test_the_derivation_ends_in_the_worth(data: st.DataObject) -> None:
    programme = data.draw(programmes())
    packs = data.draw(packs_for(programme, max_rules=2))
    table = data.draw(tables())
    for held in data.draw(learners(packs, more=2)):
        found = recognise(table, held, scales=SCALES, as_of=AS_OF)
        assert found is not None
        assert found.worth == found.derivation[-1].credits >= 0
        assert table.maximum is None or found.worth <= table.maximum


def test_a_code_is_in_one_family_only() -> None:
    with pytest.raises(RuleInvalid, match="family-twice"):
        replace(P06, families=(frozenset({"A", "B"}), frozenset({"B"})))
