"""`creditbank rules new`: a commented rule pack to start from."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from creditbank.cli.files import FileUnusable, require_new, write_file
from creditbank.cli.output import console
from creditbank.cli.session import session_of
from creditbank.samples.starters import Starter, starter_pack


def new(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(metavar="机构_NAME", help="制定机构，如 my-school · the authority, such as my-school"),
    ],
    start: Annotated[
        Starter, typer.Option("--from", help="从哪一种起步：免修、免试或认定表 · what it starts from")
    ] = "exemption",
    effective_from: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="生效日期，默认今天 · the day from which it applies [today]"),
    ] = None,
    directory: Annotated[
        Path, typer.Option(help="写在此目录的 机构/日期.toml · written to NAME/DAY.toml in here")
    ] = Path(),
) -> None:
    """写出带说明的规则包起始文件，可直接检查和修改 · write a commented pack to start from."""
    from creditbank.assembly import now

    day = (effective_from or now()).date()
    text = starter_pack(start, name=name, effective_from=day)
    path = directory / name / f"{day.isoformat()}.toml"
    require_new(path.parent, replace=True)
    _make_directory(path.parent)
    require_new(path)
    write_file(text.encode(), path)
    console.print(session_of(context).words.text("word.pack-started", path=path, directory=directory))


def _make_directory(path: Path) -> None:
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise FileUnusable("file-unwritable", path=str(path), cause=error.strerror) from error
