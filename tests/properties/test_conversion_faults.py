"""Faults planted in the conversion core, one at a time, and for each the law that must see it.

A law that never fails proves nothing. The test passes only if the law fails, and in the law itself and not
in the core. The table is in tests/README.md.
"""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from creditbank.conversion import (
    addition,
    allocation,
    bounds,
    explanation,
    layout,
    matching,
    meeting,
    near_miss,
    options,
    pairing,
    presolve,
    problem,
    search,
    solving,
    waivers,
    worth,
)
from creditbank.conversion.cut import Cut
from creditbank.conversion.decision import Exemption
from creditbank.conversion.fill import Filler
from creditbank.conversion.hindrance import Cause, Hindrances
from creditbank.conversion.holding import Holding
from creditbank.conversion.marking import MarkTable
from creditbank.conversion.matching import LiveRule
from creditbank.conversion.programme import Cap, CapPart, Course, Programme
from creditbank.conversion.recognition import Deduction, RecognitionTable
from creditbank.conversion.registered import Registered
from creditbank.conversion.rule import Rule, Scale
from creditbank.documents import programme_values
from creditbank.services import known, questions
from creditbank.terms import Microseconds
from tests.properties import (
    test_conversion_laws,
    test_conversion_left_out,
    test_conversion_near_misses,
    test_conversion_presolve,
    test_conversion_recognition,
    test_conversion_shapes,
    test_conversion_solver,
    test_conversion_waivers,
    test_declared_facts,
    test_marking,
    test_pairing,
    test_replay,
    test_requirements,
    test_worth,
)
from tests.properties.test_conversion_oracle import compared
from tests.properties.test_conversion_stateful import AccountOfALearner
from tests.strategies.conversion import classes, pinned_classes

TESTS = Path(__file__).resolve().parent.parent
QUICK = settings(
    max_examples=1_000,  # the first that fails is the last
    report_multiple_bugs=False,
    phases=(Phase.explicit, Phase.generate),
    database=None,
    derandomize=True,
    deadline=None,
    print_blob=False,
    suppress_health_check=list(settings.get_profile("ci").suppress_health_check),
)
Plant = Callable[[pytest.MonkeyPatch], None]
Law = Callable[[pytest.MonkeyPatch], None]
Right = Callable[..., Any]
"""What a fault takes the place of."""


def law(test: Callable[..., None], *, seed: int | None = None) -> Law:
    """The property as it stands, drawn from a fixed seed and without shrinking what it finds.

    `seed` is one that comes upon the fault early, where others draw hundreds of examples before it.
    """

    def hold(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(test, "_hypothesis_internal_use_settings", QUICK)
        patch.setattr(test, "_hypothesis_internal_use_seed", seed)
        test()

    hold.__name__ = test.__name__
    return hold


def told(test: Callable[..., None], **values: object) -> Law:
    """A law of which an example is told, where drawing one would take long."""

    def hold(_: pytest.MonkeyPatch) -> None:
        test(**values)

    return hold


def the_best_of_all(patch: pytest.MonkeyPatch) -> None:
    compared(classes(), QUICK)


def the_best_beside_registered(patch: pytest.MonkeyPatch) -> None:
    compared(pinned_classes(), QUICK)


SHARE = told(test_conversion_shapes.test_a_share_is_of_what_the_programme_fixes_and_rounded_down)
PERIOD = told(
    test_conversion_shapes.test_a_rolling_cap_counts_by_the_day_of_the_award,
    second=date(2025, 9, 1),
    exempted=["C1", "C2"],
)
TAKEN_OFF = told(test_conversion_shapes.test_what_a_team_member_has_taken_off_is_not_drawn_on)
EACH = told(
    test_conversion_shapes.test_a_cap_bounds_each_institution_by_itself,
    issuers="AAB",
    per="issuer",
    credits_=12,
)
LEFT_OVER = told(
    test_conversion_shapes.test_what_is_left_counts_only_where_a_course_was_replaced,
    credits_="3",
    given=[],
    pinned_first=False,
)
ELSEWHERE = law(
    test_conversion_laws.test_what_another_programme_spends_counts_only_where_it_is_spent_for_good
)
BY_GRANT = law(test_conversion_laws.test_a_cap_by_the_day_of_the_grant_leaves_out_what_another_period_granted)
BUNDLE = told(test_conversion_shapes.test_a_bundle_is_all_or_nothing)
GROUP = told(test_conversion_shapes.test_of_an_exclusive_group_one_rule_applies)
ONCE = told(test_conversion_shapes.test_a_table_may_count_each_code_once)
WITNESS = told(test_conversion_shapes.test_a_witness_is_another_outcome_than_the_one_that_is_spent)
EARLIEST = told(test_conversion_shapes.test_of_allocations_alike_the_one_with_the_earliest_courses_is_taken)
REVOKED = told(
    test_conversion_shapes.test_an_outcome_counts_while_it_holds,
    members={"revoked_at": Microseconds(5)},
    reason="revoked",
)
EXPIRED = told(
    test_conversion_shapes.test_an_outcome_counts_while_it_holds,
    members={"expires_on": date(2026, 9, 1)},
    reason="expired",
)
TOO_OLD = told(
    test_conversion_shapes.test_an_outcome_counts_until_the_day_before_its_anniversary,
    awarded_on=date(2019, 9, 1),
    is_young=False,
)
BEFORE_ITS_DAY = told(
    test_conversion_shapes.test_the_day_of_enrolment_picks_the_version_where_the_pack_says_so
)
SPENT_ONCE = told(test_conversion_shapes.test_an_outcome_is_spent_once_and_the_higher_priority_goes_first)
VETERANS = told(
    test_conversion_shapes.test_physical_education_is_exempt_for_veterans_only_and_not_by_certificate
)
PAIRED = told(test_conversion_shapes.test_a_course_is_paired_with_what_is_spent)
SIMILAR = told(test_conversion_near_misses.test_an_outcome_is_not_asked_for_beside_a_similar_one)
WITHIN_BOUNDS = law(test_conversion_laws.test_no_bound_is_exceeded_and_the_parts_make_the_whole)
MORE_OUTCOMES = law(test_conversion_laws.test_more_outcomes_never_exempt_fewer_units)
REVOCATION = told(
    test_conversion_laws.test_a_revocation_never_exempts_more_units.hypothesis.inner_test,  # type: ignore[attr-defined]
    question=test_conversion_near_misses.asking("A", held="AA"),
    at=0,
)
TIGHTER_CAP = law(test_conversion_laws.test_a_tighter_cap_never_exempts_more_units)
CITED_ALONE = law(test_conversion_laws.test_the_cited_outcomes_alone_exempt_as_many_units)
GONE = law(test_conversion_laws.test_without_a_cited_outcome_the_application_is_gone)
NOBODY_MEETS = law(test_conversion_laws.test_a_rule_nobody_meets_changes_nothing)
SUPPLIED = law(test_conversion_near_misses.test_the_near_miss_supplied_makes_the_rule_apply)
ANY_ORDER = law(test_conversion_laws.test_the_order_of_what_is_given_changes_no_byte, seed=5)
EARLIER_ANSWER = law(test_conversion_laws.test_what_is_recorded_later_leaves_an_earlier_answer_alone)
HIGHER_LEVEL = law(test_conversion_laws.test_a_higher_level_never_exempts_fewer_units)
REGISTERED = law(test_conversion_laws.test_registered_grants_keep_what_they_have)
BUDGET = law(test_conversion_laws.test_a_spent_budget_is_admitted_and_bounds_the_optimum)
LEFT_OUT = law(test_conversion_presolve.test_what_is_left_out_before_the_search_changes_no_answer)
MANY_BOUNDS = told(test_conversion_presolve.test_what_is_left_out_of_many_bounds_changes_no_answer, seed=2)
TIED = told(test_conversion_solver.test_what_would_have_tied_is_what_the_solver_says, seed=7)
IDLE = law(
    test_conversion_left_out.test_every_outcome_that_counts_nowhere_is_named_by_each_rule_that_would_spend_it
)
UNCAPPED = law(test_conversion_left_out.test_without_the_caps_that_a_refusal_names_there_are_more_units)
WORTH = law(test_worth.test_every_grant_that_a_table_bounds_says_how_its_worth_came_out, seed=12)
GAIN = law(test_conversion_near_misses.test_a_gain_is_what_deciding_again_brings)
OTHER_AUTHORITY = law(test_conversion_recognition.test_nothing_is_worth_more_than_the_other_authority_gives)
HIGHER_SCORE = law(test_marking.test_a_higher_score_never_gets_the_mark_of_a_lower_band)
HIGHEST_BAND = law(test_marking.test_a_score_gets_the_mark_of_the_highest_band_that_it_reaches)
ORDER_OF_ROWS = law(test_marking.test_the_order_of_the_rows_changes_no_mark)
FIRST_STATED = law(test_marking.test_the_first_outcome_that_states_one_is_looked_up)
MARK_CITED = law(test_marking.test_a_mark_hangs_on_the_cited_outcomes_alone)
LEAST_OF_SHARE = law(test_requirements.test_a_share_asks_for_the_fewest_steps_that_are_no_less)
PARTS_BY_HAND = law(test_conversion_waivers.test_the_waived_parts_are_those_found_by_hand, seed=1)
STATEFUL = told(run_state_machine_as_test, state_machine_factory=AccountOfALearner, settings=QUICK)
REPLAY = law(test_replay.test_what_comes_later_changes_no_answer_as_known_before)


def plant(owner: object, name: str, make: Callable[[Right], object]) -> Plant:
    """Put what `make` makes of the right thing in its place."""
    return lambda patch: patch.setattr(owner, name, make(getattr(owner, name)))


def always(value: object) -> Callable[[Right], object]:
    return lambda _: lambda *_, **__: value


def _conflicts_but_of_spending(right: Right) -> object:
    def wrong(options: Sequence[matching.Option]) -> tuple[int, ...]:
        return tuple(right([replace(one, spent=(), drawn=None) for one in options]))

    return wrong


def _rank_from_the_lowest(right: Right) -> object:
    return lambda rule, pack: (rule.priority, *right(rule, pack)[1:])


def _none_of_many(right: Right) -> object:
    def wrong(found: matching.Match, **more: Any) -> object:  # noqa: ANN401
        return ((), True) if any(len(met) > 1 for met in found.met_by) else right(found, **more)

    return wrong


def _nothing_is_no_bound(right: Right) -> object:
    return lambda *asked: right(*asked) or 10**6


def _without_witnesses(right: Right) -> object:
    return lambda *asked: replace(right(*asked), witnesses=())


def _the_first_in_rank_alone(right: Right) -> object:
    def wrong(*asked: Any, **more: Any) -> object:  # noqa: ANN401
        found = right(*asked, **more)
        return tuple(one for one in found if one.rule.priority == found[0].rule.priority)

    return wrong


def _without_periods(right: Right) -> object:
    def wrong(cap: Cap, day: date) -> date:
        found: date = right(cap, date(day.year, 8, 1))
        return found

    return wrong


def _over_all_at_once(right: Right) -> object:
    return lambda cap, *asked, **more: right(replace(cap, per=None), *asked, **more)


def _but_those_of_what_is_left(right: Right) -> object:
    return lambda *asked, **more: (one for one in right(*asked, **more) if one.kind != "leftover")


def _rounded_up(right: Right) -> object:
    def wrong(cap: Cap, programme: Programme, step: Decimal) -> int:
        if cap.share is None or cap.measure != "credits" or cap.share_of_module is not None:
            return int(right(cap, programme, step))
        return int((cap.share * programme.credits / step).to_integral_value(ROUND_CEILING))

    return wrong


def _but(attribute: str) -> Callable[[Right], object]:
    def make(right: Right) -> object:
        def wrong(*asked: Any) -> list[meeting.Lack]:  # noqa: ANN401
            return [lack for lack in right(*asked) if lack[0] != attribute]

        return wrong

    return make


def _one_more(right: Right) -> object:
    def wrong(*asked: Any) -> int | None:  # noqa: ANN401
        units = right(*asked)
        return None if units is None else units + 1

    return wrong


def _named_by_ids(right: Right) -> object:
    def wrong(posed: problem.Problem, options: Sequence[int], rule_of: Sequence[int]) -> object:
        return tuple((rule_of[at], posed.options[at].spent_ids) for at in options)

    return wrong


def _reversed(right: Right) -> object:
    return lambda *asked, **more: list(right(*asked, **more))[::-1]


def _as_if_all_were_known(right: Right) -> object:
    return lambda holdings, **_: tuple(sorted(holdings, key=lambda one: one.id))


def _spent_ones_too(right: Right) -> object:
    return lambda live, candidates, _: right(live, candidates, ())


def _said_to_be_proved(right: Right) -> object:
    return lambda self, _, **__: right(self, self.units, proved=True)


def _in_any_order(right: Right) -> object:
    def wrong(self: Filler, chosen: int, need: int, **how: Any) -> object:  # noqa: ANN401 (as `fill` has it)
        return right(self, chosen, need, **how | {"canonical": False})

    return wrong


def _one_less(right: Right) -> object:
    return lambda self, options: right(self, options) - 1


def _counted_as_one(right: Right) -> object:
    return lambda bounds, reach: right([replace(one, room=min(one.room, 1)) for one in bounds], reach)


def _whether_it_gets_something_or_not(right: Right) -> object:
    return lambda self, chosen, _: self._run(chosen, canonical=False)


def _rounded_down(_: Right) -> object:
    return lambda share, whole, step: share * whole // step * step


def _in_the_order_written(right: Right) -> object:
    def wrong(self: MarkTable, holding: Holding, score: Decimal) -> object:
        reached = next((band.mark for band in self.bands if band.least <= score), None)
        return reached, right(self, holding, score)[1]

    return wrong


def _compared_as_text(right: Right) -> object:
    def wrong(self: MarkTable, holding: Holding, score: Decimal) -> object:
        reached = [band for band in self.bands if str(band.least) <= str(score)]
        return max((band.mark for band in reached), default=None), right(self, holding, score)[1]

    return wrong


def _only_above_the_bound(right: Right) -> object:
    return lambda self, holding, score: right(self, holding, score - Decimal("0.01"))


def _the_last_that_states_one(right: Right) -> object:
    return lambda self, evidence: right(self, evidence[::-1])


def _by_whatever_is_held(right: Right) -> object:
    def wrong(case: solving.Case, *asked: Any) -> Exemption:  # noqa: ANN401
        one: Exemption = right(case, *asked)
        tables = [table for pack in case.packs for table in pack.mark_tables.values()]
        mark, marking = tables[0].look_up(case.holdings) if tables else (one.mark, one.marking)
        return replace(one, mark=mark, marking=marking)

    return wrong


def _from_the_top(right: Right) -> object:
    def wrong(scale: Scale, level: str) -> int | None:
        rank = right(scale, level)
        return None if rank is None else len(scale.levels) - 1 - rank

    return wrong


def _whatever_another_gives(right: Right) -> object:
    return lambda table, holding, **more: right(replace(table, within=None), holding, **more)


def _without_deductions(right: Right) -> object:
    return lambda table, holding, **more: right(replace(table, deductions=()), holding, **more)


def _by_a_cap(right: Right) -> object:
    def wrong(self: Hindrances, option: int, places: Sequence[int]) -> list[Cause]:
        caps = self.case.programme.caps
        return [
            ("cap", (CapPart(cap=caps[0].id),)) if caps else cause for cause in right(self, option, places)
        ]

    return wrong


def _by_families_alone(right: Right) -> object:
    return lambda table, code: next((family for family in table.families if code in family), None)


def _backwards(right: Right) -> object:
    def wrong(question: Any, holdings: Sequence[Holding]) -> object:  # noqa: ANN401
        exam = replace(question.exam, parts=question.exam.parts[::-1])
        return right(replace(question, exam=exam), holdings)

    return wrong


def _without_days(right: Right) -> object:
    def wrong(rule: Rule, *asked: object) -> object:
        bare = tuple(replace(one, awarded_since=None, awarded_before=None) for one in rule.premises)
        return right(replace(rule, premises=bare), *asked)

    return wrong


def _however_young(right: Right) -> object:
    return lambda pattern, *asked: right(replace(pattern, min_age=None), *asked)


def _whenever_awarded(right: Right) -> object:
    return lambda live, *asked: right(replace(live, award_days=()), *asked)


def _whatever_code(right: Right) -> object:
    return lambda live, *asked: right(replace(live, rule=replace(live.rule, different_codes=False)), *asked)


def _of_every_route(right: Right) -> object:
    return lambda cap, *asked: right(replace(cap, routes=frozenset()), *asked)


def _nothing_registered(right: Right) -> object:
    return lambda compiled, holdings, **_: right(compiled, holdings, pinned=())


FAULTS: tuple[tuple[str, Plant, Law], ...] = (
    ("a cap is ignored", plant(problem, "caps", always(())), SHARE),
    ("a share is rounded up", plant(bounds, "cap_maximum", _rounded_up), SHARE),
    ("a period begins with the year", plant(bounds, "period_start", _without_periods), PERIOD),
    ("a cap over each is one over all", plant(bounds, "_stretches", _over_all_at_once), EACH),
    (
        "a bucket is filled without a course",
        plant(problem, "limits", _but_those_of_what_is_left),
        LEFT_OVER,
    ),
    ("a rule's own limit is ignored", plant(problem, "limits", always(())), WITHIN_BOUNDS),
    ("an outcome is drawn on without end", plant(problem, "budgets", always(())), WITHIN_BOUNDS),
    ("a bundle is split", plant(problem, "_bundles", always(0)), BUNDLE),
    ("an outcome is spent twice", plant(problem, "conflicts_of", _conflicts_but_of_spending), SPENT_ONCE),
    (
        "exclusive groups are ignored",
        plant(LiveRule, "group", lambda _: property(lambda _: None)),
        GROUP,
    ),
    ("a witness is spent as well", plant(options, "_witnesses", _spent_ones_too), WITNESS),
    ("families are ignored", plant(options, "_families", always(())), SIMILAR),
    ("once per code is ignored", plant(RecognitionTable, "family_of", _by_families_alone), ONCE),
    ("the pairing is ignored", plant(problem, "unpaired", always(None)), PAIRED),
    (
        "no category opens a course",
        plant(Course, "is_exemptible_under", lambda _: lambda course, _: course.exemptible),
        VETERANS,
    ),
    ("a deduction is ignored", plant(options, "recognise", _without_deductions), TAKEN_OFF),
    (
        "another table's bound is ignored",
        plant(test_conversion_recognition, "recognise", _whatever_another_gives),
        OTHER_AUTHORITY,
    ),
    ("levels rank from the top", plant(Scale, "rank", _from_the_top), HIGHER_LEVEL),
    ("the least priority goes first", plant(matching, "_rank", _rank_from_the_lowest), SPENT_ONCE),
    ("the most precious is spent first", plant(solving, "_spends", _reversed), the_best_of_all),
    ("the first way found is taken", plant(Filler, "fill", _in_any_order), EARLIEST),
    ("the order of entry matters", plant(solving, "_pinned_key", always(0)), ANY_ORDER),
    ("revocation is ignored", plant(Holding, "is_revoked", always(value=False)), REVOKED),
    ("expiry is ignored", plant(matching, "_lacking", _but("expires_on")), EXPIRED),
    ("what is too old counts", plant(matching, "lacking", _but("awarded_on")), TOO_OLD),
    ("later records are known", plant(solving, "ordered", _as_if_all_were_known), EARLIER_ANSWER),
    ("later rules are known", plant(Rule, "is_published", always(value=True)), EARLIER_ANSWER),
    ("a rule holds before its day", plant(Rule, "is_effective", always(value=True)), BEFORE_ITS_DAY),
    ("what is registered is forgotten", plant(solving, "case_of", _nothing_registered), REGISTERED),
    ("a hurried answer is called proved", plant(search.Search, "_best", _said_to_be_proved), BUDGET),
    ("a bound is too low", plant(Cut, "ceiling", _one_less), the_best_of_all),
    ("two that would do are too many", plant(solving, "options_of", _none_of_many), MORE_OUTCOMES),
    ("what is revoked stood in the way", plant(solving, "options_of", _none_of_many), REVOCATION),
    ("a cap of nothing is none", plant(bounds, "cap_maximum", _nothing_is_no_bound), TIGHTER_CAP),
    ("witnesses are not cited", plant(allocation, "_exemption", _without_witnesses), CITED_ALONE),
    ("what is revoked is cited", plant(Holding, "is_revoked", always(value=False)), GONE),
    (
        "the first rule in rank is the only one",
        plant(solving, "rules_in_force", _the_first_in_rank_alone),
        NOBODY_MEETS,
    ),
    ("a similar outcome is supplied", plant(near_miss, "would_be_met", always(value=True)), SUPPLIED),
    ("any bound implies another", plant(presolve, "_implies", always(value=True)), LEFT_OUT),
    ("an option outdoes all later ones", plant(presolve, "_outdoes", always(value=True)), MANY_BOUNDS),
    ("of any count one is allowed", plant(layout, "exclusions", _counted_as_one), MANY_BOUNDS),
    ("what must get something need not", plant(Filler, "_forced", _whether_it_gets_something_or_not), TIED),
    ("nothing ever ties", plant(search.Search, "ties", always(value=False)), TIED),
    ("idle outcomes are not asked about", plant(explanation.Refusing, "_spending", always({})), IDLE),
    ("whatever is full is called a cap", plant(Hindrances, "full", _by_a_cap), UNCAPPED),
    ("a derivation leaves out deductions", plant(worth, "recognise", _without_deductions), WORTH),
    ("a near miss gains one too many", plant(near_miss, "most_units", _one_more), GAIN),
    ("a part is remembered by ids", plant(addition, "part_name", _named_by_ids), GAIN),
    ("what is spent elsewhere is not looked at", plant(Registered, "gone", always([])), ELSEWHERE),
    ("a cap by the grant goes by the award", plant(bounds, "_is_by_outcome", always("yes")), BY_GRANT),
    (
        "an award is held against no day",
        plant(matching, "_lacking", _whenever_awarded),
        told(test_declared_facts.test_an_award_is_held_against_a_day_of_the_applicants),
    ),
    (
        "who states no day is let through",
        plant(matching, "_fact_needs", _without_days),
        told(test_declared_facts.test_who_does_not_state_the_day_is_asked_for_it),
    ),
    (
        "a declared number is not read",
        plant(meeting, "number_of", always(None)),
        law(test_declared_facts.test_a_declared_number_is_tested_as_the_banks_own_is),
    ),
    (
        "the least age is ignored",
        plant(meeting, "lacking", _however_young),
        law(test_declared_facts.test_an_outcome_is_old_enough_from_the_day_on_which_a_span_is_over),
    ),
    (
        "a part is not taken",
        plant(Deduction, "leaves", always(Decimal(1))),
        law(
            test_conversion_recognition.test_a_part_is_left_of_what_there_is_and_then_the_next_deduction_comes
        ),
    ),
    (
        "hours are not looked at",
        plant(pairing, "_too_short", always(None)),
        law(test_pairing.test_a_course_goes_with_what_has_enough_of_its_hours),
    ),
    ("scores are compared as text", plant(MarkTable, "_by_score", _compared_as_text), HIGHER_SCORE),
    ("the first band written is taken", plant(MarkTable, "_by_score", _in_the_order_written), ORDER_OF_ROWS),
    ("a bound is not reached", plant(MarkTable, "_by_score", _only_above_the_bound), HIGHEST_BAND),
    ("the last score is looked up", plant(MarkTable, "look_up", _the_last_that_states_one), FIRST_STATED),
    ("a mark goes by whatever is held", plant(allocation, "_exemption", _by_whatever_is_held), MARK_CITED),
    (
        "a share required is rounded down",
        plant(programme_values, "least_of_share", _rounded_down),
        LEAST_OF_SHARE,
    ),
    ("an exam's caps are ignored", plant(waivers._Question, "used", always(0)), PARTS_BY_HAND),
    ("an exam's cap counts every route", plant(waivers, "_counts", _of_every_route), PARTS_BY_HAND),
    (
        "two copies are two codes",
        plant(options, "_is_another", _whatever_code),
        law(test_conversion_shapes.test_outcomes_of_different_codes_are_two_codes_and_not_two_copies),
    ),
    ("parts are taken from the last", plant(waivers._Question, "answer", _backwards), PARTS_BY_HAND),
    (
        "a replay goes by the packs of today",
        plant(questions.ExemptionQuestion, "given", lambda _: lambda question, _, **__: question),
        STATEFUL,
    ),
    ("grants are not pinned", plant(questions, "pinned_for_programme", always(())), STATEFUL),
    ("a replay sees later entries", plant(known, "_until", always(lambda entries: entries)), REPLAY),
)


@pytest.mark.parametrize(("fault", "law_"), [pytest.param(*row[1:], id=row[0]) for row in FAULTS])
def test_the_law_sees_the_fault(monkeypatch: pytest.MonkeyPatch, fault: Plant, law_: Law) -> None:
    assert_seen(monkeypatch, fault, law_)


def assert_seen(monkeypatch: pytest.MonkeyPatch, fault: Plant, law_: Law) -> None:
    """Make sure that the law fails with the fault planted, and in the law itself."""
    with monkeypatch.context() as patch:
        fault(patch)
        with pytest.raises(Exception) as raised:  # noqa: PT011 (an unpacking that fails will do as well)
            law_(patch)
    last = traceback.extract_tb(raised.value.__traceback__)[-1]
    assert Path(last.filename).resolve().is_relative_to(TESTS), f"{raised.value!r}: {last}"
