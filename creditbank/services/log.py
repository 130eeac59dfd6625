"""The log as a whole: sign how far it has come, prove that an entry is in it, verify every byte of it."""

from collections.abc import Callable

from creditbank.errors import IntegrityBroken, Misconfigured, NotFound
from creditbank.ledger.checkpoint import Checkpoint, open_note
from creditbank.ledger.merkle import verify_consistency
from creditbank.ledger.proof_file import InclusionProof
from creditbank.ledger.tiles import consistency_proof, inclusion_proof
from creditbank.services.bank import Bank
from creditbank.services.ports import Books
from creditbank.services.sequencing import sequence_pending
from creditbank.terms import SubjectId


class EntryUnknown(NotFound):
    """The ledger holds no such entry."""

    code = "entry-unknown"


class LogShrankOrForked(IntegrityBroken):
    """The log is not a continuation of the last checkpoint that was signed: nothing more is signed."""

    code = "log-shrank-or-forked"


def publish_checkpoint(bank: Bank) -> bytes:
    """Sign the log as it stands, once it is proved to continue the last checkpoint kept, and keep the note.

    Entries that wait for their places are given them before. Where nothing was added since the last
    checkpoint, that one is returned. The checkpoints kept in the database are restored with it: that an old
    backup was restored shows only against one kept elsewhere.

    Raises:
        LogShrankOrForked: it does not continue the last checkpoint kept.
        Misconfigured: there is something to sign, and this process does not hold the key.
    """
    sequence_pending(bank.store)
    with bank.store.reading() as books:  # size, root, tiles and last note of one moment
        log = books.ledger
        checkpoint = Checkpoint(origin=bank.record.origin, size=log.size(), root=log.root())
        latest = log.latest_checkpoint()
        if latest is not None:
            last = open_note(latest, bank.verifier_keys)
            _must_continue(books, last, checkpoint)
            if last.size == checkpoint.size:
                return latest
    if bank.signer is None:
        raise Misconfigured("checkpoint-key-elsewhere")
    note = bank.signer.sign(checkpoint.body())
    with bank.store.writing() as books:
        books.ledger.add_checkpoint(size=checkpoint.size, note=note)
    return note


def newest_checkpoint(bank: Bank) -> bytes:
    """Return a checkpoint of the log as it stands, or, where this process cannot sign, the last one kept.

    Raises:
        LogShrankOrForked: the log does not continue the last checkpoint kept.
        Misconfigured: this process does not hold the key, and no checkpoint was ever signed.
    """
    if bank.signer is not None:
        return publish_checkpoint(bank)
    with bank.store.reading() as books:
        latest = books.ledger.latest_checkpoint()
    if latest is None:
        raise Misconfigured("checkpoint-key-elsewhere")
    return latest


def prove_entry(bank: Bank, subject: SubjectId, seq: int) -> bytes:
    """Return a C2SP `.tlog-proof` with the leaf, its path to the root, and a signed checkpoint.

    Raises:
        EntryUnknown: the ledger holds no such entry, or the newest checkpoint does not reach it yet.
        LogShrankOrForked, Misconfigured: no checkpoint can be signed.
    """
    note = newest_checkpoint(bank)
    checkpoint = open_note(note, bank.verifier_keys)
    with bank.store.reading() as books:
        entry = books.ledger.entry(subject, seq)
        index = books.ledger.log_index_of(subject, seq)
        if entry is None or index is None or index >= checkpoint.size:
            raise EntryUnknown("entry-unknown", subject=subject, seq=seq)
        hashes = inclusion_proof(index, checkpoint.size, tile_reader(books))
    return InclusionProof(index=index, hashes=tuple(hashes), note=note, leaf_bytes=entry.leaf_bytes).encode()


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


def _must_continue(books: Books, last: Checkpoint, now: Checkpoint) -> None:
    if last.size > now.size:
        raise LogShrankOrForked("log-shrank", signed_size=last.size, size=now.size)
    proof = consistency_proof(last.size, now.size, tile_reader(books))
    if not verify_consistency(last.size, last.root, now.size, now.root, proof):
        raise LogShrankOrForked("log-forked", signed_size=last.size, size=now.size)
