"""Decide what an account's outcomes convert to, and register the grants of a decision.

Deciding writes nothing. Applying decides again in the writing transaction, on the very entries that the
grants are appended to, so that nothing is granted on what is no longer true.
"""

from collections.abc import Iterator, Sequence
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
from creditbank.account.facts import facts_of, holdings_for_rules, pinned_for_exam, pinned_for_programme
from creditbank.account.holdings import AccountHoldings
from creditbank.conversion.allocation import decide_exemptions
from creditbank.conversion.decision import (
    Decision,
    Exemption,
    RuleCited,
    Waiver,
    WaiverDecision,
    decimal_text,
)
from creditbank.conversion.diploma_audit import decide_beside_earned
from creditbank.conversion.holding import Applicant
from creditbank.conversion.programme import Exam, Programme
from creditbank.conversion.published import Published
from creditbank.conversion.rule import RulePack
from creditbank.conversion.waivers import decide_waivers
from creditbank.identity.account_number import AccountNumber
from creditbank.ledger.encoding import canonical_bytes
from creditbank.services.accounts import find_account
from creditbank.services.bank import Bank, Posting, Principal
from creditbank.services.books import Books
from creditbank.services.institutions import institution_of
from creditbank.services.known import Known, KnownAt, known_in
from creditbank.services.rule_library import RuleLibrary
from creditbank.terms import ExamId, Microseconds, OutcomeId, PackId, ProgrammeId

D = TypeVar("D", Decision, WaiverDecision)
D_co = TypeVar("D_co", Decision, WaiverDecision, covariant=True)
Place = Programme | Exam


@dataclass(frozen=True, slots=True, kw_only=True)
class ExemptionQuestion:
    """Which courses of a programme do an account's outcomes exempt?

    `beside_earned`: no course that is earned already, and by no outcome that earns one (`diploma_audit`).
    """

    library: RuleLibrary
    programme: ProgrammeId
    beside_earned: bool = False

    @property
    def authorities(self) -> Sequence[str]:
        """The authorities whose publications the answer goes by."""
        return self.library.authorities_for(self.programme)

    def given(self, published: Published) -> "ExemptionQuestion":
        """Return the question to those rules alone that decisions go by."""
        return replace(self, library=self.library.as_known(published))

    def packs(self, known_at: Microseconds) -> Sequence[RulePack]:
        """Return the packs whose rules may apply, as they were known then."""
        return self.library.packs_for_programme(self.programme, known_at=known_at)

    def place(self, as_of: date, *, known_at: Microseconds | None = None) -> Programme:
        """Return the programme as it stands on a day, by what was published then."""
        return self.library.programme(self.programme, as_of=as_of, known_at=known_at)

    def decide(
        self, account: AccountHoldings, applicant: Applicant, *, as_of: date, known_at: Microseconds
    ) -> Decision:
        """Decide; exemptions in this programme that hold already are pinned."""
        decide = decide_beside_earned if self.beside_earned else decide_exemptions
        return decide(
            self.packs(known_at),
            holdings_for_rules(account),
            self.place(as_of, known_at=known_at),
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

    @property
    def authorities(self) -> Sequence[str]:
        """The authorities whose publications the answer goes by."""
        return self.library.authorities_for(self.exam)

    def given(self, published: Published) -> "WaiverQuestion":
        """Return the question to those rules alone that decisions go by."""
        return replace(self, library=self.library.as_known(published))

    def packs(self, known_at: Microseconds) -> Sequence[RulePack]:
        """Return the packs whose rules may apply, as they were known then."""
        return self.library.packs_for_exam(self.exam, known_at=known_at)

    def place(self, as_of: date, *, known_at: Microseconds | None = None) -> Exam:
        """Return the exam as it stands on a day, by what was published then."""
        return self.library.exam(self.exam, as_of=as_of, known_at=known_at)

    def decide(
        self, account: AccountHoldings, applicant: Applicant, *, as_of: date, known_at: Microseconds
    ) -> WaiverDecision:
        """Decide; waivers in this exam that hold already are pinned."""
        return decide_waivers(
            self.packs(known_at),
            holdings_for_rules(account),
            self.place(as_of, known_at=known_at),
            applicant=applicant,
            pinned=pinned_for_exam(account, self.exam, known_at=known_at),
            as_of=as_of,
            known_at=known_at,
        )


class Question(Protocol[D_co]):
    """What can be asked of an account."""

    @property
    def authorities(self) -> Sequence[str]: ...

    def given(self, published: Published) -> "Question[D_co]": ...

    def packs(self, known_at: Microseconds) -> Sequence[RulePack]: ...

    def place(self, as_of: date, *, known_at: Microseconds | None = None) -> Place: ...

    def decide(
        self, account: AccountHoldings, applicant: Applicant, *, as_of: date, known_at: Microseconds
    ) -> D_co: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[D]):
    """A decision and what it speaks of; `registered` are the entries of its grants, in its order.

    `unpublished` are the packs it goes by that the ledger did not hold then: who keeps their files can change
    them, and with them what a later replay answers.
    """

    decision: D
    account: AccountHoldings
    place: Place
    packs: Sequence[RulePack]
    unpublished: tuple[PackId, ...] = ()
    registered: tuple[OutcomeId, ...] = ()


def decide_for(
    bank: Bank,
    number: AccountNumber,
    question: Question[D],
    *,
    applicant: Applicant,
    as_of: date | None = None,
    known_at: KnownAt | None = None,
) -> Answer[D]:
    """Decide for an account, as of a day (today), going by what stood in the ledger at `known_at` (now).

    Of one day and one size of the log the answer is the same for ever. The account's own person category is
    taken where `applicant` names none. Nothing is written.

    Raises:
        AccountUnknown, ProgrammeUnknown, ExamUnknown: one of them is not known here.
        AccountRedacted: the account was redacted.
        LogSizeInvalid: the log never had this size.
        PackChanged, PackMissing: a published pack is not as it was, or not here.
    """
    with bank.store.reading() as books:
        stated = stated_by(bank, books, number, applicant)
        known = known_in(bank, books, number, question.authorities, known_at=known_at)
    return answer_to(question, known, stated, as_of=as_of or bank.today())


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
    Grants that are registered already stay as they are; a second time nothing is left to grant. The grants
    bear the microsecond after the decision's `known_at`: as known then, the decision can be made again.

    Raises:
        AccountUnknown, InstitutionUnknown, ProgrammeUnknown, ExamUnknown: one of them is not known here.
        AccountRedacted: the account was redacted.
        PackChanged, PackMissing: a published pack is not as it was, or not here.
    """
    day = as_of or bank.today()

    def grant(books: Books) -> Answer[D]:
        institution_of(books, principal.issuer)
        # The head before the entries: a writer in between makes the append fail, and all is done again.
        heads = books.ledger.heads_of([number.subject])
        stated = stated_by(bank, books, number, applicant)
        known = known_in(bank, books, number, question.authorities)
        answer = answer_to(question, known, stated, as_of=day)
        posting = Posting(bank, books, heads=heads, at=Microseconds(known.at + 1))
        for granted in _in_place(grants_of(answer.decision, stated), known.account):
            posting.add(
                number.subject,
                kind=entry_kind(granted),
                issuer=principal.issuer,
                content=body_content(granted),
            )
        posting.post()
        registered = tuple(outcome_id(entry.leaf.seq) for entry in posting.entries)
        return replace(answer, registered=registered)

    return bank.written(grant, about=number.subject)


def stated_by(bank: Bank, books: Books, number: AccountNumber, applicant: Applicant) -> Applicant:
    """Return what is stated of the applicant, with the account's own person category where none is.

    Raises:
        AccountUnknown: no account has this number.
        AccountRedacted: it was redacted.
    """
    _, person = find_account(bank, books, number)
    return applicant if applicant.category is not None else replace(applicant, category=person.category)


def answer_to(question: Question[D], known: Known, applicant: Applicant, *, as_of: date) -> Answer[D]:
    """Answer a question by what is known, and nothing else.

    Raises:
        ProgrammeUnknown, ExamUnknown: what it is about is not known here.
        PackChanged, PackMissing: a published pack is not as it was, or not here.
    """
    asked = question.given(known.published)
    decision = asked.decide(known.account, applicant, as_of=as_of, known_at=known.at)
    return Answer(
        decision=decision,
        account=known.account,
        place=asked.place(as_of, known_at=known.at),
        packs=asked.packs(known.at),
        unpublished=tuple(pack for pack, digest in decision.packs if not known.published.holds(pack, digest)),
    )


def grants_of(decision: Decision | WaiverDecision, applicant: Applicant) -> Sequence[Granted]:
    """Return a decision's grants as they are registered, in its order."""
    digest = sha256(canonical_bytes(decision.as_json())).hexdigest()
    facts = facts_of(applicant)
    if isinstance(decision, Decision):
        return [replace(_exemption(decision, one, digest), facts=facts) for one in decision.exemptions]
    return [replace(_waiver(decision, one, digest), facts=facts) for one in decision.waivers]


def _in_place(grants: Sequence[Granted], account: AccountHoldings) -> Iterator[Granted]:
    """Yield the grants, each in the place of a suspended one that gave the same, if there is one."""
    waiting = {_place_of(held.granted): held.id for held in account.suspended_grants}
    for granted in grants:
        yield replace(granted, replaces=waiting.pop(_place_of(granted), None))


def _place_of(granted: Granted) -> tuple[str, str]:
    match granted.target:
        case ExemptionTarget() as target:
            return target.programme, target.target
        case WaiverTarget() as target:
            return target.exam, target.part


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
