"""Record an outcome, correct it, revoke it: always by adding an entry, always in the issuer's own name."""

from dataclasses import replace
from datetime import date

from creditbank.account.body import (
    Corrected,
    Recorded,
    Revoked,
    Suspended,
    body_content,
    entry_kind,
    outcome_id,
)
from creditbank.account.facts import holdings_for_rules
from creditbank.account.holdings import AccountHoldings, HeldGrant, HeldOutcome, holdings_of
from creditbank.account.records import OutcomeKey
from creditbank.errors import Conflict, NotAuthorised, NotFound
from creditbank.identity.account_number import AccountNumber
from creditbank.ledger.entry import Entry
from creditbank.outcomes import Outcome
from creditbank.outcomes.outcome import OutcomeInvalid
from creditbank.services.accounts import find_account
from creditbank.services.bank import Bank, EntryReceipt, Posting, Principal, receipt_of
from creditbank.services.books import Books
from creditbank.services.cascade import holds_on, kind_of_grant, may_void, suspend_void
from creditbank.services.idempotency import IdempotencyKeyReused
from creditbank.services.institutions import institution_of
from creditbank.services.known_terms import require_awarded, require_known_terms
from creditbank.services.outcome_keys import key_of, refuse_recorded
from creditbank.services.rule_library import RuleLibrary
from creditbank.terms import OutcomeId


class OutcomeUnknown(NotFound):
    """The account holds no outcome with this id."""

    code = "outcome-unknown"


class OutcomeEnded(Conflict):
    """The outcome has been revoked or corrected already."""

    code = "outcome-ended"


def record_outcome(
    bank: Bank,
    principal: Principal,
    number: AccountNumber,
    outcome: Outcome,
    *,
    idempotency_key: str | None = None,
    rules: RuleLibrary | None = None,
) -> EntryReceipt:
    """Record an outcome in the name of the principal's institution.

    With `rules` waivers that it makes void are suspended in the same transaction.

    The same idempotency key with the same outcome answers with the entry it made the first time.

    Raises:
        AccountUnknown, InstitutionUnknown: one of them is not known here.
        AccountRedacted: the account was redacted.
        NotAuthorised: the outcome names another issuer than the principal's institution.
        OutcomeRecorded: it is recorded already, and still stands.
        IdempotencyKeyReused: the key came before with another outcome.
        OutcomeInvalid: a term of it is in no vocabulary, or it is of a day to come.
    """
    must_be_issuer(principal, outcome)
    require_known_terms(bank.vocabularies, outcome)
    require_awarded(outcome, today=bank.today())
    body = Recorded(outcome=outcome)

    def record(books: Books) -> EntryReceipt:
        posting = _posting(bank, books, number)
        institution_of(books, principal.issuer)
        find_account(bank, books, number)
        key = _principal_key(principal, idempotency_key)
        content = body_content(body, idempotency_key=key)
        if key is not None and (made := books.ledger.entry_by_key(number.subject, key)):
            return _repeated(made, content)
        name_key = key_of(bank, number.subject, outcome)
        books.outcomes.claim([name_key])
        refuse_recorded(books, {name_key: number.subject})
        entry = posting.add(
            number.subject,
            kind=entry_kind(body),
            issuer=principal.issuer,
            content=content,
            idempotency_key=key,
        )
        if rules is not None and may_void(outcome, rules):
            after = holdings_of([*books.ledger.entries_of(number.subject), entry])
            suspend_void(bank, posting, number, after, outcome_id(entry.leaf.seq), rules)
        posting.post()
        books.outcomes.add([OutcomeKey(key=name_key, subject=number.subject, seq=entry.leaf.seq)])
        return receipt_of(entry)

    return bank.written(record, about=number.subject)


def correct_outcome(
    bank: Bank,
    principal: Principal,
    number: AccountNumber,
    corrects: OutcomeId,
    outcome: Outcome,
    *,
    reason: str,
    rules: RuleLibrary | None = None,
) -> EntryReceipt:
    """Put `outcome` in the place of the one that `corrects` names.

    A grant that rests on it goes on resting on `outcome` where by its own rule it would be made on that too,
    and is suspended where not. Without `rules` only a correction that no rule can see lets it hold on.

    Raises:
        AccountUnknown, OutcomeUnknown: one of them is not known here.
        AccountRedacted: the account was redacted.
        NotAuthorised: another institution recorded it.
        OutcomeEnded: it has been revoked or corrected already.
        OutcomeRecorded: what it is corrected to is recorded already.
        OutcomeInvalid: a term of it is in no vocabulary, or the reason is not one line.
    """
    must_be_issuer(principal, outcome)
    require_known_terms(bank.vocabularies, outcome)
    require_awarded(outcome, today=bank.today())
    body = Corrected(corrects=corrects, outcome=outcome, reason=reason)

    def correct(books: Books) -> EntryReceipt:
        name_key = key_of(bank, number.subject, outcome)
        posting = _posting(bank, books, number)
        _to_be_ended(bank, books, principal, number, corrects)
        books.outcomes.claim([name_key])
        refuse_recorded(books, {name_key: number.subject}, besides=(number.subject, corrects))
        entry = _post_end(bank, books, posting, principal, number, body, rules)
        books.outcomes.add([OutcomeKey(key=name_key, subject=number.subject, seq=entry.leaf.seq)])
        return receipt_of(entry)

    return bank.written(correct, about=number.subject)


def revoke_outcome(
    bank: Bank,
    principal: Principal,
    number: AccountNumber,
    revokes: OutcomeId,
    *,
    reason: str,
    effective_on: date | None = None,
) -> EntryReceipt:
    """End an outcome; grants that rest on it are suspended in the same transaction.

    It no longer counts from `effective_on`; without it, as if it had never been awarded. A grant that was
    decided for an earlier day holds on.

    Raises:
        AccountUnknown, OutcomeUnknown: one of them is not known here.
        AccountRedacted: the account was redacted.
        NotAuthorised: another institution recorded it.
        OutcomeEnded: it has been revoked or corrected already.
        OutcomeInvalid: `effective_on` is before the award or after today, or the reason is not one line.
    """
    body = Revoked(revokes=revokes, reason=reason, effective_on=effective_on)

    def revoke(books: Books) -> EntryReceipt:
        posting = _posting(bank, books, number)
        holdings = _to_be_ended(bank, books, principal, number, revokes)
        _require_within(bank, holdings, body)
        return receipt_of(_post_end(bank, books, posting, principal, number, body))

    return bank.written(revoke, about=number.subject)


def must_be_issuer(principal: Principal, outcome: Outcome) -> None:
    """Refuse an outcome stated in another institution's name.

    Raises:
        NotAuthorised: the outcome's issuer is not the principal's institution.
    """
    if outcome.issuer != principal.issuer:
        raise NotAuthorised("issuer-not-principal", field="issuer", issuer=outcome.issuer)


def _principal_key(principal: Principal, idempotency_key: str | None) -> str | None:
    return None if idempotency_key is None else f"{principal.issuer} {idempotency_key}"


def _repeated(made: Entry, content: bytes) -> EntryReceipt:
    if made.payload is None or made.payload.content != content:
        raise IdempotencyKeyReused
    return receipt_of(made, repeated=True)


def _to_be_ended(
    bank: Bank, books: Books, principal: Principal, number: AccountNumber, ending: OutcomeId
) -> AccountHoldings:
    institution_of(books, principal.issuer)
    find_account(bank, books, number)
    holdings = holdings_of(books.ledger.entries_of(number.subject))
    held = holdings.outcome(ending)
    if held is None:
        raise OutcomeUnknown("outcome-unknown", outcome=ending)
    if held.recorded_by != principal.issuer:
        raise NotAuthorised("not-its-issuer", outcome=ending, issuer=held.recorded_by)
    must_stand(holdings, held)
    return holdings


def must_stand(holdings: AccountHoldings, held: HeldOutcome) -> None:
    """Make sure that an outcome can be corrected or revoked still.

    Raises:
        OutcomeEnded: `outcome-corrected`, and by what; `outcome-ended`.
    """
    if held.corrected_by is not None:
        raise OutcomeEnded("outcome-corrected", outcome=held.id, successor=_standing(holdings, held).id)
    if not held.is_current:
        raise OutcomeEnded("outcome-ended", outcome=held.id)


def _standing(holdings: AccountHoldings, held: HeldOutcome) -> HeldOutcome:
    """Return what has taken the place of a corrected outcome, by however many corrections."""
    while held.corrected_by is not None:
        successor = holdings.outcome(held.corrected_by)
        assert successor is not None, "a correction is an outcome of the same account"
        held = successor
    return held


def _require_within(bank: Bank, holdings: AccountHoldings, body: Revoked) -> None:
    held = holdings.outcome(body.revokes)
    if held is None or body.effective_on is None:
        return
    awarded_on, today = held.outcome.awarded_on, bank.today()
    if not awarded_on <= body.effective_on <= today:
        raise OutcomeInvalid(
            "effective-on-range",
            field="effective_on",
            effective_on=body.effective_on,
            awarded_on=awarded_on,
            today=today,
        )


def _posting(bank: Bank, books: Books, number: AccountNumber) -> Posting:
    """Begin to write to an account, before anything else about it is read."""
    return Posting(bank, books, heads=books.ledger.heads_of([number.subject]), at=bank.now())


def _post_end(
    bank: Bank,
    books: Books,
    posting: Posting,
    principal: Principal,
    number: AccountNumber,
    body: Corrected | Revoked,
    rules: RuleLibrary | None = None,
) -> Entry:
    """Add the correction or revocation, then suspend every grant that no longer holds (DESIGN §4)."""
    before = list(books.ledger.entries_of(number.subject))
    ending = posting.add(
        number.subject, kind=entry_kind(body), issuer=principal.issuer, content=body_content(body)
    )
    after = holdings_of([*before, ending])
    fallen = set()
    for grant in after.active_grants:
        if _falls(bank, books, number, body, rules, after, grant, outcome_id(ending.leaf.seq)):
            suspended = _suspension(body, grant)
            fallen.add(grant.id)
            posting.add(
                number.subject,
                kind=entry_kind(suspended),
                issuer=bank.record.operator,
                content=body_content(suspended),
            )
    if rules is not None and isinstance(body, Corrected) and may_void(body.outcome, rules):
        suspend_void(bank, posting, number, after, outcome_id(ending.leaf.seq), rules, fallen=fallen)
    posting.post()
    return ending


def _falls(
    bank: Bank,
    books: Books,
    number: AccountNumber,
    body: Corrected | Revoked,
    rules: RuleLibrary | None,
    after: AccountHoldings,
    grant: HeldGrant,
    corrected_by: OutcomeId,
) -> bool:
    """Whether a grant no longer holds: on the day that it was decided for, its evidence would not do."""
    if isinstance(body, Revoked):
        ended = after.outcome(body.revokes)
        assert ended is not None, "it was just ended"
        return body.revokes in grant.evidence and ended.is_revoked(as_of=grant.granted.as_of)
    if corrected_by not in grant.evidence:
        return False
    seen = {holding.id: holding for holding in holdings_for_rules(after)}
    old, new = seen[body.corrects], seen[corrected_by]
    if replace(new, id=old.id, recorded_at=old.recorded_at, revoked_at=old.revoked_at) == old:
        return False  # no rule can tell the two apart
    return rules is None or not holds_on(bank, books, number, rules, after, grant)


def _suspension(body: Corrected | Revoked, grant: HeldGrant) -> Suspended:
    ended = body.corrects if isinstance(body, Corrected) else body.revokes
    reason = "evidence-corrected" if isinstance(body, Corrected) else "evidence-revoked"
    return Suspended(kind=kind_of_grant(grant), grant=grant.id, because=ended, reason=reason)
