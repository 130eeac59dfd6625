"""The registrars' guide says everything that the workbook reader can say, and names every column."""

import pytest

from creditbank.documents.spreadsheet import Limits
from creditbank.documents.spreadsheet_columns import sheet_kinds
from creditbank.outcomes.outcome import OUTCOME_KINDS, OutcomeKind
from tests.source import ROOT, codes

GUIDE = (ROOT / "docs" / "import.md").read_text(encoding="utf-8")
OWN = ("cell-", "workbook-", "read-")


def test_every_code_of_the_reader_is_in_the_guide() -> None:
    reasons = {
        use.code for use in codes().reasons if use.place.startswith("creditbank/documents/spreadsheet")
    }
    warnings = {
        use.code for use in codes().warnings if use.place.startswith("creditbank/documents/spreadsheet")
    }
    computed = {text for text in codes().strings if text.startswith("read-") and not text.endswith("-")}
    said = sorted({*reasons, *warnings, *computed})
    assert len(said) > 40
    assert [code for code in said if f"`{code}`" not in GUIDE] == []


def test_the_guide_names_no_code_that_nothing_says() -> None:
    named = {word for word in GUIDE.split("`")[1::2] if word.startswith(OWN)}
    assert named <= codes().strings


@pytest.mark.parametrize("kind", OUTCOME_KINDS)
def test_the_guide_names_every_column_and_every_header(kind: OutcomeKind) -> None:
    rows = {row.split("|")[1].strip(): row for row in GUIDE.splitlines() if row.startswith("| ")}
    assert f"`--kind {kind}`" in GUIDE
    for column in sheet_kinds()[kind].columns:
        row = next(row for name, row in rows.items() if name.startswith(f"{column.zh}<br>{column.en}"))
        assert column.hint_zh in GUIDE
        assert column.hint_en in GUIDE
        assert row
    section = GUIDE[GUIDE.index(f"(`--kind {kind}`)") :]
    for column in sheet_kinds()[kind].columns[6:]:
        assert "、".join(column.aliases) in section, column.key


def test_the_guide_states_the_limits() -> None:
    limits = Limits()
    for stated in (
        f"{limits.file_bytes >> 20} MiB",
        f"{limits.unpacked_bytes >> 20} MiB",
        f"{limits.rows:,} 行",
    ):
        assert stated in GUIDE
    assert f"{limits.columns} 列" in GUIDE
    assert f"{limits.findings:,} 处" in GUIDE
    assert f"前 {limits.header_within} 行" in GUIDE
