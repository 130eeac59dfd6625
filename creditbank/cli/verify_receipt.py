"""`creditbank ledger verify-receipt`: what a receipt proves, from files alone, without a bank."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from creditbank.cli.files import read_file
from creditbank.cli.output import NEGATIVE, console, print_json
from creditbank.cli.session import JsonOption, session_of
from creditbank.errors import InvalidInput
from creditbank.ledger.checkpoint import Checkpoint, parse_verifier_keys
from creditbank.ledger.consistency_file import parse_consistency_file
from creditbank.ledger.encoding import JsonValue, parse_canonical
from creditbank.ledger.proof_file import NotProved, parse_proof_file
from creditbank.ledger.receipt_check import Beside, ReceiptHolds, check_receipt, parse_payload_file
from creditbank.locale.catalogue import Catalogue
from creditbank.signing.witness_keys import read_witness_keys
from creditbank.terms import instant


def verify_receipt(
    context: typer.Context,
    receipt: Annotated[
        Path, typer.Argument(metavar="回执_FILE", help="条目的 .tlog-proof 文件 · the receipt")
    ],
    verifier_key: Annotated[
        Path, typer.Option(help="账本公钥文件，请从别处取得 · the log's public key, got on another way")
    ],
    checkpoint: Annotated[
        Path | None, typer.Option(help="另存的检查点 · a checkpoint of the same log that you hold")
    ] = None,
    consistency: Annotated[
        Path | None,
        typer.Option(help="两个检查点之间的一致性证明 · the proof that the one log grew into the other"),
    ] = None,
    witness_keys: Annotated[
        Path | None, typer.Option(help="可信见证方的公钥文件 · keys of the witnesses that you believe")
    ] = None,
    payload: Annotated[
        Path | None, typer.Option(help="条目的内容及其盐值 · what the entry says, with its salt")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """离线核对一张回执证明了什么，不需学分银行 · check offline what a receipt proves; exit 0 or 1."""
    session = session_of(context)
    proof = parse_proof_file(read_file(receipt))
    beside = Beside(
        checkpoint=None if checkpoint is None else read_file(checkpoint),
        consistency=None if consistency is None else parse_consistency_file(read_file(consistency)),
        payload=None if payload is None else parse_payload_file(read_file(payload)),
        witnesses=() if witness_keys is None else read_witness_keys(witness_keys),
    )
    keys = parse_verifier_keys(read_file(verifier_key).decode(errors="replace"))
    answer = check_receipt(proof, keys, beside)
    if as_json:
        print_json(_members(answer))
    else:
        _print(session.words, answer)
    raise typer.Exit(NEGATIVE if isinstance(answer, NotProved) else 0)


def _members(answer: ReceiptHolds | NotProved) -> JsonValue:
    if isinstance(answer, NotProved):
        values: dict[str, JsonValue] = {name: str(value) for name, value in answer.values.items()}
        return {"proved": False, "reason": answer.reason, "values": values}
    included, leaf = answer.included, answer.included.leaf
    return {
        "proved": True,
        "entry": {
            "log": leaf.log,
            "subject": leaf.subject,
            "seq": leaf.seq,
            "kind": leaf.kind,
            "issuer": leaf.issuer,
            "recorded_at": instant(leaf.at).isoformat(),
            "content": leaf.content.hex(),
            "credential": None if leaf.credential is None else leaf.credential.hex(),
        },
        "log_index": included.index,
        "checkpoint": _checkpoint_members(included.checkpoint),
        "witnesses": [
            {"name": each.witness.name, "key": each.witness.encode(), "cosigned_at": each.cosigned_at}
            for each in included.cosignatures
        ],
        "agrees_with": None if answer.agrees_with is None else _checkpoint_members(answer.agrees_with),
        "payload": None if answer.payload is None else parse_canonical(answer.payload.content),
    }


def _checkpoint_members(checkpoint: Checkpoint) -> JsonValue:
    return {"size": checkpoint.size, "root": checkpoint.root.hex()}


def _print(words: Catalogue, answer: ReceiptHolds | NotProved) -> None:
    if isinstance(answer, NotProved):
        values: dict[str, Any] = dict(answer.values)
        detail = words.problem(InvalidInput(answer.reason, **values)).detail
        console.print(words.text("word.receipt-not-proved", detail=detail), style="bold red")
        return
    console.print(words.text("word.receipt-proved", log=answer.included.leaf.log), style="green")
    for line in _lines(words, answer):
        console.print(f"  {line}")


def _lines(words: Catalogue, answer: ReceiptHolds) -> Iterator[str]:
    included, leaf = answer.included, answer.included.leaf
    kind = f"word.entry-{leaf.kind.replace('.', '-')}"
    yield words.text(
        "word.receipt-entry",
        kind=words.text(kind) if words.has(kind) else leaf.kind,
        subject=leaf.subject,
        seq=leaf.seq,
        issuer=leaf.issuer,
        at=instant(leaf.at),
    )
    checkpoint = included.checkpoint
    yield words.text(
        "word.receipt-place", index=included.index, size=checkpoint.size, root=checkpoint.root.hex()
    )
    if included.cosignatures:
        witnesses = [
            words.text("word.receipt-witness", name=each.witness.name, at=each.instant or each.cosigned_at)
            for each in included.cosignatures
        ]
        yield words.text("word.receipt-witnesses", witnesses=witnesses)
    else:
        yield words.text("word.receipt-without-witness")
    if answer.agrees_with is not None:
        yield words.text("word.receipt-agrees", size=answer.agrees_with.size)
    if answer.payload is not None:
        yield words.text("word.receipt-payload", payload=answer.payload.content.decode())
