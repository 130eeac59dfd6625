"""Decide what an account's outcomes convert to, and register the grants of a decision.

Deciding writes nothing. Applying decides again in the writing transaction, on the very entries that the
grants are appended to, so that nothing is granted on what is no longer true.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from hashlib import sha256
from typing import Generic

from creditbank.account.body import (
    ExemptionTarget,
    Granted,
    WaiverTarget,
    body_content,
    entry_kind,
    outcome_id,
)
from creditbank.account.facts import facts_of
from creditbank.account.holdings import AccountHoldings
from creditbank.account.step_body import StepMade
from creditbank.conversion.decision import (
    Decision,
    Exemption,
    RuleCited,
    Waiver,
    WaiverDecision,
    decimal_text,
)
from creditbank.conversion.holding import Applicant, Holding
from creditbank.conversion.published import Published
from creditbank.conversion.rule import RulePack
from creditbank.conversion.solver import Solver
from creditbank.errors import InvalidInput, NotAuthorised
from creditbank.identity.account_number import AccountNumber
from creditbank.ledger.encoding import canonical_bytes
from creditbank.services.accounts import find_account
from creditbank.services.applicants import require_declared_facts, require_known_facts, unheard_of
from creditbank.services.bank import Bank, Posting, Principal
from creditbank.services.books import Books
from creditbank.services.institutions import Institution, institution_of
from creditbank.services.known import Known, KnownAt, known_in
from creditbank.services.mentioned import institutions_in
from creditbank.services.procedure import Waiting, grants_in, require_procedure, steps_of
from creditbank.services.questions import D, Place, Question
from creditbank.services.rule_library import RuleLibrary
from creditbank.services.voided import voided_by
from creditbank.terms import InputWarning, Microseconds, OutcomeId, PackId, Wording


class DayInvalid(InvalidInput):
    """Grants are registered as of today or an earlier day."""

    code = "day-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[D]):
    """A decision and what it speaks of; `registered` are the entries of its grants, in its order.

    Those that are `waiting` for a step of their rule's procedure are not among these.

    `unpublished` are the packs it goes by that the ledger did not hold then: who keeps their files can change
    them, and with them what a later replay answers.
    """

    decision: D
    account: AccountHoldings
    place: Place
    packs: Sequence[RulePack]
    institutions: Mapping[str, Wording] = field(default_factory=dict)
    """What the institutions that it mentions are called, those registered."""
    unpublished: tuple[PackId, ...] = ()
    registered: tuple[OutcomeId, ...] = ()
    promised_already: tuple[OutcomeId, ...] = ()
    """Pre-decisions that bind on some of the same places already, where one was given."""
    waiting: tuple[Waiting, ...] = ()
    """What is granted and not registered, by the rule whose next step was not made."""
    warnings: tuple[InputWarning, ...] = ()
    """Facts stated of the applicant of which no rule here speaks, though rules ask for such."""


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
        HoldingInvalid: neither a list nor a rule knows what is stated of the applicant.
        LogSizeInvalid: the log never had this size.
        PackChanged, PackMissing: a published or promised pack is not as it was, or not here.
    """
    with bank.store.reading() as books:
        stated = stated_by(bank, books, number, applicant, question.library, known_at=known_at)
        known = known_in(bank, books, number, question.authorities, known_at=known_at)
    answer: Answer[D] = answer_to(question, known, stated, as_of=as_of or bank.today(), solver=bank.solver)
    return replace(answer, institutions=institutions_in(bank, answer.decision))


def apply_for(
    bank: Bank,
    principal: Principal,
    number: AccountNumber,
    question: Question[D],
    *,
    applicant: Applicant,
    as_of: date | None = None,
    made: Sequence[StepMade] = (),
) -> Answer[D]:
    """Decide by everything recorded until now, and register the grants in the principal's name.

    That a school grants in its own programmes alone is not checked here: only the operator calls this yet.
    What a rule grants waits while a step of its procedure was not `made`; each grant keeps its own steps. As
    long as one rule grants of which all were made, what it grants is registered, and what waits is named.
    Grants that are registered already stay as they are; a second time nothing is left to grant. The grants
    bear the microsecond after the decision's `known_at`: as known then, the decision can be made again.

    Raises:
        AccountUnknown, InstitutionUnknown, ProgrammeUnknown, ExamUnknown: one of them is not known here.
        AccountRedacted: the account was redacted.
        DayInvalid: the day is yet to come, or what it would waive has become void since.
        HoldingInvalid: neither a list nor a rule knows what is stated of the applicant.
        NotAuthorised: the institution exempts nobody: it is neither a school nor the bureau.
        ProcedureInvalid: a step is unknown or out of its order, or every rule that grants lacks one.
        PackChanged, PackMissing: a published or promised pack is not as it was, or not here.
    """
    day = as_of or bank.today()
    if day > bank.today():
        raise DayInvalid("as-of-in-future", field="as_of", day=day, today=bank.today())

    def grant(books: Books) -> Answer[D]:
        institution = institution_of(books, principal.issuer)
        # The head before the entries: a writer in between makes the append fail, and all is done again.
        heads = books.ledger.heads_of([number.subject])
        stated = stated_by(bank, books, number, applicant, question.library)
        known = known_in(bank, books, number, question.authorities)
        answer = answer_to(question, known, stated, as_of=day, solver=bank.solver)
        may_grant(institution, answer.decision)
        waiting = require_procedure(answer.decision, made, today=bank.today())
        held_back = {one.cited for one in waiting}
        granting = [
            granted
            for granted, one in zip(
                grants_of(answer.decision, stated, made), grants_in(answer.decision), strict=True
            )
            if one.cited not in held_back
        ]
        for granted in granting:
            if void := voided_by(bank, granted, known.account, question.library):
                raise DayInvalid("void-since", field="as_of", rule=granted.rule, outcome=void[0], day=day)
        posting = Posting(bank, books, heads=heads, at=Microseconds(known.at + 1))
        for granted in _in_place(granting, known.account):
            posting.add(
                number.subject,
                kind=entry_kind(granted),
                issuer=principal.issuer,
                content=body_content(granted),
            )
        posting.post()
        registered = tuple(outcome_id(entry.leaf.seq) for entry in posting.entries)
        return replace(answer, registered=registered, waiting=waiting)

    answer: Answer[D] = bank.written(grant, about=number.subject)
    return replace(answer, institutions=institutions_in(bank, answer.decision))


def may_grant(institution: Institution, decision: Decision | WaiverDecision) -> None:
    """Make sure that an institution may grant what was decided: exemptions are for schools and the bureau.

    Raises:
        NotAuthorised: it may not.
    """
    if isinstance(decision, Decision) and institution.role not in {"school", "education-bureau"}:
        raise NotAuthorised("role-exempts-nobody", issuer=institution.issuer)


def stated_by(
    bank: Bank,
    books: Books,
    number: AccountNumber,
    applicant: Applicant,
    library: RuleLibrary,
    *,
    known_at: KnownAt | None = None,
) -> Applicant:
    """Return what is stated of the applicant, with the account's own person category where none is.

    Of an earlier moment, `known_at`, everything is taken as it is stated: lists and registers of today say
    nothing about what could be stated then, and the answer must not change with them.

    Raises:
        AccountUnknown: no account has this number.
        AccountRedacted: it was redacted.
        HoldingInvalid: it cannot be, or neither a list nor a rule of the library knows it.
    """
    _, person = find_account(bank, books, number)
    require_declared_facts(library.packs, applicant)
    if known_at is None:
        require_known_facts(bank, books, library.packs, applicant)
    return applicant if applicant.category is not None else replace(applicant, category=person.category)


def answer_to(
    question: Question[D],
    known: Known,
    applicant: Applicant,
    *,
    as_of: date,
    planned: Sequence[Holding] = (),
    solver: Solver | None = None,
) -> Answer[D]:
    """Answer a question by what is known, and nothing else; `planned` outcomes stand beside those recorded.

    The `solver` is asked where the search ends before its answer is proved.

    Raises:
        ProgrammeUnknown, ExamUnknown: what it is about is not known here.
        PackChanged, PackMissing: a published or promised pack is not as it was, or not here.
    """
    asked: Question[D] = question.given(known.published, solver=solver)
    decision: D = asked.decide(known.account, applicant, as_of=as_of, known_at=known.at, planned=planned)
    kept = {one.pack for one in decision.kept}
    promised: list[RulePack] = [
        one.pack for one in asked.promises(known.account, known.at) if one.pack.id in kept
    ]
    packs = (*asked.packs(known.at), *promised)
    return Answer(
        decision=decision,
        account=known.account,
        place=asked.place(as_of, known_at=known.at),
        packs=packs,
        warnings=unheard_of(packs, applicant),
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


def grants_of(
    decision: Decision | WaiverDecision, applicant: Applicant, made: Sequence[StepMade] = ()
) -> Sequence[Granted]:
    """Return a decision's grants as they are registered, in its order, each with the steps made for it."""
    digest = digest_of(decision)
    facts = facts_of(applicant)
    if isinstance(decision, Decision):
        return [
            replace(_exemption(decision, one, digest), facts=facts, procedure=steps_of(one.cited, made))
            for one in decision.exemptions
        ]
    return [
        replace(_waiver(decision, one, digest), facts=facts, procedure=steps_of(one.cited, made))
        for one in decision.waivers
    ]


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
        worths=grant.worths if isinstance(grant, Exemption) else (),
    )
