"""What one cell means: text, code, number, day or term, with what was forgiven on the way.

Each function takes a cell and returns its value and, where the value is not plainly what stands there, a
note that says what was read. Whatever could be two things is refused, with the cause and the way to mend it.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from creditbank.documents.spreadsheet_cells import Cell
from creditbank.errors import InvalidInput
from creditbank.outcomes.outcome import Attributes, attributes_of
from creditbank.outcomes.vocabulary import Term, Vocabulary
from creditbank.terms import InputWarning

SHOWN_MAX = 60
"""How much of a cell is repeated in a message about it."""

_TERMS_SHOWN = 12
_EXACT_DIGITS = 15  # Excel keeps no more of a number; the others become zeros
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_SPACE_RUN = re.compile(r"\s*[^\S ]\s*")
_SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?[eE]\+[0-9]{2,3}")
_QUOTE = re.compile(r"^['’‘`]+(?=.)")
_FIGURE = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?")
_THOUSANDS = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
_UNIT = re.compile(r"(?<=[0-9])\s*(学分|学时|课时|小时|分|人|名|位)$")
_DAY = re.compile(r"([0-9]{4})\s*([-./年])\s*([0-9]{1,2})\s*(?:\2|月)\s*([0-9]{1,2})\s*日?")
_MIDNIGHT = re.compile(r"[T\s]\s*0{1,2}:00(:00(\.0+)?)?$")
_COMPACT_DAY = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_MONTH_ONLY = re.compile(r"[0-9]{4}\s*[-./年]\s*[0-9]{1,2}\s*月?|(19|20)[0-9]{2}(0[1-9]|1[0-2])?年?")
_FIRST_SERIAL, _LAST_SERIAL = 10_000, 109_574  # 1927 to 2199: nobody means another number by these
_LAST_DAY_SERIAL = 2_958_465
_LEAP_SLIP = 60  # Excel's calendar has a 29 February 1900
_FOR_LIFE = frozenset(
    {"长期", "长期有效", "永久", "永久有效", "终身", "终身有效", "无期限", "lifetime", "permanent"}
)


class CellInvalid(InvalidInput):
    """One cell, or one row, of a workbook does not say what it must."""

    code = "cell-invalid"


def shown(cell: Cell) -> str:
    """Return what stands in a cell, cut to what a message has room for."""
    text = " ".join(cell.text.split())
    if cell.form == "number" and cell.shows_date and 0 < Decimal(cell.text) < _LAST_SERIAL:
        day_shown = _date_of_serial(int(Decimal(cell.text)) + cell.days_late)
        text = day_shown.isoformat() if day_shown else text
    return text if len(text) <= SHOWN_MAX else f"{text[: SHOWN_MAX - 1]}…"


def title(cell: Cell) -> tuple[str, InputWarning | None]:
    """Read a line of text: no spaces around it, no line breaks or invisible characters in it.

    Raises:
        CellInvalid: `cell-turned-into-date`, or a formula's `cell-formula-error` or `cell-formula-unsaved`.
    """
    text = _text(cell)
    cleaned = _cleaned(text)
    if cell.form == "number":
        return cleaned, _note("read-number-as-text", cell, cleaned)
    return cleaned, _trimmed(cell, cleaned) if cleaned != text else None


def code(cell: Cell) -> tuple[str, InputWarning | None]:
    """Read a code or a number that is not for calculating: like `title`, and full width is forgiven.

    Raises:
        CellInvalid: as `title`, `cell-number-rounded` for digits that Excel has lost, and
            `cell-decimal-in-code`, since Excel also drops the last zeros of 1.10.
    """
    text = _text(cell)
    narrow = _cleaned(text.translate(_FULL_WIDTH))
    if _SCIENTIFIC.fullmatch(narrow) or (cell.form == "number" and len(narrow.lstrip("-")) > _EXACT_DIGITS):
        raise CellInvalid("cell-number-rounded")
    if cell.form == "number" and "." in narrow:
        raise CellInvalid("cell-decimal-in-code")
    plain = _QUOTE.sub("", narrow).strip()
    if cell.form == "number":
        return plain, _note("read-number-as-text", cell, plain)
    if plain == text:
        return plain, None
    return plain, _trimmed(cell, plain) if plain in text else _note("read-half-width", cell, plain)


def figure(cell: Cell) -> tuple[Decimal, InputWarning | None]:
    """Read a decimal; a unit after it, thousands separators and full width are forgiven.

    Raises:
        CellInvalid: `cell-not-a-number`, `cell-turned-into-date` or an error's.
    """
    text = _text(cell)
    if cell.form == "number":
        # Excel shows fifteen digits; what a binary fraction adds behind them nobody typed.
        return Decimal(f"{Decimal(cell.text):.15g}"), None
    plain = _UNIT.sub("", _cleaned(text.translate(_FULL_WIDTH)))
    if _THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    if not _FIGURE.fullmatch(plain):
        raise CellInvalid("cell-not-a-number")
    return Decimal(plain), None if plain == text.strip() else _note("read-as-number", cell, plain)


def attributes(cell: Cell) -> tuple[Attributes, InputWarning | None]:
    """Read what an examiner found: `overlap=80; replaces=C12`.

    Raises:
        CellInvalid: `cell-not-attributes`, or an error's.
    """
    text = _cleaned(_text(cell)).translate(_FULL_WIDTH)
    stated = [part.partition("=") for part in text.split(";") if part.strip()]
    found = attributes_of((name.strip(), value.strip()) for name, _, value in stated)
    if not all(sign and value.strip() for _, sign, value in stated):
        raise CellInvalid("cell-not-attributes")
    return found, None


def count(cell: Cell) -> tuple[int, InputWarning | None]:
    """Read a whole number.

    Raises:
        CellInvalid: as `figure`, and `cell-not-whole`.
    """
    number, note = figure(cell)
    if number != number.to_integral_value():
        raise CellInvalid("cell-not-whole")
    return int(number), note


def day(cell: Cell) -> tuple[date, InputWarning | None]:
    """Read a day: a date of Excel's, or a text that names year, month and day in this order.

    Raises:
        CellInvalid: `cell-date-impossible`, `cell-date-incomplete`, `cell-not-a-date` or an error's.
    """
    _refuse_faults(cell)
    if cell.form == "number":
        return _day_of_number(cell)
    text = _MIDNIGHT.sub("", _cleaned(cell.text.translate(_FULL_WIDTH)))
    match = _DAY.fullmatch(text)
    if match is not None:
        found = _calendar_day(match[1], match[3], match[4])
    elif match := _COMPACT_DAY.fullmatch(text):
        found = _calendar_day(match[1], match[2], match[3])
    elif _MONTH_ONLY.fullmatch(text):
        raise CellInvalid("cell-date-incomplete")
    else:
        raise CellInvalid("cell-not-a-date")
    return found, None if found.isoformat() == text else _note("read-as-date", cell, found.isoformat())


def expiry(cell: Cell) -> tuple[date | None, InputWarning | None]:
    """Read the last day on which a certificate holds as the first on which it does not; None for life.

    Raises:
        CellInvalid: as `day`.
    """
    if cell.form == "text" and _cleaned(cell.text).casefold() in _FOR_LIFE:
        return None, None
    last, note = day(cell)
    if last == date.max:
        raise CellInvalid("cell-not-a-date")
    return last + timedelta(days=1), note


def term(
    cell: Cell, vocabularies: Sequence[Vocabulary], *, on: date
) -> tuple[tuple[Vocabulary, Term], InputWarning | None]:
    """Read a term by its code or one of its names, as they are on that day.

    Raises:
        CellInvalid: `cell-not-a-term` for none, `cell-term-unclear` for several, or as `title`.
    """
    text, _ = title(cell)
    found = [
        (vocabulary, listed)
        for vocabulary in vocabularies
        if (listed := vocabulary.look_up(text, on=on)) is not None
    ]
    if not found:
        names = [listed.zh for vocabulary in vocabularies for listed in vocabulary.terms_valid(on=on)]
        wanted = (*names[:_TERMS_SHOWN], "…") if len(names) > _TERMS_SHOWN else tuple(names)
        raise CellInvalid("cell-not-a-term", wanted=wanted)
    if len(found) > 1:
        raise CellInvalid("cell-term-unclear", wanted=tuple(vocabulary.zh for vocabulary, _ in found))
    listed = found[0][1]
    is_plain = text.casefold() in {listed.code.casefold(), listed.zh, listed.en.casefold()}
    return found[0], None if is_plain else _note("read-as-term", cell, listed.zh)


def _text(cell: Cell) -> str:
    """Return the text of a cell; of a number, its digits, where those are what was typed."""
    _refuse_faults(cell)
    if cell.form != "number":
        return cell.text
    if cell.shows_date:
        raise CellInvalid("cell-turned-into-date")
    number = Decimal(cell.text)
    return f"{number:f}" if number != number.to_integral_value() else f"{number.to_integral_value():f}"


def _refuse_faults(cell: Cell) -> None:
    if cell.form == "fault":
        raise CellInvalid("cell-formula-error")
    if cell.form == "unsaved":
        raise CellInvalid("cell-formula-unsaved")


def _cleaned(text: str) -> str:
    if text.isprintable():
        return text.strip()
    visible = "".join(
        character
        for character in text
        if character.isspace() or unicodedata.category(character) not in "CcCf"
    )
    return _SPACE_RUN.sub(" ", visible).strip()


def _day_of_number(cell: Cell) -> tuple[date, InputWarning | None]:
    number = Decimal(cell.text)
    serial = int(number) if abs(number) < 10**9 else 0
    match = _COMPACT_DAY.fullmatch(str(serial))
    if match is not None and number == serial:
        found = _calendar_day(match[1], match[2], match[3])
        return found, _note("read-as-date", cell, found.isoformat())
    if _MONTH_ONLY.fullmatch(str(serial)):
        raise CellInvalid("cell-date-incomplete")
    serial += cell.days_late
    if not (_FIRST_SERIAL <= serial <= _LAST_SERIAL or (cell.shows_date and 0 < serial <= _LAST_DAY_SERIAL)):
        raise CellInvalid("cell-not-a-date")
    day_of_serial = _date_of_serial(serial)
    if day_of_serial is None:
        raise CellInvalid("cell-date-impossible")
    is_plain = cell.shows_date and number == int(number)
    return day_of_serial, None if is_plain else _note("read-as-date", cell, day_of_serial.isoformat())


def _date_of_serial(serial: int) -> date | None:
    """Return the day of a number in Excel's calendar; None for the 29 February 1900 that it invented."""
    if serial == _LEAP_SLIP:
        return None
    return date(1899, 12, 31 if serial < _LEAP_SLIP else 30) + timedelta(days=serial)


def _calendar_day(year: str, month: str, day_of_month: str) -> date:
    try:
        return date(int(year), int(month), int(day_of_month))
    except ValueError as error:
        raise CellInvalid("cell-date-impossible") from error


def _note(code: str, cell: Cell, read_as: str) -> InputWarning:
    return InputWarning(code=code, values={"there": shown(cell), "read_as": read_as})


def _trimmed(cell: Cell, read_as: str) -> InputWarning:
    """Return the note on a text whose spaces matter, so that they can be seen."""
    there = "".join("␣" if character.isspace() else character for character in cell.text[:SHOWN_MAX])
    return InputWarning(code="read-trimmed", values={"there": there, "read_as": read_as})
