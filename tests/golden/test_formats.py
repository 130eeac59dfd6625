"""The guide to the formats shows a whole small log; every byte it shows is made again here."""

from hashlib import sha256
from pathlib import Path

from creditbank.ledger.chain import EMPTY, Head, extend, head_after
from creditbank.ledger.checkpoint import Checkpoint
from creditbank.ledger.encoding import canonical_bytes
from creditbank.ledger.entry import Entry, Payload
from creditbank.ledger.proof_file import Included, InclusionProof, check, parse_proof_file
from creditbank.ledger.tiles import grow, inclusion_proof
from creditbank.terms import IssuerId, Microseconds, SubjectId
from tests.strategies.ledger import Signer

GUIDE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text("utf-8")
LOG = "bank.example/log"
SIGNER = Signer(LOG, sha256(b"an example, and nobody's key").digest())


def an_entry(head: Head, says: str) -> Entry:
    return extend(
        head,
        log=LOG,
        subject=SubjectId("account:0000000000000007"),
        at=Microseconds(1_788_220_800_000_000),
        kind="outcome.recorded",
        issuer=IssuerId("12540300MB0000000X"),
        payload=Payload(salt=bytes([7]) * 32, content=canonical_bytes({"says": says})),
    )


FIRST = an_entry(EMPTY, "一")
SECOND = an_entry(head_after(FIRST), "二")
GROWTH = grow(0, {}, [FIRST.leaf_hash, SECOND.leaf_hash])
NOTE = SIGNER.sign(Checkpoint(origin=LOG, size=GROWTH.size, root=GROWTH.root).body())
PROOF = InclusionProof(
    index=1,
    hashes=tuple(inclusion_proof(1, 2, lambda level, index: GROWTH.tiles[level, index])),
    note=NOTE,
    leaf_bytes=SECOND.leaf_bytes,
)


def test_the_guide_shows_the_bytes_that_are_written() -> None:
    assert SECOND.payload is not None
    shown = {
        "payload": SECOND.payload.content.decode(),
        "leaf": SECOND.leaf_bytes.decode(),
        "leaf hash": SECOND.leaf_hash.hex(),
        "root": GROWTH.root.hex(),
        "verifier key": SIGNER.key.encode(),
        "note": NOTE.decode(),
        "proof": PROOF.encode().decode(),
    }
    missing = {name: text for name, text in shown.items() if text not in GUIDE}
    assert missing == {}


def test_the_proof_in_the_guide_holds() -> None:
    start = GUIDE.index("c2sp.org/tlog-proof@v1\nextra ")
    shown = GUIDE[start : GUIDE.index("```", start)].encode()
    assert check(parse_proof_file(shown), [SIGNER.key]) == Included(
        leaf=SECOND.leaf, index=1, checkpoint=Checkpoint(origin=LOG, size=2, root=GROWTH.root)
    )
