"""Decide what an account's outcomes convert to, and register the grants of a decision.

Deciding writes nothing. Applying decides again in the writing transaction, on the very entries that the
grants are appended to, so that nothing is granted on what is no longer true.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from typing import Any, Generic, Protocol, TypeVar

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
from creditbank.conversion.holding import Applicant, Holding
from creditbank.conversion.programme import Exam, Programme
from creditbank.conversion.promised import Promise
from creditbank.conversion.published import Published
from creditbank.conversion.rule import RulePack
from creditbank.conversion.waivers import decide_waivers
from creditbank.errors import InvalidInput
from creditbank.identity.account_number import AccountNumber
from creditbank.ledger.encoding import canonical_bytes
from creditbank.services.accounts import find_account
from creditbank.services.bank import Bank, Posting, Principal
from creditbank.services.books import Books
from creditbank.services.institutions import institution_of
from creditbank.services.known import Known, KnownAt, known_in
from creditbank.services.known_promises import promises_of
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
    at_hand: RuleLibrary | None = None  # with what is not published, where `library` leaves it out

    @property
    def authorities(self) -> Sequence[str]:
        """The authorities whose publications the answer goes by."""
        return self.library.authorities_for(self.programme)

    def given(self, published: Published) -> "ExemptionQuestion":
        """Return the question to those rules alone that decisions go by."""
        return replace(self, library=self.library.as_known(published), at_hand=self.library)

    def packs(self, known_at: Microseconds) -> Sequence[RulePack]:
        """Return the packs whose rules may apply, as they were known then."""
        return self.library.packs_for_programme(self.programme, known_at=known_at)

    def place(self, as_of: date, *, known_at: Microseconds | None = None) -> Programme:
        """Return the programme as it stands on a day, by what was published then."""
        return self.library.programme(self.programme, as_of=as_of, known_at=known_at)

    def promises(self, account: AccountHoldings, known_at: Microseconds) -> Sequence[Promise]:
        """Return what was promised by pre-decision, as known then."""
        return promises_of(account, self.programme, self.at_hand or self.library, known_at=known_at)

    def decide(
        self,
        account: AccountHoldings,
        applicant: Applicant,
        *,
        as_of: date,
        known_at: Microseconds,
        planned: Sequence[Holding] = (),
    ) -> Decision:
        """Decide; exemptions in this programme that hold already are pinned."""
        decide = decide_beside_earned if self.beside_earned else decide_exemptions
        return decide(
            self.packs(known_at),
            (*holdings_for_rules(account), *planned),
            self.place(as_of, known_at=known_at),
            applicant=applicant,
            pinned=pinned_for_programme(account, self.programme, known_at=known_at),
            promises=self.promises(account, known_at),
            as_of=as_of,
            known_at=known_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverQuestion:
    """Which parts of an exam do an account's outcomes waive?"""

    library: RuleLibrary
    exam: ExamId
    at_hand: RuleLibrary | None = None  # with what is not published, where `library` leaves it out

    @property
    def authorities(self) -> Sequence[str]:
        """The authorities whose publications the answer goes by."""
        return self.library.authorities_for(self.exam)

    def given(self, published: Published) -> "WaiverQuestion":
        """Return the question to those rules alone that decisions go by."""
        return replace(self, library=self.library.as_known(published), at_hand=self.library)

    def packs(self, known_at: Microseconds) -> Sequence[RulePack]:
        """Return the packs whose rules may apply, as they were known then."""
        return self.library.packs_for_exam(self.exam, known_at=known_at)

    def place(self, as_of: date, *, known_at: Microseconds | None = None) -> Exam:
        """Return the exam as it stands on a day, by what was published then."""
        return self.library.exam(self.exam, as_of=as_of, known_at=known_at)

    def promises(self, account: AccountHoldings, known_at: Microseconds) -> Sequence[Promise]:
        """Return what was promised by pre-decision, as known then."""
        return promises_of(account, self.exam, self.at_hand or self.library, known_at=known_at)

    def decide(
        self,
        account: AccountHoldings,
        applicant: Applicant,
        *,
        as_of: date,
        known_at: Microseconds,
        planned: Sequence[Holding] = (),
    ) -> WaiverDecision:
        """Decide; waivers in this exam that hold already are pinned."""
        return decide_waivers(
            self.packs(known_at),
            (*holdings_for_rules(account), *planned),
            self.place(as_of, known_at=known_at),
            applicant=applicant,
            pinned=pinned_for_exam(account, self.exam, known_at=known_at),
            promises=self.promises(account, known_at),
            as_of=as_of,
            known_at=known_at,
        )


class AimUnclear(InvalidInput):
    """A question is about one programme or about one exam."""

    code = "aim-unclear"


def question_about(library: RuleLibrary, *, programme: str | None, exam: str | None) -> "Question[Any]":
    """Return the question about a programme or about an exam, whichever is named.

    Raises:
        AimUnclear: not exactly one of them is.
    """
    if programme is not None and exam is None:
        return ExemptionQuestion(library=library, programme=ProgrammeId(programme))
    if exam is not None and programme is None:
        return WaiverQuestion(library=library, exam=ExamId(exam))
    raise AimUnclear("aim-unclear", field="programme")


class Question(Protocol[D_co]):
    """What can be asked of an account."""

    @property
    def authorities(self) -> Sequence[str]: ...

    def given(self, published: Published) -> "Question[D_co]": ...

    def packs(self, known_at: Microseconds) -> Sequence[RulePack]: ...

    def place(self, as_of: date, *, known_at: Microseconds | None = None) -> Place: ...

    def promises(self, account: AccountHoldings, known_at: Microseconds) -> Sequence[Promise]: ...

    def decide(
        self,
        account: AccountHoldings,
        applicant: Applicant,
        *,
        as_of: date,
        known_at: Microseconds,
        planned: Sequence[Holding] = (),
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
        PackChanged, PackMissing: a published or promised pack is not as it was, or not here.
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
        PackChanged, PackMissing: a published or promised pack is not as it was, or not here.
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


def answer_to(
    question: Question[D],
    known: Known,
    applicant: Applicant,
    *,
    as_of: date,
    planned: Sequence[Holding] = (),
) -> Answer[D]:
    """Answer a question by what is known, and nothing else; `planned` outcomes stand beside those recorded.

    Raises:
        ProgrammeUnknown, ExamUnknown: what it is about is not known here.
        PackChanged, PackMissing: a published or promised pack is not as it was, or not here.
    """
    asked: Question[D] = question.given(known.published)
    decision: D = asked.decide(known.account, applicant, as_of=as_of, known_at=known.at, planned=planned)
    kept = {one.pack for one in decision.kept}
    promised: list[RulePack] = [
        one.pack for one in asked.promises(known.account, known.at) if one.pack.id in kept
    ]
    return Answer(
        decision=decision,
        account=known.account,
        place=asked.place(as_of, known_at=known.at),
        packs=(*asked.packs(known.at), *promised),
        unpublished=unpublished_of(decision, known.published),
    )


def unpublished_of(decision: Decision | WaiverDecision, published: Published) -> tuple[PackId, ...]:
    """Return the packs it goes by that are not published, other than by a pre-decision."""
    kept = {one.pack for one in decision.kept}
    return tuple(
        pack for pack, digest in decision.packs if pack not in kept and not published.holds(pack, digest)
    )


def digest_of(decision: Decision | WaiverDecision) -> str:
    """Return the hex SHA-256 of a decision's canonical bytes, which every grant made by it cites."""
    return sha256(canonical_bytes(decision.as_json())).hexdigest()


def grants_of(decision: Decision | WaiverDecision, applicant: Applicant) -> Sequence[Granted]:
    """Return a decision's grants as they are registered, in its order."""
    digest = digest_of(decision)
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
