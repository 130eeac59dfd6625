"""What is written in the benchmarks: outcomes as schools state them, and files of them as they post them."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import islice

from creditbank.account.body import Opened, Recorded, body_content, entry_kind
from creditbank.identity.names import PersonNames
from creditbank.identity.person import Person
from creditbank.ledger.chain import EMPTY, Head, extend, head_after
from creditbank.ledger.entry import Entry, Payload
from creditbank.outcomes.course import CourseCredit
from creditbank.samples.outcomes import story_outcomes
from creditbank.samples.people import sample_citizen_number
from creditbank.services.import_plan import ImportRow
from creditbank.terms import IssuerId, Microseconds, SubjectId

AT = 1_788_220_800_000_000
ISSUER = IssuerId("12540300MB0000000X")
PEER_TABLE = "CREATE TABLE peer (subject TEXT, seq BIGINT, leaf {0}, leaf_hash {0}, salt {0}, bytes {0})"
PEER_COLUMNS = ("subject", "seq", "leaf", "leaf_hash", "salt", "bytes")
PEER_TYPES = ("text", "int8", "bytea", "bytea", "bytea", "bytea")

Row = tuple[str, int, bytes, bytes, bytes, bytes]
"""The bytes of one entry, as a plain table of six columns holds them."""
Said = tuple[SubjectId, str, Payload, str | None]
"""About whom something is said, of which kind, the salted words, and the key they came under."""


def filler(number: int) -> SubjectId:
    """Return the name of an account whose owner nobody knows."""
    return SubjectId(f"account:{number:016d}")


def said(count: int, *, accounts: int, first: int = 0) -> Iterator[Said]:
    """Yield what is to be recorded: openings, then outcomes, most from files, every fourth under a key."""
    outcomes = [sample.outcome for sample in story_outcomes()]
    for number in range(count):
        key = f"row-{number}" if number % 4 == 3 else None
        outcome = outcomes[number % len(outcomes)]
        is_first = number < accounts
        body = Opened() if is_first else Recorded(outcome=outcome, batch=None if key else "20260901-000123")
        content = body_content(body, idempotency_key=key)
        salt = sha256(b"%d" % (first + number)).digest()
        subject = filler(first + number % accounts)
        yield subject, entry_kind(body), Payload(salt=salt, content=content), key


def entries_of(words: Iterator[Said] | list[Said], *, log: str) -> Iterator[Entry]:
    """Make the entries of new chains."""
    heads: dict[SubjectId, Head] = {}
    for number, (subject, kind, payload, key) in enumerate(words):
        entry = extend(
            heads.get(subject, EMPTY),
            log=log,
            subject=subject,
            at=Microseconds(AT + number),
            kind=kind,
            issuer=ISSUER,
            payload=payload,
            idempotency_key=key,
        )
        heads[subject] = head_after(entry)
        yield entry


def row_of(entry: Entry) -> Row:
    """Return the bytes of an entry."""
    assert entry.payload is not None
    leaf, payload = entry.leaf, entry.payload
    return leaf.subject, leaf.seq, entry.leaf_bytes, entry.leaf_hash, payload.salt, payload.content


def file_rows(file: int, *, rows: int, issuer: IssuerId) -> list[ImportRow]:
    """Return the rows of one school's file: as many learners who have no account yet, one course each."""
    return [
        ImportRow(
            row=number + 2,
            person=Person(
                names=PersonNames(chinese=f"学员{file}·{number}"),
                citizen_number=sample_citizen_number(
                    date(1990 + file, 1, 1) + timedelta(days=number // 999), order=number % 999 + 1
                ),
                category="student",
            ),
            outcome=CourseCredit(
                course_code="ABC-123",
                title="畜牧兽医基础",
                credits=Decimal("3.5"),
                hours_per_credit=Decimal(18),
                score=Decimal(86),
                issuer=issuer,
                awarded_on=date(2026, 1, 15),
            ),
        )
        for number in range(rows)
    ]


def batches(entries: Iterator[Entry], size: int) -> Iterator[list[Entry]]:
    """Yield the entries in lists of `size`."""
    while batch := list(islice(entries, size)):
        yield batch
