"""Rows of workbooks as hypothesis draws them, and workbooks made of them in several ways."""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, cast

import openpyxl
from hypothesis import settings
from hypothesis import strategies as st
from openpyxl.cell.cell import Cell, MergedCell

from creditbank.account.outcome_name import name_of
from creditbank.documents.spreadsheet import Limits, Reading, ReadRow, read_workbook
from creditbank.documents.spreadsheet_columns import sheet_kinds
from creditbank.documents.spreadsheet_template import CellValue, row_of, write_template
from creditbank.identity.account_number import AccountNumber, account_number_of
from creditbank.identity.citizen_number import CitizenNumber
from creditbank.identity.names import PersonNames
from creditbank.identity.person import Person
from creditbank.outcomes import Outcome
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.outcome import OUTCOME_KINDS, FrameworkLevel, OutcomeKind
from creditbank.outcomes.training import Training
from creditbank.terms import IssuerId
from creditbank.vocabularies.library import Vocabularies
from tests.strategies.choosing import either, maybe
from tests.strategies.identity import PERSON_CATEGORIES, account_numbers, citizen_numbers, person_names
from tests.strategies.outcomes import awards, certificates, course_credits, diplomas, experiences, trainings

LISTS = Vocabularies.load()
FEW = settings(max_examples=30)
"""For laws that write and read whole workbooks."""
ISSUER = IssuerId("12540300MB0000001X")
SHEET, WORKBOOK, STRINGS = "xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/sharedStrings.xml"
RELATIONSHIPS = "xl/_rels/workbook.xml.rels"

Cells = Mapping[str, CellValue]

_OUTCOMES: Mapping[OutcomeKind, Callable[[], st.SearchStrategy[Outcome]]] = {
    "diploma": diplomas,
    "skill-certificate": certificates,
    "course-credit": course_credits,
    "training": trainings,
    "award": awards,
    "experience": experiences,
}
_FORGIVEN = {*map(chr, range(0xFF01, 0xFF5F)), *"'’‘`"}
_CODES = ("major_code", "standard", "course_code", "programme_code", "contest_code")

kinds = st.sampled_from(OUTCOME_KINDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What one row is to say."""

    person: Person
    outcome: Outcome
    account: AccountNumber | None = None

    def cells(self) -> Cells:
        return row_of(self.person, self.outcome, LISTS.vocabularies, account=self.account)


@cache
def _plain(kind: OutcomeKind) -> st.SearchStrategy[Outcome]:
    return _OUTCOMES[kind]().filter(_is_plain)


def _is_plain(outcome: Outcome) -> bool:
    """Whether no code holds a character that is read as another one."""
    return all(_FORGIVEN.isdisjoint(getattr(outcome, member, "")) for member in _CODES)


LEARNER = Person(
    names=PersonNames(chinese="次仁卓玛"), citizen_number=CitizenNumber(text="540302199003070027")
)
ACCOUNT = account_number_of(bytes(10))
CLEAN = Stated(
    person=LEARNER,
    outcome=Training(
        programme_code="PX-1",
        title="牦牛养殖",
        hours=Decimal(40),
        issuer=ISSUER,
        awarded_on=date(2024, 6, 20),
    ),
)
CERTIFICATE = Stated(
    person=LEARNER,
    outcome=SkillCertificate(
        number="S-1",
        standard="X-XQYZ",
        title="家庭农场畜禽养殖",
        level=FrameworkLevel(framework="1+X", level="中级"),
        issuer=ISSUER,
        awarded_on=date(2024, 6, 20),
    ),
)


@cache
@st.composite
def stated(draw: st.DrawFn, kind: OutcomeKind) -> Stated:
    """Draw a learner and an outcome of a kind, all of one issuer."""
    account = draw(maybe(account_numbers()))
    return Stated(
        person=Person(
            names=draw(person_names()),
            citizen_number=None if account else draw(citizen_numbers()),
            category=draw(maybe(either(*PERSON_CATEGORIES))),
        ),
        outcome=replace(draw(_plain(kind)), issuer=ISSUER, attributes=()),
        account=account,
    )


def read(data: bytes, kind: OutcomeKind | None = None, *, limits: Limits | None = None) -> Reading:
    """Read a workbook as its issuer does."""
    return read_workbook(data, LISTS, issuer=ISSUER, kind=kind, limits=limits)


def rows_of(kind: OutcomeKind, *, min_size: int = 1, max_size: int = 4) -> st.SearchStrategy[list[Stated]]:
    """Draw rows of a kind, each about another outcome."""
    return st.lists(
        stated(kind),
        min_size=min_size,
        max_size=max_size,
        unique_by=lambda row: name_of(row.outcome).text,
    )


def as_read(rows: Sequence[Stated], *, first_row: int) -> tuple[ReadRow, ...]:
    """Return what must be read of rows that begin at `first_row`, one below the other."""
    return tuple(
        ReadRow(row=number, person=row.person, outcome=row.outcome, account=row.account)
        for number, row in enumerate(rows, start=first_row)
    )


def template(kind: OutcomeKind, rows: Sequence[Cells] = ()) -> bytes:
    """Return the template of a kind, filled in by the bank itself."""
    stream = io.BytesIO()
    write_template(kind, LISTS.vocabularies, stream, rows=rows)
    return stream.getvalue()


def filled_in(kind: OutcomeKind, rows: Sequence[Cells]) -> bytes:
    """Return the template of a kind, filled in below its example by another program."""
    book = openpyxl.load_workbook(io.BytesIO(template(kind)))
    keys = [column.key for column in sheet_kinds()[kind].columns if column.is_in_template]
    for number, cells in enumerate(rows, start=3):
        for at, key in enumerate(keys, start=1):
            _fill(book.worksheets[0].cell(row=number, column=at), cells.get(key))
    return _saved(book)


def plain_workbook(
    kind: OutcomeKind,
    rows: Sequence[Cells],
    *,
    keys: Sequence[str] | None = None,
    titles: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Return a workbook as schools make it: titles, then headers in the order of `keys`, then rows."""
    columns = sheet_kinds()[kind]
    keys = keys or list(dict.fromkeys(key for cells in rows for key in cells))
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for number, title in enumerate(titles, start=1):
        sheet.cell(row=number, column=1, value=title)
    for at, key in enumerate(keys, start=1):
        header = (headers or {}).get(key) or (columns.column(key).zh if columns.has(key) else key)
        _fill(sheet.cell(row=len(titles) + 1, column=at), header)
        for number, cells in enumerate(rows, start=len(titles) + 2):
            _fill(sheet.cell(row=number, column=at), cells.get(key))
    return _saved(book)


def changed(outcome: Outcome, **members: object) -> Outcome:
    """Return an outcome with other members."""
    return cast("Outcome", replace(cast("Any", outcome), **members))


def with_part(data: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """Return a workbook with one of its parts changed."""
    parts = unpacked(data)
    return archive({name: change(content) if name == part else content for name, content in parts.items()})


def swapped(part: str, before: bytes, after: bytes, *, data: bytes | None = None) -> bytes:
    """Return the workbook with something in one of its parts exchanged."""
    data = data or REAL
    assert before in unpacked(data)[part]
    return with_part(data, part, lambda xml: xml.replace(before, after, 1))


def archive(parts: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip file of these parts."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as out:
        for name, content in parts.items():
            out.writestr(name, content)
    return stream.getvalue()


def unpacked(data: bytes) -> dict[str, bytes]:
    """Return every part of a zip file."""
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        return {name: source.read(name) for name in source.namelist()}


def _fill(cell: Cell | MergedCell, value: CellValue) -> None:
    if value is None or value == "":
        return
    assert isinstance(cell, Cell), "nothing is merged"
    cell.value = value
    if isinstance(value, str):
        cell.data_type = "s"  # never a formula
    elif isinstance(value, date):
        cell.number_format = "yyyy-mm-dd"
    else:
        assert isinstance(value, int | float | Decimal)


def _saved(book: openpyxl.Workbook) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


REAL = plain_workbook("training", [CLEAN.cells()], titles=["培训登记表"])
"""A small workbook without shared texts: headers in row 2, the `CLEAN` row in row 3."""
