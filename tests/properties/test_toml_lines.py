"""Laws of the line finder: it sees every value that `tomllib` sees, on the line on which it is written."""

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from creditbank.documents.toml_lines import line_of, lines_of
from tests.strategies.rule_pack import SHIPPED_FILES, members_of, packs, toml_of

WRITTEN = """# a comment with [brackets] and "quotes"
plain = 1
"quoted.key".inner = \"\"\"
several = "lines"
\\"\"\"\"\"\"
literal = '''
[[not.a.table]]
'''
array = [
  1, # one ]
  { name = "}", list = [1,
    2] },
]
instant = 2025-01-01 00:00:00
[table.sub]
key = 'it''s'
[[rule]]
id = "1"
[[rule.premise]]
kind = "a"
[[rule.premise]]
kind = "b"
[rule.grant]
mode = "each"
[[rule]]
[rule.grant]
mode = "bundle"
""".replace("'it''s'", '"it\'s"')


def test_every_value_stands_where_it_was_written() -> None:
    tomllib.loads(WRITTEN)
    lines, text = lines_of(WRITTEN), WRITTEN.split("\n")
    shown = {
        ("plain",): "plain = 1",
        ("literal",): "literal = '''",
        ("array", 0): "  1, # one ]",
        ("array", 1, "name"): '  { name = "}", list = [1,',
        ("array", 1, "list", 1): "    2] },",
        ("instant",): "instant = 2025-01-01 00:00:00",
        ("rule", 0, "premise", 1, "kind"): 'kind = "b"',
        ("rule", 0, "grant"): "[rule.grant]",
        ("rule", 1, "grant", "mode"): 'mode = "bundle"',
    }
    assert {path: text[lines[path] - 1] for path in shown} == shown


def test_what_is_not_written_stands_where_its_table_does() -> None:
    lines = lines_of(WRITTEN)
    assert line_of(lines, ("rule", 1, "grant", "max_credits")) == lines["rule", 1, "grant"]
    assert line_of(lines, ("nowhere",)) is None


@given(packs(), st.booleans())
def test_every_value_of_a_pack_is_found(tree: dict[str, Any], tables: bool) -> None:  # noqa: FBT001
    text = toml_of(tree, tables=tables).decode()
    lines = lines_of(text)
    written = text.split("\n")
    for path, value in members_of(tomllib.loads(text)):
        if path:
            assert path in lines
        if path and isinstance(value, bool) and isinstance(path[-1], str):
            assert path[-1] in written[lines[path] - 1]


def test_every_value_of_the_shipped_packs_is_found() -> None:
    files = [
        *SHIPPED_FILES,
        *(found for file in SHIPPED_FILES for found in file.with_suffix("").glob("*.toml")),
    ]
    for file in files:
        text = file.read_text("utf-8")
        written = text.split("\n")
        for path, line in lines_of(text).items():
            named = next(step for step in reversed(path) if isinstance(step, str))
            assert isinstance(path[-1], int) or named in written[line - 1], (file, path, line)
        assert {path for path, _ in members_of(tomllib.loads(text)) if path} <= lines_of(text).keys() | {
            path[:length] for path in lines_of(text) for length in range(1, len(path))
        }
