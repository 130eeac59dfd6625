"""`creditbank init`: make a bank."""

from typing import Annotated

import typer

from creditbank.assembly import create_bank, upgrade_database, verifier_key_file
from creditbank.cli.output import console
from creditbank.cli.session import session_of
from creditbank.errors import Misconfigured
from creditbank.identity.organisation_code import parse_organisation_code
from creditbank.services.institutions import Institution


def init(
    context: typer.Context,
    origin: Annotated[
        str | None,
        typer.Option(help="账本名称，永不更改 · the log's name, for ever, e.g. bank.changdu.example"),
    ] = None,
    operator: Annotated[
        str | None, typer.Option(help="运营机构的统一社会信用代码 · the operator's organisation code")
    ] = None,
    name: Annotated[str | None, typer.Option(help="运营机构名称 · the operator's name")] = None,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="升级旧版数据库 · upgrade an older database")
    ] = False,
) -> None:
    """新建学分银行：密钥、数据库、运营机构 · make a bank: its keys, its database, its operator."""
    session = session_of(context)
    if upgrade:
        upgrade_database(session.settings)
        console.print(session.words.text("word.upgraded"))
        return
    if origin is None or operator is None or name is None:
        raise Misconfigured("init-incomplete")
    institution = Institution(issuer=parse_organisation_code(operator), name=name, role="education-bureau")
    bank = create_bank(
        session.settings,
        passphrase=session.first_passphrase,
        origin=origin,
        operator=institution,
    )
    words = session.words
    console.print(words.text("word.bank-made", origin=bank.record.origin, home=session.settings.home))
    console.print(words.text("word.verifier-key-kept", path=verifier_key_file(session.settings)))
    console.print(bank.verifier_keys[0].encode())
