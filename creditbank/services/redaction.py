"""Redact an account: say so in its chain, destroy what leads to the person, clean up behind it.

The transaction that appends `account.redacted` destroys everything in the books at once. What then still
stands in free pages and in the write-ahead log is cleaned afterwards; until that is done the redaction counts
as uncleaned, and it can be finished at any time. A database restored from a backup is brought up to every
redaction that its own log names, and to every one that the register kept outside it names.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from creditbank.account.body import body_content, entry_kind, parse_body
from creditbank.account.records import Redaction
from creditbank.account.redaction import Destroyed, Redacted, RedactionNamed
from creditbank.errors import IntegrityBroken, InvalidInput
from creditbank.identity.account_number import AccountNumber, account_of
from creditbank.identity.person import Person
from creditbank.services.accounts import account_record, redaction_of
from creditbank.services.bank import Bank, EntryReceipt, Posting, Principal, receipt_of
from creditbank.services.books import Books
from creditbank.services.officers import TwoPersons
from creditbank.services.ports import Cleaner
from creditbank.terms import InputWarning, Progress

GROUNDS = "redaction-ground"
"""The vocabulary of the reasons for which an account may be redacted."""

ReceiptWithout = Callable[[bytes, AccountNumber], bytes | None]
"""Returns the receipt of a posted file without the lines about an account; None where it has no others."""


class RedactionInvalid(InvalidInput):
    """A redaction is not asked for as it must be."""

    code = "redaction-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactedAccount:
    """An account that was redacted just now."""

    receipt: EntryReceipt
    destroyed: Destroyed


@dataclass(frozen=True, slots=True, kw_only=True)
class Reapplied:
    """What bringing a database up to its redactions came to."""

    in_log: int
    """Redactions that the log names."""
    applied: int
    """Those of them before which something was left, and is gone now."""
    redacted_again: int
    """Those that the register names and the log does not, redacted anew."""


def known_ground(bank: Bank, ground: str | None) -> str:
    """Return a ground on which an account may be redacted today.

    Raises:
        RedactionInvalid: `ground-missing` or `ground-unknown`; the values name those that there are.
    """
    known = [term.code for term in bank.vocabularies[GROUNDS].terms_valid(on=bank.today())]
    if ground is None:
        raise RedactionInvalid("ground-missing", field="reason", known=known)
    if ground not in known:
        raise RedactionInvalid("ground-unknown", field="reason", value=ground, known=known)
    return ground


def preview_redaction(bank: Bank, number: AccountNumber) -> Destroyed:
    """Return what redacting an account would destroy; nothing is written.

    Raises:
        AccountUnknown, AccountRedacted: there is no such account, or no more.
    """
    with bank.store.reading() as books:
        account_record(books, number)
        length = books.ledger.heads_of([number.subject])[number.subject].length
        return books.redactions.reach(Redaction(subject=number.subject, seq=length))


def redact_account(
    bank: Bank,
    principal: Principal,
    persons: TwoPersons,
    number: AccountNumber,
    *,
    ground: str,
    note: str | None = None,
    receipt_without: ReceiptWithout,
) -> RedactedAccount:
    """Append `account.redacted`, and destroy in the same transaction what leads from it to the person.

    The learner can be given a new account afterwards; no entry of the old one counts for it. What remains to
    be done is `finish_redactions`.

    Raises:
        NotAuthorised: the principal is not the operator.
        TwoPersonsNeeded: one of the two has been retired meanwhile.
        AccountUnknown, AccountRedacted: there is no such account, or no more.
        RedactionInvalid: `ground-unknown`, or `note-names-person`.
        OutcomeInvalid: the note is not one line.
    """
    principal.must_be_operator()
    known_ground(bank, ground)

    def redact(books: Books) -> RedactedAccount:
        # The head before what is counted: a writer in between makes the append fail, and all is done again.
        heads = books.ledger.heads_of([number.subject])
        place = Redaction(subject=number.subject, seq=heads[number.subject].length)
        record = account_record(books, number)
        if note is not None:
            _refuse_naming(bank.vault.unseal(record), note)
        persons.must_serve(books)
        destroyed = books.redactions.reach(place)
        body = Redacted(ground=ground, officers=persons.ids, destroyed=destroyed, note=note)
        posting = Posting(bank, books, heads=heads, at=bank.now())
        entry = posting.add(
            number.subject, kind=entry_kind(body), issuer=bank.record.operator, content=body_content(body)
        )
        posting.post()
        _destroy(books, place, receipt_without)
        return RedactedAccount(receipt=receipt_of(entry), destroyed=destroyed)

    return bank.written(redact, about=number.subject)


def finish_redactions(
    bank: Bank,
    *,
    receipt_without: ReceiptWithout,
    register: Callable[[Sequence[RedactionNamed]], None],
    clean: Cleaner,
    on_step: Callable[[str], None],
    by_hand: bool = False,
) -> Sequence[str]:
    """Do what is left to do after redactions: enter them in the register, and clean up behind them.

    Returns the steps of cleaning that this deployment's database role may not take. Until somebody has taken
    them, and says so with `by_hand`, the redactions stay uncleaned. With nothing uncleaned, it cleans anyway.

    Raises:
        Conflict: readers or writers kept the database busy; nothing is lost, run it again.
    """
    with bank.store.reading() as books:
        uncleaned = books.redactions.uncleaned()
    # A file that was being posted meanwhile may have brought another receipt.
    _apply(bank, uncleaned, receipt_without)
    register(_named(bank, uncleaned))
    left = clean(on_step)
    if by_hand or not left:
        bank.written(lambda books: books.redactions.mark_cleaned(uncleaned))
    return left


def redactions_missing(bank: Bank, register: Iterable[RedactionNamed]) -> Sequence[RedactionNamed]:
    """Return those of a register that the log does not name: the database is older than they are."""
    with bank.store.reading() as books:
        return [
            named
            for named in {named.account: named for named in register}.values()
            if books.accounts.find(named.account.subject) and redaction_of(books, named.account) is None
        ]


def redaction_duties(bank: Bank, register: Iterable[RedactionNamed]) -> Iterator[InputWarning]:
    """Yield what somebody must be told of at the start: redactions that are not wholly done."""
    with bank.store.reading() as books:
        uncleaned = len(books.redactions.uncleaned())
    if uncleaned:
        yield InputWarning(code="redactions-uncleaned", values={"count": uncleaned})
    missing = len(redactions_missing(bank, register))
    if missing:
        yield InputWarning(code="redactions-missing", values={"count": missing})


def reapply_redactions(
    bank: Bank,
    principal: Principal,
    missing: Sequence[RedactionNamed],
    persons: TwoPersons | None,
    *,
    receipt_without: ReceiptWithout,
    on_progress: Progress,
) -> Reapplied:
    """Apply every redaction of the log where a restored backup brought something back, and those `missing`.

    `missing` are the register's, and take two persons again. Run `finish_redactions` after.

    Raises:
        RedactionInvalid: `persons-for-missing`: the log does not name some, and there are no two persons.
    """
    if missing and persons is None:
        raise RedactionInvalid("persons-for-missing", count=len(missing))
    with bank.store.reading() as books:
        in_log = list(books.redactions.in_log())
        left = books.redactions.unapplied(in_log)
    for redaction in left:
        _apply(bank, [redaction], receipt_without)
        on_progress(1)
    for named in missing:
        assert persons is not None, "checked above"
        redact_account(
            bank, principal, persons, named.account, ground=named.ground, receipt_without=receipt_without
        )
        on_progress(1)
    return Reapplied(in_log=len(in_log), applied=len(left), redacted_again=len(missing))


def all_named(bank: Bank) -> Sequence[RedactionNamed]:
    """Return every redaction of the log as the register keeps it."""
    with bank.store.reading() as books:
        return _named(bank, list(books.redactions.in_log()))


def _apply(bank: Bank, redactions: Collection[Redaction], receipt_without: ReceiptWithout) -> None:
    for redaction in redactions:
        bank.written(
            partial(_destroy, redaction=redaction, receipt_without=receipt_without), about=redaction.subject
        )


def _destroy(books: Books, redaction: Redaction, receipt_without: ReceiptWithout) -> None:
    books.redactions.destroy(redaction)
    books.answers.forget(redaction.subject)
    number = account_of(redaction.subject)
    for batch in list(books.redactions.receipts_naming(redaction.subject)):
        books.redactions.replace_receipt(batch.number, receipt_without(batch.receipt, number))
    books.redactions.mark_uncleaned(redaction)


def _named(bank: Bank, redactions: Iterable[Redaction]) -> Sequence[RedactionNamed]:
    def read(books: Books) -> Iterator[RedactionNamed]:
        for redaction in redactions:
            entry = books.ledger.entry(redaction.subject, redaction.seq)
            body = entry and entry.payload and parse_body(entry.leaf.kind, entry.payload.content)
            if entry is None or not isinstance(body, Redacted):
                raise IntegrityBroken("redaction-without-entry", subject=redaction.subject, seq=redaction.seq)
            yield RedactionNamed(
                account=account_of(redaction.subject),
                seq=redaction.seq,
                redacted_at=entry.leaf.at,
                ground=body.ground,
                leaf_hash=entry.leaf_hash,
            )

    with bank.store.reading() as books:
        return list(read(books))


def _refuse_naming(person: Person, note: str) -> None:
    """Refuse a note that would keep what the redaction destroys."""
    number = person.citizen_number
    told = (number.text if number is not None else None, person.phone)
    if person.names.stand_in(note) or any(text is not None and text in note for text in told):
        raise RedactionInvalid("note-names-person", field="note")
