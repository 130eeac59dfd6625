"""Institutions that a decision speaks of are called by their names: codes say nothing to a learner."""

from datetime import date
from decimal import Decimal

from creditbank.conversion.holding import Applicant
from creditbank.locale.catalogue import LANGUAGES, catalogue
from creditbank.locale.decision_wording import decision_lines
from creditbank.locale.naming import names_of
from creditbank.outcomes.course import CourseCredit
from creditbank.outcomes.diploma import Diploma
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.services.bank import Principal
from creditbank.services.conversions import decide_for
from creditbank.services.institutions import Institution, register_institution
from creditbank.services.outcomes import record_outcome
from creditbank.services.questions import ExemptionQuestion, WaiverQuestion
from creditbank.terms import ExamId, IssuerId, ProgrammeId, Wording
from tests.banks import OPERATOR, new_account, new_bank
from tests.journeys.test_http import shipped_packs

SCHOOL = IssuerId("12999999DEMX00007D")
NAME = Wording(zh="澜沧江开放学院", en="Lancang Open College")


def test_whom_a_cap_is_over_and_whose_outcome_a_rule_asks_for_has_a_name() -> None:
    bank = new_bank()
    register_institution(
        bank,
        Principal(issuer=OPERATOR, is_operator=True),
        Institution(issuer=SCHOOL, name=NAME.zh, english_name=NAME.en, role="school"),
    )
    account = new_account(bank)
    principal = Principal(issuer=SCHOOL, is_operator=True)
    course = CourseCredit(
        course_code="KM-DATABASES",
        title="数据库",
        credits=Decimal(3),
        score=Decimal(80),
        issuer=SCHOOL,
        awarded_on=date(2025, 6, 30),
        attributes=(("accredited", "yes"), ("attendance", "90")),
    )
    diploma = Diploma(
        number="N1",
        level=FrameworkLevel(framework="GB/T 4658", level="31"),
        major_code="610301",
        major="畜牧兽医",
        issuer=SCHOOL,
        awarded_on=date(2024, 6, 30),
        attributes=(("average", "85"),),
    )
    for outcome in (course, diploma):
        record_outcome(bank, principal, account, outcome)
    rules = shipped_packs()
    counted = decide_for(
        bank,
        account,
        ExemptionQuestion(library=rules, programme=ProgrammeId("k-acbs-computing")),
        applicant=Applicant(),
    )
    waived = decide_for(
        bank,
        account,
        WaiverQuestion(library=rules, exam=ExamId("example-shapes-exam")),
        applicant=Applicant(),
    )
    for words in map(catalogue, LANGUAGES):
        name = NAME.zh if words.language == "zh-CN" else NAME.en
        for answer in (counted, waived):
            names = names_of(words, answer.place, answer.account, answer.packs, answer.institutions)
            said = decision_lines(words, answer.decision, names)
            about = said.caps if answer is counted else said.refusals
            assert any(name in line for line in about), about
            assert not any(SCHOOL in line for line in (*said.caps, *said.refusals))
