"""Writes `schemas/v1/examples/ledger/`, to try verifiers on: `python -m tests.golden.ledger_vectors`.

One small log of 300 entries, in full and partial tiles, with everything a stranger may be given of it, and
the same things damaged. `vectors.json` lists the cases: which files to check together, and what must come
out; `reason` is null where everything holds, else the bank's own code for what is wrong.
"""

import json
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from pathlib import Path

from creditbank.ledger.chain import EMPTY, Head, extend, head_after
from creditbank.ledger.checkpoint import Checkpoint
from creditbank.ledger.consistency_file import ConsistencyProof
from creditbank.ledger.cosignature import with_cosignatures
from creditbank.ledger.encoding import base64_text, canonical_bytes
from creditbank.ledger.entry import Entry, Payload, leaf_hash
from creditbank.ledger.proof_file import InclusionProof
from creditbank.ledger.receipt_check import payload_file
from creditbank.ledger.tile_path import TileName
from creditbank.ledger.tiles import (
    consistency_proof,
    grow,
    inclusion_proof,
    root,
    tile_hashes,
    tile_ids,
    tile_width,
)
from creditbank.terms import IssuerId, Microseconds, SubjectId
from tests.strategies.ledger import Signer, Witness

FOLDER = Path(__file__).parents[2] / "schemas" / "v1" / "examples" / "ledger"
LOG = "bank.example/log"
SIGNER = Signer(LOG, sha256(b"an example, and nobody's key").digest())
STRANGER = Signer(LOG, sha256(b"another example").digest())
WITNESS = Witness("witness.example/w1", sha256(b"a witness of examples").digest())
SIZE = 300
AT = 1_788_220_800_000_000
COSIGNED_AT = 1_788_220_900
WITNESSED: dict[str, object] = {"witnesses": [{"name": WITNESS.name, "cosigned_at": COSIGNED_AT}]}


def an_entry(head: Head, says: str, *, subject: int = 7, credential: bytes | None = None) -> Entry:
    return extend(
        head,
        log=LOG,
        subject=SubjectId(f"account:{subject:016}"),
        at=Microseconds(AT),
        kind="outcome.recorded",
        issuer=IssuerId("12540300MB0000000X"),
        payload=Payload(salt=bytes([7]) * 32, content=canonical_bytes({"says": says})),
        credential=credential,
    )


FIRST = an_entry(EMPTY, "一")
SECOND = an_entry(head_after(FIRST), "二")
WITH_CREDENTIAL = 270


@cache
def entries() -> list[Entry]:
    others = [
        an_entry(
            EMPTY,
            str(place),
            subject=1_000 + place,
            credential=sha256(b"a credential").digest() if place == WITH_CREDENTIAL else None,
        )
        for place in range(2, SIZE)
    ]
    return [FIRST, SECOND, *others]


@cache
def stored_tiles() -> dict[tuple[int, int], bytes]:
    return dict(grow(0, {}, [entry.leaf_hash for entry in entries()]).tiles)


def read_tile(level: int, index: int) -> bytes:
    return stored_tiles()[level, index]


def checkpoint(size: int) -> Checkpoint:
    return Checkpoint(origin=LOG, size=size, root=root(size, read_tile))


def note(size: int) -> bytes:
    return SIGNER.sign(checkpoint(size).body())


def cosigned(size: int) -> bytes:
    return with_cosignatures(note(size), [WITNESS.cosign(checkpoint(size).body(), at=COSIGNED_AT)])


def receipt(index: int, size: int) -> InclusionProof:
    return InclusionProof(
        index=index,
        hashes=tuple(inclusion_proof(index, size, read_tile)),
        note=note(size),
        leaf_bytes=entries()[index].leaf_bytes,
    )


def consistency(old: int, new: int) -> ConsistencyProof:
    hashes = tuple(consistency_proof(old, new, read_tile))
    return ConsistencyProof(old_size=old, hashes=hashes, note=note(new))


@dataclass(frozen=True, kw_only=True)
class Case:
    """Files to check together, and what must come out."""

    kind: str
    files: dict[str, str]
    reason: str | None = None
    expect: dict[str, object] = field(default_factory=dict)


class Vectors:
    """The files, and the cases that they make."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cases: list[Case] = []

    def put(self, name: str, content: bytes) -> str:
        """Add a file and return its name."""
        assert name not in self.files, name
        self.files[name] = content
        return name

    def holds(self, kind: str, expect: dict[str, object] | None = None, /, **files: str) -> None:
        self.cases.append(Case(kind=kind, files=files, expect=expect or {}))

    def fails(self, kind: str, reason: str, /, **files: str) -> None:
        self.cases.append(Case(kind=kind, files=files, reason=reason))


@cache
def vectors() -> Vectors:
    """Return all files and cases."""
    made = Vectors()
    add_keys(made)
    add_leaves(made)
    add_checkpoints(made)
    add_cosignatures(made)
    add_receipts(made)
    add_bad_receipts(made)
    add_consistency(made)
    add_comparisons(made)
    add_payloads(made)
    add_tiles(made)
    cases = [vars(case) for case in made.cases]
    listed = {"v": 1, "origin": LOG, "size": SIZE, "cases": cases}
    made.put("vectors.json", json.dumps(listed, ensure_ascii=False, indent=2).encode() + b"\n")
    return made


def add_keys(made: Vectors) -> None:
    key, witness = SIGNER.key.encode(), WITNESS.key.encode()
    made.holds(
        "verifier-key",
        {"key_id": SIGNER.key.key_id.hex()},
        verifier_key=made.put("log.vkey", f"{key}\n".encode()),
    )
    made.holds(
        "witness-key",
        {"key_id": WITNESS.key.key_id.hex()},
        witness_key=made.put("witness.vkey", f"{witness}\n".encode()),
    )
    name, key_id, encoded = key.split("+", 2)
    for reason, text in (
        ("verifier-key-id", f"{name}+00000000+{encoded}"),
        ("verifier-key-name", f"{name}\u3000x+{key_id}+{encoded}"),
        ("verifier-key-algorithm", witness),
        ("verifier-key-length", f"{name}+{key_id}+{encoded[:-4]}"),
        ("verifier-key-malformed", f"{name}+{key_id}+{encoded}="),
    ):
        made.fails("verifier-key", reason, verifier_key=made.put(f"bad/{reason}.vkey", f"{text}\n".encode()))


def add_leaves(made: Vectors) -> None:
    for place in (0, 1, WITH_CREDENTIAL):
        entry = entries()[place]
        expect: dict[str, object] = {"leaf_hash": entry.leaf_hash.hex(), "log_index": place}
        made.holds("leaf", expect, leaf=made.put(f"leaf-{place}.json", entry.leaf_bytes))
    leaf = SECOND.leaf_bytes
    members = json.loads(leaf)
    for name, reason, content in (
        ("spaces", "leaf-not-canonical", leaf.replace(b'":', b'": ')),
        ("unsorted", "leaf-not-canonical", canonical_bytes(members)[:1] + b'"z":1,' + leaf[1:]),
        ("escaped", "leaf-not-canonical", leaf.replace(b"outcome.recorded", b"outcome\\u002erecorded")),
        ("doubled", "leaf-not-canonical", leaf.replace(b'"v":1', b'"v":1,"v":1')),
        ("newline", "leaf-not-canonical", leaf + b"\n"),
        ("surplus", "leaf-members", canonical_bytes(members | {"x": 1})),
        ("lacking", "leaf-members", canonical_bytes({k: v for k, v in members.items() if k != "issuer"})),
        ("version", "leaf-version", canonical_bytes(members | {"v": 2})),
        ("seq-text", "leaf-member-type", canonical_bytes(members | {"seq": "1"})),
        ("seq-fraction", "leaf-member-type", leaf.replace(b'"seq":1', b'"seq":1.5')),
        ("seq-true", "leaf-member-type", leaf.replace(b'"seq":1', b'"seq":true')),
        ("negative", "leaf-member-range", canonical_bytes(members | {"seq": -1})),
        ("large", "leaf-member-range", leaf.replace(b'"seq":1', b'"seq":9007199254740992')),
        ("capitals", "leaf-member-hash", canonical_bytes(members | {"prev": members["prev"].upper()})),
        ("no-object", "leaf-members", b"[]"),
        ("too-long", "leaf-too-long", canonical_bytes(members | {"kind": "k" * 65_535})),
    ):
        made.fails("leaf", reason, leaf=made.put(f"bad/leaf-{name}.json", content))


def add_checkpoints(made: Vectors) -> None:
    for size in (0, 2, 256, SIZE):
        file = made.put(f"checkpoint-{size}.txt", note(size))
        made.holds("checkpoint", at_size(size), checkpoint=file, verifier_key="log.vkey")
    body, whole = checkpoint(2).body(), note(2)
    for name, reason, content in (
        ("signature", "note-signature-wrong", flipped(whole, -4)),
        ("size", "note-signature-wrong", whole.replace(b"\n2\n", b"\n3\n")),
        ("root", "note-signature-wrong", whole.replace(b"ffbP", b"ffbQ")),
        ("stranger", "note-signer-unknown", STRANGER.sign(body)),
        ("zero", "checkpoint-malformed", SIGNER.sign(body.replace(b"\n2\n", b"\n02\n"))),
        ("extension", "checkpoint-malformed", SIGNER.sign(body + b"extension\n")),
        ("short-root", "checkpoint-malformed", SIGNER.sign(f"{LOG}\n2\nAAAA\n".encode())),
        ("no-blank", "note-malformed", whole.replace(b"\n\n", b"\n")),
        ("hyphen", "note-malformed", whole.replace("—".encode(), b"-")),
        ("no-newline", "note-malformed", whole[:-1]),
        ("carriage", "note-malformed", whole.replace(b"\n", b"\r\n")),
        ("base64", "note-malformed", whole[:-2] + b"\n"),
    ):
        file = made.put(f"bad/checkpoint-{name}.txt", content)
        made.fails("checkpoint", reason, checkpoint=file, verifier_key="log.vkey")


def add_cosignatures(made: Vectors) -> None:
    keys = {"verifier_key": "log.vkey", "witness_key": "witness.vkey"}
    file = made.put("checkpoint-300-cosigned.txt", cosigned(SIZE))
    made.holds("checkpoint", at_size(SIZE) | WITNESSED, checkpoint=file, **keys)
    line = WITNESS.cosign(checkpoint(SIZE).body(), at=COSIGNED_AT).line()
    later = (COSIGNED_AT + 1).to_bytes(8, "big") + line.signature[8:]
    of_another = WITNESS.cosign(checkpoint(2).body(), at=COSIGNED_AT).line().signature
    for name, reason, signature in (
        ("time", "cosignature-wrong", later),
        ("other", "cosignature-wrong", of_another),
        ("short", "cosignature-malformed", line.signature[8:]),
    ):
        content = note(SIZE) + replace(line, signature=signature).encode()
        file = made.put(f"bad/cosignature-{name}.txt", content)
        made.fails("checkpoint", reason, checkpoint=file, **keys)


def add_receipts(made: Vectors) -> None:
    for index, size in ((1, 2), (1, SIZE), (299, SIZE)):
        file = made.put(f"entry-{index}-of-{size}.tlog-proof", receipt(index, size).encode())
        made.holds("receipt", proved(index, size), receipt=file, verifier_key="log.vkey")
    witnessed = replace(receipt(WITH_CREDENTIAL, SIZE), note=cosigned(SIZE))
    made.holds(
        "receipt",
        proved(WITH_CREDENTIAL, SIZE) | WITNESSED,
        receipt=made.put("entry-270-of-300-cosigned.tlog-proof", witnessed.encode()),
        verifier_key="log.vkey",
        witness_key="witness.vkey",
    )


def add_bad_receipts(made: Vectors) -> None:
    good = receipt(1, SIZE)
    path, whole = good.hashes, good.encode()
    elsewhere = replace(SECOND.leaf, log="other.example/log").encode()
    of_one = SIGNER.sign(Checkpoint(origin=LOG, size=1, root=leaf_hash(elsewhere)).body())
    alone = InclusionProof(index=0, hashes=(), note=of_one, leaf_bytes=elsewhere)
    stranger = STRANGER.sign(checkpoint(SIZE).body())
    for name, reason, content in (
        ("index", "path-does-not-lead-to-root", replace(good, index=0).encode()),
        ("beyond", "path-does-not-lead-to-root", replace(good, index=SIZE).encode()),
        ("path-flipped", "path-does-not-lead-to-root", with_path(good, bytes(32), *path[1:])),
        ("path-short", "path-does-not-lead-to-root", with_path(good, *path[:-1])),
        ("path-long", "path-does-not-lead-to-root", with_path(good, *path, path[0])),
        ("path-turned", "path-does-not-lead-to-root", with_path(good, *path[::-1])),
        ("leaf", "path-does-not-lead-to-root", replace(good, leaf_bytes=FIRST.leaf_bytes).encode()),
        ("size", "path-does-not-lead-to-root", replace(good, note=note(256)).encode()),
        ("other-log", "leaf-of-another-log", alone.encode()),
        ("leaf-spaces", "leaf-not-canonical", replace(good, leaf_bytes=good.leaf_bytes + b" ").encode()),
        ("stranger", "note-signer-unknown", replace(good, note=stranger).encode()),
        ("signature", "note-signature-wrong", flipped(whole, -4)),
        ("title", "proof-file-malformed", whole.replace(b"@v1", b"@v2")),
        ("zero", "proof-file-malformed", whole.replace(b"index 1", b"index 01")),
        ("hash-length", "proof-file-malformed", whole.replace(base64_text(path[0]).encode(), b"AAAA")),
        ("no-leaf", "proof-file-without-leaf", whole.replace(b"extra ", b"Extra ")),
        ("carriage", "proof-file-malformed", whole.replace(b"\n", b"\r\n")),
    ):
        file = made.put(f"bad/receipt-{name}.tlog-proof", content)
        made.fails("receipt", reason, receipt=file, verifier_key="log.vkey")


def add_consistency(made: Vectors) -> None:
    for old in (0, 2, 256, SIZE):
        made.holds(
            "consistency",
            consistency=made.put(f"consistency-{old}-{SIZE}.txt", consistency(old, SIZE).encode()),
            checkpoint=f"checkpoint-{old}.txt",
            verifier_key="log.vkey",
        )
    good, stranger = consistency(2, SIZE), STRANGER.sign(checkpoint(SIZE).body())
    path, whole = good.hashes, good.encode()
    beside = {"checkpoint": "checkpoint-2.txt", "verifier_key": "log.vkey"}
    for name, reason, content in (
        ("flipped", "consistency-not-shown", with_path(good, bytes(32), *path[1:])),
        ("short", "consistency-not-shown", with_path(good, *path[:-1])),
        ("old", "consistency-not-shown", replace(good, old_size=3).encode()),
        ("stranger", "note-signer-unknown", replace(good, note=stranger).encode()),
        ("note", "consistency-not-shown", replace(good, note=note(256)).encode()),
        ("zero", "consistency-file-malformed", whole.replace(b"old 2", b"old 02")),
        ("no-blank", "consistency-file-malformed", whole.partition(b"\n\n")[0]),
    ):
        file = made.put(f"bad/consistency-{name}.txt", content)
        made.fails("consistency", reason, consistency=file, **beside)


def add_comparisons(made: Vectors) -> None:
    """Add a checkpoint that contradicts the log, and receipts held against one of another day."""
    other = SIGNER.sign(replace(checkpoint(2), root=bytes(32)).body())
    forked = {"checkpoint": made.put("checkpoint-2-forked.txt", other)}
    grown = {"consistency": "consistency-2-300.txt"}
    made.fails("consistency", "consistency-not-shown", verifier_key="log.vkey", **grown, **forked)
    of_all = {"receipt": f"entry-1-of-{SIZE}.tlog-proof", "verifier_key": "log.vkey"}
    made.holds("receipt", proved(1, SIZE), checkpoint="checkpoint-2.txt", **of_all, **grown)
    made.fails("receipt", "consistency-wanted", checkpoint="checkpoint-2.txt", **of_all)
    made.fails("receipt", "consistency-not-shown", **of_all, **grown, **forked)
    other_note = {"consistency": "bad/consistency-note.txt", "checkpoint": "checkpoint-2.txt"}
    made.fails("receipt", "consistency-not-shown", **of_all, **other_note)
    of_two = of_all | {"receipt": "entry-1-of-2.tlog-proof"}
    made.fails("receipt", "checkpoints-disagree", **of_two, **forked)


def add_payloads(made: Vectors) -> None:
    assert SECOND.payload is not None
    whole = payload_file(SECOND.payload)
    expect: dict[str, object] = {"commitment": SECOND.leaf.content.hex(), "says": {"says": "二"}}
    together = {"receipt": "entry-1-of-2.tlog-proof", "verifier_key": "log.vkey"}
    made.holds("receipt", proved(1, 2) | expect, payload=made.put("entry-1.payload", whole), **together)
    for name, reason, content in (
        ("salt", "payload-not-committed", flipped(whole, 0)),
        ("content", "payload-not-committed", flipped(whole, -4)),
        ("short", "payload-file-malformed", whole[:32]),
    ):
        made.fails("receipt", reason, payload=made.put(f"bad/payload-{name}.payload", content), **together)


def add_tiles(made: Vectors) -> None:
    """Add what tlog-tiles serves at the sizes that were signed, and one tile as it is stored."""
    beside = {"verifier_key": "log.vkey", "tiles": "tile"}
    for size in (2, 256, SIZE):
        for level, index in tile_ids(size):
            width = tile_width(size, level=level, index=index)
            name = f"tile/{TileName(level=level, index=index, width=width).path()}"
            if name not in made.files:
                made.put(name, tile_hashes(read_tile(level, index))[: 32 * width])
        made.holds("tiles", at_size(size), checkpoint=f"checkpoint-{size}.txt", **beside)
    made.put("stored-tile-0-1", read_tile(0, 1))
    newer = {"newer": f"checkpoint-{SIZE}.txt", **beside}
    made.holds("growth", older="checkpoint-2.txt", **newer)
    made.fails("growth", "consistency-not-shown", older="checkpoint-2-forked.txt", **newer)


def at_size(size: int) -> dict[str, object]:
    return {"size": size, "root": checkpoint(size).root.hex()}


def proved(index: int, size: int) -> dict[str, object]:
    leaf = entries()[index].leaf
    return {"log_index": index, "subject": leaf.subject, "seq": leaf.seq, "kind": leaf.kind, **at_size(size)}


def with_path(proof: InclusionProof | ConsistencyProof, *hashes: bytes) -> bytes:
    return replace(proof, hashes=hashes).encode()


def flipped(content: bytes, place: int) -> bytes:
    """Return the content with another letter in one place."""
    place %= len(content)
    other = b"B" if content[place : place + 1] == b"A" else b"A"
    return content[:place] + other + content[place + 1 :]


def write() -> None:
    """Write the folder anew."""
    for path in sorted(FOLDER.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    for name, content in vectors().files.items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    write()
