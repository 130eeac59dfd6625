"""A school records results: one at a time, corrected, revoked, and a whole file at once."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256

import pytest

from creditbank.errors import NotAuthorised
from creditbank.identity.names import PersonNames
from creditbank.identity.person import Person
from creditbank.ledger.proof_file import Included, check, parse_proof_file
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.course import CourseCredit
from creditbank.outcomes.outcome import FrameworkLevel, OutcomeInvalid
from creditbank.samples.people import sample_learners
from creditbank.services.accounts import AccountExists, read_account
from creditbank.services.idempotency import IdempotencyKeyReused
from creditbank.services.import_outcomes import (
    FileRefused,
    Posted,
    PostedBatch,
    PostedBefore,
    WouldPost,
    import_outcomes,
    preview_import,
)
from creditbank.services.import_plan import ImportRow
from creditbank.services.log import prove_entry
from creditbank.services.outcome_keys import OutcomeRecorded
from creditbank.services.outcomes import (
    OutcomeEnded,
    OutcomeUnknown,
    correct_outcome,
    record_outcome,
    revoke_outcome,
)
from creditbank.services.publishing import publish_now
from creditbank.services.sequencing import sequence_pending
from creditbank.services.verify_certificate import NotFoundForThisName, Verified, verify_certificate
from creditbank.terms import OutcomeId
from tests.banks import EAST, RIVER, new_account, new_bank

TODAY = date(2026, 3, 1)
CERTIFICATE = SkillCertificate(
    number="S000054000012024300001",
    standard="X-XQYZ",
    title="家庭农场畜禽养殖",
    level=FrameworkLevel(framework="1+X", level="中级"),
    issuer=EAST.issuer,
    awarded_on=date(2024, 6, 1),
)
COURSE = CourseCredit(
    course_code="XM01",
    title="动物解剖生理",
    credits=Decimal(4),
    issuer=EAST.issuer,
    awarded_on=date(2024, 7, 1),
)
DIGEST = sha256(b"file").digest()


def receipt(batch: PostedBatch) -> bytes:
    return batch.number.encode()


def rows(*, first: int = 2) -> list[ImportRow]:
    return [
        ImportRow(row=first + place, person=learner, outcome=COURSE)
        for place, learner in enumerate(sample_learners()[:5])
    ]


def test_the_same_idempotency_key_answers_with_the_entry_it_made() -> None:
    bank = new_bank()
    number = new_account(bank)
    first = record_outcome(bank, EAST, number, CERTIFICATE, idempotency_key="k1")
    again = record_outcome(bank, EAST, number, CERTIFICATE, idempotency_key="k1")
    assert (again.seq, again.leaf_hash, again.repeated) == (first.seq, first.leaf_hash, True)
    assert len(read_account(bank, number).entries) == 2
    with pytest.raises(IdempotencyKeyReused):
        record_outcome(bank, EAST, number, COURSE, idempotency_key="k1")


def test_an_account_names_the_institutions_that_joined_since_it_was_read_last() -> None:
    bank = new_bank()
    number = new_account(bank)
    before = read_account(bank, number).issuer_names
    assert before.keys() == {EAST.issuer}
    record_outcome(bank, RIVER, number, replace(COURSE, issuer=RIVER.issuer))
    after = read_account(bank, number).issuer_names
    assert after.keys() == {EAST.issuer, RIVER.issuer}
    assert len(set(after.values())) == 2
    assert read_account(bank, number).issuer_names == after


def test_an_outcome_is_recorded_in_no_name_but_the_callers() -> None:
    bank = new_bank()
    number = new_account(bank)
    with pytest.raises(NotAuthorised):
        record_outcome(bank, RIVER, number, CERTIFICATE)
    record_outcome(bank, EAST, number, CERTIFICATE)
    with pytest.raises(NotAuthorised):
        revoke_outcome(bank, RIVER, number, OutcomeId("000001"), reason="另一所学校")
    with pytest.raises(OutcomeUnknown):
        correct_outcome(bank, EAST, number, OutcomeId("000009"), COURSE, reason="没有")


def test_one_certificate_stands_in_one_account_once() -> None:
    bank = new_bank()
    here, there = new_account(bank), new_account(bank, Person(names=PersonNames(chinese="次仁")))
    record_outcome(bank, EAST, here, CERTIFICATE)
    with pytest.raises(OutcomeRecorded, match="recorded-here"):
        record_outcome(bank, EAST, here, CERTIFICATE)
    with pytest.raises(OutcomeRecorded, match="recorded-elsewhere"):
        record_outcome(bank, EAST, there, CERTIFICATE)
    revoke_outcome(bank, EAST, here, OutcomeId("000001"), reason="录错人")
    record_outcome(bank, EAST, there, CERTIFICATE)
    with pytest.raises(OutcomeEnded):
        revoke_outcome(bank, EAST, here, OutcomeId("000001"), reason="再次")


def test_a_corrected_outcome_names_what_stands_in_its_place_now() -> None:
    bank = new_bank()
    number = new_account(bank)
    record_outcome(bank, EAST, number, COURSE)
    for corrects, score in (("000001", 81), ("000002", 82)):
        better = replace(COURSE, score=Decimal(score))
        correct_outcome(bank, EAST, number, OutcomeId(corrects), better, reason="成绩有误")
    for ended in ("000001", "000002"):
        with pytest.raises(OutcomeEnded) as refused:
            correct_outcome(bank, EAST, number, OutcomeId(ended), COURSE, reason="再改")
        assert (refused.value.reason, refused.value.values["successor"]) == ("outcome-corrected", "000003")


def test_a_correction_stands_in_the_place_of_what_it_corrects() -> None:
    bank = new_bank()
    number = new_account(bank)
    record_outcome(bank, EAST, number, COURSE)
    better = CourseCredit(
        course_code="XM01",
        title="动物解剖生理",
        credits=Decimal(5),
        issuer=EAST.issuer,
        awarded_on=COURSE.awarded_on,
    )
    correct_outcome(bank, EAST, number, OutcomeId("000001"), better, reason="学分录错")
    statement = read_account(bank, number)
    assert [held.outcome for held in statement.current] == [better]
    assert [held.corrected_by for held in statement.ended] == ["000002"]
    assert statement.course_credits == 5


def test_a_term_that_no_vocabulary_has_is_refused() -> None:
    bank = new_bank()
    number = new_account(bank)
    for level in (
        FrameworkLevel(framework="1+X", level="特级"),
        FrameworkLevel(framework="nowhere", level="初级"),
    ):
        with pytest.raises(OutcomeInvalid):
            record_outcome(bank, EAST, number, replace(CERTIFICATE, level=level))
    with pytest.raises(OutcomeInvalid, match="mode"):
        record_outcome(bank, EAST, number, replace(COURSE, mode="telepathy"))
    with pytest.raises(OutcomeInvalid, match="category"):
        new_account(bank, Person(names=PersonNames(chinese="次仁"), category="astronaut"))


def test_a_revocation_counts_between_the_award_and_today() -> None:
    bank = new_bank()
    number = new_account(bank)
    record_outcome(bank, EAST, number, CERTIFICATE)
    for day in (CERTIFICATE.awarded_on - timedelta(days=1), date(2999, 1, 1)):
        with pytest.raises(OutcomeInvalid, match="effective-on-range"):
            revoke_outcome(bank, EAST, number, OutcomeId("000001"), reason="误发", effective_on=day)
    ended = date(2025, 1, 1)
    revoke_outcome(bank, EAST, number, OutcomeId("000001"), reason="误发", effective_on=ended)
    held = read_account(bank, number).ended[0]
    assert not held.is_revoked(as_of=ended - timedelta(days=1))
    assert held.is_revoked(as_of=ended)


def test_a_correction_cannot_take_the_number_of_anothers_certificate() -> None:
    bank = new_bank()
    here, there = new_account(bank), new_account(bank, Person(names=PersonNames(chinese="次仁")))
    record_outcome(bank, EAST, here, CERTIFICATE)
    record_outcome(bank, EAST, there, replace(CERTIFICATE, number="S000054000012024300002"))
    with pytest.raises(OutcomeRecorded, match="recorded-elsewhere"):
        correct_outcome(bank, EAST, there, OutcomeId("000001"), CERTIFICATE, reason="编号录错")


def test_the_record_that_stands_answers_a_verifier() -> None:
    bank = new_bank()
    wrong, right = new_account(bank), new_account(bank)
    record_outcome(bank, EAST, wrong, CERTIFICATE)
    revoke_outcome(bank, EAST, wrong, OutcomeId("000001"), reason="录错人")
    record_outcome(bank, EAST, right, CERTIFICATE)
    sequence_pending(bank.store)
    found = verify_certificate(bank, number=CERTIFICATE.number, name="扎西多吉", as_of=TODAY)
    assert isinstance(found, Verified)
    assert found.report.passed


def test_nobody_gets_two_accounts() -> None:
    bank = new_bank()
    new_account(bank, sample_learners()[0])
    with pytest.raises(AccountExists):
        new_account(bank, sample_learners()[0])


def test_a_file_is_posted_once_and_opens_the_accounts_it_needs() -> None:
    bank = new_bank()
    looked_at: list[int] = []
    would = preview_import(bank, EAST, rows(), file_digest=DIGEST, on_progress=looked_at.append)
    assert sum(looked_at) == len(rows())
    assert would == WouldPost(rows=5, accounts_opened=5, outcomes_recorded=5)
    sequence_pending(bank.store)
    posted = import_outcomes(bank, EAST, rows(), file_digest=DIGEST, write_receipt=receipt)
    assert isinstance(posted, Posted)
    assert sequence_pending(bank.store) == 10
    again = import_outcomes(bank, EAST, rows(), file_digest=DIGEST, write_receipt=receipt)
    assert isinstance(again, PostedBefore)
    assert again.batch.receipt == posted.receipt
    other = import_outcomes(bank, EAST, rows(), file_digest=sha256(b"other").digest(), write_receipt=receipt)
    assert isinstance(other, Posted)
    assert (other.batch.outcomes_recorded, other.batch.accounts_opened) == (0, 0)


def test_one_row_that_cannot_be_posted_refuses_the_file() -> None:
    bank = new_bank()
    learner = sample_learners()[0]
    impostor = Person(names=PersonNames(chinese="另一个人"), citizen_number=learner.citizen_number)
    new_account(bank, learner)
    with bank.store.reading() as books:
        before = books.ledger.size()
    wrong = ImportRow(row=9, person=impostor, outcome=CERTIFICATE)
    twice = ImportRow(row=10, person=sample_learners()[1], outcome=COURSE)
    answer = import_outcomes(bank, EAST, [*rows(), wrong, twice], file_digest=DIGEST, write_receipt=receipt)
    assert isinstance(answer, FileRefused)
    assert [(row.row, row.reason) for row in answer.rows] == [(9, "name-differs"), (10, "row-repeated")]
    with bank.store.reading() as books:
        assert books.ledger.size() == before


def test_a_certificate_is_verified_by_number_and_name_and_never_by_number_alone() -> None:
    bank = new_bank()
    number = new_account(bank)
    record_outcome(bank, EAST, number, CERTIFICATE)
    waiting = verify_certificate(bank, number=CERTIFICATE.number, name="扎西多吉", as_of=TODAY)
    assert isinstance(waiting, Verified)
    assert [check.name for check in waiting.report.checks if not check.passed] == ["in-the-log"]
    sequence_pending(bank.store)
    found = verify_certificate(bank, number=CERTIFICATE.number.lower(), name="扎西多吉", as_of=TODAY)
    assert isinstance(found, Verified)
    assert found.report.passed
    for asked, name in ((CERTIFICATE.number, "次仁"), ("S1", "扎西·多吉"), (CERTIFICATE.number, "")):
        assert verify_certificate(bank, number=asked, name=name, as_of=TODAY) == NotFoundForThisName()
    revoke_outcome(bank, EAST, number, OutcomeId("000001"), reason="误发")
    revoked = verify_certificate(bank, number=CERTIFICATE.number, name="བཀྲ་ཤིས་རྡོ་རྗེ", as_of=TODAY)
    assert isinstance(revoked, Verified)
    assert [check.name for check in revoked.report.checks if not check.passed] == ["not-revoked"]


def test_an_entry_is_proved_to_a_stranger_by_a_file() -> None:
    bank = new_bank()
    number = new_account(bank)
    record_outcome(bank, EAST, number, CERTIFICATE)
    publish_now(bank)
    found = check(parse_proof_file(prove_entry(bank, number.subject, 1)), bank.verifier_keys)
    assert isinstance(found, Included)
    assert (found.leaf.subject, found.leaf.seq, found.leaf.kind) == (number.subject, 1, "outcome.recorded")
