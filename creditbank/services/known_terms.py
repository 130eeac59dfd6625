"""Refuse terms that no vocabulary has, whichever way an outcome or a person comes in.

A workbook's reader names the cell before it comes to this; over HTTP and at the counter this is the check.
Which vocabularies there are is dated data: a new term is a line in a file.
"""

from collections.abc import Mapping
from datetime import date
from typing import assert_never

from creditbank.identity.person import Person
from creditbank.outcomes import Outcome
from creditbank.outcomes.award import Award
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.course import CourseCredit
from creditbank.outcomes.diploma import Diploma
from creditbank.outcomes.experience import Experience
from creditbank.outcomes.outcome import FrameworkLevel, OutcomeInvalid
from creditbank.outcomes.training import Training
from creditbank.outcomes.vocabulary import Vocabulary

Vocabularies = Mapping[str, Vocabulary]


def require_known_terms(vocabularies: Vocabularies, outcome: Outcome) -> None:
    """Make sure that an outcome's terms were valid on the day of its award.

    Raises:
        OutcomeInvalid: `term-unknown` or `framework-unknown`; the values name what there is.
    """
    day = outcome.awarded_on
    match outcome:
        case Diploma():
            _require_level(vocabularies, outcome.level, day)
            _require(vocabularies, "study-form", outcome.study_form, day, field="study_form")
        case SkillCertificate():
            if outcome.level is not None:
                _require_level(vocabularies, outcome.level, day)
        case CourseCredit():
            _require(vocabularies, "course-mode", outcome.mode, day, field="mode")
        case Award():
            _require(vocabularies, "organiser-level", outcome.organiser_level, day, field="organiser_level")
            _require(vocabularies, "award-rank", outcome.rank, day, field="rank")
        case Experience():
            _require(vocabularies, "experience-form", outcome.form, day, field="form")
        case Training():
            pass
        case _:
            assert_never(outcome)


def require_awarded(outcome: Outcome, *, today: date) -> None:
    """Make sure that an outcome was awarded today or before.

    Raises:
        OutcomeInvalid: `awarded-in-future`.
    """
    if outcome.awarded_on > today:
        raise OutcomeInvalid("awarded-in-future", field="awarded_on", awarded_on=outcome.awarded_on)


def require_known_category(vocabularies: Vocabularies, person: Person, *, on: date) -> None:
    """Make sure that a person's category is one.

    Raises:
        OutcomeInvalid: `term-unknown`.
    """
    _require(vocabularies, "person-category", person.category, on, field="category")


def _require_level(vocabularies: Vocabularies, level: FrameworkLevel, day: date) -> None:
    frameworks = {listed.framework: name for name, listed in vocabularies.items() if listed.framework}
    if level.framework not in frameworks:
        known = sorted(frameworks)
        raise OutcomeInvalid("framework-unknown", field="level", value=level.framework, known=known)
    _require(vocabularies, frameworks[level.framework], level.level, day, field="level")


def _require(vocabularies: Vocabularies, name: str, code: str | None, day: date, *, field: str) -> None:
    vocabulary = vocabularies[name]
    if code is not None and vocabulary.term(code, on=day) is None:
        known = [term.code for term in vocabulary.terms_valid(on=day)]
        raise OutcomeInvalid("term-unknown", field=field, value=code, known=known)
