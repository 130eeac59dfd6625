"""`creditbank rules publish`, `retire` and `published`: rule packs in the ledger, by two officers."""

from typing import Annotated

import typer

from creditbank.cli.output import console, print_json
from creditbank.cli.session import JsonOption, session_of
from creditbank.cli.two_persons import (
    FirstDescriptorOption,
    FirstFileOption,
    SecondDescriptorOption,
    SecondFileOption,
    TokenSources,
    ask_two_persons,
)
from creditbank.services.rule_packs import PackLine, pack_lines, publish_packs, retire_pack
from creditbank.terms import PackId, instant

PackArgument = Annotated[str, typer.Argument(metavar="规则包_PACK", help="规则包编号 · the pack's id")]
PacksArgument = Annotated[
    list[str], typer.Argument(metavar="规则包_PACK...", help="规则包编号，可多个 · ids of packs")
]


def publish(
    context: typer.Context,
    packs: PacksArgument,
    first_token_file: FirstFileOption = None,
    second_token_file: SecondFileOption = None,
    first_token_fd: FirstDescriptorOption = None,
    second_token_fd: SecondDescriptorOption = None,
    as_json: JsonOption = False,
) -> None:
    """两人经办，把规则包的摘要记入账本，此后不得改动 · publish packs in the ledger: two persons."""
    session = session_of(context)
    library = session.library()
    chosen = [library.pack(PackId(pack)) for pack in dict.fromkeys(packs)]
    bank = session.bank()
    sources = TokenSources(
        first_file=first_token_file,
        second_file=second_token_file,
        first_fd=first_token_fd,
        second_fd=second_token_fd,
    )
    persons = ask_two_persons(session, bank, sources)
    receipts = publish_packs(bank, session.principal(bank), persons, chosen)
    if as_json:
        print_json(
            [
                {"pack": pack.id, "digest": pack.digest, "subject": receipt.subject, "seq": receipt.seq}
                for pack, receipt in zip(chosen, receipts, strict=True)
            ]
        )
        return
    for pack in chosen:
        console.print(session.words.text("word.pack-published", pack=pack.id, digest=pack.digest))


def retire(
    context: typer.Context,
    pack: PackArgument,
    reason: Annotated[str, typer.Option(help="理由 · why")],
    first_token_file: FirstFileOption = None,
    second_token_file: SecondFileOption = None,
    first_token_fd: FirstDescriptorOption = None,
    second_token_fd: SecondDescriptorOption = None,
) -> None:
    """两人经办，停用已发布的规则包，已登记的不受影响 · take a published pack out of use: two persons."""
    session = session_of(context)
    chosen = session.library().pack(PackId(pack))
    bank = session.bank()
    sources = TokenSources(
        first_file=first_token_file,
        second_file=second_token_file,
        first_fd=first_token_fd,
        second_fd=second_token_fd,
    )
    persons = ask_two_persons(session, bank, sources)
    retire_pack(bank, session.principal(bank), persons, chosen, reason=reason)
    console.print(session.words.text("word.pack-retired", pack=pack))


def published(context: typer.Context, as_json: JsonOption = False) -> None:
    """列出账本中已发布和已停用的规则包 · list what the ledger says was published and retired."""
    session = session_of(context)
    lines = pack_lines(session.store())
    if as_json:
        print_json(
            [
                {
                    "pack": line.pack,
                    "digest": line.digest,
                    "retired": line.is_retirement,
                    "at": instant(line.at).isoformat(),
                    "officers": list(line.officers),
                    "reason": line.reason,
                }
                for line in lines
            ]
        )
        return
    for line in lines:
        console.print(session.words.text(_key(line), pack=line.pack, digest=line.digest))
        at = session.words.instant(instant(line.at))
        said = "  ".join(filter(None, (at, *line.officers, line.reason)))
        console.print(f"  {said}", style="dim")


def _key(line: PackLine) -> str:
    return "word.pack-retired" if line.is_retirement else "word.pack-published"
