"""What one id stands for: an outcome in an account, both known from the id alone.

An id is TAG.RUN.N. The fourth of every four goes to the account that all writers share, the others to
accounts of the tag's own; the third of every three is a certificate, whose number is claimed across accounts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256

from creditbank.account.body import Recorded, parse_body
from creditbank.identity.account_number import AccountNumber, account_of
from creditbank.identity.names import PersonNames
from creditbank.identity.person import Person
from creditbank.ledger.entry import Entry
from creditbank.outcomes import Outcome
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.course import CourseCredit
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.samples.people import sample_citizen_number, sample_issuer
from creditbank.services.accounts import AccountExists, account_of_citizen, open_account
from creditbank.services.bank import Bank, Principal

TAG = re.compile(r"[A-Za-z0-9_-]{1,32}")
ID = re.compile(rf"({TAG.pattern})\.[0-9a-f]{{8}}\.([1-9][0-9]{{0,9}})")

_HOT_EVERY = 4
_CERTIFICATE_EVERY = 3
_AWARDED_ON = date(2024, 6, 1)
_EARLIEST_BIRTH = date(1950, 1, 1)
_DAYS_OF_BIRTH = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPiece:
    """An entry of the database, and the id that it was made under, as its payload says it."""

    id: str
    account: AccountNumber
    entry: Entry


def outcome_of(piece: str) -> Outcome:
    """Return the outcome that an id records."""
    if _number_in(piece) % _CERTIFICATE_EVERY == 0:
        return SkillCertificate(
            number=piece,
            standard="CD-X-JTNC",
            title="家庭农场畜禽养殖",
            level=FrameworkLevel(framework="1+X", level="中级"),
            issuer=sample_issuer("station"),
            awarded_on=_AWARDED_ON,
        )
    return CourseCredit(
        course_code=piece,
        title="畜禽繁殖与改良",
        credits=Decimal(4),
        issuer=sample_issuer("school-east"),
        awarded_on=_AWARDED_ON,
    )


def holder_of(piece: str) -> Person:
    """Return whose account an id goes to."""
    name, number = _tag_in(piece), _number_in(piece)
    account = "shared" if number % _HOT_EVERY == 0 else f"{name} {number % _HOT_EVERY}"
    digest = int.from_bytes(sha256(account.encode()).digest()[:8], "big")
    born_on = _EARLIEST_BIRTH + timedelta(days=digest % _DAYS_OF_BIRTH)
    return Person(
        names=PersonNames(romanised="Written By A Driver"),
        citizen_number=sample_citizen_number(born_on, order=digest // _DAYS_OF_BIRTH % 1_000),
    )


def account_for(bank: Bank, piece: str) -> AccountNumber:
    """Return the account that an id goes to, opened if it is not there yet."""
    person = holder_of(piece)
    assert person.citizen_number is not None
    try:
        return open_account(bank, Principal.operator(sample_issuer("school-east")), person).number
    except AccountExists:
        return account_of_citizen(bank, person.citizen_number)


def found_pieces(bank: Bank) -> Iterator[FoundPiece]:
    """Yield every entry that a driver made, from one view of the whole ledger; a doubled one comes twice."""
    with bank.store.reading() as books:
        for subject in books.ledger.subjects("account:"):
            for entry in books.ledger.entries_of(subject):
                piece = _id_in(entry)
                if piece is not None:
                    yield FoundPiece(id=piece, account=account_of(subject), entry=entry)


def _id_in(entry: Entry) -> str | None:
    if entry.payload is None or entry.leaf.kind != "outcome.recorded":
        return None
    body = parse_body(entry.leaf.kind, entry.payload.content)
    match body:
        case Recorded(outcome=CourseCredit(course_code=code)):
            stated = code
        case Recorded(outcome=SkillCertificate(number=code)):
            stated = code
        case _:
            return None
    return stated if ID.fullmatch(stated) else None


def _tag_in(piece: str) -> str:
    return piece.split(".", maxsplit=1)[0]


def _number_in(piece: str) -> int:
    return int(piece.split(".")[2])
