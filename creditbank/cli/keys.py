"""`creditbank keys`: which keys the bank has, and how they come and go."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from creditbank.cli.files import read_file
from creditbank.cli.output import NEGATIVE, console, errors, print_json, progress
from creditbank.cli.session import JsonOption, Session, session_of
from creditbank.errors import Misconfigured
from creditbank.identity.organisation_code import parse_organisation_code
from creditbank.ledger.checkpoint import NoteInvalid, parse_checkpoint
from creditbank.ledger.encoding import JsonValue
from creditbank.ledger.key_entry import KeyPurpose, NamedKey
from creditbank.services.keys import add_key, announce_key, next_encryption_key, retire_key
from creditbank.services.rewrapping import accounts_to_rewrap, rewrap_accounts
from creditbank.signing.keys import Key, Keyring
from creditbank.signing.public_key import parse_public_key
from creditbank.terms import instant

_BODY_MAX_BYTES = 4_096

app = typer.Typer(no_args_is_help=True)
rotating = typer.Typer(no_args_is_help=True, help="更换密钥 · put a new key in the place of an old one")
app.add_typer(rotating, name="rotate")


@app.command("list")
def list_keys(context: typer.Context, as_json: JsonOption = False) -> None:
    """列出全部密钥及公钥，不显示私钥 · list every key: what for, since when, its public half, no secret."""
    session = session_of(context)
    listed = session.listed_keys()
    if as_json:
        print_json([_members(listed.keyring, key, listed.accounts) for key in listed.keyring.keys])
        return
    for key in listed.keyring.keys:
        console.print(_line(session, listed.keyring, key, listed.accounts.get(key.name.id, 0)))
        if key.name.verifier_key is not None:
            console.print(f"    {key.name.verifier_key.encode()}")


@rotating.command("checkpoint")
def rotate_checkpoint(
    context: typer.Context,
    public_key: Annotated[
        Path | None,
        typer.Option(
            help="新私钥在别处（如 HSM）：其公钥，PEM 或 vkey · public half of a key held elsewhere"
        ),
    ] = None,
    here: Annotated[
        bool, typer.Option("--here", help="即使现用私钥在别处，也在密钥文件中生成 · make it in the key file")
    ] = False,
) -> None:
    """更换签发检查点的密钥 · put a new key in force that signs the log's checkpoints."""
    session = session_of(context)
    with session.keys() as keys:
        bank = keys.bank()
        principal = session.principal(bank)
        if public_key is not None:
            public = parse_public_key(read_file(public_key), name=bank.record.origin)
            prepared = keys.cabinet.adopt(public, at=bank.now())
        elif here:
            prepared = keys.cabinet.prepare_here(at=bank.now())
        else:
            prepared = keys.cabinet.prepare("checkpoint", at=bank.now())
        key = announce_key(bank, principal, keys.cabinet, prepared)
    _say_in_force(session, key)


@rotating.command("institution")
def rotate_institution(
    context: typer.Context,
    code: Annotated[str, typer.Argument(help="统一社会信用代码 · unified social credit code")],
) -> None:
    """更换（或新建）一家机构的签名密钥 · put a new signing key of an institution in force, or its first."""
    session = session_of(context)
    institution = parse_organisation_code(code)
    with session.keys() as keys:
        bank = keys.bank()
        principal = session.principal(bank)
        key = add_key(bank, principal, keys.cabinet, "institution", institution=institution)
    _say_in_force(session, key)


@rotating.command("encryption")
def rotate_encryption(context: typer.Context) -> None:
    """更换加密密钥并重新封装全部账号，可中断后重来 · new encryption key; re-wrap all accounts; resumable."""
    session = session_of(context)
    words = session.words
    with session.keys() as keys:
        bank = keys.bank()
        key = next_encryption_key(bank, session.principal(bank), keys.cabinet)
        if key is None:
            console.print(words.text("word.rewrapping-goes-on"))
        else:
            _say_in_force(session, key)
        bank = keys.bank()  # as the keys are now
        with progress(words.text("word.rewrapping"), total=accounts_to_rewrap(bank)) as step:
            rewrapped = rewrap_accounts(bank, on_progress=step)
    console.print(words.text("word.rewrapped", accounts=rewrapped.accounts), style="green")
    for subject in rewrapped.unreadable:
        errors.print(words.text("word.not-rewrapped", subject=subject), style="red")
    raise typer.Exit(NEGATIVE if rewrapped.unreadable else 0)


@app.command("retire")
def retire(
    context: typer.Context,
    purpose: Annotated[KeyPurpose, typer.Argument(help="用途 · what it is for")],
    key_id: Annotated[str, typer.Argument(metavar="编号_KEY_ID", help="密钥编号 · its id, from keys list")],
) -> None:
    """停用一把已被更换的密钥并销毁其私钥 · let a replaced key go: its secret half is destroyed."""
    session = session_of(context)
    with session.keys() as keys:
        bank = keys.bank()
        key = retire_key(bank, session.principal(bank), keys.cabinet, purpose, key_id)
    words = session.words
    purpose_said = words.text(f"word.key-purpose-{key.purpose}")
    console.print(words.text("word.key-retired", purpose=purpose_said, key=key.id))


@app.command("split")
def split(context: typer.Context) -> None:
    """把签发检查点的私钥移到单独的密钥文件 · move the log's own key to CREDITBANK_CHECKPOINT_KEY_FILE."""
    session = session_of(context)
    path = session.settings.checkpoint_key_file
    if path is None:
        raise Misconfigured("checkpoint-key-file-unset")
    is_there = path.exists()
    with session.keys(without_log_file=not is_there) as keys:
        # What an interrupted run made is opened, and its passphrase stays.
        keys.cabinet.split(path, passphrase=None if is_there else session.first_log_passphrase())
    console.print(session.words.text("word.keys-split", path=path))


@app.command("passphrase")
def change_passphrase(
    context: typer.Context,
    new_passphrase_file: Annotated[
        Path | None, typer.Option(help="新口令文件，默认在终端输入 · file with the new one [asked for]")
    ] = None,
    checkpoint: Annotated[
        bool, typer.Option("--checkpoint", help="改单独的检查点密钥文件 · of the log's own key file")
    ] = False,
) -> None:
    """更改密钥文件的口令 · seal the key file under another passphrase."""
    session = session_of(context)
    with session.keys() as keys:
        passphrase = session.new_passphrase(file=new_passphrase_file)
        keys.cabinet.change_passphrase(passphrase, of_log=checkpoint)
    console.print(session.words.text("word.passphrase-changed"))


@app.command("sign")
def sign(context: typer.Context) -> None:
    """签署标准输入的检查点正文，供 CREDITBANK_SIGNER_COMMAND · sign a checkpoint body on stdin."""
    body = sys.stdin.buffer.read(_BODY_MAX_BYTES + 1)
    signer = session_of(context).log_signer()
    origin, log = parse_checkpoint(body).origin, signer.verifier_key.name
    if origin != log:
        raise NoteInvalid("checkpoint-of-another-log", origin=origin, log=log)
    sys.stdout.buffer.write(signer.signature(body))
    sys.stdout.flush()


def _say_in_force(session: Session, key: NamedKey) -> None:
    words = session.words
    console.print(
        words.text("word.key-in-force", purpose=words.text(f"word.key-purpose-{key.purpose}"), key=key.id)
    )
    if key.verifier_key is not None:
        console.print(key.verifier_key.encode())
    console.print(words.text("word.keys-restart"))


def _line(session: Session, keyring: Keyring, key: Key, accounts: int) -> str:
    words = session.words
    parts = [
        words.text(f"word.key-purpose-{key.name.purpose}"),
        key.name.institution or "",
        key.name.id,
        words.text(f"word.key-state-{keyring.state_of(key)}"),
    ]
    if key.made_at is not None:
        parts.append(words.text("word.key-made-at", at=instant(key.made_at)))
    if key.retired_at is not None:
        parts.append(words.text("word.key-retired-at", at=instant(key.retired_at)))
    elif key.secret is None:
        parts.append(words.text("word.key-elsewhere"))
    if key.name.purpose == "encryption" and key.retired_at is None:
        parts.append(words.text("word.key-wraps", accounts=accounts))
    return "  ".join(part for part in parts if part)


def _members(keyring: Keyring, key: Key, accounts: Mapping[str, int]) -> JsonValue:
    name = key.name
    members: dict[str, JsonValue] = {
        "purpose": name.purpose,
        "id": name.id,
        "state": keyring.state_of(key),
        "institution": name.institution,
        "public_key": None if name.verifier_key is None else name.verifier_key.encode(),
        "made_at": None if key.made_at is None else instant(key.made_at).isoformat(),
        "retired_at": None if key.retired_at is None else instant(key.retired_at).isoformat(),
        "secret_here": key.secret is not None,
        "accounts": accounts.get(name.id, 0) if name.purpose == "encryption" else None,
    }
    return {member: value for member, value in members.items() if value is not None}
