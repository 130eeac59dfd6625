"""`creditbank rules explain`: why a pack's examples come out as they do, in the words of a decision."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from creditbank.account.holdings import AccountHoldings
from creditbank.cli.files import FileUnusable, require_no_directory
from creditbank.cli.output import MISUSE, NEGATIVE, console
from creditbank.cli.session import session_of
from creditbank.conversion.pack import Pack
from creditbank.conversion.pack_examples import ExampleRun, run_examples
from creditbank.conversion.programme import Exam, Programme
from creditbank.documents.rule_pack import RulePackDocument
from creditbank.locale.catalogue import Catalogue
from creditbank.locale.decision_wording import decision_lines
from creditbank.locale.naming import Names, names_of
from creditbank.locale.pack_wording import marked_line
from creditbank.locale.wording import named
from creditbank.rulepacks.library import read_document


def explain(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="文件_FILE", help="规则包 .toml · a pack")],
    name: Annotated[
        str, typer.Argument(metavar="例子_EXAMPLE", help="名称中的字；默认全部 · part of its name [all]")
    ] = "",
) -> None:
    """说明规则包的例子为什么这样算 · say why the examples of a pack come out as they do."""
    words = session_of(context).words
    require_no_directory(file)
    try:
        document = read_document(file, shown_as=str(file))
    except OSError as error:
        raise FileUnusable("file-unreadable", path=str(file), cause=error.strerror) from error
    runs = [run for run in run_examples(document.pack) if name in run.example.name]
    if not runs:
        known = words.listed(one.name for one in document.pack.examples)
        none = words.text("word.no-examples")
        said = words.text("word.no-such-example", name=name, known=known) if known else none
        console.print(said, style="red")
        raise typer.Exit(MISUSE)
    for run in runs:
        _print(words, document, run)
    raise typer.Exit(NEGATIVE if any(run.findings for run in runs) else 0)


def _print(words: Catalogue, document: RulePackDocument, run: ExampleRun) -> None:
    console.print(run.example.name, style="bold underline")
    if run.decision is not None:
        said = decision_lines(words, run.decision, _names(words, document.pack, run))
        console.print(said.headline, style="bold")
        for lines, style in (
            (said.grants, "green"),
            (said.worths, None),
            (said.caps, None),
            (said.refusals, "yellow"),
            (said.nowhere, "dim"),
        ):
            for line in lines:
                console.print(f"  · {line}", style=style)
    for finding in document.located(run.findings):
        console.print(marked_line(words, finding), style="red")


def _names(words: Catalogue, pack: Pack, run: ExampleRun) -> Names:
    names = names_of(words, _place(pack, run), AccountHoldings(), [pack])
    kinds = {one.id: named(words, "word.kind-", one.kind) for one in run.example.holdings}
    return replace(names, outcomes={one.id: f"{kinds[one.id]} {one.code}" for one in run.example.holdings})


def _place(pack: Pack, run: ExampleRun) -> Programme | Exam:
    """Return what the example is about: it was decided, so it is there on its day."""
    example = run.example
    found: Programme | Exam | None = None
    if example.programme is not None:
        found = pack.programme(example.programme, as_of=example.as_of)
    elif example.exam is not None:
        found = pack.exam(example.exam, as_of=example.as_of)
    assert found is not None, "what was decided about is there"
    return found
