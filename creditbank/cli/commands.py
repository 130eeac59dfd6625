"""Every command by its name, imported when it is asked for: a command starts with what it needs alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

import typer
from typer.core import TyperGroup
from typer.main import get_group


@dataclass(frozen=True, slots=True)
class Place:
    """Which module of `creditbank.cli` has a command, or an `app` of several; what a list says of it."""

    module: str
    name: str
    help: str


PLACES: Mapping[str, Place] = {
    "init": Place(
        "init",
        "init",
        "新建学分银行：密钥、数据库、运营机构 · make a bank: its keys, its database, its operator.",
    ),
    "template": Place(
        "template", "template", "生成填报表：文本列、下拉选项、填写说明 · make the workbook to fill in."
    ),
    "import": Place(
        "importing",
        "import_workbook",
        "导入学习成果表：全部入账，或一条不入 · post a workbook of outcomes, whole or not at all.",
    ),
    "serve": Place(
        "serve",
        "serve",
        "提供网页与接口，按 Ctrl-C 结束 · serve the pages and the HTTP interface until interrupted.",
    ),
    "demo": Place(
        "demo", "demo", "演示：从学校的表格到可证明的免修 · from a school's workbook to a provable exemption."
    ),
    "schemas": Place(
        "schemas", "schemas", "写出全部文档的 JSON Schema · write the JSON Schema of every document."
    ),
    "institution": Place("institution", "app", "机构 · institutions"),
    "officer": Place("officer", "app", "经办人员 · officers"),
    "account": Place("account", "app", "个人学习账号 · personal learning accounts"),
    "decide": Place("deciding", "app", "课程免修与考试免试 · exemptions and waivers"),
    "audit": Place(
        "audit",
        "audit",
        "毕业审核：已修得、已免修、可免修、尚缺什么 · how far a programme is, and what stands in the way.",
    ),
    "rules": Place("rules", "app", "规则包 · rule packs"),
    "ledger": Place("ledger", "app", "账本 · the ledger"),
    "keys": Place("keys", "app", "密钥 · keys"),
}
"""In the order of the list. What it says of a single command is the command's own first line."""


class LoadedWhenAsked(Mapping[str, Any]):
    """The commands as typer looks them up."""

    def __iter__(self) -> Iterator[str]:
        return iter(PLACES)

    def __len__(self) -> int:
        return len(PLACES)

    def __contains__(self, name: object) -> bool:
        return name in PLACES

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - typer keeps the class of commands to itself
        """Import a command and return it.

        Raises:
            KeyError: there is no such command.
        """
        place = PLACES[name]
        found = getattr(import_module(f"creditbank.cli.{place.module}"), place.name)
        host = typer.Typer(rich_markup_mode=None)
        if isinstance(found, typer.Typer):
            host.add_typer(found, name=name, help=place.help)
        else:
            host.command(name)(found)
        return get_group(host).commands[name]


class ListedCommands(TyperGroup):
    """A group that knows its commands' names and lines without importing one."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - whatever typer passes on
        super().__init__(**attributes)
        self.commands = cast("Any", LoadedWhenAsked())

    def list_commands(self, _ctx: object) -> list[str]:
        """Return the names, in the order of the list."""
        return list(self.commands)

    def format_commands(self, _ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - typer's own
        """Write the list of commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.help) for name, place in PLACES.items()])
