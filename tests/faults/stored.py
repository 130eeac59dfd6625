"""A whole bank, made once by the services, that campaigns copy and damage; and everything that is in it."""

import atexit
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cache
from io import StringIO
from threading import Event
from typing import Any

from sqlalchemy import inspect, text

from creditbank.account.body import Recorded, parse_body
from creditbank.account.records import KeptAnswer, Officer, Redaction
from creditbank.errors import CreditBankError
from creditbank.identity.account_number import account_of
from creditbank.services.accounts import find_account
from creditbank.services.bank import Bank
from creditbank.services.books import Books
from creditbank.services.log import Published
from creditbank.services.operator_token import make_token
from creditbank.services.outcome_keys import key_of
from creditbank.services.publishing import publish_now
from creditbank.terms import Microseconds, OfficerId, SubjectId
from tests.driver.database import Database, closed_after, open_made, open_or_make
from tests.driver.reading import report_on
from tests.driver.recording import ServiceRecorder
from tests.driver.writing import Task, Writing
from tests.engines import opened
from tests.faults.keeper import new_database
from tests.strategies.books import batch
from tests.strategies.ledger import Witness

Dump = Mapping[str, list[tuple[object, ...]]]
ENTRIES = 300
"""More than one tile holds."""
_ANSWER = KeptAnswer(
    key=bytes(32), request=bytes(32), subject=None, answer=b"sealed", kept_at=Microseconds(1)
)
_OFFICER = Officer(
    id=OfficerId("officer:0000000000"), name="格桑", digest=bytes(32), added_at=Microseconds(1)
)
_WITNESS = Witness("witness.example", bytes(32))


@cache
def written_bank(engine: str) -> tuple[Database, bytes]:
    """Return a bank with something in every table, to be copied, and the checkpoint that an outsider holds.

    It is made once in a process, and cleared away with it.
    """
    place = ExitStack()
    database = place.enter_context(new_database(engine))
    atexit.register(place.close)
    write(database, "before", ENTRIES // 2)
    with closed_after(open_or_make(database)) as bank:
        make_token(bank)
        with bank.store.writing() as books:
            books.batches.add(batch("20260301-00000001"))
            books.answers.add(_ANSWER)
            books.officers.add(_OFFICER)
            books.redactions.mark_uncleaned(Redaction(subject=SubjectId("account:gone"), seq=1))
        _cosign(bank, publish_now(bank))
    write(database, "after", ENTRIES // 2)
    held = checkpoint_of(database)
    write(database, "waiting", 1)
    return database, held


def _cosign(bank: Bank, published: Published) -> None:
    checkpoint = published.checkpoint
    with bank.store.writing() as books:
        signed = [_WITNESS.cosign(checkpoint.body(), at=1)]
        books.checkpoints.add_cosignatures(size=checkpoint.size, cosignatures=signed)


def write(database: Database, tag: str, count: int) -> None:
    """Let a driver in this process write so many entries."""
    out = StringIO()
    task = Task(tag=tag, at_most=count, at_once=3)
    with closed_after(open_or_make(database)) as bank:
        Writing(ServiceRecorder(bank), task, out=out, stop=Event()).run()
    assert out.getvalue().count("ACK") == count, out.getvalue()


def checkpoint_of(database: Database) -> bytes:
    """Return a signed checkpoint of the log as it stands."""
    with closed_after(open_or_make(database)) as bank:
        return publish_now(bank).note


def dump(database: Database) -> Dump:
    """Return every row of every table that is there, in one order."""
    with opened(database.url) as engine, engine.connect() as connection:
        tables = sorted(inspect(connection).get_table_names())
        if engine.dialect.name == "sqlite":
            driver: Any = connection.connection.driver_connection
            driver.text_factory = bytes  # a flipped bit may leave a text that is none
        return {
            table: sorted(map(tuple, connection.execute(text(f"SELECT * FROM {table}"))), key=repr)
            for table in tables
        }


def is_seen(database: Database, held: bytes) -> bool:
    """Whether a verification, against the checkpoint held, finds anything; being kept from it counts."""
    try:
        return not report_on(database, held=held).is_whole
    except CreditBankError:
        return True


def is_missed_with_keys(database: Database) -> bool:
    """Whether whoever has the keys finds an identity or a blind key that is not as it was written."""
    try:
        with closed_after(open_made(database)) as bank, bank.store.reading() as books:
            return any(_is_missed(bank, books, subject) for subject in books.ledger.subjects("account:"))
    except CreditBankError:
        return True


def _is_missed(bank: Bank, books: Books, subject: SubjectId) -> bool:
    find_account(bank, books, account_of(subject))
    for entry in books.ledger.entries_of(subject):
        assert entry.payload is not None
        body = parse_body(entry.leaf.kind, entry.payload.content)
        if isinstance(body, Recorded):
            key = key_of(bank, subject, body.outcome)
            places = books.outcomes.find([key]).get(key, ())
            if [(place.subject, place.seq) for place in places] != [(subject, entry.leaf.seq)]:
                return True
    return False
