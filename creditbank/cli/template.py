"""`creditbank template`: the workbook that a school fills in."""

from io import BytesIO
from pathlib import Path
from typing import Annotated

import typer

from creditbank.assembly import now
from creditbank.cli.files import FileUnusable, require_new, write_file
from creditbank.cli.output import errors
from creditbank.cli.session import session_of
from creditbank.documents.spreadsheet_template import write_template
from creditbank.outcomes.outcome import OutcomeKind
from creditbank.vocabularies.library import Vocabularies


def template(
    context: typer.Context,
    kind: Annotated[OutcomeKind, typer.Option(help="成果种类 · kind of outcome")],
    out: Annotated[Path | None, typer.Option(help="写入文件 · write to this file [<kind>.xlsx]")] = None,
) -> None:
    """生成填报表：文本列、下拉选项、填写说明 · make the workbook to fill in."""
    path = out if out is not None else Path(f"{kind}.xlsx")
    require_new(path)
    if path.suffix.lower() != ".xlsx":
        raise FileUnusable("template-not-xlsx", path=str(path))
    stream = BytesIO()
    write_template(kind, Vocabularies.load().vocabularies, stream, on=now().date())
    write_file(stream.getvalue(), path)
    errors.print(session_of(context).words.text("word.template-written", path=path))
