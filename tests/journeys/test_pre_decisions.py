"""Pre-decisions in the ledger: given on what is planned, kept when rules change, withdrawn by two."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from creditbank.account.planned import PlannedInvalid, parse_planned
from creditbank.conversion.holding import Applicant
from creditbank.conversion.published import PackMissing
from creditbank.errors import NotAuthorised
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.diploma import Diploma
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.rulepacks.library import Library
from creditbank.samples.people import sample_issuer
from creditbank.services.accounts import read_account
from creditbank.services.bank import Principal
from creditbank.services.conversions import DayInvalid, apply_for, decide_for
from creditbank.services.known import LogSize
from creditbank.services.officers import add_officer, two_persons
from creditbank.services.outcomes import record_outcome, revoke_outcome
from creditbank.services.pre_decisions import (
    NothingToPromise,
    PreDecisionEnded,
    PreDecisionInvalid,
    PreDecisionUnknown,
    give_pre_decision,
    withdraw_pre_decision,
)
from creditbank.services.questions import ExemptionQuestion, WaiverQuestion
from creditbank.services.sequencing import sequence_pending
from creditbank.terms import ExamId, OutcomeId, ProgrammeId
from tests.banks import BEGINNING, EAST, OPERATOR, RIVER, new_account, new_bank
from tests.commands import Commands
from tests.strategies.small_packs import EXAMPLES, PROGRAMME, RULE, SOUND, WAIVER, head, write

TODAY = BEGINNING.date()
UNTIL = TODAY + timedelta(days=300)
PLANNED = parse_planned("kind=skill-certificate,code=X,level=1+X/中级")
PLANNED_LATER = parse_planned("kind=skill-certificate,code=X,level=1+X/中级,awarded_on=2026-09-01")
EXAM = WAIVER.format(caps="", part="p")
STRICTER = (
    head("later", published="2026-02-01", effective="2026-03-01")
    + PROGRAMME
    + RULE.replace("中级", "高级")
    + EXAMPLES.replace("中级", "高级").replace("2025-06-01", "2026-06-01")
)


def library(directory: Path, *packs: str) -> Library:
    return Library.load(write(directory, *packs), shipped=False)


def certificate(number: str = "S1") -> SkillCertificate:
    return SkillCertificate(
        number=number,
        standard="X",
        title="网页",
        level=FrameworkLevel(framework="1+X", level="中级"),
        issuer=EAST.issuer,
        awarded_on=TODAY,
    )


def test_a_promise_is_kept_when_the_rules_have_become_stricter(tmp_path: Path) -> None:
    bank, number = (made := new_bank()), new_account(made)
    before, after = library(tmp_path / "a", SOUND), library(tmp_path / "b", SOUND, STRICTER)
    asked = ExemptionQuestion(library=before, programme=ProgrammeId("web"))
    given = give_pre_decision(
        bank, EAST, number, asked, applicant=Applicant(), until=UNTIL, planned=[PLANNED]
    )
    assert given.decision.credits == Decimal(4)
    held = read_account(bank, number).holdings.promises
    assert [(one.id, one.promised.until, one.promised.planned) for one in held] == [
        (given.registered[0], UNTIL, (PLANNED.text,))
    ]
    record_outcome(bank, EAST, number, certificate())
    sequence_pending(bank.store)
    with bank.store.reading() as books:
        size = LogSize(entries=books.ledger.size())
    now = ExemptionQuestion(library=after, programme=ProgrammeId("web"))
    day = TODAY + timedelta(days=30)
    kept = decide_for(bank, number, now, applicant=Applicant(), as_of=day)
    assert (kept.decision.credits, [one.pre_decision for one in kept.decision.kept]) == (
        Decimal(4),
        [held[0].id],
    )
    late = decide_for(bank, number, now, applicant=Applicant(), as_of=UNTIL + timedelta(days=1))
    assert (late.decision.units, late.decision.kept) == (0, ())
    gone = ExemptionQuestion(library=library(tmp_path / "c", STRICTER), programme=ProgrammeId("web"))
    with pytest.raises(PackMissing):
        decide_for(bank, number, gone, applicant=Applicant(), as_of=day)
    granted = apply_for(bank, EAST, number, now, applicant=Applicant(), as_of=TODAY)
    tokens = [add_officer(bank, Principal.operator(OPERATOR), name)[1] for name in ("甲", "乙")]
    persons = two_persons(bank, first_token=tokens[0], second_token=tokens[1])
    with pytest.raises(NotAuthorised):
        withdraw_pre_decision(bank, RIVER, persons, number, held[0].id, reason="不是我们的")
    withdraw_pre_decision(bank, EAST, persons, number, held[0].id, reason="误发")
    with pytest.raises(PreDecisionEnded):
        withdraw_pre_decision(bank, EAST, persons, number, held[0].id, reason="再次")
    with pytest.raises(PreDecisionUnknown):
        withdraw_pre_decision(bank, EAST, persons, number, OutcomeId("000777"), reason="没有")
    record_outcome(bank, EAST, number, certificate("S2"))
    assert decide_for(bank, number, now, applicant=Applicant(), as_of=day).decision.kept == ()
    replayed = decide_for(bank, number, now, applicant=Applicant(), as_of=day, known_at=size)
    assert replayed.decision.exemptions == kept.decision.exemptions
    assert replayed.decision.kept == kept.decision.kept
    account = read_account(bank, number).holdings
    assert [one.id for one in account.active_grants] == list(granted.registered)


def test_a_grant_made_by_a_promise_falls_with_its_evidence_and_with_nothing_else(tmp_path: Path) -> None:
    bank, number = (made := new_bank()), new_account(made)
    before, after = library(tmp_path / "a", SOUND), library(tmp_path / "b", SOUND, STRICTER)
    asked = ExemptionQuestion(library=before, programme=ProgrammeId("web"))
    give_pre_decision(bank, EAST, number, asked, applicant=Applicant(), until=UNTIL, planned=[PLANNED])
    first = record_outcome(bank, EAST, number, certificate("S1"))
    other = record_outcome(bank, EAST, number, certificate("S2"))
    now = ExemptionQuestion(library=after, programme=ProgrammeId("web"))
    apply_for(bank, EAST, number, now, applicant=Applicant(), as_of=TODAY)
    (grant,) = read_account(bank, number).holdings.active_grants
    spent = [OutcomeId(f"{one.seq:06}") for one in (first, other)]
    unused = next(one for one in spent if one not in grant.evidence)
    revoke_outcome(bank, EAST, number, unused, reason="误发")
    assert read_account(bank, number).holdings.active_grants == (grant,)
    revoke_outcome(bank, EAST, number, grant.evidence[0], reason="误发")
    assert read_account(bank, number).holdings.active_grants == ()


def test_a_waiver_that_was_promised_is_given_under_the_rule_as_it_was(tmp_path: Path) -> None:
    bank, number = (made := new_bank()), new_account(made)
    stricter = (head("later", published="2026-02-01", effective="2026-03-01") + EXAM).replace(
        "2025-", "2026-"
    )
    stricter = stricter.replace("2026-06-01", "2026-09-01").replace('"D"', '"E"')
    before = library(tmp_path / "a", head() + EXAM)
    after = library(tmp_path / "b", head() + EXAM, stricter)
    asked = WaiverQuestion(library=before, exam=ExamId("e"))
    planned = [parse_planned("kind=diploma,code=D")]
    given = give_pre_decision(bank, EAST, number, asked, applicant=Applicant(), until=UNTIL, planned=planned)
    diploma = Diploma(
        number="D1",
        level=FrameworkLevel(framework="GB/T 4658", level="31"),
        major_code="D",
        major="畜牧兽医",
        issuer=EAST.issuer,
        awarded_on=TODAY,
    )
    record_outcome(bank, EAST, number, diploma)
    now = WaiverQuestion(library=after, exam=ExamId("e"))
    kept = decide_for(bank, number, now, applicant=Applicant(), as_of=UNTIL).decision
    assert [one.part for one in kept.waivers] == ["p"]
    assert [one.pre_decision for one in kept.kept] == list(given.registered)
    late = decide_for(bank, number, now, applicant=Applicant(), as_of=UNTIL + timedelta(days=1)).decision
    assert (late.waivers, late.kept) == ((), ())


def test_what_cannot_be_promised_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    bank, number = (made := new_bank()), new_account(made)
    asked = ExemptionQuestion(library=library(tmp_path, SOUND), programme=ProgrammeId("web"))
    with pytest.raises(PreDecisionInvalid):
        give_pre_decision(
            bank,
            EAST,
            number,
            asked,
            applicant=Applicant(),
            until=TODAY - timedelta(days=1),
            planned=[PLANNED],
        )
    with pytest.raises(PreDecisionInvalid):
        give_pre_decision(
            bank, EAST, number, asked, applicant=Applicant(), until=UNTIL, planned=[PLANNED_LATER]
        )
    with pytest.raises(NothingToPromise):
        give_pre_decision(bank, EAST, number, asked, applicant=Applicant(), until=UNTIL)
    station = Principal(issuer=sample_issuer("station"), is_operator=True)
    for by in (give_pre_decision, apply_for):
        terms = {"until": UNTIL, "planned": [PLANNED]} if by is give_pre_decision else {"as_of": TODAY}
        with pytest.raises(NotAuthorised):
            by(bank, station, number, asked, applicant=Applicant(), **terms)
    with pytest.raises(DayInvalid):
        apply_for(bank, EAST, number, asked, applicant=Applicant(), as_of=TODAY + timedelta(days=1))
    assert read_account(bank, number).holdings.promises == ()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "planned-not-read"),
        ("kind", "planned-not-read"),
        ("kind=award,kind=award", "planned-not-read"),
        ("kind=award", "planned-incomplete"),
        ("kind=medal,code=X", "planned-kind"),
        ("kind=award,code=X,credits=NaN", "planned-number"),
        ("kind=award,code=X,credits=-1", "planned-number"),
        ("kind=award,code=X,awarded_on=tomorrow", "planned-day"),
        ("kind=skill-certificate,code=X,level=中级", "planned-level"),
    ],
)
def test_a_planned_outcome_that_cannot_be_read_says_which_part(text: str, code: str) -> None:
    with pytest.raises(PlannedInvalid) as refused:
        parse_planned(text)
    assert refused.value.reason == code


def test_a_pre_decision_is_given_and_withdrawn_on_the_command_line(
    commands: Commands, tmp_path: Path
) -> None:
    account = commands.run(
        "account", "open", "--name", "卓玛", "--citizen-number", "999999200906173026", "--json"
    ).json["account"]
    until = (date.today() + timedelta(days=90)).isoformat()  # noqa: DTZ011 - the clerk's own calendar
    planned = "kind=skill-certificate,code=CD-X-JTNC,level=1+X/中级"
    asked = ("decide", "pre-decision", account, "--programme", "changdu-animal-husbandry", "--until", until)
    given = commands.run(*asked, "--planned", planned, "--issuer", OPERATOR, "--json").json
    assert given["decision"]["exemptions"]
    shown = commands.run("account", "show", account)
    assert f"#{given['pre_decision']}" in shown.out
    assert until[:4] in shown.out
    assert "须先取得：一项技能证书 CD-X-JTNC（中级）" in shown.out
    told = commands.run(*asked, "--planned", planned, "--issuer", OPERATOR).out
    assert "依据：一项技能证书 CD-X-JTNC（中级）" in told
    assert "#planned" not in told
    tokens = []
    for name in ("first", "second"):
        token = commands.run("officer", "add", "--name", name, "--json").json["token"]
        tokens.append(tmp_path / name)
        tokens[-1].touch(mode=0o600)
        tokens[-1].write_text(token, encoding="utf-8")
    two = ("--first-token-file", tokens[0], "--second-token-file", tokens[1])
    withdrawn = ("account", "withdraw", account, given["pre_decision"], "--reason", "误发", *two)
    commands.run(*withdrawn, "--issuer", OPERATOR)
    assert commands.run("account", "show", account, "--json").json["pre_decisions"][0]["reason"] == "误发"
    assert commands.run("ledger", "verify", "--json").json["findings"] == []
