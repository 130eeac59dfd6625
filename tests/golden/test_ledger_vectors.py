"""The test vectors in `schemas/v1/examples/ledger` are made again, and come out as they say they do."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from creditbank.errors import InvalidInput
from creditbank.ledger.checkpoint import (
    Checkpoint,
    VerifierKey,
    open_note,
    parse_note,
    parse_verifier_key,
    parse_verifier_keys,
)
from creditbank.ledger.consistency_file import ConsistencyProof, parse_consistency_file
from creditbank.ledger.cosignature import Cosignature, WitnessKey, cosignatures_in, parse_witness_key
from creditbank.ledger.entry import leaf_hash, parse_leaf
from creditbank.ledger.proof_file import NotProved, ProofFileInvalid, parse_proof_file
from creditbank.ledger.receipt_check import Beside, check_receipt, parse_payload_file
from creditbank.ledger.tile_path import TileName
from creditbank.ledger.tiles import TILE_WIDTH, grow, root, tile_ids, tile_width
from tests.golden.ledger_vectors import FOLDER, SIZE, vectors

LISTED = json.loads((FOLDER / "vectors.json").read_bytes())
CASES = [pytest.param(case, id="-".join(map(str, case["files"].values()))) for case in LISTED["cases"]]
Answer = dict[str, object]


def test_the_files_are_what_the_code_makes() -> None:
    kept = {str(path.relative_to(FOLDER)): path.read_bytes() for path in FOLDER.rglob("*") if path.is_file()}
    assert kept == vectors().files, "run `python -m tests.golden.ledger_vectors` and look at what changed"


def test_there_are_good_and_bad_ones_of_each_kind() -> None:
    kinds = {(case["kind"], case["reason"] is None) for case in LISTED["cases"]}
    named = ("verifier-key", "leaf", "checkpoint", "receipt", "consistency", "growth")
    assert kinds >= {(kind, good) for kind in named for good in (True, False)}
    reasons = {case["reason"] for case in LISTED["cases"]}
    assert len(reasons) >= 25


@pytest.mark.parametrize("case", CASES)
def test_a_vector_comes_out_as_it_says(case: dict[str, Any]) -> None:
    check = CHECKS[case["kind"]]
    try:
        answer: Answer | str = check(case["files"])
    except InvalidInput as error:
        answer = error.reason
    if isinstance(answer, str):
        assert answer == case["reason"]
    else:
        assert case["reason"] is None
        assert answer | case["expect"] == answer


def read(files: Mapping[str, str], name: str) -> bytes:
    return (FOLDER / files[name]).read_bytes()


def key_of(files: Mapping[str, str]) -> tuple[VerifierKey, ...]:
    return parse_verifier_keys(read(files, "verifier_key").decode())


def witnesses_of(files: Mapping[str, str]) -> tuple[WitnessKey, ...]:
    return (parse_witness_key(read(files, "witness_key").decode().strip()),) if "witness_key" in files else ()


def check_key(files: Mapping[str, str]) -> Answer:
    key = parse_verifier_key(read(files, "verifier_key").decode().removesuffix("\n"))
    return {"key_id": key.key_id.hex()}


def check_witness_key(files: Mapping[str, str]) -> Answer:
    return {"key_id": witnesses_of(files)[0].key_id.hex()}


def check_leaf(files: Mapping[str, str]) -> Answer:
    content = read(files, "leaf")
    parse_leaf(content)
    place = next(place for place in range(SIZE) if placed(place) == leaf_hash(content))
    return {"leaf_hash": leaf_hash(content).hex(), "log_index": place}


def placed(place: int) -> bytes:
    tiles = (FOLDER / "tile/0/000").read_bytes() + (FOLDER / "tile/0/001.p/44").read_bytes()
    return tiles[32 * place : 32 * place + 32]


def check_checkpoint(files: Mapping[str, str]) -> Answer:
    note = read(files, "checkpoint")
    checkpoint = open_note(note, key_of(files))
    cosigned = cosignatures_in(parse_note(note), witnesses_of(files))
    return {**stated(checkpoint), "witnesses": named(cosigned)}


def check_receipt_file(files: Mapping[str, str]) -> Answer | str:
    beside = Beside(
        checkpoint=read(files, "checkpoint") if "checkpoint" in files else None,
        consistency=parse_consistency_file(read(files, "consistency")) if "consistency" in files else None,
        payload=parse_payload_file(read(files, "payload")) if "payload" in files else None,
        witnesses=witnesses_of(files),
    )
    answer = check_receipt(parse_proof_file(read(files, "receipt")), key_of(files), beside)
    if isinstance(answer, NotProved):
        return answer.reason
    included, leaf = answer.included, answer.included.leaf
    found: Answer = {
        **stated(included.checkpoint),
        "log_index": included.index,
        "subject": leaf.subject,
        "seq": leaf.seq,
        "kind": leaf.kind,
        "witnesses": named(included.cosignatures),
    }
    if answer.payload is not None:
        found |= {
            "commitment": answer.payload.commitment.hex(),
            "says": json.loads(answer.payload.content),
        }
    return found


def check_consistency(files: Mapping[str, str]) -> Answer:
    older = open_note(read(files, "checkpoint"), key_of(files))
    proof = parse_consistency_file(read(files, "consistency"))
    return shown(proof, older, open_note(proof.note, key_of(files)))


def shown(proof: ConsistencyProof, older: Checkpoint, newer: Checkpoint) -> Answer:
    if not proof.shows(older, newer):
        raise ProofFileInvalid("consistency-not-shown")
    return {}


def stored_from(folder: Path, size: int) -> dict[tuple[int, int], bytes]:
    """Return the tiles of the tree as it is stored, grown again from the first rows that are served."""
    hashes: list[bytes] = []
    for level, index in tile_ids(size):
        width = tile_width(size, level=level, index=index)
        row = (folder / TileName(level=level, index=index, width=width).path()).read_bytes()
        assert len(row) == 32 * width
        if level == 0:
            hashes += [row[32 * n : 32 * n + 32] for n in range(width)]
        else:
            below = grow(0, {}, hashes).tiles[level, index]
            assert below[: len(row)] == row
    return dict(grow(0, {}, hashes).tiles)


def check_tiles(files: Mapping[str, str]) -> Answer:
    checkpoint = open_note(read(files, "checkpoint"), key_of(files))
    tiles = stored_from(FOLDER / files["tiles"], checkpoint.size)
    assert root(checkpoint.size, lambda level, index: tiles[level, index]) == checkpoint.root
    if checkpoint.size > TILE_WIDTH:
        assert tiles[0, 1] == (FOLDER / "stored-tile-0-1").read_bytes()
    return stated(checkpoint)


def check_growth(files: Mapping[str, str]) -> Answer:
    older, newer = (open_note(read(files, name), key_of(files)) for name in ("older", "newer"))
    tiles = stored_from(FOLDER / files["tiles"], newer.size)
    if root(older.size, lambda level, index: tiles[level, index]) != older.root:
        raise ProofFileInvalid("consistency-not-shown")
    return {}


def stated(checkpoint: Checkpoint) -> Answer:
    return {"size": checkpoint.size, "root": checkpoint.root.hex()}


def named(cosignatures: tuple[Cosignature, ...]) -> list[Answer]:
    return [{"name": each.witness.name, "cosigned_at": each.cosigned_at} for each in cosignatures]


CHECKS: Mapping[str, Callable[[Mapping[str, str]], Answer | str]] = {
    "verifier-key": check_key,
    "witness-key": check_witness_key,
    "leaf": check_leaf,
    "checkpoint": check_checkpoint,
    "receipt": check_receipt_file,
    "consistency": check_consistency,
    "tiles": check_tiles,
    "growth": check_growth,
}
