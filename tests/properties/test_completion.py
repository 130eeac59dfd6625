"""Laws of what completion takes: sums that add up place by place, and days that are told exactly."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from creditbank.conversion.completion import AuditedRequirement
from creditbank.conversion.diploma_audit import DiplomaAudit
from creditbank.conversion.holding import Pinned
from creditbank.conversion.pack_reach import unreachable
from creditbank.conversion.premise import AttributeTest
from creditbank.conversion.programme import Bucket, Course, Requirement, RequirementMeasure
from creditbank.locale.audit_wording import audit_lines
from creditbank.locale.catalogue import catalogue
from creditbank.outcomes.outcome import OutcomeKind
from creditbank.settings import Language
from creditbank.terms import IssuerId, OutcomeId
from tests.properties.test_diploma_audit import SCHOOL, audit, audited, own_courses
from tests.reference.plain_completion import Case
from tests.strategies.conversion import AS_OF, Question, learners, words

MEASURES: tuple[RequirementMeasure, ...] = ("credits", "credits", "hours", "practice-share")
KINDS: tuple[OutcomeKind, ...] = ("course-credit",)
ISSUERS = (SCHOOL, IssuerId("school"))
LANGUAGES: tuple[Language, ...] = ("zh-CN", "en")
STEP = Decimal("0.5")
STATED_HOURS = st.sampled_from((None, Decimal(8), Decimal(64), Decimal(100)))
class_hours = st.sampled_from((None, Decimal(0), Decimal(16), Decimal(64)))


Place = TypeVar("Place", Course, Bucket)


def timed(draw: st.DrawFn, place: Place) -> Place:
    hours = draw(class_hours)
    practice = None if hours is None else draw(st.sampled_from((None, Decimal(0), hours / 2, hours)))
    return replace(place, hours=hours, practice_hours=practice)


@st.composite
def requirements(draw: st.DrawFn, modules: list[str]) -> Requirement:
    measure = draw(st.sampled_from(MEASURES))
    most = 10 if measure == "practice-share" else 20 if measure == "credits" else 200
    minimum = Decimal(draw(st.integers(0, most)))
    asked = draw(st.sampled_from(("nothing", "kinds", "issuers", "attributes")))
    by = asked if measure == "credits" else "nothing"
    return Requirement(
        measure=measure,
        minimum=minimum / 10 if measure == "practice-share" else minimum,
        module=draw(st.sampled_from((None, *modules))),
        kinds=frozenset(KINDS if by == "kinds" else ()),
        issuers=frozenset(ISSUERS if by == "issuers" else ()),
        attributes=(AttributeTest(attribute="accredited", one_of=("yes",)),) if by == "attributes" else (),
        title=words("要求") if draw(st.booleans()) else None,
    )


@st.composite
def demanding(draw: st.DrawFn) -> Question:
    """Questions of programmes that state hours and take more than credits of everything."""
    question = draw(audited())
    programme = question.programme
    modules = sorted({place.module for place in programme.places if place.module})
    wanted = draw(st.lists(requirements(modules), min_size=1, max_size=4))
    holdings = tuple(
        replace(
            one,
            hours=draw(STATED_HOURS) if one.issuer == SCHOOL else one.hours,
            attributes=draw(st.sampled_from(((("accredited", "yes"),), (("accredited", "no"),)))),
        )
        for one in question.holdings
    )
    return replace(
        question,
        holdings=holdings,
        pinned=draw(registered(question)),
        programme=replace(
            programme,
            courses=tuple(timed(draw, one) for one in programme.courses),
            buckets=tuple(timed(draw, one) for one in programme.buckets),
            requirements=tuple(wanted),
        ),
    )


@st.composite
def registered(draw: st.DrawFn, question: Question) -> tuple[Pinned, ...]:
    """The grants that are registered; some rest on several outcomes, some fill a part of a bucket."""
    held = [one.id for one in question.holdings]
    grants = [
        replace(one, spent=(*one.spent, draw(st.sampled_from(held)))) if draw(st.booleans()) else one
        for one in question.pinned
    ]
    for bucket in question.programme.buckets[: draw(st.integers(0, 1))]:
        most = int(bucket.capacity / STEP)
        filled = Pinned(
            pack="earlier",
            rule="earlier",
            rule_version=1,
            target=bucket.id,
            units=draw(st.integers(0, most)),
            step=STEP,
            spent=(draw(st.sampled_from(held)),),
        )
        grants = [*(one for one in grants if one.target != bucket.id), filled]
    return tuple(grants)


def assert_adds_up(one: AuditedRequirement) -> None:
    figures = one.figures
    assert figures is not None
    assert figures.earned + figures.exempted + figures.missing == figures.required + figures.surplus
    assert 0 <= figures.exemptable <= figures.missing
    assert figures.earned == sum(place.figures.earned for place in one.places)
    assert figures.exempted == sum(place.figures.exempted for place in one.places)
    assert all(0 <= place.open <= place.figures.missing for place in one.places)
    left = sum(place.open for place in one.places)
    assert one.beyond == max(figures.missing - left, 0)
    if one.state == "unknown":
        assert not one.hours
    else:
        assert one.state == ("out-of-reach" if one.beyond else "short" if figures.missing else "reached")


@settings(max_examples=30)
@given(demanding())
def test_every_requirement_adds_up_place_by_place(question: Question) -> None:
    """Seen to fail: the surplus of a course left out; what is exemptable now among what counts."""
    found = audit(question)
    granted = {outcome for grant in question.pinned for outcome in (*grant.spent, *grant.witnesses)}
    for one in found.requirements:
        assert_adds_up(one)
        for place in one.places:
            own = {held.id for held in question.holdings if (held.issuer, held.code) == (SCHOOL, place.id)}
            assert own | granted >= set(place.outcomes)
            assert place.outcomes or not (place.figures.earned or place.figures.exempted)
    assert [(one.measure, one.minimum) for one in found.requirements] == [
        (one.measure, one.minimum) for one in question.programme.requirements
    ]
    reached = all(one.state == "reached" for one in found.requirements)
    assert found.is_complete == (found.are_credits_there and reached)


@settings(max_examples=40)
@given(demanding())
def test_every_requirement_is_what_a_plain_sum_over_outcomes_finds(question: Question) -> None:
    """Seen to fail: grants of which one outcome fits, counted; a full bucket's other half, open."""
    found = audit(question)
    case = Case(
        programme=question.programme,
        holdings=question.holdings,
        school=SCHOOL,
        pinned=question.pinned,
        decision=found.decision,
    )
    for asked, one in zip(question.programme.requirements, found.requirements, strict=True):
        plain, figures = case.sums(asked), one.figures
        assert figures is not None
        assert (figures.required, figures.earned, figures.exempted, figures.missing) == (
            plain.required,
            plain.earned,
            plain.exempted,
            plain.missing,
        )
        assert one.beyond == max(plain.missing - plain.left, 0)


@settings(max_examples=40)
@given(st.data())
def test_one_more_record_never_makes_more_missing_of_what_is_summed(st_data: st.DataObject) -> None:
    """Seen to fail: the least hours of several outcomes of a course."""
    question = st_data.draw(demanding())
    again = [replace(one, hours=Decimal(8)) for one in question.holdings if one.issuer == SCHOOL]
    more = (*again, *st_data.draw(own_courses(question)), *st_data.draw(learners(question.packs, more=1)))
    added = tuple(replace(one, id=OutcomeId(f"9{at:05}")) for at, one in enumerate(more))
    before, after = audit(question), audit(question, holdings=(*question.holdings, *added))
    for old, new in zip(before.requirements, after.requirements, strict=True):
        assert old.figures is not None
        assert new.figures is not None
        assert new.figures.missing <= old.figures.missing
        assert new.figures.earned >= old.figures.earned


@settings(max_examples=30)
@given(demanding(), st.sampled_from((8, 16)))
def test_where_every_credit_is_so_many_hours_hours_are_the_credits_times_as_many(
    question: Question, unit: int
) -> None:
    """Seen to fail: a bucket's hours by what it has room for, not by what fills it."""
    programme = question.programme
    programme = replace(
        programme,
        courses=tuple(
            replace(one, hours=one.credits * unit, practice_hours=None) for one in programme.courses
        ),
        buckets=tuple(
            replace(one, hours=one.capacity * unit, practice_hours=None) for one in programme.buckets
        ),
        requirements=(
            Requirement(minimum=Decimal(10)),
            Requirement(measure="hours", minimum=Decimal(10) * unit),
        ),
    )
    whole = {str(course.id): course.credits for course in programme.courses}
    holdings = tuple(
        replace(
            one,
            hours=None if one.credits is None else min(one.credits, whole.get(one.code, Decimal(0))) * unit,
        )
        for one in question.holdings
    )
    plain, timed_ = audit(question, programme=programme, holdings=holdings).requirements
    assert plain.figures is not None
    assert timed_.figures is not None
    for name in ("required", "earned", "exempted", "exemptable", "missing", "surplus"):
        assert getattr(timed_.figures, name) == getattr(plain.figures, name) * unit
    assert timed_.state == plain.state


@settings(max_examples=30)
@given(demanding())
def test_what_is_exempted_does_not_go_by_what_completion_takes(question: Question) -> None:
    """Seen to fail: only the first course looked at where something is required."""
    programme = replace(question.programme, requirements=())
    assert audit(question).decision == audit(question, programme=programme).decision


@settings(max_examples=40)
@given(demanding())
def test_who_has_nothing_is_out_of_reach_of_what_the_check_warns_of(question: Question) -> None:
    """Seen to fail: buckets left out of what a programme holds."""
    whole: Any = SimpleNamespace(programmes=(question.programme,))
    warned = {path[-1] for _, path, _ in unreachable(whole)}
    found = audit(question, holdings=(), pinned=())
    for at, one in enumerate(found.requirements):
        never = one.state in {"out-of-reach", "unknown"} and one.minimum != 0
        assert (at in warned) == never


years = st.sampled_from((None, *(Decimal(one) for one in ("0.5", "1", "2", "2.25", "6"))))
begun_on = st.dates(date(2000, 1, 1), date(2020, 12, 31)) | st.just(date(2016, 2, 29))


def of_years(question: Question, minimum: Decimal | None, maximum: Decimal | None, day: date) -> DiplomaAudit:
    wanted = Requirement(measure="years", minimum=minimum, maximum=maximum)
    programme = replace(question.programme, requirements=(wanted,))
    return audit(question, programme=programme, as_of=day)


@settings(max_examples=30)
@given(audited(), years, years, begun_on)
def test_study_is_long_enough_from_one_day_on_and_too_long_after_another(
    question: Question, one: Decimal | None, other: Decimal | None, begun: date
) -> None:
    """Seen to fail: the last day counted as one too late."""
    minimum, maximum = (one, other) if one is None or other is None else (min(one, other), max(one, other))
    if minimum == maximum:
        minimum, maximum = None, maximum or Decimal(4)
    asked = replace(question, applicant=replace(question.applicant, enrolled_on=begun))
    (told,) = of_years(asked, minimum, maximum, AS_OF).requirements
    assert (told.earliest is None, told.latest is None) == (minimum is None, maximum is None)
    for day, change, state in (
        (told.earliest, -1, "too-early"),
        (told.earliest, 0, "reached"),
        (told.latest, 0, "reached"),
        (told.latest, 1, "too-late"),
    ):
        if day is not None:
            (then,) = of_years(asked, minimum, maximum, day + timedelta(days=change)).requirements
            assert then.state == state
    for months, day in ((minimum, told.earliest), (maximum, told.latest and told.latest + timedelta(days=1))):
        if months is not None and day is not None and begun.day <= 28:
            assert (day.year - begun.year) * 12 + day.month - begun.month == months * 12
            assert day.day == begun.day
    unstated = replace(asked, applicant=replace(asked.applicant, enrolled_on=None))
    (unknown,) = of_years(unstated, minimum, maximum, AS_OF).requirements
    assert (unknown.state, unknown.earliest, unknown.latest) == ("unknown", None, None)


@settings(max_examples=20)
@given(demanding(), st.sampled_from(LANGUAGES))
def test_every_requirement_is_said_with_every_place_that_makes_it(
    question: Question, language: Language
) -> None:
    """Seen to fail: what is earned, left out."""
    found = audit(question)
    said = audit_lines(catalogue(language), found)
    assert [one.state for one in said.requirements] == [one.state for one in found.requirements]
    for told, one in zip(said.requirements, found.requirements, strict=True):
        assert told.title
        everything = " ".join((told.line, *told.details))
        for place in one.places:
            if one.state != "unknown" and (place.figures.earned or place.figures.exempted):
                assert place.title.zh in everything
                assert catalogue(language).number(place.figures.earned + place.figures.exempted) in everything


@settings(max_examples=30)
@given(demanding(), st.sampled_from(LANGUAGES))
def test_a_share_is_told_with_the_credits_that_it_comes_to_and_changes_nothing_else(
    question: Question, language: Language
) -> None:
    programme = question.programme
    wanted = [
        replace(one, share=Decimal("0.25")) if one.measure == "credits" and is_of_some(one) else one
        for one in programme.requirements
    ]
    shared = replace(question, programme=replace(programme, requirements=tuple(wanted)))
    plain, found = audit(question), audit(shared)
    assert [replace(one, share=None) for one in found.requirements] == list(plain.requirements)
    assert replace(found, requirements=()) == replace(plain, requirements=())
    words_ = catalogue(language)
    for told, one in zip(audit_lines(words_, found).requirements, found.requirements, strict=True):
        if one.share is None:
            assert "25%" not in told.line
        else:
            assert one.figures is not None
            said = words_.text(
                "say.requirement-share-of-credits", share="25%", required=words_.credits(one.figures.required)
            )
            assert said in told.line


def is_of_some(requirement: Requirement) -> bool:
    return requirement.module is not None or requirement.asks_for_outcomes
