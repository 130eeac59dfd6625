"""What follows when an outcome is revoked or corrected: which grants fall, what could stand in their place.

A grant that rests on the outcome is suspended unless it would still be made, on its own day, by its own rule
and beside all others. The school then confirms, by two persons, that the grant has ended, or lets the
substitute stand that other outcomes give: each is an entry.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from creditbank.account.body import (
    ExemptionTarget,
    Granted,
    Reversed,
    Suspended,
    WaiverTarget,
    body_content,
    entry_kind,
)
from creditbank.account.facts import (
    applicant_of,
    holdings_for_rules,
    pinned_for_exam,
    pinned_for_programme,
    spent_elsewhere,
)
from creditbank.account.holdings import AccountHoldings, HeldGrant, HeldOutcome, holdings_of
from creditbank.conversion.allocation import decide_exemptions
from creditbank.conversion.decision import Decision, WaiverDecision
from creditbank.conversion.holding import Holding, Pinned, SpentElsewhere
from creditbank.conversion.meeting import is_subject_of
from creditbank.conversion.promised import keep
from creditbank.conversion.standing import only_parts, only_places, under_rule
from creditbank.conversion.waivers import decide_waivers
from creditbank.errors import Conflict, NotAuthorised, NotFound
from creditbank.identity.account_number import AccountNumber
from creditbank.outcomes import Outcome
from creditbank.services.accounts import find_account
from creditbank.services.bank import Bank, EntryReceipt, Posting, Principal, receipt_of
from creditbank.services.books import Books
from creditbank.services.conversions import grants_of
from creditbank.services.institutions import institution_of
from creditbank.services.known import known_in
from creditbank.services.known_promises import promises_of
from creditbank.services.officers import TwoPersons
from creditbank.services.procedure import grants_in, is_done
from creditbank.services.rule_library import RuleLibrary
from creditbank.services.voided import voided_by
from creditbank.terms import ExamId, GrantKind, Microseconds, OutcomeId, ProgrammeId

_LATEST = Microseconds(2**53 - 1)


class GrantUnknown(NotFound):
    """The account holds no grant with this id."""

    code = "grant-unknown"


class GrantNotSuspended(Conflict):
    """Only a suspended grant is confirmed as ended or substituted."""

    code = "grant-not-suspended"


class NoSubstitute(Conflict):
    """No other outcome gives what the suspended grant gave."""

    code = "no-substitute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A suspended grant, and the grant that could stand in its place; None where no outcome gives it."""

    suspended: HeldGrant
    substitute: Granted | None


def kind_of_grant(grant: HeldGrant) -> GrantKind:
    """Return whether it exempts or waives."""
    return "exemption" if isinstance(grant.granted.target, ExemptionTarget) else "waiver"


def holds_on(
    bank: Bank,
    books: Books,
    number: AccountNumber,
    rules: RuleLibrary,
    account: AccountHoldings,
    grant: HeldGrant,
) -> bool:
    """Whether a grant would still be made on what it rests on in `account`, beside all its other grants."""
    together = [one for one in account.active_grants if _application(one) == _application(grant)]
    decision = _decided(bank, books, number, rules, account, together, under_own_rule=True)
    given: dict[str, int] = (
        {str(one.target): one.units for one in decision.exemptions}
        if isinstance(decision, Decision)
        else {str(one.part): 0 for one in decision.waivers}
    )
    wanted = _target_of(grant)
    return wanted in given and given[wanted] >= _units(grant, decision)


def offers(bank: Bank, number: AccountNumber, rules: RuleLibrary) -> Sequence[Offer]:
    """Return every suspended grant with what could stand in its place.

    Raises:
        AccountUnknown, AccountRedacted: there is no such account, or no more.
        PackChanged, PackMissing: a published pack is not as it was, or not here.
    """
    with bank.store.reading() as books:
        find_account(bank, books, number)
        account = holdings_of(books.ledger.entries_of(number.subject))
        return list(_offers(bank, books, number, rules, account))


def substitute_grant(
    bank: Bank, principal: Principal, number: AccountNumber, grant: OutcomeId, rules: RuleLibrary
) -> EntryReceipt:
    """Register what other outcomes give in the place of a suspended grant, in the name of whoever granted it.

    Raises:
        AccountUnknown, AccountRedacted, GrantUnknown: one of them is not known here, or no more.
        NotAuthorised: another institution granted it.
        GrantNotSuspended: it holds, or is ended already.
        NoSubstitute: no outcome gives it.
    """

    def substitute(books: Books) -> EntryReceipt:
        posting, account, _ = _to_be_settled(bank, books, principal, number, grant)
        every = _offers(bank, books, number, rules, account)
        found = next((one.substitute for one in every if one.suspended.id == grant), None)
        if found is None:
            raise NoSubstitute("no-substitute", grant=grant)
        entry = posting.add(
            number.subject, kind=entry_kind(found), issuer=principal.issuer, content=body_content(found)
        )
        posting.post()
        return receipt_of(entry)

    return bank.written(substitute, about=number.subject)


def confirm_suspension(
    bank: Bank,
    principal: Principal,
    persons: TwoPersons,
    number: AccountNumber,
    grant: OutcomeId,
    *,
    reason: str,
) -> EntryReceipt:
    """Confirm that a suspended grant has ended, by two persons, in the name of whoever granted it.

    Raises:
        AccountUnknown, AccountRedacted, GrantUnknown: one of them is not known here, or no more.
        NotAuthorised: another institution granted it.
        TwoPersonsNeeded: one of the two has been retired meanwhile.
        GrantNotSuspended: it holds, or is ended already.
        OutcomeInvalid: the reason is not one line.
    """

    def confirm(books: Books) -> EntryReceipt:
        posting, _, held = _to_be_settled(bank, books, principal, number, grant)
        persons.must_serve(books)
        body = Reversed(kind=kind_of_grant(held), grant=grant, reason=reason, officers=persons.ids)
        entry = posting.add(
            number.subject, kind=entry_kind(body), issuer=principal.issuer, content=body_content(body)
        )
        posting.post()
        return receipt_of(entry)

    return bank.written(confirm, about=number.subject)


def suspend_void(
    bank: Bank,
    posting: Posting,
    number: AccountNumber,
    account: AccountHoldings,
    outcome: OutcomeId,
    rules: RuleLibrary,
    *,
    fallen: Collection[OutcomeId] = (),
) -> None:
    """Add the suspension of every waiver that an outcome of `account`, just recorded, makes void.

    Grants in `fallen` are suspended already.
    """
    holding = next((one for one in holdings_for_rules(account) if one.id == outcome), None)
    for grant in account.active_grants:
        granted = grant.granted
        pack = rules.pack_at_hand(granted.pack, granted.pack_digest)
        if holding is None or pack is None or grant.id in fallen:
            continue
        own = [rule for rule in pack.rules if (rule.id, rule.version) == (granted.rule, granted.rule_version)]
        if any(one.is_met_by(holding, scales=pack.scales) for rule in own for one in rule.void_if):
            body = Suspended(kind=kind_of_grant(grant), grant=grant.id, because=outcome, reason="void")
            posting.add(
                number.subject,
                kind=entry_kind(body),
                issuer=bank.record.operator,
                content=body_content(body),
            )


def may_void(outcome: Outcome, rules: RuleLibrary) -> bool:
    """Whether something may be void by an outcome of this kind and code: whose account need not be read."""
    held = HeldOutcome(
        id=OutcomeId(""), outcome=outcome, recorded_by=outcome.issuer, recorded_at=Microseconds(0)
    )
    (holding,) = holdings_for_rules(AccountHoldings(outcomes=(held,)))
    return any(is_subject_of(one.pattern, holding) for one in rules.voiding())


def _to_be_settled(
    bank: Bank, books: Books, principal: Principal, number: AccountNumber, grant: OutcomeId
) -> tuple[Posting, AccountHoldings, HeldGrant]:
    heads = books.ledger.heads_of([number.subject])
    institution_of(books, principal.issuer)
    find_account(bank, books, number)
    account = holdings_of(books.ledger.entries_of(number.subject))
    held = account.grant(grant)
    if held is None:
        raise GrantUnknown("grant-unknown", grant=grant)
    if held.granted_by != principal.issuer:
        raise NotAuthorised("grant-not-its-issuer", grant=grant, issuer=held.granted_by)
    if held.status != "suspended":
        raise GrantNotSuspended("grant-not-suspended", grant=grant)
    return Posting(bank, books, heads=heads, at=bank.now()), account, held


def _offers(
    bank: Bank, books: Books, number: AccountNumber, rules: RuleLibrary, account: AccountHoldings
) -> Iterator[Offer]:
    """Yield the offers, each beside those before it."""
    for grant in account.suspended_grants:
        decision = _decided(bank, books, number, rules, account, [grant], under_own_rule=False)
        made = grant.granted.procedure
        every = grants_of(decision, applicant_of(grant.granted.facts), made)
        fitting = (
            one
            for one, by in zip(every, grants_in(decision), strict=True)
            if is_done(by.cited, made) and not voided_by(bank, one, account, rules)
        )
        found = next((replace(one, replaces=grant.id) for one in fitting), None)
        yield Offer(suspended=grant, substitute=found)
        if found is not None:
            offered = HeldGrant(
                id=OutcomeId(f"offer-{grant.id}"),
                granted=found,
                granted_by=grant.granted_by,
                granted_at=found.known_at,
                spent=found.spent,
                witnesses=found.witnesses,
            )
            account = replace(account, grants=(*account.grants, offered))


def _decided(
    bank: Bank,
    books: Books,
    number: AccountNumber,
    rules: RuleLibrary,
    account: AccountHoldings,
    grants: Sequence[HeldGrant],
    *,
    under_own_rule: bool,
) -> Decision | WaiverDecision:
    """Decide about the places of `grants` alone, on their day, by the rules as they were known then."""
    first = grants[0].granted
    target, aimed = first.target, {_target_of(grant) for grant in grants}
    others = replace(account, grants=tuple(one for one in account.active_grants if one not in grants))
    aim = _aim_of(first)
    authorities = rules.authorities_for(aim)
    published = known_in(bank, books, number, authorities, known_at=first.known_at).published
    library = rules.as_known(published)
    pinned: Sequence[Pinned]
    elsewhere: Sequence[SpentElsewhere] = ()
    if isinstance(target, ExemptionTarget):
        in_use = library.packs_for_programme(target.programme, known_at=first.known_at)
        pinned = pinned_for_programme(others, target.programme, known_at=_LATEST)
        elsewhere = spent_elsewhere(others, target.programme, rules.packs, known_at=_LATEST)
    else:
        in_use = library.packs_for_exam(target.exam, known_at=first.known_at)
        pinned = pinned_for_exam(others, target.exam, known_at=_LATEST)
    promised = promises_of(account, aim, rules, known_at=first.known_at)
    packs, _ = keep(in_use, promised, as_of=first.as_of)
    holdings = _as_ever_known(account)
    seen = packs
    if under_own_rule:
        seen = under_rule(packs, first.pack, first.rule, first.rule_version)
        kept = {*grants[0].evidence, *(one for pin in pinned for one in (*pin.spent, *pin.witnesses))}
        holdings = [holding for holding in holdings if holding.id in kept]
    applicant, day, known = applicant_of(first.facts), first.as_of, first.known_at
    if isinstance(target, ExemptionTarget):
        programme = library.programme(target.programme, as_of=day, known_at=known)
        place = only_places(programme, aimed)
        return decide_exemptions(
            seen,
            holdings,
            place,
            applicant=applicant,
            pinned=pinned,
            elsewhere=elsewhere,
            as_of=day,
            known_at=known,
            gains=False,
        )
    exam = only_parts(library.exam(target.exam, as_of=day, known_at=known), aimed)
    return decide_waivers(seen, holdings, exam, applicant=applicant, pinned=pinned, as_of=day, known_at=known)


def _as_ever_known(account: AccountHoldings) -> list[Holding]:
    """Return the outcomes of today as if they had been known at any time: rules go by another one."""
    return [
        replace(
            holding,
            recorded_at=Microseconds(0),
            revoked_at=None if holding.revoked_at is None else Microseconds(0),
        )
        for holding in holdings_for_rules(account)
    ]


def _application(grant: HeldGrant) -> tuple[object, ...]:
    """Return what grants have in common that one application of one rule gave in one programme or exam."""
    granted = grant.granted
    return (_aim_of(granted), granted.pack, granted.rule, granted.rule_version, grant.evidence)


def _aim_of(granted: Granted) -> ProgrammeId | ExamId:
    target = granted.target
    return target.programme if isinstance(target, ExemptionTarget) else target.exam


def _target_of(grant: HeldGrant) -> str:
    target: ExemptionTarget | WaiverTarget = grant.granted.target
    return target.target if isinstance(target, ExemptionTarget) else target.part


def _units(grant: HeldGrant, decision: Decision | WaiverDecision) -> int:
    """Return how many units it gave, in the decision's step."""
    if not isinstance(decision, Decision) or grant.granted.step is None:
        return grant.granted.units if isinstance(decision, Decision) else 0
    return int(grant.granted.units * grant.granted.step / decision.step)
