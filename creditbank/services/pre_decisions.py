"""Pre-decisions: a school's binding answer before the outcome is there, or before the course begins.

What would be granted is decided as ever, with the outcomes that the learner plans beside those recorded. The
answer is an entry of the account; up to and on its last day later decisions keep it, whatever becomes of the
rules.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from creditbank.account.body import body_content, entry_kind, outcome_id
from creditbank.account.facts import facts_of
from creditbank.account.holdings import AccountHoldings, holdings_of
from creditbank.account.planned import Planned, planned_holdings
from creditbank.account.promise_body import Promised, PromisedPlace, PromiseWithdrawn
from creditbank.conversion.decision import Decision, Exemption, Waiver, WaiverDecision
from creditbank.conversion.holding import Applicant
from creditbank.errors import Conflict, InvalidInput, NotAuthorised, NotFound
from creditbank.identity.account_number import AccountNumber
from creditbank.outcomes.outcome import LAST_DAY
from creditbank.services.accounts import find_account
from creditbank.services.bank import Bank, EntryReceipt, Posting, Principal, receipt_of
from creditbank.services.books import Books
from creditbank.services.conversions import Answer, answer_to, digest_of, may_grant, stated_by
from creditbank.services.institutions import institution_of
from creditbank.services.known import known_in
from creditbank.services.mentioned import institutions_in
from creditbank.services.officers import TwoPersons
from creditbank.services.questions import D, Question
from creditbank.terms import Microseconds, OutcomeId


class PreDecisionInvalid(InvalidInput):
    """A pre-decision cannot be given as it was asked for."""

    code = "pre-decision-invalid"


class NothingToPromise(Conflict):
    """The rules grant nothing on what is held and planned."""

    code = "nothing-to-promise"


class PreDecisionUnknown(NotFound):
    """The account holds no pre-decision with this id."""

    code = "pre-decision-unknown"


class PreDecisionEnded(Conflict):
    """It was withdrawn already."""

    code = "pre-decision-ended"


def give_pre_decision(
    bank: Bank,
    principal: Principal,
    number: AccountNumber,
    question: Question[D],
    *,
    applicant: Applicant,
    until: date,
    planned: Sequence[Planned] = (),
) -> Answer[D]:
    """Decide as of today, with planned outcomes as if they were awarded today, and bind the principal to it.

    Grants themselves are registered later, when what is planned is recorded; up to and on `until` the rules
    that gave the answer stay in force for this learner and the places it names.

    Raises:
        AccountUnknown, InstitutionUnknown, ProgrammeUnknown, ExamUnknown: one of them is not known here.
        AccountRedacted: the account was redacted.
        PackChanged, PackMissing: a published or promised pack is not as it was, or not here.
        PreDecisionInvalid: the last day is past, or out of range; a planned outcome is dated after today.
        NotAuthorised: the institution exempts nobody: it is neither a school nor the bureau.
        HoldingInvalid: neither a list nor a rule knows what is stated of the applicant.
        NothingToPromise: nothing would be granted.
    """
    today = bank.today()
    if not today <= until <= LAST_DAY:
        raise PreDecisionInvalid("until-out-of-range", field="until", first=today, last=LAST_DAY)

    if any(one.awarded_on(today) > today for one in planned):
        raise PreDecisionInvalid("planned-awarded-later", field="planned", today=today)

    def give(books: Books) -> Answer[D]:
        institution = institution_of(books, principal.issuer)
        heads = books.ledger.heads_of([number.subject])
        stated = stated_by(bank, books, number, applicant, question.library)
        known = known_in(bank, books, number, question.authorities)
        held = planned_holdings(planned, today=today)
        answer = answer_to(question, known, stated, as_of=today, planned=held, solver=bank.solver)
        may_grant(institution, answer.decision)
        body = _promised(answer.decision, stated, until=until, planned=planned)
        posting = Posting(bank, books, heads=heads, at=Microseconds(known.at + 1))
        posting.add(
            number.subject, kind=entry_kind(body), issuer=principal.issuer, content=body_content(body)
        )
        posting.post()
        return replace(
            answer,
            registered=tuple(outcome_id(entry.leaf.seq) for entry in posting.entries),
            promised_already=tuple(_binding(known.account, body, today)),
        )

    answer: Answer[D] = bank.written(give, about=number.subject)
    return replace(answer, institutions=institutions_in(bank, answer.decision))


def withdraw_pre_decision(
    bank: Bank,
    principal: Principal,
    persons: TwoPersons,
    number: AccountNumber,
    promise: OutcomeId,
    *,
    reason: str,
) -> EntryReceipt:
    """Take a pre-decision back, by two persons, in the name of whoever gave it. Grants made by it stay.

    Raises:
        AccountUnknown, AccountRedacted, PreDecisionUnknown: one of them is not known here, or no more.
        NotAuthorised: another institution gave it.
        TwoPersonsNeeded: one of the two has been retired meanwhile.
        PreDecisionEnded: it was withdrawn already.
        OutcomeInvalid: the reason is not one line.
    """

    def withdraw(books: Books) -> EntryReceipt:
        heads = books.ledger.heads_of([number.subject])
        institution_of(books, principal.issuer)
        find_account(bank, books, number)
        persons.must_serve(books)
        held = holdings_of(books.ledger.entries_of(number.subject)).promise(promise)
        if held is None:
            raise PreDecisionUnknown("pre-decision-unknown", promise=promise)
        if held.given_by != principal.issuer:
            raise NotAuthorised("not-its-issuer", outcome=promise, issuer=held.given_by)
        if held.ended_at is not None:
            raise PreDecisionEnded("pre-decision-ended", promise=promise)
        body = PromiseWithdrawn(kind=held.promised.kind, promise=promise, reason=reason, officers=persons.ids)
        posting = Posting(bank, books, heads=heads, at=bank.now())
        entry = posting.add(
            number.subject, kind=entry_kind(body), issuer=principal.issuer, content=body_content(body)
        )
        posting.post()
        return receipt_of(entry)

    return bank.written(withdraw, about=number.subject)


def _binding(account: AccountHoldings, body: Promised, day: date) -> Iterator[OutcomeId]:
    """Yield the pre-decisions of the account that bind on a day, on a place that this one names too."""
    places = {place.target for place in body.places}
    for held in account.promises:
        is_same = (held.promised.kind, held.promised.aim) == (body.kind, body.aim)
        if is_same and held.is_binding(day) and places & {place.target for place in held.promised.places}:
            yield held.id


def _promised(
    decision: Decision | WaiverDecision, applicant: Applicant, *, until: date, planned: Sequence[Planned]
) -> Promised:
    given: Sequence[Exemption | Waiver] = (
        decision.exemptions if isinstance(decision, Decision) else decision.waivers
    )
    if not given:
        aim = decision.programme if isinstance(decision, Decision) else decision.exam
        raise NothingToPromise("nothing-to-promise", aim=aim)
    return Promised(
        kind="exemption" if isinstance(decision, Decision) else "waiver",
        aim=decision.programme if isinstance(decision, Decision) else decision.exam,
        places=tuple(map(_place, given)),
        until=until,
        planned=tuple(one.text for one in planned),
        as_of=decision.as_of,
        known_at=decision.known_at,
        decision=digest_of(decision),
        facts=facts_of(applicant),
    )


def _place(grant: Exemption | Waiver) -> PromisedPlace:
    return PromisedPlace(
        target=grant.target if isinstance(grant, Exemption) else grant.part,
        title=grant.title.zh,
        pack=grant.cited.pack,
        pack_digest=grant.cited.digest,
        rule=grant.cited.rule,
        rule_version=grant.cited.version,
    )
