"""`creditbank institution`: who may record outcomes."""

from typing import Annotated

import typer

from creditbank.cli.output import console, print_json
from creditbank.cli.session import JsonOption, session_of
from creditbank.identity.organisation_code import parse_organisation_code
from creditbank.services.institutions import Institution, InstitutionRole, institutions, register_institution

app = typer.Typer(no_args_is_help=True, help="机构 · institutions")


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
