"""What the source says in codes: error classes, reasons, warnings, findings and catalogue keys, read from its
syntax trees, so that tests can hold the catalogues to it.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("creditbank", "api")
_KEY = re.compile(r"(?:problem|reason|field|finding|warning|word|say)\.[A-Za-z0-9_-]*[A-Za-z0-9_]")
_QUOTED = re.compile(r"""(["'])(.*?)\1""")
_PREFIX = re.compile(r"(?:problem|reason|field|finding|warning|word|say)\.[A-Za-z0-9_-]*-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One place where a code is used, with the values it gives; `values` is None where they are computed."""

    code: str
    place: str
    values: frozenset[str] | None
    field: str | None = None


@dataclass(slots=True, kw_only=True)
class Codes:
    """Every code in the source."""

    classes: dict[str, str] = field(default_factory=dict)
    """Codes of error classes, and where they are."""
    reasons: list[Use] = field(default_factory=list)
    warnings: list[Use] = field(default_factory=list)
    findings: list[Use] = field(default_factory=list)
    lints: list[Use] = field(default_factory=list)
    """Findings in rule packs: errors are reasons, the others warnings."""
    keys: list[Use] = field(default_factory=list)
    """Whole catalogue keys, such as `word.credits`."""
    key_prefixes: set[str] = field(default_factory=set)
    """The constant beginnings of computed keys, such as `word.role-`."""
    members: set[str] = field(default_factory=set)
    """Every member of a class that is written with its type: what `field` may name."""
    strings: set[str] = field(default_factory=set)
    """Every string constant that is not documentation."""


@cache
def codes() -> Codes:
    """Read the whole source."""
    trees = {
        str(path.relative_to(ROOT)): ast.parse(path.read_text("utf-8"))
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }
    errors = _error_classes(trees.values())
    found = Codes()
    for name, tree in trees.items():
        _read(tree, name, errors, found)
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.html")):
            for _, text in _QUOTED.findall(path.read_text("utf-8")):
                _read_text(text, str(path.relative_to(ROOT)), found)
    return found


def _error_classes(trees: Iterable[ast.Module]) -> frozenset[str]:
    bases: dict[str, set[str]] = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                bases.setdefault(node.name, set()).update(map(_last_name, node.bases))
    known = {"CreditBankError"}
    while more := {name for name, above in bases.items() if above & known} - known:
        known |= more
    return frozenset(known)


def _read(tree: ast.Module, name: str, errors: frozenset[str], found: Codes) -> None:
    aside = set(_aside(tree))
    if _makes_pack_findings(tree):
        found.lints.extend(_through_helpers(tree, name))
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef() if node.name in errors:
                found.classes.update(dict.fromkeys(_class_codes(node), f"{name}:{node.lineno}"))
                found.reasons.extend(_through_super(node, name))
                found.members.update(_members(node))
            case ast.ClassDef():
                found.members.update(_members(node))
            case ast.Call():
                _read_call(node, f"{name}:{node.lineno}", errors, found)
            case ast.JoinedStr(values=[ast.Constant(value=str(start)), *_]):
                found.key_prefixes.update(_PREFIX.findall(start))
            case ast.Constant(value=str(text)) if id(node) not in aside:
                _read_text(text, f"{name}:{node.lineno}", found)
            case _:
                pass


def _read_text(text: str, place: str, found: Codes) -> None:
    found.strings.add(text)
    if text.endswith((".html", ".toml")):
        return
    if _PREFIX.fullmatch(text):
        found.key_prefixes.add(text)
    elif _KEY.fullmatch(text):
        found.keys.append(Use(code=text, place=place, values=None))


def _read_call(call: ast.Call, place: str, errors: frozenset[str], found: Codes) -> None:
    called = _last_name(call.func)
    first = call.args[0] if call.args else None
    if called in errors and (reason := _text(first)) is not None:
        found.reasons.append(_use(reason, call, place))
    code = _text(_argument(call, "code") or first)
    if called == "InputWarning" and code is not None:
        found.warnings.append(_noted(code, call, place))
    if (called in {"Finding", "PackFinding"} or called.endswith("_finding")) and code is not None:
        is_lint = called == "PackFinding" or "pack" in place
        (found.lints if is_lint else found.findings).append(_noted(code, call, place))
    if called == "text" and (key := _text(first)) is not None and _KEY.fullmatch(key):
        found.keys.append(_use(key, call, place))


def _use(code: str, call: ast.Call, place: str) -> Use:
    names = [keyword.arg for keyword in call.keywords]
    given = frozenset(name for name in names if name is not None)
    return Use(
        code=code,
        place=place,
        values=None if None in names else given,
        field=_text(_argument(call, "field")),
    )


def _noted(code: str, call: ast.Call, place: str) -> Use:
    """Return the use of a warning or a finding, which carry their values as a dictionary."""
    values = _argument(call, "values")
    given = frozenset[str]() if values is None else _dict_keys(values)
    is_made_here = _last_name(call.func) in {"Finding", "InputWarning", "PackFinding"}
    return Use(
        code=code,
        place=place,
        values=given if is_made_here else None,
        field=_text(_argument(call, "field")),
    )


def _makes_pack_findings(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.Call) and _last_name(node.func) == "PackFinding" for node in ast.walk(tree)
    )


def _through_helpers(tree: ast.Module, name: str) -> Iterator[Use]:
    """Yield what a module says through functions of its own whose first argument is the code.

    Such a function takes the values by name, or hands the code on to one that does.
    """
    taking: dict[str, frozenset[str] | None] = {}  # None: the caller names them
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.args.args and node.args.args[0].arg == "code":
            handed = [
                call
                for call in ast.walk(node)
                if isinstance(call, ast.Call) and call.args and _last_name(call.args[0]) == "code"
            ]
            given = {keyword.arg for call in handed for keyword in call.keywords if keyword.arg is not None}
            taking[node.name] = None if node.args.kwarg is not None else frozenset(given)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (called := _last_name(node.func)) in taking and node.args:
            if (code := _text(node.args[0])) is None:
                continue
            use, values = _use(code, node, f"{name}:{node.lineno}"), taking[called]
            yield use if values is None else replace(use, values=values)


def _through_super(node: ast.ClassDef, name: str) -> Iterator[Use]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute):
            is_super = isinstance(inner.func.value, ast.Call) and _last_name(inner.func.value.func) == "super"
            reason = _text(inner.args[0]) if inner.args else None
            if is_super and reason is not None:
                yield _use(reason, inner, f"{name}:{inner.lineno}")


def _members(node: ast.ClassDef) -> Iterator[str]:
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            yield statement.target.id


def _class_codes(node: ast.ClassDef) -> Iterator[str]:
    for statement in node.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str(code)))
                | ast.AnnAssign(target=ast.Name(id="code"), value=ast.Constant(value=str(code)))
            ):
                yield code
            case _:
                pass


def _aside(tree: ast.Module) -> Iterator[int]:
    """Yield the identities of strings that stand as statements (docstrings, also of attributes) and of the
    pieces of computed ones.
    """
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant() as statement):
                yield id(statement)
            case ast.JoinedStr(values=pieces):
                yield from map(id, pieces)
            case _:
                pass


def _argument(call: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _dict_keys(node: ast.expr) -> frozenset[str] | None:
    """Return the keys of a dictionary that is written out; None for one that is computed."""
    keys = [_text(key) for key in node.keys] if isinstance(node, ast.Dict) else [None]
    return None if None in keys else frozenset(key for key in keys if key is not None)


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=value):
            return _last_name(value)
        case _:
            return ""
