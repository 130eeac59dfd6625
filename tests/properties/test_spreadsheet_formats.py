"""What is unusual in a workbook and harmless: other sheets, hidden rows, formulas, calendars, text files."""

import re

import pytest

from creditbank.documents.spreadsheet import WorkbookInvalid
from tests.strategies.spreadsheet import (
    CLEAN,
    REAL,
    RELATIONSHIPS,
    SHEET,
    WORKBOOK,
    archive,
    read,
    swapped,
    unpacked,
    with_part,
)


def test_macros_links_and_pictures_are_passed_over() -> None:
    link = (
        b'<Relationship Id="x1" Type="http://a/worksheet" Target="file:///etc/passwd" TargetMode="External"/>'
    )
    made = swapped(RELATIONSHIPS, b"</Relationships>", link + b"</Relationships>")
    made = archive({**unpacked(made), "xl/vbaProject.bin": b"\x00" * 100, "xl/media/image1.png": b"\x89PNG"})
    assert read(made).rows == read(REAL).rows


def test_a_formula_counts_as_what_was_saved_of_it() -> None:
    saved = swapped(SHEET, b"<v>40</v>", b"<f>20*2</f><v>40</v>")
    assert read(saved).rows == read(REAL).rows
    unsaved = read(swapped(SHEET, b"<v>40</v>", b"<f>20*2</f><v></v>"))
    assert [(bad.place.header, bad.code) for bad in unsaved.errors] == [("培训学时", "cell-formula-unsaved")]
    failed = read(swapped(SHEET, b' t="n"><v>40</v>', b' t="e"><f>NA()</f><v>#N/A</v>'))
    assert [(bad.there, bad.code) for bad in failed.errors] == [("#N/A", "cell-formula-error")]


def test_merged_cells_among_the_rows_are_refused_and_elsewhere_not() -> None:
    def merged(area: bytes) -> bytes:
        cells = b'</sheetData><mergeCells><mergeCell ref="' + area + b'"/></mergeCells>'
        return swapped(SHEET, b"</sheetData>", cells)

    for area in (b"A1:H1", b"A20:H30", b"X3:Y9", b"nonsense", b"A1"):
        assert read(merged(area)).rows == read(REAL).rows, area
    for area in (b"A3:A4", b"C3:D3", b"A1:Z99"):
        assert [bad.code for bad in read(merged(area)).errors] == ["cell-merged"], area


def test_the_first_visible_sheet_with_headers_is_read_and_others_are_named() -> None:
    first = b'<sheet name="Sheet" sheetId="1" state="visible" r:id="rId1" />'
    second = '<sheet name="副本" sheetId="2" r:id="rId9" />'.encode()
    target = (
        b'<Relationship Id="rId9" Type="http://a/worksheet" Target="worksheets/sheet9.xml"/></Relationships>'
    )
    two = swapped(WORKBOOK, first, first + second)
    two = swapped(RELATIONSHIPS, b"</Relationships>", target, data=two)
    two = archive({**unpacked(two), "xl/worksheets/sheet9.xml": unpacked(REAL)[SHEET]})
    assert read(two).sheet == "Sheet"
    assert [doubt.warning.values["others"] for doubt in read(two).doubts if doubt.place is None] == [
        ("副本",)
    ]
    hidden = swapped(WORKBOOK, b'state="visible"', b'state="veryHidden"', data=two)
    assert (read(hidden).sheet, read(hidden).rows) == ("副本", read(REAL).rows)


def test_hidden_rows_are_read_and_said() -> None:
    reading = read(swapped(SHEET, b'<row r="3"', b'<row hidden="1" r="3"'))
    assert reading.rows == read(REAL).rows
    assert [doubt.warning.code for doubt in reading.doubts if doubt.place is None] == ["hidden-rows-read"]


def test_the_calendar_of_1904_is_heeded() -> None:
    late = read(swapped(WORKBOOK, b"<workbookPr />", b'<workbookPr date1904="1" />'))
    assert (late.rows[0].outcome.awarded_on - CLEAN.outcome.awarded_on).days == 1462


def test_prefixes_and_letter_case_of_parts_do_not_matter() -> None:
    def prefixed(xml: bytes) -> bytes:
        return (
            xml.replace(b"<", b"<x:")
            .replace(b"<x:/", b"</x:")
            .replace(b"<x:?", b"<?")
            .replace(b"xmlns=", b"xmlns:x=")
        )

    assert read(with_part(REAL, SHEET, prefixed)).rows == read(REAL).rows
    shouted = archive(
        {name.upper() if name.startswith("xl/w") else name: text for name, text in unpacked(REAL).items()}
    )
    assert read(shouted).rows == read(REAL).rows


def test_rows_and_cells_need_not_say_where_they_are() -> None:
    bare = with_part(REAL, SHEET, lambda xml: re.sub(rb'<(row|c) r="[A-Z0-9]+"', rb"<\1", xml))
    assert read(bare).rows == read(REAL).rows


def test_a_text_file_may_be_in_any_of_the_usual_encodings() -> None:
    headers = "姓名,身份证号,培训项目代码,培训项目名称,培训学时,结业日期"
    text = f"{headers}\r\n次仁卓玛,540302199003070027,PX-1,牦牛养殖,40,2024-06-20\r\n"
    for encoding in ("utf-8", "utf-8-sig", "gb18030", "utf-16"):
        assert read(text.encode(encoding)).rows[0].outcome == CLEAN.outcome
        assert read(text.replace(",", "\t").encode(encoding)).rows[0].outcome == CLEAN.outcome
    unclosed = text.replace("牦牛养殖", '"牦牛养殖')
    assert read(unclosed.encode()).error_count > 0
    with pytest.raises(WorkbookInvalid) as refused:
        read((text + '"' + "x" * 200_000 + '"').encode())
    assert refused.value.reason == "workbook-damaged"
