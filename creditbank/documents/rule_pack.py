"""A rule pack as a document: TOML for people, canonical JSON for machines, JSON Schema for both.

The SHA-256 of the canonical JSON is the pack's identity: comments, the order of keys and the way in which
a number is written do not change it; anything that a rule says does. Running the examples is for
`conversion/pack_examples`, choosing among packs for `rulepacks`.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256
from types import MappingProxyType
from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from creditbank.conversion.pack import Pack, PackFinding
from creditbank.conversion.span import SPAN_PATTERN
from creditbank.documents.rule_pack_checks import reference_findings
from creditbank.documents.rule_pack_models import RulePackText
from creditbank.documents.rule_pack_source import Source, as_json, read_json, read_toml
from creditbank.documents.rule_pack_values import pack_of
from creditbank.documents.toml_lines import Path
from creditbank.errors import InvalidInput
from creditbank.ledger.encoding import canonical_bytes

_SHOWN_MAX = 60
NOTHING_BESIDE: Mapping[str, bytes] = MappingProxyType({})


class RulePackInvalid(InvalidInput):
    """A pack says something that it must not say; `findings` names all of it, the error the first."""

    code = "rule-pack-invalid"

    def __init__(self, findings: Sequence[PackFinding]) -> None:
        first = findings[0]
        where = {"file": first.file, "where": first.where, "count": len(findings)}
        super().__init__(first.code, field=first.called, **{**first.values, **where})
        self.findings = tuple(findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePackDocument:
    """A pack, the bytes whose digest it carries, and where each part of it was written."""

    pack: Pack
    canonical: bytes
    source: Source

    def located(self, findings: Iterable[PackFinding]) -> tuple[PackFinding, ...]:
        """Return findings about the pack with file and line."""
        return tuple(_located(finding, self.source) for finding in findings)


def parse_rule_pack(
    content: bytes, *, name: str = "pack.toml", beside: Mapping[str, bytes] = NOTHING_BESIDE
) -> RulePackDocument:
    """Read a pack from its TOML file; `beside` holds the files that it may name, by name.

    Raises:
        RulePackUnreadable: a file is not TOML, too large, or an included one is missing.
        RulePackInvalid: the pack says what it must not say; every finding has its place.
    """
    source = read_toml(content, name=name, beside=beside)
    return _document(source, lambda: RulePackText.model_validate(source.tree))


def parse_rule_pack_json(content: bytes, *, name: str = "pack.json") -> RulePackDocument:
    """Read a pack from its canonical JSON.

    Raises:
        RulePackUnreadable: these are not canonical bytes.
        RulePackInvalid: the pack says what it must not say.
    """
    source = read_json(content, name=name)
    return _document(source, lambda: RulePackText.model_validate_json(content))


def rule_pack_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a pack; it describes the TOML's tables as well as the JSON."""
    schema = RulePackText.model_json_schema()
    schema["properties"]["include"] = {
        "description": "TOML only: files beside the pack whose tables follow its own.",
        "items": {"type": "string"},
        "type": "array",
    }
    for table, listed, said in (
        ("RecognitionText", "rows", "TOML only: a file beside the pack whose lines follow the rows."),
        ("RuleText", "id", "TOML only: a file beside the pack of which every line makes one rule."),
    ):
        described = schema["$defs"][table]
        described["properties"]["csv"] = {"description": said, "type": "string"}
        described["required"] = [name for name in described["required"] if name != listed]
        described["anyOf"] = [{"required": [listed]}, {"required": ["csv"]}]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _document(source: Source, validated: Callable[[], RulePackText]) -> RulePackDocument:
    if source.faults:
        raise RulePackInvalid(source.faults)
    try:
        text = validated()
    except ValidationError as error:
        found = [_finding_of(detail) for detail in error.errors(include_url=False)]
        raise _invalid(_innermost(found), source) from error
    found = list(reference_findings(text))
    if found:
        raise _invalid(found, source)
    try:
        canonical = canonical_bytes(as_json(source.tree))
    except InvalidInput as error:
        finding = PackFinding(code=error.reason, severity="error", path=(), values=error.values)
        raise _invalid([finding], source) from error
    built = pack_of(text, digest=sha256(canonical).hexdigest())
    if not isinstance(built, Pack):
        raise _invalid(built, source)
    return RulePackDocument(pack=built, canonical=canonical, source=source)


def _invalid(findings: Iterable[PackFinding], source: Source) -> RulePackInvalid:
    """Return the error; what is wrong with what many lines have in common is said once."""
    found: dict[object, PackFinding] = {}
    for finding in findings:
        located = _located(finding, source)
        where = located.path if located.line is None else (located.file, located.line, located.column)
        found.setdefault((located.code, where, repr(located.values)), located)
    return RulePackInvalid(tuple(found.values()))


def _innermost(findings: Sequence[PackFinding]) -> list[PackFinding]:
    """Leave out what is only said of a list because one of its elements is wrong."""
    inside = {finding.path[:length] for finding in findings for length in range(len(finding.path))}
    return [finding for finding in findings if finding.path not in inside]


def _located(finding: PackFinding, source: Source) -> PackFinding:
    """Return the finding with file and line; so is the first of two places, where it names both."""
    values = dict(finding.values)
    if "first" in values:
        first = _placed(replace(finding, path=cast("Path", values["first"])), source)
        values["first"] = first.where or first.called
    return _placed(replace(finding, values=values), source)


def _placed(finding: PackFinding, source: Source) -> PackFinding:
    path = source.as_written(finding.path)
    place = source.place_of(path)
    return replace(
        finding, path=path, id=source.id_at(path), file=place.file, line=place.line, column=place.column
    )


_WANTED = {
    "string_type": "text",
    "int_type": "integer",
    "bool_type": "true-or-false",
    "date_type": "date",
    "date_parsing": "date",
    "date_from_datetime_parsing": "date",
    "datetime_type": "instant",
    "datetime_parsing": "instant",
    "datetime_from_date_parsing": "instant",
    "timezone_aware": "instant",
    "decimal": "number",
    "tuple_type": "list",
    "model_type": "table",
    "model_attributes_type": "table",
    "dict_type": "table",
}
_BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
_WRAPPED = re.compile(r"Decimal\('(.*)'\)")
_QUOTED = re.compile(r"'([^']*)'")


_LENGTHS = {
    "too_short": ("min_length", "list-empty"),
    "too_long": ("max_length", "list-too-long"),
    "string_too_short": ("min_length", "value-empty"),
    "string_too_long": ("max_length", "value-too-long"),
}


def _finding_of(error: ErrorDetails) -> PackFinding:
    """Say in our codes what the model refused; the value is shown only where it is short."""
    path: Path = tuple(error["loc"])
    kind = error["type"]
    context = error.get("ctx", {})
    values: dict[str, object] = {}
    if kind == "extra_forbidden":
        code, values = "key-unknown", {"key": path[-1]}
    elif kind == "missing":
        code, values = "key-missing", {"key": path[-1]}
    elif kind == "literal_error":
        allowed = _QUOTED.findall(context["expected"])
        code, values = "value-not-listed", {"value": _shown(error["input"]), "allowed": allowed}
    elif kind == "string_pattern_mismatch" and context["pattern"] == SPAN_PATTERN:
        code, values = "span-unreadable", {"at": path[-1], "value": _shown(error["input"])}
    elif kind == "string_pattern_mismatch":
        code, values = "value-pattern", {"value": _shown(error["input"])}
    elif kind == "hidden_characters":
        code, values = "characters-hidden", {"found": context["found"]}
    elif kind in _LENGTHS:
        bound, code = _LENGTHS[kind]
        values = {"limit": context[bound]}
    elif kind == "negative":
        code, values = "value-negative", {"value": _shown(error["input"])}
    elif _WANTED.get(kind) == "list" and isinstance(error["input"], dict):
        code, values = "value-one-table", {"key": path[-1], "table": ".".join(_names_in(path))}
    elif kind in _WANTED:
        code, values = "value-type", {"value": _shown(error["input"]), "wanted": _WANTED[kind]}
    else:
        bounds = " ".join(
            f"{sign} {_bound(context[name])}" for name, sign in _BOUNDS.items() if name in context
        )
        code, values = "value-out-of-range", {"value": _shown(error["input"]), "bounds": bounds}
    return PackFinding(code=code, severity="error", path=path, values=values)


def _names_in(path: Path) -> list[str]:
    """Return the names of the tables that lead to a place, as a header in TOML has them."""
    return [step for step in path if isinstance(step, str)]


def _bound(value: object) -> str:
    """Return a bound as it is written; a decimal one is given as it would be in Python."""
    wrapped = _WRAPPED.fullmatch(str(value))
    return str(value) if wrapped is None else wrapped[1]


def _shown(value: object) -> str:
    match value:
        case str():
            return value if len(value) <= _SHOWN_MAX else f"{value[:_SHOWN_MAX]}…"
        case bool() | float():
            return str(value)
        case int() | Decimal():
            return _shown_number(value)
        case dict():
            return "{…}"
        case tuple() | list():
            return "[…]"
        case _:
            return str(value)


def _shown_number(value: int | Decimal) -> str:
    try:
        return _shown(str(value))
    except ValueError:  # an integer of more digits than Python writes
        return "…"
