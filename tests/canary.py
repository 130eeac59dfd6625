"""A learner whom nobody could mistake for anything else, and a search for every byte that leads to them.

The search knows what programs do to text and bytes before they write them down: other encodings, escapes,
hexadecimal, base64 at each of its three alignments.
"""

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from hashlib import sha256
from itertools import islice
from pathlib import Path

from sqlalchemy import Engine, text

from creditbank.identity.account_number import AccountNumber
from creditbank.identity.names import PersonNames
from creditbank.identity.person import Person
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.samples.people import sample_citizen_number
from creditbank.services.accounts import open_account
from creditbank.services.bank import Bank
from creditbank.services.outcomes import correct_outcome, record_outcome
from creditbank.terms import OutcomeId
from tests.banks import EAST
from tests.strategies.books import receipt_batch

NUMBER = sample_citizen_number(date(1987, 6, 5), order=777)
CANARY = Person(
    names=PersonNames(chinese="龘靐·齉爩", tibetan="ཀྵྨྲྱཾ་ཧྣྲི་", romanised="Zyxwv Canaryson"),
    citizen_number=NUMBER,
    phone="+8613009876543",
    category="herder-farmer",
)
CERTIFICATES = ("CANARY-CERT-77Q", "CANARY-CERT-88R")
SCORES = (Decimal("87.65"), Decimal("76.54"))
IDEMPOTENCY_KEY = f"Canaryson/{CANARY.phone}/{NUMBER.text}"
FILE_NAME = "龘靐·齉爩 证书.xlsx"
REASON = "ཀྵྨྲྱཾ་ཧྣྲི་ 成绩录入有误"

_PAGE = 8_192

TEXTS: Mapping[str, str] = {
    "Chinese name": "龘靐·齉爩",
    "Tibetan name": "ཀྵྨྲྱཾ་ཧྣྲི",
    "romanised name": "Canaryson",
    "citizen number": NUMBER.text,
    "phone": "13009876543",
    **{f"certificate {number}": number for number in CERTIFICATES},
    **{f"score {score}": f'"score":"{score}' for score in SCORES},  # by itself it would be found anywhere
}
"""What must be found while the account is there, each in plain sight somewhere, and nowhere afterwards."""


def sealed_traces(engine: Engine, account: AccountNumber) -> Mapping[str, bytes]:
    """Return every cell that is derived from the learner: blind keys, sealed identity, salts, payloads."""
    queries = {
        "citizen index": "SELECT citizen_index FROM account WHERE subject = :subject",
        "data key": "SELECT wrapped_key FROM account WHERE subject = :subject",
        "identity": "SELECT identity FROM account WHERE subject = :subject",
        "outcome key": "SELECT key FROM outcome_key WHERE subject = :subject",
        "salt": "SELECT salt FROM payload WHERE subject = :subject",
        "payload": "SELECT bytes FROM payload WHERE subject = :subject AND length(bytes) > 2",
    }
    with engine.connect() as connection:
        return {
            f"{name} {place}": bytes(cell)
            for name, query in queries.items()
            for place, cell in enumerate(
                connection.execute(text(query), {"subject": account.subject}).scalars()
            )
        }


def live(bank: Bank) -> AccountNumber:
    """Let the learner live in a bank of services alone, and return the account."""
    account = open_account(bank, EAST, CANARY).number
    first, second = (
        SkillCertificate(
            number=number,
            standard="CD-X-JTNC",
            title="家庭农场畜禽养殖",
            level=FrameworkLevel(framework="1+X", level="中级"),
            issuer=EAST.issuer,
            awarded_on=date(2024, 6, 1),
            score=score,
        )
        for number, score in zip(CERTIFICATES, SCORES, strict=True)
    )
    record_outcome(bank, EAST, account, first, idempotency_key=IDEMPOTENCY_KEY)
    record_outcome(bank, EAST, account, second)
    correct_outcome(bank, EAST, account, OutcomeId("000001"), replace(first, title="农场"), reason=REASON)
    other = open_account(bank, EAST, Person(names=PersonNames(romanised="Somebody Else"))).number
    with bank.store.writing() as books:
        books.batches.add(receipt_batch("1", account, other, name=FILE_NAME))
    return account


def forms(value: str | bytes) -> Iterator[bytes]:
    """Yield the ways in which a text or bytes may stand in a file, the plain one first."""
    plain = value.encode() if isinstance(value, str) else value
    yield plain
    yield plain.hex().encode()
    yield plain.hex().upper().encode()
    for shift in range(3):
        # What follows and what goes before change the characters at the two ends.
        padded = base64.b64encode(bytes(shift) + plain)
        yield padded[shift + 1 if shift else 0 : -4]
        yield padded[shift + 1 if shift else 0 : -4].translate(bytes.maketrans(b"+/", b"-_"))
    if isinstance(value, str):
        yield from (value.encode("utf-16-le"), value.encode("utf-16-be"))
        if not value.isascii():
            escaped = value.encode("ascii", "backslashreplace")
            yield from (escaped, escaped.replace(b"\\u", b"\\\\u"))


def found(
    wanted: Mapping[str, str | bytes], places: Iterable[Path], *, plainly: bool = False
) -> dict[str, set[str]]:
    """Return which of `wanted` stand in files, or in files of directories, and in which.

    To see that something is there, it is enough to look `plainly`, and ten times as fast.
    """
    needles = {name: set(islice(forms(value), 1 if plainly else None)) for name, value in wanted.items()}
    seen: dict[str, set[str]] = {}
    known: dict[bytes, list[str]] = {}  # a PostgreSQL server keeps many a file once for every database
    for path in files(places):
        content = _without_empty_pages(path.read_bytes())
        digest = sha256(content).digest()
        if digest not in known:
            known[digest] = [name for name, ways in needles.items() if any(way in content for way in ways)]
        for name in known[digest]:
            seen.setdefault(name, set()).add(path.name)
    return seen


def files(places: Iterable[Path]) -> Iterator[Path]:
    for place in places:
        if place.is_dir():
            yield from (path for path in sorted(place.rglob("*")) if path.is_file() and not path.is_symlink())
        elif place.exists():
            yield place


def _without_empty_pages(content: bytes) -> bytes:
    """Leave out pages of zeros alone, of which a write-ahead log has many; nothing can stand in them."""
    pages = (content[start : start + _PAGE] for start in range(0, len(content), _PAGE))
    return b"".join(page if page.strip(b"\0") else b"\0" for page in pages)
