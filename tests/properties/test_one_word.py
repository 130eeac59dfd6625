"""One word per thing in the code: what a type is called names nothing else, and has no second name."""

import ast
from collections.abc import Iterator

from tests.source import PACKAGES, ROOT


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8"))


def _types_called(name: str) -> Iterator[str]:
    for path, tree in _modules():
        for statement in tree.body:
            match statement:
                case (
                    ast.ClassDef(name=own)
                    | ast.Assign(targets=[ast.Name(id=own)])
                    | ast.AnnAssign(target=ast.Name(id=own))
                ) if own == name:
                    yield path
                case _:
                    pass


def test_a_step_is_one_of_a_procedure_and_nothing_else() -> None:
    assert list(_types_called("Step")) == ["creditbank/conversion/procedure.py"]


def test_what_is_told_how_far_work_is_has_one_name() -> None:
    written = [
        path
        for path, tree in _modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and ast.unparse(node) == "Callable[[int], None]"
    ]
    assert written == ["creditbank/terms.py"]
    assert list(_types_called("Progress")) == written
