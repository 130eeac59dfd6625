"""The guide to the formats shows a whole small log; every byte it shows is made again here."""

import re
from pathlib import Path

from creditbank.ledger.checkpoint import open_note, parse_note
from creditbank.ledger.consistency_file import parse_consistency_file
from creditbank.ledger.cosignature import cosignatures_in, cosigned_text, with_cosignatures
from creditbank.ledger.proof_file import Included, check, parse_proof_file
from creditbank.ledger.tile_path import TileName
from creditbank.ledger.tiles import tile_ids, tile_width
from tests.golden.ledger_vectors import (
    COSIGNED_AT,
    SECOND,
    SIGNER,
    SIZE,
    WITNESS,
    checkpoint,
    consistency,
    note,
    receipt,
)

GUIDE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text("utf-8")
BODY = checkpoint(2).body()
COSIGNED = with_cosignatures(note(2), [WITNESS.cosign(BODY, at=COSIGNED_AT)])


def test_the_guide_shows_the_bytes_that_are_written() -> None:
    assert SECOND.payload is not None
    shown = {
        "payload": SECOND.payload.content.decode(),
        "leaf": SECOND.leaf_bytes.decode(),
        "leaf hash": SECOND.leaf_hash.hex(),
        "root": checkpoint(2).root.hex(),
        "verifier key": SIGNER.key.encode(),
        "note": note(2).decode(),
        "witness key": WITNESS.key.encode(),
        "cosigned text": cosigned_text(BODY, COSIGNED_AT).decode(),
        "cosigned note": COSIGNED.decode(),
        "receipt": receipt(1, 2).encode().decode(),
        "consistency": consistency(2, SIZE).encode().decode(),
    }
    missing = {name: text for name, text in shown.items() if text not in GUIDE}
    assert missing == {}


def test_the_proof_in_the_guide_holds() -> None:
    shown = block_from("c2sp.org/tlog-proof@v1\nextra ")
    assert check(parse_proof_file(shown), [SIGNER.key]) == Included(
        leaf=SECOND.leaf, index=1, checkpoint=checkpoint(2)
    )


def test_the_consistency_proof_in_the_guide_holds() -> None:
    proof = parse_consistency_file(block_from("old 2\n"))
    assert open_note(proof.note, [SIGNER.key]) == checkpoint(SIZE)
    assert proof.shows(checkpoint(2), checkpoint(SIZE))


def test_the_cosignature_in_the_guide_holds() -> None:
    (found,) = cosignatures_in(parse_note(COSIGNED), [WITNESS.key])
    assert found.cosigned_at == COSIGNED_AT


def test_the_tiles_that_the_guide_names_are_those_of_its_log() -> None:
    (sentence,) = re.findall(r"A log of 300 entries, for one, has ([^.]*\.p[^.]*\.p[^.]*)\.\n", GUIDE)
    tiles = {
        TileName(level=level, index=index, width=tile_width(SIZE, level=level, index=index)).path()
        for level, index in tile_ids(SIZE)
    }
    assert set(re.findall(r"`/tile/([^`]*)`", sentence)) == tiles


def block_from(beginning: str) -> bytes:
    """Return the rest of the block in the guide that begins so."""
    start = GUIDE.index(beginning)
    return GUIDE[start : GUIDE.index("```", start)].encode()
