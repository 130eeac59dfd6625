"""`creditbank institution`: who may record outcomes."""

from pathlib import Path
from typing import Annotated, assert_never

import typer

from creditbank.cli.asking import instant_of
from creditbank.cli.files import read_file
from creditbank.cli.importing import signature_file
from creditbank.cli.output import NEGATIVE, console, print_json
from creditbank.cli.session import JsonOption, session_of
from creditbank.documents.receipt_signature import (
    ReceiptNotSigned,
    ReceiptSigned,
    check_receipt_signature,
)
from creditbank.identity.organisation_code import parse_organisation_code
from creditbank.ledger.checkpoint import parse_verifier_keys
from creditbank.services.institutions import Institution, InstitutionRole, institutions, register_institution
from creditbank.services.keys import key_of_institution, keys_of
from creditbank.terms import microseconds

_RECEIPT_MAX_BYTES = 67_108_864

app = typer.Typer(no_args_is_help=True)


@app.command("register")
def register(
    context: typer.Context,
    code: Annotated[str, typer.Argument(help="统一社会信用代码 · unified social credit code")],
    name: Annotated[str, typer.Option(help="名称 · name")],
    role: Annotated[InstitutionRole, typer.Option(help="类别 · what it is")] = "school",
    tibetan_name: Annotated[str | None, typer.Option(help="藏文名称 · Tibetan name")] = None,
    english_name: Annotated[str | None, typer.Option(help="英文名称 · English name")] = None,
) -> None:
    """登记一所学校、鉴定站或机构 · register a school, an appraisal station or another institution."""
    session = session_of(context)
    bank = session.bank()
    institution = Institution(
        issuer=parse_organisation_code(code),
        name=name,
        role=role,
        tibetan_name=tibetan_name,
        english_name=english_name,
    )
    register_institution(bank, session.principal(bank), institution)
    console.print(session.words.text("word.institution-registered", name=name, code=institution.issuer))


@app.command("list")
def list_institutions(context: typer.Context, as_json: JsonOption = False) -> None:
    """列出已登记机构 · list the registered institutions."""
    session = session_of(context)
    with session.store().reading() as books:
        registered = list(institutions(books))
    if as_json:
        print_json(
            [
                {"code": one.issuer, "name": one.name, "role": one.role, "tibetan_name": one.tibetan_name}
                for one in registered
            ]
        )
        return
    words = session.words
    for one in registered:
        console.print(f"{one.issuer}  {one.name}  {words.text(f'word.role-{one.role}')}")


@app.command("keys")
def list_keys(
    context: typer.Context,
    code: Annotated[str, typer.Argument(help="统一社会信用代码 · unified social credit code")],
    at: Annotated[
        str | None,
        typer.Option(help="只列该时刻在用的 · only the one in force then, e.g. 2026-03-01T08:00+08:00"),
    ] = None,
) -> None:
    """列出机构签名公钥，只读账本 · the public keys it signs with, newest first, from the ledger alone."""
    issuer = parse_organisation_code(code)
    with session_of(context).store().reading() as books:
        if at is None:
            keys = [period.key.verifier_key for period in reversed(keys_of(books, issuer))]
        else:
            keys = [key_of_institution(books, issuer, at=microseconds(instant_of(at, field="at")))]
    for key in keys:
        if key is not None:
            console.print(key.encode())
    raise typer.Exit(0 if any(keys) else NEGATIVE)


@app.command("verify-receipt")
def verify_receipt(
    context: typer.Context,
    receipt: Annotated[Path, typer.Argument(metavar="回执_RECEIPT", help="导入回执 · the import receipt")],
    verifier_key: Annotated[
        Path,
        typer.Option(help="运营机构公钥文件，每行一个 · file with the operator's public keys, one a line"),
    ],
    signature: Annotated[
        Path | None, typer.Option(help="签名文件 · the signature [beside the receipt, with .sig]")
    ] = None,
) -> None:
    """离线核对导入回执的签名 · check the signature of an import receipt, offline, with public keys alone."""
    words = session_of(context).words
    keys = parse_verifier_keys(read_file(verifier_key).decode(errors="replace"))
    content = read_file(receipt, max_bytes=_RECEIPT_MAX_BYTES)
    note = read_file(signature or signature_file(receipt))
    match check_receipt_signature(content, note, keys):
        case ReceiptSigned(number=number, key=key):
            console.print(words.text("word.receipt-signed", number=number, key=key.encode()), style="green")
        case ReceiptNotSigned(reason=reason):
            console.print(words.text(f"reason.{reason}"), style="red")
            raise typer.Exit(NEGATIVE)
        case other:
            assert_never(other)
