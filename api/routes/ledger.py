"""What anyone may fetch to check the bank without trusting it: the checkpoint, and an entry's proof."""

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import PlainTextResponse

from api.dependencies import NamedAccount, TheBank
from creditbank.ledger.checkpoint import verifier_keys_text
from creditbank.services.log import newest_checkpoint, prove_entry

router = APIRouter(tags=["ledger"])


@router.get("/checkpoint", response_class=PlainTextResponse)
def get_checkpoint(bank: TheBank) -> PlainTextResponse:
    """Return the log's size and root, signed (C2SP tlog-checkpoint)."""
    return PlainTextResponse(newest_checkpoint(bank), headers={"Cache-Control": "no-cache"})


@router.get("/verifier-key", response_class=PlainTextResponse)
def get_verifier_key(bank: TheBank) -> PlainTextResponse:
    """Return the public keys that check the checkpoints, one a line, the current one first.

    Compare them with what you got on another way.
    """
    return PlainTextResponse(verifier_keys_text(bank.verifier_keys))


@router.get("/accounts/{account}/entries/{seq}/proof", response_class=PlainTextResponse)
def get_proof(
    account: NamedAccount, seq: Annotated[int, Path(ge=0, lt=1_000_000)], bank: TheBank
) -> PlainTextResponse:
    """Prove that an entry is in the log (C2SP `.tlog-proof`); the leaf is its extra data.

    The account number is the secret that leads here: it holds 75 random bits.
    """
    proof = prove_entry(bank, account.subject, seq)
    name = f'attachment; filename="{account.text}-{seq}.tlog-proof"'
    return PlainTextResponse(proof, headers={"Content-Disposition": name, "Cache-Control": "no-cache"})
