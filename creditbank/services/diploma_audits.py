"""Audit a learner's way to a diploma: what of a programme is earned, exempted, exemptable or missing.

Nothing is written. Of one day and one size of the log the answer is the same for ever, as a decision's is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from creditbank.account.facts import holdings_for_rules, pinned_for_programme, spent_elsewhere
from creditbank.account.holdings import AccountHoldings
from creditbank.conversion.diploma_audit import DiplomaAudit, audit_diploma
from creditbank.conversion.holding import Applicant
from creditbank.conversion.programme import Programme
from creditbank.conversion.rule import RulePack
from creditbank.identity.account_number import AccountNumber
from creditbank.services.applicants import unheard_of
from creditbank.services.bank import Bank
from creditbank.services.conversions import stated_by, unpublished_of
from creditbank.services.known import KnownAt, known_in
from creditbank.services.mentioned import institutions_in
from creditbank.services.questions import ExemptionQuestion
from creditbank.services.rule_library import RuleLibrary
from creditbank.terms import InputWarning, PackId, ProgrammeId, Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditAnswer:
    """An audit and what it speaks of; `unpublished` and `warnings` as in a decision's answer."""

    audit: DiplomaAudit
    account: AccountHoldings
    place: Programme
    packs: Sequence[RulePack]
    institutions: Mapping[str, Wording] = field(default_factory=dict)
    unpublished: tuple[PackId, ...] = ()
    warnings: tuple[InputWarning, ...] = ()


def audit_account(
    bank: Bank,
    number: AccountNumber,
    library: RuleLibrary,
    programme: ProgrammeId,
    *,
    applicant: Applicant,
    as_of: date | None = None,
    known_at: KnownAt | None = None,
) -> AuditAnswer:
    """Audit an account as of a day (today), going by what stood in the ledger at `known_at` (now).

    The account's own person category is taken where `applicant` names none. Which school's course credits
    are the programme's own is the fact `enrolled_at`.

    Raises:
        AccountUnknown, ProgrammeUnknown: one of them is not known here.
        AccountRedacted: the account was redacted.
        HoldingInvalid: neither a list nor a rule knows what is stated of the applicant.
        LogSizeInvalid: the log never had this size.
        PackChanged, PackMissing: a published pack is not as it was, or not here.
    """
    question = ExemptionQuestion(library=library, programme=programme, beside_earned=True)
    with bank.store.reading() as books:
        stated = stated_by(bank, books, number, applicant, library, known_at=known_at)
        known = known_in(bank, books, number, question.authorities, known_at=known_at)
    asked, day = question.given(known.published), as_of or bank.today()
    place, packs = asked.place(day, known_at=known.at), asked.packs(known.at)
    audit = audit_diploma(
        packs,
        holdings_for_rules(known.account),
        place,
        as_of=day,
        known_at=known.at,
        applicant=stated,
        pinned=pinned_for_programme(known.account, programme, known_at=known.at),
        elsewhere=spent_elsewhere(known.account, programme, library.packs, known_at=known.at),
        promises=asked.promises(known.account, known.at),
        solver=bank.solver,
    )
    unpublished = unpublished_of(audit.decision, known.published)
    return AuditAnswer(
        audit=audit,
        account=known.account,
        place=place,
        packs=packs,
        institutions=institutions_in(bank, audit.decision),
        unpublished=unpublished,
        warnings=unheard_of(packs, stated),
    )
