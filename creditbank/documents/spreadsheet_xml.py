"""The small XML parts of an xlsx file: which sheets there are, the shared texts, the styles that show dates.

Every part goes through `parse`, which allows no document type: an xlsx file has none, and without one
there are no entities that could unfold into more than the bytes that were checked.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from posixpath import join, normpath
from typing import NoReturn
from xml.parsers import expat

from creditbank.documents.spreadsheet_cells import Limits, WorkbookInvalid

Attributes = dict[str, str]

_NAMES_MAX = 10_000
_DEPTH_MAX = 100
_TAG_BYTES_MAX = 1 << 20
_LIMITS = Limits()
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_BUILT_IN_DATES = frozenset({*range(14, 18), 22, *range(27, 32), 36, *range(50, 59)})
_NOT_SHOWN = re.compile(r'General|G/通用格式|"[^"]*"|\\.|_.|\*.|\[[^\]]*\]|[eE][+-]')
_DAY_OR_YEAR = re.compile(r"[ydge]", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedSheet:
    name: str
    relationship: str
    is_hidden: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Definitions:
    """What the workbook part says besides its sheets."""

    names: Mapping[str, str]
    epoch_1904: bool


class Elements:
    """What a part's reader wants to hear; names come without their prefix."""

    def start(self, name: str, attributes: Attributes) -> None: ...

    def text(self, text: str) -> None: ...

    def end(self, name: str) -> None: ...


def parse(
    chunks: Iterable[bytes], elements: Elements, *, part: str, limits: Limits = _LIMITS
) -> Iterator[None]:
    """Feed `chunks` to `elements`, pausing after each.

    Raises:
        WorkbookInvalid: `workbook-damaged`; `workbook-unsafe-xml` for what no workbook has: a document type,
            deep nesting, endless tags, countless names; `workbook-too-many-cells`.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    guard = _Guard(elements, limits.elements)
    parser.StartElementHandler = guard.start
    parser.EndElementHandler = guard.end
    parser.CharacterDataHandler = elements.text
    parser.StartDoctypeDeclHandler = _refuse
    fed = 0
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)  # noqa: FBT003 - pyexpat takes no keywords
            fed += len(chunk)
            # Expat scans an unfinished tag from its start again each time, and remembers every name.
            if fed - parser.CurrentByteIndex > _TAG_BYTES_MAX or len(parser.intern) > _NAMES_MAX:
                _refuse()
            yield
        if fed:
            parser.Parse(b"", True)  # noqa: FBT003
            yield
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise WorkbookInvalid("workbook-damaged", part=part) from error


def relationships(chunks: Iterable[bytes], *, base: str) -> Mapping[str, tuple[str, str]]:
    """Return the parts that `base` refers to inside the file, and their kinds, by identifier."""
    found: dict[str, tuple[str, str]] = {}

    def start(name: str, attributes: Attributes) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            target = attributes.get("Target", "").replace("\\", "/").lower()
            folder = base.rpartition("/")[0]
            part = normpath(target if target.startswith("/") else join(folder, target)).lstrip("/")
            found[attributes.get("Id", "")] = part, attributes.get("Type", "").rpartition("/")[2]

    _read(chunks, start=start, part="relationships")
    return found


def sheets(chunks: Iterable[bytes]) -> tuple[StatedSheet, ...]:
    """Return the sheets that the workbook part lists, in order."""
    found: list[StatedSheet] = []

    def start(name: str, attributes: Attributes) -> None:
        if name == "sheet":
            relationship = next((text for key, text in attributes.items() if key.endswith(":id")), "")
            is_hidden = attributes.get("state", "visible") != "visible"
            found.append(
                StatedSheet(name=attributes.get("name", ""), relationship=relationship, is_hidden=is_hidden)
            )

    _read(chunks, start=start, part="workbook")
    return tuple(found)


def definitions(chunks: Iterable[bytes]) -> Definitions:
    """Return the defined names and the first day of the workbook's calendar."""
    names: dict[str, str] = {}
    seen: dict[str, str] = {"date1904": "0", "name": ""}

    def start(name: str, attributes: Attributes) -> None:
        if name == "workbookPr":
            seen["date1904"] = attributes.get("date1904", "0")
        seen["name"] = attributes.get("name", "") if name == "definedName" else ""

    def text(text: str) -> None:
        if seen["name"] and len(names) < _NAMES_MAX:
            names[seen["name"]] = text.strip('"')

    _read(chunks, start=start, text=text, part="workbook")
    return Definitions(names=names, epoch_1904=seen["date1904"] in {"1", "true"})


def shared_strings(chunks: Iterable[bytes], *, limits: Limits) -> list[str]:
    """Return the texts that cells refer to by their place."""
    reader = _SharedStrings(limits.strings)
    for _ in parse(chunks, reader, part="sharedStrings", limits=limits):
        pass
    return reader.strings


def date_styles(chunks: Iterable[bytes]) -> frozenset[int]:
    """Return the cell styles that show a number as a day."""
    custom: set[str] = set()
    dates: set[int] = set()
    cell_formats: list[str] = []
    inside: set[str] = set()

    def start(name: str, attributes: Attributes) -> None:
        if name == "cellXfs":
            inside.add(name)
        elif name == "numFmt" and shows_day(attributes.get("formatCode", "")):
            custom.add(attributes.get("numFmtId", ""))
        elif name == "xf" and inside:
            cell_formats.append(attributes.get("numFmtId", "0"))

    _read(chunks, start=start, end=inside.discard, part="styles")
    built_in = {str(number) for number in _BUILT_IN_DATES}
    dates.update(at for at, number in enumerate(cell_formats) if number in built_in or number in custom)
    return frozenset(dates)


def shows_day(format_code: str) -> bool:
    """Whether a number format shows a year or a day of the month."""
    return _DAY_OR_YEAR.search(_NOT_SHOWN.sub("", format_code.split(";", maxsplit=1)[0])) is not None


def unescaped(text: str) -> str:
    """Return a text with the format's own escapes (_x000D_) undone."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


class _SharedStrings(Elements):
    def __init__(self, most: int) -> None:
        self.strings: list[str] = []
        self._most = most
        self._pieces: list[str] = []
        self._is_text = False
        self._phonetic = 0

    def start(self, name: str, attributes: Attributes) -> None:  # noqa: ARG002 - none of them matters here
        match name:
            case "si":
                self._pieces = []
            case "t":
                self._is_text = not self._phonetic
            case "rPh":
                self._phonetic += 1

    def text(self, text: str) -> None:
        if self._is_text:
            self._pieces.append(text)

    def end(self, name: str) -> None:
        match name:
            case "t":
                self._is_text = False
            case "rPh":
                self._phonetic -= 1
            case "si":
                if len(self.strings) == self._most:
                    raise WorkbookInvalid("workbook-too-many-texts", max_texts=self._most)
                self.strings.append(unescaped("".join(self._pieces)))


class _Calls(Elements):
    def __init__(
        self,
        start: Callable[[str, Attributes], None],
        text: Callable[[str], None],
        end: Callable[[str], None],
    ) -> None:
        self._start, self._text, self._end = start, text, end

    def start(self, name: str, attributes: Attributes) -> None:
        self._start(name, attributes)

    def text(self, text: str) -> None:
        self._text(text)

    def end(self, name: str) -> None:
        self._end(name)


def _read(
    chunks: Iterable[bytes],
    *,
    start: Callable[[str, Attributes], None],
    text: Callable[[str], None] = lambda _: None,
    end: Callable[[str], None] = lambda _: None,
    part: str,
) -> None:
    for _ in parse(chunks, _Calls(start, text, end), part=part):
        pass


class _Guard:
    """Counts elements on their way, and drops their prefixes."""

    def __init__(self, elements: Elements, most: int) -> None:
        self._elements = elements
        self._most = most
        self._depth = 0
        self._count = 0

    def start(self, name: str, attributes: Attributes) -> None:
        self._depth += 1
        self._count += 1
        if self._depth > _DEPTH_MAX:
            _refuse()
        if self._count > self._most:
            raise WorkbookInvalid("workbook-too-many-cells", max_elements=self._most)
        self._elements.start(name.rpartition(":")[2], attributes)

    def end(self, name: str) -> None:
        self._depth -= 1
        self._elements.end(name.rpartition(":")[2])


def _refuse(*_: object) -> NoReturn:
    raise WorkbookInvalid("workbook-unsafe-xml")
