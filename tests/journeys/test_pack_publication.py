"""Rule packs in the ledger: published by two officers, never changed, retired; decisions that go by them."""

from datetime import date
from pathlib import Path

import pytest

from creditbank.conversion.holding import Applicant
from creditbank.conversion.published import PackChanged, PackMissing
from creditbank.identity.account_number import AccountNumber
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.rulepacks.library import Library, ProgrammeUnknown
from creditbank.services.bank import Bank, Principal
from creditbank.services.conversions import Answer, apply_for, decide_for
from creditbank.services.known import LogSize, LogSizeInvalid
from creditbank.services.officers import TwoPersons, add_officer, two_persons
from creditbank.services.outcomes import record_outcome
from creditbank.services.questions import ExemptionQuestion
from creditbank.services.rule_packs import (
    PackNotPublished,
    PackPublishedAlready,
    publish_packs,
    retire_pack,
)
from creditbank.services.sequencing import sequence_pending
from creditbank.terms import ProgrammeId
from tests.banks import EAST, OPERATOR, new_account, new_bank
from tests.commands import Commands
from tests.strategies.small_packs import EXAMPLES, PROGRAMME, RULE, SOUND, head, write

AS_OF = date(2026, 2, 1)
BUREAU = Principal.operator(OPERATOR)
LATER = head("later", published="2025-02-01", effective="2025-02-01") + PROGRAMME + RULE + EXAMPLES


def library(directory: Path, *packs: str) -> Library:
    return Library.load(write(directory, *packs), shipped=False)


def officers(bank: Bank) -> TwoPersons:
    tokens = [add_officer(bank, BUREAU, name)[1] for name in ("甲", "乙")]
    return two_persons(bank, first_token=tokens[0], second_token=tokens[1])


def learner(bank: Bank) -> AccountNumber:
    number = new_account(bank)
    certificate = SkillCertificate(
        number="S1",
        standard="X",
        title="网页",
        level=FrameworkLevel(framework="1+X", level="中级"),
        issuer=EAST.issuer,
        awarded_on=date(2025, 6, 1),
    )
    record_outcome(bank, EAST, number, certificate)
    return number


def asked(bank: Bank, number: AccountNumber, rules: Library, **known: LogSize) -> Answer:  # type: ignore[type-arg]
    question = ExemptionQuestion(library=rules, programme=ProgrammeId("web"))
    return decide_for(bank, number, question, applicant=Applicant(), as_of=AS_OF, **known)


def test_a_decision_says_which_of_its_packs_the_ledger_does_not_hold(tmp_path: Path) -> None:
    bank, rules = new_bank(), library(tmp_path, SOUND)
    number = learner(bank)
    before = asked(bank, number, rules)
    assert (before.decision.units, before.unpublished) == (8, ("small",))
    publish_packs(bank, BUREAU, officers(bank), rules.packs)
    after = asked(bank, number, rules)
    assert (after.decision.units, after.unpublished) == (8, ())


def test_a_published_pack_is_neither_changed_nor_lost_nor_published_twice(tmp_path: Path) -> None:
    bank, rules = new_bank(), library(tmp_path / "a", SOUND)
    number, persons = learner(bank), officers(bank)
    publish_packs(bank, BUREAU, persons, rules.packs)
    changed = library(tmp_path / "b", SOUND.replace('title = "小"', 'title = "改"', 1))
    with pytest.raises(PackChanged):
        asked(bank, number, changed)
    with pytest.raises(PackChanged):
        publish_packs(bank, BUREAU, persons, changed.packs)
    with pytest.raises(PackMissing):
        asked(bank, number, library(tmp_path / "c", LATER))
    with pytest.raises(PackPublishedAlready):
        publish_packs(bank, BUREAU, persons, rules.packs)


def test_from_the_first_publication_on_an_authoritys_other_packs_do_not_count(tmp_path: Path) -> None:
    bank = new_bank()
    number, persons = learner(bank), officers(bank)
    both = library(tmp_path, SOUND, LATER)
    assert dict(asked(bank, number, both).decision.packs).keys() == {"later"}
    publish_packs(bank, BUREAU, persons, [both.packs[0]])
    assert dict(asked(bank, number, both).decision.packs).keys() == {"small"}
    publish_packs(bank, BUREAU, persons, [both.packs[1]])
    assert dict(asked(bank, number, both).decision.packs).keys() == {"later"}


def test_a_retired_pack_is_out_of_use_and_its_grants_stay(tmp_path: Path) -> None:
    bank, rules = new_bank(), library(tmp_path, SOUND)
    number, persons = learner(bank), officers(bank)
    with pytest.raises(PackNotPublished):
        retire_pack(bank, BUREAU, persons, rules.packs[0], reason="没有发布")
    publish_packs(bank, BUREAU, persons, rules.packs)
    question = ExemptionQuestion(library=rules, programme=ProgrammeId("web"))
    granted = apply_for(bank, EAST, number, question, applicant=Applicant(), as_of=AS_OF)
    sequence_pending(bank.store)
    with bank.store.reading() as books:
        size = LogSize(entries=books.ledger.size())
    held = asked(bank, number, rules, known_at=size)
    retire_pack(bank, BUREAU, persons, rules.packs[0], reason="由新规则代替")
    with pytest.raises(ProgrammeUnknown):
        asked(bank, number, rules)
    assert len(granted.registered) == len(held.decision.pinned) == 1
    assert asked(bank, number, rules, known_at=size).decision == held.decision
    with pytest.raises(PackNotPublished):
        retire_pack(bank, BUREAU, persons, rules.packs[0], reason="再次")


def test_a_log_that_never_was_so_long_cannot_be_replayed(tmp_path: Path) -> None:
    bank, rules = new_bank(), library(tmp_path, SOUND)
    number = learner(bank)
    sequence_pending(bank.store)
    for size in (-1, 10_000):
        with pytest.raises(LogSizeInvalid):
            asked(bank, number, rules, known_at=LogSize(entries=size))


def test_an_officer_publishes_and_retires_on_the_command_line(commands: Commands, tmp_path: Path) -> None:
    tokens = []
    for name in ("first", "second"):
        token = commands.run("officer", "add", "--name", name, "--json").json["token"]
        tokens.append(tmp_path / name)
        tokens[-1].touch(mode=0o600)
        tokens[-1].write_text(token, encoding="utf-8")
    two = ("--first-token-file", tokens[0], "--second-token-file", tokens[1])
    one = ("--first-token-file", tokens[0], "--second-token-file", tokens[0])
    assert "one-officer-twice" in commands.run("rules", "publish", "changdu-2020", *one, code=2).err
    assert commands.run("rules", "published", "--json").json == []
    done = commands.run("rules", "publish", "changdu-2020", *two, "--json").json
    assert [(line["pack"], line["subject"]) for line in done] == [("changdu-2020", "authority:changdu")]
    again = commands.run("rules", "publish", "changdu-2020", *two, code=2)
    assert "pack-published-already" in again.err
    commands.run("rules", "retire", "changdu-2020", "--reason", "试行结束", *two)
    lines = commands.run("rules", "published", "--json").json
    assert [line["retired"] for line in lines] == [False, True]
    assert lines[0]["digest"] == done[0]["digest"]
    assert "changdu-2020" in commands.run("rules", "published").out
    assert commands.run("ledger", "verify", "--json").json["findings"] == []
