"""The laws of CONVERSION §4 that hold for every exemption decision."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from creditbank.conversion.allocation import decide_exemptions
from creditbank.conversion.decision import Decision
from creditbank.conversion.premise import Pattern, Premise
from creditbank.conversion.programme import Cap, Programme
from creditbank.conversion.rule import ExemptionGrant, Rule
from creditbank.ledger.encoding import canonical_bytes
from creditbank.terms import Microseconds, OutcomeId, RuleId
from tests.properties.test_conversion_oracle import oracle
from tests.strategies.conversion import (
    AS_OF,
    LEVELS,
    NOW,
    STEP,
    Question,
    Questions,
    classes,
    classes_elsewhere,
    decide,
    granted_questions,
    learners,
    level,
    pin,
    pinned_questions,
    questions,
    words,
)


def encoded(decision: Decision) -> bytes:
    return canonical_bytes(decision.as_json())


@given(st.data())
def test_more_outcomes_never_exempt_fewer_units(data: st.DataObject) -> None:
    question = data.draw(granted_questions())
    more = tuple(
        replace(one, id=OutcomeId(data.draw(st.sampled_from("09")) + one.id[1:] + "x"))
        for one in data.draw(learners(question.packs, more=1))
    )
    more = tuple({one.id: one for one in more}.values())
    before = decide(question)
    after = decide(question, holdings=(*question.holdings, *more))
    assert 0 < before.units <= after.units


@given(granted_questions(), st.integers(0, 9))
def test_a_revocation_never_exempts_more_units(question: Question, at: int) -> None:
    lost = question.holdings[at % len(question.holdings)]
    held = tuple(
        replace(one, revoked_at=Microseconds(1), revoked_from=None) if one is lost else one
        for one in question.holdings
    )
    assert decide(question, holdings=held).units <= decide(question).units


@given(st.data())
def test_a_tighter_cap_never_exempts_more_units(data: st.DataObject) -> None:
    question = data.draw(granted_questions())
    before = decide(question)
    tight = Cap(
        id="tight",
        title=words("收紧"),
        measure=data.draw(st.sampled_from(("credits", "courses", "outcomes"))),
        maximum=Decimal(data.draw(st.integers(0, 2))),
    )
    programme = replace(question.programme, caps=(*question.programme.caps, tight))
    after = decide(question, programme=programme)
    assert after.units <= before.units
    if tight.measure == "credits":
        assert tight.maximum is not None
        assert after.credits <= tight.maximum


@given(pinned_questions() | granted_questions())
def test_no_bound_is_exceeded_and_the_parts_make_the_whole(question: Question) -> None:
    decision = decide(question)
    every = oracle(question, decision)
    places = [place.id for place in every.places]
    allocation = {}
    for one in decision.exemptions:
        cited = (one.cited.pack, one.cited.rule, one.cited.version, one.spent)
        option = next(
            at
            for at, option in enumerate(every.options)
            if (option.pack.id, option.rule.id, option.rule.version, tuple(h.id for h in option.spent))
            == cited
        )
        allocation[option, places.index(one.target)] = one.units
    assert every.is_legal(allocation)
    assert sum(one.units for one in decision.exemptions) == decision.units
    assert decision.units * decision.step == decision.credits
    courses: list[str] = [one.target for one in decision.exemptions if not one.is_bucket]
    courses += [one.target for one in question.pinned if question.programme.course_of(one.target)]
    assert len(courses) == len(set(courses))
    if not question.pinned:
        assert all(use.used <= use.maximum for use in decision.caps)


@given(st.data())
def test_the_order_of_what_is_given_changes_no_byte(data: st.DataObject) -> None:
    question = data.draw(pinned_questions() | questions())
    shuffled = replace(
        question,
        packs=tuple(
            replace(pack, rules=tuple(data.draw(st.permutations(pack.rules))))
            for pack in data.draw(st.permutations(question.packs))
        ),
        holdings=tuple(data.draw(st.permutations(question.holdings))),
        pinned=tuple(data.draw(st.permutations(question.pinned))),
        programme=replace(
            question.programme, caps=tuple(data.draw(st.permutations(question.programme.caps)))
        ),
    )
    assert encoded(decide(shuffled)) == encoded(decide(question))


@given(granted_questions())
def test_the_cited_outcomes_alone_exempt_as_many_units(question: Question) -> None:
    decision = decide(question)
    cited = {id_ for one in decision.exemptions for id_ in (*one.spent, *one.witnesses)}
    held = tuple(one for one in question.holdings if one.id in cited)
    assert decide(question, holdings=held).units == decision.units


@given(st.data())
def test_without_a_cited_outcome_the_application_is_gone(data: st.DataObject) -> None:
    question = data.draw(granted_questions())
    one = data.draw(st.sampled_from(decide(question).exemptions))
    gone = data.draw(st.sampled_from((*one.spent, *one.witnesses)))
    held = tuple(
        replace(holding, revoked_at=Microseconds(1), revoked_from=None) if holding.id == gone else holding
        for holding in question.holdings
    )
    rest = decide(question, holdings=held).exemptions
    assert all(gone not in (*other.spent, *other.witnesses) for other in rest)


@given(st.data())
def test_a_higher_level_never_exempts_fewer_units(data: st.DataObject) -> None:
    question = data.draw(
        granted_questions().filter(lambda asked: any(one.level is not None for one in asked.holdings))
    )
    before = decide(question)
    raised = data.draw(st.sampled_from([one for one in question.holdings if one.level is not None]))
    assert raised.level is not None
    higher = data.draw(st.sampled_from(LEVELS[LEVELS.index(raised.level.level) :]))
    held = tuple(replace(one, level=level(higher)) if one is raised else one for one in question.holdings)
    assert decide(question, holdings=held).units >= before.units


@given(st.data())
def test_what_is_recorded_later_leaves_an_earlier_answer_alone(data: st.DataObject) -> None:
    question = data.draw(granted_questions())
    before = encoded(decide(question))
    later = Microseconds(NOW + 1)
    recorded = tuple(
        replace(one, id=OutcomeId(f"8{number:05}"), recorded_at=later)
        for number, one in enumerate(data.draw(learners(question.packs, more=1)))
    )
    known = tuple(
        replace(one, revoked_at=one.revoked_at or later) if data.draw(st.booleans()) else one
        for one in question.holdings
    )
    published = tuple(
        replace(pack, rules=(*pack.rules, replace(pack.rules[0], version=7, published_at=later)))
        for pack in question.packs
    )
    assert encoded(decide(question, holdings=(*known, *recorded), packs=published)) == before


@given(granted_questions())
def test_a_rule_nobody_meets_changes_nothing(question: Question) -> None:
    pack = question.packs[0]
    grant = next(rule.grant for rule in pack.rules if isinstance(rule.grant, ExemptionGrant))
    idle = Rule(
        id=RuleId("a-rule-nobody-meets"),
        version=1,
        published_at=Microseconds(0),
        effective_from=date(2018, 1, 1),
        premises=(Premise(pattern=Pattern(kind="diploma", codes=frozenset({"Z"})), use="consume"),),
        grant=replace(grant, worth=None, max_credits=Decimal(2))
        if grant.mode == "choose"
        else replace(grant, buckets=(), is_leftover_only=False),
        priority=9,
    )
    before = decide(question)
    after = decide(question, packs=(replace(pack, rules=(*pack.rules, idle)), *question.packs[1:]))
    assert after.exemptions == before.exemptions
    assert (after.units, after.proved) == (before.units, before.proved)
    assert [(cap.id, cap.used) for cap in after.caps] == [(cap.id, cap.used) for cap in before.caps]


@given(st.data())
def test_registered_grants_keep_what_they_have(data: st.DataObject) -> None:
    question = data.draw(granted_questions())
    before = decide(question)
    pinned = tuple(pin(one) for one in before.exemptions)
    again = decide(question, pinned=pinned)
    assert again.units == 0
    assert sorted(again.pinned, key=repr) == sorted(pinned, key=repr)
    more = tuple(
        replace(one, id=OutcomeId(f"8{number:05}"))
        for number, one in enumerate(data.draw(learners(question.packs, more=1)))
    )
    after = decide(question, pinned=pinned, holdings=(*question.holdings, *more))
    assert after.pinned == again.pinned
    assert not {one.target for one in pinned} & {one.target for one in after.exemptions if not one.is_bucket}


@given(questions(max_courses=5, max_rules=6, more=4), st.integers(0, 12))
def test_a_spent_budget_is_admitted_and_bounds_the_optimum(question: Question, budget: int) -> None:
    best = decide(question)

    def hurried() -> Decision:
        return decide_exemptions(
            question.packs,
            question.holdings,
            question.programme,
            as_of=question.as_of,
            known_at=question.known_at,
            applicant=question.applicant,
            node_budget=budget,
        )

    found = hurried()
    assert encoded(found) == encoded(hurried())
    assert found.nodes <= budget
    assert found.units <= best.units <= found.upper_bound
    if found.proved:
        assert found.exemptions == best.exemptions


@given(classes_elsewhere())
def test_what_another_programme_spends_counts_only_where_it_is_spent_for_good(asked: Questions) -> None:
    for question in asked:
        decision = decide(question)
        rules = {(pack.id, rule.id, rule.version): rule for pack in question.packs for rule in pack.rules}
        for one in decision.exemptions:
            rule = rules[one.cited.pack, one.cited.rule, one.cited.version]
            spending = [premise for premise in rule.premises if premise.use != "hold"]
            for premise, outcome in zip(spending, one.spent, strict=True):
                uses = [use for use in question.elsewhere if use.outcome == outcome]
                assert all(
                    premise.use == "draw" and use.is_drawn for use in uses if use.for_good or premise.for_good
                )
        mild = replace(
            question,
            elsewhere=tuple(replace(use, for_good=False) for use in question.elsewhere),
            packs=tuple(
                replace(
                    pack,
                    rules=tuple(
                        replace(
                            rule,
                            premises=tuple(replace(premise, for_good=False) for premise in rule.premises),
                        )
                        for rule in pack.rules
                    ),
                )
                for pack in question.packs
            ),
        )
        assert decide(mild).as_json() == decide(mild, elsewhere=()).as_json()
        assert decision.units <= decide(mild).units


@given(classes(learners_each=2), st.sampled_from([STEP * halves for halves in (2, 3, 4)]))
def test_a_cap_by_the_day_of_the_grant_leaves_out_what_another_period_granted(
    asked: Questions, maximum: Decimal
) -> None:
    """What was granted this period takes of it; what another did is as if there were so much more room."""

    def under(question: Question, most: Decimal) -> Programme:
        cap = Cap(
            id="yearly",
            title=words("每年"),
            maximum=most,
            periods=((AS_OF.month, 1),),
            period_by="grant",
        )
        return replace(question.programme, caps=(cap,))

    for question in asked:
        first = decide(question, programme=under(question, maximum))
        now = tuple(replace(pin(one), granted_on=AS_OF) for one in first.exemptions)
        once = tuple(replace(one, granted_on=AS_OF - timedelta(days=200)) for one in now)
        assert first.credits <= maximum
        again = decide(question, pinned=now, programme=under(question, maximum))
        assert first.credits + again.credits <= maximum
        later = decide(question, pinned=once, programme=under(question, maximum))
        with_room = decide(question, pinned=now, programme=under(question, maximum + first.credits))
        assert later.credits == with_room.credits
