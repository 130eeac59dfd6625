"""Decide what an account's outcomes convert to, and register the grants of a decision.

Deciding writes nothing. Applying decides again in the writing transaction, on the very entries that the
grants are appended to, so that nothing is granted on what is no longer true.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from typing import Generic, Protocol, TypeVar

from creditbank.account.body import (
    ExemptionTarget,
    Granted,
    WaiverTarget,
    body_content,
    entry_kind,
    outcome_id,
)
from creditbank.account.facts import holdings_for_rules, pinned_for_exam, pinned_for_programme
from creditbank.account.holdings import AccountHoldings, holdings_of
from creditbank.conversion.allocation import decide_exemptions
from creditbank.conversion.decision import (
    Decision,
    Exemption,
    RuleCited,
    Waiver,
    WaiverDecision,
    decimal_text,
)
from creditbank.conversion.holding import Applicant
from creditbank.conversion.programme import Exam, Programme
from creditbank.conversion.rule import RulePack
from creditbank.conversion.waivers import decide_waivers
from creditbank.identity.account_number import AccountNumber
from creditbank.ledger.encoding import canonical_bytes
from creditbank.services.accounts import find_account
from creditbank.services.bank import Bank, Posting, Principal
from creditbank.services.institutions import institution_of
from creditbank.services.ports import Books, RuleLibrary
from creditbank.terms import ExamId, Microseconds, OutcomeId, ProgrammeId

D = TypeVar("D", Decision, WaiverDecision)
D_co = TypeVar("D_co", Decision, WaiverDecision, covariant=True)
Place = Programme | Exam


@dataclass(frozen=True, slots=True, kw_only=True)
class ExemptionQuestion:
    """Which courses of a programme do an account's outcomes exempt?"""

    library: RuleLibrary
    programme: ProgrammeId

    def packs(self, known_at: Microseconds) -> Sequence[RulePack]:
        """Return the packs whose rules may apply, as they were known then."""
        return self.library.packs_for_programme(self.programme, known_at=known_at)

    def place(self, as_of: date) -> Programme:
        """Return the programme as it stands on a day."""
        return self.library.programme(self.programme, as_of=as_of)

    def decide(
        self, account: AccountHoldings, applicant: Applicant, *, as_of: date, known_at: Microseconds
    ) -> Decision:
        """Decide; exemptions in this programme that hold already are pinned."""
        return decide_exemptions(
            self.packs(known_at),
            holdings_for_rules(account),
            self.place(as_of),
            applicant=applicant,
            pinned=pinned_for_programme(account, self.programme, known_at=known_at),
            as_of=as_of,
            known_at=known_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverQuestion:
    """Which parts of an exam do an account's outcomes waive?"""

    library: RuleLibrary
    exam: ExamId

    def packs(self, known_at: Microseconds) -> Sequence[RulePack]:
        """Return the packs whose rules may apply, as they were known then."""
        return self.library.packs_for_exam(self.exam, known_at=known_at)

    def place(self, as_of: date) -> Exam:
        """Return the exam as it stands on a day."""
        return self.library.exam(self.exam, as_of=as_of)

    def decide(
        self, account: AccountHoldings, applicant: Applicant, *, as_of: date, known_at: Microseconds
    ) -> WaiverDecision:
        """Decide; waivers in this exam that hold already are pinned."""
        return decide_waivers(
            self.packs(known_at),
            holdings_for_rules(account),
            self.place(as_of),
            applicant=applicant,
            pinned=pinned_for_exam(account, self.exam, known_at=known_at),
            as_of=as_of,
            known_at=known_at,
        )


class Question(Protocol[D_co]):
    """What can be asked of an account."""

    def packs(self, known_at: Microseconds) -> Sequence[RulePack]: ...

    def place(self, as_of: date) -> Place: ...

    def decide(
        self, account: AccountHoldings, applicant: Applicant, *, as_of: date, known_at: Microseconds
    ) -> D_co: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[D]):
    """A decision and what it speaks of; `registered` are the entries of its grants, in its order."""

    decision: D
    account: AccountHoldings
    place: Place
    packs: Sequence[RulePack]
    registered: tuple[OutcomeId, ...] = ()


def decide_for(
    bank: Bank,
    number: AccountNumber,
    question: Question[D],
    *,
    applicant: Applicant,
    as_of: date | None = None,
    known_at: Microseconds | None = None,
) -> Answer[D]:
    """Decide for an account, as of a day (today) and going by what was recorded up to an instant (now).

    The account's own person category is taken where `applicant` names none. Nothing is written.

    Raises:
        AccountUnknown, ProgrammeUnknown, ExamUnknown: one of them is not known here.
        AccountRedacted: the account was redacted.
    """
    with bank.store.reading() as books:
        account, stated = _asking(bank, books, number, applicant)
    day = as_of or bank.today()
    instant = bank.now() if known_at is None else known_at
    decision = question.decide(account, stated, as_of=day, known_at=instant)
    return Answer(
        decision=decision, account=account, place=question.place(day), packs=question.packs(instant)
    )


def apply_for(
    bank: Bank,
    principal: Principal,
    number: AccountNumber,
    question: Question[D],
    *,
    applicant: Applicant,
    as_of: date | None = None,
) -> Answer[D]:
    """Decide by everything recorded until now, and register every grant in the principal's name.

    Which institution may grant in which programme is not checked here: only the operator calls this yet.
    Grants that are registered already stay as they are; a second time nothing is left to grant.

    Raises:
        AccountUnknown, InstitutionUnknown, ProgrammeUnknown, ExamUnknown: one of them is not known here.
        AccountRedacted: the account was redacted.
    """
    day = as_of or bank.today()

    def grant(books: Books) -> Answer[D]:
        institution_of(books, principal.issuer)
        # The head before the entries: a writer in between makes the append fail, and all is done again.
        heads = books.ledger.heads_of([number.subject])
        account, stated = _asking(bank, books, number, applicant)
        at = max(bank.now(), heads[number.subject].at)
        decision = question.decide(account, stated, as_of=day, known_at=at)
        posting = Posting(bank, books, heads=heads, at=at)
        for granted in _grants(decision):
            posting.add(
                number.subject,
                kind=entry_kind(granted),
                issuer=principal.issuer,
                content=body_content(granted),
            )
        posting.post()
        return Answer(
            decision=decision,
            account=account,
            place=question.place(day),
            packs=question.packs(at),
            registered=tuple(outcome_id(entry.leaf.seq) for entry in posting.entries),
        )

    return bank.written(grant, about=number.subject)


def _asking(
    bank: Bank, books: Books, number: AccountNumber, applicant: Applicant
) -> tuple[AccountHoldings, Applicant]:
    _, person = find_account(bank, books, number)
    account = holdings_of(books.ledger.entries_of(number.subject))
    if applicant.category is None:
        applicant = replace(applicant, category=person.category)
    return account, applicant


def _grants(decision: Decision | WaiverDecision) -> Sequence[Granted]:
    digest = sha256(canonical_bytes(decision.as_json())).hexdigest()
    if isinstance(decision, Decision):
        return [_exemption(decision, one, digest) for one in decision.exemptions]
    return [_waiver(decision, one, digest) for one in decision.waivers]


def _exemption(decision: Decision, exemption: Exemption, digest: str) -> Granted:
    target = ExemptionTarget(
        programme=decision.programme,
        target=exemption.target,
        title=exemption.title.zh,
        credits=decimal_text(exemption.credits),
        with_credit=exemption.with_credit,
        grade=exemption.mark,
    )
    return _granted(decision, exemption.cited, target, exemption, digest)


def _waiver(decision: WaiverDecision, waiver: Waiver, digest: str) -> Granted:
    target = WaiverTarget(exam=decision.exam, part=waiver.part, title=waiver.title.zh)
    return _granted(decision, waiver.cited, target, waiver, digest)


def _granted(
    decision: Decision | WaiverDecision,
    cited: RuleCited,
    target: ExemptionTarget | WaiverTarget,
    grant: Exemption | Waiver,
    digest: str,
) -> Granted:
    return Granted(
        target=target,
        pack=cited.pack,
        pack_digest=cited.digest,
        rule=cited.rule,
        rule_version=cited.version,
        spent=grant.spent if isinstance(grant, Exemption) else (),
        witnesses=grant.witnesses,
        units=grant.units if isinstance(grant, Exemption) else 0,
        step=decision.step if isinstance(decision, Decision) else None,
        as_of=decision.as_of,
        known_at=decision.known_at,
        decision=digest,
    )
