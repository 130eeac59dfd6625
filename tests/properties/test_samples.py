"""What the samples promise: the same at every call, sound, about no one, and messy where they say so."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.account.facts import holdings_for_rules
from creditbank.account.holdings import AccountHoldings, HeldOutcome
from creditbank.conversion.allocation import decide_exemptions
from creditbank.conversion.decision import Refusal
from creditbank.conversion.holding import Applicant
from creditbank.conversion.waivers import decide_waivers
from creditbank.documents.spreadsheet import read_workbook
from creditbank.errors import InvalidInput
from creditbank.identity.citizen_number import CitizenNumberInvalid, parse_citizen_number
from creditbank.identity.organisation_code import TEST_REGION, parse_organisation_code
from creditbank.outcomes import Outcome, kind_of
from creditbank.outcomes.award import Award
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.course import CourseCredit
from creditbank.outcomes.diploma import Diploma
from creditbank.outcomes.experience import Experience
from creditbank.outcomes.number_pattern import number_warnings
from creditbank.outcomes.outcome import OUTCOME_KINDS
from creditbank.outcomes.training import Training
from creditbank.rulepacks.library import Library
from creditbank.samples import outcomes as outcomes_module
from creditbank.samples import people as people_module
from creditbank.samples.messy import messy_rows, messy_unknown_column
from creditbank.samples.outcomes import sample_outcomes, story_outcomes
from creditbank.samples.people import protagonist, sample_institutions, sample_issuer, sample_learners
from creditbank.samples.workbooks import messy_workbook, sample_workbooks
from creditbank.terms import ExamId, OutcomeId, ProgrammeId, microseconds
from creditbank.vocabularies.library import Vocabularies

SHIPPED = Vocabularies.load()
RULES = Library.load(check=False)
PROGRAMME = ProgrammeId("changdu-animal-husbandry")
EXAM = ExamId("changdu-farm-elementary")

demonstration_days = st.dates(min_value=date(2025, 1, 1), max_value=date(2060, 12, 31))


def test_the_samples_are_the_same_at_every_call() -> None:
    learners, outcomes, messy = sample_learners(), sample_outcomes(), messy_rows()
    for made in (
        people_module.sample_learners,
        people_module.sample_institutions,
        people_module.protagonist,
        outcomes_module._story,
        outcomes_module._all,
    ):
        made.cache_clear()
    assert (sample_learners(), sample_outcomes(), messy_rows()) == (learners, outcomes, messy)


def test_the_institutions_are_invented_and_of_every_role() -> None:
    institutions = sample_institutions()
    assert Counter(institution.role for institution in institutions) == {
        "school": 2,
        "appraisal-station": 1,
        "education-bureau": 1,
    }
    for institution in institutions:
        assert parse_organisation_code(institution.issuer) == institution.issuer
        assert institution.issuer[2:8] == TEST_REGION
        assert institution.name.endswith("（演示）")


def test_the_learners_are_some_hundred_and_belong_to_no_one() -> None:
    learners = sample_learners()
    assert len(learners) == 120
    assert learners[0] == protagonist()
    numbers = {learner.citizen_number for learner in learners}
    assert len(numbers) == len(learners)
    for number in numbers:
        assert number is not None
        assert number.is_test
        assert parse_citizen_number(number.text, allow_test_numbers=True) == number


def test_every_learner_has_a_name_of_their_own_in_three_scripts_and_a_known_category() -> None:
    learners = sample_learners()
    for learner in learners:
        names = learner.names
        assert names.chinese
        assert names.tibetan
        assert names.romanised
        assert sum(other.names.matches(names.chinese) for other in learners) == 1
        assert sum(other.names.matches(names.romanised) for other in learners) == 1
        category = SHIPPED.vocabularies["person-category"].term(learner.category or "", on=date(2025, 1, 1))
        assert category is not None
    assert {learner.names.chinese for learner in learners if "·" in (learner.names.chinese or "")}


@given(demonstration_days)
def test_there_is_something_of_every_kind_and_all_of_it_is_past(today: date) -> None:
    outcomes = [sample.outcome for sample in sample_outcomes(on=today)]
    counted = Counter(kind_of(outcome) for outcome in outcomes)
    assert min(counted[kind] for kind in OUTCOME_KINDS) >= 5
    assert max(outcome.awarded_on for outcome in outcomes) < date(today.year, 1, 1)


def known_codes() -> set[str]:
    """Return every code that the rules of the region ask for, and every course that its programmes have."""
    packs = RULES.packs_for_programme(PROGRAMME)
    asked = {
        code
        for pack in packs
        for rule in pack.rules
        for premise in rule.premises
        for code in premise.pattern.codes
    }
    return asked | {course.id for pack in packs for each in pack.programmes for course in each.courses}


def test_every_certificate_diploma_and_course_has_a_code_that_the_rules_know() -> None:
    known = known_codes()
    for sample in sample_outcomes():
        match sample.outcome:
            case SkillCertificate():
                assert sample.outcome.standard in known
            case Diploma():
                assert sample.outcome.major_code in known
            case CourseCredit():
                assert sample.outcome.course_code in known
            case _:
                pass
    trained = {
        each.outcome.programme_code for each in sample_outcomes() if isinstance(each.outcome, Training)
    }
    assert len(trained & known) >= 3
    assert {row.cells["standard"] for row in messy_rows()} <= known


def story(today: date) -> AccountHoldings:
    """Return the protagonist's account as it stands once the demonstration has recorded everything."""
    recorded_at = microseconds(datetime.combine(today, time(1), tzinfo=UTC))
    return AccountHoldings(
        outcomes=tuple(
            HeldOutcome(
                id=OutcomeId(f"{seq:06}"),
                outcome=sample.outcome,
                recorded_by=sample.outcome.issuer,
                recorded_at=recorded_at,
            )
            for seq, sample in enumerate(story_outcomes(on=today), start=1)
        )
    )


def missed(refusals: Iterable[Refusal]) -> set[tuple[str, str, str, str]]:
    """Return what was lacking: rule, attribute, what is there, what is wanted."""
    return {
        (refusal.cited.rule, need.attribute, str(need.have), str(need.need))
        for refusal in refusals
        for need in refusal.needs
    }


@given(demonstration_days)
def test_the_story_comes_out_in_whatever_year_it_is_told(today: date) -> None:
    known_at = microseconds(datetime.combine(today, time(12), tzinfo=UTC))
    holdings = holdings_for_rules(story(today))
    applicant = Applicant(category=protagonist().category)
    exempted = decide_exemptions(
        RULES.packs_for_programme(PROGRAMME),
        holdings,
        RULES.programme(PROGRAMME, as_of=today),
        as_of=today,
        known_at=known_at,
        applicant=applicant,
    )
    assert {one.cited.rule for one in exempted.exemptions} == {"xm-x-core", "gg-computing", "veteran-service"}
    assert missed(exempted.refusals) >= {("gg-english", "credits", "4", "6")}
    waived = decide_waivers(
        RULES.packs_for_exam(EXAM),
        holdings,
        RULES.exam(EXAM, as_of=today),
        as_of=today,
        known_at=known_at,
        applicant=applicant,
    )
    assert [one.cited.rule for one in waived.waivers] == ["xm-diploma-theory"]
    assert missed(waived.refusals) >= {("xm-training-review", "hours", "72", "80")}


def test_without_the_certificate_the_core_courses_are_no_longer_exempt() -> None:
    today = date(2026, 11, 23)
    kept = tuple(
        holding for holding in holdings_for_rules(story(today)) if holding.kind != "skill-certificate"
    )
    decided = decide_exemptions(
        RULES.packs_for_programme(PROGRAMME),
        kept,
        RULES.programme(PROGRAMME, as_of=today),
        as_of=today,
        known_at=microseconds(datetime.combine(today, time(12), tzinfo=UTC)),
        applicant=Applicant(category=protagonist().category),
    )
    assert {one.cited.rule for one in decided.exemptions} == {"gg-computing", "veteran-service"}


def test_no_two_outcomes_have_one_name() -> None:
    numbered = [
        (kind_of(sample.outcome), sample.outcome.number)
        for sample in sample_outcomes()
        if isinstance(sample.outcome, Diploma | SkillCertificate)
    ]
    assert len(set(numbered)) == len(numbered)
    courses = [
        (sample.holder.citizen_number, sample.outcome.course_code, sample.outcome.awarded_on)
        for sample in sample_outcomes()
        if isinstance(sample.outcome, CourseCredit)
    ]
    assert len(set(courses)) == len(courses)


def coded(outcome: Outcome) -> list[tuple[str, str]]:
    """Return the codes that vocabularies must know, each with its vocabulary."""
    match outcome:
        case CourseCredit():
            return [("course-mode", outcome.mode)]
        case Award():
            return [("organiser-level", outcome.organiser_level), ("award-rank", outcome.rank)]
        case Experience():
            return [("experience-form", outcome.form)]
        case Diploma():
            return [("education-level", outcome.level.level), ("study-form", outcome.study_form or "")]
        case SkillCertificate():
            assert outcome.level is not None
            levels = SHIPPED.levels_of(outcome.level.framework)
            assert levels is not None
            return [(levels.id, outcome.level.level)]
        case _:
            return []


@given(demonstration_days)
def test_every_code_is_in_its_vocabulary_and_every_number_fits_its_pattern(today: date) -> None:
    for sample in sample_outcomes(on=today):
        outcome = sample.outcome
        for vocabulary, code in coded(outcome):
            assert SHIPPED.vocabularies[vocabulary].term(code, on=outcome.awarded_on)
        if isinstance(outcome, Diploma | SkillCertificate):
            assert number_warnings(outcome, SHIPPED.number_patterns) == ()


def test_nobody_achieves_anything_before_the_age_of_thirteen() -> None:
    for sample in sample_outcomes():
        assert sample.holder.citizen_number is not None
        born_on = sample.holder.citizen_number.born_on
        assert sample.outcome.awarded_on.year - born_on.year >= 13


def test_the_protagonist_has_a_diploma_a_certificate_courses_and_served() -> None:
    kinds = {kind_of(sample.outcome) for sample in story_outcomes()}
    assert kinds >= {"diploma", "skill-certificate", "course-credit", "experience"}
    assert all(sample.holder == protagonist() for sample in story_outcomes())
    assert sample_outcomes()[: len(story_outcomes())] == story_outcomes()


def test_a_messy_number_is_a_number_only_where_the_row_can_be_accepted() -> None:
    rows = messy_rows()
    assert len({row.flaw for row in rows}) == len(rows) >= 12
    for row in rows:
        number = row.cells["citizen_number"]
        if row.flaw == "number-rounded-by-excel":
            assert isinstance(number, float)
            assert float(f"{number:.15g}") == number
        elif row.flaw in {"check-digit-wrong", "digit-missing"}:
            with pytest.raises(CitizenNumberInvalid):
                parse_citizen_number(str(number), allow_test_numbers=True)
        else:
            assert parse_citizen_number(str(number), allow_test_numbers=True).is_test
        assert row.is_acceptable == (row.flaw in {"none", "full-width-digits", "spaces-around"})


def test_the_messy_rows_are_wrong_as_they_say() -> None:
    cells = {row.flaw: row.cells for row in messy_rows()}
    levels = SHIPPED.vocabularies["certificate-level"]
    assert levels.look_up(str(cells["level-unknown"]["level"]), on=date(2025, 1, 1)) is None
    with pytest.raises(ValueError, match="day is out of range"):
        date.fromisoformat(str(cells["date-does-not-exist"]["awarded_on"]))
    assert cells["name-missing"]["name"] == ""
    assert cells["number-repeated"]["number"] == cells["none"]["number"]
    assert messy_unknown_column()


def test_the_workbooks_say_what_the_samples_are() -> None:
    today = date(2026, 11, 23)
    read = [
        (row.person.citizen_number, row.outcome)
        for book in sample_workbooks(SHIPPED.vocabularies, on=today)
        for row in read_workbook(book.content, SHIPPED, issuer=book.issuer, allow_test_numbers=True).rows
    ]
    stated = [(sample.holder.citizen_number, sample.outcome) for sample in sample_outcomes(on=today)]
    assert len(read) == len(stated)
    assert set(read) == set(stated)


def test_every_messy_row_is_refused_for_its_own_slip_and_no_other() -> None:
    content = messy_workbook(SHIPPED.vocabularies, on=date(2026, 11, 23))
    reading = read_workbook(content, SHIPPED, issuer=sample_issuer("station"), allow_test_numbers=True)
    flaws = {place: row.flaw for place, row in enumerate(messy_rows(), start=3)}  # below header and example
    assert {row.row for row in reading.rows} == {
        place for place, row in enumerate(messy_rows(), start=3) if row.is_acceptable
    }
    assert {flaws[bad.place.row]: bad.error.reason for bad in reading.errors if bad.place} == {
        "number-rounded-by-excel": "cell-number-rounded",
        "check-digit-wrong": "citizen-number-check",
        "digit-missing": "citizen-number-length",
        "date-does-not-exist": "cell-date-impossible",
        "date-ambiguous": "cell-not-a-date",
        "level-unknown": "cell-not-a-term",
        "name-missing": "name-missing",
        "number-missing": "cell-missing",
        "expires-before-it-begins": "expires-before-it-begins",
        "score-not-a-number": "cell-not-a-number",
        "number-repeated": "cell-repeats-row",
    }
    assert reading.error_count == sum(not row.is_acceptable for row in messy_rows())


def test_a_story_with_a_slip_is_refused() -> None:
    with pytest.raises(InvalidInput, match="text-blank"):
        outcomes_module.outcome_of(
            {
                "kind": "training",
                "programme_code": "",
                "title": "x",
                "hours": "1",
                "issuer": "bureau",
                "awarded_on": date(2025, 1, 1),
            }
        )
