"""After any records, revocations, corrections and decisions no active grant rests on what is dead,
nothing that fell is out of sight, and what another outcome gives is offered.

Seen to fail: with corrections that suspend nothing, with revocations that forget grants whose evidence was
corrected before, with suspensions of grants decided for an earlier day, and with substitutes left out.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creditbank.account.holdings import AccountHoldings
from creditbank.conversion.holding import Applicant
from creditbank.identity.account_number import AccountNumber
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.rulepacks.library import Library
from creditbank.services.accounts import read_account
from creditbank.services.bank import Bank, Principal
from creditbank.services.cascade import (
    GrantNotSuspended,
    NoSubstitute,
    confirm_suspension,
    offers,
    substitute_grant,
)
from creditbank.services.conversions import apply_for, decide_for
from creditbank.services.officers import add_officer, two_persons
from creditbank.services.outcomes import correct_outcome, record_outcome, revoke_outcome
from creditbank.services.questions import ExemptionQuestion
from creditbank.terms import OutcomeId, ProgrammeId
from tests.banks import EAST, OPERATOR, new_account, new_bank
from tests.strategies.small_packs import SOUND, write

AS_OF = date(2026, 2, 1)
LEVELS = ("初级", "中级", "高级")
WEB = ProgrammeId("web")


@cache
def rules() -> Library:
    with TemporaryDirectory() as folder:
        return Library.load(write(Path(folder), SOUND), shipped=False)


def certificate(number: int, level: int) -> SkillCertificate:
    return SkillCertificate(
        number=f"S{number}",
        standard="X",
        title="网页",
        level=FrameworkLevel(framework="1+X", level=LEVELS[level % 3]),
        issuer=EAST.issuer,
        awarded_on=date(2025, 6, 1) + timedelta(days=level),
    )


def applied(bank: Bank, number: AccountNumber) -> None:
    question = ExemptionQuestion(library=rules(), programme=WEB)
    apply_for(bank, EAST, number, question, applicant=Applicant(), as_of=AS_OF)


def lived(actions: Sequence[tuple[str, int]]) -> tuple[Bank, AccountNumber]:
    bank = new_bank()
    number = new_account(bank)
    for at, (action, pick) in enumerate([("record", 1), ("apply", 0), *actions]):
        current = read_account(bank, number).current
        chosen = current[pick % len(current)].id if current else None
        if action == "record":
            record_outcome(bank, EAST, number, certificate(at, pick))
        elif action == "apply":
            applied(bank, number)
        elif action == "revoke" and chosen is not None:
            revoke_outcome(bank, EAST, number, chosen, reason="误发")
        elif action == "revoke-from" and chosen is not None:
            effective_on = (AS_OF, AS_OF + timedelta(days=1))[pick % 2]
            revoke_outcome(bank, EAST, number, chosen, reason="误发", effective_on=effective_on)
        elif action == "correct" and chosen is not None:
            better = certificate(at, pick)
            correct_outcome(bank, EAST, number, chosen, better, reason="录错", rules=rules())
    return bank, number


def does_count(account: AccountHoldings, outcome: str, as_of: date) -> bool:
    held = next(one for one in account.outcomes if one.id == outcome)
    return held.corrected_by is None and not held.is_revoked(as_of=as_of)


ACTIONS = ("record", "apply", "revoke", "revoke-from", "correct", "correct")
lives = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 5)), min_size=1, max_size=6)


@settings(max_examples=60)
@given(lives)
def test_no_active_grant_rests_on_what_is_dead_and_what_could_stand_is_offered(
    actions: Sequence[tuple[str, int]],
) -> None:
    bank, number = lived(actions)
    account = read_account(bank, number).holdings
    levels = {one.id: getattr(one.outcome, "level").level for one in account.outcomes}  # noqa: B009
    for grant in account.active_grants:
        assert all(does_count(account, one, grant.granted.as_of) for one in grant.evidence)
        assert all(levels[one] != "初级" for one in grant.evidence)
    for grant in account.suspended_grants:
        assert grant.because in grant.evidence
        assert grant.because is not None
        assert not does_count(account, grant.because, grant.granted.as_of)
    able = {one.id for one in account.outcomes if does_count(account, one.id, AS_OF)}
    able = {one for one in able if levels[one] != "初级"}
    able -= {one for grant in account.active_grants for one in grant.spent}
    found = offers(bank, number, rules())
    assert [offer.suspended.id for offer in found] == [one.id for one in account.suspended_grants]
    is_free = not any(grant.granted.target for grant in account.active_grants)
    assert any(offer.substitute is not None for offer in found) == bool(found and able and is_free)
    for offer in found:
        if offer.substitute is not None:
            substitute_grant(bank, EAST, number, offer.suspended.id, rules())
            after = read_account(bank, number).holdings.grant(offer.suspended.id)
            assert after is not None
            assert after.status == "substituted"


def test_a_correction_that_the_rule_allows_lets_the_grant_hold_on_and_it_falls_with_that() -> None:
    bank, number = lived([])
    better = replace(certificate(0, 2), number="S9")
    seq = correct_outcome(
        bank, EAST, number, first(bank, number), better, reason="等级录错", rules=rules()
    ).seq
    (grant,) = read_account(bank, number).holdings.active_grants
    assert grant.evidence == (f"{seq:06}",)
    question = ExemptionQuestion(library=rules(), programme=WEB)
    again = decide_for(bank, number, question, applicant=Applicant(), as_of=AS_OF)
    assert not again.decision.is_granted
    revoke_outcome(bank, EAST, number, grant.evidence[0], reason="误发")
    assert read_account(bank, number).holdings.active_grants == ()


def test_a_suspended_grant_is_taken_back_by_two_persons_and_settled_once() -> None:
    bank, number = lived([("revoke", 0)])
    operator = Principal.operator(OPERATOR)
    tokens = [add_officer(bank, operator, name)[1] for name in ("甲", "乙")]
    persons = two_persons(bank, first_token=tokens[0], second_token=tokens[1])
    (grant,) = read_account(bank, number).holdings.suspended_grants
    with pytest.raises(NoSubstitute):
        substitute_grant(bank, EAST, number, grant.id, rules())
    confirm_suspension(bank, EAST, persons, number, grant.id, reason="证书无效")
    (after,) = read_account(bank, number).holdings.grants
    assert (after.status, after.reason) == ("reversed", "证书无效")
    with pytest.raises(GrantNotSuspended):
        confirm_suspension(bank, EAST, persons, number, grant.id, reason="再次")


def test_a_new_decision_takes_the_place_of_what_was_suspended() -> None:
    bank, number = lived([("revoke", 0), ("record", 2), ("apply", 0)])
    old, new = read_account(bank, number).holdings.grants
    assert (old.status, old.substitute, new.status) == ("substituted", new.id, "active")


def first(bank: Bank, number: AccountNumber) -> OutcomeId:
    return read_account(bank, number).current[0].id
