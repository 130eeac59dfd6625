"""Publish how far the log has come: sign its next checkpoint, once it is proved to continue the last one.

A step of its own, which any process that holds the key may take at any time. What was published last is
known twice, from the database and from a file outside it (`OutsideCheckpoint`), since a restored backup
brings its own old checkpoints along. Where the log no longer continues either of them, nothing is signed.

The file is written before the database: so whatever the database keeps as a checkpoint, and hence whatever
is served, is known outside it already.
"""

from dataclasses import dataclass
from datetime import datetime

import structlog

from creditbank.errors import CreditBankError, IntegrityBroken, InvalidInput, Misconfigured
from creditbank.ledger.checkpoint import Checkpoint, open_note
from creditbank.ledger.merkle import EMPTY_ROOT, verify_consistency
from creditbank.ledger.tiles import consistency_proof, root
from creditbank.services.bank import Bank
from creditbank.services.books import Books
from creditbank.services.keys import require_standing
from creditbank.services.log import (
    LogShrankOrForked,
    Published,
    last_published,
    opened,
    require_newest_keys,
    tile_reader,
)
from creditbank.services.sequencing import sequence_pending

_log = structlog.get_logger(__name__)


class CheckpointFileUnusable(Misconfigured):
    """The checkpoint kept outside the database is missing where there must be one, or is none of this log."""

    code = "checkpoint-file-unusable"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Survey:
    """The log at one moment, and what was published of it before."""

    now: Checkpoint
    latest: Published | None
    held: Published | None
    is_held_kept: bool
    """Whether the database keeps the checkpoint that is held outside it, if there is one."""


def begin_outside(bank: Bank) -> None:
    """Keep a checkpoint of the empty log outside, before the first entry: a file missing later is a lost one.

    Left as it is where an interrupted beginning has put it already.

    Raises:
        LogShrankOrForked: a log under this very key has gone further before.
        CheckpointFileUnusable: there is another log's.
        Misconfigured: it cannot be written.
    """
    outside = bank.publication.outside
    with outside.alone():
        held = _held(bank)
        if held is not None and held.checkpoint.size:
            raise LogShrankOrForked(
                "log-shrank-since-file", signed_size=held.checkpoint.size, size=0, path=outside.place
            )
        if held is None:
            outside.write(_signed(bank, Checkpoint(origin=bank.record.origin, size=0, root=EMPTY_ROOT)).note)


def publish(bank: Bank, *, new_file: bool = False) -> Published:
    """Publish the log as it stands, and return its checkpoint; where it did not grow, the one there is.

    `new_file` begins the file outside the database anew, where it was lost or there never was one: what is
    in the database is then all that the log is held against.

    Raises:
        LogShrankOrForked: the log does not continue a checkpoint published before.
        CheckpointFileUnusable: the file is lost, or is none of this log; or, for `new_file`, it is there.
        IntegrityBroken: what is stored contradicts itself.
        Conflict: another publisher, or another writer, was at it for too long.
        Misconfigured: there is something to sign, and this process does not hold the key, or one that was
            retired; or what was signed last is signed by a newer one.
    """
    outside = bank.publication.outside
    with outside.alone():
        held = _held(bank)
        with bank.store.reading() as books:  # size, root, tiles and last note of one moment
            survey = _survey(bank, books, held)
            _require_file(bank, survey, new_file=new_file)
            published = _published_already(survey)
            if published is None:
                _require_root(books, survey.now)
                _require_key(bank, books)
        if published is None:
            published = _signed(bank, survey.now)
        if held is None or held.checkpoint.size < survey.now.size:
            outside.write(published.note)
        return _kept(bank, survey, published)


def publish_now(bank: Bank) -> Published:
    """Publish with the entries that wait: they are first given their places.

    Where another process is just doing that (PostgreSQL), those of its batch may come with the next one only.

    Raises:
        CreditBankError: as `publish` says.
    """
    sequence_pending(bank.store)
    return publish(bank)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why publishing fails: published codes, and since when."""

    code: str
    reason: str
    since: datetime


class Publisher:
    """Publishes whenever it is told to, and knows what the last attempt came to, for whoever watches."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._failure: Failure | None = None

    @property
    def failure(self) -> Failure | None:
        """Why the last attempt failed, None where it did not; may be asked from any thread."""
        return self._failure

    def attempt(self) -> None:
        """Publish. A failure is logged, each time, and kept; what was published before stays served."""
        try:
            publish(self._bank)
        except CreditBankError as error:
            self._fail(error.code, error.reason)
        except Exception as error:
            self._fail("unexpected", type(error).__qualname__)
            raise
        else:
            if self._failure is not None:
                _log.info("publishing-resumed", failed_since=self._failure.since.isoformat())
            self._failure = None

    def _fail(self, code: str, reason: str) -> None:
        since = self._failure.since if self._failure is not None else self._bank.clock()
        self._failure = Failure(code=code, reason=reason, since=since)
        _log.error("publishing-failed", code=code, reason=reason, failed_since=since.isoformat())


def _signed(bank: Bank, checkpoint: Checkpoint) -> Published:
    if bank.signer is None:
        raise Misconfigured("checkpoint-key-elsewhere")
    return Published(note=bank.signer.sign(checkpoint.body()), checkpoint=checkpoint)


def _require_key(bank: Bank, books: Books) -> None:
    if bank.signer is None:
        raise Misconfigured("checkpoint-key-elsewhere")
    require_standing(bank, books, bank.signer.verifier_key)


def _held(bank: Bank) -> Published | None:
    outside = bank.publication.outside
    note = outside.read()
    if note is None:
        return None
    try:
        return Published(note=note, checkpoint=open_note(note, bank.verifier_keys))
    except InvalidInput as error:
        require_newest_keys(bank, note)
        raise CheckpointFileUnusable(
            "checkpoint-file-invalid", path=outside.place, cause=error.reason
        ) from error


def _survey(bank: Bank, books: Books, held: Published | None) -> _Survey:
    log = books.ledger
    now = Checkpoint(origin=bank.record.origin, size=log.size(), root=log.root())
    latest = last_published(bank, books)
    if latest is not None:
        _must_continue(books, latest.checkpoint, now)
    if held is not None:
        _must_continue(books, held.checkpoint, now, outside=bank.publication.outside.place)
    is_held_kept = held is None or books.checkpoints.note(held.checkpoint.size) is not None
    return _Survey(now=now, latest=latest, held=held, is_held_kept=is_held_kept)


def _must_continue(books: Books, last: Checkpoint, now: Checkpoint, *, outside: str | None = None) -> None:
    if last.size <= now.size:
        proof = consistency_proof(last.size, now.size, tile_reader(books))
        if verify_consistency(last.size, last.root, now.size, now.root, proof):
            return
    shrank = last.size > now.size
    if outside is None:
        reason = "log-shrank" if shrank else "log-forked"
        raise LogShrankOrForked(reason, signed_size=last.size, size=now.size)
    reason = "log-shrank-since-file" if shrank else "log-forked-since-file"
    raise LogShrankOrForked(reason, signed_size=last.size, size=now.size, path=outside)


def _require_file(bank: Bank, survey: _Survey, *, new_file: bool) -> None:
    path = bank.publication.outside.place
    if new_file and survey.held is not None:
        raise CheckpointFileUnusable("checkpoint-file-there", path=path)
    if not new_file and survey.held is None and survey.latest is not None:
        raise CheckpointFileUnusable("checkpoint-file-missing", path=path)


def _published_already(survey: _Survey) -> Published | None:
    known = (survey.latest, survey.held)
    return next((each for each in known if each is not None and each.checkpoint == survey.now), None)


def _require_root(books: Books, now: Checkpoint) -> None:
    """Never sign a root that the tiles do not lead to: of nothing, any root would seem a continuation."""
    if root(now.size, tile_reader(books)) != now.root:
        raise IntegrityBroken("log-root-differs", size=now.size)


def _kept(bank: Bank, survey: _Survey, published: Published) -> Published:
    """Keep in the database what it does not know yet; return the checkpoint of this size as it is kept."""
    is_new = survey.latest is None or survey.latest.checkpoint.size < published.checkpoint.size
    if not is_new and survey.is_held_kept:
        return published
    with bank.store.writing() as books:
        for each in filter(None, (survey.held, published)):
            books.ledger.add_checkpoint(size=each.checkpoint.size, note=each.note)
        note = books.checkpoints.note(published.checkpoint.size)
    # Whoever was first, perhaps on another machine, signed the same size; it must be the same root.
    assert note is not None, "it has just been kept"
    kept = opened(bank, note)
    if kept.checkpoint != published.checkpoint:
        raise LogShrankOrForked("log-signed-twice", size=published.checkpoint.size)
    return kept
