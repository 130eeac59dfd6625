"""Which exams a diploma helps with: what is asked about alone counts as if nothing else were held."""

from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from creditbank.account.facts import holdings_for_rules
from creditbank.account.outcome_name import name_of
from creditbank.conversion.holding import Applicant, Holding
from creditbank.identity.account_number import AccountNumber
from creditbank.outcomes import Outcome
from creditbank.outcomes.diploma import Diploma
from creditbank.rulepacks.library import Library
from creditbank.samples.outcomes import sample_outcomes
from creditbank.services.bank import Bank, Principal
from creditbank.services.conversions import decide_for
from creditbank.services.outcomes import record_outcome
from creditbank.services.questions import WaiverQuestion
from creditbank.services.reverse import ExamAnswer, exams_helped
from creditbank.terms import Microseconds, OutcomeId
from tests.banks import new_account, new_bank

LIBRARY = Library.load(check=False)
DAY = date(2026, 3, 1)
OUTCOMES: list[Outcome] = list(dict.fromkeys(sample.outcome for sample in sample_outcomes()))
DIPLOMAS: list[Outcome] = [outcome for outcome in OUTCOMES if isinstance(outcome, Diploma)]


def held_by_one(outcomes: list[Outcome]) -> tuple[Bank, AccountNumber]:
    bank = new_bank()
    number = new_account(bank)
    for outcome in outcomes:
        record_outcome(bank, Principal(issuer=outcome.issuer), number, outcome)
    return bank, number


def told(answers: tuple[ExamAnswer, ...]) -> dict[tuple[str, str], tuple[str, str | None]]:
    """Each part of each exam: how it stands, and the rule that waives it."""
    return {
        (one.help.exam, part.id): (
            part.state,
            None if part.waiver is None else one.help.decision.waivers[part.waiver].cited.rule,
        )
        for one in answers
        for part in one.help.parts
    }


some = st.lists(
    st.sampled_from(DIPLOMAS) | st.sampled_from(OUTCOMES), min_size=1, max_size=4, unique_by=name_of
)


@settings(max_examples=15)
@given(some, st.booleans(), st.booleans())
def test_what_is_asked_about_alone_helps_as_if_nothing_else_were_held(
    outcomes: list[Outcome],
    is_only: bool,  # noqa: FBT001
    is_supposed: bool,  # noqa: FBT001
) -> None:
    """Caught: one outcome asked about and all counted; supposed ones counted without those held."""
    *held, last = outcomes if is_supposed else [*outcomes, None]
    bank, number = held_by_one([one for one in held if one is not None])
    meant = held[:1] if is_only and held else held
    counting = [*meant, last]
    other, alone = held_by_one([one for one in counting if one is not None])
    every = exams_helped(other, alone, LIBRARY, applicant=Applicant(), as_of=DAY)
    supposed: tuple[Holding, ...] = ()
    if last is not None:
        (*_, stands) = holdings_for_rules(every[0].account)
        supposed = (replace(stands, id=OutcomeId("planned-001"), recorded_at=Microseconds(0)),)
    found = exams_helped(
        bank,
        number,
        LIBRARY,
        applicant=Applicant(),
        only=OutcomeId("000001") if is_only and held else None,
        supposed=supposed,
        as_of=DAY,
    )
    assert told(found) == told(every)
    for one in found:
        question = WaiverQuestion(library=LIBRARY, exam=one.help.exam)
        decided = decide_for(other, alone, question, applicant=Applicant(), as_of=DAY).decision
        waived = {part.id for part in one.help.parts if part.state == "waived"}
        assert waived == {waiver.part for waiver in decided.waivers}
