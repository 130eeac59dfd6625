"""Verify a certificate or diploma by its number and its holder's name, for someone who has no account here.

The number alone never answers. A number that nobody holds, a name that does not match and a record that
was erased give the same answer after much the same work, so that nobody learns who holds what by asking.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from creditbank.account.body import outcome_id
from creditbank.account.holdings import outcome_of
from creditbank.account.outcome_name import numbered
from creditbank.account.records import OutcomeKey
from creditbank.identity.names import PersonNames
from creditbank.identity.person import Person
from creditbank.ledger.append import LogPlace
from creditbank.ledger.merkle import verify_inclusion
from creditbank.ledger.tiles import inclusion_proof
from creditbank.outcomes.outcome import OutcomeKind
from creditbank.services.bank import Bank
from creditbank.services.books import Books
from creditbank.services.institutions import names_of
from creditbank.services.log import tile_reader
from creditbank.services.outcome_keys import name_key
from creditbank.terms import SubjectId
from creditbank.verification.checks import Report, report_on

_NUMBERED: tuple[OutcomeKind, ...] = ("skill-certificate", "diploma")
_NOBODY = SubjectId("account:0000000000000000")
_DECOY = Person(names=PersonNames(chinese="无"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """There is such a certificate for this person; `report` says whether it can be relied on."""

    report: Report
    issuer_name: str
    log_index: int | None
    """Its place in the log, None in the moment before it has one."""
    log_size: int
    leaf_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFoundForThisName:
    """No certificate with this number is recorded for a person of this name."""


def verify_certificate(bank: Bank, *, number: str, name: str, as_of: date) -> Verified | NotFoundForThisName:
    """Answer whether this person holds a certificate or diploma of this number, and how it stands.

    Where the number was recorded more than once for this person, the record that stands answers.
    """
    with bank.store.reading() as books:
        verified = [
            _verified(bank, books, place, as_of=as_of)
            for place, person in _holders(bank, books, number)
            if person.names.matches(name)
        ]
    found = [answer for answer in verified if isinstance(answer, Verified)]
    return max(found, key=lambda answer: answer.report.passed, default=NotFoundForThisName())


def _holders(bank: Bank, books: Books, number: str) -> Iterator[tuple[OutcomeKey, Person]]:
    keys = [name_key(bank, numbered(kind, number), subject=_NOBODY) for kind in _NUMBERED]
    places = [place for places in books.outcomes.find(keys).values() for place in places]
    records = [(place, books.accounts.find(place.subject)) for place in places]
    held = [(place, record) for place, record in records if record is not None]
    if not held:
        # The work that a number in somebody else's account makes: one record looked up and unsealed.
        books.accounts.find(_NOBODY)
        bank.vault.unseal(bank.vault.seal(_NOBODY, _DECOY, opened_at=bank.now()))
    for place, record in held:
        yield place, bank.vault.unseal(record)


def _verified(bank: Bank, books: Books, place: OutcomeKey, *, as_of: date) -> Verified | NotFoundForThisName:
    entries = tuple(books.ledger.entries_of(place.subject))
    held = outcome_of(entries, outcome_id(place.seq))
    if held is None:
        return NotFoundForThisName()
    log = books.ledger.place_of(place.subject, place.seq)
    leaf_hash = entries[place.seq].leaf_hash
    return Verified(
        report=report_on(
            held.outcome,
            is_revoked=held.is_revoked(as_of=as_of),
            is_corrected=held.corrected_by is not None,
            in_the_log=_is_included(books, leaf_hash, log),
            as_of=as_of,
        ),
        issuer_name=names_of(bank, books, [held.recorded_by])[held.recorded_by],
        log_index=log.index,
        log_size=log.size,
        leaf_hash=leaf_hash,
    )


def _is_included(books: Books, leaf_hash: bytes, log: LogPlace) -> bool:
    if log.index is None:
        return False
    proof = inclusion_proof(log.index, log.size, tile_reader(books))
    return verify_inclusion(leaf_hash, log.index, log.size, proof, log.root)
