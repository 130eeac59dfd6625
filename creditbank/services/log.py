"""What a stranger is given to check the log: its last published checkpoint, tiles, and proofs under it.

Nothing here signs. What is not published yet is answered so, with the time after which to ask again; how
it gets published is for `publishing`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from creditbank.errors import IntegrityBroken, InvalidInput, Misconfigured, NotFound, NotYet
from creditbank.ledger.checkpoint import Checkpoint, open_note
from creditbank.ledger.consistency_file import ConsistencyProof
from creditbank.ledger.cosignature import with_cosignatures
from creditbank.ledger.entry import HASH_BYTES, Payload
from creditbank.ledger.merkle import EMPTY_ROOT, verify_consistency, verify_inclusion
from creditbank.ledger.proof_file import InclusionProof
from creditbank.ledger.tile_path import TileName
from creditbank.ledger.tiles import consistency_proof, inclusion_proof, tile_hashes, tile_width
from creditbank.services.bank import Bank
from creditbank.services.books import Books
from creditbank.services.keys import log_keys_in
from creditbank.terms import SubjectId


class EntryUnknown(NotFound):
    """The ledger holds no such entry."""

    code = "entry-unknown"


class PayloadRedacted(NotFound):
    """The entry is there; what it said was erased."""

    code = "payload-redacted"


class LogShrankOrForked(IntegrityBroken):
    """The log is not a continuation of a checkpoint that was signed: nothing more is signed."""

    code = "log-shrank-or-forked"


class TileUnknown(NotFound):
    """No tile of this name belongs to the published log."""

    code = "tile-unknown"


class NotPublished(NotYet):
    """No published checkpoint covers it yet: ask again after the next one."""

    code = "not-published"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A checkpoint as the log alone signed it, and what it states."""

    note: bytes
    checkpoint: Checkpoint


def last_published(bank: Bank, books: Books) -> Published | None:
    """Return the last published checkpoint, None before the first.

    Raises:
        IntegrityBroken: what is kept as one is none that this log signed.
    """
    note = books.ledger.latest_checkpoint()
    return None if note is None else opened(bank, note)


def opened(bank: Bank, note: bytes) -> Published:
    """Return a kept checkpoint, once its signature is checked.

    Raises:
        IntegrityBroken: the log did not sign it.
        Misconfigured: a key signed it that was added since this process began.
    """
    try:
        return Published(note=note, checkpoint=open_note(note, bank.verifier_keys))
    except InvalidInput as error:
        require_newest_keys(bank, note)
        # Not the caller's input: the note was kept by us.
        raise IntegrityBroken("stored-checkpoint-invalid", cause=error.reason) from error


def require_newest_keys(bank: Bank, note: bytes) -> None:
    """Make sure that a note was not refused only because this process has not the log's newest key.

    Raises:
        Misconfigured: a key of the log signed it that the ledger knows and this process does not.
    """
    with bank.store.reading() as books:
        announced = log_keys_in(books, bank.record.operator)
    try:
        open_note(note, announced)
    except InvalidInput:
        return
    raise Misconfigured("checkpoint-key-unknown")


def checkpoint_note(bank: Bank) -> bytes:
    """Return the last published checkpoint with the cosignatures under it.

    Raises:
        NotPublished: there is none yet.
    """
    with bank.store.reading() as books:
        published = last_published(bank, books)
        if published is None:
            raise NotPublished("nothing-published", retry_after_seconds=bank.publication.every_seconds)
        return _cosigned(books, published)


def tile_bytes(bank: Bank, name: TileName) -> bytes:
    """Return the hashes of a tile of the published log, as C2SP tlog-tiles has them.

    Raises:
        TileUnknown: the published log has no such tile, or not of this width.
    """
    with bank.store.reading() as books:
        published = last_published(bank, books)
        size = 0 if published is None else published.checkpoint.size
        if not 0 < name.width <= tile_width(size, level=name.level, index=name.index):
            raise TileUnknown("tile-unknown", tile=name.path())
        hashes = tile_hashes(tile_reader(books)(name.level, name.index))[: HASH_BYTES * name.width]
    if len(hashes) != HASH_BYTES * name.width:
        raise IntegrityBroken("tile-too-short", level=name.level, index=name.index, width=name.width)
    return hashes


def prove_entry(bank: Bank, subject: SubjectId, seq: int) -> bytes:
    """Return an entry's receipt, a C2SP `.tlog-proof`: leaf, path to the root, published checkpoint.

    The checkpoint is the largest that a witness has cosigned, where that one covers the entry; else the last.
    Reads at most two tiles a level of the tree: 4 at 100,000 entries.

    Raises:
        EntryUnknown: the ledger holds no such entry.
        NotPublished: the entry is not covered by a published checkpoint yet.
    """
    with bank.store.reading() as books:
        entry = books.ledger.entry(subject, seq)
        if entry is None:
            raise EntryUnknown("entry-unknown", subject=subject, seq=seq)
        index = books.ledger.log_index_of(subject, seq)
        published = None if index is None else _covering(bank, books, index)
        if index is None or published is None:
            wait = bank.publication.every_seconds
            raise NotPublished("entry-not-published", retry_after_seconds=wait, subject=subject, seq=seq)
        size, root = published.checkpoint.size, published.checkpoint.root
        hashes = inclusion_proof(index, size, tile_reader(books))
        if not verify_inclusion(entry.leaf_hash, index, size, hashes, root):
            raise IntegrityBroken("proof-does-not-hold", subject=subject, seq=seq)
        note = _cosigned(books, published)
    return InclusionProof(index=index, hashes=tuple(hashes), note=note, leaf_bytes=entry.leaf_bytes).encode()


def prove_growth(bank: Bank, *, since: bytes | None) -> bytes:
    """Return the proof that the published log grew out of an earlier checkpoint's (`consistency_file`).

    Without one it is said of the empty log, which every log grew out of.

    Raises:
        NoteInvalid: `since` is no checkpoint of this log.
        NotPublished: nothing is published yet.
        LogShrankOrForked: the published log did not grow out of it.
    """
    old_size, old_root = 0, EMPTY_ROOT
    if since is not None:
        older = open_note(since, bank.verifier_keys)
        old_size, old_root = older.size, older.root
    with bank.store.reading() as books:
        published = last_published(bank, books)
        if published is None:
            raise NotPublished("nothing-published", retry_after_seconds=bank.publication.every_seconds)
        now = published.checkpoint
        if now.size < old_size:
            raise LogShrankOrForked("log-shrank", signed_size=old_size, size=now.size)
        hashes = consistency_proof(old_size, now.size, tile_reader(books))
        if not verify_consistency(old_size, old_root, now.size, now.root, hashes):
            raise LogShrankOrForked("log-forked", signed_size=old_size, size=now.size)
        note = _cosigned(books, published)
    return ConsistencyProof(old_size=old_size, hashes=tuple(hashes), note=note).encode()


def payload_of(bank: Bank, subject: SubjectId, seq: int) -> Payload:
    """Return what an entry says, with the salt that its holder needs to show that to others.

    Raises:
        EntryUnknown: the ledger holds no such entry.
        PayloadRedacted: what it said was erased.
    """
    with bank.store.reading() as books:
        entry = books.ledger.entry(subject, seq)
    if entry is None:
        raise EntryUnknown("entry-unknown", subject=subject, seq=seq)
    if entry.payload is None:
        raise PayloadRedacted("payload-redacted", subject=subject, seq=seq)
    return entry.payload


def tile_reader(books: Books) -> Callable[[int, int], bytes]:
    """Return a reader of the log's tiles, for the proofs of `ledger.tiles`.

    Raises:
        IntegrityBroken: (when called) a tile that the log's size demands is missing.
    """

    def read(level: int, index: int) -> bytes:
        tile = books.ledger.tile(level, index)
        if tile is None:
            raise IntegrityBroken("tile-missing", level=level, index=index)
        return tile

    return read


def _covering(bank: Bank, books: Books, index: int) -> Published | None:
    cosigned = books.checkpoints.latest_cosigned()
    if cosigned is not None and index < cosigned:
        note = books.checkpoints.note(cosigned)
        if note is None:
            raise IntegrityBroken("stored-cosignature-invalid", size=cosigned)
        return opened(bank, note)
    last = last_published(bank, books)
    return last if last is not None and index < last.checkpoint.size else None


def _cosigned(books: Books, published: Published) -> bytes:
    return with_cosignatures(published.note, books.checkpoints.cosignatures(published.checkpoint.size))
