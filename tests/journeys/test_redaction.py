"""Redacting an account: what the service promises, whoever writes at the same time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from creditbank.account.body import parse_body
from creditbank.account.redaction import Destroyed, Redacted, RedactionNamed
from creditbank.conversion.holding import Applicant
from creditbank.documents.receipt import receipt_without
from creditbank.errors import CreditBankError, NotAuthorised
from creditbank.identity.account_number import AccountNumber
from creditbank.identity.names import PersonNames
from creditbank.identity.person import Person
from creditbank.ledger.entry import REDACTION
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.outcome import FrameworkLevel, OutcomeInvalid
from creditbank.rulepacks.library import Library
from creditbank.samples.people import protagonist
from creditbank.services.accounts import AccountRedacted, account_of_citizen, read_account
from creditbank.services.bank import Bank, Principal
from creditbank.services.conversions import apply_for, decide_for
from creditbank.services.import_outcomes import FileRefused, preview_import
from creditbank.services.import_plan import ImportRow
from creditbank.services.officers import (
    TwoPersons,
    TwoPersonsNeeded,
    add_officer,
    retire_officer,
    two_persons,
)
from creditbank.services.outcomes import correct_outcome, record_outcome, revoke_outcome
from creditbank.services.questions import ExemptionQuestion
from creditbank.services.redaction import (
    RedactionInvalid,
    finish_redactions,
    preview_redaction,
    reapply_redactions,
    redact_account,
    redactions_missing,
)
from creditbank.services.verify_certificate import NotFoundForThisName, verify_certificate
from creditbank.storage.sql_store import SqlStore
from creditbank.terms import OutcomeId, ProgrammeId
from tests.banks import EAST, OPERATOR, new_account, new_bank
from tests.engines import opened, postgresql_url, sqlite_url

OPERATING = Principal.operator(OPERATOR)
TODAY = date(2026, 3, 1)
CERTIFICATE = SkillCertificate(
    number="DEMO-1",
    standard="CD-X-JTNC",
    title="家庭农场畜禽养殖",
    level=FrameworkLevel(framework="1+X", level="中级"),
    issuer=EAST.issuer,
    awarded_on=date(2024, 6, 1),
)
HUSBANDRY = ProgrammeId("changdu-animal-husbandry")


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def bank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bank]:
    if request.param == "memory":
        yield new_bank()
    elif request.param == "sqlite":
        with opened(sqlite_url(tmp_path)) as engine:
            yield new_bank(SqlStore(engine))
    else:
        with postgresql_url() as url, opened(url) as engine:
            yield new_bank(SqlStore(engine))


def persons_of(bank: Bank) -> TwoPersons:
    tokens = [add_officer(bank, OPERATING, name)[1] for name in ("one", "two")]
    return two_persons(bank, first_token=tokens[0], second_token=tokens[1])


def redact(bank: Bank, account: AccountNumber, persons: TwoPersons | None = None, **more: str) -> Destroyed:
    asked = {"ground": "consent-withdrawn", **more}
    return redact_account(
        bank,
        OPERATING,
        persons or persons_of(bank),
        account,
        ground=asked["ground"],
        note=asked.get("note"),
        receipt_without=receipt_without,
    ).destroyed


def cleaned(bank: Bank, *left: str, by_hand: bool = False) -> list[RedactionNamed]:
    """Finish with cleaning that takes no step, and return what the register was given."""
    register: list[RedactionNamed] = []
    finish_redactions(
        bank,
        receipt_without=receipt_without,
        register=register.extend,
        clean=lambda _: left,
        on_step=lambda _: None,
        by_hand=by_hand,
    )
    return register


def learner(bank: Bank, *, number: str = "DEMO-1", person: Person | None = None) -> AccountNumber:
    account = new_account(bank, person or protagonist())
    record_outcome(bank, EAST, account, replace(CERTIFICATE, number=number), idempotency_key="k")
    return account


def test_a_redacted_account_says_that_it_is_and_nothing_else(bank: Bank) -> None:
    account = learner(bank)
    another = learner(bank, number="DEMO-2", person=Person(names=PersonNames(romanised="Somebody Else")))
    before = read_account(bank, another)
    question = ExemptionQuestion(library=Library.load(check=False), programme=HUSBANDRY)
    grants = apply_for(bank, EAST, account, question, applicant=Applicant()).registered
    assert grants
    reach = preview_redaction(bank, account)
    assert redact(bank, account, note="书面申请") == reach
    assert reach == Destroyed(
        payloads=2 + len(grants), idempotency_keys=1, outcome_keys=1, identities=1, receipts=0, answers=0
    )
    for look in (
        lambda: read_account(bank, account),
        lambda: preview_redaction(bank, account),
        lambda: redact(bank, account),
        lambda: record_outcome(bank, EAST, account, CERTIFICATE),
        lambda: record_outcome(bank, EAST, account, CERTIFICATE, idempotency_key="k"),
        lambda: correct_outcome(bank, EAST, account, OutcomeId("000001"), CERTIFICATE, reason="r"),
        lambda: revoke_outcome(bank, EAST, account, OutcomeId("000001"), reason="r"),
        lambda: decide_for(bank, account, question, applicant=Applicant()),
        lambda: apply_for(bank, EAST, account, question, applicant=Applicant()),
    ):
        with pytest.raises(AccountRedacted) as refused:
            look()
        assert set(refused.value.values) == {"number", "redacted_at"}
    assert read_account(bank, another) == before
    with bank.store.reading() as books:
        *gone, last = books.ledger.entries_of(account.subject)
    assert all(entry.payload is None and entry.idempotency_key is None for entry in gone)
    assert last.payload is not None
    body = parse_body(last.leaf.kind, last.payload.content)
    assert isinstance(body, Redacted)
    assert (body.destroyed, body.note, body.ground) == (reach, "书面申请", "consent-withdrawn")
    assert last.leaf.issuer == OPERATOR


def test_a_certificate_of_a_redacted_account_answers_like_any_other_miss(bank: Bank) -> None:
    account = learner(bank)
    verify = partial(verify_certificate, bank, number="DEMO-1", name=protagonist().names.shown, as_of=TODAY)
    assert verify() != NotFoundForThisName()
    redact(bank, account)
    assert verify() == NotFoundForThisName()


def test_the_same_person_and_the_same_certificate_start_anew(bank: Bank) -> None:
    old = learner(bank)
    redact(bank, old)
    new = learner(bank)
    number = protagonist().citizen_number
    assert number is not None
    assert account_of_citizen(bank, number) == new != old
    assert len(read_account(bank, new).current) == 1
    assert read_account(bank, new).active_grants == ()


def test_a_row_about_a_redacted_account_is_refused_by_name(bank: Bank) -> None:
    account = learner(bank)
    redact(bank, account)
    rows = [ImportRow(row=7, person=protagonist(), outcome=CERTIFICATE, account=account)]
    refused = preview_import(bank, EAST, rows, file_digest=bytes(32))
    assert isinstance(refused, FileRefused)
    assert [(row.row, row.reason) for row in refused.rows] == [(7, "account-redacted")]


@pytest.mark.parametrize(
    "note",
    ["{chinese}本人申请", "asked by {romanised}", "{tibetan}", "身份证 {number} 的持有人", "电话 {phone}"],
)
def test_a_note_that_names_the_learner_is_refused(bank: Bank, note: str) -> None:
    person = replace(protagonist(), phone="+8613912345678")
    account = learner(bank, person=person)
    names, number = person.names, person.citizen_number
    assert number is not None
    told = {"chinese": names.chinese, "romanised": names.romanised, "tibetan": names.tibetan}
    with pytest.raises(RedactionInvalid, match="note-names-person"):
        redact(bank, account, note=note.format(number=number.text, phone=person.phone, **told))
    assert read_account(bank, account).current


def test_a_redaction_is_asked_for_as_it_must_be(bank: Bank) -> None:
    account = learner(bank)
    persons = persons_of(bank)
    with pytest.raises(RedactionInvalid, match="ground-unknown"):
        redact(bank, account, persons, ground="because")
    for note in ("", "two\nlines", "x" * 201):
        with pytest.raises(OutcomeInvalid):
            redact(bank, account, persons, note=note)
    with pytest.raises(NotAuthorised):
        redact_account(
            bank,
            Principal(issuer=EAST.issuer),
            persons,
            account,
            ground="unlawful",
            receipt_without=receipt_without,
        )
    retire_officer(bank, OPERATING, persons.second)
    with pytest.raises(TwoPersonsNeeded, match="officer-retired"):
        redact(bank, account, persons)
    assert read_account(bank, account).current


def test_what_is_uncleaned_stays_so_until_every_step_was_taken(bank: Bank) -> None:
    account = learner(bank)
    redact(bank, account)
    for left in (("journal",), ("rewrite", "journal")):
        (named,) = cleaned(bank, *left)
        assert named.account == account
    assert cleaned(bank, "journal", by_hand=True) == [named]
    assert cleaned(bank) == []


def test_a_redaction_that_the_register_names_is_done_again(bank: Bank) -> None:
    account, another = (
        learner(bank),
        learner(bank, number="2", person=Person(names=PersonNames(romanised="S E"))),
    )
    named = [
        RedactionNamed(account=one, seq=2, redacted_at=bank.now(), ground="unlawful", leaf_hash=bytes(32))
        for one in (account, account)
    ]
    assert redactions_missing(bank, named) == named[1:]
    missing = redactions_missing(bank, named)
    with pytest.raises(RedactionInvalid, match="persons-for-missing"):
        reapply(bank, missing, None)
    assert reapply(bank, missing, persons_of(bank)) == (0, 0, 1)
    assert redactions_missing(bank, named) == []
    with pytest.raises(AccountRedacted):
        read_account(bank, account)
    assert read_account(bank, another).current
    assert reapply(bank, [], None) == (1, 0, 0)


def reapply(bank: Bank, missing: object, persons: TwoPersons | None) -> tuple[int, int, int]:
    assert isinstance(missing, list)
    done = reapply_redactions(
        bank, OPERATING, missing, persons, receipt_without=receipt_without, on_progress=lambda _: None
    )
    return done.in_log, done.applied, done.redacted_again


WRITERS = 6


def test_whoever_writes_meanwhile_nothing_is_left_and_nothing_follows(bank: Bank) -> None:
    account = learner(bank)
    persons = persons_of(bank)

    def record(place: int) -> object:
        try:
            return record_outcome(
                bank, EAST, account, replace(CERTIFICATE, number=f"DEMO-{place}"), idempotency_key=f"k{place}"
            )
        except CreditBankError as error:
            return error.reason

    with ThreadPoolExecutor(WRITERS + 1) as pool:
        writing = [pool.submit(record, place) for place in range(2, 2 + WRITERS * 3)]
        destroyed = pool.submit(redact, bank, account, persons).result()
        answers = [one.result() for one in writing]
    refused = [answer for answer in answers if isinstance(answer, str)]
    assert set(refused) <= {"account-redacted"}
    with bank.store.reading() as books:
        *before, last = books.ledger.entries_of(account.subject)
        assert last.leaf.kind == REDACTION
        assert (
            len(before)
            == 2 + len(answers) - len(refused)
            == destroyed.payloads
            == destroyed.idempotency_keys + 1
        )
        assert all(entry.payload is None and entry.idempotency_key is None for entry in before)
        assert books.redactions.unapplied(list(books.redactions.in_log())) == []
