"""Open a workbook as its user sent it: raw cells row by row, whatever the bytes, in bounded memory.

Only this much of the format is read: the sheets' names, the texts, which styles show dates, and the cells.
Macros, links, pictures and formulas are never touched; of a formula the value that was saved is taken.
What the cells mean is for `spreadsheet_values` and `spreadsheet`.
"""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from posixpath import normpath

from creditbank.documents.spreadsheet_cells import Cell, Limits, Row, WorkbookInvalid
from creditbank.documents.spreadsheet_sheet import SheetCells
from creditbank.documents.spreadsheet_xml import (
    date_styles,
    definitions,
    relationships,
    shared_strings,
    sheets,
)

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENTRY = b"PK\x01\x02"
_MOST_ENTRIES = 10_000
_ENCODINGS = (("utf-8-sig", b""), ("utf-16", b"\xff\xfe"), ("utf-16", b"\xfe\xff"), ("gb18030", b""))
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_OTHER_ARCHIVES = {"content.xml": "ods", "xl/workbook.bin": "xlsb", "word/document.xml": "docx"}
_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError, LookupError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One sheet; `cells()` starts reading it from the top."""

    name: str
    is_hidden: bool
    _source: "partial[SheetCells] | partial[TextCells]"

    def cells(self) -> "SheetCells | TextCells":
        return self._source()


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbook:
    """The sheets that hold cells, in order, and the names that the file defines."""

    sheets: tuple[Sheet, ...]
    names: Mapping[str, str]


class TextCells:
    """The cells of a text file (CSV): every one is text, nothing is merged or hidden."""

    merged: tuple[tuple[int, int, int, int], ...] = ()
    hidden_rows = 0
    has_further_columns = False

    def __init__(self, text: str, delimiter: str) -> None:
        self._text = text
        self._delimiter = delimiter

    def __iter__(self) -> Iterator[Row]:
        lines = csv.reader(io.StringIO(self._text, newline=""), delimiter=self._delimiter)
        try:
            for number, line in enumerate(lines, start=1):
                cells = {at: Cell("text", text) for at, text in enumerate(line) if text.strip()}
                if cells:
                    yield number, cells
        except csv.Error as error:
            raise WorkbookInvalid("workbook-damaged", part="csv") from error


def workbook_bytes(path: Path, *, limits: Limits) -> bytes:
    """Read a file that may be a workbook, and never more of it than a workbook may have.

    Raises:
        WorkbookInvalid: there is no such file, it cannot be read, or it is too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limits.file_bytes + 1)
    except IsADirectoryError as error:
        raise WorkbookInvalid("file-is-directory", path=str(path)) from error
    except OSError as error:
        raise WorkbookInvalid("workbook-not-found", file=path.name) from error
    return _sized(data, limits)


def open_workbook(data: bytes, *, limits: Limits) -> Workbook:
    """Recognise the format and open the file.

    Raises:
        WorkbookInvalid: it is not a workbook, one that is too large, damaged or locked, or of another format.
    """
    _sized(data, limits)
    if not data:
        raise WorkbookInvalid("workbook-empty-file")
    if data.startswith(_ZIP):
        return _open_archive(data, limits)
    if data.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise WorkbookInvalid("workbook-password")
        raise WorkbookInvalid("workbook-format", format="xls")
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        raise WorkbookInvalid("workbook-format", format="html/xml")
    return _open_text(data)


def _sized(data: bytes, limits: Limits) -> bytes:
    if len(data) > limits.file_bytes:
        raise WorkbookInvalid("workbook-too-large", max_mebibytes=limits.file_bytes >> 20)
    return data


def _open_text(data: bytes) -> Workbook:
    for encoding, mark in _ENCODINGS:
        if not data.startswith(mark):
            continue
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _CONTROL.search(text) is None:
            head = text[:4096]
            delimiter = max(",\t;", key=head.count)
            source = partial(TextCells, text, delimiter)
            return Workbook(sheets=(Sheet(name="csv", is_hidden=False, _source=source),), names={})
    raise WorkbookInvalid("workbook-unreadable")


def _open_archive(data: bytes, limits: Limits) -> Workbook:
    # Counted before the directory is read: each of its lines costs far more memory than bytes.
    if data.count(_ENTRY) > _MOST_ENTRIES:
        raise WorkbookInvalid("workbook-too-many-parts", max_parts=_MOST_ENTRIES)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except _BROKEN_ZIP as error:
        raise WorkbookInvalid("workbook-damaged", part="zip") from error
    return _Archive(archive, limits).workbook()


class _Archive:
    """The parts of an xlsx file, by name; names are compared as Excel does, without case."""

    def __init__(self, archive: zipfile.ZipFile, limits: Limits) -> None:
        self._archive = archive
        self._limits = limits
        entries = archive.infolist()
        # What an entry declares is all that is ever unpacked of it: zipfile stops there.
        if sum(entry.file_size for entry in entries) > limits.unpacked_bytes:
            raise WorkbookInvalid("workbook-unpacks-too-large", max_mebibytes=limits.unpacked_bytes >> 20)
        self._parts = {_part_name(entry.filename): entry for entry in entries}

    def workbook(self) -> Workbook:
        root = self._workbook_part()
        stated = definitions(self._read(root))
        found = relationships(self._read(_relationships_part(root)), base=root)
        texts = next((part for part, kind in found.values() if kind == "sharedStrings"), None)
        styles = next((part for part, kind in found.values() if kind == "styles"), None)
        strings = shared_strings(self._read(texts), limits=self._limits)
        dates = date_styles(self._read(styles))
        opened: dict[str, Sheet] = {}
        for sheet in sheets(self._read(root)):
            part, kind = found.get(sheet.relationship, ("", ""))
            if kind == "worksheet" and part not in opened:
                source = partial(
                    SheetCells,
                    partial(self._read, part),
                    strings=strings,
                    dates=dates,
                    epoch_1904=stated.epoch_1904,
                    limits=self._limits,
                )
                opened[part] = Sheet(name=sheet.name, is_hidden=sheet.is_hidden, _source=source)
        if not opened:
            raise WorkbookInvalid("workbook-without-sheets")
        return Workbook(sheets=tuple(opened.values()), names=stated.names)

    def _workbook_part(self) -> str:
        found = relationships(self._read("_rels/.rels"), base="")
        part = next((part for part, kind in found.values() if kind == "officeDocument"), "xl/workbook.xml")
        for name, other in _OTHER_ARCHIVES.items():
            if name in self._parts:
                raise WorkbookInvalid("workbook-format", format=other)
        if part not in self._parts:
            raise WorkbookInvalid("workbook-unreadable")
        return part

    def _read(self, part: str | None) -> Iterator[bytes]:
        """Yield a part's bytes; nothing for one that the file leaves out."""
        entry = self._parts.get(part or "")
        if entry is None:
            return
        if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise WorkbookInvalid("workbook-damaged", part=part)
        try:
            with self._archive.open(entry) as stream:
                while chunk := stream.read(self._limits.chunk_bytes):
                    yield chunk
        except _BROKEN_ZIP as error:
            raise WorkbookInvalid("workbook-damaged", part=part) from error


def _part_name(name: str) -> str:
    return normpath(name.replace("\\", "/").lower()).lstrip("/")


def _relationships_part(part: str) -> str:
    folder, _, name = part.rpartition("/")
    return f"{folder}/_rels/{name}.rels".lstrip("/")
