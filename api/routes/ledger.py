"""What anyone may fetch to check the bank without trusting it: checkpoint, tiles, keys, receipts.

Checkpoint and tiles stand where C2SP tlog-tiles puts them. Entry bundles do not: what the log says of whom
is not public, only that it says it.
"""

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import PlainTextResponse, Response

from api.dependencies import TheBank
from creditbank.ledger.checkpoint import verifier_keys_text
from creditbank.ledger.tile_path import parse_tile_path
from creditbank.services.log import TileUnknown, checkpoint_note, prove_entry, tile_bytes
from creditbank.terms import SubjectId

router = APIRouter(tags=["ledger"])

_CHANGES = {"Cache-Control": "no-cache"}
_NEVER_CHANGES = {"Cache-Control": "public, max-age=31536000, immutable"}


@router.get("/checkpoint", response_class=PlainTextResponse)
def get_checkpoint(bank: TheBank) -> PlainTextResponse:
    """Return the log's size and root as last published, signed (C2SP tlog-checkpoint), with cosignatures.

    503 with `Retry-After` before the first.
    """
    return PlainTextResponse(checkpoint_note(bank), headers=_CHANGES)


@router.get("/tile/{path:path}", response_class=Response)
def get_tile(
    path: Annotated[str, Path(description="level/index or level/index.p/width", max_length=64)],
    bank: TheBank,
) -> Response:
    """Return the hashes of one tile of the published log (C2SP tlog-tiles), whole or the first `width`."""
    if path.startswith("entries/"):
        raise TileUnknown("entry-bundles-not-public", tile=path)
    name = parse_tile_path(path)
    if name is None:
        raise TileUnknown("tile-unknown", tile=path)
    return Response(tile_bytes(bank, name), media_type="application/octet-stream", headers=_NEVER_CHANGES)


@router.get("/verifier-key", response_class=PlainTextResponse)
def get_verifier_key(bank: TheBank) -> PlainTextResponse:
    """Return the public keys that check the checkpoints, one a line, the current one first.

    Compare them with what you got on another way.
    """
    return PlainTextResponse(verifier_keys_text(bank.verifier_keys), headers=_CHANGES)


@router.get("/entries/{subject}/{seq}/receipt", response_class=PlainTextResponse)
def get_receipt(
    subject: Annotated[str, Path(description="account:… or institution:…", max_length=128)],
    seq: Annotated[int, Path(ge=0, lt=1_000_000)],
    bank: TheBank,
) -> PlainTextResponse:
    """Prove that an entry is in the published log (C2SP `.tlog-proof`); the leaf is its extra data.

    An account's number is the secret that leads here: it holds 75 random bits. 503 with `Retry-After` where
    no published checkpoint covers the entry yet.
    """
    proof = prove_entry(bank, SubjectId(subject), seq)
    name = f"{subject.replace(':', '-')}-{seq}.tlog-proof"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', **_CHANGES}
    return PlainTextResponse(proof, headers=headers)
