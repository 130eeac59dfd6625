"""The columns of a workbook for each kind of outcome: their headers, and what is wanted of their cells.

The list itself is data, in `spreadsheet_columns.toml`; template and reader both follow it. The learner's
columns stand in front of the outcome's. The issuer is no column: it is whoever imports the file.
"""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from typing import Any, Literal

from creditbank.outcomes.outcome import OUTCOME_KINDS, OutcomeKind

CellContent = Literal[
    "name",
    "citizen",
    "account",
    "code",
    "title",
    "figure",
    "count",
    "day",
    "expiry",
    "term",
    "level",
    "attributes",
]

NAME_KEYS = ("name", "tibetan_name", "romanised_name")
"""Of these a row has at least one."""
NUMBER_KEYS = ("citizen_number", "account")
"""Of these a row has exactly one."""
TEMPLATE_NAME = "creditbank_template"
"""The defined name under which a template says its kind and version."""
LEARNER_KEYS = (*NAME_KEYS, *NUMBER_KEYS, "category")

_HINTS: Mapping[str, tuple[str, str]] = {
    "code": ("文本格式，逐字填写", "text, exactly as it is written"),
    "title": ("文本格式，逐字填写", "text, exactly as it is written"),
    "day": ("年-月-日，例如 2024-06-20", "year-month-day, such as 2024-06-20"),
    "term": ("从下拉列表选择", "choose from the list"),
    "level": ("从下拉列表选择", "choose from the list"),
    "attributes": (
        "审核人认定的内容，名称=值，用分号隔开，例如 overlap=80; replaces=C12",
        "what an examiner found, name=value, semicolons between: overlap=80; replaces=C12",
    ),
    "figure": ("数字，最多两位小数", "a number with at most two decimals"),
}
_BRACKETS = re.compile(r"[(\[【〔].*?[)\]】〕]")
_FROM_LAST_BRACKET = re.compile(r"[(\[【〔][^(\[【〔]*$")
_DECORATION = re.compile(r"[\s*:;_#]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: `key` is the member it fills, `vocabularies` are the lists its terms come from.

    `nothing` are the ways to write that there is none, the first as the list offers it.
    """

    key: str
    zh: str
    en: str
    content: CellContent
    hint_zh: str
    hint_en: str
    example: str = ""
    aliases: tuple[str, ...] = ()
    is_required: bool = False
    vocabularies: tuple[str, ...] = ()
    nothing: tuple[str, ...] = ()
    is_in_template: bool = True

    def writings(self) -> tuple[str, ...]:
        """Return every header under which the column is recognised."""
        return (self.zh, self.en, self.key, *self.aliases)


@dataclass(frozen=True, kw_only=True)
class SheetKind:
    """The columns that a workbook of one kind has."""

    kind: OutcomeKind
    zh: str
    en: str
    columns: tuple[Column, ...]

    def column(self, key: str) -> Column:
        """Return the column that fills a member."""
        return next(column for column in self.columns if column.key == key)

    def has(self, key: str) -> bool:
        """Whether there is a column that fills a member."""
        return any(column.key == key for column in self.columns)

    @cached_property
    def by_header(self) -> Mapping[str, Column]:
        """The columns by every header, as `header_key` writes it; the first to claim one has it."""
        return {
            header_key(writing): column for column in reversed(self.columns) for writing in column.writings()
        }


@cache
def sheet_kinds() -> Mapping[OutcomeKind, SheetKind]:
    """Return what a workbook of each kind looks like."""
    text = resources.files(__package__).joinpath("spreadsheet_columns.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    learner = tuple(map(_column, table["learner"]))
    listed = {kind["id"]: kind for kind in table["kind"]}
    assert tuple(listed) == OUTCOME_KINDS, "every kind of outcome has its columns"
    return {
        kind: SheetKind(
            kind=kind,
            zh=listed[kind]["zh"],
            en=listed[kind]["en"],
            columns=(*learner, *map(_column, listed[kind]["column"])),
        )
        for kind in OUTCOME_KINDS
    }


def header_key(text: str) -> str:
    """Return a header as headers are compared: without width, case, spaces and marks."""
    return _DECORATION.sub("", unicodedata.normalize("NFKC", text).casefold())


def header_keys(text: str) -> tuple[str, ...]:
    """Return the forms under which a header is sought: whole, without the last brackets or any, by line."""
    plain = unicodedata.normalize("NFKC", text)
    bare = (_FROM_LAST_BRACKET.sub("", plain), _BRACKETS.sub("", plain))
    forms = (plain, *bare, *plain.splitlines())
    return tuple(dict.fromkeys(filter(None, map(header_key, forms))))


def _column(table: Mapping[str, Any]) -> Column:
    hint_zh, hint_en = _HINTS.get(table["content"], ("", ""))
    return Column(
        key=table["key"],
        zh=table["zh"],
        en=table["en"],
        content=table["content"],
        hint_zh=table.get("hint_zh", hint_zh),
        hint_en=table.get("hint_en", hint_en),
        example=table.get("example", ""),
        aliases=tuple(table.get("aliases", ())),
        is_required=table.get("required", False),
        vocabularies=tuple(table.get("vocabularies", ())),
        nothing=tuple(table.get("nothing", ())),
        is_in_template=table.get("template", True),
    )
