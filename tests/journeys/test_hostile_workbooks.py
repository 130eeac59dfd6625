"""Workbooks that are broken, huge, locked or meant to do harm: a clear refusal or a reading, nothing else."""

import random
import struct
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from creditbank.documents.spreadsheet import Limits, WorkbookInvalid, workbook_bytes
from creditbank.errors import InvalidInput
from tests.strategies.spreadsheet import (
    CLEAN,
    REAL,
    RELATIONSHIPS,
    SHEET,
    STRINGS,
    WORKBOOK,
    archive,
    plain_workbook,
    read,
    swapped,
    template,
    unpacked,
    with_part,
)

TEMPLATE = template("training", [CLEAN.cells()])
MEBIBYTE = 1 << 20


def reason(data: bytes, *, limits: Limits | None = None) -> str:
    with pytest.raises(WorkbookInvalid) as refused:
        read(data, limits=limits)
    return refused.value.reason


def read_or_refused(data: bytes) -> bool:
    """Whether a file is read, or refused as a whole; any other error is raised."""
    try:
        read(data)
    except WorkbookInvalid:
        return True
    return True


def with_rows(xml: str) -> bytes:
    """Return the workbook with further rows at the end of its sheet."""
    return swapped(SHEET, b"</sheetData>", xml.encode() + b"</sheetData>")


def with_sheet(xml: bytes) -> bytes:
    """Return the workbook with another sheet in the place of its own."""
    return with_part(REAL, SHEET, lambda _: b"<worksheet><sheetData>" + xml + b"</sheetData></worksheet>")


@contextmanager
def at_most(mebibytes: int) -> Iterator[None]:
    """Fail if more memory than this is in use at any time."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < mebibytes * MEBIBYTE
    finally:
        tracemalloc.stop()


PARTS = {**unpacked(TEMPLATE), **unpacked(REAL)}
books = st.sampled_from([REAL, TEMPLATE])


# Whatever the bytes.


@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\xff\xfe", b"<"]))
@example(b"", b"")
def test_random_bytes_are_refused(data: bytes, head: bytes) -> None:
    with pytest.raises(InvalidInput):
        read(head + data)


@given(st.text(max_size=300), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]))
def test_random_text_is_refused(text: str, encoding: str) -> None:
    with pytest.raises(InvalidInput):
        read(text.encode(encoding, errors="replace"))


@given(books, st.floats(0, 0.99999))
def test_a_truncated_workbook_is_refused(book: bytes, share: float) -> None:
    with pytest.raises(InvalidInput):
        read(book[: int(len(book) * share)])


@given(books, st.data())
def test_a_workbook_with_changed_bytes_is_read_or_refused(book: bytes, data: st.DataObject) -> None:
    changed = bytearray(book)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(book) - 1))] = data.draw(st.integers(0, 255))
    assert read_or_refused(bytes(changed))


@given(books, st.data())
def test_a_part_with_changed_bytes_is_read_or_refused(book: bytes, data: st.DataObject) -> None:
    part, before = data.draw(st.sampled_from(sorted(unpacked(book).items())))
    content = bytearray(before)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content) - 1))
        snippets = st.sampled_from(
            [b"", b"<", b'"', b"&", b"]]>", b"&#0;", b"-1", b"99999999999999999999", b"<c/>", b"\xff"]
        )
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(snippets | st.binary(max_size=3))
    assert read_or_refused(with_part(book, part, lambda _: bytes(content)))


@given(books, st.sets(st.sampled_from(sorted(PARTS)), min_size=1))
def test_a_workbook_without_some_of_its_parts_is_read_or_refused(book: bytes, missing: set[str]) -> None:
    rest = {name: content for name, content in unpacked(book).items() if name not in missing}
    assert read_or_refused(archive(rest))


# What is no workbook.


OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(1_000)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "workbook-empty-file"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "workbook-password"),
        (OLE + "Workbook".encode("utf-16-le"), "workbook-format"),
        (b"\n <html><table><tr><td>1</td></tr></table></html>", "workbook-format"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><Workbook/>', "workbook-format"),
        (archive({"mimetype": b"application/vnd.oasis", "content.xml": b""}), "workbook-format"),
        (archive({"xl/workbook.bin": b""}), "workbook-format"),
        (archive({"word/document.xml": b""}), "workbook-format"),
        (archive({"readme.txt": b"hello"}), "workbook-unreadable"),
        (archive({}), "workbook-unreadable"),
        (b"%PDF-1.7\x00\x01", "workbook-unreadable"),
        ("你好，这不是表格".encode(), "workbook-headers-missing"),
    ],
)  # fmt: skip
def test_what_is_no_workbook_is_named(data: bytes, expected: str) -> None:
    assert reason(data) == expected


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkbookInvalid) as refused:
        workbook_bytes(tmp_path / "nowhere.xlsx", limits=Limits())
    assert refused.value.reason == "workbook-not-found"


def test_no_more_of_a_file_is_read_than_a_workbook_may_have(tmp_path: Path) -> None:
    path = tmp_path / "large.xlsx"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with at_most(64), pytest.raises(WorkbookInvalid) as refused:
        workbook_bytes(path, limits=Limits())
    assert refused.value.reason == "workbook-too-large"


# What is huge, or unfolds.


def huge(xml: bytes, size: int = 60 * MEBIBYTE) -> bytes:
    return xml * (size // len(xml))


def countless_texts(_: bytes) -> bytes:
    return b"<sst>" + b"<si/>" * 1_000_001


def distinct(form: str, count: int) -> bytes:
    return "".join(form.format(at) for at in range(count)).encode()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (lambda: with_part(TEMPLATE, STRINGS, lambda _: bytes(300 * MEBIBYTE)), "workbook-unpacks-too-large"),
        (lambda: archive({**unpacked(REAL), "a.png": bytes(65 * MEBIBYTE)}), "workbook-unpacks-too-large"),
        (lambda: archive({f"{at}": b"" for at in range(10_001)}), "workbook-too-many-parts"),
        (lambda: with_part(TEMPLATE, STRINGS, countless_texts), "workbook-too-many-texts"),
        (lambda: with_sheet(b"<row>" + huge(b"<c/>", 30 * MEBIBYTE) + b"</row>"), "workbook-damaged"),
        (lambda: with_sheet(b"<a>" * 1_000_000), "workbook-unsafe-xml"),
        (lambda: with_sheet(b"<!--" + bytes([65]) * (60 * MEBIBYTE) + b"-->"), "workbook-unsafe-xml"),
        (lambda: with_sheet(b"<row " + distinct('a{}="" ', 500_000) + b"/>"), "workbook-unsafe-xml"),
        (lambda: with_sheet(distinct("<a{}/>", 500_000)), "workbook-unsafe-xml"),
        (lambda: with_sheet(b'<mergeCell ref="A1:B2"/>' * 20_000), "workbook-too-many-merged"),
    ],
)  # fmt: skip
def test_what_is_huge_is_refused_in_little_memory(data: Callable[[], bytes], expected: str) -> None:
    made = data()
    with at_most(150):
        assert reason(made) == expected


def test_a_sheet_of_countless_cells_is_refused() -> None:
    """At a hundredth of what is taken: eight million cells would only take longer."""
    assert Limits().elements == 8_000_000
    limits = Limits(elements=80_000)
    rows = (b"<row>" + b"<c/>" * 99 + b"</row>") * 799
    around_a_row = 3  # the row itself, and the two elements that all rows stand in
    last = 80_000 - 79_900 - around_a_row
    taken = with_sheet(rows + b"<row>" + b"<c/>" * last + b"</row>")
    assert reason(taken, limits=limits) == "workbook-headers-missing"
    for cells in (last + 1, 1_000_000):
        refused = with_sheet(rows + b"<row>" + b"<c/>" * cells + b"</row>")
        assert reason(refused, limits=limits) == "workbook-too-many-cells"


@pytest.mark.parametrize(
    "xml",
    [
        '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        '<row r="1048576"><c r="A1048576"/></row>',
        "".join(f'<row r="{at}" s="1"><c r="A{at}"/></row>' for at in range(10, 100_000)),
        f'<row r="9"><c r="CZ9" t="inlineStr"><is>{"<t>a</t>" * 500_000}</is></c></row>',
    ],
)
def test_a_sheet_costs_what_its_cells_cost(xml: str) -> None:
    made = with_rows(xml)
    with at_most(100):
        assert len(read(made).rows) == 1


@pytest.mark.parametrize(
    "stated", ["", '<dimension ref="A1:XFD1048576"/>', '<dimension ref="A1"/>', '<dimension ref="?"/>']
)
def test_the_stated_dimension_is_not_believed(stated: str) -> None:
    made = swapped(SHEET, b'<dimension ref="A1:F3" />', stated.encode())
    with at_most(50):
        assert read(made).rows == read(REAL).rows


def test_too_many_rows_are_refused() -> None:
    rows = [{**CLEAN.cells(), "programme_code": f"P{at}"} for at in range(30)]
    assert reason(plain_workbook("training", rows), limits=Limits(rows=29)) == "workbook-too-many-rows"
    assert len(read(plain_workbook("training", rows), limits=Limits(rows=30)).rows) == 30


LAUGHS = b"".join(b'<!ENTITY a%d "%s">' % (at, b"&a%d;" % (at - 1) * 10) for at in range(1, 10))


@pytest.mark.parametrize(
    "doctype",
    [
        b'<!DOCTYPE worksheet [<!ENTITY a0 "lol">' + LAUGHS + b"]>",
        b'<!DOCTYPE worksheet [<!ENTITY a9 SYSTEM "file:///etc/passwd">]>',
        b'<!DOCTYPE worksheet SYSTEM "http://127.0.0.1:9/a.dtd">',
    ],
)
@pytest.mark.parametrize("part", ["_rels/.rels", RELATIONSHIPS, WORKBOOK, STRINGS, "xl/styles.xml", SHEET])
def test_entities_are_refused_whatever_they_unfold_to(part: str, doctype: bytes) -> None:
    made = swapped(part, b"?>", b"?>" + doctype, data=TEMPLATE)
    assert reason(made) == "workbook-unsafe-xml"


def test_a_part_that_says_it_is_smaller_than_it_is_is_refused() -> None:
    packed = bytearray(archive({**unpacked(TEMPLATE), STRINGS: b" " * MEBIBYTE + PARTS[STRINGS]}))
    size = struct.pack("<I", MEBIBYTE + len(PARTS[STRINGS]))
    assert packed.count(size) == 2
    assert reason(bytes(packed.replace(size, struct.pack("<I", 1_000)))) == "workbook-damaged"


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unusual_compression_is_refused_unopened(compression: int) -> None:
    assert reason(archive(unpacked(REAL), compression)) == "workbook-damaged"


def test_a_part_under_a_password_is_refused() -> None:
    locked = bytearray(REAL)
    for mark, flag in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := locked.find(mark, at + 1)) >= 0:
            locked[at + flag] |= 1
    assert reason(bytes(locked)) == "workbook-damaged"


# What contradicts itself.


@pytest.mark.parametrize(
    "xml",
    [
        '<row r="3"><c r="A3"><v>1</v></c></row>',
        '<row r="0"/>',
        '<row r="1048577"/>',
        '<row r="99999999999999999999"/>',
        '<row r="９"/>',
        '<row r="9"><c r="A8"/></row>',
        '<row r="9"><c r="B9"/><c r="A9"/></row>',
        '<row r="9"><c r="A9"/><c r="A9"/></row>',
        '<row r="9"><c r="AAAA9"/></row>',
        '<row r="9"><c r="ZZZ9"/></row>',
        '<row r="9"><c r=""/></row>',
        '<row r="9"><c r="A9" t="s"><v>999999</v></c></row>',
        '<row r="9"><c r="A9" t="s"><v>-1</v></c></row>',
        '<row r="9"><c r="A9" t="s"><v>x</v></c></row>',
        '<row r="9"><c r="A9" s="-1"><v>1</v></c></row>',
        "<row>",
        "</row>",
        "&nbsp;",
    ],
)
def test_a_sheet_that_contradicts_itself_is_refused(xml: str) -> None:
    assert reason(with_rows(xml)) == "workbook-damaged"


@pytest.mark.parametrize("encoding", ["utf-7", "gbk", "utf-32", "nonsense", "idna", "hex", "zip"])
def test_an_encoding_that_xml_does_not_have_is_refused(encoding: str) -> None:
    declared = f'<?xml version="1.0" encoding="{encoding}"?>'.encode()
    made = with_part(REAL, SHEET, lambda xml: declared + xml)
    assert reason(made) == "workbook-damaged"


def test_a_sheet_outside_the_file_is_no_sheet() -> None:
    made = swapped(RELATIONSHIPS, b"<Relationship Type", b'<Relationship TargetMode="External" Type')
    assert reason(made) == "workbook-without-sheets"


@pytest.mark.parametrize(
    "value",
    [
        "1E+999",
        "-1E+999",
        "-1E-999",
        "-100000000",
        "-0.5",
        "1" * 40,
        "0.1" + "0" * 39,
        "INF",
        "NaN",
        "1_0",
        "٣",
        "0x1",
    ],
)
@pytest.mark.parametrize("column", "ABCDEF")
def test_no_number_is_too_odd_to_be_named(value: str, column: str) -> None:
    for style in ("", ' s="1"'):
        reading = read(with_rows(f'<row r="9"><c r="{column}9"{style}><v>{value}</v></c></row>'))
        assert reading.error_count > 0


def test_random_seeds_of_noise_never_escape() -> None:
    noise = random.Random(2_024)
    for _ in range(300):
        with pytest.raises(InvalidInput):
            read(noise.randbytes(noise.randrange(2_000)))
