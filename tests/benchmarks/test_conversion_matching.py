"""Which rules a learner's outcomes meet, beside zen-engine, which runs through a table of decisions.

Each rule asks for one code at one level or above. The peer is asked for one learner at a time, and,
as it is at its best, for a hundred learners in one call.
"""

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any

import pytest

from creditbank.conversion.holding import NOBODY_IN_PARTICULAR, Holding
from creditbank.conversion.matching import Index, asked_for, index_of, rules_in_force
from creditbank.conversion.premise import Pattern, Premise
from creditbank.conversion.programme import Course, CourseFilter, Programme
from creditbank.conversion.rule import ExemptionGrant, Rule
from creditbank.terms import CourseId, IssuerId, Microseconds, OutcomeId, PackId, ProgrammeId, RuleId
from tests.benchmarks.measuring import Rate, middle, rate_of, rates_of, ratios_of
from tests.benchmarks.peers import needed
from tests.benchmarks.table import Measure, print_measures
from tests.strategies.conversion import AS_OF, LEVELS, NOW, TestPack, level, words

pytestmark = pytest.mark.benchmark

GROUP = "Conversion: rules that are met"
LEARNERS, HELD = 100, 5

Learner = tuple[Holding, ...]
Met = list[list[str]]
"""Of each learner, the rules that are met, in order."""


@pytest.mark.parametrize(("count", "goal"), [(100, 20.0), (10_000, 100.0)])
def test_matching_beside_a_rule_engine(count: int, goal: float) -> None:
    zen = needed("zen")
    rules, learners = drawn(count)
    index = compiled(rules)
    table = zen.ZenEngine().create_decision(zen.ZenDecisionContent(json.dumps(decision_table(rules))))
    asked = [[as_input(one) for one in learner] for learner in learners]
    expected = met(index, learners)
    assert one_by_one(table, asked) == at_once(table, asked) == expected
    assert any(expected)
    work: dict[str, Rate] = {
        "product": partial(rate_of, LEARNERS, partial(met, index, learners)),
        "one by one": partial(rate_of, LEARNERS, partial(one_by_one, table, asked)),
        "at once": partial(rate_of, LEARNERS, partial(at_once, table, asked)),
    }
    rates = rates_of(work)
    for way in ("one by one", "at once"):
        print_measures(
            Measure(
                what=f"{count:,} rules, {HELD} outcomes",
                product=middle(rates["product"]),
                peer=middle(rates[way]),
                unit="learners/s",
                goal=goal,
                group=GROUP,
                beside=f"zen-engine, {way}",
                ratios=ratios_of(rates["product"], rates[way]),
            )
        )


def drawn(count: int) -> tuple[tuple[Rule, ...], list[Learner]]:
    """Return so many rules, two for a code, and learners whose outcomes are of these codes."""
    random = Random(count)
    codes = [f"X{number:05}" for number in range(count // 2)]
    rules = tuple(
        Rule(
            id=RuleId(f"rule-{number:05}"),
            version=1,
            published_at=Microseconds(0),
            effective_from=date(2020, 1, 1),
            premises=(
                Premise(
                    pattern=Pattern(
                        kind="skill-certificate",
                        codes=frozenset({codes[number // 2]}),
                        min_levels=(level(random.choice(LEVELS)),),
                    ),
                    use="consume",
                ),
            ),
            grant=ExemptionGrant(mode="each", courses=CourseFilter(courses=frozenset({CourseId("K")}))),
            say=words("规则"),
        )
        for number in range(count)
    )
    learners = [
        tuple(
            Holding(
                id=OutcomeId(f"{at:06}"),
                kind="skill-certificate",
                code=random.choice(codes),
                issuer=IssuerId("station"),
                awarded_on=AS_OF,
                recorded_at=Microseconds(0),
                level=level(random.choice(LEVELS)),
            )
            for at in range(HELD)
        )
        for _ in range(LEARNERS)
    ]
    return rules, learners


def compiled(rules: tuple[Rule, ...]) -> Index:
    course = Course(id=CourseId("K"), title=words("课程"), credits=Decimal(4), module="m")
    programme = Programme(
        id=ProgrammeId("profile"), title=words("专业"), credits=course.credits, courses=(course,)
    )
    pack = TestPack(id=PackId("matching"), rules=rules)
    return index_of(
        rules_in_force([pack], programme, applicant=NOBODY_IN_PARTICULAR, as_of=AS_OF, known_at=NOW)
    )


def met(index: Index, learners: Sequence[Learner]) -> Met:
    return [
        sorted(
            match.live.rule.id
            for match in asked_for(index, learner, as_of=AS_OF, known_at=NOW).values()
            if not match.unmet
        )
        for learner in learners
    ]


Input = dict[str, object]


def as_input(holding: Holding) -> Input:
    assert holding.level is not None
    return {"code": holding.code, "level": LEVELS.index(holding.level.level)}


def one_by_one(table: Any, asked: Sequence[Sequence[Input]]) -> Met:  # noqa: ANN401 - a library's own class
    return [named(table.evaluate({"outcomes": own})["result"]) for own in asked]


def at_once(table: Any, asked: Sequence[Sequence[Input]]) -> Met:  # noqa: ANN401 - a library's own class
    found = table.evaluate({"outcomes": [one for own in asked for one in own]})["result"]
    return [named(found[at : at + HELD]) for at in range(0, len(found), HELD)]


def named(found: Sequence[Sequence[dict[str, str]]]) -> list[str]:
    return sorted({row["rule"] for rows in found for row in rows})


def decision_table(rules: Sequence[Rule]) -> dict[str, Any]:
    """Return the rules as the engine's own document: one table, run through for each outcome."""
    rows = []
    for rule in rules:
        pattern = rule.premises[0].pattern
        (code,), (least,) = pattern.codes, pattern.min_levels
        rows.append(
            {
                "_id": rule.id,
                "code": f'"{code}"',
                "level": f">= {LEVELS.index(least.level)}",
                "rule": f'"{rule.id}"',
            }
        )
    content = {
        "hitPolicy": "collect",
        "executionMode": "loop",
        "inputField": "outcomes",
        "passThrough": False,
        "inputs": [{"id": name, "name": name, "field": name} for name in ("code", "level")],
        "outputs": [{"id": "rule", "name": "rule", "field": "rule"}],
        "rules": rows,
    }
    nodes: list[dict[str, Any]] = [
        {"id": "asked", "type": "inputNode"},
        {"id": "table", "type": "decisionTableNode", "content": content},
        {"id": "answered", "type": "outputNode"},
    ]
    edges = [("asked", "table"), ("table", "answered")]
    return {
        "contentType": "application/vnd.gorules.decision",
        "nodes": [{"name": node["id"], "position": {"x": 0, "y": 0}, **node} for node in nodes],
        "edges": [
            {"id": f"{one}-{two}", "sourceId": one, "targetId": two, "type": "edge"} for one, two in edges
        ],
    }
