"""What an examiner found is recorded with an outcome, by workbook or over HTTP, and rules apply to it.

Seen to fail: attributes left out of what rules are told; empty attributes written into payloads.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from pydantic import TypeAdapter, ValidationError

from api.messages import OutcomeMessage, outcome_stated
from creditbank.account.body import outcome_id
from creditbank.account.facts import holdings_for_rules
from creditbank.account.holdings import holdings_of
from creditbank.account.outcome_body import BodyUnreadable, outcome_members, parse_outcome_members
from creditbank.conversion.holding import NOBODY_IN_PARTICULAR
from creditbank.documents.spreadsheet_template import row_of, write_template
from creditbank.outcomes import Outcome
from creditbank.outcomes.course import CourseCredit
from creditbank.rulepacks.library import Library
from creditbank.samples.people import sample_learners
from creditbank.services.conversions import decide_for
from creditbank.services.outcomes import correct_outcome, record_outcome
from creditbank.services.questions import ExemptionQuestion
from creditbank.terms import ProgrammeId
from creditbank.vocabularies.library import Vocabularies
from tests.banks import EAST, new_account, new_bank
from tests.commands import Commands
from tests.strategies.outcomes import outcomes
from tests.strategies.spreadsheet import ISSUER, LEARNER, LISTS, read

COURSE = CourseCredit(
    course_code="OTHER-CS1",
    title="程序设计导论",
    credits=Decimal(3),
    issuer=EAST.issuer,
    awarded_on=date(2025, 7, 1),
    score=Decimal(82),
    attributes=(("overlap", "80"), ("replaces", "BZ11")),
)
MESSAGE = {
    "kind": "course-credit",
    "course_code": "OTHER-CS1",
    "title": "程序设计导论",
    "credits": "3",
    "awarded_on": "2025-07-01",
    "score": "82",
    "attributes": {"replaces": "BZ11", "overlap": "80"},
}
PLAIN = replace(COURSE, attributes=())
MESSAGES: TypeAdapter[OutcomeMessage] = TypeAdapter(OutcomeMessage)


def exempted(*stated: Outcome) -> set[str]:
    bank = new_bank()
    account = new_account(bank)
    for outcome in stated:
        record_outcome(bank, EAST, account, outcome)
    question = ExemptionQuestion(library=Library.load(check=False), programme=ProgrammeId("bitzh-software"))
    answer = decide_for(bank, account, question, applicant=NOBODY_IN_PARTICULAR, as_of=date(2026, 2, 1))
    return {one.target for one in answer.decision.exemptions}


def test_a_shipped_rule_applies_to_a_course_of_which_an_examiner_found_enough_overlap() -> None:
    assert exempted(COURSE) == {"BZ11"}
    assert exempted(PLAIN) == set()
    assert exempted(replace(COURSE, attributes=(("overlap", "65"), ("replaces", "BZ11")))) == set()


def test_a_finding_that_comes_later_is_a_correction_and_rules_are_told_of_it() -> None:
    bank = new_bank()
    account = new_account(bank)
    recorded = record_outcome(bank, EAST, account, PLAIN)
    correct_outcome(bank, EAST, account, outcome_id(recorded.seq), COURSE, reason="审核认定")
    with bank.store.reading() as books:
        held = holdings_for_rules(holdings_of(books.ledger.entries_of(account.subject)))
    assert [one.attribute("overlap") for one in held if one.revoked_at is None] == ["80"]
    assert [one.attribute("mode") for one in held] == ["campus", "campus"]


@given(outcomes())
def test_attributes_are_an_optional_member_of_the_payload(outcome: Outcome) -> None:
    members = outcome_members(outcome)
    assert parse_outcome_members(members) == outcome
    assert ("attributes" in members) is bool(outcome.attributes)
    without = {name: value for name, value in members.items() if name != "attributes"}
    assert outcome_members(replace(outcome, attributes=())) == without


@pytest.mark.parametrize("stated", [{}, {"overlap": 80}, {"rank": "first"}, ["overlap"], {"Overlap": "80"}])
def test_a_payload_whose_attributes_are_none_is_unreadable(stated: object) -> None:
    members = {**outcome_members(PLAIN), "attributes": stated}
    with pytest.raises(BodyUnreadable):
        parse_outcome_members(members)  # type: ignore[arg-type]


def test_over_http_attributes_are_names_and_texts() -> None:
    assert outcome_stated(MESSAGES.validate_python(MESSAGE), issuer=EAST.issuer) == COURSE
    bare = {name: value for name, value in MESSAGE.items() if name != "attributes"}
    assert outcome_stated(MESSAGES.validate_python(bare), issuer=EAST.issuer) == PLAIN
    for wrong in ({"overlap": 80}, ["overlap"], "overlap=80", {f"a{n}": "x" for n in range(21)}):
        with pytest.raises(ValidationError):
            MESSAGES.validate_python({**MESSAGE, "attributes": wrong})


@pytest.mark.parametrize(
    "written", ["overlap=80; replaces=BZ11", "replaces＝BZ11；overlap＝80", " overlap = 80 ;replaces=BZ11; "]
)
def test_a_workbook_has_a_column_for_what_an_examiner_found(written: str) -> None:
    stream = BytesIO()
    course = replace(COURSE, issuer=ISSUER)
    row = {**row_of(LEARNER, course, LISTS.vocabularies), "attributes": written}
    write_template("course-credit", LISTS.vocabularies, stream, rows=[row])
    reading = read(stream.getvalue())
    assert [one.outcome for one in reading.rows] == [course]


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("80%", "cell-not-attributes"),
        ("overlap=", "cell-not-attributes"),
        ("重合=80", "attribute-name"),
        ("overlap=80; overlap=90", "attribute-twice"),
        ("mode=online", "attribute-reserved"),
    ],
)
def test_a_finding_that_cannot_be_read_is_named_cell_by_cell(written: str, reason: str) -> None:
    stream = BytesIO()
    row = {**row_of(LEARNER, COURSE, LISTS.vocabularies), "attributes": written}
    write_template("course-credit", LISTS.vocabularies, stream, rows=[row])
    reading = read(stream.getvalue())
    assert [(bad.code, bad.place.header) for bad in reading.errors] == [(reason, "审核结论")]


def test_a_posted_workbook_reaches_the_rules(commands: Commands, tmp_path: Path) -> None:
    learner = sample_learners()[0]
    vocabularies = Vocabularies.load().vocabularies
    file = tmp_path / "courses.xlsx"
    with file.open("wb") as stream:
        write_template("course-credit", vocabularies, stream, rows=[row_of(learner, COURSE, vocabularies)])
    commands.run("import", file, "--issuer", EAST.issuer)
    assert learner.citizen_number is not None
    account = commands.run("account", "find", "--citizen-number", learner.citizen_number.text).out.strip()
    asked = (
        "decide",
        "exemptions",
        account,
        "--programme",
        "bitzh-software",
        "--as-of",
        "2026-02-01",
        "--json",
    )
    decision = commands.run(*asked).json["decision"]
    assert [one["target"] for one in decision["exemptions"]] == ["BZ11"]
