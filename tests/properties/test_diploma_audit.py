"""Laws of the diploma audit: every course once, figures that add up, more records never a step back."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from creditbank.conversion.completion import Figures
from creditbank.conversion.diploma_audit import AuditedPlace, DiplomaAudit, audit_diploma
from creditbank.conversion.earned import decide_beside_earned
from creditbank.conversion.holding import Holding
from creditbank.conversion.programme import Requirement
from creditbank.ledger.encoding import canonical_bytes
from creditbank.terms import IssuerId, Microseconds, OutcomeId
from tests.reference.plain_audit import earning, place_of
from tests.strategies.choosing import seldom
from tests.strategies.conversion import (
    AS_OF,
    NOW,
    Question,
    decide,
    granted_questions,
    learners,
    pinned_questions,
)

SCHOOL = IssuerId("own")
halves = st.integers(0, 12).map(lambda half: half * Decimal("0.5"))


def audit(question: Question, **changes: Any) -> DiplomaAudit:  # noqa: ANN401 (any member)
    asked = replace(question, **changes)
    return audit_diploma(
        asked.packs,
        asked.holdings,
        asked.programme,
        as_of=asked.as_of,
        known_at=asked.known_at,
        applicant=asked.applicant,
        pinned=asked.pinned,
    )


@st.composite
def own_courses(draw: st.DrawFn, question: Question) -> tuple[Holding, ...]:
    """Course credits of the learner's own school, most of them of the programme's courses."""
    codes = draw(st.lists(st.sampled_from(aimed(question)), min_size=1, max_size=3))
    return tuple(
        Holding(
            id=OutcomeId(f"8{at:05}"),
            kind="course-credit",
            code=code,
            issuer=draw(st.sampled_from((SCHOOL, SCHOOL, SCHOOL, IssuerId("school")))),
            awarded_on=draw(seldom(AS_OF, AS_OF + timedelta(days=1))),
            recorded_at=Microseconds(draw(seldom(0, NOW + 1))),
            score=Decimal(80),
            credits=draw(st.sampled_from((Decimal(1), Decimal(2), Decimal(3)))),
        )
        for at, code in enumerate(codes)
    )


@st.composite
def spent_already(draw: st.DrawFn, question: Question) -> Question:
    """The question; more often than not a registered grant has spent an outcome that earned a course."""
    own = [one.id for one in question.holdings if one.issuer == SCHOOL]
    if not question.pinned or not own or not draw(st.integers(0, 3)):
        return question
    first, *others = question.pinned
    return replace(question, pinned=(replace(first, spent=(draw(st.sampled_from(own)),)), *others))


def aimed(question: Question) -> list[str]:
    """Codes of courses: any, and more often those that are exempted or could be."""
    wanted = [one.target for one in question.pinned]
    wanted += [one.target for one in decide(question).exemptions]
    return [*(one.id for one in question.programme.courses), "Z", *wanted, *wanted]


@st.composite
def audited(draw: st.DrawFn) -> Question:
    """Questions of learners at a school, some of whose courses are earned, some exempted."""
    question = draw(granted_questions() | pinned_questions())
    modules = {course.module for course in question.programme.courses}
    requirements = tuple(
        Requirement(module=module, minimum=draw(halves))
        for module in (None, *sorted(modules))
        if draw(st.booleans())
    )
    return replace(
        question,
        holdings=(*question.holdings, *draw(own_courses(question))),
        applicant=replace(question.applicant, enrolled_at=SCHOOL),
        programme=replace(question.programme, requirements=requirements),
    )


def every_figure(found: DiplomaAudit) -> list[Figures]:
    return [
        found.total,
        *(module.figures for module in found.modules),
        *(place.figures for place in found.places),
    ]


@settings(max_examples=40)
@given(audited())
def test_every_course_and_bucket_stands_there_once_and_lines_add_up(question: Question) -> None:
    """Caught: buckets left out; the surplus left out; a course earned and exempted counted twice."""
    found = audit(question)
    programme = question.programme
    assert sorted(place.id for place in found.places) == sorted(place.id for place in programme.places)
    assert len({module.module for module in found.modules}) == len(found.modules)
    for figures in every_figure(found):
        assert figures.earned + figures.exempted + figures.missing == figures.required + figures.surplus
        assert 0 <= figures.exemptable <= figures.missing
    assert not any(place.figures.missing and place.figures.surplus for place in found.places)
    assert not any(place.figures.surplus for place in found.places if not place.is_bucket)
    for module in found.modules:
        assert module.figures.earned == sum(place.figures.earned for place in module.places)
        assert module.figures.exempted == sum(place.figures.exempted for place in module.places)
        if not module.is_stated:
            assert module.figures.missing == sum(place.figures.missing for place in module.places)
    assert found.total.earned == sum(module.figures.earned for module in found.modules)


@settings(max_examples=40)
@given(audited())
def test_every_state_has_its_source_and_every_gap_its_reason(question: Question) -> None:
    """Caught: credits of any school; an earned course exempted too; its outcome spent too."""
    found = audit(question)
    spent = [outcome for one in found.decision.exemptions for outcome in one.spent]
    for place in found.places:
        match place.state:
            case "earned":
                own = [one for one in question.holdings if one.id in place.sources[0].outcomes]
                assert {(one.code, one.issuer) for one in own} == {(place.id, SCHOOL)}
                assert not {one.id for one in own} & set(spent)
                assert all(source.exemption is None for source in place.sources)
                assert place.figures.earned == min(
                    place.figures.required, max(one.credits or 0 for one in own)
                )
            case "exempted" | "exempted-without-credit":
                assert place.id in {grant.target for grant in question.pinned}
            case "exemptable":
                assert any(source.exemption is not None for source in place.sources)
            case "missing":
                assert place.blocks
        assert_blocks_fit(found, place)
    given_now = [place.id for place in found.places if any(s.exemption is not None for s in place.sources)]
    assert sorted(given_now) == sorted({one.target for one in found.decision.exemptions})


def assert_blocks_fit(found: DiplomaAudit, place: AuditedPlace) -> None:
    for block in place.blocks:
        if block.refusal is not None:
            assert found.decision.refusals[block.refusal].target in (None, place.id)
        if block.kind in {"no-rule", "used-up"}:
            assert len(place.blocks) == 1


@settings(max_examples=40)
@given(audited().flatmap(spent_already))
def test_every_place_stands_as_a_plain_look_at_each_finds_it(question: Question) -> None:
    """Caught: classes of courses looked over; credits that were spent, earning."""
    found = audit(question)
    places = {place.id: place for place in found.places}
    for place in question.programme.places:
        own = earning(place, question.holdings, SCHOOL, question.pinned, found.decision)
        plain = place_of(place, question.packs, own, question.pinned, found.decision)
        audited_ = places[place.id]
        figures = audited_.figures
        assert (figures.required, figures.earned, figures.exempted, figures.exemptable, figures.missing) == (
            plain.required,
            plain.earned,
            plain.exempted,
            plain.exemptable,
            plain.missing,
        )
        assert (audited_.state == "earned") == bool(plain.earned_by)
        if plain.earned_by:
            assert frozenset(audited_.sources[0].outcomes) == plain.earned_by
        blocks = [(block.kind, block.refusal) for block in audited_.blocks]
        assert len(set(blocks)) == len(blocks)
        assert frozenset(blocks) == plain.blocks


@settings(max_examples=40)
@given(audited())
def test_a_module_is_missing_what_its_places_do_not_reach(question: Question) -> None:
    """Caught: more said to be exemptable than is missing, in a module or in all."""
    found = audit(question)
    stated = {one.module: one.minimum or Decimal(0) for one in question.programme.requirements}
    for module in found.modules:
        own = [place.figures for place in module.places]
        if module.module in stated:
            reached = sum(one.earned + one.exempted for one in own)
            missing = max(stated[module.module] - reached, Decimal(0))
            assert module.figures.missing == missing
            assert module.figures.exemptable == min(missing, sum(one.exemptable for one in own))
    reached = found.total.earned + found.total.exempted
    missing = max(stated.get(None, question.programme.credits) - reached, Decimal(0))
    assert found.total.missing == missing
    exemptable = sum(module.figures.exemptable for module in found.modules)
    assert found.total.exemptable == min(missing, exemptable)


@settings(max_examples=40)
@given(st.data())
def test_one_more_record_never_makes_more_credits_missing(st_data: st.DataObject) -> None:
    """More records, of the school's own courses and of what rules ask for."""
    question = st_data.draw(audited())
    more = st_data.draw(own_courses(question)) + st_data.draw(learners(question.packs, more=1))
    added = tuple(replace(one, id=OutcomeId(f"9{at:05}")) for at, one in enumerate(more))
    before, after = audit(question), audit(question, holdings=(*question.holdings, *added))
    for old, new in zip(every_figure(before), every_figure(after), strict=True):
        assert new.missing <= old.missing
        assert new.earned >= old.earned


@settings(max_examples=30)
@given(st.data())
def test_an_audit_is_replayed_byte_for_byte_whatever_came_later(st_data: st.DataObject) -> None:
    """Caught: course credits that were recorded later, counted as earned."""
    question = st_data.draw(audited())
    later = tuple(
        replace(one, id=OutcomeId(f"9{at:05}"), recorded_at=Microseconds(NOW + 1), awarded_on=AS_OF)
        for at, one in enumerate(st_data.draw(own_courses(question)))
    )
    mixed = tuple(st_data.draw(st.permutations((*question.holdings, *later))))
    first = canonical_bytes(audit(question).as_json())
    packs = tuple(st_data.draw(st.permutations(question.packs)))
    assert canonical_bytes(audit(question, holdings=mixed, packs=packs).as_json()) == first


@settings(max_examples=30)
@given(audited())
def test_with_nothing_earned_the_decision_is_the_plain_one(question: Question) -> None:
    """Caught: outcomes of any school taken for earned where no school was stated."""
    asked = replace(question, applicant=replace(question.applicant, enrolled_at=None))
    found = audit(asked)
    assert found.total.earned == 0
    assert found.decision == decide(asked)
    assert found.decision == decide_beside_earned(
        asked.packs,
        asked.holdings,
        asked.programme,
        as_of=asked.as_of,
        known_at=asked.known_at,
        applicant=asked.applicant,
        pinned=asked.pinned,
    )
