"""`creditbank schemas`: print the JSON Schema of every document that the bank takes and gives."""

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from creditbank.cli.files import FileUnusable, write_file
from creditbank.cli.output import console
from creditbank.documents.schemas import document_schemas

VERSION = "v1"


def schemas(
    directory: Annotated[Path, typer.Argument(metavar="目录_DIRECTORY", help="写入其下的 v1/ · v1/ in here")],
) -> None:
    """写出全部文档的 JSON Schema · write the JSON Schema of every document."""
    folder = directory / VERSION
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileUnusable("file-unwritable", path=str(folder), cause=error.strerror) from error
    for name, content in schema_files().items():
        write_file(content, folder / name, replace=True)
        console.print(str(folder / name))


def schema_files() -> Mapping[str, bytes]:
    """Return the content of every schema file by its name; the web, an upper layer, is found by name."""
    message_schemas: Callable[[], Mapping[str, dict[str, Any]]] = import_module("api.schemas").message_schemas
    found = {**document_schemas(), **message_schemas()}
    return {
        f"{name}.schema.json": orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        for name, schema in found.items()
    }
