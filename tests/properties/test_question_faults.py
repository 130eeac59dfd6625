"""Faults planted in what is asked beside the decision: the diploma audit, what if, which exams help.

As in `test_conversion_faults`, one at a time, and for each the law that must see it.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from creditbank.conversion import completion, diploma_audit, earned, pack_reach, reevaluation
from creditbank.conversion.holding import Holding
from creditbank.conversion.matching import LiveRule
from creditbank.conversion.programme import Bucket, Course
from creditbank.conversion.promised import Promise
from creditbank.conversion.rule import ExemptionGrant, Rule
from creditbank.services import next_steps, policy_diff, reverse, workers
from tests.properties import (
    test_conversion_waivers,
    test_diploma_audit,
    test_promised_classes,
    test_reevaluation,
    test_reverse,
    test_rule_pack_lint,
    test_what_if,
)
from tests.properties.test_conversion_faults import (
    Law,
    Plant,
    Right,
    always,
    assert_seen,
    law,
    plant,
    told,
)

EVERY_PLACE = law(test_diploma_audit.test_every_place_stands_as_a_plain_look_at_each_finds_it)
EVERY_MODULE = law(test_diploma_audit.test_a_module_is_missing_what_its_places_do_not_reach)
CLASS = law(test_what_if.test_a_class_comes_to_what_its_learners_come_to_alone)
CLASS_IN_EXAM = law(test_what_if.test_a_class_has_the_parts_of_an_exam_that_its_learners_have_alone)
PROMISED = law(test_promised_classes.test_a_class_keeps_what_its_learners_were_promised)
PROMISED_STEP = law(test_promised_classes.test_a_step_counts_what_was_promised)
AMONG_MANY = law(test_reevaluation.test_what_was_promised_to_some_counts_for_them_among_many)
PROCESSES = told(
    test_promised_classes.test_what_is_said_of_a_change_does_not_depend_on_how_many_processes_say_it
)
PARTS_AMONG_MANY = law(test_conversion_waivers.test_a_learner_among_many_has_as_many_parts_waived_as_alone)
OPENED = law(test_rule_pack_lint.test_what_no_rule_is_said_to_reach_no_decision_exempts)
ALONE = law(test_reverse.test_what_is_asked_about_alone_helps_as_if_nothing_else_were_held)


def _but_by_class(right: Right) -> object:
    def wrong(live: LiveRule, place: Course | Bucket) -> bool:
        courses = live.exemption.courses
        return (courses is None or not courses.classes) and bool(right(live, place))

    return wrong


def _but_where_by_class(right: Right) -> object:
    def wrong(rule: Rule, course: Course) -> bool:
        grant = rule.grant
        is_by_class = (
            isinstance(grant, ExemptionGrant) and grant.courses is not None and grant.courses.classes
        )
        return not is_by_class and bool(right(rule, course))

    return wrong


def _not_capped(right: Right) -> object:
    def wrong(*required: Any, exemptable: Any, **more: Any) -> object:  # noqa: ANN401 (as `of` has it)
        return replace(right(*required, exemptable=exemptable, **more), exemptable=exemptable)

    return wrong


def _whatever_is_spent(right: Right) -> object:
    def wrong(*asked: Any, **more: Any) -> object:  # noqa: ANN401 (as `earned_in` has it)
        programme, holdings, school, _ = asked
        return right(programme, holdings, school, (), **more)

    return wrong


def _spent_earns_again(patch: pytest.MonkeyPatch) -> None:
    wrong = _whatever_is_spent(earned.earned_in)
    for module in (earned, diploma_audit):
        patch.setattr(module, "earned_in", wrong)


def _with(change: Any) -> Any:  # noqa: ANN401 (a function of holdings)
    """What helps with exams, of other outcomes than those that count."""

    def make(right: Right) -> object:
        return lambda packs, holdings, *exam, **more: right(packs, change(holdings), *exam, **more)

    return make


def _supposed_alone(holdings: Iterable[Holding]) -> list[Holding]:
    every = list(holdings)
    return [one for one in every if one.id.startswith("planned")] or every


def _held_alone(holdings: Iterable[Holding]) -> list[Holding]:
    return [one for one in holdings if not one.id.startswith("planned")]


def _process_by_process(right: Right) -> object:
    def wrong(self: workers.Workers[Any, Any], asked: list[object]) -> list[object]:
        found: list[object] = right(self, asked)
        if self.processes == 1 or not self.pipes:
            return found
        return [one for at in range(self.processes) for one in found[at :: self.processes]]

    return wrong


def _as_a_set(right: Right) -> object:
    def wrong(self: reevaluation.Reevaluation, learner: reevaluation.Learner) -> object:
        number, *classes = right(self, learner)
        return number, frozenset(classes)

    return wrong


def _only_ignored(patch: pytest.MonkeyPatch) -> None:
    right = reverse.exams_helped

    def wrong(*asked: Any, **more: Any) -> object:  # noqa: ANN401 (as `exams_helped` has it)
        return right(*asked, **{**more, "only": None})

    patch.setattr(test_reverse, "exams_helped", wrong)


FAULTS: tuple[tuple[str, Plant, Law], ...] = (
    ("rules by class of course do not block", plant(diploma_audit, "_is_about", _but_by_class), EVERY_PLACE),
    ("what is spent earns again", _spent_earns_again, EVERY_PLACE),
    ("more is exemptable than is missing", plant(completion.Figures, "of", _not_capped), EVERY_MODULE),
    (
        "a class has nothing registered",
        plant(policy_diff, "pinned_for_programme", always(())),
        CLASS,
    ),
    (
        "a class has no parts registered",
        plant(policy_diff, "pinned_for_exam", always(())),
        CLASS_IN_EXAM,
    ),
    ("a class was promised nothing", plant(policy_diff, "promises_of", always(())), PROMISED),
    (
        "whatever is promised is the same",
        plant(Promise, "terms", lambda _: property(lambda _: 0)),
        AMONG_MANY,
    ),
    (
        "what only a promised rule asks for is not tried",
        plant(next_steps._Trying, "_promised_additions", always(())),
        PROMISED_STEP,
    ),
    ("answers come process by process", plant(workers.Workers, "answers", _process_by_process), PROCESSES),
    (
        "waivers of a sort go by the set of what is held",
        plant(reevaluation.Reevaluation, "_key_of", _as_a_set),
        PARTS_AMONG_MANY,
    ),
    ("a class of course opens nothing", plant(pack_reach, "reaches", _but_where_by_class), OPENED),
    ("one outcome asked about and all counted", _only_ignored, ALONE),
    (
        "what is held does not count beside what is supposed",
        plant(reverse, "help_with", _with(_supposed_alone)),
        ALONE,
    ),
    ("what is supposed does not help", plant(reverse, "help_with", _with(_held_alone)), ALONE),
)


@pytest.mark.parametrize(("fault", "law_"), [pytest.param(*row[1:], id=row[0]) for row in FAULTS])
def test_the_law_sees_the_fault(monkeypatch: pytest.MonkeyPatch, fault: Plant, law_: Law) -> None:
    assert_seen(monkeypatch, fault, law_)
