"""What is redeemed for good in one programme is gone in the next, whichever of the two rules says so."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from creditbank.conversion.holding import Applicant
from creditbank.identity.account_number import AccountNumber
from creditbank.locale.catalogue import LANGUAGES, catalogue
from creditbank.locale.decision_wording import decision_lines
from creditbank.locale.naming import names_of
from creditbank.outcomes.course import CourseCredit
from creditbank.rulepacks.library import Library
from creditbank.services.accounts import read_account
from creditbank.services.bank import Bank, Principal
from creditbank.services.conversions import apply_for, decide_for
from creditbank.services.diploma_audits import audit_account
from creditbank.services.outcomes import correct_outcome, record_outcome
from creditbank.services.questions import ExemptionQuestion
from creditbank.terms import CourseId, ProgrammeId
from tests.banks import EAST, new_account, new_bank

DAY = date(2026, 3, 1)
ARTS, SCIENCE, OLD = ProgrammeId("arts"), ProgrammeId("science"), ProgrammeId("old")
PACK = """id = "abc-2025"
authority = "abc"
title = "兑换"
about = "示例"
official = false
published_at = 2025-01-01T00:00:00+08:00
effective_from = 2025-01-01
date_basis = "application"
step = 1
citation = [{ id = "s", title = "依据" }]
[[programme]]
id = "arts"
title = "文科"
credits = 3
buckets = [{ id = "credits", title = "可兑换学分", capacity = 3 }]
[[programme]]
id = "science"
title = "理科"
credits = 10
buckets = [{ id = "credits", title = "可兑换学分", capacity = 10 }]
[[programme]]
id = "old"
title = "旧专业"
credits = 10
buckets = [{ id = "credits", title = "可兑换学分", capacity = 10 }]
[[rule]]
id = "redeem"
cite = ["s"]
say = "兑换后不再可用"
scope = { programmes = ["arts", "science"] }
premise = [{ kind = "course-credit", codes = ["HISTORY"], use = "draw", for_good = true }]
grant = { mode = "each", buckets = ["credits"] }
[[rule]]
id = "as-often-as-you-like"
cite = ["s"]
say = "每个专业都可用"
scope = { programmes = ["old"] }
premise = [{ kind = "course-credit", codes = ["HISTORY"], use = "draw" }]
grant = { mode = "each", buckets = ["credits"] }
"""


@pytest.fixture
def library(tmp_path: Path) -> Library:
    (tmp_path / "abc").mkdir()
    (tmp_path / "abc" / "2025-01-01.toml").write_text(PACK, "utf-8")
    return Library.load(tmp_path, check=False)


@pytest.fixture
def learner() -> tuple[Bank, AccountNumber]:
    bank = new_bank()
    number = new_account(bank)
    course = CourseCredit(
        issuer=EAST.issuer,
        course_code=CourseId("HISTORY"),
        title="历史",
        credits=Decimal(5),
        awarded_on=date(2025, 6, 1),
        mode="campus",
    )
    record_outcome(bank, Principal(issuer=EAST.issuer), number, course)
    return bank, number


def granted(learner: tuple[Bank, AccountNumber], library: Library, programme: ProgrammeId) -> Decimal:
    question = ExemptionQuestion(library=library, programme=programme)
    return decide_for(*learner, question, applicant=Applicant(), as_of=DAY).decision.credits


def test_what_is_redeemed_for_good_is_gone_in_the_next_programme(
    learner: tuple[Bank, AccountNumber], library: Library
) -> None:
    assert [granted(learner, library, one) for one in (ARTS, SCIENCE, OLD)] == [3, 5, 5]
    question = ExemptionQuestion(library=library, programme=ARTS)
    apply_for(learner[0], EAST, learner[1], question, applicant=Applicant(), as_of=DAY)
    assert [granted(learner, library, one) for one in (ARTS, SCIENCE, OLD)] == [0, 2, 2]
    for programme in (SCIENCE, OLD):
        rest = decide_for(
            *learner,
            ExemptionQuestion(library=library, programme=programme),
            applicant=Applicant(),
            as_of=DAY,
        )
        assert rest.decision.nowhere == ()  # of the five credits three are gone and two are given
    audit = audit_account(*learner, library, SCIENCE, applicant=Applicant(), as_of=DAY)
    assert audit.audit.total.exemptable == 2
    science = ExemptionQuestion(library=library, programme=SCIENCE)
    apply_for(learner[0], EAST, learner[1], science, applicant=Applicant(), as_of=DAY)
    found = decide_for(
        *learner,
        ExemptionQuestion(library=library, programme=OLD),
        applicant=Applicant(),
        as_of=DAY,
    )
    assert found.decision.credits == 0
    (refusal,) = found.decision.refusals
    assert refusal.kind == "spent-elsewhere"
    assert list(map(str, refusal.by)) == ["arts/redeem", "science/redeem"]
    assert found.decision.nowhere == ()  # it counts, elsewhere
    for language in LANGUAGES:
        names = names_of(catalogue(language), found.place, found.account, found.packs)
        (line,) = decision_lines(catalogue(language), found.decision, names).refusals
        assert "历史" in line


def test_what_is_corrected_is_looked_at_in_each_programme(
    learner: tuple[Bank, AccountNumber], library: Library
) -> None:
    """Caught: the grants of one rule in two programmes, taken for one application in the first."""
    bank, number = learner
    for programme in (ARTS, SCIENCE):
        question = ExemptionQuestion(library=library, programme=programme)
        apply_for(bank, EAST, number, question, applicant=Applicant(), as_of=DAY)

    def corrected(credits_: int) -> list[str]:
        held = next(one for one in read_account(bank, number).holdings.outcomes if one.is_current)
        assert isinstance(held.outcome, CourseCredit)
        outcome = replace(held.outcome, credits=Decimal(credits_))
        by = Principal(issuer=EAST.issuer)
        correct_outcome(bank, by, number, held.id, outcome, reason="更正", rules=library)
        return [one.status for one in read_account(bank, number).holdings.grants]

    assert corrected(6) == ["active", "active"]
    assert corrected(4) == ["suspended", "suspended"]  # three and two are no longer there
